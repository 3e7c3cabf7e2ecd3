"""Memory of transfers, lent out and taken back once nobody uses it."""

from __future__ import annotations

from typing import Any

import numpy as np

# What was given back, by size.
_free: dict[int, list[np.ndarray]] = {}
# So much of each size is kept.
_MOST = 4
# Less bytes are quicker had anew.
_LEAST = 1 << 16


class _Lease:
    """Memory, for as long as an array lies in it."""

    def __init__(self, memory: np.ndarray) -> None:
        self._memory = memory
        self.__array_interface__ = memory.__array_interface__

    def __del__(self) -> None:
        free = _free.setdefault(self._memory.size, [])
        if len(free) < _MOST:
            free.append(self._memory)


def lent(count: int, dtype: np.dtype) -> Any:
    """An array of so many elements, whose memory may have been used before.

    New memory costs as much as moving it does. So what is of the same size in each step takes turns
    in the same memory.
    """
    size = count * dtype.itemsize
    if size < _LEAST:
        return np.empty(count, dtype)
    free = _free.get(size)
    try:
        memory = free.pop() if free else np.empty(size, np.uint8)
    except IndexError:  # another thread was quicker
        memory = np.empty(size, np.uint8)
    return np.asarray(_Lease(memory)).view(dtype)
