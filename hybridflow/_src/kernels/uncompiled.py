"""Kernels as the Python functions that they are: slow, for debugging and testing."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.kernels import division, extremes, memory, scalar, vectors
from hybridflow._src.kernels.vector_math import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.kernels.kernel import Kernel

_SHORT = {"float32": "f32", "float64": "f64"}
_REAL = {"f32": ctypes.c_float, "f64": ctypes.c_double}


def _gemm(short: str, bits: int) -> Callable[..., None]:
    size = ctypes.c_int64 if bits == 64 else ctypes.c_int32
    enum, real, pointer = ctypes.c_int, _REAL[short], ctypes.c_void_p
    # Up to which matrix is transposed, the three sizes, alpha; a, b, beta and c with row lengths.
    kinds = [enum] * 3 + [size] * 3 + [real, *[pointer, size] * 2, real, pointer, size]
    prototype = ctypes.CFUNCTYPE(None, *kinds)

    def gemm(function: int, *args: Any) -> None:
        """BLAS's product of matrices stored by rows, at an address."""
        row_major = 101
        plain = [a.item() if isinstance(a, np.generic) else a for a in args]
        prototype(function)(row_major, *plain)

    return gemm


NAMESPACE: dict[str, Any] = {
    **memory.NAMESPACE,
    **vectors.NAMESPACE,
    **{name: getattr(scalar, name) for name in memory.SCALARS},
    **{f"{name}_{_SHORT[dtype]}": function for (name, dtype), function in FUNCTIONS.items()},
    **{f"gemm{bits}_{short}": _gemm(short, bits) for bits in (32, 64) for short in _REAL},
    "maximum": extremes.maximum,
    "minimum": extremes.minimum,
    "not_": np.logical_not,
    "remainder": division.remainder,
    "floor_divide": division.floor_divide,
}


def function_of(kernel: Kernel) -> Callable[[int], int]:
    """A kernel as a Python function of the address of its arguments."""
    namespace = dict(NAMESPACE)
    # The source is this package's own.
    exec(compile(kernel.source, f"<kernel {kernel.label}>", "exec"), namespace)
    function = namespace["kernel"]

    def run(args: int) -> int:
        with np.errstate(all="ignore"):
            return int(function(args))

    return run
