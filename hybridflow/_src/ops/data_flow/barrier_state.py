"""Barriers as they run: elements whose components come apart, and who waits for whole ones."""

from __future__ import annotations

import heapq
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.errors import (
    CancelledError,
    InvalidArgumentError,
    OutOfRangeError,
)
from hybridflow._src.framework.waiting import Attempt
from hybridflow._src.ops.data_flow.elements import array_of, rows_of, stacked
from hybridflow._src.ops.data_flow.queue_state import DEQUEUE, ENQUEUE, PriorityQueue, check_shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.dtypes import DType

    Dims = tuple[int | None, ...] | None

# The number of the first insertion.
_FIRST = -(1 << 63)


class _Begun(NamedTuple):
    """An element of which some components are there: None stands for one that is not.

    Attributes:
      first: the number of the insertion that its first component came with.
    """

    first: int
    values: tuple[np.ndarray | None, ...]

    def with_value(self, component: int, value: np.ndarray) -> _Begun:
        """The same with one component more."""
        values = self.values
        return _Begun(self.first, (*values[:component], value, *values[component + 1 :]))


class _Insertion:
    """What an insertion changes, worked out before anything is changed."""

    def __init__(self, changed: dict[bytes, _Begun], next_index: int) -> None:
        self.changed = changed
        self.next_index = next_index
        self.whole = [key for key, begun in changed.items() if None not in map(_id, begun.values)]
        self.entries: deque[Any] = deque()


def _id(value: np.ndarray | None) -> int | None:
    return None if value is None else id(value)


