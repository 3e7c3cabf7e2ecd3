"""Where a variable's value lives: one `Storage` for each variable, in graph mode in each session.

A value is an array that nobody writes to: an update stores a new one. So a value that was read
stays as it was, whatever is written later. Compiled steps write in place all the same, to arrays
that nobody else has: `own` makes a copy of a value for them once, and they keep it until the value
is read, and have it back when who read it has let it go.
"""

from __future__ import annotations

import threading
import weakref
from sys import getrefcount
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.alignment import aligned_empty
from hybridflow._src.framework.errors import FailedPreconditionError
from hybridflow._src.framework.locks import holding, mending, new_lock

if TYPE_CHECKING:
    from collections.abc import Callable

_UNINITIALIZED = (
    "Attempting to use uninitialized value {name}: variable '{name}' was read before it was given "
    "a value. In graph mode run its initializer first: "
    "`session.run(hf.global_variables_initializer())`; those of hf.metrics and other local ones "
    "have `hf.local_variables_initializer()`."
)


class Guard:
    """What variables that steps may update together share: those of a session, and all eager ones.

    Attributes:
      lock: held while a value is replaced by one computed from it, so that no update is lost, and
        while one is written in place, so that nobody sees it half done.
      epoch: grows whenever a variable gets another array or loses the one that is its own.
      writes: grows with each run of a program that writes to arrays in place.
      holders: weak references to programs, which know where the arrays of variables lie.
    """

    __slots__ = ("epoch", "holders", "lock", "writes")

    def __init__(self) -> None:
        self.lock = new_lock()
        self.epoch = 0
        self.writes = 0
        self.holders: set[weakref.ref[Any]] = set()

    def let_go(self) -> bool:
        """Has programs forget arrays that variables will not have for long: they look for the new
        ones when they run again. Tells whether none is running, in this thread.
        """
        return holding(self.lock, self._let_go)

    def _let_go(self) -> bool:
        holders = [reference() for reference in self.holders.copy()]
        return not [holder for holder in holders if holder is not None and not holder.let_go()]


_eager_guard = Guard()
_ASKED = "asked"


def _own_copy(array: np.ndarray) -> np.ndarray:
    own = aligned_empty(array.shape, array.dtype)
    own[...] = array
    return own


