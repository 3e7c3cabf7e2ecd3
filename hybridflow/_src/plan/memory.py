"""Where the buffers of a native plan lie: one block of memory, used again when values are done."""

from __future__ import annotations

import bisect
import heapq
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.plan.values import Buffer

# What a vector register and a cache line ask for.
_ALIGNMENT = 64


class Block:
    """A block of memory with the offset of each buffer in it.

    Attributes:
      size: in bytes: the most that is in use at any time, with gaps. total: what it would take if
        nothing were used again.
    """

    def __init__(self, buffers: Iterable[Buffer]) -> None:
        self._offsets: dict[Buffer, int] = {}
        self.size = self.total = 0
        self._free: list[tuple[int, int]] = []  # gaps as (size, offset), by size
        ending: list[tuple[int, int, int]] = []
        for buffer in sorted(buffers, key=lambda b: b.first):
            while ending and ending[0][0] < buffer.first:
                _, offset, size = heapq.heappop(ending)
                bisect.insort(self._free, (size, offset))
            size = -(-max(buffer.size, 1) // _ALIGNMENT) * _ALIGNMENT
            self.total += size
            offset = self._place(size)
            self._offsets[buffer] = offset
            heapq.heappush(ending, (buffer.last, offset, size))
        self._memory = np.empty(self.size + _ALIGNMENT, np.uint8)
        self._start = -self._memory.ctypes.data % _ALIGNMENT

    def _place(self, size: int) -> int:
        """The offset of a gap, the smallest that is large enough, or of new memory at the end."""
        found = bisect.bisect_left(self._free, (size, -1))
        if found < len(self._free):
            gap, offset = self._free.pop(found)
            if gap > size:
                bisect.insort(self._free, (gap - size, offset + size))
            return offset
        offset = self.size
        self.size += size
        return offset

    def array(self, buffer: Buffer) -> np.ndarray:
        """The memory of a buffer as an array."""
        start = self._start + self._offsets[buffer]
        flat = self._memory[start : start + buffer.size]
        return flat.view(buffer.dtype).reshape(buffer.shape)

    def address(self, buffer: Buffer) -> int:
        """The address of a buffer."""
        return self._memory.ctypes.data + self._start + self._offsets[buffer]
