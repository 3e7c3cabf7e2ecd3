"""Tables that are filled once: keys and values, or a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes, settings
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import DTypeError
from hybridflow._src.framework.graph_keys import GraphKeys, add_to_collection
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.sparse_tensor import SparseTensor
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.data_flow.handles import new_handle
from hybridflow._src.ops.tables import table_ops
from hybridflow._src.ops.tables.table_state import LINE_NUMBER, WHOLE_LINE

if TYPE_CHECKING:
    from hybridflow._src.framework.dtypes import DType

__all__ = [
    "HashTable",
    "InitializableLookupTableBase",
    "KeyValueTensorInitializer",
    "LookupInterface",
    "TableInitializerBase",
    "TextFileIdTableInitializer",
    "TextFileIndex",
    "TextFileInitializer",
    "TextFileStringTableInitializer",
]

_MISMATCH = "Signature mismatch. {what} must be dtype {wanted}, got {got}."


def name_of(handle: Any) -> str:
    """The last part of the name of a table."""
    name: str = getattr(getattr(handle, "_a", None), "name", "") or handle.op.name
    return name.rstrip("/").split("/")[-1]


def check_dtype(what: str, got: DType, wanted: DType) -> None:
    """Checks the dtype of keys or values.

    Raises:
      TypeError: if it is another one than the table's.
    """
    if got.base_dtype is not wanted:
        raise DTypeError(_MISMATCH.format(what=what, wanted=wanted.name, got=got.base_dtype.name))


def keys_of(keys: Any, dtype: DType) -> Any:
    """Keys as a tensor, dense or sparse."""
    if isinstance(keys, SparseTensor):
        check_dtype("Keys", keys.values.dtype, dtype)
        return keys
    found = convert_to_tensor(keys, None if isinstance(keys, Tensor) else dtype, name="keys")
    check_dtype("Keys", found.dtype, dtype)
    return found


def looked_up(handle: Any, keys: Any, default: Tensor, scope: str) -> Any:
    """The values of keys, sparse if they are."""
    flat = keys.values if isinstance(keys, SparseTensor) else keys
    values = table_ops.find(handle, flat, default, name=scope)
    return keys.with_values(values) if isinstance(keys, SparseTensor) else values


class LookupInterface:
    """What all tables have.

    Args:
      key_dtype, value_dtype: of the entries.
      name: name of the table.
    """

    def __init__(self, key_dtype: Any, value_dtype: Any, name: str) -> None:
        self._key_dtype = dtypes.as_dtype(key_dtype).base_dtype
        self._value_dtype = dtypes.as_dtype(value_dtype).base_dtype
        self._name = name

    @property
    def key_dtype(self) -> DType:
        """The dtype of keys."""
        return self._key_dtype

    @property
    def value_dtype(self) -> DType:
        """The dtype of values."""
        return self._value_dtype

    @property
    def name(self) -> str:
        """The name of the table."""
        return self._name

    @property
    def init(self) -> Any:
        """The operation that fills the table."""
        raise NotImplementedError

    def size(self, name: str | None = None) -> Tensor:
        """The number of entries: an int64 scalar."""
        raise NotImplementedError

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """The values of keys."""
        raise NotImplementedError


class InitializableLookupTableBase(LookupInterface):
    """A table that an initializer fills.

    Args:
      table_ref: the handle of the table.
      default_value: the value of keys without an entry: a scalar.
      initializer: fills the table; it tells the dtypes.
    """

    def __init__(self, table_ref: Any, default_value: Any, initializer: Any) -> None:
        super().__init__(initializer.key_dtype, initializer.value_dtype, name_of(table_ref))
        self._table_ref = table_ref
        self._default_value = convert_to_tensor(default_value, self._value_dtype, name="Const")
        self._default_value.shape.assert_is_compatible_with(())
        self._init = initializer.initialize(self)

    @property
    def table_ref(self) -> Any:
        """The handle of the table."""
        return self._table_ref

    @property
    def default_value(self) -> Tensor:
        """The value of keys without an entry."""
        return self._default_value

    @property
    def init(self) -> Any:
        """The operation that fills the table."""
        return self._init

    def size(self, name: str | None = None) -> Tensor:
        """The number of entries: an int64 scalar, 0 until the table is filled."""
        with name_scope(name, f"{self._name}_Size", [self._table_ref]) as scope:
            size: Tensor = table_ops.size(self._table_ref, name=scope)
            return size

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """The values of keys; `default_value` for those without an entry.

        Args:
          keys: tensor of the dtype of keys, of any shape, or a `SparseTensor` of them.
          name: name of the op.

        Returns: a tensor of the same shape, or a `SparseTensor`.

        Raises:
          TypeError: for another dtype. FailedPreconditionError: when it runs, if the table was not
            filled.
        """
        found = keys_of(keys, self._key_dtype)
        inputs = [self._table_ref, found, self._default_value]
        with name_scope(name, f"{self._name}_Lookup", inputs) as scope:
            values = looked_up(self._table_ref, found, self._default_value, scope)
        if isinstance(values, Tensor) and hasattr(values, "op"):
            values.set_shape(found.shape)
        return values


class HashTable(InitializableLookupTableBase):
    """A table of keys and values that is filled once, by its initializer.

    In a graph it lives in the session: run `hf.tables_initializer()` first. Eagerly it is filled at
    once.

    Args:
      initializer: tells keys and values: a `KeyValueTensorInitializer` or `TextFileInitializer`.
      default_value: the value of keys without an entry.
      shared_name: tables of this name are one, within a session.
      name: name of the table.

    Raises:
      FailedPreconditionError: when it is filled, if a key has two values, or it is filled with
        other entries already.

    >>> import hybridflow as hf
    >>> lookup = hf.contrib.lookup
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     entries = lookup.KeyValueTensorInitializer(["one", "two"], [1, 2])
    ...     table = lookup.HashTable(entries, -1)
    ...     sess.run(hf.tables_initializer())
    ...     print(sess.run(table.lookup(hf.constant(["two", "ten"]))))
    [ 2 -1]
    """

    def __init__(
        self,
        initializer: Any,
        default_value: Any,
        shared_name: str | None = None,
        name: str | None = None,
    ) -> None:
        with name_scope(name, "hash_table", [default_value]) as scope:
            handle = new_handle(
                table_ops.hash_table,
                scope,
                key_dtype=initializer.key_dtype,
                value_dtype=initializer.value_dtype,
                shared_name=shared_name or "",
            )
            super().__init__(handle, default_value, initializer)


# -- initializers ----------------------------------------------------------------------------------


class TableInitializerBase:
    """What fills a table; a class of your own defines `initialize`.

    Args:
      key_dtype, value_dtype: of the entries.
    """

    def __init__(self, key_dtype: Any, value_dtype: Any) -> None:
        self._key_dtype = dtypes.as_dtype(key_dtype).base_dtype
        self._value_dtype = dtypes.as_dtype(value_dtype).base_dtype

    @property
    def key_dtype(self) -> DType:
        """The dtype of keys."""
        return self._key_dtype

    @property
    def value_dtype(self) -> DType:
        """The dtype of values."""
        return self._value_dtype

    def initialize(self, table: Any) -> Any:
        """Fills a table: gives the operation."""
        raise NotImplementedError

    def _check(self, table: Any) -> None:
        check_dtype("Keys", self._key_dtype, table.key_dtype)
        check_dtype("Values", self._value_dtype, table.value_dtype)


class KeyValueTensorInitializer(TableInitializerBase):
    """Fills a table with keys and their values.

    Args:
      keys, values: tensors of one shape.
      key_dtype, value_dtype: their dtypes, where they are no tensors; whole numbers become int32 or
        int64, whatever fits them.
      name: name of the operation.
    """

    def __init__(
        self,
        keys: Any,
        values: Any,
        key_dtype: Any = None,
        value_dtype: Any = None,
        name: str | None = None,
    ) -> None:
        with name_scope(name, "key_value_init", [keys, values]) as scope:
            self._keys = convert_to_tensor(keys, key_dtype, name="keys")
            self._values = convert_to_tensor(values, value_dtype, name="values")
            self._name = scope
        super().__init__(self._keys.dtype, self._values.dtype)

    def initialize(self, table: Any) -> Any:
        """Fills a table: gives the operation, which `tables_initializer` runs too.

        Raises:
          TypeError: for a table of other dtypes.
        """
        self._check(table)
        inputs = [table.table_ref, self._keys, self._values]
        with name_scope(self._name, "key_value_init", inputs) as scope:
            op = table_ops.initialize(table.table_ref, self._keys, self._values, name=scope)
        if op is not None:
            add_to_collection(GraphKeys.TABLE_INITIALIZERS, op)
        return op


class TextFileIndex:
    """What stands for the number of a column of a file.

    Attributes:
      WHOLE_LINE: all of the line. LINE_NUMBER: its number, from 0.
    """

    WHOLE_LINE = WHOLE_LINE
    LINE_NUMBER = LINE_NUMBER


class TextFileInitializer(TableInitializerBase):
    r"""Fills a table from the lines of a file, an entry each.

    Args:
      filename: its name, also a string scalar.
      key_dtype, value_dtype: int64, string and, of columns, other numbers.
      key_index, value_index: the columns with keys and values, from 0, or a `TextFileIndex`.
      vocab_size: how many lines are read; there must be as many.
      delimiter: what stands between columns.
      name: name of the operation.

    Raises:
      ValueError: for no name, and dtypes that columns cannot have. InvalidArgumentError: when it
        runs, for lines without these columns. NotFoundError: if there is no such file.

    >>> import hybridflow as hf, os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "words")
    >>> with open(path, "w") as file:
    ...     size = file.write("emerson 10\nlake 20\npalmer 30\n")
    >>> lookup = hf.contrib.lookup
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     entries = lookup.TextFileInitializer(path, hf.string, 0, hf.int64, 1, delimiter=" ")
    ...     table = lookup.HashTable(entries, -1)
    ...     sess.run(hf.tables_initializer())
    ...     print(sess.run(table.lookup(hf.constant(["palmer", "king"]))))
    [30 -1]
    """

    def __init__(
        self,
        filename: Any,
        key_dtype: Any,
        key_index: int,
        value_dtype: Any,
        value_index: int,
        vocab_size: int | None = None,
        delimiter: str = "\t",
        name: str | None = None,
    ) -> None:
        if not isinstance(filename, Tensor) and not filename:
            raise ValueError(f"Filename required for {name}.")
        super().__init__(key_dtype, value_dtype)
        _check_column("key", key_index, self._key_dtype)
        _check_column("value", value_index, self._value_dtype)
        if vocab_size is not None and vocab_size <= 0:
            raise ValueError(f"Invalid vocab_size {vocab_size}.")
        if len(settings.string(delimiter, "delimiter").encode()) != 1:
            raise ValueError(f"delimiter should be only 1 char, got {delimiter!r}.")
        self._filename = filename
        self._indices = key_index, value_index
        self._vocab_size = vocab_size
        self._delimiter = delimiter
        self._name = name

    def initialize(self, table: Any) -> Any:
        """Fills a table: gives the operation, which `tables_initializer` runs too.

        Raises:
          TypeError: for a table of other dtypes.
        """
        self._check(table)
        with name_scope(self._name, "text_file_init", [table.table_ref]) as scope:
            filename = convert_to_tensor(self._filename, dtypes.string, name="asset_filepath")
            op = table_ops.initialize_from_file(
                table.table_ref,
                filename,
                key_index=self._indices[0],
                value_index=self._indices[1],
                vocab_size=-1 if self._vocab_size is None else self._vocab_size,
                delimiter=self._delimiter,
                name=scope,
            )
        if op is not None:
            add_to_collection(GraphKeys.TABLE_INITIALIZERS, op)
        # Files that models are kept with: what a placeholder names is none.
        if getattr(getattr(filename, "op", None), "type", "") == "Const":
            add_to_collection(GraphKeys.ASSET_FILEPATHS, filename)
        return op


def _check_column(what: str, index: int, dtype: DType) -> None:
    if index < WHOLE_LINE:
        raise ValueError(f"Invalid {what} index {index}.")
    wanted = f"{what.capitalize()}s must be"
    if index == LINE_NUMBER and dtype is not dtypes.int64:
        raise ValueError(f"Signature mismatch. {wanted} dtype int64, got {dtype.name}.")
    if index == WHOLE_LINE and dtype is not dtypes.string:
        if what == "key" and dtype.is_integer:
            return
        kind = "integer or string" if what == "key" else "dtype string"
        raise ValueError(f"Signature mismatch. {wanted} {kind}, got {dtype.name}.")


class TextFileStringTableInitializer(TextFileInitializer):
    """Fills a table of strings by their number from the lines of a file.

    Args:
      filename, vocab_size, delimiter, name: as for `TextFileInitializer`.
      key_column_index: the column with the numbers; by default they are those of the lines.
      value_column_index: that with the strings; by default they are the lines.
    """

    def __init__(
        self,
        filename: Any,
        key_column_index: int = LINE_NUMBER,
        value_column_index: int = WHOLE_LINE,
        vocab_size: int | None = None,
        delimiter: str = "\t",
        name: str | None = "text_file_string_table_init",
    ) -> None:
        super().__init__(
            filename,
            dtypes.int64,
            key_column_index,
            dtypes.string,
            value_column_index,
            vocab_size,
            delimiter,
            name,
        )


class TextFileIdTableInitializer(TextFileInitializer):
    """Fills a table of the numbers of strings from the lines of a file.

    Args:
      filename, vocab_size, delimiter, name: as for `TextFileInitializer`.
      key_column_index: the column with the strings; by default they are the lines.
      value_column_index: that with the numbers; by default they are those of the lines.
      key_dtype: that of keys, which may be integers.
    """

    def __init__(
        self,
        filename: Any,
        key_column_index: int = WHOLE_LINE,
        value_column_index: int = LINE_NUMBER,
        vocab_size: int | None = None,
        delimiter: str = "\t",
        name: str | None = "text_file_id_table_init",
        key_dtype: Any = dtypes.string,
    ) -> None:
        super().__init__(
            filename,
            key_dtype,
            key_column_index,
            dtypes.int64,
            value_column_index,
            vocab_size,
            delimiter,
            name,
        )
