"""What ranks print, in whole lines: the launcher puts together what comes from all of them."""

from __future__ import annotations

import atexit
import io
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import TextIO


class _WholeLines(io.RawIOBase):
    """A file that is written to a line or more at a time.

    What comes after the last end of a line waits for the next one, or the end of the program.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._held = b""

    def writable(self) -> bool:
        """True."""
        return True

    def fileno(self) -> int:
        """The file's descriptor."""
        return self._descriptor

    def write(self, data: Any) -> int:
        """Writes what is whole, and keeps the rest."""
        given = bytes(data)
        text = self._held + given
        end = max(text.rfind(b"\n"), text.rfind(b"\r")) + 1
        self._held = text[end:]
        self._put(text[:end])
        return len(given)

    def finish(self) -> None:
        """Writes what is left."""
        rest, self._held = self._held, b""
        self._put(rest)

    def _put(self, text: bytes) -> None:
        while text:
            text = text[os.write(self._descriptor, text) :]


def _wrapped(stream: TextIO) -> TextIO | None:
    """A stream in whole lines; None for one that is no file.

    A terminal is no other one: Open MPI gives each rank a terminal of its own, whose output it puts
    together as others do.
    """
    try:
        descriptor = stream.fileno()
    except (AttributeError, OSError, ValueError):
        return None
    stream.flush()
    raw: Any = _WholeLines(descriptor)
    atexit.register(raw.finish)
    # Every `write` goes on to the file, which waits for the ends of lines.
    return io.TextIOWrapper(
        raw,
        stream.encoding,
        stream.errors,
        newline="\n",
        write_through=True,
    )


def install() -> None:
    """From now on standard output and standard error are written in whole lines."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(getattr(stream, "buffer", None), _WholeLines):
            continue
        wrapped = _wrapped(stream)
        if wrapped is not None:
            setattr(sys, name, wrapped)
