"""How a rank that fails ends the job: the first one shows its error, once, and all end."""

from __future__ import annotations

import atexit
import contextlib
import io
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.ranks import launching

if TYPE_CHECKING:
    from types import TracebackType

# Ranks of one machine find out among them who is first; those of others wait so long for an end.
_SECONDS = 1.0
# Who is not the first is ended by that one, in less than this.
_LATEST = 8.0
# A rank that has failed before it met the others waits so long for them to come, in seconds.
_UNMET = 5


class Failing:
    """Shows an error that nobody handles, if no other rank was quicker, and ends the job.

    It takes the place of `sys.excepthook`.

    Args:
      mpi: the module `mpi4py.MPI`. job, local: all ranks, and those on this machine.
    """

    def __init__(self, mpi: Any, job: Any, local: Any) -> None:
        self._mpi = mpi
        self._job = job
        self._is_apart = local.allreduce(job.Get_rank(), mpi.MIN) > 0
        self._window = mpi.Win.Allocate_shared(8 if local.Get_rank() == 0 else 0, 8, comm=local)
        if local.Get_rank() == 0:
            memory, _ = self._window.Shared_query(0)
            np.frombuffer(memory, np.int64)[:] = 0
        local.Barrier()
        self._window.Lock_all()
        self._before = sys.excepthook
        sys.excepthook = self._show

    def forget(self) -> None:
        """Leaves errors to who had them before; all ranks do so."""
        if sys.excepthook == self._show:
            sys.excepthook = self._before
        self._window.Unlock_all()
        self._window.Free()

    def _is_first(self) -> bool:
        one, before = np.ones(1, np.int64), np.zeros(1, np.int64)
        self._window.Fetch_and_op(one, before, 0, 0, self._mpi.SUM)
        self._window.Flush(0)
        return not before[0]

    def _show(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if not self._is_first():
            self.leave(to_others=True)
        if self._is_apart:
            time.sleep(_SECONDS)
        text = io.StringIO()
        with contextlib.redirect_stderr(text):
            self._before(kind, error, trace)
        where = f"rank {self._job.Get_rank()} of {self._job.Get_size()}"
        said = f"hybridflow: {where} has failed, which ends the job\n{text.getvalue()}"
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.write(said)
            sys.stderr.flush()
        self.leave()

    def leave(self, to_others: bool = False) -> None:
        """Ends all ranks; if it is left to others to say why, once they have had the time to."""
        if to_others:
            time.sleep(_LATEST)
        self._job.Abort(1)
        os._exit(1)


def ends_job_at_exit(status: Any = 1) -> None:
    """Has the exit of this process, which has failed, end the job also where it has not met the
    others: they would wait for it in vain.

    Args:
      status: the code of its `SystemExit`.
    """
    atexit.register(_end_unmet, os.getpid(), status if isinstance(status, int) else 1)


def _end_unmet(process: int, status: int) -> None:
    found = launching.launch()
    has_met = "mpi4py.MPI" in sys.modules
    if found is None or found.size == 1 or has_met or os.getpid() != process:
        return
    # MPI begins once all ranks are there. Where they are not, its launcher ends them as it sees
    # this process die, which has begun to wait for them.
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(_UNMET)
    with contextlib.suppress(ImportError, RuntimeError):
        launching.mpi().COMM_WORLD.Abort(status)
