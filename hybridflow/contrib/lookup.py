"""Tables: values by keys, numbers of words."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.ops.tables.index_tables import (
        FastHashSpec,
        HasherSpec,
        IdTableWithHashBuckets,
        StrongHashSpec,
        index_table_from_file,
        index_table_from_tensor,
        index_to_string,
        index_to_string_table_from_file,
        index_to_string_table_from_tensor,
        string_to_index,
        string_to_index_table_from_file,
        string_to_index_table_from_tensor,
    )
    from hybridflow._src.ops.tables.lookup import (
        HashTable,
        InitializableLookupTableBase,
        KeyValueTensorInitializer,
        LookupInterface,
        TableInitializerBase,
        TextFileIdTableInitializer,
        TextFileIndex,
        TextFileInitializer,
        TextFileStringTableInitializer,
    )
    from hybridflow._src.train.tables import MutableDenseHashTable, MutableHashTable

__all__ = [
    "FastHashSpec",
    "HashTable",
    "HasherSpec",
    "IdTableWithHashBuckets",
    "InitializableLookupTableBase",
    "KeyValueTensorInitializer",
    "LookupInterface",
    "MutableDenseHashTable",
    "MutableHashTable",
    "StrongHashSpec",
    "TableInitializerBase",
    "TextFileIdTableInitializer",
    "TextFileIndex",
    "TextFileInitializer",
    "TextFileStringTableInitializer",
    "index_table_from_file",
    "index_table_from_tensor",
    "index_to_string",
    "index_to_string_table_from_file",
    "index_to_string_table_from_tensor",
    "string_to_index",
    "string_to_index_table_from_file",
    "string_to_index_table_from_tensor",
]
