"""Arrays that begin with a line of the processor's caches.

Kernels read and write vectors; one that lies across two lines takes twice the time.
"""

from __future__ import annotations

import math

import numpy as np

LINE = 64
# Arrays of fewer bytes lie as NumPy has them.
_LEAST = 1 << 12


class _Memory(np.ndarray):
    """What an aligned array lies in.

    It is of another class, so that views of the array hold the array: a view of a view holds what
    is below both, if that is of its own class. Then references tell whether anybody has the array.
    """


def aligned_empty(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An array that is not written to yet, aligned if it is not a small one."""
    size = math.prod(shape) * dtype.itemsize
    if size < _LEAST or dtype.hasobject:
        return np.empty(shape, dtype)
    memory = _Memory((size + LINE,), np.uint8)
    return np.ndarray(shape, dtype, memory, -memory.ctypes.data % LINE)
