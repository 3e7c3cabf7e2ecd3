"""Keras' functions beside models."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.layers.keras.data import to_categorical

__all__ = ["to_categorical"]
