"""Sorted tables: keys and values in one file, in blocks, as LevelDB keeps them.

An entry of a block is written as the number of bytes that its key shares with the one before, the
number of those that follow, the size of the value, and these bytes. Every sixteenth key is written
whole. The last block is an index of the others, and the last 48 bytes say where it is.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from hybridflow._src.formats import varints
from hybridflow._src.formats.checksums import crc32c, mask

MAGIC = 0xDB4775248B80FB57
FOOTER = 48
TRAILER = 5  # behind a block: how it is compressed, its checksum
UNCOMPRESSED, SNAPPY = 0, 1
_BLOCK = 262144


class _Block:
    """A block that is being written: what it holds so far, and where keys stand whole."""

    def __init__(self, interval: int) -> None:
        self._interval = interval
        self._data = bytearray()
        self._restarts = [0]
        self._count = 0
        self._last = b""

    def add(self, key: bytes, value: bytes) -> None:
        shared = 0
        if self._count == self._interval:
            self._restarts.append(len(self._data))
            self._count = 0
        else:
            most = min(len(key), len(self._last))
            while shared < most and key[shared] == self._last[shared]:
                shared += 1
        for number in (shared, len(key) - shared, len(value)):
            self._data += varints.encode(number)
        self._data += key[shared:]
        self._data += value
        self._last = key
        self._count += 1

    @property
    def size(self) -> int:
        return len(self._data) + 4 * len(self._restarts) + 4

    @property
    def is_empty(self) -> bool:
        return not self._data

    def finish(self) -> bytes:
        ends = struct.pack(f"<{len(self._restarts) + 1}I", *self._restarts, len(self._restarts))
        return bytes(self._data) + ends


class TableWriter:
    """Writes a table, key by key in rising order, and last `finish`."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._offset = 0
        self._block = _Block(16)
        self._index = _Block(1)
        self._last = b""
        self._handle: bytes | None = None  # of a block that has no entry in the index yet

    def add(self, key: bytes, value: bytes) -> None:
        if len(key) + len(value) >= 2 * _BLOCK:
            self._flush()
        if self._handle is not None:
            self._index.add(_between(self._last, key), self._handle)
            self._handle = None
        self._last = key
        self._block.add(key, value)
        if self._block.size >= _BLOCK:
            self._flush()

    def finish(self) -> None:
        self._flush()
        meta = self._write(_Block(16))
        if self._handle is not None:
            self._index.add(_after(self._last), self._handle)
        handles = meta + self._write(self._index)
        self._file.write(handles.ljust(FOOTER - 8, b"\0") + struct.pack("<Q", MAGIC))

    def _flush(self) -> None:
        if not self._block.is_empty:
            self._handle = self._write(self._block)
            self._block = _Block(16)

    def _write(self, block: _Block) -> bytes:
        """Writes a block; where it is."""
        data = block.finish()
        kind = bytes([UNCOMPRESSED])
        self._file.write(data + kind + struct.pack("<I", mask(crc32c(kind, crc32c(data)))))
        handle = varints.encode(self._offset) + varints.encode(len(data))
        self._offset += len(data) + TRAILER
        return handle


def _between(low: bytes, high: bytes) -> bytes:
    """A short key that is not below `low` and is below `high`."""
    most = min(len(low), len(high))
    shared = next((i for i in range(most) if low[i] != high[i]), most)
    if shared < most and low[shared] < 0xFF and low[shared] + 1 < high[shared]:
        return low[:shared] + bytes([low[shared] + 1])
    return low


def _after(key: bytes) -> bytes:
    """A short key that is not below `key`."""
    for index, byte in enumerate(key):
        if byte != 0xFF:
            return key[:index] + bytes([byte + 1])
    return key
