"""Records: pieces of bytes in one file (TFRecord), each behind its length and with checksums."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

from hybridflow._src.formats.checksums import crc32c, mask

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
    head = file.read(12)
    if not head:
        return None
    if len(head) < 12:
        raise ValueError("truncated record")
    length, checksum = _HEAD.unpack(head)
    if mask(crc32c(head[:8])) != checksum:
        raise ValueError("corrupted record: the checksum of its length is wrong")
    data = file.read(length + 4) if length < _STEP else _exactly(file, length + 4)
    if len(data) < length + 4:
        raise ValueError("truncated record")
    record = data[:-4]
    if mask(crc32c(record)) != int.from_bytes(data[-4:], "little"):
        raise ValueError("corrupted record: the checksum of its data is wrong")
    return record


def _exactly(file: BinaryIO, size: int) -> bytes:
    parts = []
    while size:
        part = file.read(min(size, _STEP))
        if not part:
            raise ValueError("truncated record")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
