"""Operations that run when a SavedModel is loaded."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.saved_model.main_op import (
        main_op,
        main_op_with_restore,
    )

__all__ = [
    "main_op",
    "main_op_with_restore",
]
