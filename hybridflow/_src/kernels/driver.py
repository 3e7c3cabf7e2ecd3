"""The way from Python into native code: a program is a list of kernels with their arguments.

A program is an array of words: the number of calls, a mark, the position of the call to begin with,
then for each call the address of a kernel and that of its arguments. Running it gives a status
word: 0, or for the first kernel that gave another status 256 * (its position) + status. It then
begins with that call when it runs again, so that what a kernel stopped for can be done in between.
A program that has run to its end has a mark of 1: so one who was interrupted can tell.

A *feed table* says how arrays are given to a program: words with the address of the program to run
then (0: none), and for each feed a record: its own size in bytes; NumPy's array type, or 0; the
dtype object, or the very object that is expected; the rank, and each size; the number of places,
and for each the address of the word that takes the array's, and what is added to it.
"""

from __future__ import annotations

import ctypes
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.kernels.kernel import Kernel
from hybridflow._src.kernels.memory import ARRAY_FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

# Of NumPy's flags of arrays.
_CONTIGUOUS_AND_ALIGNED = 0x0101
MISMATCH = -1

# Runs the program at `program`; leaves its status in `status`.
RUN = """
status = 0
first = word(program, 2)
at = program + 24 + 16 * first
for position in range(first, word(program, 0)):
    status = function_at(word(at, 0), word(at, 1))
    if status != 0:
        set_word(program, 2, position)
        status += 256 * position
        break
    at += 16
if status == 0:
    set_word(program, 1, 1)
    set_word(program, 2, 0)
"""
# How many words a program has before its calls, and which of them says where it begins.
HEAD_WORDS, NEXT = 3, 2


def indented(depth: int) -> str:
    """The text of `RUN`, to stand at a depth."""
    return textwrap.indent(RUN, "    " * depth).strip()


# A function of Python's with an object of its own: the address of a feed table, or 0.
ENTRY = Kernel(
    f"""
def kernel(owner, argument):
    at = PyLong_AsSsize_t(owner)
    if at == 0:
        program = PyLong_AsSsize_t(argument)
    else:
        program = word(at, 0)
        at += 8
        for position in range(PyTuple_Size(argument)):
            given = PyTuple_GetItem(argument, position)
            places = at + 24
            if word(at, 1) == 0:
                if given != word(at, 2):
                    return PyLong_FromSsize_t({MISMATCH})
            else:
                array = given + {ARRAY_FIELDS}
                if (
                    word(array, -1) != word(at, 1)
                    or word(array, 5) != word(at, 2)
                    or i64(load_i32(array, 2, 31)) != word(at, 3)
                    or i64(load_i32(array, 12, 31)) & {_CONTIGUOUS_AND_ALIGNED}
                    != {_CONTIGUOUS_AND_ALIGNED}
                ):
                    return PyLong_FromSsize_t({MISMATCH})
                sizes = word(array, 2)
                for axis in range(word(at, 3)):
                    if word(sizes, axis) != word(at, 4 + axis):
                        return PyLong_FromSsize_t({MISMATCH})
                places = at + 32 + 8 * word(at, 3)
                for place in range(word(places, 0)):
                    to = word(places, 1 + 2 * place)
                    set_word(to, 0, word(array, 0) + word(places, 2 + 2 * place))
            at += word(at, 0)
    if program == 0:
        return PyLong_FromSsize_t(0)
    thread = PyEval_SaveThread()
    {indented(1)}
    PyEval_RestoreThread(thread)
    return PyLong_FromSsize_t(status)
""",
    "entry",
)


class Feed:
    """How one feed is given: an array of a dtype and shape, or the very object `same`.

    Attributes:
      places: the addresses of the words that take the array's address, and what is added to it.
    """

    def __init__(
        self,
        same: Any,
        dtype: np.dtype | None = None,
        shape: Sequence[int] = (),
        places: Iterable[tuple[int, int]] = (),
    ) -> None:
        self.same = same
        self.dtype = dtype
        self.shape = tuple(shape)
        self.places = list(places)

    def words(self) -> list[int]:
        """Its record in a feed table; the objects in it must be kept alive."""
        if self.dtype is None:
            rest = [0, id(self.same)]
        else:
            rest = [id(np.ndarray), id(self.dtype), len(self.shape), *self.shape]
            rest += [len(self.places), *[word for place in self.places for word in place]]
        return [8 * (1 + len(rest)), *rest]


def feed_table(program: int, feeds: Iterable[Feed]) -> np.ndarray:
    """The feed table for a program, or for none if that is 0."""
    return np.array([program, *[word for feed in feeds for word in feed.words()]], np.int64)


class Entry:
    """What `ENTRY` is for Python, given the address of its code.

    Attributes:
      enter: a function that takes the address of a program, runs it with the interpreter's lock
        released, and gives its status.
    """

    def __init__(self, address: int) -> None:
        self._address = address
        self.enter: Callable[[int], int] = python_function(address, 0)

    def feeder(self, table: np.ndarray) -> Callable[[tuple[Any, ...]], int]:
        """A function that takes the first arrays of a feed table, or all, and runs its program.

        It gives `MISMATCH` if they do not fit, else the program's status. The table and the arrays
        must be kept alive.
        """
        return python_function(self._address, table.ctypes.data)


_TAKES_ONE_OBJECT = 0x0008  # METH_O


class _MethodDef(ctypes.Structure):
    """CPython's PyMethodDef."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


# Each must live as long as the functions made from it: for ever.
_definitions: dict[int, _MethodDef] = {}


def _definition(address: int) -> _MethodDef:
    # In one step, also where two threads ask for the same at the same time.
    return _definitions.setdefault(address, _MethodDef(b"enter", address, _TAKES_ONE_OBJECT, None))


def python_function(address: int, owner: Any) -> Callable[[Any], Any]:
    """Native code of CPython's signature for functions of one object, as a Python function.

    The code is given `owner` first.
    """
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype = ctypes.py_object
    make.argtypes = [ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p]
    function: Callable[[Any], Any] = make(ctypes.addressof(_definition(address)), owner, None)
    return function
