"""The ops of tables; what they do is in `table_state`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.errors import ShapeError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, not_differentiable
from hybridflow._src.framework.tensor_shape import as_shape, merge
from hybridflow._src.ops.data_flow.elements import array_of
from hybridflow._src.ops.data_flow.handles import named
from hybridflow._src.ops.files.whole import one_string
from hybridflow._src.ops.shape_rules import with_rank, with_rank_at_most
from hybridflow._src.ops.tables import table_state

if TYPE_CHECKING:
    from hybridflow._src.ops.tables.table_state import DenseTable, FixedTable, Table

_TYPES = {"key_dtype": REQUIRED, "value_dtype": REQUIRED, "use_node_name_sharing": False}


def _fixed(name: str, key_dtype: Any, value_dtype: Any, use_node_name_sharing: bool) -> FixedTable:
    return table_state.FixedTable(name, key_dtype, value_dtype)


def _sizes(shape: Any) -> tuple[int, ...]:
    return tuple(int(size or 0) for size in as_shape(shape).as_list())


def _mutable(
    name: str,
    key_dtype: Any,
    value_dtype: Any,
    use_node_name_sharing: bool,
    value_shape: Any = (),
) -> Table:
    return table_state.Table(name, key_dtype, value_dtype, _sizes(value_shape))


def _dense(
    name: str,
    empty_key: Any,
    key_dtype: Any,
    value_dtype: Any,
    use_node_name_sharing: bool,
    value_shape: Any,
    initial_num_buckets: int,
    max_load_factor: float,
) -> DenseTable:
    empty = array_of(empty_key)
    shape = tuple(as_shape(value_shape).as_list())
    return table_state.DenseTable(name, key_dtype, value_dtype, shape, empty.shape, empty_key=empty)


hash_table = named("table", "HashTableV2", _fixed, _TYPES, "table_handle")
mutable_hash_table = named("table", "MutableHashTableV2", _mutable, _TYPES, "table_handle")
mutable_hash_table_of_tensors = named(
    "table", "MutableHashTableOfTensorsV2", _mutable, {**_TYPES, "value_shape": ()}, "table_handle"
)
mutable_dense_hash_table = named(
    "table",
    "MutableDenseHashTableV2",
    _dense,
    {
        **_TYPES,
        "value_shape": (),
        "initial_num_buckets": 131072,
        "max_load_factor": 0.8,
    },
    "table_handle",
    "empty_key: Tkey",
)


def _op(name: str, inputs: str, outputs: str, compute: Any, shape: Any, **attrs: Any) -> OpDef:
    return OpDef(
        name,
        f"table_handle: resource{inputs} -> {outputs}",
        attrs=attrs,
        shape=shape,
        compute=compute,
        grad=not_differentiable,
        stateful=True,
    )


def _nothing(attrs: dict[str, Any], *inputs: Any) -> list[Any]:
    return []


def _same_shape(attrs: dict[str, Any], table: Any, keys: Any, values: Any) -> list[Any]:
    merge(keys._dims, values._dims)
    return []


def _one_name(attrs: dict[str, Any], table: Any, filename: Any) -> list[Any]:
    with_rank(filename, 0)
    return []


def _find(table: Any, keys: Any, default: Any) -> Any:
    if np.ndim(default) > 1:
        raise ShapeError(f"Shape must be at most rank 1 but is rank {np.ndim(default)}")
    return table.find(keys, default)


def _found(attrs: dict[str, Any], table: Any, keys: Any, default: Any) -> None:
    # A default is one value: a number or a vector.
    with_rank_at_most(default, 1)


def _initialize_from_file(
    table: FixedTable,
    filename: Any,
    key_index: int,
    value_index: int,
    vocab_size: int,
    delimiter: str | bytes,
) -> None:
    between = delimiter.encode() if isinstance(delimiter, str) else delimiter
    path = os.fsdecode(one_string(filename, "filename"))
    table.initialize_from_file(path, int(key_index), int(value_index), int(vocab_size), between)


initialize = _op(
    "InitializeTableV2",
    ", keys: Tkey, values: Tval",
    "",
    lambda table, keys, values: table.initialize_from(keys, values),
    _same_shape,
)
initialize_from_file = _op(
    "InitializeTableFromTextFileV2",
    ", filename: string",
    "",
    _initialize_from_file,
    _one_name,
    key_index=REQUIRED,
    value_index=REQUIRED,
    vocab_size=-1,
    delimiter="\t",
)


find = _op(
    "LookupTableFindV2",
    ", keys: Tin, default_value: Tout",
    "values: Tout",
    _find,
    _found,
)
insert = _op(
    "LookupTableInsertV2",
    ", keys: Tin, values: Tout",
    "",
    lambda table, keys, values: table.insert(keys, values),
    _nothing,
)
replace = _op(
    "LookupTableImportV2",
    ", keys: Tin, values: Tout",
    "",
    lambda table, keys, values: table.replace(keys, values),
    _nothing,
)
size = _op(
    "LookupTableSizeV2",
    "",
    "size: int64",
    lambda table: np.asarray(table.size(), np.int64),
    lambda attrs, table: (),
)
export = _op(
    "LookupTableExportV2",
    "",
    "keys: Tkeys, values: Tvalues",
    lambda table, Tkeys, Tvalues: table.export(),
    lambda attrs, table: [None, None],
    Tkeys=REQUIRED,
    Tvalues=REQUIRED,
)
