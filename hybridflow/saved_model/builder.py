"""Writes SavedModels."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.saved_model.builder import (
        SavedModelBuilder,
    )

__all__ = [
    "SavedModelBuilder",
]
