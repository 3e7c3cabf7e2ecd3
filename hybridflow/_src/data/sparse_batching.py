"""Datasets of sparse batches of dense elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.data.batching import BatchPass
from hybridflow._src.data.element import Element
from hybridflow._src.data.ops import dataset_op
from hybridflow._src.data.passes import Derived, whole_number
from hybridflow._src.data.recipe import Recipe, known_shape, shape_tensor, whole
from hybridflow._src.data.sparse import SparseItem, joined
from hybridflow._src.framework.dtypes import DType
from hybridflow._src.framework.errors import DataLossError, InvalidArgumentError
from hybridflow._src.framework.sparse_tensor import SparseTensor
from hybridflow._src.framework.tensor_shape import TensorShape

if TYPE_CHECKING:
    from hybridflow._src.data.passes import Item


class _DenseToSparse(BatchPass):
    """Dense elements of several shapes, as the rows of sparse tensors."""

    def __init__(self, source: Derived) -> None:
        size, self._row_shape = source.args
        super().__init__(source, size)

    def _batch(self, found: Any) -> Item:
        rows = [self._sparse(item[0]) for item in found]
        batch = joined(rows)
        sizes = [known if known >= 0 else size for known, size in self._sizes(batch)]
        return (SparseItem(batch.indices, batch.values, (len(rows), *sizes)),)

    def _sizes(self, batch: SparseItem) -> Any:
        return zip(self._row_shape, batch.shape[1:], strict=True)

    def _sparse(self, array: np.ndarray) -> SparseItem:
        what = f"Input element had shape {list(array.shape)}"
        if array.ndim != len(self._row_shape):
            message = f"{what} that is incompatible with the row shape {self._row_shape}."
            raise InvalidArgumentError(None, None, message)
        sizes = zip(array.shape, self._row_shape, strict=True)
        if any(0 <= room < have for have, room in sizes):
            message = f"{what} that is larger than the row shape {self._row_shape}."
            raise DataLossError(None, None, message)
        indices = np.indices(array.shape).reshape(array.ndim, array.size).T
        return SparseItem(indices, np.ravel(array), array.shape)


_dense_to_sparse = dataset_op(
    "DenseToSparseBatchDataset",
    "input_dataset: variant, batch_size: int64, row_shape: int64",
    lambda source, size, shape: Derived(
        source, _DenseToSparse, whole_number(size, "Batch size", 1), shape.tolist()
    ),
)


def sparsely_batched(dataset: Any, batch_size: Any, row_shape: Any) -> Recipe:
    """Dense elements of several shapes, as the rows of sparse tensors.

    Raises:
      TypeError: if the elements have several components, or sparse ones.
    """
    element = dataset.element
    if not isinstance(element.types, DType) or element.has_sparse:
        raise TypeError(
            "DenseToSparseDataset requires an input whose elements have a single component, "
            f"whereas the input has {element.types!r}."
        )
    size = whole(batch_size, "batch_size")
    shape = shape_tensor(row_shape)
    form = Element(element.types, TensorShape([None]).concatenate(known_shape(shape)), SparseTensor)
    return Recipe(_dense_to_sparse, form, lambda: (dataset._as_variant_tensor(), size, shape))
