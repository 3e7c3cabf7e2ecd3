"""Readers as they run: records of the files that a queue names."""

from __future__ import annotations

import contextlib
import os
import struct
from typing import TYPE_CHECKING, Any

from hybridflow._src.formats import lmdb_files, messages, records
from hybridflow._src.formats.compressed import open_file
from hybridflow._src.framework.errors import (
    DataLossError,
    InvalidArgumentError,
    OutOfRangeError,
    UnimplementedError,
)
from hybridflow._src.framework.locks import mending
from hybridflow._src.framework.waiting import Attempt, Exchange
from hybridflow._src.platform.system_errors import translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Record = tuple[bytes, bytes]


class _Turns(Exchange):
    """One thread at a time; the others wait in the order in which they came."""

    def __init__(self) -> None:
        super().__init__(lines=1)
        self._holder: Attempt | None = None
        self._of = os.getpid()

    def take(self, what: str, function: Callable[[], Any]) -> Any:
        """Calls a function when it is this thread's turn."""
        attempt = self.begin(Attempt(self, 0, self._serve_turn, what))

        def run() -> Any:
            attempt.wait()
            return function()

        result = mending(run, lambda: self._leave_turn(attempt))
        self._leave_turn(attempt)
        return result

    def _serve_turn(self, attempt: Attempt) -> bool:
        if self._of != os.getpid():  # who had it is a thread of the parent
            self._of, self._holder = os.getpid(), None
        if self._holder is None or self._holder is attempt:
            self._holder = attempt
            attempt.done = True
        return attempt.done

    def _leave_turn(self, attempt: Attempt) -> None:
        if self._holder is attempt:
            self._holder = None
        self.wake()


class Reader:
    """Takes units of work, most often names of files, from a queue, and records out of these.

    Args:
      name: in errors.
    """

    kind = "Reader"
    # Whether a unit of work is one record: its state is what all readers have then.
    is_simple = False

    def __init__(self, name: str) -> None:
        self.name = name
        self._turns = _Turns()
        self._clear()

    def _clear(self) -> None:
        self.produced = 0
        self.completed = 0
        self._started = 0
        self._work = b""
        self._records: Iterator[Record] | None = None

    def records(self, work: bytes) -> Iterator[Record]:
        """The keys and values of what a unit of work names."""
        raise NotImplementedError

    @property
    def traits(self) -> dict[str, Any]:
        """What it is, where others may have its name."""
        return {"kind": self.kind}

    def read(self, queue: Any) -> Record:
        """The next record.

        Raises:
          OutOfRangeError: at the end of the queue.
        """
        found: Record = self._turns.take("Read operation", lambda: self._some(queue, 1)[0])
        return found

    def read_up_to(self, queue: Any, number: int) -> list[Record]:
        """The next records, so many at most, all of one unit of work; one at least.

        Raises:
          OutOfRangeError: at the end of the queue. InvalidArgumentError: for a negative number.
        """
        if number < 0:
            raise InvalidArgumentError(None, None, f"num_records must be >= 0, got {number}.")
        found: list[Record] = []
        if number:
            found = self._turns.take("Read operation", lambda: self._some(queue, number))
        return found

    def _some(self, queue: Any, most: int) -> list[Record]:
        found: list[Record] = []
        while not found:
            if self._records is None:
                (work,) = queue.dequeue().wait()
                self._begin(_unit(work))
            assert self._records is not None
            try:
                for record in self._records:
                    found.append(record)
                    self.produced += 1
                    if len(found) == most:
                        if self.is_simple:  # a unit of work is one record, and done
                            self._end()
                        return found
            except BaseException:
                # What cannot be read is not tried again.
                self._end()
                raise
            self._end()
        return found

    def _begin(self, work: bytes) -> None:
        self._work = work
        self._started += 1
        self._records = self.records(work)

    def _end(self) -> None:
        self.completed = self._started
        self._records = None

    def reset(self) -> None:
        """Begins anew: what is left of the unit at hand is not read."""
        self._turns.take("Reset operation", self._clear)

    # -- state -------------------------------------------------------------------------------------

    def serialize(self) -> bytes:
        """Its state.

        Raises:
          UnimplementedError: if it reads units of work in parts.
        """
        self._check_simple("SerializeState")
        state = messages.ReaderBaseState(
            work_started=self._started,
            work_finished=self.completed,
            num_records_produced=self.produced,
            current_work=self._work,
        )
        data: bytes = state.SerializeToString()
        return data

    def restore(self, data: bytes) -> None:
        """Goes on from a state.

        Raises:
          UnimplementedError: if it reads units of work in parts. InvalidArgumentError: for bytes
            that are no state.
        """
        self._check_simple("RestoreState")
        problem = f"Could not parse state for {self.kind} '{self.name}': {data!r:.200}"
        try:
            state = messages.ReaderBaseState.FromString(data)
        except messages.decode_error():
            raise InvalidArgumentError(None, None, problem) from None
        counts = (state.work_started, state.work_finished, state.num_records_produced)
        if min(counts) < 0 or state.work_finished > state.work_started:
            raise InvalidArgumentError(None, None, problem)

        def restore() -> None:
            self._started, self.completed, self.produced = counts
            self._work = state.current_work
            going_on = self._started > self.completed
            self._records = self.records(self._work) if going_on else None

        self._turns.take("Restore operation", restore)

    def _check_simple(self, what: str) -> None:
        if not self.is_simple:
            raise UnimplementedError(None, None, f"{self.kind} '{self.name}': {what}")


