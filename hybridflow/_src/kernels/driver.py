"""The way from Python into native code: a program is a list of kernels with their arguments.

A program is an array of words: the number of calls, a mark, then for each call the address of a
kernel and that of its arguments. `enter` is a Python function made of native code: it takes the
address of a program, runs it with the interpreter's lock released, and gives a status word: 0, or
for the first kernel that gave another status 256 * (its position) + status. A program that has run
to its end has a mark of 1: so one who was interrupted can tell.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

from hybridflow._src.kernels.kernel import Kernel

if TYPE_CHECKING:
    from collections.abc import Callable

ENTRY = Kernel(
    """
def kernel(module, argument):
    program = PyLong_AsSsize_t(argument)
    thread = PyEval_SaveThread()
    status = 0
    at = program + 16
    for position in range(word(program, 0)):
        status = function_at(word(at, 0), word(at, 1))
        if status != 0:
            status += 256 * position
            break
        at += 16
    if status == 0:
        set_word(program, 1, 1)
    PyEval_RestoreThread(thread)
    return PyLong_FromSsize_t(status)
""",
    "entry",
)

_TAKES_ONE_OBJECT = 0x0008  # METH_O


class _MethodDef(ctypes.Structure):
    """CPython's PyMethodDef."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


# They must live as long as the functions made from them: for ever.
_definitions: list[_MethodDef] = []


def python_function(address: int) -> Callable[[int], Any]:
    """Native code of CPython's signature for functions of one object, as a Python function."""
    definition = _MethodDef(b"enter", address, _TAKES_ONE_OBJECT, None)
    _definitions.append(definition)
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype = ctypes.py_object
    make.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    function: Callable[[int], Any] = make(ctypes.addressof(definition), None, None)
    return function
