"""Keras' layers that libraries of TensorFlow 1 use; `hybridflow.layers` has many more."""

from __future__ import annotations

from hybridflow._src.layers.keras.dense import Dense

__all__ = ["Dense"]