def _unit(work: Any) -> bytes:
    value = work if isinstance(work, bytes) else work.item()
    if not isinstance(value, bytes):
        raise InvalidArgumentError(
            None, None, f"Expected the queue to hold scalars of strings, got {value!r:.100}."
        )
    return value


class IdentityReader(Reader):
    """Units of work as they are."""

    kind = "IdentityReader"
    is_simple = True

    def records(self, work: bytes) -> Iterator[Record]:
        yield work, work


class WholeFileReader(Reader):
    """What files hold."""

    kind = "WholeFileReader"
    is_simple = True

    def records(self, work: bytes) -> Iterator[Record]:
        path = os.fsdecode(work)
        with translated(path), open(path, "rb") as file:
            content = file.read()
        yield work, content


@contextlib.contextmanager
def _opened(work: bytes, compression: str = "") -> Iterator[Any]:
    """A file that is read; what is wrong with its data is an error of TensorFlow's."""
    path = os.fsdecode(work)
    with translated(path):
        try:
            with open_file(path, compression) as file:
                yield file
        except ValueError as error:
            raise DataLossError(None, None, f"{error} ({path})") from error


class TextLineReader(Reader):
    """Lines of files, without what ends them.

    Args:
      skip: how many are left out at the beginning.
    """

    kind = "TextLineReader"

    def __init__(self, name: str, skip: int) -> None:
        super().__init__(name)
        self._skip = skip

    def records(self, work: bytes) -> Iterator[Record]:
        with _opened(work) as file:
            for number, line in enumerate(file, start=1):
                text = line.removesuffix(b"\n").replace(b"\r", b"")
                if number > self._skip and (text or line.endswith(b"\n")):
                    yield b"%s:%d" % (work, number), text


class FixedLengthRecordReader(Reader):
    """Records of one length.

    Args:
      header, record, footer: how many bytes the head of a file, a record and the end have.
      hop: from the beginning of a record to that of the next; 0 for the length of one.
    """

    kind = "FixedLengthRecordReader"

    def __init__(
        self, name: str, header: int, record: int, footer: int, hop: int, encoding: str
    ) -> None:
        super().__init__(name)
        self._header = header
        self._record = record
        self._footer = footer
        self._hop = hop or record
        self._encoding = encoding

    def records(self, work: bytes) -> Iterator[Record]:
        needed = self._record + self._footer
        with _opened(work, self._encoding) as file:
            if _skipped(file, self._header) < self._header:
                raise OutOfRangeError(
                    None, None, f"The file ends within its header ({os.fsdecode(work)})"
                )
            ahead = b""
            number = 0
            while True:
                ahead += _read(file, needed - len(ahead))
                if len(ahead) < needed:
                    return
                yield b"%s:%d" % (work, number), ahead[: self._record]
                number += 1
                rest = self._hop - len(ahead)
                ahead = ahead[self._hop :]
                if rest > 0 and _skipped(file, rest) < rest:
                    return


# Bytes are read in steps of so many: a length may be larger than the file.
_STEP = 1 << 20


def _read(file: Any, size: int) -> bytes:
    parts = []
    while size > 0 and (part := file.read(min(size, _STEP))):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _skipped(file: Any, size: int) -> int:
    """Reads over so many bytes; tells how many there were."""
    left = size
    while left > 0 and (part := file.read(min(left, _STEP))):
        left -= len(part)
    return size - left


# The bytes of a record beside its data: its length, and two checksums.
_FRAME = struct.calcsize("<QII")


class TFRecordReader(Reader):
    """Records with checksums."""

    kind = "TFRecordReader"

    def __init__(self, name: str, compression: str) -> None:
        super().__init__(name)
        self._compression = compression

    def records(self, work: bytes) -> Iterator[Record]:
        offset = 0
        with _opened(work, self._compression) as file:
            for record in records.read(file):
                yield b"%s:%d" % (work, offset), record
                offset += len(record) + _FRAME


class LMDBReader(Reader):
    """Keys and values of databases."""

    kind = "LMDBReader"

    def records(self, work: bytes) -> Iterator[Record]:
        yield from lmdb_files.read(os.fsdecode(work))
