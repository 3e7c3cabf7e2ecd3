"""Reads sorted tables. See `sorted_table`."""

from __future__ import annotations

import bisect
import os
import struct
from typing import TYPE_CHECKING, BinaryIO

from hybridflow._src.formats import varints
from hybridflow._src.formats.checksums import crc32c, unmask
from hybridflow._src.formats.snappy import decompressed
from hybridflow._src.formats.sorted_table import FOOTER, MAGIC, SNAPPY, TRAILER, UNCOMPRESSED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_Handle = tuple[int, int]  # where a block lies: offset and size


class TableReader:
    """A table of which blocks are read when they are needed.

    Args:
      opened: opens the file.

    Raises:
      ValueError: if it is no table, or is damaged; so do the methods.
    """

    def __init__(self, opened: Callable[[], BinaryIO]) -> None:
        self._opened = opened
        with opened() as file:
            self._size = file.seek(0, os.SEEK_END)
            file.seek(max(0, self._size - FOOTER))
            footer = file.read(FOOTER)
            if len(footer) < FOOTER or struct.unpack("<Q", footer[-8:])[0] != MAGIC:
                raise ValueError("it is no table of keys: its last bytes are others")
            _, position = _handle(footer, 0)
            index, _ = _handle(footer, position)
            entries = _entries(self._block(file, index))
            # A key that is not below those of a block, and where it is.
            self._blocks = [(key, _handle(value, 0)[0]) for key, value in entries]

    def items(self) -> list[tuple[bytes, bytes]]:
        """All keys and values, in order."""
        with self._opened() as file:
            return [
                entry for _, handle in self._blocks for entry in _entries(self._block(file, handle))
            ]

    def get(self, key: bytes) -> bytes | None:
        """The value of a key, or None if it has none."""
        number = bisect.bisect_left(self._blocks, key, key=lambda block: block[0])
        if number == len(self._blocks):
            return None
        with self._opened() as file:
            block = self._block(file, self._blocks[number][1])
        return next((value for found, value in _entries(block) if found == key), None)

    def _block(self, file: BinaryIO, handle: _Handle) -> memoryview:
        offset, size = handle
        if offset + size + TRAILER > self._size:
            raise ValueError("a block lies beyond its end")
        file.seek(offset)
        data = memoryview(file.read(size + TRAILER))
        if len(data) != size + TRAILER:
            raise ValueError("a block lies beyond its end")
        if unmask(struct.unpack("<I", data[-4:])[0]) != crc32c(data[:-4]):
            raise ValueError("the checksum of a block is wrong")
        kind, block = data[size], data[:size]
        if kind == SNAPPY:
            return memoryview(decompressed(block))
        if kind != UNCOMPRESSED:
            raise ValueError(f"a block is of unknown kind {kind}")
        return block


def table_in(path: str) -> TableReader:
    """The table in the file `path`."""

    def opened() -> BinaryIO:
        return open(path, "rb")

    return TableReader(opened)


def _handle(data: bytes | memoryview, position: int) -> tuple[_Handle, int]:
    offset, position = varints.decode(data, position)
    size, position = varints.decode(data, position)
    return (offset, size), position


def _entries(block: memoryview) -> Iterator[tuple[bytes, bytes]]:
    if len(block) < 4:
        raise ValueError("a block is too short")
    (restarts,) = struct.unpack("<I", block[-4:])
    end = len(block) - 4 * (restarts + 1)
    if end < 0:
        raise ValueError("a block is too short")
    key, position = b"", 0
    while position < end:
        shared, position = varints.decode(block, position)
        rest, position = varints.decode(block, position)
        size, position = varints.decode(block, position)
        if shared > len(key) or position + rest + size > end:
            raise ValueError("an entry lies beyond its block")
        key = key[:shared] + bytes(block[position : position + rest])
        position += rest
        yield key, bytes(block[position : position + size])
        position += size
