"""The job: the ranks that run the same program, and how they agree on what comes next.

Before ranks exchange anything they call the roll: each says what it is going to do, as lines of
text whose digest is compared. So one that does something else, or has ended, is an error that names
it, on all ranks; nobody waits for what does not come. The roll is called once for all that a plan
is known to exchange.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from hybridflow._src.framework.errors import FailedPreconditionError
from hybridflow._src.ranks import failing, launching, whole_lines
from hybridflow._src.ranks.roll import Roll, differences, parts_of
from hybridflow._src.ranks.together import MOST_RANKS, Together

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.ranks.transfers import Transfer

_NOT_INITIALIZED = (
    "Horovod has not been initialized; use hvd.init(). It comes before anything else of "
    "hf.distributed."
)
_DIFFERENT = (
    "Ranks do not do the same: {each}. Every rank has to run the same collectives in the same "
    "order; what only one rank does (saving, printing) must hold none."
)
_THREADS = (
    "Ranks run native code on different numbers of threads, {numbers}, so that their variables "
    "would differ in last bits. Set HYBRIDFLOW_NUM_THREADS to the same number on all of them."
)
_LEFT = (
    "Rank {rank} has left a step in which others wait for it: an error came there before its "
    "{count} last collectives. The job cannot go on."
)
_AT_ONCE = (
    "Rank {rank} runs collectives on two threads at once, the second before the {count} last of "
    "the first. All ranks run them in one order only where one thread does; functions of datasets "
    "that are read ahead (`prefetch`, `num_parallel_calls`) and queue runners must hold none."
)
_OVER = (
    "hf.distributed is of no use any more: an earlier error has put the ranks out of step. It was: "
    "{said}"
)
_FITTING = Roll(["goes on with native code"], 0)
_ENDED = "has ended (hvd.shutdown, or the end of the program)"
# The tag of the message that a rank has left a step.
_TAG = 1
# So often a transfer is looked at before a look at messages.
_LOOKS = 256
# So often one that waits for others looks at once, some milliseconds; then after so long.
_SOON = 4096
_SOON_NATIVELY = 32
_SECONDS = 1e-4


class Job:
    """The ranks, as one of them sees them.

    Attributes:
      mpi: the module `mpi4py.MPI`; None if this is the only rank, without MPI.
      data: the communicator of transfers.
      rank, size: the number of this rank, and how many there are. local_rank, local_size: among
        those on this machine.
      owed_at: where `owed` lies.
      is_mixed: whether this rank has to leave to the interpreter what others do so.
      together: the memory that all ranks share, if they are on one machine and few.
      lying: transfers that have begun in it and not ended.
    """

    def __init__(self, mpi: Any, communicator: Any) -> None:
        self.mpi = mpi
        self.rank, self.size = 0, 1
        self.local_rank, self.local_size = 0, 1
        self._owed = np.zeros(1, np.int64)
        self._looks = 0
        self._thread = 0
        self.is_mixed = False
        self._over = ""  # the error that has put ranks out of step
        self.data: Any = None
        self._calls: Any = None
        self._failing: failing.Failing | None = None
        self.together: Together | None = None
        self.lying: dict[Transfer, None] = {}
        if communicator is None:
            return
        self.data = communicator.Dup()
        self._calls = communicator.Dup()
        self.rank, self.size = self.data.Get_rank(), self.data.Get_size()
        local = self.data.Split_type(mpi.COMM_TYPE_SHARED)
        self.local_rank, self.local_size = local.Get_rank(), local.Get_size()
        if self.size > 1:
            self._failing = failing.Failing(mpi, self.data, local)
            if self.local_size == self.size <= MOST_RANKS:
                self.together = Together(mpi, local, self.until)

    def agree(self, roll: Roll, threads: int = 0) -> bool:
        """Calls the roll: this rank is going to do what `roll` says.

        Args:
          threads: how many run native code for it, in a step that writes to variables; 0 if the
            interpreter does. All ranks do such a step in one way, or variables would differ in last
            bits.

        Returns: whether it may go on. If it runs native code and others do not, it has to call the
          roll again for the interpreter, which the others wait for.

        Raises:
          FailedPreconditionError: on all ranks, if one is going to do something else; or if one has
            left an earlier step.
        """
        if self.size == 1:
            return True
        self.prepare()
        self.owed = max(roll.transfers, 1)  # also where it is interrupted meanwhile
        while not self.settle(roll, self._words(roll.word(threads)), threads):
            if threads:
                return False
        self.owed = roll.transfers
        if self.together is not None:
            self.together.make_room(roll.room)
        return True

    def all_fit(self, fits: bool) -> bool:
        """Whether on all ranks what a collective gave is as native code needs it; all ask, while
        they run native code.

        Raises:
          FailedPreconditionError: if another rank has left the step.
        """
        if self.size == 1:
            return fits
        owed, self.owed = self.owed, max(self.owed, 1)
        said = [parts_of(word) for word in self._words(_FITTING.word(fits))]
        self.owed = owed
        if any(digest != _FITTING.digest for digest, _ in said):
            self.differ(_FITTING)
        return all(number for _, number in said)

    def settle(self, roll: Roll, words: Sequence[int], threads: int) -> bool:
        """Whether ranks that gave these words do the same in one way. If they do so in both ways,
        they call the roll again.

        Raises:
          FailedPreconditionError: on all ranks, if one is going to do something else, or if they
            run native code on different numbers of threads.
        """
        said = [parts_of(word) for word in words]
        if any(digest != roll.digest for digest, _ in said):
            self.differ(roll)
        numbers = {number for _, number in said}
        if len(numbers - {0}) > 1:
            listed = " and ".join(map(str, sorted(numbers - {0})))
            self._give_up(_THREADS.format(numbers=listed))
        is_mixed = len(numbers) > 1
        self.is_mixed = is_mixed and threads > 0
        if self.is_mixed:
            self.owed = 0
        return not is_mixed

    @property
    def owed(self) -> int:
        """How many transfers of those that were agreed on have not begun."""
        return int(self._owed[0])

    @owed.setter
    def owed(self, count: int) -> None:
        self._owed[0] = count

    @property
    def owed_at(self) -> int:
        """Where `owed` lies, for native code."""
        return self._owed.ctypes.data

    def prepare(self) -> None:
        """Sees to it that this rank may call the roll.

        Raises:
          FailedPreconditionError: if it has left an earlier step, or others have.
        """
        if self._over:
            raise FailedPreconditionError(None, None, _OVER.format(said=self._over))
        if self._owed[0]:
            self._desert()
        for transfer in list(self.lying):
            transfer.wait()
        self._looks = 0
        self._thread = threading.get_ident()

    def differ(self, roll: Roll) -> NoReturn:
        """Says what ranks do which have met and do not do the same; all of them do so.

        Raises:
          FailedPreconditionError: always.
        """
        self._over = "ranks do not do the same."  # also where it is interrupted meanwhile
        said = self._calls.allgather(roll.lines)
        self._give_up(_DIFFERENT.format(each=differences(said)))

    def look(self) -> None:
        """Looks at messages, while native code waits for others; where that takes long the
        processor is left to them.

        Raises:
          FailedPreconditionError: if another rank has left the step.
        """
        self._hear()
        self._looks += 1
        if self._looks > _SOON_NATIVELY:
            time.sleep(_SECONDS)

    def _hear(self) -> None:
        if self._calls.Iprobe(tag=_TAG):
            self._give_up(self._calls.recv(tag=_TAG))

    def _words(self, word: int) -> list[int]:
        """The words that ranks give, as far as they differ."""
        if self.together is not None:
            return self.together.meet(word)
        ends = np.array([word, -word], np.int64)
        self.wait(self._calls.Iallreduce(self.mpi.IN_PLACE, ends, self.mpi.MAX), patient=True)
        return [int(ends[0]), -int(ends[1])]

    def _desert(self) -> None:
        """Tells the others that this rank has left a step, or begins one inside of another."""
        why = _LEFT if self._thread == threading.get_ident() else _AT_ONCE
        said = why.format(rank=self.rank, count=self.owed)
        for other in range(self.size):
            if other != self.rank:
                self._calls.isend(said, other, _TAG)
        self._give_up(said)

    def _give_up(self, said: str) -> NoReturn:
        """Says why ranks are out of step; whatever they begin from now on fails for it."""
        self._over = said
        raise FailedPreconditionError(None, None, said)

    def wait(self, request: Any, patient: bool = False) -> None:
        """Waits for a request of MPI's: see `until`."""
        self.until(request.Test, patient)

    def until(self, is_there: Callable[[], bool], patient: bool = False) -> None:
        """Waits for what comes of others; signals of the program are handled meanwhile.

        Args:
          is_there: tells whether it has come.
          patient: leave the processor to others where it takes long. What is large must be looked
            at all the time, to make headway.

        Raises:
          FailedPreconditionError: if another rank has left the step.
        """
        pause = getattr(os, "sched_yield", _nothing)
        looks = 0
        while not is_there():
            looks += 1
            if looks % _LOOKS == 0:
                self._hear()
            if patient and looks > _SOON:
                time.sleep(_SECONDS)
            else:
                pause()

    def end(self) -> None:
        """Ends it, with all ranks.

        Raises:
          FailedPreconditionError: if the others go on.
        """
        if self._failing is not None:
            self.agree(Roll([_ENDED], 0))
            self._failing.forget()
            if self.together is not None:
                self.together.free()

    def at_exit(self) -> None:
        """Ends it as the process does: where others go on, they say so."""
        try:
            self.end()
        except FailedPreconditionError:
            if self._failing is not None:
                self._failing.leave(to_others=True)


