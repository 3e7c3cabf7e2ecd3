"""Keras' names."""

from __future__ import annotations

from hybridflow.keras import constraints, initializers, regularizers

__all__ = ["constraints", "initializers", "regularizers"]
