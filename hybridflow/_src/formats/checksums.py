"""CRC32C, as files of TensorFlow hold it: turned and shifted.

Checksums of data that holds checksums would else be weak ones; the constants are those of LevelDB.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

import numpy as np

_DELTA = 0xA282EAD8
_BITS = 0xFFFFFFFF


@functools.cache
def _extend() -> Any:
    return importlib.import_module("google_crc32c").extend


def crc32c(data: Any, crc: int = 0) -> int:
    """The CRC32C of bytes, of a memoryview or an array of them, going on from `crc`."""
    # The library takes no memoryviews.
    return int(_extend()(crc, data if data.__class__ is bytes else np.frombuffer(data, np.uint8)))


def mask(crc: int) -> int:
    """A checksum as it is stored."""
    return (((crc >> 15) | (crc << 17)) + _DELTA) & _BITS


def unmask(stored: int) -> int:
    """The checksum that is stored so."""
    crc = (stored - _DELTA) & _BITS
    return ((crc >> 17) | (crc << 15)) & _BITS
