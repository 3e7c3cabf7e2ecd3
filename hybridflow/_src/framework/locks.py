"""Locks that are free in a process that is forked off.

A thread that holds a lock while another forks does not exist in the child: nobody would give the
lock back there, and what it guards would be half done for ever. So a fork waits for these locks.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

# A fork waits so long at most: who holds a lock may wait for the thread that forks.
_SECONDS = 2.0

_locks: weakref.WeakSet[Any] = weakref.WeakSet()
# Held while a lock is added, and by the thread that forks.
_changing = threading.RLock()
_held: list[Any] = []
_missed: list[Any] = []


def new_lock() -> Any:
    """A lock that its thread can take again, and that is free in a child of the process."""
    lock = threading.RLock()
    with _changing:
        _locks.add(lock)
    return lock


def _take(locks: Sequence[Any], until: float) -> None:
    """Takes all locks, and while it waits for one holds no other: so it is in nobody's way."""
    locks = list(locks)
    while True:
        rest = until - time.monotonic()
        for position, lock in enumerate(locks):
            if lock.acquire(timeout=max(rest, 0.0) if not position else 0.0):
                _held.append(lock)
            elif rest <= 0:
                _missed.append(lock)
            else:
                _give_back()
                locks.insert(0, locks.pop(position))
                break
        else:
            return


def _give_back() -> None:
    while _held:
        _held.pop().release()


def _before_fork() -> None:
    _changing.acquire()
    _take(list(_locks), time.monotonic() + _SECONDS)


def _after_fork() -> None:
    _give_back()
    _missed.clear()
    _changing.release()


def _after_fork_in_child() -> None:
    for lock in _missed:
        lock._at_fork_reinit()
    _after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child
    )
