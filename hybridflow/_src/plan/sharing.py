"""Which steps of a native program run side by side, and how threads share them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.plan.groups import GroupCall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

# Less work, in bytes, is not shared among threads; for more, threads are even woken that sleep.
WORTH_SHARING, WORTH_WAKING = 3 << 19, 1 << 23
# What the call of a kernel costs, as bytes that could be moved meanwhile.
CALL_WORK = 256
# A core multiplies and adds some so many numbers while it moves a byte.
FLOPS_PER_BYTE = 8

# Steps with their positions: those that run side by side, or one alone.
Batch = list[tuple[int, Any]]


def batches(
    steps: Sequence[tuple[int, Any]], threads: int, parts: Callable[[Any], int]
) -> list[Batch]:
    """Steps in batches: those that follow each other and touch nothing that another one writes.

    Args:
      parts: tells into how many ranges a step is divided; divided ones stay alone.
    """
    return list(_batches(steps, threads, parts))


def _batches(
    steps: Sequence[tuple[int, Any]], threads: int, parts: Callable[[Any], int]
) -> Iterator[Batch]:
    batch: Batch = []
    read: set[Any] = set()
    written: set[Any] = set()
    for position, step in steps:
        if not isinstance(step, GroupCall) or parts(step) > 1:
            yield from _if_worth_it(batch, threads)
            yield [(position, step)]
            batch, read, written = [], set(), set()
            continue
        reads, writes = _touched(step)
        if writes & (read | written) or reads & written:
            yield from _if_worth_it(batch, threads)
            batch, read, written = [], set(), set()
        batch.append((position, step))
        read |= reads
        written |= writes
    yield from _if_worth_it(batch, threads)


def _if_worth_it(batch: Batch, threads: int) -> Iterator[Batch]:
    """The steps of a batch together if that is worth it, else each alone."""
    work = sum(step.work for _, step in batch)
    if len(batch) > 1 and threads > 1 and work >= WORTH_SHARING:
        yield batch
    else:
        yield from ([item] for item in batch)


def _touched(step: GroupCall) -> tuple[set[Any], set[Any]]:
    """What a step reads or writes, and what it writes: variables and other buffers."""
    stored = {store.operand for store in step.nest.stores}
    stored |= {total.operand for total in step.nest.totals}
    memory = [place.buffer.storage or place.buffer for place in step.places]
    return set(memory), {memory[operand] for operand in stored}


def extend_lives(batches: Sequence[Batch]) -> None:
    """Has no step use memory that one beside it has done with."""
    for batch in batches:
        if len(batch) == 1:
            continue
        first, last = batch[0][0], batch[-1][0]
        for _, step in batch:
            for buffer in [*[place.buffer for place in step.places], *step.scratch]:
                buffer.first = min(buffer.first, first)
                buffer.last = max(buffer.last, last)


def shares(sizes: Sequence[int], threads: int) -> list[list[int]]:
    """The numbers of sizes, in runs of about the same sum: at most as many as there are threads."""
    found: list[list[int]] = [[] for _ in range(threads)]
    total, before = sum(sizes), 0
    for number, size in enumerate(sizes):
        # Each goes to the thread to which its middle belongs.
        found[(2 * before + size) * threads // (2 * total)].append(number)
        before += size
    return [share for share in found if share]
