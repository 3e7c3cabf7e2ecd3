"""Keras' names."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow.keras import (
        activations,
        backend,
        constraints,
        initializers,
        layers,
        preprocessing,
        regularizers,
        utils,
    )

__all__ = [
    "activations",
    "backend",
    "constraints",
    "initializers",
    "layers",
    "preprocessing",
    "regularizers",
    "utils",
]
