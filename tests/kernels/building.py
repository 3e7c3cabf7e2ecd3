"""Kernels compiled in the tests' own process, for this machine or one that has fewer features."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable

from hybridflow._src.kernels import loader, target
from hybridflow._src.kernels.kernel import Kernel
from hybridflow._src.kernels.lowering import compile_kernel

_CALL = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)


def _machines() -> dict[str, str]:
    """Features by name; those of this machine are ""."""
    found = {"": ""}
    own = target.cpu()[1].split(",")
    if "+avx2" in own:
        found["avx2"] = ",".join(f.replace("+", "-") if "avx512" in f else f for f in own)
    return found


MACHINES = _machines()


@functools.cache
def built(kernel: Kernel, machine: str = "") -> Callable[[int], int]:
    """A kernel as a function of the address of its arguments."""
    symbol = f"test_{machine}_{kernel.symbol}"
    code = compile_kernel(kernel.source, symbol, target.target_machine(MACHINES[machine]))
    return _CALL(loader.load(code, symbol))
