"""Object code in memory: from bytes to addresses of functions."""

from __future__ import annotations

import ctypes
import functools

from hybridflow._src.kernels import target

# The interpreter's functions that kernels may refer to, with the number of their arguments.
PYTHON_FUNCTIONS = {
    "PyEval_RestoreThread": 1,
    "PyEval_SaveThread": 0,
    "PyLong_AsSsize_t": 1,
    "PyLong_FromSsize_t": 1,
    "PyTuple_GetItem": 2,
    "PyTuple_Size": 1,
}


@functools.cache
def _add_python_functions() -> None:
    import llvmlite.binding as llvm

    for name in PYTHON_FUNCTIONS:
        function = ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p)
        llvm.add_symbol(name, function.value)


def load(code: bytes, symbol: str) -> int:
    """The address of a function in object code, which stays loaded.

    Raises:
      RuntimeError: if the code cannot be loaded or has no such function.
    """
    import llvmlite.binding as llvm

    _add_python_functions()
    object_file = llvm.ObjectFileRef.from_data(code)
    if not object_file:
        raise RuntimeError("There is no object code.")
    # One engine for each object: of a second object in an engine, constants come out wrong.
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target.target_machine())
    try:
        engine.add_object_file(object_file)
        engine.finalize_object()
        address: int = engine.get_function_address(symbol)
    finally:
        # The code lives as long as the process, and so does the target that all engines share.
        engine.detach()
    if not address:
        raise RuntimeError(f"The object code has no function {symbol}.")
    return address
