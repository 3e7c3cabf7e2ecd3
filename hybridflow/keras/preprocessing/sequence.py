"""Sequences before a model sees them."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.layers.keras.data import pad_sequences

__all__ = ["pad_sequences"]
