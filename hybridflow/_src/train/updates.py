"""Pieces of what `Optimizer.apply_gradients` does."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.variables.resource_variable import ResourceVariable


def count_step(global_step: Any, name: str) -> Any:
    """The operation that adds 1 to the global step."""
    if isinstance(global_step, ResourceVariable):
        one = convert_to_tensor(1, global_step.dtype, name="value")
        return raw.AssignAddVariableOp(global_step.handle, one, name=name)
    return raw.AssignAdd(global_step.handle, 1, name=name).op
