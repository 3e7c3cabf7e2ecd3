"""`EventsWriter`: event files as TensorFlow's C interface writes them, one call a step."""

from __future__ import annotations

import os
from typing import Any

from hybridflow._src.formats.event_file import EventFile
from hybridflow._src.framework.locks import holding, new_lock
from hybridflow._src.platform.system_errors import translated

__all__ = ["EventsWriter"]


class EventsWriter:
    """Writes `Event` messages to a file, which is made with the first of them.

    Unlike `tf.summary.FileWriter` it has no thread: what it has taken is written by `Flush` and
    `Close`, and lost where neither is called.

    Args:
      file_prefix: what the file's path begins with, str or bytes; `.out.tfevents.`, the time and
        the machine's name follow. Its folder is there.

    Raises:
      TypeError: if it is no path.

    >>> import hybridflow as hf
    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     writer = hf.pywrap_tensorflow.EventsWriter(os.path.join(folder, "events").encode())
    ...     writer.WriteEvent(hf.Event(step=3))
    ...     _ = writer.Close()
    ...     [file] = os.listdir(folder)
    ...     print([event.step for event in hf.train.summary_iterator(os.path.join(folder, file))])
    [0, 3]
    """

    def __init__(self, file_prefix: Any) -> None:
        self._prefix = os.fsdecode(file_prefix)
        self._suffix = ""
        self._file: EventFile | None = None
        self._lock = new_lock()

    def InitWithSuffix(self, suffix: Any) -> None:
        """Has the names of its files end so, from the next one on; begins that."""
        self.Close()
        self._suffix = os.fsdecode(suffix)
        holding(self._lock, self._opened)

    def FileName(self) -> bytes:
        """The path of the file, which is made if it is not there yet.

        Raises:
          OpError: of the class that fits, if there can be no such file.
        """
        return os.fsencode(holding(self._lock, self._opened).path)

    def _opened(self) -> EventFile:
        if self._file is None:
            with translated(self._prefix):
                self._file = EventFile(self._prefix, self._suffix)
        return self._file

    def WriteEvent(self, event: Any) -> None:
        """Adds an `Event` message; after `Close`, to another file.

        Raises:
          TypeError: for what is no message. OpError: of the class that fits, if there can be no
            such file.
        """
        if not hasattr(event, "SerializeToString"):
            raise TypeError(f"Expected an event_pb2.Event proto, but got {type(event)}")
        data = event.SerializeToString()
        holding(self._lock, lambda: self._opened().add(data))

    def _num_outstanding_events(self) -> int:
        """How many events have been added and not written."""
        return 0 if self._file is None else self._file.pending

    def Flush(self) -> bool:
        """Writes what has been added; gives True.

        Raises:
          OpError: of the class that fits, if that fails; what is left is written the next time.
        """
        holding(self._lock, self._write_out)
        return True

    def _write_out(self) -> None:
        if self._file is not None:
            with translated(self._file.path):
                self._file.write_out()

    def Close(self) -> bool:
        """Writes what has been added and closes the file; gives True.

        Raises:
          OpError: as `Flush` does; the file stays open.
        """
        holding(self._lock, self._close)
        return True

    def _close(self) -> None:
        self._write_out()
        if self._file is not None:
            self._file.close()
            self._file = None
