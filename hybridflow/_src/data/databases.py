"""Datasets of the rows of databases."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np

from hybridflow._src.data import nest
from hybridflow._src.data.element import Element
from hybridflow._src.data.ops import dataset_op
from hybridflow._src.data.passes import Pass, Source
from hybridflow._src.data.recipe import Recipe
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import (
    InvalidArgumentError,
    NotFoundError,
    OpError,
    UnknownError,
)
from hybridflow._src.framework.tensor_shape import TensorShape

if TYPE_CHECKING:
    from hybridflow._src.data.passes import Item, State
    from hybridflow._src.framework.dtypes import DType


class _Rows(Source):
    """The rows of a query of an SQLite database."""

    def __init__(self, driver: Any, path: Any, query: Any) -> None:
        name = driver[()].decode("utf-8", "replace")
        if name != "sqlite":
            raise InvalidArgumentError(
                None,
                None,
                f"The database type, {name}, is not supported by SqlDataset: `driver_name` is "
                '"sqlite".',
            )
        self.path = os.fsdecode(path[()])
        self.query = query[()].decode("utf-8", "replace")

    def begin(self) -> Pass:
        return _RowsPass(self)


class _RowsPass(Pass):
    """A pass through the rows; the query runs when the first is asked for, and changes nothing."""

    def __init__(self, source: _Rows) -> None:
        self._source = source
        self._number = 0
        self._rows: sqlite3.Cursor | None = None
        self._ended = False

    def next(self) -> Item | None:
        if self._ended:
            return None
        try:
            rows = self._opened()
            row = rows.fetchone()
        except sqlite3.Error as error:
            raise self._error(error) from error
        if row is None:
            self._ended = True
            self._close()
            return None
        self._number += 1
        types = self._source.types
        if len(row) != len(types):
            raise InvalidArgumentError(
                None,
                None,
                f"The number of columns in query ({len(row)}) must match the number of elements "
                f"in output_types ({len(types)}): {self._source.query!r}",
            )
        columns = zip(row, types, rows.description, strict=True)
        return tuple([self._value(value, dtype, about[0]) for value, dtype, about in columns])

    def _opened(self) -> sqlite3.Cursor:
        if self._rows is None:
            source = self._source
            if not os.path.exists(source.path):
                raise NotFoundError(None, None, f"{source.path}; No such file or directory")
            # Passes may be run by any thread, but by one at a time.
            name = f"file:{quote(os.path.abspath(source.path))}?mode=ro"
            database = sqlite3.connect(name, uri=True, check_same_thread=False)
            database.text_factory = bytes
            try:
                self._rows = database.execute(source.query)
            except BaseException:
                database.close()
                raise
            for _ in range(self._number):
                self._rows.fetchone()
        return self._rows

    def _close(self) -> None:
        if self._rows is not None:
            self._rows.connection.close()
        self._rows = None

    def __del__(self) -> None:
        self._close()

    def _error(self, error: Exception) -> OpError:
        source = self._source
        changes = "readonly" in str(error)  # its code is told from Python 3.11 on
        kind = InvalidArgumentError if changes else UnknownError
        return kind(
            None, None, f"Failed to execute query {source.query!r} of {source.path}: {error}"
        )

    def _value(self, value: Any, dtype: DType, column: str) -> np.ndarray:
        """A column of a row as an array.

        Raises:
          InvalidArgumentError: for text that is no number, and integers too large for the dtype.
        """
        found = np.empty((), dtype.np)
        try:
            if dtype is dtypes.string:
                text = b"" if value is None else value
                found[()] = text if isinstance(text, bytes) else str(text).encode()
            elif dtype is dtypes.bool:
                found[()] = bool(float(value or 0))
            elif dtype.is_integer:
                number = value or 0
                found[()] = number if isinstance(number, int) else int(float(number))
            else:
                found[()] = float(value or 0)
        except (ValueError, OverflowError) as error:
            raise InvalidArgumentError(
                None, None, f"Column {column!r} has {value!r}, which is no {dtype.name}: {error}"
            ) from error
        return found

    def state(self) -> State:
        return [self._number, self._ended]

    def restore(self, state: State) -> None:
        self._number, self._ended = state
        self._close()


_sql = dataset_op(
    "SqlDataset", "driver_name: string, data_source_name: string, query: string", _Rows
)


def of_rows(driver_name: Any, data_source_name: Any, query: Any, output_types: Any) -> Recipe:
    """The rows that a query gives."""
    inputs = tuple(
        convert_to_tensor(value, dtypes.string, name=name)
        for value, name in (
            (driver_name, "driver_name"),
            (data_source_name, "data_source_name"),
            (query, "query"),
        )
    )
    types = nest.map_structure(dtypes.as_dtype, output_types)
    shapes = nest.map_structure(lambda _: TensorShape([]), types)
    return Recipe(_sql, Element(types, shapes), lambda: inputs)
