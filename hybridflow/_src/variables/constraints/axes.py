"""Vectors along any axes of a tensor, as rows along its last one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hybridflow._src.ops.arrays.arranging import transpose
from hybridflow._src.ops.arrays.indexing import getitem
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.arrays.shape_ops import shape
from hybridflow._src.ops.math.reductions import reduce_prod
from hybridflow._src.ops.shape_rules import axis_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

_UNKNOWN = (
    "A projection along axis {axis} needs a tensor of known rank, got {tensor!r}. Give its shape, "
    "with None for unknown sizes."
)


def positive_axes(w: Tensor, axis: Any) -> list[int]:
    """Axes of `w`, an int, a list of ints or None for all, as numbers from 0.

    Raises:
      ValueError: if the rank of `w` is unknown, or an axis is out of range or named twice.
    """
    dims = w._dims
    if dims is None:
        raise ValueError(_UNKNOWN.format(axis=axis, tensor=w))
    if axis is None:
        return list(range(len(dims)))
    found = [axis_of(a, len(dims)) for a in (axis if isinstance(axis, list) else [axis])]
    if len(set(found)) < len(found):
        raise ValueError(f"axis {axis} names an axis twice for a tensor of shape {w.shape}.")
    return found


def along(w: Tensor, axis: Any, function: Callable[[Tensor], Tensor]) -> Tensor:
    """Applies a function of rows to the vectors that lie along `axis`.

    Args:
      w: a tensor.
      axis: an int, a list of ints (these axes together hold one vector), or None for all.
      function: takes a tensor whose last axis holds the vectors, gives one of the same shape.

    Returns: a tensor of the shape of `w`.
    """
    if axis is None:
        return reshape(function(reshape(w, [-1])), shape(w))
    if axis == -1:
        return function(w)
    inner = positive_axes(w, axis)
    outer = [i for i in range(len(w.shape)) if i not in inner]
    order = [*outer, *inner]
    moved = transpose(w, order)
    rows = moved if len(inner) == 1 else reshape(moved, _joined(moved, len(outer)))
    result = function(rows)
    if len(inner) != 1:
        result = reshape(result, shape(moved))
    return transpose(result, [order.index(i) for i in range(len(order))])


def as_matrix(w: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """Applies a function of matrices to a tensor whose axes but the last are taken as rows."""
    rank = len(positive_axes(w, None))
    if rank < 2:
        raise ValueError(f"A matrix is needed (rank 2 or more), got a tensor of shape {w.shape}.")
    if rank == 2:
        return function(w)
    rows = reshape(w, [_size(w, 0, rank - 1), _size(w, rank - 1, rank)])
    return reshape(function(rows), shape(w))


def _joined(w: Tensor, first: int) -> Any:
    """The shape of `w` with the axes from `first` on made one."""
    if w.shape.is_fully_defined():
        dims = w.shape.as_list()
        return [*dims[:first], math.prod(dims[first:])]
    return concat([getitem(shape(w), slice(first)), [_size(w, first, len(w.shape))]], 0)


def _size(w: Tensor, first: int, last: int) -> Any:
    """The number of elements in the axes from `first` to `last`."""
    part = w.shape[first:last]
    known = part.num_elements()
    return reduce_prod(getitem(shape(w), slice(first, last))) if known is None else known
