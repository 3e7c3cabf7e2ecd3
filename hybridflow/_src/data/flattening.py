"""Datasets of the elements of several datasets, which a function makes: flat_map, interleave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.data.element import Element
from hybridflow._src.data.functions import ElementFunction
from hybridflow._src.data.mapping import FunctionPass
from hybridflow._src.data.ops import dataset_op
from hybridflow._src.data.passes import Derived, Pass, whole_number
from hybridflow._src.data.recipe import Recipe, whole
from hybridflow._src.framework.op_def import REQUIRED

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.data.passes import Item, Source, State


class DatasetFunction(ElementFunction):
    """A function that makes a dataset of an element.

    Attributes:
      element: the form of that dataset's elements.
    """

    def __init__(self, function: Callable[..., Any], elements: Element, kind: Any) -> None:
        def take(result: Any) -> Any:
            if not isinstance(result, kind):
                raise TypeError(f"`map_func` must return a `Dataset` object, got {result!r:.200}.")
            self.element = result.element
            return [result._as_variant_tensor()]

        super().__init__(function, elements, take)


class FlatPass(FunctionPass):
    """A pass through datasets that a function makes of elements."""

    def _open(self, item: Any) -> Pass | None:
        """The pass through the dataset of an element."""
        result = self._call(item)
        return None if result is None else result[0].begin()


class _Flattened(FlatPass):
    """The elements of one dataset after the other."""

    what = "flat_map"

    def __init__(self, source: Derived) -> None:
        super().__init__(source)
        # The element that the current dataset is made of, from which it can be made again.
        self._from: Any = None
        self._current: Pass | None = None

    def next(self) -> Item | None:
        while True:
            if self._current is None:
                self._from = None if self._ended else self._input.next()
                if self._from is None:
                    return None
                self._current = self._open(self._from)
                if self._current is None:
                    return None
            item = self._current.next()
            if item is not None:
                return item
            self._current = None

    def state(self) -> State:
        current = None if self._current is None else [list(self._from), self._current.state()]
        return [super().state(), current]

    def restore(self, state: State) -> None:
        inner, current = state
        self._current = None
        if current is not None:
            self._from = tuple(current[0])
            self._current = self._open(self._from)
            assert self._current is not None
            self._current.restore(current[1])
        super().restore(inner)


class _Interleaved(FlatPass):
    """Blocks of elements of several datasets in turn; an ended one gives way to the next."""

    what = "interleave"

    def __init__(self, source: Derived) -> None:
        super().__init__(source)
        _, self._cycle, self._block = source.args
        # Those that take turns, each with the element it is made of; None where one may begin.
        self._places: list[Any] = [None] * self._cycle
        self._place = 0
        self._taken = 0  # of the current block
        self._has_input = True

    def next(self) -> Item | None:
        while self._has_input or any(place is not None for place in self._places):
            place = self._places[self._place]
            if place is None:
                place = self._begin()
                if place is None:
                    continue
            item: Item | None = place[1].next()
            if item is None:
                self._places[self._place] = None
                self._turn()
                continue
            self._taken += 1
            if self._taken >= self._block:
                self._turn()
            return item
        return None

    def _begin(self) -> Any:
        """Opens another dataset in the current place; without one it is the next one's turn."""
        item = self._input.next() if self._has_input and not self._ended else None
        opened = None if item is None else self._open(item)
        if opened is None:
            self._has_input = False
            self._turn()
            return None
        place = self._places[self._place] = [item, opened]
        return place

    def _turn(self) -> None:
        self._place = (self._place + 1) % self._cycle
        self._taken = 0

    def state(self) -> State:
        places = [None if p is None else [list(p[0]), p[1].state()] for p in self._places]
        return [super().state(), places, self._place, self._taken, self._has_input]

    def restore(self, state: State) -> None:
        inner, places, self._place, self._taken, has_input = state
        self._has_input = bool(has_input)
        for number, place in enumerate(places):
            self._places[number] = None
            if place is not None:
                item = tuple(place[0])
                opened = self._open(item)
                assert opened is not None
                opened.restore(place[1])
                self._places[number] = [item, opened]
        super().restore(inner)


_flat_map = dataset_op(
    "FlatMapDataset",
    "input_dataset: variant, other_arguments: ...",
    lambda source, *captured, f: Derived(source, _Flattened, f.bound(captured)),
    {"f": REQUIRED},
)


def flat_mapped(dataset: Any, function: Callable[..., Any], kind: Any) -> Recipe:
    """The elements of the datasets that a function makes, one after the other."""
    f = DatasetFunction(function, dataset.element, kind)
    return Recipe(_flat_map, f.element, lambda: (dataset._as_variant_tensor(), f.captured), f=f)


def _interleave_source(source: Source, *values: Any, f: Any) -> Source:
    *captured, cycle_length, block_length = values
    cycle = whole_number(cycle_length, "cycle_length", 1)
    block = whole_number(block_length, "block_length", 1)
    return Derived(source, _Interleaved, f.bound(captured), cycle, block)


_interleave = dataset_op(
    "InterleaveDataset",
    "input_dataset: variant, other_arguments: ..., cycle_length: int64, block_length: int64",
    _interleave_source,
    {"f": REQUIRED},
)


def interleaved(
    dataset: Any, function: Callable[..., Any], cycle_length: Any, block_length: Any, kind: Any
) -> Recipe:
    """Blocks of elements of the datasets that a function makes, in turn."""
    f = DatasetFunction(function, dataset.element, kind)
    cycle, block = whole(cycle_length, "cycle_length"), whole(block_length, "block_length")

    def inputs() -> tuple[Any, ...]:
        return dataset._as_variant_tensor(), f.captured, cycle, block

    return Recipe(_interleave, f.element, inputs, f=f)
