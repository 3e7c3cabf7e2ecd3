"""Keras' layers that libraries of TensorFlow 1 use; `hybridflow.layers` has many more."""

from __future__ import annotations

from hybridflow._src.layers.core import Flatten
from hybridflow._src.layers.input_spec import InputSpec
from hybridflow._src.layers.keras.dense import Dense
from hybridflow._src.layers.keras.function_layer import Lambda
from hybridflow._src.layers.layer import Layer

__all__ = ["Dense", "Flatten", "InputSpec", "Lambda", "Layer"]
