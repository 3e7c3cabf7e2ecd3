"""Compiles a loop over one scalar function, the way that kernels are compiled."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import compiler, types
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from hybridflow._src.kernels import lowering_scalar as lowering_scalar

_TYPES = {
    "float32": (types.float32, ir.FloatType()),
    "float64": (types.float64, ir.DoubleType()),
    "int64": (types.int64, ir.IntType(64)),
}


def _memory(dtype: str) -> tuple[Any, Any]:
    """Reads and writes element `i` of the array at an address."""
    kind, llvm = _TYPES[dtype]

    def place(builder: Any, address: Any, index: Any) -> Any:
        return builder.gep(builder.inttoptr(address, llvm.as_pointer()), [index])

    @intrinsic
    def load(context, address, index):
        def lower(context, builder, signature, arguments):
            return builder.load(place(builder, *arguments))

        return kind(types.int64, types.int64), lower

    @intrinsic
    def store(context, address, index, value):
        def lower(context, builder, signature, arguments):
            builder.store(arguments[2], place(builder, *arguments[:2]))
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, kind), lower

    return load, store


_MEMORY = {dtype: _memory(dtype) for dtype in _TYPES}


class Kernel:
    """`function` over arrays of `dtype`: `kernel(out, *inputs)`, all contiguous and of one size."""

    def __init__(self, function: Callable[..., Any], dtype: str, inputs: int) -> None:
        load, store = _MEMORY[dtype]
        word = _MEMORY["int64"][0]

        def one(arguments):
            out, a = word(arguments, 1), word(arguments, 2)
            for i in range(word(arguments, 0)):
                store(out, i, function(load(a, i)))

        def two(arguments):
            out, a, b = word(arguments, 1), word(arguments, 2), word(arguments, 3)
            for i in range(word(arguments, 0)):
                store(out, i, function(load(a, i), load(b, i)))

        flags = compiler.Flags()
        flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
        flags.nrt = False
        flags.error_model = "numpy"
        typing, target = cpu_target.typing_context, cpu_target.target_context
        typing.refresh()
        target.refresh()
        start = time.perf_counter()
        result = compiler.compile_extra(
            typing, target, {1: one, 2: two}[inputs], (types.int64,), types.void, flags, {}
        )
        self.library = result.library
        address = self.library.get_pointer_to_function(result.fndesc.mangled_name)
        self.seconds = time.perf_counter() - start
        pointer = ctypes.c_void_p
        self._call = ctypes.CFUNCTYPE(ctypes.c_int, pointer, pointer, pointer)(address)
        self._returns = (ctypes.c_int64 * 2)()

    def bind(self, *arrays: np.ndarray) -> Callable[[], int]:
        """A call that does the work."""
        block = np.array([arrays[0].size, *(a.ctypes.data for a in arrays)], np.int64)
        returns = ctypes.addressof(self._returns)

        def call(keep: Any = (block, arrays)) -> int:
            return self._call(returns, returns + 8, block.ctypes.data)

        return call

    def __call__(self, *inputs: np.ndarray) -> np.ndarray:
        inputs = tuple(np.ascontiguousarray(a) for a in inputs)
        out = np.empty_like(inputs[0])
        self.bind(out, *inputs)()
        return out
