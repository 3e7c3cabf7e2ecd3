"""Datasets of what a function makes of each element, for several elements at once."""

from __future__ import annotations

import os
import time
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any

from hybridflow._src.data.functions import is_end, note_element
from hybridflow._src.data.mapping import MappedFunction
from hybridflow._src.data.ops import dataset_op
from hybridflow._src.data.passes import Derived, Pass, whole_number
from hybridflow._src.data.prefetching import AUTOTUNE
from hybridflow._src.data.recipe import Recipe
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import OpError
from hybridflow._src.framework.locks import Flag, start_thread
from hybridflow._src.framework.op_def import REQUIRED
from hybridflow._src.kernels.jobs import is_deterministic

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.data.functions import Bound
    from hybridflow._src.data.passes import Item, Source, State

# Calls that take less are not worth a thread. The first ones tell how long they take.
_WORTH_A_THREAD = 2e-4
_TRIALS = 8
# So many threads at most, whatever a program asks for.
_MOST_THREADS = 64


class _Call:
    """One call of the function, which whoever comes first makes."""

    __slots__ = ("_ticket", "done", "error", "item", "number", "result")

    def __init__(self, item: Item, number: int) -> None:
        self.item = item
        self.number = number
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = False
        # Who takes it makes the call: that is one step in C.
        self._ticket = [True]

    def make(self, function: Bound) -> bool:
        """Makes the call, unless somebody else does; whether it is done."""
        try:
            self._ticket.pop()
        except IndexError:
            return self.done
        try:
            self.result = function(self.item)
        except BaseException as error:
            self.error = error
        self.done = True
        return True


class _Threads:
    """Threads that make calls; they end when who has them is dropped."""

    def __init__(self, count: int, function: Bound) -> None:
        self.calls: deque[_Call] = deque()
        self._function = function
        self._count = count
        self._closed = False
        self._process = 0

    def start(self) -> bool:
        """Has the threads begin; whether they were not there yet, as in a child of the process."""
        if self._process == os.getpid():
            return False
        self.work, self.done = Flag(), Flag()
        self.calls.clear()
        for _ in range(self._count):
            start_thread(self._run, "hybridflow data")
        self._process = os.getpid()
        return True

    def add(self, call: _Call) -> None:
        self.calls.append(call)
        if not self.work.is_set():
            self.work.set()

    def wait(self, call: _Call) -> None:
        """Waits until a call is done that somebody makes."""
        while not call.done:
            self.done.clear()
            if not call.done:
                self.done.wait()

    def close(self) -> None:
        self._closed = True
        if self._process:
            self.work.set()

    def _run(self) -> None:
        work, done = self.work, self.done
        while not self._closed:
            try:
                call = self.calls.popleft()
            except IndexError:
                work.clear()
                if not self.calls and not self._closed:
                    work.wait()
                continue
            call.make(self._function)
            if not done.is_set():
                done.set()


class ParallelMapped(Pass):
    """What a function gives for each element, in their order: several calls are under way."""

    def __init__(self, source: Derived) -> None:
        self._input = source.source.begin()
        self._function, self._most = source.args
        self._number = 0
        self._ended = False
        self._under_way: deque[_Call] = deque()
        # What trials took; then the threads, if they are worth it.
        self._seconds: list[float] = []
        self._threads: _Threads | None = None

    def next(self) -> Item | None:
        while not self._ended and len(self._under_way) < self._ahead():
            item = self._input.next()
            if item is None:
                self._ended = True
                break
            call = _Call(item, self._number)
            self._number += 1
            self._under_way.append(call)
            if self._threads is not None:
                self._threads.add(call)
        if not self._under_way:
            return None
        call = self._under_way.popleft()
        self._finish(call)
        if call.error is None:
            return tuple(call.result)
        if isinstance(call.error, OpError):
            if is_end(call.error):
                self._ended = True
                self._under_way.clear()
                return None
            note_element(call.error, call.number, "map")
        raise call.error

    def _ahead(self) -> int:
        """How many calls may be under way."""
        if self._threads is None:
            return 1
        if self._threads.start():
            # Threads of a process that forked do not finish what they had begun.
            calls = [c if c.done else _Call(c.item, c.number) for c in self._under_way]
            self._under_way = deque(calls)
        return int(self._most)

    def _finish(self, call: _Call) -> None:
        if self._threads is not None:
            if not call.make(self._function):
                self._threads.wait(call)
            return
        start = time.perf_counter()
        call.make(self._function)
        self._seconds.append(time.perf_counter() - start)
        if len(self._seconds) == _TRIALS:
            if sorted(self._seconds)[_TRIALS // 2] >= _WORTH_A_THREAD and self._most > 1:
                threads = _Threads(min(self._most, _MOST_THREADS), self._function)
                weakref.finalize(self, threads.close).atexit = False
                self._threads = threads
            self._seconds = []

    def state(self) -> State:
        # Calls under way are made again.
        items = [list(call.item) for call in self._under_way]
        return [items, self._number, self._ended, self._input.state()]

    def restore(self, state: State) -> None:
        items, self._number, ended, inner = state
        self._ended = bool(ended)
        first = self._number - len(items)
        self._under_way = deque(_Call(tuple(item), first + i) for i, item in enumerate(items))
        self._input.restore(inner)


def parallel_source(source: Source, function: Bound, calls: Any) -> Source:
    """A source of what a function gives, with so many calls at once."""
    most = int(calls)
    if most == AUTOTUNE:
        most = os.cpu_count() or 1
    return Derived(source, ParallelMapped, function, whole_number(most, "num_parallel_calls", 1))


def _source(source: Source, *values: Any, f: Any) -> Source:
    *captured, calls = values
    # In which order threads draw random numbers is chance.
    in_turn = f.acts and is_deterministic()
    return parallel_source(source, f.bound(captured), 1 if in_turn else calls)


_parallel_map = dataset_op(
    "ParallelMapDataset",
    "input_dataset: variant, other_arguments: ..., num_parallel_calls: int32",
    _source,
    {"f": REQUIRED},
)


def mapped_in_parallel(dataset: Any, function: Callable[..., Any], calls: Any) -> Recipe:
    """What a function gives for each element, several calls at once."""
    f = MappedFunction(function, dataset.element)
    count = convert_to_tensor(calls, dtypes.int32, name="num_parallel_calls")

    def inputs() -> tuple[Any, ...]:
        return dataset._as_variant_tensor(), f.captured, count

    return Recipe(_parallel_map, f.element, inputs, f=f)
