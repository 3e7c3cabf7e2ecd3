"""What ranks exchange: sums, rows put together, values of one rank, rows sent to their owners.

A transfer begins, and goes on while the rank computes, as far as MPI does so by itself. What it is
given may be written to once it has begun. It is a transfer of one rank alone where there is one.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.ranks import job as jobs
from hybridflow._src.ranks.memory import lent
from hybridflow._src.ranks.together import room

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.ranks.job import Job

_SPLITS = (
    "alltoall: `splits` must be a number of rows for each of {count} ranks, {rows} in all, got "
    "{splits}."
)
# Transfers that have begun and not ended: MPI uses their memory, whatever becomes of who waits.
_open: set[Transfer] = set()


class Transfer:
    """What has begun.

    Args:
      job: the ranks. request: MPI's, None if there is nothing to wait for.
      result: called at the end; gives what came of it.

    Attributes:
      natively: whether all ranks ran native code when it began, and ask each other at its end
        whether they go on so.
    """

    def __init__(self, job: Job, request: Any, result: Callable[[], list[np.ndarray]]) -> None:
        self._job = job
        self._request = request
        self._result = result
        self._found: list[np.ndarray] | None = None
        self.natively = False
        if request is not None:
            _open.add(self)

    def wait(self) -> list[np.ndarray]:
        """Waits for its end; gives what came of it.

        Raises:
          FailedPreconditionError: if another rank has left the step.
        """
        if self._found is None:
            if self._request is not None:
                self._job.wait(self._request)
            self._found = self._result()
            _open.discard(self)
            self._job.lying.pop(self, None)
        return self._found


def _begun(job: Job) -> None:
    if job.owed:
        job.owed -= 1


def summed(arrays: Sequence[np.ndarray]) -> Transfer:
    """Sums of arrays over all ranks, which all get; the arrays, of one dtype, go as one."""
    job = jobs.here()
    _begun(job)
    dtype = arrays[0].dtype
    shapes = [(array.size, array.shape) for array in arrays]
    size = sum([array.nbytes for array in arrays])
    if job.together is not None and job.together.fits(size):
        sums = job.together.lay(arrays)
        transfer = Transfer(job, None, lambda: _parts(sums(), shapes))
        job.lying[transfer] = None
        return transfer
    whole = lent(size // dtype.itemsize, dtype)
    np.concatenate([array.reshape(-1) for array in arrays], out=whole)

    def result() -> list[np.ndarray]:
        return _parts(whole, shapes)

    if job.size == 1:
        return Transfer(job, None, result)
    mpi = job.mpi
    if dtype == np.float16:
        target, sum_ = [whole.view(np.uint16), mpi.UINT16_T], _sum_of_halves(mpi)
    else:
        target, sum_ = whole, mpi.SUM
    return Transfer(job, job.data.Iallreduce(mpi.IN_PLACE, target, sum_), result)


def room_of_sums(size: int, shapes: Sequence[Sequence[int]]) -> int:
    """What `summed` needs of the memory that ranks share, for elements of so many bytes."""
    return room(sum(map(math.prod, shapes)) * size)


def _parts(whole: np.ndarray, shapes: Sequence[tuple[int, tuple[int, ...]]]) -> list[np.ndarray]:
    """Arrays that lie behind each other, by their sizes and shapes."""
    found, start = [], 0
    for size, shape in shapes:
        found.append(whole[start : start + size].reshape(shape))
        start += size
    return found


@functools.cache
def _sum_of_halves(mpi: Any) -> Any:
    """MPI's operation for float16, which it has not."""

    def add(source: Any, target: Any, _: Any) -> None:
        total = np.frombuffer(target, np.float16)
        with np.errstate(all="ignore"):
            np.add(total, np.frombuffer(source, np.float16), out=total)

    return mpi.Op.Create(add, commute=True)


def gathered(array: np.ndarray) -> Transfer:
    """The rows of all ranks, in their order, and how many rows each has; all get them."""
    job = jobs.here()
    _begun(job)
    counts = np.zeros(job.size, np.int64)
    counts[job.rank] = array.shape[0]
    mine = array.copy(order="C")
    if job.size == 1:
        return Transfer(job, None, lambda: [mine, counts])
    job.wait(job.data.Iallreduce(job.mpi.IN_PLACE, counts, job.mpi.SUM))
    row = array.shape[1:]
    whole = np.empty((int(counts.sum()), *row), array.dtype)
    each = counts * (math.prod(row) * array.dtype.itemsize)
    request = job.data.Iallgatherv(
        [_bytes(mine), job.mpi.BYTE], [_bytes(whole), each, _starts(each), job.mpi.BYTE]
    )
    return Transfer(job, request, lambda: [whole, counts])


def exchanged(array: np.ndarray, splits: np.ndarray) -> Transfer:
    """Rows sent on: the first `splits[0]` to rank 0, those that follow to the others in order.

    Gives what came from all ranks, in their order, and how many rows from each.
    """
    job = jobs.here()
    if splits.shape != (job.size,) or splits.min() < 0 or splits.sum() != len(array):
        said = _SPLITS.format(splits=splits.tolist(), rows=len(array), count=job.size)
        raise InvalidArgumentError(None, None, said)
    _begun(job)
    mine, sent = array.copy(order="C"), splits.astype(np.int64)
    if job.size == 1:
        return Transfer(job, None, lambda: [mine, sent])
    came = np.empty_like(sent)
    job.wait(job.data.Ialltoall(sent, came))
    row = array.shape[1:]
    whole = np.empty((int(came.sum()), *row), array.dtype)
    width = math.prod(row) * array.dtype.itemsize
    request = job.data.Ialltoallv(
        [_bytes(mine), sent * width, _starts(sent * width), job.mpi.BYTE],
        [_bytes(whole), came * width, _starts(came * width), job.mpi.BYTE],
    )
    return Transfer(job, request, lambda: [whole, came])


def broadcast(array: np.ndarray, root: int) -> Transfer:
    """The value that one rank has, which all get."""
    job = jobs.here()
    _begun(job)
    whole = array.copy(order="C") if job.rank == root else np.empty(array.shape, array.dtype)
    if job.size == 1:
        return Transfer(job, None, lambda: [whole])
    request = job.data.Ibcast([_bytes(whole), job.mpi.BYTE], root)
    return Transfer(job, request, lambda: [whole])


def _bytes(array: np.ndarray) -> np.ndarray:
    """The memory of an array as bytes; a copy, where its elements do not lie in order."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def _starts(counts: np.ndarray) -> np.ndarray:
    """Where each part begins that is so long."""
    return np.concatenate([[0], np.cumsum(counts)[:-1]])
