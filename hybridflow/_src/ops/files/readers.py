"""Readers: records of the files that a queue names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.framework import settings
from hybridflow._src.framework.op_def import REQUIRED, OpDef, not_differentiable
from hybridflow._src.framework.waiting import Later, Waiting
from hybridflow._src.ops.data_flow.handles import named, new_handle
from hybridflow._src.ops.files import reader_state
from hybridflow._src.ops.files.whole import objects, one_string
from hybridflow._src.ops.shape_rules import with_rank

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.ops.files.reader_state import Reader

__all__ = [
    "FixedLengthRecordReader",
    "IdentityReader",
    "LMDBReader",
    "ReaderBase",
    "TFRecordReader",
    "TextLineReader",
    "WholeFileReader",
]

# -- ops -------------------------------------------------------------------------------------------


def _reader(name: str, make: Callable[..., Reader], attrs: dict[str, Any]) -> OpDef:
    return named("reader", name, make, attrs, output="reader_handle")


_identity_reader = _reader("IdentityReaderV2", reader_state.IdentityReader, {})
_whole_file_reader = _reader("WholeFileReaderV2", reader_state.WholeFileReader, {})
_text_line_reader = _reader(
    "TextLineReaderV2",
    lambda name, skip_header_lines: reader_state.TextLineReader(name, int(skip_header_lines)),
    {"skip_header_lines": 0},
)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _fixed_length(
    name: str,
    header_bytes: int,
    record_bytes: int,
    footer_bytes: int,
    hop_bytes: int,
    encoding: Any,
) -> Reader:
    return reader_state.FixedLengthRecordReader(
        name, header_bytes, record_bytes, footer_bytes, hop_bytes, _text(encoding)
    )


_fixed_length_record_reader = _reader(
    "FixedLengthRecordReaderV2",
    _fixed_length,
    {
        "header_bytes": 0,
        "record_bytes": REQUIRED,
        "footer_bytes": 0,
        "hop_bytes": 0,
        "encoding": "",
    },
)
_tf_record_reader = _reader(
    "TFRecordReaderV2",
    lambda name, compression_type: reader_state.TFRecordReader(name, _text(compression_type)),
    {"compression_type": ""},
)
# The only one of TensorFlow's that has no second version.
_lmdb_reader = _reader("LMDBReader", reader_state.LMDBReader, {})


def _read(reader: Reader, queue: Any) -> list[np.ndarray]:
    return [np.array(item, object) for item in reader.read(queue)]


def _read_up_to(reader: Reader, queue: Any, number: Any) -> list[np.ndarray]:
    found = reader.read_up_to(queue, int(number))
    return [objects([key for key, _ in found]), objects([value for _, value in found])]


def _number_shape(attrs: dict[str, Any], reader: Any, queue: Any, number: Any) -> list[Any]:
    with_rank(number, 0)
    return [(None,), (None,)]


_reader_read = OpDef(
    "ReaderReadV2",
    "reader_handle: resource, queue_handle: resource -> key: string, value: string",
    shape=lambda attrs, reader, queue: [(), ()],
    compute=Waiting(lambda reader, queue: Later(_read, reader, queue)),
    grad=not_differentiable,
    stateful=True,
)
_reader_read_up_to = OpDef(
    "ReaderReadUpToV2",
    "reader_handle: resource, queue_handle: resource, num_records: int64 "
    "-> keys: string, values: string",
    shape=_number_shape,
    compute=Waiting(lambda *args: Later(_read_up_to, *args)),
    grad=not_differentiable,
    stateful=True,
)


def _asked(name: str, output: str, ask: Callable[[Reader], Any]) -> OpDef:
    """The record of an op that tells something of a reader."""
    return OpDef(
        name,
        f"reader_handle: resource -> {output}",
        shape=lambda attrs, reader: (),
        compute=ask,
        grad=not_differentiable,
        stateful=True,
    )


_num_records_produced = _asked(
    "ReaderNumRecordsProducedV2",
    "records_produced: int64",
    lambda reader: np.asarray(reader.produced, np.int64),
)
_num_work_units_completed = _asked(
    "ReaderNumWorkUnitsCompletedV2",
    "units_completed: int64",
    lambda reader: np.asarray(reader.completed, np.int64),
)
_serialize_state = _asked(
    "ReaderSerializeStateV2",
    "state: string",
    lambda reader: np.array(reader.serialize(), object),
)
_restore_state = OpDef(
    "ReaderRestoreStateV2",
    "reader_handle: resource, state: string ->",
    shape=lambda attrs, reader, state: [*with_rank(state, 0)],
    compute=Waiting(lambda reader, state: Later(reader.restore, one_string(state, "state"))),
    grad=not_differentiable,
    stateful=True,
)
_reset = OpDef(
    "ReaderResetV2",
    "reader_handle: resource ->",
    shape=lambda attrs, reader: [],
    compute=Waiting(lambda reader: Later(reader.reset)),
    grad=not_differentiable,
    stateful=True,
)


# -- classes ---------------------------------------------------------------------------------------


class Read(NamedTuple):
    """What `read` gives."""

    key: Tensor
    value: Tensor


class ReadUpTo(NamedTuple):
    """What `read_up_to` gives."""

    keys: Tensor
    values: Tensor


class ReaderBase:
    """What all readers can do: take names of files from a queue, and records out of the files.

    A reader goes on where it stopped, from run to run; when a file is at its end it takes the next
    name, and waits if there is none. One may be used by any number of threads.

    Args:
      reader_ref: the handle of the reader.
      supports_serialize: whether it has a state that can be kept.
    """

    def __init__(self, reader_ref: Tensor, supports_serialize: bool = False) -> None:
        self._reader_ref = reader_ref
        self._supports_serialize = supports_serialize

    @property
    def reader_ref(self) -> Tensor:
        """The handle of the reader."""
        return self._reader_ref

    @property
    def supports_serialize(self) -> bool:
        """Whether it has a state that can be kept."""
        return self._supports_serialize

    def read(self, queue: Any, name: str | None = None) -> Read:
        """The next record.

        Args:
          queue: a queue of strings, or the handle of one.
          name: name of the op.

        Returns: `(key, value)`: two string scalars, where the record is from, and the record.

        Raises:
          OutOfRangeError: when it runs, if the queue is closed and empty, and the last file read.
            NotFoundError: if there is no such file. DataLossError: for a file that is damaged.
        """
        return Read(*_reader_read(self._reader_ref, _handle_of(queue), name=name))

    def read_up_to(self, queue: Any, num_records: Any, name: str | None = None) -> ReadUpTo:
        """The next records of one file.

        Args:
          queue: as for `read`.
          num_records: how many at most: an int64 scalar; at the end of a file there are fewer.
          name: name of the op.

        Returns: `(keys, values)`: two string vectors, the keys and the records.

        Raises:
          OutOfRangeError, NotFoundError, DataLossError: as `read` does.
        """
        handle = _handle_of(queue)
        return ReadUpTo(*_reader_read_up_to(self._reader_ref, handle, num_records, name=name))

    def num_records_produced(self, name: str | None = None) -> Tensor:
        """How many records it has given: an int64 scalar."""
        number: Tensor = _num_records_produced(self._reader_ref, name=name)
        return number

    def num_work_units_completed(self, name: str | None = None) -> Tensor:
        """How many files it has read to their ends: an int64 scalar."""
        number: Tensor = _num_work_units_completed(self._reader_ref, name=name)
        return number

    def serialize_state(self, name: str | None = None) -> Tensor:
        """The state: a string scalar.

        Raises:
          UnimplementedError: when it runs, unless it `supports_serialize`.
        """
        state: Tensor = _serialize_state(self._reader_ref, name=name)
        return state

    def restore_state(self, state: Any, name: str | None = None) -> Any:
        """Has it go on from a state: what `serialize_state` of such a reader gave.

        Raises:
          UnimplementedError: when it runs, unless it `supports_serialize`. InvalidArgumentError:
            for what is no state.
        """
        return _restore_state(self._reader_ref, state, name=name)

    def reset(self, name: str | None = None) -> Any:
        """Has it begin anew: the rest of the file at hand is not read."""
        return _reset(self._reader_ref, name=name)


def _handle_of(queue: Any) -> Any:
    if isinstance(queue, str | bytes | list | tuple):
        raise TypeError(
            f"A reader takes a queue of names, got {queue!r:.200}. Write "
            "`queue = hf.train.string_input_producer([...])` and `reader.read(queue)`."
        )
    return getattr(queue, "queue_ref", queue)


class IdentityReader(ReaderBase):
    """A reader whose records are the queue's strings themselves, which are the keys too.

    Args:
      name: name of the op.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     queue = hf.FIFOQueue(9, hf.string, shapes=[()])
    ...     key, value = hf.IdentityReader().read(queue)
    ...     sess.run(queue.enqueue("a"))
    ...     print(sess.run([key, value]))
    [b'a', b'a']
    """

    def __init__(self, name: str | None = None) -> None:
        super().__init__(new_handle(_identity_reader, name), supports_serialize=True)


class WholeFileReader(ReaderBase):
    """A reader whose records are whole files; their keys are their names.

    Args:
      name: name of the op.

    >>> import hybridflow as hf, os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "a.txt")
    >>> with open(path, "w") as file:
    ...     print(file.write("whole"))
    5
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     queue = hf.train.string_input_producer([path])
    ...     key, value = hf.WholeFileReader().read(queue)
    ...     threads = hf.train.start_queue_runners(sess)
    ...     print(sess.run(value))
    b'whole'
    """

    def __init__(self, name: str | None = None) -> None:
        super().__init__(new_handle(_whole_file_reader, name), supports_serialize=True)


class TextLineReader(ReaderBase):
    r"""A reader whose records are lines, without what ends them; keys are `file:number`, from 1.

    Args:
      skip_header_lines: how many lines at the beginning of each file are left out.
      name: name of the op.

    Raises:
      ValueError: for a negative number.

    >>> import hybridflow as hf, os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "a.csv")
    >>> with open(path, "w") as file:
    ...     print(file.write("x,y\n1,2\n3,4\n"))
    12
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     queue = hf.train.string_input_producer([path])
    ...     key, value = hf.TextLineReader(skip_header_lines=1).read(queue)
    ...     threads = hf.train.start_queue_runners(sess)
    ...     print(sess.run(value), sess.run(value))
    b'1,2' b'3,4'
    """

    def __init__(self, skip_header_lines: int | None = None, name: str | None = None) -> None:
        skip = _at_least_0(skip_header_lines, "skip_header_lines")
        super().__init__(new_handle(_text_line_reader, name, skip_header_lines=skip))


class FixedLengthRecordReader(ReaderBase):
    r"""A reader whose records have one length; keys are `file:number`, from 0.

    Args:
      record_bytes: how many bytes a record has.
      header_bytes, footer_bytes: how many bytes at the beginning and the end of each file are none.
      hop_bytes: from the beginning of a record to that of the next; by default the length of one.
      name: name of the op.
      encoding: "GZIP" or "ZLIB" for files that are compressed.

    Raises:
      ValueError: for negative numbers, or another encoding.

    >>> import hybridflow as hf, os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "a.bin")
    >>> with open(path, "wb") as file:
    ...     print(file.write(bytes(range(6))))
    6
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     queue = hf.train.string_input_producer([path])
    ...     key, value = hf.FixedLengthRecordReader(2).read(queue)
    ...     threads = hf.train.start_queue_runners(sess)
    ...     print(sess.run(value), sess.run(value))
    b'\x00\x01' b'\x02\x03'
    """

    def __init__(
        self,
        record_bytes: int,
        header_bytes: int | None = None,
        footer_bytes: int | None = None,
        hop_bytes: int | None = None,
        name: str | None = None,
        encoding: str | None = None,
    ) -> None:
        if encoding not in (None, "", "GZIP", "ZLIB"):
            raise ValueError(f"encoding must be 'GZIP', 'ZLIB' or None, got {encoding!r}.")
        handle = new_handle(
            _fixed_length_record_reader,
            name,
            record_bytes=_at_least_0(record_bytes, "record_bytes"),
            header_bytes=_at_least_0(header_bytes, "header_bytes"),
            footer_bytes=_at_least_0(footer_bytes, "footer_bytes"),
            hop_bytes=_at_least_0(hop_bytes, "hop_bytes"),
            encoding=encoding or "",
        )
        super().__init__(handle)


class TFRecordReader(ReaderBase):
    """A reader of TFRecord files; keys are `file:offset`.

    Args:
      name: name of the op.
      options: a `TFRecordOptions`, which tells how files are compressed, or "GZIP" or "ZLIB".

    Raises:
      ValueError: for another compression.
    """

    def __init__(self, name: str | None = None, options: Any = None) -> None:
        handle = new_handle(_tf_record_reader, name, compression_type=_compression(options))
        super().__init__(handle)


class LMDBReader(ReaderBase):
    """A reader of the keys and values of LMDB databases.

    It needs the library `lmdb`: `pip install 'hybridflow[lmdb]'`. A unit of work is a folder that
    LMDB has made, or a file.

    Args:
      name: name of the op.
      options: is not used; other readers have it.

    Raises:
      ImportError: when it runs, without the library. NotFoundError: if there is no such folder.
        DataLossError: for what is no database.
    """

    def __init__(self, name: str | None = None, options: Any = None) -> None:
        super().__init__(new_handle(_lmdb_reader, name))


def _compression(options: Any) -> str:
    kind = options
    if options is not None and not isinstance(options, str):
        kind = options.get_compression_type_string(options)
    if kind not in (None, "", "GZIP", "ZLIB"):
        raise ValueError(f"The compression of records must be 'GZIP' or 'ZLIB', got {kind!r}.")
    return kind or ""


def _at_least_0(value: Any, what: str) -> int:
    number = settings.whole(0 if value is None else value, what)
    if number < 0:
        raise ValueError(f"{what} must be >= 0 not {number}")
    return number
