"""Datasets of the elements of several datasets in turn, each of which a thread makes ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hybridflow._src.data.ahead import Ahead
from hybridflow._src.data.flattening import DatasetFunction, FlatPass
from hybridflow._src.data.ops import dataset_op
from hybridflow._src.data.passes import Derived, whole_number
from hybridflow._src.data.recipe import Recipe, optional, truth, whole
from hybridflow._src.framework.locks import Flag
from hybridflow._src.framework.op_def import REQUIRED

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.data.passes import Item, Pass, Source, State


# So many datasets take turns where a program leaves that to us.
CYCLE = 4


class _Opened(NamedTuple):
    """A dataset that takes turns: the element that it is made of, and a pass made ahead."""

    item: Item
    inner: Pass
    ahead: Ahead

    def state(self) -> State:
        """Where it stands, while it makes no element."""
        return self.ahead.paused(
            lambda items: [
                list(self.item),
                [list(item) for item in items],
                self.ahead.ended,
                self.inner.state(),
            ]
        )


class _ParallelInterleaved(FlatPass):
    """Blocks of elements of several datasets in turn.

    If it is sloppy, one that would have to be waited for is passed over.
    """

    what = "parallel_interleave"

    def __init__(self, source: Derived) -> None:
        super().__init__(source)
        _, self._cycle, self._block, self._sloppy, self._buffer, self._more = source.args
        self._ready = Flag()
        # Those that take turns, and those that begin already to follow them.
        self._places: list[_Opened | None] = []
        self._waiting: list[_Opened] = []
        self._place = 0
        self._taken = 0  # of the current block
        self._has_input = True

    def next(self) -> Item | None:
        self._begin()
        while any(place is not None for place in self._places):
            found = self._next_ready() if self._sloppy else self._place
            place = self._places[found] if found is not None else None
            if found is None:
                self._wait()
                continue
            if place is None:
                self._turn_from(found)
                continue
            item: Item | None = place.ahead.take()
            if item is None:
                self._places[found] = self._waiting.pop(0) if self._waiting else None
                self._begin()
                self._turn_from(found)
                continue
            if found != self._place:
                self._place, self._taken = found, 0
            self._taken += 1
            if self._taken >= self._block:
                self._turn_from(found)
            return item
        return None

    def _begin(self) -> None:
        """Has threads begin for as many datasets as take turns, and for some more."""
        while len(self._places) < self._cycle:
            self._places.append(self._opened())
        while self._has_input and len(self._waiting) < self._more:
            opened = self._opened()
            if opened is not None:
                self._waiting.append(opened)
        for number, place in enumerate(self._places):
            if place is None and self._waiting:
                self._places[number] = self._waiting.pop(0)
            elif place is None:
                self._places[number] = self._opened()

    def _opened(self) -> _Opened | None:
        item = self._input.next() if self._has_input and not self._ended else None
        inner = None if item is None else self._open(item)
        if item is None or inner is None:
            self._has_input = False
            return None
        return self._ahead_of(item, inner, [], False)

    def _ahead_of(self, item: Item, inner: Pass, made: list[Item], ended: bool) -> _Opened:
        ahead = Ahead(inner.next, self._buffer, self._ready if self._sloppy else None)
        ahead.put(made, ended)
        ahead.start()
        return _Opened(item, inner, ahead)

    def _turn_from(self, place: int) -> None:
        self._place = (place + 1) % self._cycle
        self._taken = 0

    def _next_ready(self) -> int | None:
        """The next place whose dataset has an element, or has ended."""
        for turn in range(self._cycle):
            number = (self._place + turn) % self._cycle
            place = self._places[number]
            if place is not None and place.ahead.has_one():
                return number
        return None

    def _wait(self) -> None:
        self._ready.clear()
        if self._next_ready() is None:
            self._ready.wait()

    def state(self) -> State:
        places = [None if place is None else place.state() for place in self._places]
        waiting = [opened.state() for opened in self._waiting]
        turn = [self._place, self._taken, self._has_input]
        return [places, waiting, turn, super().state()]

    def restore(self, state: State) -> None:
        places, waiting, (self._place, self._taken, has_input), rest = state
        self._has_input = bool(has_input)
        self._places = [None if place is None else self._again(place) for place in places]
        self._waiting = [self._again(opened) for opened in waiting]
        super().restore(rest)

    def _again(self, state: State) -> _Opened:
        """A dataset that stood somewhere."""
        item, made, ended, inner_state = state
        inner = self._open(tuple(item))
        if inner is None:
            raise ValueError("the function of `parallel_interleave` gives no dataset any more")
        inner.restore(inner_state)
        return self._ahead_of(tuple(item), inner, [tuple(m) for m in made], bool(ended))


def _source(source: Source, *values: Any, f: Any) -> Source:
    *captured, cycle_length, block_length, sloppy, buffer_output, prefetch_input = values
    cycle = whole_number(cycle_length, "cycle_length", 1)
    block = whole_number(block_length, "block_length", 1)
    buffer = whole_number(buffer_output, "buffer_output_elements", 1)
    more = whole_number(prefetch_input, "prefetch_input_elements", 0)
    args = f.bound(captured), cycle, block, bool(sloppy), buffer, more
    return Derived(source, _ParallelInterleaved, *args)


_parallel_interleave = dataset_op(
    "ParallelInterleaveDataset",
    "input_dataset: variant, other_arguments: ..., cycle_length: int64, block_length: int64, "
    "sloppy: bool, buffer_output_elements: int64, prefetch_input_elements: int64",
    _source,
    {"f": REQUIRED},
)


def interleaved_in_parallel(
    dataset: Any,
    function: Callable[..., Any],
    cycle_length: Any,
    block_length: Any,
    sloppy: Any,
    buffer_output_elements: Any,
    prefetch_input_elements: Any,
    kind: Any,
) -> Recipe:
    """Blocks of elements of the datasets that a function makes, in turn, each made by a thread."""
    f = DatasetFunction(function, dataset.element, kind)
    counts = (
        whole(cycle_length, "cycle_length"),
        whole(block_length, "block_length"),
        truth(sloppy, "sloppy")[0],
        optional(buffer_output_elements, 2 * block_length, "buffer_output_elements"),
        optional(prefetch_input_elements, 2 * cycle_length, "prefetch_input_elements"),
    )

    def inputs() -> tuple[Any, ...]:
        return dataset._as_variant_tensor(), f.captured, *counts

    return Recipe(_parallel_interleave, f.element, inputs, f=f)
