"""What a native program that meets other ranks asks of the job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridflow._src.kernels import meeting
from hybridflow._src.plan.values import Changed
from hybridflow._src.ranks import job as jobs

if TYPE_CHECKING:
    from hybridflow._src.ranks.job import Job
    from hybridflow._src.ranks.roll import Roll


_MIXED = "other ranks run it by the interpreter"


class Meeting:
    """What a program that meets other ranks asks of the job.

    Args:
      job: that it was made for. roll: what its ranks agree on. threads: see `Job.agree`.
    """

    def __init__(self, job: Job, roll: Roll, threads: int) -> None:
        self._job = job
        self._roll = roll
        self._threads = threads

    def prepare(self) -> None:
        """Sees to it that this rank may meet the others.

        Raises:
          Changed: if these are other ranks. FailedPreconditionError: if they cannot go on together.
        """
        if jobs.here() is not self._job:
            raise Changed("there are other ranks")
        if self._job.is_mixed:
            raise Changed(_MIXED)
        self._job.prepare()

    def go_on(self, status: int) -> bool:
        """Whether it was for other ranks that a kernel has stopped; looks at what they say then.

        Raises:
          Changed: if they leave it to the interpreter. FailedPreconditionError: if they do
            something else, or one has left.
        """
        if status == meeting.DIFFERENT:
            shared = self._job.together
            assert shared is not None
            if not self._job.settle(self._roll, shared.words(), self._threads):
                raise Changed(_MIXED)
        if status == meeting.AWAITED:
            self._job.look()
        return status == meeting.AWAITED
