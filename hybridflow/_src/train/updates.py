"""Pieces of what `Optimizer.apply_gradients` does."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.variables.resource_variable import ResourceVariable


def sum_repeated(values: Any, indices: Any) -> tuple[Any, Any]:
    """Rows and indices with each index once, and the sum of the rows given for it."""
    unique, position = raw.Unique(indices)
    size = raw.StridedSlice(raw.Shape(unique), [0], [1], [1], shrink_axis_mask=1)
    return raw.UnsortedSegmentSum(values, position, size), unique


def count_step(global_step: Any, name: str) -> Any:
    """The operation that adds 1 to the global step."""
    if isinstance(global_step, ResourceVariable):
        one = convert_to_tensor(1, global_step.dtype, name="value")
        return raw.AssignAddVariableOp(global_step.handle, one, name=name)
    return raw.AssignAdd(global_step.handle, 1, name=name).op
