"""Sparse components of elements: between ops one is a single value, a `SparseItem`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, not_differentiable
from hybridflow._src.framework.sparse_tensor import SparseTensor
from hybridflow._src.ops.shape_rules import scalar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor


class SparseItem:
    """The value of a sparse tensor, which gives its rows as an array does.

    Attributes:
      indices: int64 `[n, rank]`, in row-major order. values: `[n]`. shape: of the whole tensor.
    """

    __slots__ = ("indices", "shape", "values")

    # So that NumPy never takes one for a sequence.
    __array_ufunc__ = None

    def __init__(self, indices: np.ndarray, values: np.ndarray, shape: tuple[int, ...]) -> None:
        self.indices = indices
        self.values = values
        self.shape = shape

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> SparseItem:
        """A row, for `item[number, ...]`; several that follow each other, for a slice."""
        first = self.indices[:, 0]
        if isinstance(key, slice):
            start, stop, _ = key.indices(len(self))
            low, high = np.searchsorted(first, [start, stop])
            indices = self.indices[low:high].copy()
            indices[:, 0] -= start
            return SparseItem(indices, self.values[low:high], (stop - start, *self.shape[1:]))
        number = key[0]
        low, high = np.searchsorted(first, [number, number + 1])
        return SparseItem(self.indices[low:high, 1:], self.values[low:high], self.shape[1:])

    def take(self, numbers: np.ndarray) -> SparseItem:
        """Some rows."""
        return joined([self[number, ...] for number in numbers.tolist()])


def joined(items: Sequence[SparseItem]) -> SparseItem:
    """Items as the rows of one, which is as large in each dimension as the largest of them.

    Raises:
      InvalidArgumentError: if they have other ranks.
    """
    ranks = {item.ndim for item in items}
    if len(ranks) > 1:
        raise InvalidArgumentError(
            None, None, f"Cannot batch sparse tensors of ranks {sorted(ranks)}."
        )
    counts = [len(item.values) for item in items]
    rows = np.repeat(np.arange(len(items)), counts)
    indices = np.concatenate([item.indices for item in items])
    shape = tuple(np.max([item.shape for item in items], axis=0).tolist()) if ranks != {0} else ()
    return SparseItem(
        np.concatenate([rows[:, np.newaxis], indices], axis=1),
        np.concatenate([item.values for item in items]),
        (len(items), *shape),
    )


def _pack(indices: np.ndarray, values: np.ndarray, dense_shape: np.ndarray) -> SparseItem:
    if len(indices) > 1:
        order = np.lexsort(indices.T[::-1])
        if (order[1:] < order[:-1]).any():
            indices, values = indices[order], values[order]
    return SparseItem(indices, values, tuple(dense_shape.tolist()))


def _unpack(element: SparseItem, dtype: DType, rank: int | None) -> list[Any]:
    if rank is not None and rank != element.ndim:
        raise InvalidArgumentError(
            None, None, f"Expected a sparse tensor of rank {rank}, got one of rank {element.ndim}."
        )
    shape = np.array(element.shape, np.int64)
    return [np.ascontiguousarray(element.indices), element.values, shape]


_pack_op = OpDef(
    "PackSparseElement",
    "indices: int64, values: T, dense_shape: int64 -> element: variant",
    shape=scalar,
    compute=_pack,
    grad=not_differentiable,
)
_unpack_op = OpDef(
    "UnpackSparseElement",
    "element: variant -> indices: int64, values: dtype, dense_shape: int64",
    attrs={"dtype": REQUIRED, "rank": None},
    shape=lambda attrs, element: [(None, attrs["rank"]), (None,), (attrs["rank"],)],
    compute=_unpack,
    grad=not_differentiable,
)


def to_variant(sparse: SparseTensor) -> Tensor:
    """A sparse tensor as it passes between ops."""
    variant: Tensor = _pack_op(sparse.indices, sparse.values, sparse.dense_shape)
    return variant


def from_variant(variant: Tensor, dtype: DType, rank: int | None) -> SparseTensor:
    """The sparse tensor that has passed between ops."""
    return SparseTensor(*_unpack_op(variant, dtype=dtype, rank=rank))
