"""Keras' functions beside models."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.layers.keras.data import to_categorical
    from hybridflow._src.variables.serialization import (
        deserialize_keras_object,
        get_custom_objects,
        serialize_keras_object,
    )

__all__ = [
    "deserialize_keras_object",
    "get_custom_objects",
    "serialize_keras_object",
    "to_categorical",
]
