"""Messages through a pipe: a length of 8 bytes, then as many bytes."""

from __future__ import annotations

import os

_LARGEST = 64 << 20


def send(pipe: int, message: bytes) -> None:
    """Writes a message to a file descriptor."""
    rest = memoryview(len(message).to_bytes(8, "little") + message)
    while rest:
        rest = rest[os.write(pipe, rest) :]


def receive(pipe: int) -> bytes:
    """Reads a message.

    Raises:
      EOFError: if the other side is gone. OSError: if what it sent is no message.
    """
    size = int.from_bytes(_read(pipe, 8), "little")
    if size > _LARGEST:
        raise OSError(f"A message of {size} bytes is too long.")
    return _read(pipe, size)


def _read(pipe: int, size: int) -> bytes:
    parts = []
    while size:
        part = os.read(pipe, min(size, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
