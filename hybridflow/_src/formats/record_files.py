"""Files of records (TFRecord): written and read without graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.formats import records
from hybridflow._src.formats.compressed import CompressedWriter, check_compression, open_file
from hybridflow._src.framework.errors import DataLossError, FailedPreconditionError
from hybridflow._src.platform.system_errors import translated

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

__all__ = [
    "TFRecordCompressionType",
    "TFRecordOptions",
    "TFRecordWriter",
    "tf_record_iterator",
]


class TFRecordCompressionType:
    """How a file of records is compressed.

    >>> import hybridflow as hf
    >>> hf.python_io.TFRecordCompressionType.GZIP
    2
    """

    NONE = 0
    ZLIB = 1
    GZIP = 2


_NAMES = {
    TFRecordCompressionType.NONE: "",
    TFRecordCompressionType.ZLIB: "ZLIB",
    TFRecordCompressionType.GZIP: "GZIP",
}


class TFRecordOptions:
    """How a file of records is written and read.

    Args:
      compression_type: a `TFRecordCompressionType`, or the name of one: "", "ZLIB" or "GZIP".

    Raises:
      ValueError: for another type.

    >>> import hybridflow as hf
    >>> options = hf.python_io.TFRecordOptions(hf.python_io.TFRecordCompressionType.ZLIB)
    >>> hf.python_io.TFRecordOptions.get_compression_type_string(options)
    'ZLIB'
    """

    compression_type_map = _NAMES

    def __init__(self, compression_type: Any) -> None:
        self.get_compression_type_string(compression_type)
        self.compression_type = compression_type

    @classmethod
    def get_compression_type_string(cls, options: Any) -> str:
        """The name of the compression that options say: "" for none, and for no options."""
        if isinstance(options, TFRecordOptions):
            options = options.compression_type
        if not options:
            return ""
        if isinstance(options, int) and options in _NAMES:
            return _NAMES[options]
        return check_compression(options)


class TFRecordWriter:
    """Writes records to a file; as a context manager it closes the file at the end.

    Args:
      path: the file, which is made anew.
      options: a `TFRecordOptions`.

    Raises:
      OpError: of the class that fits, if there can be no such file.

    >>> import hybridflow as hf, os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "two.tfrecord")
    >>> with hf.python_io.TFRecordWriter(path) as writer:
    ...     writer.write(b"one")
    ...     writer.write(b"two")
    >>> list(hf.python_io.tf_record_iterator(path))
    [b'one', b'two']
    """

    def __init__(self, path: str | os.PathLike[str], options: Any = None) -> None:
        kind = TFRecordOptions.get_compression_type_string(options)
        self._path = path
        self._file: CompressedWriter | None = None
        with translated(path):
            self._file = CompressedWriter(path, kind)

    def __enter__(self) -> TFRecordWriter:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def write(self, record: Any) -> None:
        """Adds a record; text is encoded as UTF-8.

        Raises:
          TypeError: for what is neither. FailedPreconditionError: if the file is closed.
        """
        if not isinstance(record, str | bytes | bytearray | memoryview):
            hint = " `message.SerializeToString()` makes such of a message."
            raise TypeError(
                f"A record is a string of bytes, got a value of type '{type(record).__name__}'."
                f"{hint if hasattr(record, 'SerializeToString') else ''}"
            )
        data = record.encode() if isinstance(record, str) else bytes(record)
        with translated(self._path):
            self._opened().write(records.frame(data))

    def flush(self) -> None:
        """Has all records stand in the file."""
        with translated(self._path):
            self._opened().flush()

    def close(self) -> None:
        """Ends the file."""
        if self._file is not None:
            with translated(self._path):
                self._file.close()
            self._file = None

    def _opened(self) -> CompressedWriter:
        if self._file is None:
            raise FailedPreconditionError(None, None, f"{self._path}: the writer is closed.")
        return self._file


def tf_record_iterator(path: str | os.PathLike[str], options: Any = None) -> Iterator[bytes]:
    """The records of a file, one by one.

    Args:
      path: the file.
      options: a `TFRecordOptions`.

    Raises:
      NotFoundError: if there is no such file. DataLossError: at a record that is damaged or cut
        short.
    """
    kind = TFRecordOptions.get_compression_type_string(options)
    with translated(path):
        file = open_file(path, kind)
    return _records(file, path)


def _records(file: Any, path: Any) -> Iterator[bytes]:
    with file:
        while True:
            try:
                with translated(path):
                    record = records.read_one(file)
            except ValueError as error:
                raise DataLossError(None, None, f"{path}: {error}") from error
            if record is None:
                return
            yield record
