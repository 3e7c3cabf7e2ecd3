"""The BLAS that NumPy has loaded: its addresses, and products on one of its threads."""

from __future__ import annotations

import ctypes
import functools
import os
from typing import Any, NamedTuple

import numpy as np

# How NumPy's builds name the functions, with the bits of their integers.
_NAMES = (("scipy_{}64_", 64), ("{}64_", 64), ("scipy_{}", 32), ("{}", 32))
_FUNCTIONS = {"f32": "cblas_sgemm", "f64": "cblas_dgemm"}
# Products of fewer multiplications run on one thread: a second would cost more than it does where
# the processor's other cores are not idle.
_SMALL = 1 << 24
# Below about so many BLAS itself takes one.
_TINY = 1 << 18


class Blas(NamedTuple):
    """What of it kernels use.

    Attributes:
      addresses: of the products, by element type. bits: of their integers.
      threads: the addresses of the functions that tell and set the number of threads, or zeros.
    """

    addresses: dict[str, int]
    bits: int
    threads: tuple[int, int]

    def threads_for(self, multiplications: int, threads: int) -> tuple[int, int]:
        """What the kernel of a product is given to run on one thread, or zeros if it need not."""
        return self.threads if multiplications < _SMALL or threads == 1 else (0, 0)


@functools.cache
def find() -> Blas | None:
    """NumPy's BLAS, or None if it is not found; products are then NumPy's own."""
    for library in _libraries():
        for pattern, bits in _NAMES:
            found = {
                short: _address(library, pattern.format(name)) for short, name in _FUNCTIONS.items()
            }
            if all(found.values()):
                tell = _address(library, pattern.format("openblas_get_num_threads"))
                put = _address(library, pattern.format("openblas_set_num_threads"))
                return Blas(found, bits, (tell, put) if tell and put else (0, 0))
    return None


def matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """`np.matmul`, on one thread of BLAS where a kernel takes one."""
    small = _TINY <= a.shape[-2] * a.shape[-1] * b.shape[-1] < _SMALL
    functions = _thread_functions() if small and a.dtype.char in "fd" else None
    if functions is None:
        return np.matmul(a, b)
    tell, put = functions
    threads = tell()
    if threads < 2:
        return np.matmul(a, b)
    try:
        put(1)
        return np.matmul(a, b)
    finally:
        put(threads)


@functools.cache
def _thread_functions() -> tuple[Any, Any] | None:
    """The functions that tell and set the number of threads, if there are any."""
    library = find()
    if library is None or not all(library.threads):
        return None
    tell, put = library.threads
    return ctypes.PYFUNCTYPE(ctypes.c_int)(tell), ctypes.PYFUNCTYPE(None, ctypes.c_int)(put)


def _address(library: Any, name: str) -> int:
    """The address of a function, or 0."""
    function = getattr(library, name, None)
    return 0 if function is None else ctypes.cast(function, ctypes.c_void_p).value or 0


def _libraries() -> list[Any]:
    """The libraries beside NumPy that may be its BLAS; they are loaded already."""
    package = os.path.dirname(np.__file__)
    found = []
    for folder in (
        os.path.join(package, os.pardir, "numpy.libs"),
        os.path.join(package, ".dylibs"),
    ):
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            if "blas" in name:
                try:
                    found.append(ctypes.CDLL(os.path.join(folder, name)))
                except OSError:
                    continue
    return found
