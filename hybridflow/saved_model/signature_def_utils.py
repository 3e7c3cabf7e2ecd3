"""Signatures of SavedModels."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.saved_model.signatures import (
        build_signature_def,
        classification_signature_def,
        is_valid_signature,
        predict_signature_def,
        regression_signature_def,
    )

__all__ = [
    "build_signature_def",
    "classification_signature_def",
    "is_valid_signature",
    "predict_signature_def",
    "regression_signature_def",
]
