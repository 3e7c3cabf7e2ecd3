"""`IndexedSlices`: a few rows of a tensor, the gradient of a lookup."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework.convert import (
    convert_to_tensor,
    register_tensor_conversion_function,
)
from hybridflow._src.framework.dtypes import DType
from hybridflow._src.framework.nest import Composite
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.sparse_tensor import SparseTensor
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import TensorShape


class IndexedSlices(Composite):
    """Rows `values[i]` of a tensor at `indices[i]`: rows not named are zero, repeated ones add up.

    Args:
      values: tensor `[n, ...]`.
      indices: integer tensor `[n]`.
      dense_shape: the shape of the whole tensor as an integer tensor, or None if it is not known.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     rows = hf.constant([[1.0], [2.0]])
    ...     s = hf.IndexedSlices(rows, hf.constant([0, 0]), dense_shape=hf.constant([2, 1]))
    ...     print(hf.convert_to_tensor(s).numpy().tolist())
    [[3.0], [0.0]]
    """

    __slots__ = ("__weakref__", "_dense_shape", "_indices", "_values")

    def __init__(self, values: Any, indices: Any, dense_shape: Any = None) -> None:
        self._values: Tensor = values
        self._indices: Tensor = indices
        self._dense_shape: Tensor | None = dense_shape

    @property
    def values(self) -> Tensor:
        """The rows, `[n, ...]`."""
        return self._values

    @property
    def indices(self) -> Tensor:
        """The index of each row, `[n]`."""
        return self._indices

    @property
    def dense_shape(self) -> Tensor | None:
        """The shape of the whole tensor, or None."""
        return self._dense_shape

    @property
    def name(self) -> str:
        """The name of `values`."""
        return self._values.name

    @property
    def op(self) -> Any:
        """The operation of `values`."""
        return self._values.op

    @property
    def graph(self) -> Any:
        """The graph of `values`."""
        return self._values.graph

    @property
    def device(self) -> str:
        """The device of `values`."""
        return self._values.device

    @property
    def dtype(self) -> DType:
        """The dtype of `values`."""
        return self._values.dtype

    def _parts(self) -> list[Any]:
        parts = [self._values, self._indices, self._dense_shape]
        return parts if self._dense_shape is not None else parts[:2]

    def _with_parts(self, parts: list[Any]) -> IndexedSlices:
        return IndexedSlices(*parts)

    def _part_shapes(self, shape: TensorShape) -> list[Any]:
        """Those of the parts where `values` have a shape."""
        shape = shape.with_rank_at_least(1)
        return [shape, shape[:1], TensorShape([shape.ndims])][: len(self._parts())]

    def _as_graph_element(self) -> Tensor:
        return self._values

    def __neg__(self) -> IndexedSlices:
        return IndexedSlices(-self._values, self._indices, self._dense_shape)

    def __repr__(self) -> str:
        return f"IndexedSlices(indices={self._indices!r}, values={self._values!r})"


def sum_repeated(values: Any, indices: Any) -> tuple[Any, Any]:
    """Rows and indices with each index once, and the sum of the rows given for it."""
    unique, position = raw.Unique(indices)
    size = raw.StridedSlice(raw.Shape(unique), [0], [1], [1], shrink_axis_mask=1)
    return raw.UnsortedSegmentSum(values, position, size), unique


def _to_tensor(value: IndexedSlices, dtype: Any, name: str | None, as_ref: bool) -> Any:
    if dtype is not None and not dtype.is_compatible_with(value.dtype):
        raise ValueError(
            f"Tensor conversion requested dtype {dtype.name} for IndexedSlices with dtype "
            f"{value.dtype.name}"
        )
    if value.dense_shape is None:
        raise ValueError(
            "Tensor conversion requested for IndexedSlices without dense_shape: the size of the "
            f"whole tensor is not known: {value!r}"
        )
    size = raw.StridedSlice(value.dense_shape, [0], [1], [1], shrink_axis_mask=1)
    return raw.UnsortedSegmentSum(value.values, value.indices, size, name=name)


register_tensor_conversion_function(IndexedSlices, _to_tensor)


def convert_to_tensor_or_indexed_slices(
    value: Any, dtype: Any = None, name: str | None = None
) -> Any:
    """`convert_to_tensor`, except that `IndexedSlices` and sparse tensors are returned as they are.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.convert_to_tensor_or_indexed_slices([1, 2]).shape
    TensorShape([Dimension(2)])
    """
    sliced = isinstance(value, IndexedSlices | SparseTensor)
    return value if sliced else convert_to_tensor(value, dtype, name)
