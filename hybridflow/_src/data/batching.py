"""Datasets of batches, and of the rows of batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.data import nest
from hybridflow._src.data.ops import dataset_op
from hybridflow._src.data.passes import Derived, DerivedPass, whole_number
from hybridflow._src.data.recipe import (
    Recipe,
    static_size,
    truth,
    whole,
)
from hybridflow._src.data.sparse import SparseItem, joined
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.tensor_shape import dimension_at_index

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.data.passes import Item, Source, State


class BatchPass(DerivedPass):
    """Elements that follow each other, so many at a time.

    Args:
      whole_only: whether a last batch with fewer elements is left out.
    """

    kept = ("_ended",)

    def __init__(self, source: Derived, size: int, whole_only: bool = False) -> None:
        super().__init__(source)
        self._size = size
        self._whole_only = whole_only
        self._ended = False

    def next(self) -> Item | None:
        if self._ended:
            return None
        found = self._taken(self._size)
        if not len(found) or (self._whole_only and len(found) < self._size):
            self._ended = True
            return None
        return self._batch(found)

    def _taken(self, most: int) -> Any:
        """The next elements, as `_batch` takes them."""
        return self._input.items(most)

    def _batch(self, found: Any) -> Item:
        """A batch of these elements."""
        raise NotImplementedError


class _Batched(BatchPass):
    """Elements that follow each other, stacked."""

    def __init__(self, source: Derived) -> None:
        super().__init__(source, *source.args)
        self._rows = source.source.rows

    def _taken(self, most: int) -> Any:
        return super()._taken(most) if self._rows is None else self._input.numbers(most)

    def _batch(self, found: Any) -> Item:
        return stacked(found) if self._rows is None else self._rows.batch(found)


def stacked(items: Sequence[Item]) -> Item:
    """Elements stacked, component by component.

    Raises:
      InvalidArgumentError: if they have other shapes.
    """
    return tuple([_stack(column, number) for number, column in enumerate(zip(*items, strict=True))])


def _stack(arrays: Sequence[Any], component: int) -> Any:
    if isinstance(arrays[0], SparseItem):
        return joined(arrays)
    first = arrays[0].shape
    for number, array in enumerate(arrays):
        if array.shape != first:
            raise InvalidArgumentError(
                None,
                None,
                "Cannot batch tensors with different shapes in component "
                f"{component}. First element had shape {list(first)} and element {number} had "
                f"shape {list(array.shape)}.",
            )
    if first:
        return np.concatenate(arrays).reshape(len(arrays), *first)
    batch = np.empty(len(arrays), arrays[0].dtype)
    batch[:] = [array[()] for array in arrays]
    return batch


def _batch_source(source: Source, batch_size: Any, drop_remainder: Any = False) -> Source:
    size = whole_number(batch_size, "Batch size", 1)
    return Derived(source, _Batched, size, bool(drop_remainder))


_batch = dataset_op("BatchDataset", "input_dataset: variant, batch_size: int64", _batch_source)
_batch_v2 = dataset_op(
    "BatchDatasetV2",
    "input_dataset: variant, batch_size: int64, drop_remainder: bool",
    _batch_source,
)


def batched(dataset: Any, batch_size: Any, drop_remainder: Any) -> Recipe:
    """Elements that follow each other, stacked."""
    size = whole(batch_size, "batch_size")
    if drop_remainder is False:
        return Recipe(
            _batch, dataset.element.batched(None), lambda: (dataset._as_variant_tensor(), size)
        )
    drop, is_dropped = truth(drop_remainder, "drop_remainder")
    element = dataset.element.batched(static_size(size) if is_dropped else None)
    return Recipe(_batch_v2, element, lambda: (dataset._as_variant_tensor(), size, drop))


# -- the rows of batches ---------------------------------------------------------------------------


class _Unbatched(DerivedPass):
    """The rows of elements, one by one."""

    kept = ("_row",)

    def __init__(self, source: Derived) -> None:
        super().__init__(source)
        self._batch: Item | None = None
        self._row = 0

    def next(self) -> Item | None:
        while self._batch is None or self._row >= len(self._batch[0]):
            self._batch, self._row = self._input.next(), 0
            if self._batch is None:
                return None
            sizes = {len(array) for array in self._batch}
            if len(sizes) > 1:
                raise InvalidArgumentError(
                    None,
                    None,
                    "Input element must have the same batch size in each component, got "
                    f"{[len(array) for array in self._batch]}.",
                )
        row, self._row = self._row, self._row + 1
        return tuple([array[row, ...] for array in self._batch])

    def state(self) -> State:
        batch = None if self._batch is None else list(self._batch)
        return [batch, super().state()]

    def restore(self, state: State) -> None:
        batch, inner = state
        self._batch = None if batch is None else tuple(batch)
        super().restore(inner)


_unbatch = dataset_op(
    "UnbatchDataset", "input_dataset: variant", lambda source: Derived(source, _Unbatched)
)


def unbatched(dataset: Any) -> Recipe:
    """The rows of the elements of a dataset.

    Raises:
      ValueError: if an element has a scalar, or components with other numbers of rows.
    """
    first = None
    for shape in nest.flatten(dataset.element.shapes):
        if shape.ndims == 0:
            raise ValueError("Cannot unbatch an input with scalar components.")
        if shape.ndims is not None:
            size = dimension_at_index(shape, 0)
            first = size if first is None else first.merge_with(size)
    element = dataset.element.unbatched()
    return Recipe(_unbatch, element, lambda: (dataset._as_variant_tensor(),))
