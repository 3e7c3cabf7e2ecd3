"""Sets along the last dimension of tensors."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.ops.sparse.sets import (
        set_difference,
        set_intersection,
        set_size,
        set_union,
    )

__all__ = [
    "set_difference",
    "set_intersection",
    "set_size",
    "set_union",
]
