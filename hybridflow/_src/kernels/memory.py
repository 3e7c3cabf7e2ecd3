"""How kernels reach memory: typed loads and stores at addresses, as Python functions.

A kernel is a Python function of one argument, the address of its arguments (64-bit words: sizes,
strides, addresses of buffers). It runs uncompiled with the functions here, which is slow and meant
for debugging; the compile worker puts Numba's intrinsics of the same names in their place.

Names end in the element type: f16, f32, f64, i8 to i64, u8 to u64, b1. Half precision is a way to
store numbers: they are computed with in float32, and rounded to half after each operation.
"""

from __future__ import annotations

import ctypes
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

# Element types: their NumPy scalar types by the short names that kernels use.
ELEMENT_TYPES: dict[str, type[np.generic]] = {
    "f16": np.float16,
    "f32": np.float32,
    "f64": np.float64,
    "i8": np.int8,
    "i16": np.int16,
    "i32": np.int32,
    "i64": np.int64,
    "u8": np.uint8,
    "u16": np.uint16,
    "u32": np.uint32,
    "u64": np.uint64,
    "b1": np.bool_,
}
# The functions of `scalar` that kernels may call.
SCALARS = ("select", "fma", "fabs", "sqrt", "floor", "ceil", "trunc", "rint")
SHORT_NAMES = {np.dtype(scalar): short for short, scalar in ELEMENT_TYPES.items()}


def _cell(scalar: type[np.generic], address: int, index: int) -> np.ndarray:
    size = np.dtype(scalar).itemsize
    raw = (ctypes.c_char * size).from_address(int(address) + int(index) * size)
    return np.frombuffer(memoryview(raw), np.dtype(scalar))


def _load(scalar: type[np.generic]) -> Callable[[int, int, int], Any]:
    def load(address: int, index: int, scope: int) -> Any:
        """The element `index` places after an address.

        `scope` numbers the buffer: accesses of different numbers never touch the same memory.
        """
        value = _cell(scalar, address, index)[0]
        return np.float32(value) if scalar is np.float16 else value

    return load


def _store(scalar: type[np.generic]) -> Callable[[int, int, int, Any], None]:
    def store(address: int, index: int, scope: int, value: Any) -> None:
        """Writes an element, converted to its type as by a cast in C; for `scope` see load."""
        with np.errstate(all="ignore"):
            _cell(scalar, address, index)[0] = np.asarray(value).astype(scalar)

    return store


# NumPy's public headers say what follows the fields that an array has as a Python object: the
# address of its elements, rank, sizes, strides, base, dtype, flags, each a word or half a word.
ARRAY_FIELDS = object.__basicsize__


def _word_of(array: np.ndarray, field: int) -> int:
    return _word_at(id(array) + ARRAY_FIELDS + 8 * field).value


def _plain_address(array: np.ndarray) -> int:
    return array.ctypes.data


def _quick_address(array: np.ndarray) -> int:
    address: int = _word_at(id(array) + ARRAY_FIELDS).value
    return address


def _lies_as_known() -> bool:
    if sys.implementation.name != "cpython":
        return False
    array = np.zeros((3, 2), np.float32)
    words = [_word_of(array, field) for field in (-1, 0, 1, 5)]
    expected = [id(np.ndarray), array.ctypes.data, array.ndim, id(array.dtype)]
    words[2] &= 0xFFFFFFFF
    sizes = [_word_at(_word_of(array, 2) + 8 * axis).value for axis in range(2)]
    return words == expected and sizes == [3, 2]


_word_at = ctypes.c_ssize_t.from_address
# Whether arrays can be read so.
ARRAYS_ARE_KNOWN = _lies_as_known()
# `address_of(array)` is where its elements start. Reading it off the object is six times as quick
# as asking NumPy.
address_of = _quick_address if ARRAYS_ARE_KNOWN else _plain_address


def half(x: Any) -> Any:
    """A number rounded to half precision, as a float32."""
    return np.float32(np.float16(x))


def word(args: int, index: int) -> int:
    """A word of a kernel's arguments."""
    return ctypes.c_int64.from_address(int(args) + 8 * int(index)).value


def set_word(args: int, index: int, value: int) -> None:
    """Writes a word of a kernel's arguments: a status or a count that it gives back."""
    ctypes.c_int64.from_address(int(args) + 8 * int(index)).value = value


def exchange_word(args: int, index: int, old: int, new: int) -> int:
    """Puts `new` in the place of a word that others may write too, if `old` is there; gives what
    was there.
    """
    found = word(args, index)
    if found == old:
        set_word(args, index, new)
    return found


def pause() -> None:
    """Tells the processor that a thread waits for another one."""


def reassociated_add(a: Any, b: Any) -> Any:
    """`a + b` in a sum whose order the compiler may choose."""
    return a + b


def reassociated_multiply(a: Any, b: Any) -> Any:
    """`a * b` in a product whose order the compiler may choose."""
    return a * b


def fetch_line(address: int) -> None:
    """Has the processor fetch what lies at an address, which need not be there."""


def function_at(address: int, *args: int) -> int:
    """Calls a native function of up to seven integers or addresses that gives an integer."""
    return int(ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * len(args))(address)(*args))


NAMESPACE: dict[str, Any] = {
    "exchange_word": exchange_word,
    "fetch_line": fetch_line,
    "function_at": function_at,
    "pause": pause,
    "reassociated_add": reassociated_add,
    "reassociated_multiply": reassociated_multiply,
    "set_word": set_word,
    "shared_word": word,
    "word": word,
    **{f"load_{short}": _load(scalar) for short, scalar in ELEMENT_TYPES.items()},
    **{f"store_{short}": _store(scalar) for short, scalar in ELEMENT_TYPES.items()},
    **ELEMENT_TYPES,
    "f16": half,
}
