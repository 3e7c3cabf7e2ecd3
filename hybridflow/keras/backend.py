"""Keras' settings and functions that libraries of TensorFlow 1 use."""

from __future__ import annotations

from hybridflow._src.layers.keras.activations import hard_sigmoid
from hybridflow._src.layers.keras.backend import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
)

__all__ = [
    "epsilon",
    "floatx",
    "hard_sigmoid",
    "image_data_format",
    "set_epsilon",
    "set_floatx",
]
