"""Elements made ahead by a thread of its own, a bounded number of them.

The thread holds a lock while it makes one, for which a fork waits: in the child, which has no such
thread, all that was made is there, and another thread goes on from it.
"""

from __future__ import annotations

import math
import os
import time
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.locks import Flag, holding, new_lock, start_thread

if TYPE_CHECKING:
    from collections.abc import Callable


class Ahead:
    """Calls a function again and again until it gives None, some calls ahead of who takes results.

    The thread ends when this object is dropped.

    Args:
      function: gives a result, or None at the end; what it raises is raised in its turn.
      most: how many results may wait.
      ready: a flag that is raised for each result, if others wait for that too.

    Attributes:
      left: when the last result was taken.
    """

    def __init__(self, function: Callable[[], Any], most: int, ready: Flag | None = None) -> None:
        self.left = -math.inf
        self._work = _Work(function, most, ready)
        weakref.finalize(self, self._work.close).atexit = False

    def start(self) -> None:
        """Has the thread begin, if it has not yet."""
        self._work.start()

    def take(self) -> Any:
        """The next result, which may take its time; None at the end."""
        work = self._work
        work.start()
        while not work.results:
            # The last result may have come between these two looks.
            if work.ended and not work.results:
                return None
            work.go_on()
            work.wait()
        return self._taken(work.go_on)

    def make(self) -> Any:
        """The next result, made by the caller unless one waits; None at the end.

        The thread rests when it has filled its room, until somebody calls `take`.
        """
        work = self._work
        if not work.results:
            holding(work.making, work.make_one)
        return self._taken(lambda: None) if work.results else None

    def has_one(self) -> bool:
        """Whether `take` would not have to wait."""
        return bool(self._work.results) or self._work.ended

    def _taken(self, then: Callable[[], None]) -> Any:
        """The first result, which an interrupt leaves to the next call."""
        results = self._work.results
        first = results[0]
        # Not by a call, behind which an interrupt could come.
        del results[0]
        try:
            then()
            self.left = time.perf_counter()
        except BaseException:
            try:
                results.appendleft(first)
            finally:
                raise
        result, error = first
        if error is not None:
            raise error
        return result

    def paused(self, function: Callable[[list[Any]], Any]) -> Any:
        """Calls a function with the results that wait, while no other is being made."""
        work = self._work
        return holding(
            work.making, lambda: function([r for r, error in work.results if error is None])
        )

    def put(self, results: list[Any], ended: bool) -> None:
        """Has these results wait, before the thread begins."""
        self._work.results.extend((result, None) for result in results)
        self._work.ended = ended

    @property
    def ended(self) -> bool:
        """Whether the function has given all its results."""
        return self._work.ended

    @property
    def seconds(self) -> float:
        """How long the function takes, when nothing holds it up."""
        return self._work.seconds


class _Work:
    """What the thread shares with who takes results; it does not keep that one alive."""

    def __init__(self, function: Callable[[], Any], most: int, ready: Flag | None) -> None:
        self.results: deque[tuple[Any, BaseException | None]] = deque()
        self.ended = False
        self.seconds = math.inf
        self.making = new_lock()
        self._function = function
        self._most = most
        self._given = ready
        self._closed = False
        self._process = 0
        self._starting = new_lock()
        self._renew()

    def _renew(self) -> None:
        """Makes flags: threads that a fork leaves out may hold those that it copied."""
        self.room = Flag()
        self.ready = Flag() if self._given is None else self._given

    def start(self) -> None:
        if self._process != os.getpid():
            holding(self._starting, self._start)

    def _start(self) -> None:
        if self._process == os.getpid() or self.ended:
            return
        self._renew()
        start_thread(self._run, "hybridflow data")
        self._process = os.getpid()

    def go_on(self) -> None:
        """Has the thread fill the room that there is."""
        if not self.room.is_set():
            self.room.set()

    def wait(self) -> None:
        """Waits until there may be a result."""
        self.ready.clear()
        if not self.results and not self.ended:
            self.ready.wait()

    def close(self) -> None:
        self._closed = True
        if self._process:
            self.room.set()

    def _run(self) -> None:
        room, ready = self.room, self.ready
        while not self._closed and not self.ended:
            if len(self.results) >= self._most:
                room.clear()
                if len(self.results) >= self._most and not self._closed:
                    room.wait()
                continue
            holding(self.making, self._make)
            if not ready.is_set():
                ready.set()

    def make_one(self) -> None:
        """Makes a result, unless one waits or there are no more."""
        if not self.results and not self.ended:
            self._make()

    def _make(self) -> None:
        if self._closed:
            return
        start = time.perf_counter()
        try:
            result = self._function()
        except BaseException as error:
            self.results.append((None, error))
            return
        took = time.perf_counter() - start
        # What the machine does meanwhile counts little.
        self.seconds = min(took, 0.9 * self.seconds + 0.1 * took)
        if result is None:
            self.ended = True
        else:
            self.results.append((result, None))
