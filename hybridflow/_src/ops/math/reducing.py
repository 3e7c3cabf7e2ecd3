"""What reductions share: axes, shapes, and the arguments of their public functions."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.eager_tensor import EagerTensor
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.grad_helpers import all_axes

if TYPE_CHECKING:
    from hybridflow._src.framework.op_def import OpDef
    from hybridflow._src.ops.shape_rules import Dims


def reduced_dims(attrs: dict[str, Any], x: Tensor, axes: Tensor) -> Dims:
    """Shape rule: the dims of `x` without `axes`, or with 1 there."""
    _check_axes(axes._dims)
    dims = x._dims
    if dims is None:
        return None
    known = constant_value(axes)
    rank = len(dims)
    if known is None:
        return (None,) * rank if attrs["keep_dims"] else None
    reduced = set()
    for axis in known.ravel().tolist():
        if not -rank <= axis < rank:
            raise ValueError(
                f"Invalid reduction dimension {axis} for input with {rank} dimensions: expected "
                f"one in [{-rank}, {rank})"
            )
        reduced.add(axis % rank)
    if attrs["keep_dims"]:
        return tuple([1 if i in reduced else d for i, d in enumerate(dims)])
    return tuple([d for i, d in enumerate(dims) if i not in reduced])


def _check_axes(dims: Dims) -> None:
    if dims is not None and len(dims) > 1:
        raise ValueError(f"Shape of reduction axes must be at most rank 1 but is rank {len(dims)}")


def axes_of(x: np.ndarray, axes: np.ndarray) -> tuple[int, ...]:
    """The axes to reduce, each once and not negative.

    Raises:
      InvalidArgumentError: if one is out of range.
    """
    _check_axes(axes.shape)
    found: dict[int, None] = {}
    rank = x.ndim
    for axis in axes.ravel().tolist():
        if not -rank <= axis < rank:
            raise InvalidArgumentError(
                None,
                None,
                f"Invalid reduction dimension {axis} for input with {rank} dimension(s): expected "
                f"one in [{-rank}, {rank})",
            )
        found[axis % rank] = None
    return tuple(found)


def renamed(name: str, value: Any, old_name: str, old_value: Any) -> Any:
    """The value of an argument that may also be given under an older name.

    Raises:
      ValueError: if both are given.
    """
    if old_value is None:
        return value
    if value is not None:
        raise ValueError(f"Cannot specify both '{name}' and '{old_name}'.")
    return old_value


@functools.cache
def _eager_axes(rank: int) -> EagerTensor:
    return EagerTensor(np.arange(rank, dtype=np.int32), dtypes.int32)


def reduce(
    op: OpDef,
    x: Any,
    axis: Any,
    keepdims: Any,
    name: str | None,
    reduction_indices: Any,
    keep_dims: Any,
) -> Tensor:
    """Calls a reduction's record with the arguments of its public function."""
    if reduction_indices is not None:
        axis = renamed("axis", axis, "reduction_indices", reduction_indices)
    if keep_dims is not None:
        keepdims = renamed("keepdims", keepdims, "keep_dims", keep_dims)
    keepdims = bool(keepdims)
    if axis is not None:
        if not isinstance(axis, Tensor) and np.size(axis) == 0:
            axis = np.zeros(0, np.int32)
        return op(x, axis, keep_dims=keepdims, name=name)
    if not isinstance(x, Tensor):
        x = convert_to_tensor(x, name="input")
    if x.__class__ is EagerTensor and context.modes.entries[-1].item.eager:
        return op(x, _eager_axes(x._a.ndim), keep_dims=keepdims, name=name)
    axes = convert_to_tensor(all_axes(x), name="Const")  # where TF makes it, and by its name
    result: Tensor = op(x, axes, keep_dims=keepdims, name=name)
    if x._dims is None and not keepdims:
        # All axes go, however many there are.
        result.set_shape(())
    return result
