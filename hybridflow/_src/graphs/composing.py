"""Nodes of files that no op here is, and that several compute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.ops.arrays.batched import gathered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hybridflow._src.framework.tensor import Tensor


def _gather(attrs: Mapping[str, Any], inputs: Sequence[Tensor]) -> Tensor | None:
    """A gather within each part of a batch."""
    batch_dims = attrs["batch_dims"].i if "batch_dims" in attrs else 0
    if not batch_dims:
        return None
    params, indices, axis = inputs
    value = constant_value(axis)
    if value is None:
        raise ValueError("its axis must be a constant if it has batch_dims")
    return gathered(params, indices, int(value), int(batch_dims))


# By op type what gives the output of a node, or None where the op does it.
COMPOSED: dict[str, Callable[[Mapping[str, Any], Sequence[Tensor]], Tensor | None]] = {
    "GatherV2": _gather,
}
