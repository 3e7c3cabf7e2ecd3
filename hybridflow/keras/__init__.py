"""Keras' names."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow.keras import constraints, initializers, regularizers

__all__ = ["constraints", "initializers", "regularizers"]
