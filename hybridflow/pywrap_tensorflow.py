"""What programs call of TensorFlow's C interface."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.formats.events_writer import EventsWriter
    from hybridflow._src.framework.c_api import (
        IsGoogleCudaEnabled,
        TF_bfloat16_type,
        TF_GetCode,
        TF_Message,
        TF_NewStatus,
        TF_SetStatus,
    )
    from hybridflow._src.train.saving.reader import NewCheckpointReader

__all__ = [
    "EventsWriter",
    "IsGoogleCudaEnabled",
    "NewCheckpointReader",
    "TF_GetCode",
    "TF_Message",
    "TF_NewStatus",
    "TF_SetStatus",
    "TF_bfloat16_type",
]
