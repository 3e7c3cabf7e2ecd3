"""Whole numbers in as few bytes as they need: seven bits in each, the lowest first."""

from __future__ import annotations


def encode(value: int) -> bytes:
    """The bytes of a number that is not negative."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def decode(data: bytes | memoryview, position: int) -> tuple[int, int]:
    """The number at `position`, of at most 64 bits, and the position behind it.

    Raises:
      ValueError: if the bytes end before it does, or it is too long.
    """
    value = 0
    for index in range(10):
        if position + index >= len(data):
            raise ValueError("a number is cut short")
        byte = data[position + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, position + index + 1
    raise ValueError("a number has more than 64 bits")