class Storage:
    """The value of one variable, or None before it is initialized.

    Attributes:
      dims: the variable's static shape, None where nothing is known of it.
      version: grows whenever it gets another array.
    """

    __slots__ = (
        "__weakref__",
        "_array",
        "_is_copy",
        "_owned",
        "dims",
        "guard",
        "name",
        "variable",
        "version",
    )

    def __init__(self, name: str, value: np.ndarray | None = None) -> None:
        self.name = name
        self.dims: tuple[int | None, ...] | None = None
        self.version = 0
        self._array = value
        # Whether nobody else has the array, so that it may be written in place; `_ASKED` while that
        # is found out.
        self._owned: bool | str = False
        # Whether the array was made here: then its references are all that others have of it.
        self._is_copy = False
        # A weak reference to the eager variable whose value this is.
        self.variable: Callable[[], Any] | None = None
        self.guard = _eager_guard

    @property
    def lock(self) -> Any:
        """The lock of its guard."""
        return self.guard.lock

    @property
    def is_empty(self) -> bool:
        """Whether it has no value yet."""
        return self._array is None

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The shape of the value, or None. Who asks gets no hold of the value."""
        array = self._array
        return None if array is None else array.shape

    @property
    def value(self) -> np.ndarray | None:
        """The value, or None."""
        array = self._array
        if self._owned:
            return holding(self.guard.lock, self._give_up)
        return array

    def _give_up(self) -> np.ndarray | None:
        self._owned = False
        self.guard.epoch += 1
        return self._array

    def own(self) -> np.ndarray | None:
        """The value for one who holds the lock and may write to it; None if there is none.

        Inside `undone_on_error` it is a copy, the first time: what it was before must remain.
        """
        writes = _journal.writes
        if (writes is None or self in writes) and (self._owned is True or self._is_back()):
            return self._array
        array = self._array
        if array is None:
            return None
        own = _own_copy(array)
        if writes is not None:
            note(writes, self, array, own)
        self._array, self._owned, self._is_copy = own, True, True
        self.version += 1
        self.guard.epoch += 1
        return own

    def _is_back(self) -> bool:
        """Whether an array that was made here, and read, is in nobody's hands any more.

        Who has it, or what is a view of it, is counted. Who is about to read it waits for the lock,
        which the caller holds, once it sees that the array is asked for; who has not seen that has
        got it before, and is counted too.
        """
        if not self._is_copy:
            return False
        self._owned = _ASKED
        # Known to this object and, for the call, to the function.
        if getrefcount(self._array) > 2:
            return False
        self._owned = True
        return True

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
        return holding(self.guard.lock, self._write, value)

    def _write(self, value: np.ndarray) -> np.ndarray:
        writes = _journal.writes
        if writes is not None:
            note(writes, self, self.value, value)
        self._put(value)
        return value

    def _put(self, value: np.ndarray | None) -> None:
        """Takes an array that others may have."""
        self._array, self._owned, self._is_copy = value, False, False
        self.version += 1
        self.guard.epoch += 1

    def give(self, value: np.ndarray) -> np.ndarray | None:
        """Replaces the value by an array that nobody else has; gives the one from before if nobody
        has it either, but programs that run.
        """
        return holding(self.guard.lock, self._give, value)

    def _give(self, value: np.ndarray) -> np.ndarray | None:
        is_free = self._owned is True and _journal.writes is None and self._array is not value
        before = self._array if is_free else None
        self._write(value)
        self._owned = True
        return before

    def update(self, function: Callable[..., np.ndarray], *args: Any) -> np.ndarray:
        """Replaces the value by `function(value, *args)`, which must not write to it."""
        return holding(self.guard.lock, lambda: self.write(function(self.read(), *args)))

    def __repr__(self) -> str:
        return f"<Storage of {self.name!r}>"


# For each storage: what to go back to, and what was there before and after the last write.
Writes = dict["Storage", tuple[Any, Any, Any]]


class _Journal(threading.local):
    """What this thread writes inside the innermost `undone_on_error`; None outside."""

    writes: Writes | None = None


_journal = _Journal()


def note(writes: Writes, storage: Storage, before: Any, after: Any) -> None:
    """Notes a write; of several, what was there before the first of them, unless another thread has
    written in between: its value is then what to go back to."""
    known = writes.get(storage)
    start = known[0] if known is not None and known[2] is before else before
    writes[storage] = (start, before, after)


def is_journaled() -> bool:
    """Whether this thread is inside `undone_on_error`."""
    return _journal.writes is not None


def undone_on_error(function: Callable[..., Any], *args: Any) -> Any:
    """Calls a function, and takes back what it wrote, in this thread, if it fails.

    A value that another thread has replaced since stays: its update must not be lost.
    """
    outer = _journal.writes
    writes = _journal.writes = {}

    def run() -> Any:
        result = function(*args)
        if outer is not None:
            for storage, (start, _, after) in writes.items():
                note(outer, storage, start, after)
        return result

    try:
        return mending(run, lambda: _take_back(writes))
    finally:
        try:
            _journal.writes = outer
        finally:
            pass


class _TakenBack(Exception):
    """Brings a result out of what is undone."""

    def __init__(self, result: Any) -> None:
        super().__init__()
        self.result = result


def taken_back(function: Callable[..., Any], *args: Any) -> Any:
    """Calls a function and takes back what it wrote, in this thread; gives what it gave."""

    def run() -> Any:
        raise _TakenBack(function(*args))

    try:
        return undone_on_error(run)
    except _TakenBack as done:
        return done.result


def _take_back(writes: Writes) -> None:
    for storage, noted in writes.items():
        holding(storage.lock, _restore, storage, *noted)


def _restore(storage: Storage, start: Any, before: Any, after: Any) -> None:
    # An interrupt may have come between the note and the write.
    if storage._array is after or storage._array is before:
        storage._put(start)
