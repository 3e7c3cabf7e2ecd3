"""Where buffers lie in one block, so that those that are in use at the same time do not overlap."""

from __future__ import annotations

import bisect
import heapq
from typing import TYPE_CHECKING

from hybridflow._src.framework.alignment import LINE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hybridflow._src.plan.values import Buffer

# So many of the largest buffers are placed with regard to all others of them, which takes time that
# grows with the square.
_LARGEST = 256


def aligned(buffer: Buffer) -> int:
    """The bytes that a buffer takes."""
    return -(-max(buffer.size, 1) // LINE) * LINE


def placed(buffers: Iterable[Buffer]) -> tuple[dict[Buffer, int], int]:
    """The offset of each buffer, and the size of the block.

    The large ones decide: the largest first, each as far down as those before it leave room. All
    others lie behind them, where what is no longer in use is used again.
    """
    found = sorted(buffers, key=lambda b: b.first)
    by_size = sorted(found, key=lambda b: -b.size)[:_LARGEST]
    offsets, size = _by_size(by_size)
    rest, more = _by_time([b for b in found if b not in offsets])
    offsets.update({buffer: size + offset for buffer, offset in rest.items()})
    whole, without_regard = _by_time(found)
    return (offsets, size + more) if size + more < without_regard else (whole, without_regard)


def needed(buffers: Iterable[Buffer]) -> int:
    """What no block can do without: the most bytes of buffers that are in use at the same time."""
    changes: dict[int, int] = {}
    for buffer in buffers:
        changes[buffer.first] = changes.get(buffer.first, 0) + aligned(buffer)
        changes[buffer.last + 1] = changes.get(buffer.last + 1, 0) - aligned(buffer)
    most = used = 0
    for step in sorted(changes):
        used += changes[step]
        most = max(most, used)
    return most


def _by_size(buffers: Sequence[Buffer]) -> tuple[dict[Buffer, int], int]:
    """Places buffers in their order, each in the lowest gap that is free as long as it is used."""
    offsets: dict[Buffer, int] = {}
    order: list[tuple[int, int, Buffer]] = []  # by where they lie
    size = 0
    for number, buffer in enumerate(buffers):
        wanted, offset = aligned(buffer), 0
        for start, _, other in order:
            if other.first <= buffer.last and buffer.first <= other.last:
                if start - offset >= wanted:
                    break
                offset = max(offset, start + aligned(other))
        offsets[buffer] = offset
        bisect.insort(order, (offset, number, buffer))
        size = max(size, offset + wanted)
    return offsets, size


class _Gaps:
    """Room between buffers that is free. `end` is where it begins to have no end."""

    def __init__(self) -> None:
        self._by_size: list[tuple[int, int]] = []  # (size, offset)
        self._sizes: dict[int, int] = {}  # by where they begin
        self._starts: dict[int, int] = {}  # by where they end
        self.end = 0

    def take(self, size: int) -> int:
        """The offset of room: in the smallest gap that is large enough, or at the end."""
        found = bisect.bisect_left(self._by_size, (size, -1))
        if found == len(self._by_size):
            self.end += size
            return self.end - size
        gap, offset = self._by_size[found]
        self._remove(offset)
        if gap > size:
            self._add(offset + size, gap - size)
        return offset

    def free(self, offset: int, size: int) -> None:
        """Gives room back; it is one with the gaps beside it."""
        if offset in self._starts:
            before = self._starts[offset]
            size += self._remove(before)
            offset = before
        if offset + size in self._sizes:
            size += self._remove(offset + size)
        self._add(offset, size)

    def _add(self, offset: int, size: int) -> None:
        bisect.insort(self._by_size, (size, offset))
        self._sizes[offset] = size
        self._starts[offset + size] = offset

    def _remove(self, offset: int) -> int:
        size = self._sizes.pop(offset)
        del self._starts[offset + size]
        del self._by_size[bisect.bisect_left(self._by_size, (size, offset))]
        return size


def _by_time(buffers: Sequence[Buffer]) -> tuple[dict[Buffer, int], int]:
    """Places buffers as they come into use."""
    offsets: dict[Buffer, int] = {}
    gaps = _Gaps()
    ending: list[tuple[int, int, int]] = []
    for buffer in buffers:
        while ending and ending[0][0] < buffer.first:
            gaps.free(*heapq.heappop(ending)[1:])
        offset = offsets[buffer] = gaps.take(aligned(buffer))
        heapq.heappush(ending, (buffer.last, offset, aligned(buffer)))
    return offsets, gaps.end
