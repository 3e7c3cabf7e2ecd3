"""Event files that fill while a program runs: nothing is lost when it ends or forks.

Events gather until there are some, or until time has passed: a thread looks to that. Whoever writes
them out holds the writer's lock, which a fork waits for.
"""

from __future__ import annotations

import atexit
import contextlib
import os
from functools import partial
from typing import Any

from hybridflow._src.formats.event_file import EventFile
from hybridflow._src.framework.errors import OpError
from hybridflow._src.framework.locks import Flag, call_in_child, holding, new_lock, start_thread
from hybridflow._src.platform import tf_logging
from hybridflow._src.platform.system_errors import translated

# Those that are open.
_open: dict[EventFileWriter, None] = {}


class EventFileWriter:
    """Writes `Event` messages to a new file in a folder, which is made if it is not there.

    Args:
      logdir: the folder.
      max_queue: how many events gather before they are written.
      flush_secs: after how many seconds they are at the latest.
      filename_suffix: the end of the file's name.

    Raises:
      OpError: of the class that fits, if the folder or the file cannot be made.
    """

    def __init__(
        self,
        logdir: Any,
        max_queue: int = 10,
        flush_secs: float = 120,
        filename_suffix: str | None = None,
    ) -> None:
        self._logdir = os.fspath(logdir)
        self._most = max_queue
        self._seconds = flush_secs
        self._suffix = filename_suffix or ""
        self._lock = new_lock()
        self._file: EventFile | None = None
        # Whether events gather; without a thread that writes them out they do not.
        self._gathers = False
        self._ended = Flag()
        self.reopen()

    def get_logdir(self) -> str:
        """The folder."""
        return self._logdir

    def reopen(self) -> None:
        """After `close`, begins another file in the folder; else it does nothing."""
        holding(self._lock, self._reopen)

    def _reopen(self) -> None:
        if self._file is not None:
            return
        with translated(self._logdir):
            os.makedirs(self._logdir, exist_ok=True)
            file = EventFile(os.path.join(self._logdir, "events"), self._suffix)
        _open[self] = None
        self._file = file
        self._gathers = False
        if self._seconds > 0:
            self._ended = ended = Flag()
            with contextlib.suppress(RuntimeError):  # there can be no more threads
                start_thread(partial(self._look_to, ended), "hybridflow events")
                self._gathers = True

    def _look_to(self, ended: Flag) -> None:
        """Writes out what has gathered, time and again."""
        failed = False
        while not ended.wait(self._seconds):
            try:
                self.flush()
                failed = False
            except OpError as error:
                if not failed:
                    tf_logging.warning("Events are kept, and written when that can be: %s", error)
                failed = True

    def add_event(self, event: Any) -> None:
        """Adds an `Event` message. After `close` it is dropped, with a warning.

        Raises:
          OpError: of the class that fits, if events cannot be written; they are kept.
        """
        holding(self._lock, self._add, event.SerializeToString())

    def _add(self, event: bytes) -> None:
        file = self._file
        if file is None:
            tf_logging.warning("An event is dropped: the writer for %s is closed.", self._logdir)
            return
        file.add(event)
        if not self._gathers or file.pending >= self._most:
            self._write_out()

    def _write_out(self) -> None:
        if self._file is not None:
            with translated(self._file.path):
                self._file.write_out()

    def flush(self) -> None:
        """Writes out what has gathered: it is in the file, whatever becomes of this program.

        Raises:
          OpError: of the class that fits, if it cannot be written; it is kept.
        """
        holding(self._lock, self._write_out)

    def close(self) -> None:
        """Writes out what has gathered, and closes the file.

        Raises:
          OpError: as `flush` does; the file stays open.
        """
        holding(self._lock, self._close)

    def _close(self) -> None:
        if self._file is None:
            return
        self._write_out()
        self._ended.set()
        self._file.close()
        self._file = None
        _open.pop(self, None)

    def _enter_child(self) -> None:
        """Leaves to the parent process what has gathered; nothing gathers in a child.

        A child has no thread, and may end without a word.
        """
        if self._file is not None and self._gathers:
            self._file.drop()
        self._gathers = False


def _at_exit() -> None:
    for writer in list(_open):
        try:
            writer.flush()
        except OpError as error:
            tf_logging.error("Events are lost: %s", error)


def _in_child() -> None:
    for writer in list(_open):
        writer._enter_child()


atexit.register(_at_exit)
call_in_child(_in_child)
