"""What waits for other threads: for an element of a queue, for room in one.

Threads meet at an `Exchange`. Each brings an `Attempt`, which stands in a line until it is served:
by the thread itself, or by another one that has brought what it lacks. So an element goes from hand
to hand under one lock, and who waits holds none.

An interrupt may come wherever the main thread calls something. So elements are moved by single
calls of functions in C, and serving goes on from wherever it was left.
"""

from __future__ import annotations

import math
import os
import sys
import threading
import time
import weakref
from collections import deque
from itertools import repeat, starmap
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.errors import (
    CancelledError,
    DeadlineExceededError,
    FailedPreconditionError,
)
from hybridflow._src.framework.locks import Flag, holding, is_own_thread, mending, new_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

# Seconds from one look to the next, whether anybody is left who could serve one that waits.
_PAUSE = 0.1

_STUCK = (
    "{what} waits, and nobody is left who could end that: no other thread of this process runs, or "
    "all wait likewise. Queues that input functions make are filled by threads: "
    "`hf.train.start_queue_runners(session, coord)` starts them, after variables are initialized. "
    "Where elements are added by hand, add them before they are asked for, or in a thread."
)

_LATE = (
    "Timed out waiting for notification: {what} has not ended in the time that `timeout_in_ms` of "
    "RunOptions or `operation_timeout_in_ms` of ConfigProto gives a run."
)


class Attempt:
    """What one thread wants of an exchange, until it has it.

    Args:
      exchange: where it is served.
      line: in which of its lines it stands.
      serve: called with the attempt while the exchange is locked; it sets `done` if all has been
        served (or `error`, if that cannot be), and tells whether anything was. It is called again
        after an interrupt.
      what: what waits, in errors.

    Attributes:
      done: whether there is nothing to wait for any more.
      result: what came of it. error: why nothing did.
      pending: what it has brought, or got so far. wanted: how much it is to get.
    """

    __slots__ = (
        "_deadline",
        "_gate",
        "_owner",
        "done",
        "error",
        "exchange",
        "line",
        "pending",
        "result",
        "serve",
        "wanted",
        "what",
    )

    def __init__(
        self, exchange: Exchange, line: int, serve: Callable[[Attempt], bool], what: str
    ) -> None:
        self.exchange = exchange
        self.line = line
        self.serve = serve
        self.what = what
        self.done = False
        self.error: Exception | None = None
        self.result: Any = None
        self.pending: Any = None
        self.wanted = 0
        self._gate = Flag()
        self._owner = _current.waits
        self._deadline = _current.deadline

    def fail(self, error: Exception) -> bool:
        """Has it end with an error; for who holds the lock of the exchange."""
        self.error = self.error or error
        self.done = True
        return True

    def open(self) -> None:
        """Wakes who waits for it."""
        self._gate.set()

    def wait(self) -> Any:
        """Waits until it has been served; gives what came of it.

        Raises:
          CancelledError: if the session is closed meanwhile. DeadlineExceededError: if it takes
            longer than the run may. FailedPreconditionError: if nobody is left who could serve it.
            OpError: what else it ended with.
        """
        if not self.done:
            mending(self._stand, self._stop)
            self._forget()
        if self.error is not None:
            raise self.error
        return self.result

    def _stop(self) -> None:
        self.cancel(None)
        self._forget()

    def _forget(self) -> None:
        _waiting.pop(threading.get_ident(), None)
        if self._owner is not None:
            self._owner.attempts.discard(self)

    def _stand(self) -> None:
        _waiting[threading.get_ident()] = self
        if self._owner is not None:
            self._owner.add(self)
        stuck = False
        while not self._gate.wait(min(_PAUSE, self._left())):
            if not self._left():
                self.cancel(DeadlineExceededError(None, None, _LATE.format(what=self.what)))
                continue
            # Who has said how long to wait is not told before.
            looks = self._deadline == math.inf and _is_stuck()
            if stuck and looks:
                self.cancel(FailedPreconditionError(None, None, _STUCK.format(what=self.what)))
            stuck = looks

    def _left(self) -> float:
        """How many seconds it may wait yet."""
        return max(self._deadline - time.monotonic(), 0.0)

    def cancel(self, error: Exception | None) -> None:
        """Takes it out of its line, unless it has been served."""
        if not self.done:
            error = error or CancelledError(None, None, f"{self.what} was cancelled")
            self.exchange.leave(self, error)