def _nothing() -> None:
    pass


# -- the job of this process -----------------------------------------------------------------------

_job: Job | None = None
_ALONE = Job(None, None)


def current() -> Job:
    """The job.

    Raises:
      ValueError: if it has not been initialized.
    """
    if _job is None:
        raise ValueError(_NOT_INITIALIZED)
    return _job


def here() -> Job:
    """The job; one of a single rank where none has been initialized and none could be.

    Raises:
      ValueError: if this process is one of several, and the job has not been initialized.
    """
    if _job is None and launching.launch() is None:
        return _ALONE
    return current()


def has_others() -> bool:
    """Whether there are other ranks in the job of this process."""
    return _job is not None and _job.size > 1


def is_initialized() -> bool:
    """Whether `init` has been called, and no `shutdown` since."""
    return _job is not None


def init(comm: Any = None) -> None:
    """Finds out which rank this process is. Called again it does nothing.

    Args:
      comm: the communicator of mpi4py whose ranks belong to the job, or a list of ranks of all that
        were started; all of them by default.

    Raises:
      ImportError: if the process is one of several and mpi4py is not installed.
      RuntimeError: if mpi4py uses another MPI than the one that started the processes, or Slurm
        started several that know nothing of each other.
      ValueError: if this rank is not among those of `comm`.

    >>> import hybridflow as hf
    >>> hf.distributed.init()
    >>> print(hf.distributed.rank(), "of", hf.distributed.size())
    0 of 1
    """
    global _job
    if _job is not None:
        return
    mpi = launching.mpi()
    _job = Job(mpi, None if mpi is None else _communicator(mpi, comm))
    if _job.size > 1:
        whole_lines.install()
        _end_at_exit(_job)


