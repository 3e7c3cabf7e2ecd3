"""Work in the background, by one thread: jobs take turns, so none holds up the others for long.

Nothing here makes the program wait. The thread starts with the first job and sleeps between jobs.
This module is light: what jobs need is imported by them, in that thread.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from collections import deque
from typing import TYPE_CHECKING

from hybridflow._src.framework.locks import holding, new_lock, start_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_IDLE_SECONDS = 20.0


def is_switched_off() -> bool:
    """Whether no kernels are compiled: under `NUMBA_DISABLE_JIT`, or if no Python can do it."""
    return bool(not sys.executable or os.environ.get("NUMBA_DISABLE_JIT", "").strip("0"))


def is_deterministic() -> bool:
    """Whether every run has to give the same bits, under `TF_DETERMINISTIC_OPS`: then nothing may
    depend on when a kernel is ready."""
    return os.environ.get("TF_DETERMINISTIC_OPS", "").lower() in ("1", "true")


class _Job:
    """A job: its turns, each of which gives how many seconds the next one has to wait at least."""

    __slots__ = ("due", "failed", "owner", "turns")

    def __init__(
        self, owner: object, turns: Iterator[float], failed: Callable[[str], None]
    ) -> None:
        self.owner = weakref.ref(owner)
        self.turns = turns
        self.failed = failed
        self.due = 0.0


class Jobs:
    """Jobs, in the order in which they take their turns.

    Attributes:
      idle: called by the thread when there has been no job for a while.
    """

    def __init__(self) -> None:
        self.idle: Callable[[], None] | None = None
        self.reset()

    def reset(self) -> None:
        """Forgets all jobs, and the thread, which does not exist in a child of the process."""
        self._jobs: deque[_Job] = deque()
        self._busy = False
        self._lock = new_lock()
        self._changed = threading.Condition(self._lock)
        self._is_served = False

    def submit(self, owner: object, turns: Iterator[float], failed: Callable[[str], None]) -> None:
        """Has a job done.

        Args:
          owner: whose job it is: given up when that is gone. It is there in each turn.
          turns: does a part of the work each time that it is asked for more, and gives the seconds
            that have to pass before the next part.
          failed: told what went wrong, if something did: it is nowhere else to be seen.
        """
        # The lock itself: between a condition and its lock an interrupt could come.
        holding(self._lock, self._add, _Job(owner, turns, failed))

    def _add(self, job: _Job) -> None:
        if not self._is_served:
            try:
                start_thread(self._serve, "hybridflow-compiler")
            except RuntimeError:
                return  # there can be no more threads, or the process is about to end
        self._jobs.append(job)
        self._changed.notify_all()

    def wait(self, seconds: float | None = None) -> bool:
        """Waits until no job is left; tells whether that is so."""
        changed = self._changed
        return holding(self._lock, changed.wait_for, self._is_done, seconds)

    def _is_done(self) -> bool:
        return not self._jobs and not self._busy

    def _serve(self) -> None:
        with self._lock:
            if self._is_served:  # by a thread that was about to begin when this one was started
                return
            self._is_served = True
        while True:
            job = self._next()
            pause = _turn_of(job)
            if pause is not None:
                job.due = time.monotonic() + pause
                with self._lock:
                    self._jobs.append(job)
            del job

    def _next(self) -> _Job:
        """The job whose turn it is, once there is one."""
        changed, told = self._changed, self.idle is None
        with changed:
            self._busy = False
            changed.notify_all()
            while True:
                now = time.monotonic()
                for job in self._jobs:
                    if job.due <= now:
                        self._jobs.remove(job)
                        self._busy = True
                        return job
                if self._jobs:
                    changed.wait(min(job.due for job in self._jobs) - now)
                elif not changed.wait(None if told else _IDLE_SECONDS) and not self._jobs:
                    told = True
                    if self.idle is not None:
                        self.idle()


def _turn_of(job: _Job) -> float | None:
    """Does the next part of a job; gives the seconds until the one after, None if there is none."""
    owner = job.owner()
    if owner is None:
        return None
    try:
        return next(job.turns, None)
    except Exception as error:  # a defect: no reason to stop working for others
        job.failed(_told(error))
        return None


def _told(error: Exception) -> str:
    """What went wrong, and where."""
    place = error.__traceback__
    assert place is not None
    while place.tb_next is not None:
        place = place.tb_next
    where = f"{os.path.basename(place.tb_frame.f_code.co_filename)}, line {place.tb_lineno}"
    return f"the compile job failed: {type(error).__name__}: {error} ({where})"


JOBS = Jobs()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=JOBS.reset)
