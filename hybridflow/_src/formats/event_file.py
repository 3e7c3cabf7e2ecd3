"""Event files, which TensorBoard reads: records that are `Event` messages, appended whole."""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING

from hybridflow._src.formats import messages, records

if TYPE_CHECKING:
    from io import FileIO

_VERSION = "brain.Event:2"


class EventFile:
    """A new event file.

    An interrupt at any moment neither loses a record nor writes one twice: what has been written is
    noted by the call, in C, that has written it.

    Args:
      prefix: the path that its name begins with, in a folder that is there.
      suffix: the end of the file's name.

    Raises:
      OSError: if there can be no such file.
    """

    def __init__(self, prefix: str, suffix: str = "") -> None:
        second = int(time.time())
        while True:
            name = f"tfevents.{second:010d}.{socket.gethostname()}{suffix}"
            self.path = f"{prefix}.out.{name}"
            try:
                file: FileIO = open(self.path, "ab", buffering=0, opener=_new)  # noqa: SIM115
                self._file = file
                break
            except FileExistsError:
                second += 1
        # Pieces that are to be written, and how many bytes of these have been.
        self._state: tuple[list[bytes], list[int]] = ([], [])
        version = messages.Event(wall_time=time.time(), file_version=_VERSION)
        self.add(version.SerializeToString())
        self.write_out()

    def add(self, event: bytes) -> None:
        """Adds an `Event` message, serialized, to what is to be written."""
        self._state[0].append(records.frame(event))

    @property
    def pending(self) -> int:
        """How many pieces are to be written."""
        return len(self._state[0])

    def write_out(self) -> None:
        """Writes what is to be written, in one piece: who reads the file sees whole records.

        Raises:
          OSError: if that fails; what is left is written the next time.
        """
        self._settle()
        while self._state[0]:
            pieces, written = self._state
            data = b"".join(pieces)
            written.extend(map(self._file.write, (data,)))
            self._settle()

    def _settle(self) -> None:
        pieces, written = self._state
        if written:
            rest = b"".join(pieces)[written[0] :]
            self._state = ([rest] if rest else [], [])

    def drop(self) -> None:
        """Forgets what is to be written: another process does that."""
        self._state = ([], [])

    def close(self) -> None:
        """Closes the file; what is still to be written is not."""
        self._file.close()


def _new(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_EXCL, 0o666)
