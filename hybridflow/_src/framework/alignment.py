"""Arrays that begin with a line of the processor's caches.

Kernels read and write vectors; one that lies across two lines takes twice the time.
"""

from __future__ import annotations

import math

import numpy as np

LINE = 64
# Arrays of fewer bytes lie as NumPy has them.
_LEAST = 1 << 12


def aligned_empty(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An array that is not written to yet, aligned if it is not a small one."""
    size = math.prod(shape) * dtype.itemsize
    if size < _LEAST or dtype.hasobject:
        return np.empty(shape, dtype)
    memory = np.empty(size + LINE, np.uint8)
    start = -memory.ctypes.data % LINE
    return memory[start : start + size].view(dtype).reshape(shape)
