"""SavedModels as functions."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.saved_model.predictor import Predictor, from_saved_model

__all__ = ["Predictor", "from_saved_model"]
