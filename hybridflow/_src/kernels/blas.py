"""Matrix products: the BLAS that NumPy has loaded, called by address."""

from __future__ import annotations

import ctypes
import functools
import os
from typing import Any, NamedTuple

import numpy as np

from hybridflow._src.kernels.kernel import Kernel

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


_PRODUCT = """
def kernel(a):
    alpha = {T}(load_f64(a, 6, 31)) * load_{T}(word(a, 7), 0, 0)
    beta = {T}(load_f64(a, 8, 31))
    threads = i32(0)
    if word(a, 19) != 0:
        threads = i32(function_at(word(a, 19)))
        if threads > 1:
            function_at(word(a, 20), 1)
    for i in range(word(a, 15)):
        gemm{bits}_{T}(
            word(a, 0), word(a, 1), word(a, 2), word(a, 3), word(a, 4), word(a, 5), alpha,
            word(a, 9) + i * word(a, 16), word(a, 10), word(a, 11) + i * word(a, 17), word(a, 12),
            beta, word(a, 13) + i * word(a, 18), word(a, 14))
    if threads > 1:
        function_at(word(a, 20), i64(threads))
    return 0
"""


def product(short: str, bits: int) -> Kernel:
    """The kernel `c = alpha * scale * op(a) op(b) + beta * c`, for a number of matrices.

    Words: the function; CBLAS' numbers for the transpositions; rows, columns, inner size; alpha (a
    float64) and the address of scale; beta (a float64); for a, b and c address and row length;
    the number of matrices, and how far those of a, b and c lie apart in bytes; the functions that
    tell and set BLAS' number of threads, which is one meanwhile (zeros: it stays as it is). Of two
    threads that do this at once each puts back only what it has changed, so it ends as it was.
    """
    return Kernel(_PRODUCT.format(T=short, bits=bits), f"product_{short}")


PLAIN, TRANSPOSED = 111, 112
