"""Files that are compressed as a whole, read and written: GZIP and ZLIB."""

from __future__ import annotations

import io
import zlib
from typing import Any, BinaryIO

# What zlib is told of each kind: the size of its window, and which head the data have.
_WINDOWS = {"ZLIB": 15, "GZIP": 31}
# So many bytes are read at a time.
_STEP = 1 << 18


def check_compression(compression: str) -> str:
    """The name of a compression, "" for none.

    Raises:
      ValueError: if there is no such compression.
    """
    if compression and compression not in _WINDOWS:
        raise ValueError(f"Unsupported compression type {compression!r}: expected GZIP or ZLIB.")
    return compression


def open_file(path: Any, compression: str = "", buffer_size: int = 0) -> BinaryIO:
    """A file to read from the beginning: what it holds, or what that was before it was compressed.

    Args:
      compression: "", "GZIP" or "ZLIB".
      buffer_size: how many bytes are read ahead; 0 leaves that to us.

    Raises:
      OSError: if it cannot be read. ValueError: for another compression; when it is read, for data
        that are damaged.
    """
    size = max(buffer_size, 2) if buffer_size else _STEP
    if not check_compression(compression):
        return open(path, "rb", buffering=size)
    file = open(path, "rb", buffering=0)  # noqa: SIM115 - closed with what reads it
    return io.BufferedReader(_Expanded(file, _WINDOWS[compression]), size)


class _Expanded(io.RawIOBase):
    """The bytes of a compressed file; several that are joined are read one after the other."""

    def __init__(self, file: Any, window: int) -> None:
        self._file = file
        self._window = window
        self._data = b""
        self._expander: Any = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        found = self._some(len(view))
        view[: len(found)] = found
        return len(found)

    def _some(self, most: int) -> bytes:
        """Up to so many bytes; none at the end."""
        while True:
            self._data = self._data or self._file.read(_STEP)
            if self._expander is None:
                if not self._data:
                    return b""
                self._expander = zlib.decompressobj(self._window)
            try:
                found: bytes = self._expander.decompress(self._data, most)
            except zlib.error as error:
                raise ValueError(f"damaged compressed data: {error}") from error
            ended = self._expander.eof
            if not self._data and not found and not ended:
                raise ValueError("damaged compressed data: they end too early")
            self._data = self._expander.unused_data if ended else self._expander.unconsumed_tail
            if ended:
                self._expander = None
            if found:
                return found

    def close(self) -> None:
        """Closes the file."""
        if not self.closed:
            self._file.close()
            super().close()


class CompressedWriter:
    """Writes a new file, compressed or not.

    Args:
      compression: "", "GZIP" or "ZLIB".

    Raises:
      OSError: if there can be no such file. ValueError: for another compression.
    """

    def __init__(self, path: Any, compression: str = "") -> None:
        window = _WINDOWS[compression] if check_compression(compression) else 0
        self._file = open(path, "wb")  # noqa: SIM115 - closed by `close`
        self._stream = zlib.compressobj(wbits=window) if window else None

    def write(self, data: bytes) -> None:
        """Adds bytes."""
        self._file.write(data if self._stream is None else self._stream.compress(data))

    def flush(self) -> None:
        """Has what was written stand in the file."""
        if self._stream is not None:
            self._file.write(self._stream.flush(zlib.Z_SYNC_FLUSH))
        self._file.flush()

    def close(self) -> None:
        """Ends the file."""
        if not self._file.closed:
            if self._stream is not None:
                self._file.write(self._stream.flush())
            self._file.close()
