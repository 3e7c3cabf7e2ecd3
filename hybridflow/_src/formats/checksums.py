"""CRC32C, as files of TensorFlow hold it: turned and shifted.

Checksums of data that holds checksums would else be weak ones; the constants are those of LevelDB.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
from typing import Any

import numpy as np

from hybridflow._src.kernels.memory import address_of

_DELTA = 0xA282EAD8
_BITS = 0xFFFFFFFF


# Of so many bytes the library makes the checksum while other threads run.
_LARGE = 1 << 14
# What the bits of a remainder stand for: those of the least power of x are the highest ones.
_POLYNOMIAL = 0x82F63B78
_ONE = 1 << 31


@functools.cache
def _extend() -> Any:
    return importlib.import_module("google_crc32c").extend


@functools.cache
def _extend_alone() -> Any:
    """The function that the library's `extend` calls, which holds the interpreter's lock meanwhile;
    None where it cannot be found.
    """
    try:
        path = importlib.import_module("google_crc32c._crc32c").__file__
        function = ctypes.CDLL(path).crc32c_extend
    except (ImportError, OSError, AttributeError):
        return None
    function.argtypes = [ctypes.c_uint32, ctypes.c_void_p, ctypes.c_size_t]
    function.restype = ctypes.c_uint32
    return function


def crc32c(data: Any, crc: int = 0) -> int:
    """The CRC32C of bytes, of a memoryview or an array of them, going on from `crc`."""
    if len(data) >= _LARGE and _extend_alone() is not None:
        array = np.frombuffer(data, np.uint8)
        return int(_extend_alone()(crc, address_of(array), array.size))
    # The library takes no memoryviews.
    return int(_extend()(crc, data if data.__class__ is bytes else np.frombuffer(data, np.uint8)))


def joined(first: int, second: int, length: int) -> int:
    """The checksum of bytes, of that of their first part and that of the other, of this length.

    It is a remainder of polynomials over GF(2): the first part stands before `8 * length` bits, so
    its remainder is multiplied by `x**(8 * length)`.
    """
    return _product(first, _power(length)) ^ second


@functools.lru_cache
def _power(length: int) -> int:
    """`x**(8 * length)`, by squaring."""
    result, square = _ONE, _ONE >> 8
    while length:
        if length & 1:
            result = _product(result, square)
        square = _product(square, square)
        length >>= 1
    return result


def _product(a: int, b: int) -> int:
    result = 0
    while a:
        if a & _ONE:
            result ^= b
        a = (a << 1) & _BITS
        b = (b >> 1) ^ (_POLYNOMIAL if b & 1 else 0)
    return result


def is_stored_as(data: bytes, stored: int) -> bool:
    """Whether this is the checksum of bytes as it is stored."""
    # In one call, since records are many and short.
    crc = _extend()(0, data) if len(data) < _LARGE else crc32c(data)
    return bool((((crc >> 15) | (crc << 17)) + _DELTA) & _BITS == stored)


def mask(crc: int) -> int:
    """A checksum as it is stored."""
    return (((crc >> 15) | (crc << 17)) + _DELTA) & _BITS


def unmask(stored: int) -> int:
    """The checksum that is stored so."""
    crc = (stored - _DELTA) & _BITS
    return ((crc >> 17) | (crc << 15)) & _BITS
