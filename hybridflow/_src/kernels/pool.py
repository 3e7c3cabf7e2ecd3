"""Threads that share the work of large kernels."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def size() -> int:
    """How many threads work together."""
    return _size


def run(enter: Callable[[int], int], programs: Sequence[int]) -> None:
    """Runs programs side by side; one after the other if the threads are busy elsewhere."""
    helpers = _pool.take(len(programs) - 1)
    for helper, program in zip(helpers, programs[1:], strict=False):
        helper.start(enter, program)
    enter(programs[0])
    for program in programs[1 + len(helpers) :]:
        enter(program)
    for helper in helpers:
        helper.finish()
    _pool.give_back(helpers)


class _Helper:
    """A thread that runs one program at a time."""

    def __init__(self) -> None:
        self._go, self._done = threading.Lock(), threading.Lock()
        self._go.acquire()
        self._done.acquire()
        threading.Thread(target=self._serve, name="hybridflow-pool", daemon=True).start()

    def _serve(self) -> None:
        while True:
            self._go.acquire()
            self._enter(self._program)
            self._done.release()

    def start(self, enter: Callable[[int], int], program: int) -> None:
        """Has a program run."""
        self._enter, self._program = enter, program
        self._go.release()

    def finish(self) -> None:
        """Waits until it has run."""
        self._done.acquire()


class _Pool:
    """The helpers, each in the hands of one kernel at a time."""

    def __init__(self) -> None:
        self._idle: list[_Helper] = []
        self._made = 0

    def take(self, count: int) -> list[_Helper]:
        """Up to so many helpers, as far as there are any."""
        found: list[_Helper] = []
        while len(found) < count:
            try:
                found.append(self._idle.pop())
            except IndexError:
                if self._made >= _size - 1:
                    break
                self._made += 1
                found.append(_Helper())
        return found

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
