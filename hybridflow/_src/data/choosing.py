"""Datasets of the elements of another that are good: without errors, without repetitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.data.ops import dataset_op
from hybridflow._src.data.passes import Derived, DerivedPass
from hybridflow._src.data.recipe import Recipe
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.errors import OpError

if TYPE_CHECKING:
    from hybridflow._src.data.passes import Item, State


class _WithoutErrors(DerivedPass):
    """The elements that can be computed."""

    def next(self) -> Item | None:
        while True:
            try:
                return self._input.next()
            except OpError:
                continue


class _Unique(DerivedPass):
    """Each value once, where it comes first."""

    def __init__(self, source: Derived) -> None:
        super().__init__(source)
        self._seen: set[bytes] = set()

    def next(self) -> Item | None:
        while (item := self._input.next()) is not None:
            value = item[0]
            key = value.tobytes() if value.dtype.kind != "O" else repr(value.tolist()).encode()
            if key not in self._seen:
                self._seen.add(key)
                return item
        return None

    def state(self) -> State:
        return [sorted(self._seen), super().state()]

    def restore(self, state: State) -> None:
        seen, inner = state
        self._seen = set(seen)
        super().restore(inner)


_ignore_errors = dataset_op(
    "IgnoreErrorsDataset", "input_dataset: variant", lambda source: Derived(source, _WithoutErrors)
)
_unique = dataset_op(
    "UniqueDataset", "input_dataset: variant", lambda source: Derived(source, _Unique)
)


def without_errors(dataset: Any) -> Recipe:
    """The elements of a dataset that can be computed."""
    return Recipe(_ignore_errors, dataset.element, lambda: (dataset._as_variant_tensor(),))


def unique(dataset: Any) -> Recipe:
    """Each element of a dataset once.

    Raises:
      TypeError: if they have several components, or other dtypes than int32, int64 and string.
    """
    types = dataset.element.types
    if types not in (dtypes.int32, dtypes.int64, dtypes.string):
        raise TypeError(
            "`unique()` only supports inputs with a single `tf.int32`, `tf.int64`, or `tf.string` "
            f"component, not {types}."
        )
    return Recipe(_unique, dataset.element, lambda: (dataset._as_variant_tensor(),))