class Barrier(PriorityQueue):
    """A queue of whole elements, first begun first out, and what there is of others by their keys.

    Args:
      name: in errors.
      dtypes, shapes: of the components of a value.
    """

    kind = "Barrier"

    def __init__(self, name: str, types: Sequence[DType], shapes: Sequence[Dims]) -> None:
        dims = shapes or [None] * len(types)
        super().__init__(name, [dtypes.int64, dtypes.string, *types], [(), (), *dims], -1)
        self._begun: dict[bytes, _Begun] = {}
        self._next_index = _FIRST
        self._is_cancelled = False

    def incomplete_size(self) -> int:
        """How many elements lack a component."""
        return len(self._begun)

    # -- components come ---------------------------------------------------------------------------

    def insert(self, component: int, keys: Any, values: Any) -> Attempt:
        """Begins to set one component of the elements of some keys.

        Raises:
          InvalidArgumentError: for a component that there is none of, for values that are not as
            many as keys, have no elements or another shape.
        """
        number = len(self.dtypes) - 2
        if not 0 <= component < number:
            raise _invalid(
                f"The component ID is out of range {component} > num_components (= {number})"
            )
        keys, values = array_of(keys), array_of(values)
        if keys.ndim != 1 or not values.ndim or len(keys) != len(values):
            raise _invalid(
                f"Barrier '{self.name}': keys must be a vector [n] and values [n, ...], got the "
                f"shapes {list(keys.shape)} and {list(values.shape)}."
            )
        if len(keys) and not values.size:
            raise _invalid(
                f"Tensors with no elements are not supported {self.name}: received shape "
                f"{list(values.shape)}"
            )
        dims = self.shapes[component + 2]
        check_shape(component, values.shape, None if dims is None else (len(keys), *dims))
        rows = list(zip(keys.tolist(), rows_of(values), strict=True))

        def serve(attempt: Attempt) -> bool:
            if attempt.pending is None:
                try:
                    attempt.pending = self._insertion(component, rows)
                except (CancelledError, InvalidArgumentError) as error:
                    return attempt.fail(error)
            self._commit(attempt.pending)
            attempt.result, attempt.done = (), True
            return True

        return self.begin(Attempt(self, ENQUEUE, serve, "Insert operation"))

    def _insertion(self, component: int, rows: Sequence[tuple[bytes, np.ndarray]]) -> _Insertion:
        if self.is_closed and (self._is_cancelled or (rows and not self._begun)):
            raise self._refusal(f"Number of new insertions: {len(rows)}.")
        changed: dict[bytes, _Begun] = {}
        is_new = False
        nothing = (None,) * (len(self.dtypes) - 2)
        for key, value in rows:
            begun = changed.get(key) or self._begun.get(key)
            if begun is None:
                if self.is_closed:
                    raise self._refusal(f"Attempted to insert a brand new key: {_text(key)}.")
                is_new = True
                begun = _Begun(self._next_index, nothing)
            if begun.values[component] is not None:
                raise _invalid(
                    f"Key {_text(key)} already has a value for component {component} in barrier "
                    f"{self.name}"
                )
            changed[key] = begun.with_value(component, value)
        found = _Insertion(changed, self._next_index + is_new)
        for key in found.whole:
            begun = changed[key]
            element = (array_of(np.int64(begun.first)), array_of(key), *begun.values)
            found.entries.append(self.entry(element))  # type: ignore[arg-type]
        return found

    def _commit(self, insertion: _Insertion) -> None:
        """Makes the changes; called again after an interrupt, it makes those that are left."""
        self._begun.update(insertion.changed)
        for key in insertion.whole:
            self._begun.pop(key, None)
        self.put(insertion.entries, len(insertion.entries))
        self._next_index = insertion.next_index

    def _refusal(self, more: str) -> CancelledError:
        return CancelledError(
            None,
            None,
            f"Barrier {self.name} is closed.  Pending enqueues cancelled: {self._is_cancelled}.  "
            f"{more}  Number of incomplete keys: {len(self._begun)}.",
        )

    # -- elements go -------------------------------------------------------------------------------

    def take_many(self, n: Any, allow_small_batch: bool) -> Attempt:
        """Begins to take several whole elements: their indices, keys, and components.

        Args:
          n: how many. allow_small_batch: whether fewer will do when the barrier is closed.
        """
        wanted = int(n)
        if wanted < 0:
            raise _invalid(f"Barrier '{self.name}': requested {wanted} < 0 elements")

        def serve(attempt: Attempt) -> bool:
            found = attempt.pending
            if not found:
                attempt.wanted = wanted
                if self.is_closed and not self._has_enough(attempt, allow_small_batch):
                    return True
                if len(self.elements) < attempt.wanted:
                    return False
                if self._differ(attempt):
                    return True
            self.take(found, attempt.wanted - len(found))
            attempt.result = self._joined(attempt)
            attempt.done = True
            return True

        attempt = Attempt(self, DEQUEUE, serve, "Take operation")
        attempt.pending = deque()
        return self.begin(attempt)

    def _has_enough(self, attempt: Attempt, allow_small_batch: bool) -> bool:
        there = len(self.elements)
        if allow_small_batch:
            attempt.wanted = min(attempt.wanted, there)
        else:
            there += len(self._begun)
        if there >= max(attempt.wanted, 1):
            return True
        attempt.fail(
            OutOfRangeError(
                None,
                None,
                f"Barrier '{self.name}' is closed and has insufficient elements (requested "
                f"{attempt.wanted}, total size {there})",
            )
        )
        return False

    def _differ(self, attempt: Attempt) -> bool:
        """Whether elements cannot be joined, where their shapes are not known: then it ends."""
        if None not in self.shapes:
            return False
        elements = [e for *_, e in heapq.nsmallest(attempt.wanted, self.elements)]
        for component, arrays in enumerate(list(zip(*elements, strict=True))[2:]):
            shapes = sorted({a.shape for a in arrays})
            if len(shapes) > 1:
                return attempt.fail(
                    _invalid(
                        f"Barrier '{self.name}': values of component {component} that are taken "
                        f"together must have one shape, got {list(shapes[0])} and "
                        f"{list(shapes[1])}."
                    )
                )
        return False

    def _joined(self, attempt: Attempt) -> list[np.ndarray]:
        columns = list(zip(*[self.element(e) for e in attempt.pending], strict=True))
        return [
            stacked(arrays, dtype.np, arrays[0].shape if arrays else [n or 0 for n in dims or ()])
            for arrays, dtype, dims in zip(
                columns or [()] * len(self.dtypes), self.dtypes, self.shapes, strict=True
            )
        ]

    # -- the end -----------------------------------------------------------------------------------

    def close(self, cancel_pending_enqueues: bool) -> Attempt:
        """Begins to close it: no new keys come, or with `cancel_pending_enqueues` nothing does."""

        def serve(attempt: Attempt) -> bool:
            is_again = self.closer not in (None, attempt)
            if is_again and (self._is_cancelled or not cancel_pending_enqueues):
                return attempt.fail(
                    CancelledError(None, None, f"Barrier '{self.name}' is already closed.")
                )
            self.closer = attempt
            self._is_cancelled = cancel_pending_enqueues
            if cancel_pending_enqueues:
                self._begun.clear()
            attempt.result, attempt.done = (), True
            return True

        return self.begin(Attempt(self, ENQUEUE, serve, "Close operation"))


def _text(key: bytes) -> str:
    return key.decode("utf-8", "backslashreplace")


def _invalid(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(None, None, message)
