"""`tf.lookup`: tables with the arguments that they have there."""

from __future__ import annotations

from typing import Any

from hybridflow._src.ops.tables.lookup import HashTable

__all__ = ["StaticHashTable"]


class StaticHashTable(HashTable):
    """`tf.contrib.lookup.HashTable`, with its arguments in another order.

    Args:
      initializer: tells keys and values. default_value: the value of keys without an entry.
      name: name of the table.
    """

    def __init__(self, initializer: Any, default_value: Any, name: str | None = None) -> None:
        super().__init__(initializer, default_value, name=name)
