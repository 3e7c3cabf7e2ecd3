"""`EagerVariableStore`: bounds the life of eager variables."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context
from hybridflow._src.framework.collections import Collections
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.variables.scope_state import state_of
from hybridflow._src.variables.variable import Variable

if TYPE_CHECKING:
    from hybridflow._src.framework.stack import Pushed

__all__ = ["EagerVariableStore"]


class EagerVariableStore(Collections):
    """Holds the variables that `get_variable` makes in eager mode while it is the default.

    Without one, eager variables live in a store of the process, which `reset_default_graph`
    empties. Stores can be nested. Each has collections of its own.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     container = hf.EagerVariableStore()
    ...     with container.as_default():
    ...         v = hf.get_variable("v", [1])
    ...         print(hf.get_variable("v", [1]) is v)
    ...     print(container.variables() == [v])
    True
    True
    """

    def __init__(self) -> None:
        super().__init__()
        self._store = state_of(self, eager=True).store

    def __repr__(self) -> str:
        count = len(self._store.variables)
        return f"<hf.EagerVariableStore with {count} variable{'' if count == 1 else 's'}>"

    def as_default(self) -> Pushed[Collections, EagerVariableStore]:
        """A context manager in which `get_variable` uses this store."""
        return context.eager_collections.scope(self, self)

    def variables(self) -> list[Any]:
        """All variables, in order of name."""
        return sorted(self._store.variables.values(), key=lambda v: v.name)

    def trainable_variables(self) -> list[Any]:
        """The trainable ones."""
        return [v for v in self.variables() if v.trainable]

    def non_trainable_variables(self) -> list[Any]:
        """The others."""
        return [v for v in self.variables() if not v.trainable]

    def copy(self) -> EagerVariableStore:
        """A store with new variables of the same names, values and collections.

        Regularization losses are not copied.
        """
        copied = EagerVariableStore()
        keys: dict[int, list[Any]] = {}
        for key, items in self._collections.items():
            for item in items:
                if item.__class__ is weakref.ref:
                    keys.setdefault(id(item()), []).append(key)
        made = copied._store.variables
        with context.eager_mode(), copied.as_default(), name_scope(None):
            for name, variable in self._store.variables.items():
                made[name] = Variable(
                    variable.read_value(),
                    trainable=variable.trainable,
                    collections=keys.get(id(variable), []),
                    name=name,
                    constraint=variable.constraint,
                )
                made[name]._save_slice_info = variable._save_slice_info
        for name, whole in self._store.partitioned.items():
            parts = [made[part._shared_name] for part in whole]
            copied._store.partitioned[name] = type(whole)(
                name, whole.shape, whole.dtype, parts, whole._get_partitions()
            )
        return copied