class Exchange:
    """Where threads meet; subclasses say how attempts are served.

    Attributes:
      lines: those who wait, each line in the order in which they came.
      in_turn: whether who stands first in a line is served before those further back.
    """

    in_turn = True

    def __init__(self, lines: int = 2) -> None:
        self.lock = new_lock()
        self.lines: tuple[deque[Attempt], ...] = tuple([deque() for _ in range(lines)])
        self._process = os.getpid()

    def begin(self, attempt: Attempt, at_once: bool = False) -> Attempt:
        """Has an attempt stand in its line, or `at_once` in front; whoever can be served is."""

        def begin() -> None:
            holding(self.lock, self._begin, attempt, at_once)

        mending(begin, lambda: attempt.cancel(None))
        return attempt

    def _begin(self, attempt: Attempt, at_once: bool) -> None:
        if self._process != os.getpid():  # threads of the parent wait for nothing here
            for line in self.lines:
                line.clear()
            self._process = os.getpid()
        line = self.lines[attempt.line]
        if at_once:
            line.appendleft(attempt)
        else:
            line.append(attempt)
        self.settle()

    def leave(self, attempt: Attempt, error: Exception) -> None:
        """Has one end with an error, unless it has been served; what it got is given back."""

        def leave() -> None:
            if not attempt.done:
                self.give_back(attempt)
                attempt.fail(error)
            self._serve_all()

        holding(self.lock, mending, leave, leave)

    def wake(self) -> None:
        """Serves all who can be served, after something has changed."""
        holding(self.lock, self.settle)

    def give_back(self, attempt: Attempt) -> None:
        """Takes back what an attempt got that is not served to its end."""

    def settle(self) -> None:
        """Serves all who can be served; for who holds the lock."""
        mending(self._serve_all, self._serve_all)

    def _serve_all(self) -> None:
        changed = True
        while changed:
            changed = False
            for line in self.lines:
                changed = self._serve(line) or changed

    def _serve(self, line: deque[Attempt]) -> bool:
        changed = False
        while line:
            first = line[0]
            if not first.done:
                changed = first.serve(first) or changed
                if not first.done:
                    # Others further back may have been cancelled, or have their turns too.
                    break
            first.open()
            if line and line[0] is first:
                line.popleft()
            changed = True
        if not self.in_turn:
            for attempt in [a for a in line if not a.done]:
                changed = attempt.serve(attempt) or changed
        for attempt in [a for a in line if a.done]:
            attempt.open()
            if attempt in line:
                line.remove(attempt)
        return changed


def moved(take: Callable[..., Any], count: int, *args: Any) -> Iterable[Any]:
    """What so many calls of a function in C give, one after the other, for a function in C."""
    return starmap(take, repeat(args, count))


# -- owners ----------------------------------------------------------------------------------------


class Waits:
    """What waits on behalf of one owner, a session, and ends when that is closed."""

    def __init__(self) -> None:
        self.attempts: set[Attempt] = set()
        self._is_closed = False

    def add(self, attempt: Attempt) -> None:
        """Notes one that begins to wait."""
        self.attempts.add(attempt)
        if self._is_closed:
            attempt.cancel(None)

    def close(self) -> None:
        """Ends all that wait, and all that will."""
        self._is_closed = True
        for attempt in list(self.attempts):
            attempt.cancel(None)


class _Current(threading.local):
    """On whose behalf this thread runs, and until when it may wait."""

    waits: Waits | None = None
    deadline = math.inf


_current = _Current()


def on_behalf_of(waits: Waits, function: Callable[..., Any], *args: Any) -> Any:
    """Calls a function; what waits in it ends when `waits` is closed."""
    before = _current.waits
    try:
        _current.waits = waits
        return function(*args)
    finally:
        try:
            _current.waits = before
        finally:
            pass


def within(seconds: float, function: Callable[..., Any], *args: Any) -> Any:
    """Calls a function; what waits in it longer than so many seconds ends with an error."""
    before = _current.deadline
    try:
        _current.deadline = min(before, time.monotonic() + seconds)
        return function(*args)
    finally:
        try:
            _current.deadline = before
        finally:
            pass


# -- who waits -------------------------------------------------------------------------------------

# The attempts that threads wait for, by the thread.
_waiting: dict[int, Attempt] = {}
# Threads that do nothing until others ask them to.
_helpers: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


def add_helper(thread: threading.Thread) -> None:
    """Notes that a thread does nothing until others ask it to: nobody waits for what it does."""
    _helpers.add(thread)


def _is_stuck() -> bool:
    """Whether all threads wait, so that none will be served."""
    idle = {thread.ident for thread in list(_helpers)}
    # `threading.enumerate` also has threads that it has not seen end.
    for ident in sys._current_frames():
        if ident in idle or is_own_thread(ident):
            continue
        attempt = _waiting.get(ident)
        if attempt is None or attempt.done:
            return False
    return True


# -- ops that wait ---------------------------------------------------------------------------------


class Waiting:
    """The meaning of an op that may wait for other threads. A plan holds no lock meanwhile.

    Args:
      begin: called as a NumPy meaning is; gives an attempt, or something with its methods `wait`
        and `cancel`.
    """

    def __init__(self, begin: Callable[..., Any]) -> None:
        self.begin = begin

    def __call__(self, *inputs: Any, **attrs: Any) -> Any:
        return self.begin(*inputs, **attrs).wait()


class Later:
    """Something that is done when it is waited for, and may wait itself."""

    done = False

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        self._call = function, args

    def wait(self) -> Any:
        """Does it."""
        function, args = self._call
        return function(*args)

    def cancel(self, error: Exception | None) -> None:
        """There is nothing to take back."""


def finish(steps: Sequence[Any]) -> list[Any]:
    """Has several begin, and waits for all; if one fails, the others are cancelled.

    Args:
      steps: with methods `begin`, `wait` and `cancel`.
    """
    results: list[Any] = []

    def run() -> None:
        for step in steps:
            step.begin()
        for step in steps:
            results.append(step.wait())

    def cancel() -> None:
        for step in steps:
            step.cancel(None)

    mending(run, cancel)
    return results
