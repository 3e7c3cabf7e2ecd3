"""Datasets of what stands in files."""

from __future__ import annotations

from typing import Any

from hybridflow._src.data import databases, files
from hybridflow._src.data.dataset import Dataset

__all__ = ["FixedLengthRecordDataset", "SqlDataset", "TFRecordDataset", "TextLineDataset"]


class TextLineDataset(Dataset):
    """The lines of text files, as strings without their ends.

    Args:
      filenames: the name of a file, or a vector of names.
      compression_type: "", "ZLIB" or "GZIP".
      buffer_size: how many bytes are read ahead.

    Raises (when it runs): NotFoundError and the like, for files that cannot be read.

    >>> import hybridflow as hf
    >>> hf.data.TextLineDataset("poem.txt")
    <TextLineDataset shapes: (), types: <dtype: string>>
    """

    def __init__(
        self, filenames: Any, compression_type: Any = None, buffer_size: Any = None
    ) -> None:
        super().__init__(files.of_lines(filenames, compression_type, buffer_size))


class TFRecordDataset(Dataset):
    """The records of TFRecord files, as strings.

    Args:
      filenames: the name of a file, or a vector of names.
      compression_type: "", "ZLIB" or "GZIP".
      buffer_size: how many bytes are read ahead.

    Raises (when it runs): NotFoundError and the like, for files that cannot be read; DataLossError
    at a record that is damaged.

    >>> import hybridflow as hf
    >>> hf.data.TFRecordDataset(["train-0.tfrecord", "train-1.tfrecord"])
    <TFRecordDataset shapes: (), types: <dtype: string>>
    """

    def __init__(
        self, filenames: Any, compression_type: Any = None, buffer_size: Any = None
    ) -> None:
        super().__init__(files.of_records(filenames, compression_type, buffer_size))


class FixedLengthRecordDataset(Dataset):
    """Pieces of one length of binary files, as strings.

    Args:
      filenames: the name of a file, or a vector of names.
      record_bytes: the length of a piece.
      header_bytes, footer_bytes: how much of the beginning and the end of a file is left out.
      buffer_size: how many bytes are read ahead.
      compression_type: "", "ZLIB" or "GZIP". (TF 1.4 has no such argument.)

    Raises (when it runs): NotFoundError and the like, for files that cannot be read;
    InvalidArgumentError if a file holds no whole number of pieces.

    >>> import hybridflow as hf
    >>> hf.data.FixedLengthRecordDataset("images.bin", record_bytes=784, header_bytes=16)
    <FixedLengthRecordDataset shapes: (), types: <dtype: string>>
    """

    def __init__(
        self,
        filenames: Any,
        record_bytes: Any,
        header_bytes: Any = None,
        footer_bytes: Any = None,
        buffer_size: Any = None,
        compression_type: Any = None,
    ) -> None:
        super().__init__(
            files.of_pieces(
                filenames, record_bytes, header_bytes, footer_bytes, buffer_size, compression_type
            )
        )


class SqlDataset(Dataset):
    """The rows that a query of a database gives: tuples of scalars.

    Args:
      driver_name: "sqlite".
      data_source_name: the name of the database's file.
      query: what is asked, in SQL: a string scalar, like the other two.
      output_types: a tuple of dtypes, one for each column: string, bool, integers, floats.

    A value that is missing (NULL) is zero, or the empty string.

    Raises (when it runs):
      InvalidArgumentError: for another driver, for rows with other columns than `output_types`,
        and for what would change the database. NotFoundError: if there is no such file.
        UnknownError: if the database refuses the query.

    >>> import contextlib, os, sqlite3, tempfile
    >>> import hybridflow as hf
    >>> path = os.path.join(tempfile.mkdtemp(), "people.sqlite")
    >>> with contextlib.closing(sqlite3.connect(path)) as database, database:
    ...     _ = database.execute("CREATE TABLE people (name TEXT, age INTEGER)")
    ...     _ = database.execute("INSERT INTO people VALUES ('Ada', 36), ('Alan', 41)")
    >>> with hf.eager_mode():
    ...     data = hf.contrib.data.SqlDataset(
    ...         "sqlite", path, "SELECT name, age FROM people", (hf.string, hf.int32))
    ...     print([(name.numpy(), int(age)) for name, age in data])
    [(b'Ada', 36), (b'Alan', 41)]
    """

    def __init__(
        self, driver_name: Any, data_source_name: Any, query: Any, output_types: Any
    ) -> None:
        super().__init__(databases.of_rows(driver_name, data_source_name, query, output_types))
