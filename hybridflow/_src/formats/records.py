"""Records: pieces of bytes in one file (TFRecord), each behind its length and with checksums."""

from __future__ import annotations

import functools
import struct
from typing import TYPE_CHECKING, BinaryIO

from hybridflow._src.formats.checksums import crc32c, is_stored_as, mask

if TYPE_CHECKING:
    from collections.abc import Iterator

# Bytes are read in steps of so many: a length that is wrong must not take all memory.
_STEP = 1 << 20
_HEAD = struct.Struct("<QI")
# So many bytes stand around a record.
FRAME = 16


def frame(record: bytes) -> bytes:
    """A record as it stands in a file."""
    length = struct.pack("<Q", len(record))
    return b"".join(
        (length, _checksum(length), record, _checksum(record)),
    )


def _checksum(data: bytes) -> bytes:
    return struct.pack("<I", mask(crc32c(data)))


def read(file: BinaryIO) -> Iterator[bytes]:
    """The records of a file, from where it stands.

    Raises:
      ValueError: at a record that is damaged or cut short.
    """
    while (record := read_one(file)) is not None:
        yield record


def read_one(file: BinaryIO) -> bytes | None:
    """The next record of a file, or None at its end.

    Raises:
      ValueError: if it is damaged or cut short.
    """
    found = read_some(file, 1)
    return found[0] if found else None


def read_some(file: BinaryIO, most: int) -> list[bytes]:
    """The next records of a file, so many; fewer only at its end.

    Raises:
      ValueError: if one is damaged or cut short.
    """
    found: list[bytes] = []
    head = file.read(12) if most > 0 else b""
    while head:
        length = _length_of(head)
        # With what stands before the next one, unless that is left to the next call.
        behind = 4 if len(found) + 1 == most else 16
        if length < _STEP:
            data = file.read(length + behind)
        else:
            data = _exactly(file, length + 4) + file.read(behind - 4)
        if len(data) < length + 4:
            raise ValueError("truncated record")
        record = data[:length]
        if not is_stored_as(record, int.from_bytes(data[length : length + 4], "little")):
            raise ValueError("corrupted record: the checksum of its data is wrong")
        found.append(record)
        head = data[length + 4 :]
    return found


# Many records have one length.
@functools.lru_cache
def _length_of(head: bytes) -> int:
    """The length of a record, of the bytes before it."""
    if len(head) < 12:
        raise ValueError("truncated record")
    length, checksum = _HEAD.unpack(head)
    if not is_stored_as(head[:8], checksum):
        raise ValueError("corrupted record: the checksum of its length is wrong")
    return int(length)


def _exactly(file: BinaryIO, size: int) -> bytes:
    parts = []
    while size:
        part = file.read(min(size, _STEP))
        if not part:
            raise ValueError("truncated record")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
