"""Collections: lists of objects by key, of a graph or, in eager mode, of a variable store."""

from __future__ import annotations

import re
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Deferred:
    """An item computed anew each time its collection is read.

    In eager mode a value that depends on variables, such as a regularization loss, would be out of
    date after the next update.
    """

    __slots__ = ("_compute", "name")

    def __init__(self, name: str, compute: Callable[[], Any]) -> None:
        self.name = name
        self._compute = compute

    def __call__(self) -> Any:
        return self._compute()


class Collections:
    """Lists of objects by key."""

    def __init__(self) -> None:
        self._collections: dict[Any, list[Any]] = {}
        # What higher layers keep beside the collections (a variable store), by owner.
        self.extensions: dict[str, Any] = {}

    def _check_not_finalized(self) -> None:
        """Raises where nothing may be added any more."""

    def add_to_collection(self, name: Any, value: Any) -> None:
        """Appends `value` to a collection (a list with a key; values may repeat)."""
        self._check_not_finalized()
        self._collections.setdefault(name, []).append(value)

    def add_to_collections(self, names: Any, value: Any) -> None:
        """Appends `value` to each of the collections `names` (a key or several), once each."""
        keys = (names,) if isinstance(names, str) else dict.fromkeys(names)
        for name in keys:
            self.add_to_collection(name, value)

    def add_weakly(self, names: Any, value: Any) -> None:
        """`add_to_collections` for a value that leaves them when nothing else refers to it.

        So collections do not keep eager variables alive.
        """
        for name in dict.fromkeys(names):
            items = self._collections.setdefault(name, [])
            size = len(items)
            if not size & (size - 1):  # at each power of two: the dead are never the larger part
                items[:] = [item for item in items if not _is_dead(item)]
            items.append(weakref.ref(value))

    def snapshot(self) -> dict[Any, list[Any]]:
        """All collections as they are, for `restore`."""
        return {name: list(items) for name, items in self._collections.items()}

    def restore(self, snapshot: dict[Any, list[Any]]) -> None:
        """Makes all collections what they were when the snapshot was taken."""
        for name, items in self._collections.items():
            items[:] = snapshot.get(name, ())

    def get_collection(self, name: Any, scope: str | None = None) -> list[Any]:
        """A copy of a collection; with `scope`, the items whose name matches it (`re.match`)."""
        items: list[Any] = [
            value
            for item in self._collections.get(name, ())
            if (value := item() if item.__class__ is weakref.ref else item) is not None
            or item is None
        ]
        if scope is not None:
            pattern = re.compile(scope)
            items = [x for x in items if hasattr(x, "name") and pattern.match(x.name)]
        return [x() if isinstance(x, Deferred) else x for x in items]

    def get_collection_ref(self, name: Any) -> list[Any]:
        """The collection itself: changing the list changes the collection."""
        return self._collections.setdefault(name, [])

    @property
    def collections(self) -> list[Any]:
        """The keys of all collections."""
        return list(self._collections)

    def get_all_collection_keys(self) -> list[Any]:
        """The keys of all collections that have a string key."""
        return [key for key in self._collections if isinstance(key, str)]

    def clear_collection(self, name: Any) -> None:
        """Empties a collection."""
        self._collections.pop(name, None)


def _is_dead(item: Any) -> bool:
    return item.__class__ is weakref.ref and item() is None
