"""What graphs of SavedModels are for."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.saved_model.constants import (
        GPU,
        SERVING,
        TPU,
        TRAINING,
    )

__all__ = [
    "GPU",
    "SERVING",
    "TPU",
    "TRAINING",
]
