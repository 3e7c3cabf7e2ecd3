"""Tables as they run."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.errors import FailedPreconditionError, InvalidArgumentError
from hybridflow._src.framework.locks import holding, new_lock
from hybridflow._src.kernels import words
from hybridflow._src.ops.data_flow.elements import array_of, stacked
from hybridflow._src.ops.strings.elementwise import strings
from hybridflow._src.ops.strings.numbers import number_parser
from hybridflow._src.platform.system_errors import translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hybridflow._src.framework.dtypes import DType

# What stands for the number of a column: the number of the line, or all of it.
LINE_NUMBER, WHOLE_LINE = -1, -2
# Of so many words the numbers are found by a kernel.
_MANY = 64


def _invalid(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(None, None, message)


class Table:
    """Values by their keys.

    Args:
      name: in errors.
      key_dtype, value_dtype: of its entries.
      value_shape: that of a value.
      key_shape: that of a key.
    """

    kind = "MutableHashTable"

    def __init__(
        self,
        name: str,
        key_dtype: DType,
        value_dtype: DType,
        value_shape: tuple[int, ...] = (),
        key_shape: tuple[int, ...] = (),
    ) -> None:
        self.name = name
        self.key_dtype = key_dtype
        self.value_dtype = value_dtype
        self.value_shape = value_shape
        self.key_shape = key_shape
        self._lock = new_lock()
        self._entries: dict[Any, Any] = {}

    @property
    def traits(self) -> dict[str, Any]:
        """What it is, where others may have its name."""
        return {
            "kind": self.kind,
            "key dtype": self.key_dtype.name,
            "value dtype": self.value_dtype.name,
            "value shape": list(self.value_shape),
        }

    def entries(self) -> dict[Any, Any]:
        """The values by key, as they lie inside."""
        return self._entries

    def size(self) -> int:
        """How many there are; none before a table is filled."""
        return len(self._entries)

    # -- keys and values ---------------------------------------------------------------------------

    def _keys(self, keys: np.ndarray) -> list[Any]:
        """Keys as they lie inside: a scalar, or the bytes of a row."""
        self._check_dtype("keys", keys, self.key_dtype)
        if not self.key_shape:
            found: list[Any] = keys.reshape(-1).tolist()
            return found
        if keys.shape[1:] != self.key_shape or keys.ndim != len(self.key_shape) + 1:
            raise _invalid(f"Expected key shape {[len(keys), *self.key_shape]} got {keys.shape}")
        if keys.dtype.kind == "O":
            return [tuple(row.reshape(-1).tolist()) for row in keys]
        return [row.tobytes() for row in keys]

    def _check_dtype(self, what: str, array: np.ndarray, dtype: DType) -> None:
        if array.dtype != dtype.np:
            raise _invalid(
                f"The {what} of table '{self.name}' have dtype {dtype.name}, got {array.dtype}."
            )

    def _rows(self, keys: np.ndarray) -> tuple[int, ...]:
        return keys.shape[: keys.ndim - len(self.key_shape)]

    def find(self, keys: np.ndarray, default: np.ndarray) -> np.ndarray:
        """The values of keys; `default` for those that there are not.

        Raises:
          InvalidArgumentError: for other dtypes or shapes.
        """
        keys, default = array_of(keys), array_of(default)
        self._check_dtype("values", default, self.value_dtype)
        if default.shape != self.value_shape:
            raise _invalid(
                f"Expected shape {list(self.value_shape)} for default value, got {default.shape}"
            )
        return self._find(keys, default).reshape((*self._rows(keys), *self.value_shape))

    def _find(self, keys: np.ndarray, default: np.ndarray) -> np.ndarray:
        """The values of keys, in a row."""
        get = self.entries().get
        dtype = self.value_dtype.np
        inside = self._keys(keys)
        if self.value_shape:
            return stacked([get(key, default) for key in inside], dtype, self.value_shape)
        found: Iterator[Any] = map(get, inside, repeat(default.item()))
        if dtype.kind == "O":
            return strings(found, (len(inside),))
        return np.fromiter(found, dtype, len(inside))

    def _pairs(self, keys: np.ndarray, values: np.ndarray) -> list[tuple[Any, Any]]:
        keys, values = array_of(keys), array_of(values)
        self._check_dtype("values", values, self.value_dtype)
        expected = (*self._rows(keys), *self.value_shape)
        if values.shape != expected:
            raise _invalid(f"Expected shape {list(expected)} for value, got {values.shape}")
        flat = values.reshape(-1, *self.value_shape)
        items = list(flat.copy()) if self.value_shape else flat.tolist()
        return list(zip(self._keys(keys), items, strict=True))

    def insert(self, keys: np.ndarray, values: np.ndarray) -> None:
        """Sets the values of keys; of a key that comes twice the last one.

        Raises:
          InvalidArgumentError: for other dtypes or shapes.
        """
        pairs = self._pairs(keys, values)
        # One call in C, so that nobody sees half of them.
        holding(self._lock, self._entries.update, pairs)

    def replace(self, keys: np.ndarray, values: np.ndarray) -> None:
        """Sets all entries."""
        self._entries = dict(self._pairs(keys, values))

    def export(self) -> tuple[np.ndarray, np.ndarray]:
        """All keys, and their values."""
        items = holding(self._lock, lambda: list(self.entries().items()))
        keys = [self._key_array(key) for key, _ in items]
        values = [_array(value, self.value_dtype.np) for _, value in items]
        return (
            stacked(keys, self.key_dtype.np, self.key_shape),
            stacked(values, self.value_dtype.np, self.value_shape),
        )

    def _key_array(self, key: Any) -> np.ndarray:
        dtype = self.key_dtype.np
        if not self.key_shape:
            return _array(key, dtype)
        if isinstance(key, bytes):
            return np.frombuffer(key, dtype).reshape(self.key_shape)
        return np.array(key, object).reshape(self.key_shape)


def _array(value: Any, dtype: np.dtype[Any]) -> np.ndarray:
    return value if isinstance(value, np.ndarray) else np.array(value, dtype)


class DenseTable(Table):
    """A table with a key that marks places without an entry, and can be none itself."""

    kind = "MutableDenseHashTable"

    def __init__(self, *args: Any, empty_key: np.ndarray) -> None:
        super().__init__(*args)
        self._empty = super()._keys(empty_key.reshape(1, *empty_key.shape))[0]

    def _keys(self, keys: np.ndarray) -> list[Any]:
        found = super()._keys(keys)
        if self._empty in found:
            raise _invalid("Using the empty_key as a table key is not allowed")
        return found


class FixedTable(Table):
    """A table whose entries are set once."""

    kind = "HashTable"
    _is_set = False
    # Words and their values in a row, for a kernel.
    _laid_out: tuple[words.Numbers, np.ndarray] | None = None

    def _find(self, keys: np.ndarray, default: np.ndarray) -> np.ndarray:
        is_quick = keys.size >= _MANY and words.BYTES_ARE_KNOWN and keys.dtype.kind == "O"
        if is_quick and words.FIND.is_there(keys.size):
            self._check_dtype("keys", keys, self.key_dtype)
            if self._laid_out is None:
                self._laid_out = self._lay_out(self.entries())
            numbers, values = self._laid_out
            found = numbers.find(keys.reshape(-1))
            if found is not None and len(values):
                result = values.take(found, mode="clip")
                result[found < 0] = default
                return result
        return super()._find(keys, default)

    def _lay_out(self, entries: dict[Any, Any]) -> tuple[words.Numbers, np.ndarray]:
        keys, values = np.empty(len(entries), object), np.empty(len(entries), self.value_dtype.np)
        keys[:], values[:] = list(entries), list(entries.values())
        return words.Numbers(keys), values

    def entries(self) -> dict[Any, Any]:
        """The values by key.

        Raises:
          FailedPreconditionError: if they have not been set.
        """
        if not self._is_set:
            raise FailedPreconditionError(
                None,
                None,
                f"Table not initialized: '{self.name}' was used before it had entries. Run "
                "`session.run(hf.tables_initializer())` first.",
            )
        return self._entries

    def replace(self, keys: np.ndarray, values: np.ndarray) -> None:
        """Sets the entries: so initializers of TensorFlow from 1.13 on do it."""
        self.initialize_from(keys, values)

    def initialize(self, pairs: Sequence[tuple[Any, Any]], may_differ: bool = False) -> None:
        """Sets the entries; the same ones may be set again.

        Args:
          may_differ: whether others are passed over then.

        Raises:
          FailedPreconditionError: for others, and for a key with two values.
        """
        entries: dict[Any, Any] = {}
        for key, value in pairs:
            if entries.setdefault(key, value) != value:
                raise FailedPreconditionError(
                    None,
                    None,
                    f"HashTable has different value for same key. Key {key!r} has {entries[key]!r} "
                    f"and trying to add value {value!r}",
                )
        holding(self._lock, self._initialize, entries, may_differ)

    def _initialize(self, entries: dict[Any, Any], may_differ: bool) -> None:
        if self._is_set:
            if not may_differ and entries != self._entries:
                raise FailedPreconditionError(
                    None, None, f"Table already initialized: '{self.name}', with other entries."
                )
            return
        self._entries = entries
        self._is_set = True

    def initialize_from(self, keys: np.ndarray, values: np.ndarray) -> None:
        """Sets the entries to keys and their values.

        Raises:
          InvalidArgumentError: for other dtypes, other shapes, and without any.
        """
        keys, values = array_of(keys), array_of(values)
        if not keys.size:
            raise _invalid(f"keys and values cannot be empty tensors, in table '{self.name}'.")
        if keys.shape != values.shape:
            raise _invalid(
                f"keys and values must have the same shape, got {keys.shape} and {values.shape}"
            )
        self.initialize(self._pairs(keys, values))

    def initialize_from_file(
        self, path: str, key_index: int, value_index: int, size: int, delimiter: bytes
    ) -> None:
        """Sets the entries to what the lines of a file hold.

        Args:
          key_index, value_index: the columns; `LINE_NUMBER` or `WHOLE_LINE`.
          size: how many lines are read; all if it is negative.
          delimiter: what stands between columns.

        Raises:
          InvalidArgumentError: for a line that lacks a column, or has no number where one is to be,
            and if there are fewer lines. NotFoundError: if there is no such file.
        """
        key_of = _column(key_index, self.key_dtype, path)
        value_of = _column(value_index, self.value_dtype, path)
        columns = max(key_index, value_index)
        pairs = []
        with translated(path):
            for number, line in enumerate(lines_of(path, size)):
                parts = line.split(delimiter) if columns >= 0 else []
                if len(parts) <= columns:
                    raise _invalid(
                        f"Invalid number of columns in {path} line {number} ({line!r:.200}) : "
                        f"expected at least {columns + 1} got {len(parts)}"
                    )
                pairs.append((key_of(number, line, parts), value_of(number, line, parts)))
        if size >= 0 and len(pairs) < size:
            raise _invalid(
                f"Invalid vocab_size in {path}: expected {size} but got {len(pairs)} lines"
            )
        self.initialize(pairs, may_differ=True)


def lines_of(path: str, size: int) -> Iterator[bytes]:
    """The lines of a file, so many at most."""
    with open(path, "rb") as file:
        for number, line in enumerate(file):
            if number == size:
                return
            yield line.removesuffix(b"\n").replace(b"\r", b"")


def _column(index: int, dtype: DType, path: str) -> Callable[[int, bytes, list[bytes]], Any]:
    """What reads a column of a line."""
    if index == LINE_NUMBER:
        return lambda number, line, parts: number

    def text(line: bytes, parts: list[bytes]) -> bytes:
        return line if index == WHOLE_LINE else parts[index]

    if dtype.np.kind == "O":
        return lambda number, line, parts: text(line, parts)
    parse = number_parser(dtype.np)

    def read(number: int, line: bytes, parts: list[bytes]) -> Any:
        try:
            return dtype.np.type(parse(text(line, parts))).item()
        except ValueError:
            raise _invalid(
                f"Field {text(line, parts)!r:.200} in line {number} of {path} is not a valid "
                f"{dtype.name}."
            ) from None

    return read
