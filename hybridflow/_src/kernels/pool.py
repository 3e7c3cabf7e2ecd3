"""Threads that share the work of large kernels."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from queue import SimpleQueue


def size() -> int:
    """How many threads work together, unless a session says otherwise: `HYBRIDFLOW_NUM_THREADS`,
    else as many as the process has processors."""
    return _size


def run(enter: Callable[[int], int], programs: Sequence[int]) -> None:
    """Runs programs side by side; one after the other if the threads are busy elsewhere.

    None of them runs any more when it ends, whatever interrupts it.
    """
    helpers = _pool.take(len(programs) - 1)
    interruption: BaseException | None = None
    try:
        for helper, program in zip(helpers, programs[1:], strict=False):
            helper.start(enter, program)
        enter(programs[0])
        for program in programs[1 + len(helpers) :]:
            enter(program)
    finally:
        # No function of its own: an interrupt may come where one is entered.
        while True:
            try:
                for helper in helpers:
                    helper.finish()
                break
            except BaseException as error:  # an interrupt at the keyboard
                interruption = error
        _pool.give_back(helpers)
        if interruption is not None:
            raise interruption


class _Helper:
    """A thread that runs programs, in the hands of one kernel at a time."""

    def __init__(self) -> None:
        from queue import SimpleQueue

        self._orders: SimpleQueue[Any] = SimpleQueue()
        self._answers: SimpleQueue[Any] = SimpleQueue()
        threading.Thread(target=self._serve, name="hybridflow-pool", daemon=True).start()

    def _serve(self) -> None:
        while True:
            enter, what = self._orders.get()
            if enter is None:
                self._answers.put(what)
            else:
                enter(what)

    def start(self, enter: Callable[[int], int], program: int) -> None:
        """Has a program run."""
        self._orders.put((enter, program))

    def finish(self) -> None:
        """Waits until it has run all that was started."""
        # A wait that was interrupted leaves its answer behind: each has its own.
        token = object()
        self._orders.put((None, token))
        while self._answers.get() is not token:
            pass


class _Pool:
    """The helpers that have nothing to do."""

    def __init__(self) -> None:
        self._idle: list[_Helper] = []
        self._made = 0
        self._making = threading.Lock()

    def take(self, count: int) -> list[_Helper]:
        """Up to so many helpers, as far as there are any."""
        found: list[_Helper] = []
        while len(found) < count:
            try:
                found.append(self._idle.pop())
            except IndexError:
                helper = self._make(max(_size - 1, count))
                if helper is None:
                    break
                found.append(helper)
        return found

    def _make(self, most: int) -> _Helper | None:
        with self._making:
            if self._made >= most:
                return None
            try:
                helper = _Helper()
            except RuntimeError:  # there can be no more threads
                return None
            self._made += 1
            return helper

    def give_back(self, helpers: list[_Helper]) -> None:
        """Lets others have them."""
        self._idle.extend(helpers)


def _default_size() -> int:
    chosen = os.environ.get("HYBRIDFLOW_NUM_THREADS", "")
    if chosen.isdigit() and int(chosen):
        return int(chosen)
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


_size = _default_size()
_pool = _Pool()


def _forget() -> None:
    global _pool
    _pool = _Pool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
