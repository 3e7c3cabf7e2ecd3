"""Names and numbers as bytes that sort as they do: keys of the slices of a tensor in a checkpoint.

A string ends with 00 01, and its bytes 00 and FF are followed by FF and 00. An unsigned number is
its length and its bytes, the highest first. A signed number has in its first bits one bit for each
byte, then the number; negative ones have all of these bits turned over.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.formats.slices import Extent

_ESCAPED = {b"\0": b"\0\xff", b"\xff": b"\xff\0"}
_SPECIAL = re.compile(b"[\0\xff]")


def slice_key(name: str, extents: Sequence[Extent]) -> bytes:
    """The key of a slice of the tensor `name`: start and length along each axis."""
    found = _unsigned(0) + _string(name.encode()) + _unsigned(len(extents))
    for start, length in extents:
        found += _signed(start) + _signed(length)
    return found


def _string(text: bytes) -> bytes:
    return _SPECIAL.sub(lambda found: _ESCAPED[found[0]], text) + b"\0\1"


def _unsigned(value: int) -> bytes:
    size = (value.bit_length() + 7) // 8
    return bytes([size]) + value.to_bytes(size, "big")


def _signed(value: int) -> bytes:
    size = (~value if value < 0 else value).bit_length() // 7 + 1
    ones = ((1 << size) - 1) << (7 * size)
    return ((value & ((1 << (8 * size)) - 1)) ^ ones).to_bytes(size, "big")
