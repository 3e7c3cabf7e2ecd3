"""Keras' settings and functions that libraries of TensorFlow 1 use."""

from __future__ import annotations

from hybridflow._src.layers.keras.activations import hard_sigmoid
from hybridflow._src.layers.keras.backend import floatx, set_floatx

__all__ = ["floatx", "hard_sigmoid", "set_floatx"]
