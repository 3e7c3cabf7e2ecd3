"""Reads SavedModels."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.saved_model.loader import (
        load,
        maybe_saved_model_directory,
    )

__all__ = [
    "load",
    "maybe_saved_model_directory",
]
