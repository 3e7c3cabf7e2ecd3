"""Threads that share the work of large kernels."""

from __future__ import annotations

import os
import time
import weakref
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.locks import holding, mending, new_lock, start_thread
from hybridflow._src.kernels.crew import ASLEEP, BOX_WORDS, Crew, Shared, must_be_woken, packet
from hybridflow._src.kernels.memory import address_of

if TYPE_CHECKING:
    from collections.abc import Callable

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
    flight = _Flight(crew, shared)
    mending(flight.run, flight.finish)


class _Flight:
    """One run of programs side by side."""

    def __init__(self, crew: Crew, shared: Shared) -> None:
        self._crew = crew
        self._shared = shared
        self._helpers: list[_Helper] = []

    def run(self) -> None:
        """Runs them to their end."""
        crew, programs = self._crew, self._shared.programs
        helpers = self._helpers = _pool.take(len(programs) - 1, self)
        jobs = list(zip(helpers, programs[1:], strict=False))
        if crew.share is None or crew.linger is None:
            for helper, program in jobs:
                helper.start(crew.enter, program)
            crew.enter(programs[0])
        else:
            words = packet(programs[0], [(helper.address, program) for helper, program in jobs])
            if crew.share(address_of(words)):
                soon = time.monotonic() - _pool.last < _SOON
                for helper, asleep in zip(helpers, must_be_woken(words), strict=True):
                    if asleep and (soon or self._shared.is_large):
                        helper.start(crew.linger, helper.address)
                crew.share(address_of(words))
            _pool.last = time.monotonic()
        for program in programs[1 + len(helpers) :]:
            crew.enter(program)
        if crew.share is None:
            self.finish()
        for helper in helpers:
            helper.user = None

    def finish(self) -> None:
        """Waits until none of them runs, and none is going to."""
        for helper in self._helpers:
            helper.finish()
            helper.user = None


class _Helper:
    """A thread that runs programs, in the hands of one run at a time.

    Attributes:
      user: a weak reference to what has it. None: nobody has, and it has done all that it was told.
    """

    def __init__(self) -> None:
        self.user: weakref.ref[_Flight] | None = None
        self._orders: SimpleQueue[Any] = SimpleQueue()
        self._answers: SimpleQueue[Any] = SimpleQueue()
        self._box = np.zeros(BOX_WORDS, np.int64)
        self.address = address_of(self._box)
        start_thread(self._serve, "hybridflow-pool")

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
    """The helpers of the process."""

    def __init__(self) -> None:
        self._helpers: list[_Helper] = []
        self._lock = new_lock()
        # When programs ran side by side last.
        self.last = 0.0

    def take(self, count: int, user: _Flight) -> list[_Helper]:
        """Up to so many helpers, as far as there are any: `user` has them until it says so, or is
        no more."""
        return holding(self._lock, self._take, count, user)

    def _take(self, count: int, user: _Flight) -> list[_Helper]:
        found: list[_Helper] = []
        for helper in self._helpers:
            if len(found) == count:
                break
            if helper.user is None or helper.user() is None:
                if helper.user is not None:  # its user was interrupted before it could say so
                    helper.finish()
                helper.user = weakref.ref(user)
                found.append(helper)
        while len(found) < count and len(self._helpers) < max(_size - 1, count):
            try:
                helper = _Helper()
            except RuntimeError:  # there can be no more threads
                break
            helper.user = weakref.ref(user)
            self._helpers.append(helper)
            found.append(helper)
        return found


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
