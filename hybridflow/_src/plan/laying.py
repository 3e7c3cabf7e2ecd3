"""Sums over the ranks of one machine as steps of native code, in memory that they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.kernels import meeting
from hybridflow._src.kernels.crew import yield_processor
from hybridflow._src.kernels.memory import SHORT_NAMES
from hybridflow._src.plan.meeting import Meeting
from hybridflow._src.plan.steps import Unsupported
from hybridflow._src.plan.values import Value, packed
from hybridflow._src.ranks import job as jobs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.plan.collectives import Begin
    from hybridflow._src.plan.lowering import Lowering

ELSEWHERE = "other ranks take part"


class Laid(NamedTuple):
    """A sum that has begun: the number that it has among all, and of which arrays it is."""

    number: Value
    arrays: list[Value]
    place: int


def lay(lowering: Lowering, begin: Begin, arrays: Sequence[Any]) -> Laid:
    """Adds what begins a sum of arrays.

    Raises:
      Unsupported: where ranks do not sum in memory that they share, or that is not known before.
    """
    job = jobs.here()
    shared, roll, place = job.together, begin.roll, begin.place
    if shared is None or roll is None or place is None:
        raise Unsupported(ELSEWHERE)
    if not all(isinstance(array, Value) for array in arrays):
        raise Unsupported("an input that is no array")
    arrays = [lowering.packed(array) for array in arrays]
    dtype = arrays[0].dtype
    size = sum(array.size for array in arrays) * dtype.itemsize
    if dtype not in SHORT_NAMES or not all(a.size for a in arrays) or place + size > shared.arena:
        raise Unsupported(ELSEWHERE)
    before: list[Value] = []
    if roll.lines:
        threads = lowering.threads if lowering.is_update else 0
        lowering.meeting = Meeting(job, roll, threads)
        lowering.meetings.append(len(lowering.steps))
        met = lowering.memory((), np.bool_)
        words = [0, roll.word(threads), shared.line, job.owed_at, roll.transfers]
        words += [yield_processor(), len(shared.lines), *shared.lines]
        lowering.call(meeting.MEET, words, reads=[], writes=[met], fallible=True)
        before = [met]
    number = lowering.memory((), np.int64)
    mine = shared.arenas[job.rank] + place
    words = [shared.line, job.owed_at, mine, number, len(arrays)]
    words += [word for array in arrays for word in (array, array.size)]
    kernel = meeting.laying(SHORT_NAMES[dtype])
    lowering.call(kernel, words, reads=[*arrays, *before], writes=[number])
    return Laid(number, arrays, place)


def summed(lowering: Lowering, laid: Laid) -> list[Value]:
    """Adds what ends a sum; gives the sums."""
    job = jobs.here()
    shared = job.together
    assert shared is not None
    lowering.meetings.append(len(lowering.steps))
    there = lowering.memory((), np.bool_)
    words: list[Any] = [laid.number, yield_processor(), len(shared.lines), *shared.lines]
    lowering.call(meeting.WAIT, words, reads=[laid.number], writes=[there], fallible=True)
    dtype = laid.arrays[0].dtype
    count = sum(array.size for array in laid.arrays)
    whole = lowering.memory((count,), dtype)
    places = [start + laid.place for start in shared.arenas]
    lowering.call(
        meeting.adding(SHORT_NAMES[dtype]),
        [0, count, whole, len(places), *places],
        reads=[there],
        writes=[whole],
        divisible=True,
    )
    found, start = [], 0
    for array in laid.arrays:
        strides = packed(array.shape, dtype.itemsize)
        found.append(Value(whole.buffer, array.shape, strides, start * dtype.itemsize))
        start += array.size
    return found
