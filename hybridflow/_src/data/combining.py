"""Datasets of several others: side by side (zip), one after the other (concatenate)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.data import nest
from hybridflow._src.data.element import Element
from hybridflow._src.data.ops import dataset_op
from hybridflow._src.data.passes import Pass, Source
from hybridflow._src.data.recipe import Recipe

if TYPE_CHECKING:
    from hybridflow._src.data.passes import Item, State


class _Zipped(Source):
    """Elements of several sources side by side, as long as all have one."""

    def __init__(self, *sources: Source) -> None:
        self.sources = sources

    def begin(self) -> Pass:
        return _ZippedPass(self)


class _ZippedPass(Pass):
    def __init__(self, source: _Zipped) -> None:
        self._inputs: list[Pass] | None = [s.begin() for s in source.sources]

    def next(self) -> Item | None:
        if self._inputs is None:
            return None
        parts: list[Any] = []
        for one in self._inputs:
            item = one.next()
            if item is None:
                self._inputs = None
                return None
            parts += item
        return tuple(parts)

    def state(self) -> State:
        return None if self._inputs is None else [one.state() for one in self._inputs]

    def restore(self, state: State) -> None:
        if state is None or self._inputs is None:
            self._inputs = None
            return
        for one, inner in zip(self._inputs, state, strict=True):
            one.restore(inner)


_zip = dataset_op("ZipDataset", "input_datasets: ...", _Zipped)

_NO_DATASETS = "The argument to `Dataset.zip()` must be a nested structure of `Dataset` objects."
_NO_LISTS = (
    f"{_NO_DATASETS} Nested structures do not support Python lists; please use a tuple instead."
)


def zipped(datasets: Any, kind: type) -> Recipe:
    """The elements of a structure of datasets (objects of `kind`) side by side.

    Raises:
      TypeError: if there is anything else in it.
    """
    flat = nest.flatten(datasets)
    for dataset in flat:
        if not isinstance(dataset, kind):
            raise TypeError(_NO_LISTS if isinstance(dataset, list) else _NO_DATASETS)
    elements = [dataset.element for dataset in flat]
    element = Element(
        nest.pack_sequence_as(datasets, [e.types for e in elements]),
        nest.pack_sequence_as(datasets, [e.shapes for e in elements]),
        nest.pack_sequence_as(datasets, [e.classes for e in elements]),
    )
    return Recipe(_zip, element, lambda: ([d._as_variant_tensor() for d in flat],))


class _Concatenated(Source):
    """The elements of one source, then those of another."""

    def __init__(self, first: Source, second: Source) -> None:
        self.sources = first, second

    def begin(self) -> Pass:
        return _ConcatenatedPass(self)


class _ConcatenatedPass(Pass):
    def __init__(self, source: _Concatenated) -> None:
        self._sources = source.sources
        self._number = 0
        self._input: Pass | None = self._sources[0].begin()

    def next(self) -> Item | None:
        while self._input is not None:
            item = self._input.next()
            if item is not None:
                return item
            self._begin(self._number + 1)
        return None

    def _begin(self, number: int) -> None:
        self._number = number
        self._input = self._sources[number].begin() if number < len(self._sources) else None

    def state(self) -> State:
        return [self._number, None if self._input is None else self._input.state()]

    def restore(self, state: State) -> None:
        number, inner = state
        self._begin(number)
        if self._input is not None:
            self._input.restore(inner)


_concatenate = dataset_op(
    "ConcatenateDataset", "input_dataset: variant, another_dataset: variant", _Concatenated
)


def concatenated(dataset: Any, other: Any) -> Recipe:
    """The elements of a dataset, then those of another.

    Raises:
      TypeError, ValueError: if their elements have other structures or types.
    """
    first, second = dataset.element, other.element
    nest.assert_same_structure(first.types, second.types)
    if nest.flatten(first.types) != nest.flatten(second.types):
        raise TypeError(
            f"Two datasets to concatenate have different types {first.types} and {second.types}"
        )
    if first.flat_classes != second.flat_classes:
        raise TypeError(
            f"Two datasets to concatenate have different classes {first.classes} and "
            f"{second.classes}"
        )
    return Recipe(
        _concatenate,
        first.merged(second),
        lambda: (dataset._as_variant_tensor(), other._as_variant_tensor()),
    )
