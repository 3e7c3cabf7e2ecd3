"""Names that signatures of SavedModels use."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.saved_model.constants import (
        CLASSIFY_INPUTS,
        CLASSIFY_METHOD_NAME,
        CLASSIFY_OUTPUT_CLASSES,
        CLASSIFY_OUTPUT_SCORES,
        DEFAULT_SERVING_SIGNATURE_DEF_KEY,
        PREDICT_INPUTS,
        PREDICT_METHOD_NAME,
        PREDICT_OUTPUTS,
        REGRESS_INPUTS,
        REGRESS_METHOD_NAME,
        REGRESS_OUTPUTS,
    )

__all__ = [
    "CLASSIFY_INPUTS",
    "CLASSIFY_METHOD_NAME",
    "CLASSIFY_OUTPUT_CLASSES",
    "CLASSIFY_OUTPUT_SCORES",
    "DEFAULT_SERVING_SIGNATURE_DEF_KEY",
    "PREDICT_INPUTS",
    "PREDICT_METHOD_NAME",
    "PREDICT_OUTPUTS",
    "REGRESS_INPUTS",
    "REGRESS_METHOD_NAME",
    "REGRESS_OUTPUTS",
]
