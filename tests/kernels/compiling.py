"""Compiles a loop over a function of scalars in the way that kernels are compiled."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import compiler, types
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from hybridflow._src.kernels import lowering_scalar

_TYPES = {
    "float32": (types.float32, ir.FloatType()),
    "float64": (types.float64, ir.DoubleType()),
    "int64": (types.int64, ir.IntType(64)),
}


def _memory(dtype: str) -> tuple[Any, Any]:
    """Functions that read and write element `index` of the array at an address."""
    kind, llvm = _TYPES[dtype]

    def place(builder, address, index):
        return builder.gep(builder.inttoptr(address, llvm.as_pointer()), [index])

    @intrinsic
    def load(typing, address, index):
        def lower(context, builder, signature, arguments):
            return builder.load(place(builder, *arguments))

        return kind(types.int64, types.int64), lower

    @intrinsic
    def store(typing, address, index, value):
        def lower(context, builder, signature, arguments):
            builder.store(arguments[2], place(builder, *arguments[:2]))
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, kind), lower

    return load, store


_MEMORY = {dtype: _memory(dtype) for dtype in _TYPES}


class Kernel:
    """`function` over contiguous arrays of `dtype` and of one size: `kernel(*inputs)`."""

    def __init__(self, function: Callable[..., Any], dtype: str, inputs: int) -> None:
        load, store = _MEMORY[dtype]
        word, _ = _MEMORY["int64"]

        def one(block):
            out, a = word(block, 1), word(block, 2)
            for i in range(word(block, 0)):
                store(out, i, function(load(a, i)))

        def two(block):
            out, a, b = word(block, 1), word(block, 2), word(block, 3)
            for i in range(word(block, 0)):
                store(out, i, function(load(a, i), load(b, i)))

        def three(block):
            out, a, b, c = word(block, 1), word(block, 2), word(block, 3), word(block, 4)
            for i in range(word(block, 0)):
                store(out, i, function(load(a, i), load(b, i), load(c, i)))

        flags = compiler.Flags()
        flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
        flags.nrt = False
        flags.error_model = "numpy"
        typing, target = cpu_target.typing_context, cpu_target.target_context
        typing.refresh()
        target.refresh()
        result = compiler.compile_extra(
            typing, target, [one, two, three][inputs - 1], (types.int64,), types.void, flags, {}
        )
        self.library = result.library
        address = self.library.get_pointer_to_function(result.fndesc.mangled_name)
        pointer = ctypes.c_void_p
        self._call = ctypes.CFUNCTYPE(ctypes.c_int, pointer, pointer, pointer)(address)
        self._returned = (ctypes.c_int64 * 2)()  # Numba's calling convention wants room for both

    def bound(self, out: np.ndarray, *inputs: np.ndarray) -> Callable[[], int]:
        """A call that fills `out`."""
        arrays = (out, *inputs)
        block = np.array([out.size, *(array.ctypes.data for array in arrays)], np.int64)
        result = ctypes.addressof(self._returned)

        def call(alive: Any = arrays) -> int:
            return self._call(result, result + 8, block.ctypes.data)

        return call

    def __call__(self, *inputs: np.ndarray) -> np.ndarray:
        out = np.empty_like(inputs[0])
        assert self.bound(out, *(np.ascontiguousarray(array) for array in inputs))() == 0
        return out


def traced(function: Callable[..., Any], dtype: str, inputs: int) -> Kernel:
    """The kernel of a function that Numba has not been told of."""
    lowering_scalar.register(function, (dtype,) * (1 + inputs))
    return Kernel(function, dtype, inputs)


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether all numbers are the same, with the sign of zeros; one NaN is like another."""
    assert a.dtype == b.dtype
    assert a.shape == b.shape
    kind = f"i{a.dtype.itemsize}"
    return bool(np.all((a.view(kind) == b.view(kind)) | (np.isnan(a) & np.isnan(b))))