def _end_at_exit(job: Job) -> None:
    """Ends a job when this process exits, and no process forked off it, unless it has ended."""
    process = os.getpid()
    atexit.register(lambda: job.at_exit() if os.getpid() == process and _job is job else None)


def _communicator(mpi: Any, comm: Any) -> Any:
    if comm is None or (isinstance(comm, list | tuple) and not comm):
        return mpi.COMM_WORLD
    if not isinstance(comm, list | tuple):
        return comm
    made = mpi.COMM_WORLD.Create(mpi.COMM_WORLD.Get_group().Incl(list(comm)))
    if made == mpi.COMM_NULL:
        rank = mpi.COMM_WORLD.Get_rank()
        raise ValueError(f"Rank {rank} is not among those of the job, {list(comm)}.")
    return made


def shutdown() -> None:
    """Ends what `init` began; all ranks have to. The end of the program does so too.

    Raises:
      FailedPreconditionError: if the others go on.

    >>> import hybridflow as hf
    >>> hf.distributed.init()
    >>> hf.distributed.shutdown()
    >>> hf.distributed.is_initialized()
    False
    """
    global _job
    if _job is not None:
        job, _job = _job, None
        job.end()


def rank() -> int:
    """The number of this rank, from 0 on.

    Raises:
      ValueError: before `init`.
    """
    return current().rank


def size() -> int:
    """How many ranks there are.

    Raises:
      ValueError: before `init`.
    """
    return current().size


def local_rank() -> int:
    """The number of this rank among those on its machine.

    Raises:
      ValueError: before `init`.
    """
    return current().local_rank


def local_size() -> int:
    """How many ranks there are on this machine.

    Raises:
      ValueError: before `init`.
    """
    return current().local_size


def mpi_threads_supported() -> bool:
    """Whether several threads may call MPI at once.

    Raises:
      ValueError: before `init`.
    """
    mpi = current().mpi
    return mpi is not None and mpi.Query_thread() == mpi.THREAD_MULTIPLE
