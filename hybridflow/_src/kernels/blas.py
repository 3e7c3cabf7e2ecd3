"""Matrix products: the BLAS that NumPy has loaded, called by address."""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hybridflow._src.kernels.kernel import Kernel

# How NumPy's builds name the functions, with the bits of their integers.
_NAMES = (("scipy_cblas_{}64_", 64), ("cblas_{}64_", 64), ("scipy_cblas_{}", 32), ("cblas_{}", 32))
_FUNCTIONS = {"f32": "sgemm", "f64": "dgemm"}


class Blas(NamedTuple):
    """Where the products are, by element type, and the bits of their integers."""

    addresses: dict[str, int]
    bits: int


@functools.cache
def find() -> Blas | None:
    """NumPy's BLAS, or None if it is not found; products are then NumPy's own."""
    for library in _libraries():
        for pattern, bits in _NAMES:
            found = {}
            for short, name in _FUNCTIONS.items():
                function = getattr(library, pattern.format(name), None)
                if function is not None:
                    address = ctypes.cast(function, ctypes.c_void_p).value
                    assert address is not None
                    found[short] = address
            if len(found) == len(_FUNCTIONS):
                return Blas(found, bits)
    return None


def _libraries() -> list[Any]:
    """The libraries beside NumPy that may be its BLAS; they are loaded already."""
    package = Path(np.__file__).parent
    folders = [package.parent / "numpy.libs", package / ".dylibs"]
    paths = [p for folder in folders if folder.is_dir() for p in sorted(folder.iterdir())]
    found = []
    for path in paths:
        if "blas" in path.name:
            try:
                found.append(ctypes.CDLL(str(path)))
            except OSError:
                continue
    return found


_PRODUCT = """
def kernel(a):
    alpha = {T}(load_f64(a, 6, 31)) * load_{T}(word(a, 7), 0, 0)
    beta = {T}(load_f64(a, 8, 31))
    for i in range(word(a, 15)):
        gemm{bits}_{T}(
            word(a, 0), word(a, 1), word(a, 2), word(a, 3), word(a, 4), word(a, 5), alpha,
            word(a, 9) + i * word(a, 16), word(a, 10), word(a, 11) + i * word(a, 17), word(a, 12),
            beta, word(a, 13) + i * word(a, 18), word(a, 14))
    return 0
"""


def product(short: str, bits: int) -> Kernel:
    """The kernel `c = alpha * scale * op(a) op(b) + beta * c`, for a number of matrices.

    Words: the function; CBLAS' numbers for the transpositions; rows, columns, inner size; alpha (a
    float64) and the address of scale; beta (a float64); for a, b and c address and row length;
    the number of matrices, and how far those of a, b and c lie apart in bytes.
    """
    return Kernel(_PRODUCT.format(T=short, bits=bits), f"product_{short}")


PLAIN, TRANSPOSED = 111, 112
