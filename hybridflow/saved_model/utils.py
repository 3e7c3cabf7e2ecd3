"""What signatures of SavedModels say of tensors."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.saved_model.signatures import (
        build_tensor_info,
        get_tensor_from_tensor_info,
    )

__all__ = [
    "build_tensor_info",
    "get_tensor_from_tensor_info",
]
