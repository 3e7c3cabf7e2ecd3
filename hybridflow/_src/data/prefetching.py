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


class _Prefetched(Pass):
    """Elements that a thread makes ahead.

    All that it can save is what the program does between two elements. Where that is less than it
    takes to wake each other, elements are made as they are wanted.
    """

    def __init__(self, source: Derived) -> None:
        self._input = source.source.begin()
        (self._most,) = source.args
        self._ahead = Ahead(self._input.next, self._most)
        # What the program took before each of the last elements.
        self._pauses: deque[float] = deque(maxlen=8)

    def next(self) -> Item | None:
        self._pauses.append(time.perf_counter() - self._ahead.left)
        item: Item | None = self._ahead.take() if self._is_worth_a_thread() else self._ahead.make()
        return item

    def _is_worth_a_thread(self) -> bool:
        pauses, seconds = self._pauses, self._ahead.seconds
        if seconds > _SLOW or len(pauses) < 8:
            return True
        return sorted(pauses)[4] > max(_WAKING, seconds / 4)

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
