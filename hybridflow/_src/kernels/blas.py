"""The BLAS that NumPy has loaded: its addresses, and products on one of its threads."""

from __future__ import annotations

import ctypes
import functools
import os
from typing import Any, NamedTuple

import numpy as np

from hybridflow._src.kernels import pool, products
from hybridflow._src.kernels.crew import Crew, Shared

# How NumPy's builds name the functions, with the bits of their integers.
_NAMES = (("scipy_{}64_", 64), ("{}64_", 64), ("scipy_{}", 32), ("{}", 32))
_FUNCTIONS = {"f32": "cblas_sgemm", "f64": "cblas_dgemm"}
# Products of fewer multiplications are worth no second thread; for fewer still BLAS takes one too.
_SMALL, _TINY = 1 << 24, 1 << 18
# OpenBLAS' names of processors for which its kernels use AVX-512.
_WIDE = frozenset(("SkylakeX", "Cooperlake", "SapphireRapids"))


class Blas(NamedTuple):
    """What of it kernels use.

    Attributes:
      addresses: of the products, by element type. bits: of their integers.
      threads: the addresses of the functions that tell and set the number of threads, or zeros.
      core: the kind of processor that its kernels are for; "" if it does not tell.
    """

    addresses: dict[str, int]
    bits: int
    threads: tuple[int, int]
    core: str = ""

    @property
    def bits_of_vectors(self) -> int:
        """How wide the vectors of its kernels are, at most."""
        if self.core in _WIDE or not self.core:
            return 512
        return 256


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
                threads = (tell, put) if tell and put else (0, 0)
                core = _address(library, pattern.format("openblas_get_corename"))
                name = ctypes.CFUNCTYPE(ctypes.c_char_p)(core)() if core else b""
                return Blas(found, bits, threads, (name or b"").decode())
    return None


def matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """`np.matmul`, on our own threads where it is large, as kernels do it: see `products`."""
    size = a.shape[-2] * a.shape[-1] * b.shape[-1]
    functions = _thread_functions() if size >= _TINY and a.dtype.char in "fd" else None
    if functions is None:
        return np.matmul(a, b)
    tell, put = functions
    threads = tell()
    try:
        if threads > 1:
            put(1)
        return np.matmul(a, b) if size < _SMALL else _shared(a, b)
    finally:
        if threads > 1:
            put(threads)


# By element types of NumPy: triangular systems, and what the factor of their right sides is.
_SOLVERS = {"f": "cblas_strsm", "d": "cblas_dtrsm", "F": "cblas_ctrsm", "D": "cblas_ztrsm"}
# CBLAS' numbers.
_ROW_MAJOR, _LEFT, _NON_UNIT = 101, 141, 131
_UPPER, _LOWER = 121, 122
_AS_IT_IS, _ADJOINT = 111, 113


def solve_triangles(triangles: np.ndarray, x: np.ndarray, lower: bool, adjoint: bool) -> bool:
    """Solves systems with triangular matrices `[..., n, n]` in place, on one thread.

    Args:
      triangles: of the dtype of `x`; only the one triangle is read.
      x: contiguous array `[..., n, k]` of the right sides, in place of which the solutions come.
      lower: whether the lower triangle is read.
      adjoint: whether the matrices are transposed and conjugated.

    Returns: whether there is such a function; if not, nothing was done.
    """
    solver = _solver(x.dtype.char)
    if solver is None:
        return False
    if not x.size:
        return True
    n, k = x.shape[-2:]
    one = np.ones((), x.dtype)
    factor = one.ctypes.data if x.dtype.kind == "c" else 1.0
    kinds = _ROW_MAJOR, _LEFT, _LOWER if lower else _UPPER, _ADJOINT if adjoint else _AS_IT_IS
    left, right = np.ascontiguousarray(triangles), x.reshape(-1, n, k)
    functions = _thread_functions()
    threads = functions[0]() if functions else 1
    try:
        if threads > 1 and functions:
            functions[1](1)
        for a, b in zip(left.reshape(-1, n, n), right, strict=True):
            solver(*kinds, _NON_UNIT, n, k, factor, a.ctypes.data, n, b.ctypes.data, k)
    finally:
        if threads > 1 and functions:
            functions[1](threads)
    return True


@functools.cache
def _solver(char: str) -> Any:
    """The function that solves triangular systems of a dtype, or None."""
    for library in _libraries():
        for pattern, bits in _NAMES:
            function = _address(library, pattern.format(_SOLVERS[char]))
            if function:
                size = ctypes.c_int64 if bits == 64 else ctypes.c_int32
                factor = {"f": ctypes.c_float, "d": ctypes.c_double}.get(char, ctypes.c_void_p)
                place = (ctypes.c_void_p, size)
                kinds = [ctypes.c_int] * 5
                return ctypes.CFUNCTYPE(None, *kinds, size, size, factor, *place, *place)(function)
    return None


def _shared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """A product whose parts our threads compute."""
    result = np.empty(
        (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1]),
        np.result_type(a, b),
    )
    high, wide = result.shape[-2:]
    down, across = products.division(high, wide, pool.size())
    rows, columns = (
        [slice(size * k // n, size * (k + 1) // n) for k in range(n)]
        for size, n in ((high, down), (wide, across))
    )

    def compute(part: int) -> None:
        at, along = rows[part // across], columns[part % across]
        with np.errstate(all="ignore"):
            np.matmul(a[..., at, :], b[..., along], out=result[..., at, along])

    pool.run(Crew(compute), Shared(list(range(down * across)), True))
    return result


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
