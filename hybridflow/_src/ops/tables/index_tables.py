"""Tables of words and their numbers."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.sparse_tensor import SparseTensor
from hybridflow._src.framework.spelling import spelled
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.selecting import where
from hybridflow._src.ops.arrays.sequences import range as range_of
from hybridflow._src.ops.arrays.shape_ops import size as size_of
from hybridflow._src.ops.control_flow.ordering import no_op
from hybridflow._src.ops.math.comparison import not_equal
from hybridflow._src.ops.math.elementwise import add
from hybridflow._src.ops.strings.hashing import (
    string_to_hash_bucket,
    string_to_hash_bucket_fast,
    string_to_hash_bucket_strong,
)
from hybridflow._src.ops.strings.numbers import as_string
from hybridflow._src.ops.tables.lookup import (
    HashTable,
    KeyValueTensorInitializer,
    LookupInterface,
    TextFileIdTableInitializer,
    TextFileIndex,
    TextFileStringTableInitializer,
    keys_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "FastHashSpec",
    "HasherSpec",
    "IdTableWithHashBuckets",
    "StrongHashSpec",
    "index_table_from_file",
    "index_table_from_tensor",
    "index_to_string",
    "index_to_string_table_from_file",
    "index_to_string_table_from_tensor",
    "string_to_index",
    "string_to_index_table_from_file",
    "string_to_index_table_from_tensor",
]


class HasherSpec(NamedTuple):
    """How words without a number are divided among buckets.

    Attributes:
      hasher: "fasthash", "stronghash" or "legacy". key: that of the strong hash.
    """

    hasher: str
    key: Any


FastHashSpec = HasherSpec("fasthash", None)


def StrongHashSpec(key: Sequence[int]) -> HasherSpec:
    """A `HasherSpec` by a hash with a key, a list of two integers.

    Raises:
      ValueError, TypeError: for another key.
    """
    if len(key) != 2:
        raise ValueError(f"key must have size 2, got {len(key)}.")
    if not all(isinstance(part, int) for part in key):
        raise TypeError(f"Invalid key {key}. Must be unsigned integer values.")
    return HasherSpec("stronghash", list(key))


class IdTableWithHashBuckets(LookupInterface):
    """A table of numbers by key, and buckets for keys that are not in it.

    Args:
      table: the table; None if there are buckets alone.
      num_oov_buckets: how many buckets there are; their numbers come after those of the table.
      hasher_spec: how keys are divided among them.
      name: name of the table.
      key_dtype: the dtype of keys: string or an integer.

    Raises:
      ValueError: without a table and buckets. TypeError: for another table, dtype or hasher.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     table = hf.contrib.lookup.index_table_from_tensor(["a", "b"], num_oov_buckets=3)
    ...     sess.run(hf.tables_initializer())
    ...     print(sess.run(table.lookup(hf.constant(["b", "c", "a"]))), sess.run(table.size()))
    [1 3 0] 5
    """

    def __init__(
        self,
        table: Any,
        num_oov_buckets: int,
        hasher_spec: HasherSpec = FastHashSpec,
        name: str | None = None,
        key_dtype: Any = None,
    ) -> None:
        name = name.rstrip("/") if name else None
        if table is not None:
            key_dtype = dtypes.as_dtype(table.key_dtype if key_dtype is None else key_dtype)
            if table.key_dtype not in (dtypes.int64, dtypes.string):
                raise TypeError(
                    f"Invalid key dtype, expected int64 or string, but got {table.key_dtype.name}."
                )
            if table.key_dtype.is_integer != key_dtype.is_integer:
                kind = "integer" if key_dtype.is_integer else "non-integer"
                raise TypeError(
                    f"Invalid key dtype, expected {kind} but got {table.key_dtype.name}."
                )
            if table.value_dtype is not dtypes.int64:
                raise TypeError(
                    f"Invalid value dtype, expected int64 but got {table.value_dtype.name}."
                )
            name = name or table.name
        else:
            if num_oov_buckets <= 0:
                raise ValueError("oov_buckets must be > 0 if no table is supplied.")
            key_dtype = dtypes.as_dtype(dtypes.string if key_dtype is None else key_dtype)
            name = name or "hash_bucket"
        if not key_dtype.is_integer and key_dtype is not dtypes.string:
            raise TypeError(f"Invalid key_dtype, expected integer or string, got {key_dtype.name}.")
        self._table = table
        self._buckets = num_oov_buckets
        self._hash = _hash_of(hasher_spec)
        super().__init__(key_dtype, dtypes.int64, name.split("/")[-1])

    @property
    def init(self) -> Any:
        """The operation that fills the table."""
        if self._table is not None:
            return self._table.init
        with name_scope(None, "init"):
            return no_op()

    @property
    def table_ref(self) -> Any:
        """The handle of the table, None if there is none."""
        return None if self._table is None else self._table.table_ref

    def size(self, name: str | None = None) -> Tensor:
        """The number of entries and buckets: an int64 scalar."""
        with name_scope(name, f"{self._name}_Size") as scope:
            entries: Any = convert_to_tensor(0, dtypes.int64)
            if self._table is not None:
                entries = self._table.size(scope)
            total: Tensor = entries + self._buckets
            return total

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """The numbers of keys.

        Args:
          keys: tensor of the dtype of keys, of any shape, or a `SparseTensor` of them.
          name: name scope of the ops.

        Returns: an int64 tensor of the same shape, or a `SparseTensor`.

        Raises:
          TypeError: for another dtype. FailedPreconditionError: when it runs, if the table was not
            filled.
        """
        found = keys_of(keys, self._key_dtype)
        values = found.values if isinstance(found, SparseTensor) else found
        if self._table is not None and self._table.key_dtype is dtypes.int64:
            values = cast(values, dtypes.int64)
        if not self._buckets:
            ids = self._table.lookup(values, name=name)
        else:
            with name_scope(name, f"{self._name}_Lookup") as scope:
                ids = self._with_buckets(values, scope)
        return found.with_values(ids) if isinstance(found, SparseTensor) else ids

    def _with_buckets(self, values: Tensor, scope: str) -> Tensor:
        text = values if values.dtype is dtypes.string else as_string(values)
        buckets = self._hash(text, num_buckets=self._buckets, name="hash_bucket")
        if self._table is None:
            return buckets
        ids = self._table.lookup(values)
        buckets = add(buckets, self._table.size())
        is_known = not_equal(ids, self._table.default_value)
        chosen: Tensor = where(is_known, ids, buckets, name=scope)
        return chosen


def _hash_of(spec: Any) -> Callable[..., Any]:
    if not isinstance(spec, HasherSpec):
        raise TypeError(f"hasher_spec must be of type HasherSpec, got {spec}")
    if spec.hasher == "stronghash":
        return functools.partial(string_to_hash_bucket_strong, key=spec.key)
    if spec.hasher not in ("fasthash", "legacy"):
        raise ValueError(f"Unknown hasher {spec.hasher}")
    return string_to_hash_bucket_fast if spec.hasher == "fasthash" else string_to_hash_bucket


# -- makers ----------------------------------------------------------------------------------------


def _check_buckets(number: int) -> None:
    if number < 0:
        raise ValueError(f"num_oov_buckets must be greater or equal than 0, got {number}.")


def _key_dtype(dtype: Any) -> dtypes.DType:
    found = dtypes.as_dtype(dtype).base_dtype
    if not found.is_integer and found is not dtypes.string:
        raise TypeError("Only integer and string keys are supported.")
    return found


def _check_file(vocabulary_file: Any, vocab_size: int | None) -> None:
    if vocabulary_file is None or (
        isinstance(vocabulary_file, str | bytes) and not vocabulary_file
    ):
        raise ValueError("vocabulary_file must be specified and must not be empty.")
    if vocab_size is not None and vocab_size < 1:
        raise ValueError(
            f"vocab_size must be greater than 0, got {vocab_size}. vocabulary_file: "
            f"{vocabulary_file}"
        )


def _shared_name(file: Any, size: int | None, key: int, value: int) -> str:
    parts = [file, *([size] if size else []), key, value]
    return "hash_table_" + "_".join(map(str, parts))


def index_table_from_file(
    vocabulary_file: Any = None,
    num_oov_buckets: int = 0,
    vocab_size: int | None = None,
    default_value: int = -1,
    hasher_spec: HasherSpec = FastHashSpec,
    key_dtype: Any = dtypes.string,
    name: str | None = None,
    key_column_index: int = TextFileIndex.WHOLE_LINE,
    value_column_index: int = TextFileIndex.LINE_NUMBER,
    delimiter: str = "\t",
) -> Any:
    r"""A table of the numbers of words: those of their lines in a file.

    Args:
      vocabulary_file: the name of the file, also a string scalar.
      num_oov_buckets: how many buckets there are for other words, after the numbers of the file.
      vocab_size: how many lines are read; there must be as many.
      default_value: the number of other words, if there are no buckets.
      hasher_spec: how other words are divided among buckets.
      key_dtype: the dtype of words: string or an integer.
      name: name scope of the table.
      key_column_index, value_column_index, delimiter: for a file with columns, as for
        `TextFileInitializer`.

    Returns: a table; run `hf.tables_initializer()` before `table.lookup(words)`.

    Raises:
      ValueError: without a file, for a negative number of buckets or lines. TypeError: for another
        dtype.

    >>> import hybridflow as hf, os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "words")
    >>> with open(path, "w") as file:
    ...     size = file.write("emerson\nlake\npalmer\n")
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     table = hf.contrib.lookup.index_table_from_file(path, num_oov_buckets=1)
    ...     sess.run(hf.tables_initializer())
    ...     print(sess.run(table.lookup(hf.constant(["palmer", "king"]))))
    [2 3]
    """
    _check_file(vocabulary_file, vocab_size)
    _check_buckets(num_oov_buckets)
    dtype = _key_dtype(key_dtype)
    with name_scope(name, "string_to_index") as scope:
        with name_scope(None, "hash_table") as inner:
            entries = TextFileIdTableInitializer(
                vocabulary_file,
                vocab_size=vocab_size,
                key_dtype=dtypes.int64 if dtype.is_integer else dtype,
                name="table_init",
                key_column_index=key_column_index,
                value_column_index=value_column_index,
                delimiter=delimiter,
            )
            shared = _shared_name(vocabulary_file, vocab_size, key_column_index, value_column_index)
            table = HashTable(entries, default_value, shared_name=shared, name=inner)
        if num_oov_buckets:
            return IdTableWithHashBuckets(table, num_oov_buckets, hasher_spec, scope, dtype)
        return table


@spelled(vocabulary_list="mapping")
def index_table_from_tensor(
    mapping: Any,
    num_oov_buckets: int = 0,
    default_value: int = -1,
    hasher_spec: HasherSpec = FastHashSpec,
    dtype: Any = dtypes.string,
    name: str | None = None,
) -> Any:
    """A table of the numbers of words: their places in a vector.

    Args:
      mapping: vector of words, each once: strings or integers.
      num_oov_buckets, default_value, hasher_spec, name: as for `index_table_from_file`.
      dtype: the dtype of words.

    Returns: a table; run `hf.tables_initializer()` before `table.lookup(words)`.

    Raises:
      ValueError: without words, for a negative number of buckets, and words of another kind.
        TypeError: for another dtype.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     table = hf.contrib.lookup.index_table_from_tensor(["emerson", "lake", "palmer"])
    ...     sess.run(hf.tables_initializer())
    ...     print(sess.run(table.lookup(hf.constant(["lake", "king"]))))
    [ 1 -1]
    """
    if mapping is None:
        raise ValueError("mapping must be specified.")
    _check_buckets(num_oov_buckets)
    wanted = _key_dtype(dtype)
    with name_scope(name, "string_to_index") as scope:
        if isinstance(mapping, list | tuple) and not mapping:
            raise ValueError("`mapping` has no words: a table needs one at least.")
        keys = convert_to_tensor(mapping)
        if keys.dtype.is_integer != wanted.is_integer or (
            not wanted.is_integer and keys.dtype.base_dtype is not wanted
        ):
            raise ValueError(f"Expected {wanted.name}, got {keys.dtype.name}.")
        values = cast(range_of(size_of(keys)), dtypes.int64)
        with name_scope(None, "hash_table") as inner:
            table_keys = cast(keys, dtypes.int64) if wanted.is_integer else keys
            entries = KeyValueTensorInitializer(table_keys, values, name="table_init")
            table = HashTable(entries, default_value, name=inner)
        if num_oov_buckets:
            return IdTableWithHashBuckets(table, num_oov_buckets, hasher_spec, scope, wanted)
        return table


def index_to_string_table_from_file(
    vocabulary_file: Any,
    vocab_size: int | None = None,
    default_value: str = "UNK",
    name: str | None = None,
    key_column_index: int = TextFileIndex.LINE_NUMBER,
    value_column_index: int = TextFileIndex.WHOLE_LINE,
    delimiter: str = "\t",
) -> HashTable:
    """A table of words by their numbers: the lines of a file.

    Args:
      vocabulary_file, vocab_size, name: as for `index_table_from_file`.
      default_value: the word for other numbers.
      key_column_index, value_column_index, delimiter: for a file with columns.

    Returns: a table; run `hf.tables_initializer()` before `table.lookup(numbers)`, of int64.

    Raises:
      ValueError: without a file, or for a size that is not positive.
    """
    _check_file(vocabulary_file, vocab_size)
    with name_scope(name, "index_to_string") as scope:
        entries = TextFileStringTableInitializer(
            vocabulary_file,
            vocab_size=vocab_size,
            name="table_init",
            key_column_index=key_column_index,
            value_column_index=value_column_index,
            delimiter=delimiter,
        )
        shared = _shared_name(vocabulary_file, vocab_size, key_column_index, value_column_index)
        return HashTable(entries, default_value, shared_name=shared, name=scope)


@spelled(vocabulary_list="mapping")
def index_to_string_table_from_tensor(
    mapping: Any, default_value: str = "UNK", name: str | None = None
) -> HashTable:
    """A table of words by their numbers: their places in a vector.

    Args:
      mapping: string vector.
      default_value: the word for other numbers.
      name: name scope of the table.

    Returns: a table; run `hf.tables_initializer()` before `table.lookup(numbers)`, of int64.

    Raises:
      ValueError: without words.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     table = hf.contrib.lookup.index_to_string_table_from_tensor(["emerson", "lake"])
    ...     sess.run(hf.tables_initializer())
    ...     print(sess.run(table.lookup(hf.constant([1, 5], hf.int64))))
    [b'lake' b'UNK']
    """
    if mapping is None:
        raise ValueError("mapping must be specified.")
    with name_scope(name, "index_to_string") as scope:
        words = convert_to_tensor(mapping, dtypes.string)
        keys = cast(range_of(size_of(words)), dtypes.int64)
        entries = KeyValueTensorInitializer(keys, words, name="table_init")
        return HashTable(entries, default_value, name=scope)


# -- older names -----------------------------------------------------------------------------------


def string_to_index_table_from_file(
    vocabulary_file: Any = None,
    num_oov_buckets: int = 0,
    vocab_size: int | None = None,
    default_value: int = -1,
    hasher_spec: HasherSpec = FastHashSpec,
    name: str | None = None,
) -> Any:
    """Older name of `index_table_from_file`, for strings."""
    return index_table_from_file(
        vocabulary_file, num_oov_buckets, vocab_size, default_value, hasher_spec, name=name
    )


def string_to_index_table_from_tensor(
    mapping: Any,
    num_oov_buckets: int = 0,
    default_value: int = -1,
    hasher_spec: HasherSpec = FastHashSpec,
    name: str | None = None,
) -> Any:
    """Older name of `index_table_from_tensor`, for strings."""
    return index_table_from_tensor(
        mapping, num_oov_buckets, default_value, hasher_spec, dtypes.string, name
    )


def string_to_index(
    tensor: Any, mapping: Any, default_value: int = -1, name: str | None = None
) -> Any:
    """The numbers of strings, as `index_table_from_tensor(mapping, ...).lookup(tensor)`."""
    table = index_table_from_tensor(mapping, default_value=default_value, name=name)
    return table.lookup(tensor)


def index_to_string(
    tensor: Any, mapping: Any, default_value: str = "UNK", name: str | None = None
) -> Any:
    """The strings of numbers, by a table that `index_to_string_table_from_tensor` makes."""
    table = index_to_string_table_from_tensor(mapping, default_value, name)
    return table.lookup(tensor)
