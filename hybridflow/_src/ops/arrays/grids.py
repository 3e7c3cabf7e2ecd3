"""Grids of coordinates and masks of sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.dtypes import as_dtype
from hybridflow._src.framework.dtypes import bool as bool_dtype
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.constant import constant, ones
from hybridflow._src.ops.arrays.joining import stack
from hybridflow._src.ops.arrays.reshaping import expand_dims, reshape
from hybridflow._src.ops.arrays.shape_ops import size
from hybridflow._src.ops.grad_helpers import all_axes

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["meshgrid", "sequence_mask"]


def meshgrid(*args: Any, **kwargs: Any) -> list[Tensor]:
    """Coordinates on a grid: one tensor, of the shape of the grid, for each vector.

    Args:
      *args: vectors of one dtype, of lengths n1, n2, ...
      indexing: "xy" (the default), where the first vector runs along the columns, for shape
        `[n2, n1, n3, ...]`; or "ij", for shape `[n1, n2, ...]`.
      name: name scope of the ops.

    Returns: a list of as many tensors.

    Raises:
      TypeError: for another keyword. ValueError: for another `indexing`, or without vectors.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x, y = hf.meshgrid([1, 2, 3], [4, 5])
    ...     print(x.numpy().tolist(), y.numpy().tolist())
    [[1, 2, 3], [1, 2, 3]] [[4, 4, 4], [5, 5, 5]]
    """
    indexing = kwargs.pop("indexing", "xy")
    name = kwargs.pop("name", "meshgrid")
    if kwargs:
        raise TypeError(f"{next(iter(kwargs))!r} is an invalid keyword argument for this function")
    if indexing not in ("xy", "ij"):
        raise ValueError("indexing parameter must be either 'xy' or 'ij'")
    if not args:
        raise ValueError("meshgrid needs at least one vector.")
    with name_scope(name, "meshgrid", args):
        rank = len(args)
        along = [_along(stack(x), axis, rank) for axis, x in enumerate(args)]
        sizes = [size(x) for x in args]
        if indexing == "xy" and rank > 1:
            along[0] = _along(along[0], 1, rank)
            along[1] = _along(along[1], 0, rank)
            sizes[0], sizes[1] = sizes[1], sizes[0]
        whole = ones(sizes, along[0].dtype)
        return [raw.Mul(x, whole, name="mul") for x in along]


def _along(x: Tensor, axis: int, rank: int) -> Tensor:
    """The elements of `x` along one axis, all other sizes 1."""
    return reshape(x, [1] * axis + [-1] + [1] * (rank - axis - 1))


def sequence_mask(
    lengths: Any, maxlen: Any = None, dtype: Any = bool_dtype, name: str | None = None
) -> Tensor:
    """A mask of the first elements of sequences: `mask[..., j] = j < lengths[...]`.

    Args:
      lengths: integer tensor.
      maxlen: size of the last dimension, an integer scalar; the largest length by default.
      dtype: dtype of the result.
      name: name scope of the ops.

    Returns: a tensor of shape `lengths.shape + [maxlen]`.

    Raises:
      ValueError: if `maxlen` is no scalar.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.sequence_mask([1, 3], dtype=hf.int32).numpy())
    [[1 0 0]
     [1 1 1]]
    """
    with name_scope(name, "SequenceMask", [lengths, maxlen]):
        lengths = convert_to_tensor(lengths)
        if maxlen is None:
            maxlen = raw.Max(lengths, convert_to_tensor(all_axes(lengths)))
        else:
            maxlen = convert_to_tensor(maxlen)
        if maxlen._dims not in ((), None):
            raise ValueError("maxlen must be scalar for sequence_mask")
        kind = maxlen.dtype.base_dtype
        row = raw.Range(constant(0, kind), maxlen, constant(1, kind))
        result = raw.Less(row, raw.Cast(expand_dims(lengths, -1), DstT=kind))
        wanted = None if dtype is None else as_dtype(dtype)
        return result if wanted in (None, bool_dtype) else raw.Cast(result, DstT=wanted)
