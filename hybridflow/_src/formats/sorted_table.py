"""Sorted tables: keys and values in one file, in blocks, as LevelDB keeps them.

An entry of a block is written as the number of bytes that its key shares with the one before, the
number of those that follow, the size of the value, and these bytes. Every sixteenth key is written
whole. The last block is an index of the others, and the last 48 bytes say where it is.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

from hybridflow._src.formats import varints
from hybridflow._src.formats.checksums import crc32c, mask, unmask

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48
_TRAILER = 5  # behind a block: how it is compressed, its checksum
_BLOCK = 262144
_UNCOMPRESSED, _SNAPPY = 0, 1
_SNAPPY_MISSING = "it is compressed with Snappy: write the checkpoint again, without compression"


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
        self._file.write(handles.ljust(_FOOTER - 8, b"\0") + struct.pack("<Q", _MAGIC))

    def _flush(self) -> None:
        if not self._block.is_empty:
            self._handle = self._write(self._block)
            self._block = _Block(16)

    def _write(self, block: _Block) -> bytes:
        """Writes a block; where it is."""
        data = block.finish()
        kind = bytes([_UNCOMPRESSED])
        self._file.write(data + kind + struct.pack("<I", mask(crc32c(kind, crc32c(data)))))
        handle = varints.encode(self._offset) + varints.encode(len(data))
        self._offset += len(data) + _TRAILER
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


def read_table(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The keys and values of a table, in order.

    Raises:
      ValueError: if it is no table, or is damaged.
    """
    if len(data) < _FOOTER or struct.unpack_from("<Q", data, len(data) - 8)[0] != _MAGIC:
        raise ValueError("it is no table of keys: its last bytes are others")
    view = memoryview(data)
    footer = view[len(data) - _FOOTER :]
    _, position = _handle_at(footer, 0)
    index, _ = _handle_at(footer, position)
    for _key, handle in _entries(_block(view, *index)):
        where, _ = _handle_at(memoryview(handle), 0)
        yield from _entries(_block(view, *where))


def _handle_at(data: memoryview, position: int) -> tuple[tuple[int, int], int]:
    offset, position = varints.decode(data, position)
    size, position = varints.decode(data, position)
    return (offset, size), position


def _block(data: memoryview, offset: int, size: int) -> memoryview:
    end = offset + size
    if end + _TRAILER > len(data):
        raise ValueError("a block lies beyond its end")
    block, kind = data[offset:end], data[end]
    (stored,) = struct.unpack_from("<I", data, end + 1)
    if unmask(stored) != crc32c(bytes([kind]), crc32c(block)):
        raise ValueError("the checksum of a block is wrong")
    if kind == _SNAPPY:
        raise ValueError(_SNAPPY_MISSING)
    if kind != _UNCOMPRESSED:
        raise ValueError(f"a block is of unknown kind {kind}")
    return block


def _entries(block: memoryview) -> Iterator[tuple[bytes, bytes]]:
    if len(block) < 4:
        raise ValueError("a block is too short")
    (restarts,) = struct.unpack_from("<I", block, len(block) - 4)
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
