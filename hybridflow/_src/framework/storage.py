"""Where a variable's value lives: one `Storage` for each variable, in graph mode in each session.

A value is an array that nobody writes to: an update stores a new one. So a value that was read
stays as it was, whatever is written later.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.errors import FailedPreconditionError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

_UNINITIALIZED = (
    "Attempting to use uninitialized value {name}: variable '{name}' was read before it was given "
    "a value. In graph mode run its initializer first: "
    "`session.run(hf.global_variables_initializer())`."
)


class Storage:
    """The value of one variable, or None before it is initialized."""

    __slots__ = ("__weakref__", "lock", "name", "value", "variable")

    def __init__(self, name: str, value: np.ndarray | None = None) -> None:
        self.name = name
        self.value = value
        # A weak reference to the eager variable whose value this is.
        self.variable: Callable[[], Any] | None = None
        # Held while a value is replaced by one computed from it, so that no update is lost.
        self.lock = threading.RLock()

    def read(self) -> np.ndarray:
        """The value.

        Raises:
          FailedPreconditionError: if there is none yet.
        """
        value = self.value
        if value is None:
            raise FailedPreconditionError(None, None, _UNINITIALIZED.format(name=self.name))
        return value

    def write(self, value: np.ndarray) -> np.ndarray:
        """Replaces the value and returns the new one."""
        with self.lock:
            writes = _journal.writes
            if writes is not None:
                note(writes, self, self.value, value)
            self.value = value
        return value

    def update(self, function: Callable[..., np.ndarray], *args: Any) -> np.ndarray:
        """Replaces the value by `function(value, *args)`, which must not write to it."""
        with self.lock:
            return self.write(function(self.read(), *args))

    def __repr__(self) -> str:
        return f"<Storage of {self.name!r}>"


# For each storage: what to go back to, and what was there before and after the last write.
Writes = dict["Storage", tuple[Any, Any, Any]]


class _Journal(threading.local):
    """What this thread writes inside the innermost `undone_on_error`; None outside."""

    writes: Writes | None = None


_journal = _Journal()


def forget_journal() -> None:
    """Notes no writes any more: for a block that was interrupted before it could end."""
    _journal.writes = None


def note(writes: Writes, storage: Storage, before: Any, after: Any) -> None:
    """Notes a write; of several, what was there before the first of them, unless another thread has
    written in between: its value is then what to go back to."""
    known = writes.get(storage)
    start = known[0] if known is not None and known[2] is before else before
    writes[storage] = (start, before, after)


class undone_on_error:
    """A context manager that takes back what was written inside it, in this thread, if it fails.

    A value that another thread has replaced since stays: its update must not be lost.
    """

    __slots__ = ("_outer",)

    def __enter__(self) -> None:
        self._outer = _journal.writes
        _journal.writes = {}

    def __exit__(self, kind: Any, *_: Any) -> None:
        writes, outer = _journal.writes, self._outer
        _journal.writes = outer
        for storage, (start, before, after) in (writes or {}).items():
            if kind is None:
                if outer is not None:
                    note(outer, storage, start, after)
                continue
            with storage.lock:
                # An interrupt may have come between the note and the write.
                if storage.value is after or storage.value is before:
                    storage.value = start
