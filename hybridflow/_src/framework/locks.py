"""Critical sections: every lock is made here, and every section entered and left here.

An interrupt at the keyboard, or another signal whose handler raises, may come wherever the main
thread calls something, enters a function of Python's or goes back in a loop; never between other
instructions, nor inside functions in C that do not wait. So a lock is taken as the first call of a
`try` block, and given back as the first one of its `finally`: `holding` is where that is written.
(`with lock:` loses its exit on Python 3.14 for a signal that is pending when the lock is taken.)
Python 3.10 also looks for signals where a handler begins, unless a `try` stands there: so a
`finally` that must not be lost begins with one.

A thread that holds a lock while another forks does not exist in the child: nobody would give the
lock back there, and what it guards would be half done for ever. So a fork waits for these locks.
"""

from __future__ import annotations

import _thread
import os
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    R = TypeVar("R")

# A fork waits so long at most: who holds a lock may wait for the thread that forks.
_SECONDS = 2.0

# Weak references, which leave the set in C: no interrupt comes between.
_locks: set[weakref.ref[Any]] = set()


def new_lock() -> Any:
    """A lock that its thread can take again, and that is free in a child of the process."""
    lock = threading.RLock()
    _locks.add(weakref.ref(lock, _locks.discard))
    return lock


def holding(lock: Any, function: Callable[..., R], *args: Any) -> R:
    """Calls a function while this thread holds a lock, which is given back whatever interrupts."""
    try:
        lock.acquire()
        return function(*args)
    finally:
        try:  # noqa: SIM105 - a context manager of Python's could be interrupted
            lock.release()
        except RuntimeError:  # interrupted while it waited: only who has no hold of it waits
            pass


def mending(function: Callable[..., R], mend: Callable[[], Any]) -> R:
    """Calls a function; if it fails, `mend` is called before that shows, and runs to its end.

    Interrupts of `mend` itself are dropped, and it is called anew: it must go on from what has been
    done. One may also come where a loop goes back, outside its `try`, and on Python 3.10 where a
    handler begins: so there are loops around the loop, and it would take as many interrupts in as
    many instructions to get out of all of them. An error that comes again and again shows in the
    end.

    The loops have no conditions: CPython leaves a jump back with a condition out of the table that
    says which handler an instruction has.
    """
    left = _MOST_INTERRUPTS
    try:
        result = function()
        left = 0
        return result
    finally:
        try:
            while True:
                try:
                    while True:
                        try:
                            while True:
                                try:
                                    while True:
                                        try:
                                            if left:
                                                mend()
                                            left = 0
                                            break
                                        except BaseException:
                                            left -= 1
                                            if not left:
                                                raise
                                    break
                                except BaseException:
                                    if not left:
                                        raise
                            break
                        except BaseException:
                            if not left:
                                raise
                    break
                except BaseException:
                    if not left:
                        raise
        finally:
            pass


# More interrupts than anyone sends while something is mended.
_MOST_INTERRUPTS = 1000


def start_thread(function: Callable[[], Any], name: str) -> None:
    """Starts a thread that does not keep the process alive.

    That is one call in C, since interrupts of `Thread.start` leave locks of Python's held.

    Raises:
      RuntimeError: if there can be no more threads.
    """

    def run() -> None:
        threading.current_thread().name = name
        _own_threads.add(threading.get_ident())
        try:
            function()
        finally:
            _own_threads.discard(threading.get_ident())

    _thread.start_new_thread(run, ())


_own_threads: set[int] = set()


def is_own_thread(ident: int | None) -> bool:
    """Tells whether a thread is one that `start_thread` has started."""
    return ident in _own_threads


class Flag:
    """Raised by any thread, and waited for by any: a `threading.Event` that no interrupt tears."""

    def __init__(self) -> None:
        self._raised = False
        self._changing = new_lock()
        # Free while the flag is raised: who waits takes it and gives it back.
        self._gate = threading.Lock()
        self._gate.acquire()

    def is_set(self) -> bool:
        """Whether it is raised."""
        return self._raised

    def set(self) -> None:
        """Raises it, and wakes all who wait."""
        holding(self._changing, self._set)

    def _set(self) -> None:
        self._raised = True
        try:  # noqa: SIM105
            self._gate.release()
        except RuntimeError:  # it is open
            pass

    def clear(self) -> None:
        """Lowers it."""
        holding(self._changing, self._clear)

    def _clear(self) -> None:
        self._raised = False
        self._gate.acquire(False)

    def wait(self, seconds: float | None = None) -> bool:
        """Waits until it is raised, so long at most; tells whether it is."""
        if not self._raised:
            longest = -1 if seconds is None else min(max(seconds, 0), threading.TIMEOUT_MAX)
            try:
                self._gate.acquire(timeout=longest)
            finally:
                # Not by a call, which might be interrupted as it begins.
                if self._raised:
                    try:  # type: ignore[unreachable]  # noqa: SIM105
                        self._gate.release()
                    except RuntimeError:  # it took too long, and is open by now
                        pass
        return self._raised


# -- forks -----------------------------------------------------------------------------------------


class _Fork(threading.local):
    """What the fork of this thread has taken: noted before it is taken, as `holding` does."""

    def __init__(self) -> None:
        self.taken: dict[Any, None] = {}


_fork = _Fork()


def _take(until: float) -> None:
    """Takes all locks, and while it waits for one holds no other: so it is in nobody's way."""
    taken = _fork.taken
    locks = [lock for reference in _locks.copy() if (lock := reference()) is not None]
    while True:
        rest = until - time.monotonic()
        for position, lock in enumerate(locks):
            seconds = max(rest, 0.0) if not position else 0.0
            taken[lock] = None
            if lock.acquire(timeout=seconds):
                continue
            del taken[lock]
            if rest > 0:
                _give_back()
                locks.insert(0, locks.pop(position))
                break
        else:
            return


def _give_back() -> None:
    taken = _fork.taken
    while taken:
        lock = next(reversed(taken))
        del taken[lock]
        try:  # noqa: SIM105
            lock.release()
        except RuntimeError:  # interrupted while it waited
            pass


def _before_fork() -> None:
    _take(time.monotonic() + _SECONDS)


def _free_in_child() -> None:
    for reference in _locks.copy():
        lock = reference()
        if lock is not None and lock not in _fork.taken:
            lock._at_fork_reinit()


def call_in_child(function: Callable[[], Any]) -> None:
    """Has a function called in each child of the process; a second call of it must do no harm."""
    if hasattr(os, "register_at_fork"):
        # Python drops an interrupt of a function that it calls here, and goes on with the next one.
        for _ in range(3):
            os.register_at_fork(after_in_child=function)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork)
    call_in_child(_free_in_child)
    for _ in range(3):
        os.register_at_fork(after_in_parent=_give_back, after_in_child=_give_back)
