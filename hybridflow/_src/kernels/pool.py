"""Threads that share the work of large kernels."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.kernels.crew import ASLEEP, BOX_WORDS, Crew, Shared, must_be_woken, packet
from hybridflow._src.kernels.memory import address_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from queue import SimpleQueue

_SOON = 1e-3  # seconds


def size() -> int:
    """How many threads work together, unless a session says otherwise: `HYBRIDFLOW_NUM_THREADS`,
    else as many as the process has processors."""
    return _size


def run(crew: Crew, shared: Shared) -> None:
    """Runs programs side by side; one after the other if the threads are busy elsewhere.

    Threads that sleep are woken for what is large, and where there was something to share just
    before, so that they are there the next time.

    None of them runs any more when it ends, whatever interrupts it.
    """
    programs = shared.programs
    helpers = _pool.take(len(programs) - 1)
    jobs = list(zip(helpers, programs[1:], strict=False))
    finished = False
    interruption: BaseException | None = None
    try:
        if crew.share is None or crew.linger is None:
            for helper, program in jobs:
                helper.start(crew.enter, program)
            crew.enter(programs[0])
        else:
            words = packet(programs[0], [(helper.address, program) for helper, program in jobs])
            if crew.share(address_of(words)):
                soon = time.monotonic() - _pool.last < _SOON
                for helper, asleep in zip(helpers, must_be_woken(words), strict=True):
                    if asleep and (soon or shared.is_large):
                        helper.start(crew.linger, helper.address)
                crew.share(address_of(words))
            _pool.last = time.monotonic()
        for program in programs[1 + len(helpers) :]:
            crew.enter(program)
        finished = crew.share is not None
    finally:
        # No function of its own: an interrupt may come where one is entered.
        while not finished:
            try:
                for helper in helpers:
                    helper.finish()
                finished = True
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
        self._box = np.zeros(BOX_WORDS, np.int64)
        self.address = address_of(self._box)
        threading.Thread(target=self._serve, name="hybridflow-pool", daemon=True).start()

    def _serve(self) -> None:
        while True:
            function, what = self._orders.get()
            if function is None:
                self._answers.put(what)
            else:
                function(what)

    def start(self, function: Callable[[int], Any], what: int) -> None:
        """Has a function called."""
        self._orders.put((function, what))

    def finish(self) -> None:
        """Waits until it has run all that it has begun."""
        # A wait that was interrupted leaves its answer behind: each has its own.
        token = object()
        self._orders.put((None, token))
        while self._answers.get() is not token:
            pass
        # What it was told and has not begun it must not begin later.
        self._box[0] = ASLEEP


class _Pool:
    """The helpers that have nothing to do."""

    def __init__(self) -> None:
        self._idle: list[_Helper] = []
        self._made = 0
        self._making = threading.Lock()
        # When programs ran side by side last.
        self.last = 0.0

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
