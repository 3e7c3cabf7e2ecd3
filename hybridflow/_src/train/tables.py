"""Tables that programs change, and that savers keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.graph_keys import GraphKeys, add_to_collection
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor_shape import as_shape
from hybridflow._src.ops.control_flow.ordering import no_op
from hybridflow._src.ops.data_flow.handles import new_handle
from hybridflow._src.ops.tables import table_ops
from hybridflow._src.ops.tables.lookup import (
    LookupInterface,
    check_dtype,
    keys_of,
    looked_up,
    name_of,
)
from hybridflow._src.train.saving.saveables import SaveableObject, SaveSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["MutableDenseHashTable", "MutableHashTable"]


class _Mutable(LookupInterface):
    """What tables have that programs change."""

    def __init__(
        self,
        handle: Any,
        key_dtype: Any,
        default_value: Tensor,
        key_shape: Any,
        name: str,
        checkpoint: bool,
    ) -> None:
        super().__init__(key_dtype, default_value.dtype, name_of(handle))
        self._table_ref = handle
        self._default_value = default_value
        self._key_shape = as_shape(key_shape)
        if checkpoint and not context.modes.top.eager:
            add_to_collection(GraphKeys.SAVEABLE_OBJECTS, _Saveable(self, name))

    @property
    def table_ref(self) -> Any:
        """The handle of the table."""
        return self._table_ref

    @property
    def init(self) -> Any:
        """Does nothing: the table is empty at first."""
        return no_op()

    def size(self, name: str | None = None) -> Tensor:
        """The number of entries: an int64 scalar."""
        with name_scope(name, f"{self._name}_Size", [self._table_ref]) as scope:
            size: Tensor = table_ops.size(self._table_ref, name=scope)
            return size

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """The values of keys; the default value for those without an entry.

        Args:
          keys: tensor of the dtype of keys, of any shape, or a `SparseTensor` of them.
          name: name of the op.

        Returns: a tensor with a value for each key.

        Raises:
          TypeError: for another dtype. InvalidArgumentError: when it runs, for keys of another
            shape.
        """
        found = keys_of(keys, self._key_dtype)
        inputs = [self._table_ref, found]
        with name_scope(name, f"{self._name}_lookup_table_find", inputs) as scope:
            values = looked_up(self._table_ref, found, self._default_value, scope)
        rank = found.shape.ndims
        if hasattr(values, "set_shape") and not context.modes.top.eager and rank is not None:
            rows = found.shape[: rank - (self._key_shape.ndims or 0)]
            values.set_shape(rows.concatenate(self._default_value.shape))
        return values

    def insert(self, keys: Any, values: Any, name: str | None = None) -> Any:
        """Sets the values of keys.

        Args:
          keys: tensor of the dtype of keys, of any shape.
          values: tensor of the dtype of values, with one for each key.
          name: name of the op.

        Returns: the operation; None in eager mode.

        Raises:
          TypeError: for other dtypes. InvalidArgumentError: when it runs, for other shapes.
        """
        found = keys_of(keys, self._key_dtype)
        items = convert_to_tensor(values, None if hasattr(values, "dtype") else self._value_dtype)
        check_dtype("Values", items.dtype, self._value_dtype)
        inputs = [self._table_ref, found, items]
        with name_scope(name, f"{self._name}_lookup_table_insert", inputs) as scope:
            return table_ops.insert(self._table_ref, found, items, name=scope)

    def export(self, name: str | None = None) -> tuple[Tensor, Tensor]:
        """All keys `[n]`, and their values `[n, ...]`."""
        inputs = [self._table_ref]
        with name_scope(name, f"{self._name}_lookup_table_export_values", inputs) as scope:
            keys, values = table_ops.export(
                self._table_ref, Tkeys=self._key_dtype, Tvalues=self._value_dtype, name=scope
            )
        if not context.modes.top.eager:
            keys.set_shape(as_shape([None]).concatenate(self._key_shape))
            values.set_shape(as_shape([None]).concatenate(self._default_value.shape))
        return keys, values


class _Saveable(SaveableObject):
    """The entries of a table."""

    def __init__(self, table: _Mutable, name: str) -> None:
        keys, values = table.export()
        specs = [SaveSpec(keys, "", f"{name}-keys"), SaveSpec(values, "", f"{name}-values")]
        super().__init__(table, specs, name)

    def restore(self, restored_tensors: Sequence[Any], restored_shapes: Any) -> Any:
        """Sets all entries."""
        return table_ops.replace(self.op.table_ref, *restored_tensors)


class MutableHashTable(_Mutable):
    """A table that programs change: entries are added as a graph runs, or eagerly.

    Args:
      key_dtype, value_dtype: of the entries.
      default_value: the value of keys without an entry; values have its shape.
      shared_name: tables of this name are one, within a session.
      name: name of the table, and its name in checkpoints.
      checkpoint: whether savers keep it, which save all variables.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     table = hf.contrib.lookup.MutableHashTable(hf.string, hf.int64, -1)
    ...     table.insert(["a", "b"], [1, 2])
    ...     print(table.lookup(["b", "c"]).numpy(), int(table.size()))
    [ 2 -1] 2
    """

    def __init__(
        self,
        key_dtype: Any,
        value_dtype: Any,
        default_value: Any,
        shared_name: str | None = None,
        name: str = "MutableHashTable",
        checkpoint: bool = True,
    ) -> None:
        default = convert_to_tensor(default_value, value_dtype, name="Const")
        attrs: dict[str, Any] = {
            "key_dtype": key_dtype,
            "value_dtype": value_dtype,
            "use_node_name_sharing": checkpoint and shared_name is None,
            "shared_name": shared_name or "",
        }
        record = table_ops.mutable_hash_table
        if default.shape.ndims != 0:
            record = table_ops.mutable_hash_table_of_tensors
            attrs["value_shape"] = default.shape
        handle = new_handle(record, name, **attrs)
        super().__init__(handle, key_dtype, default, (), name, checkpoint)


class MutableDenseHashTable(_Mutable):
    """A `MutableHashTable` whose keys may be vectors, but for one that none may be.

    Args:
      key_dtype, value_dtype, default_value, shared_name, name, checkpoint: as for
        `MutableHashTable`.
      empty_key: the key that none may be; keys have its shape.
      initial_num_buckets: accepted for compatibility: the table grows by itself.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     table = hf.contrib.lookup.MutableDenseHashTable(hf.int64, hf.float32, 0.0, [-1, -1])
    ...     table.insert([[1, 2], [3, 4]], [0.5, 1.5])
    ...     print(table.lookup([[3, 4], [5, 6]]).numpy())
    [1.5 0. ]
    """

    def __init__(
        self,
        key_dtype: Any,
        value_dtype: Any,
        default_value: Any,
        empty_key: Any,
        initial_num_buckets: int | None = None,
        shared_name: str | None = None,
        name: str = "MutableDenseHashTable",
        checkpoint: bool = True,
    ) -> None:
        default = convert_to_tensor(default_value, value_dtype, name="Const")
        empty = convert_to_tensor(empty_key, key_dtype, name="Const")
        handle = new_handle(
            table_ops.mutable_dense_hash_table,
            name,
            empty,
            key_dtype=key_dtype,
            value_dtype=value_dtype,
            value_shape=default.shape,
            use_node_name_sharing=checkpoint and shared_name is None,
            shared_name=shared_name or "",
            initial_num_buckets=initial_num_buckets or 131072,
        )
        super().__init__(handle, key_dtype, default, empty.shape, name, checkpoint)
