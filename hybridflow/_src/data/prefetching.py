"""Datasets whose elements are made while the program works on others."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any

from hybridflow._src.data.ahead import Ahead
from hybridflow._src.data.ops import dataset_op
from hybridflow._src.data.passes import Counted, Derived, Pass, SamePass, whole_number
from hybridflow._src.data.recipe import Recipe, whole

if TYPE_CHECKING:
    from hybridflow._src.data.passes import Item, Source, State

# The buffer where a program leaves its size to us.
_AUTOTUNED = 2
AUTOTUNE = -1
# Seconds that it takes to wake each other, and for which that makes no difference.
_WAKING, _SLOW = 5e-5, 2e-3
# So many times as long as an element takes is the program away where little can be saved.
_LITTLE = 8


class Trial:
    """Which of two ways is quicker, found by going each for a while in turn.

    Args:
      tries: how many turns each way is gone; as many are left out, in which one gives way to the
        other. turns: how many are gone the better way before both are tried again.
    """

    def __init__(self, tries: int = 16, turns: int = 1000) -> None:
        self._tries, self._turns = tries, turns
        self._better = True
        self._left = 0
        self._periods: dict[bool, list[float]] = {True: [], False: []}

    def way(self, period: float) -> bool:
        """Which way to go in this turn, where the last one took so long."""
        if self._left:
            self._left -= 1
            return self._better
        first, second = self._periods.values()
        if len(first) < 2 * self._tries:
            first.append(period)
            return len(first) < 2 * self._tries
        second.append(period)
        if len(second) < 2 * self._tries:
            return False
        medians = [sorted(found[self._tries :])[self._tries // 2] for found in (first, second)]
        self._better = medians[0] < medians[1]
        self._left = self._turns
        first.clear()
        second.clear()
        return self._better


class _Prefetched(Pass):
    """Elements that a thread makes ahead.

    All that it can save is what the program does between two elements. Where that is less than it
    takes to wake each other, elements are made as they are wanted. Where it is much more than they
    take, little can be saved, and the program may want all processors: it is tried.
    """

    def __init__(self, source: Derived) -> None:
        self._input = source.source.begin()
        (self._most,) = source.args
        self._ahead = Ahead(self._input.next, self._most)
        # What the program took before each of the last elements.
        self._pauses: deque[float] = deque(maxlen=8)
        self._trial = Trial()
        self._started = time.perf_counter()

    def next(self) -> Item | None:
        before, self._started = self._started, time.perf_counter()
        self._pauses.append(self._started - self._ahead.left)
        item: Item | None = (
            self._ahead.take() if self._is_worth_a_thread(before) else self._ahead.make()
        )
        return item

    def _is_worth_a_thread(self, before: float) -> bool:
        pauses, seconds = self._pauses, self._ahead.seconds
        if seconds > _SLOW or len(pauses) < 8:
            return True
        pause = sorted(pauses)[4]
        if pause > _LITTLE * seconds:
            return self._trial.way(self._started - before)
        return pause > max(_WAKING, seconds / 4)

    def state(self) -> State:
        return self._ahead.paused(
            lambda items: [
                [list(item) for item in items],
                self._ahead.ended,
                self._input.state(),
            ]
        )

    def restore(self, state: State) -> None:
        items, ended, inner = state
        self._input.restore(inner)
        self._ahead = Ahead(self._input.next, self._most)
        self._ahead.put([tuple(item) for item in items], bool(ended))


def _prefetch_source(source: Source, buffer_size: Any) -> Source:
    most = whole_number(buffer_size, "buffer_size", AUTOTUNE)
    if source.rows is not None or not most:
        return Counted(source, SamePass)
    return Derived(source, _Prefetched, _AUTOTUNED if most == AUTOTUNE else most)


_prefetch = dataset_op(
    "PrefetchDataset", "input_dataset: variant, buffer_size: int64", _prefetch_source
)


def prefetched(dataset: Any, buffer_size: Any) -> Recipe:
    """The elements of a dataset, made by a thread of its own."""
    size = whole(AUTOTUNE if buffer_size is None else buffer_size, "buffer_size")
    return Recipe(_prefetch, dataset.element, lambda: (dataset._as_variant_tensor(), size))
