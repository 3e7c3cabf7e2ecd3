"""Snappy's compression undone: some programs write the blocks of tables so.

The bytes begin with the size of what they hold. Then come pieces: bytes as they are, and copies of
what has been written before, some bytes back. The low two bits of a piece's first byte tell which.
"""

from __future__ import annotations

from hybridflow._src.formats import varints

# A copy of three bytes stands for 64: no more than this comes out of a byte.
_MOST = 22


def decompressed(data: bytes | memoryview) -> bytes:
    """What compressed bytes hold.

    Raises:
      ValueError: if they are damaged.
    """
    size, position = varints.decode(data, 0)
    if size > _MOST * len(data):
        raise ValueError("compressed data says that it holds more than it can")
    found = bytearray()
    while position < len(data):
        tag = data[position]
        position += 1
        if tag & 3 == 0:
            length = tag >> 2
            if length >= 60:  # the length less one follows in as many bytes as this is above 59
                length, position = _number(data, position, length - 59)
            length += 1
            if position + length > len(data):
                raise ValueError("compressed data is cut short")
            found += data[position : position + length]
            position += length
        else:
            if tag & 3 == 1:
                length = (tag >> 2 & 7) + 4
                low, position = _number(data, position, 1)
                back = (tag >> 5) << 8 | low
            else:
                length = (tag >> 2) + 1
                back, position = _number(data, position, 2 if tag & 3 == 2 else 4)
            if not 0 < back <= len(found):
                raise ValueError("compressed data goes back to before its beginning")
            start = len(found) - back
            piece = found[start : start + length]  # a copy may reach into what it writes
            found += (piece * (length // len(piece) + 1))[:length]
        if len(found) > size:
            raise ValueError("compressed data holds more than it says")
    if len(found) != size:
        raise ValueError("compressed data is cut short")
    return bytes(found)


def _number(data: bytes | memoryview, position: int, size: int) -> tuple[int, int]:
    end = position + size
    if end > len(data):
        raise ValueError("compressed data is cut short")
    return int.from_bytes(data[position:end], "little"), end
