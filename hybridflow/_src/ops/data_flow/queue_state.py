"""Queues as they run: elements, and the threads that wait for them or for room."""

from __future__ import annotations

import heapq
from collections import deque
from itertools import count, repeat
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.errors import (
    CancelledError,
    InvalidArgumentError,
    OutOfRangeError,
    ResourceExhaustedError,
)
from hybridflow._src.framework.philox import Philox
from hybridflow._src.framework.tensor_shape import bracketed
from hybridflow._src.framework.waiting import Attempt, Exchange, moved
from hybridflow._src.ops.data_flow.elements import array_of, rows_of, stacked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hybridflow._src.framework.dtypes import DType

    Element = tuple[np.ndarray, ...]
    Dims = tuple[int | None, ...] | None

ENQUEUE, DEQUEUE, LOOK = 0, 1, 2
# Random words that are drawn at a time: blocks of four.
_BLOCKS = np.arange(64, dtype=np.uint64)


class Queue(Exchange):
    """Elements in the order in which they came; subclasses have other orders.

    Args:
      name: in errors.
      dtypes, shapes: of the components of an element; `shapes` is empty if they may have any.
      capacity: how many elements there may be; no bound if it is negative.
    """

    kind = "FIFOQueue"

    def __init__(
        self, name: str, dtypes: Sequence[DType], shapes: Sequence[Dims], capacity: int
    ) -> None:
        super().__init__()
        self.name = name
        self.dtypes = tuple(dtypes)
        self.shapes = tuple(shapes)
        self.capacity = capacity
        self.elements: Any = deque()
        # The attempt that has closed it.
        self.closer: Attempt | None = None

    # -- elements, for who holds the lock ----------------------------------------------------------

    def put(self, pending: deque[Any], number: int) -> None:
        """Moves so many of the elements that somebody brings into the queue."""
        self.elements.extend(moved(pending.popleft, number))

    def take(self, found: deque[Any], number: int) -> None:
        """Moves so many elements out of it."""
        found.extend(moved(self.elements.popleft, number))

    def put_back(self, found: deque[Any]) -> None:
        """Takes back what `take` gave last."""
        self.elements.extendleft(moved(found.pop, len(found)))

    def ready(self) -> int:
        """How many elements may be taken."""
        return len(self.elements)

    def room(self, pending: deque[Any]) -> int:
        """How many of the elements that somebody brings have room."""
        if self.capacity < 0:
            return len(pending)
        return min(len(pending), self.capacity - len(self.elements))

    def entry(self, element: Element) -> Any:
        """What stands for an element inside."""
        return element

    def element(self, entry: Any) -> Element:
        """The element that something stands for."""
        found: Element = entry
        return found

    # -- what can be asked -------------------------------------------------------------------------

    @property
    def is_closed(self) -> bool:
        """Whether no more elements come."""
        return self.closer is not None

    def size(self) -> int:
        """How many elements there are."""
        return len(self.elements)

    def enqueue(self, *components: Any) -> Attempt:
        """Begins to add one element."""
        element = tuple([array_of(c) for c in components])
        for index, (array, dims) in enumerate(zip(element, self.shapes, strict=False)):
            check_shape(index, array.shape, dims)
        return self._enqueue([element])

    def enqueue_many(self, *components: Any) -> Attempt:
        """Begins to add the rows of arrays."""
        arrays = [array_of(c) for c in components]
        for index, array in enumerate(arrays):
            if not array.ndim:
                raise _invalid(f"Shape must be at least rank 1 but is rank 0 (component {index})")
            if len(array) != len(arrays[0]):
                raise _invalid(
                    "All input tensors must have the same size in the 0th dimension. Component "
                    f"{index} has {len(array)}, and should have {len(arrays[0])}"
                )
        for index, (array, dims) in enumerate(zip(arrays, self.shapes, strict=False)):
            check_shape(index, array.shape, None if dims is None else (len(arrays[0]), *dims))
        return self._enqueue(list(zip(*[rows_of(a) for a in arrays], strict=True)))

    def _enqueue(self, elements: Sequence[Element]) -> Attempt:
        attempt = Attempt(self, ENQUEUE, self._serve_enqueue, "Enqueue operation")
        attempt.pending = deque([self.entry(e) for e in elements])
        return self.begin(attempt)

    def _serve_enqueue(self, attempt: Attempt) -> bool:
        pending = attempt.pending
        if self.closer is not None and pending:
            return attempt.fail(CancelledError(None, None, f"{self.kind} '{self.name}' is closed."))
        room = self.room(pending)
        if room > 0:
            self.put(pending, room)
        if not pending:
            attempt.result = ()
            attempt.done = True
        return room > 0

    def dequeue(self) -> Attempt:
        """Begins to take one element."""
        return self._dequeue(1, False, False)

    def dequeue_many(self, n: Any, up_to: bool = False) -> Attempt:
        """Begins to take several elements, joined to arrays with one more dimension.

        Args:
          n: how many. up_to: whether fewer will do, when the queue is closed.
        """
        number = int(n)
        if number < 0:
            name = "DequeueUpTo" if up_to else "DequeueMany"
            raise _invalid(f"{name}Op requested {number} < 0 elements")
        if not self.shapes:
            raise _invalid(
                f"{self.kind}'s DequeueMany and DequeueUpTo require the components to have "
                "specified shapes."
            )
        return self._dequeue(number, True, up_to)

    def _dequeue(self, number: int, many: bool, up_to: bool) -> Attempt:
        def serve(attempt: Attempt) -> bool:
            return self._serve_dequeue(attempt, many, up_to)

        attempt = Attempt(self, DEQUEUE, serve, "Dequeue operation")
        attempt.pending = deque()
        attempt.wanted = number
        if not number:
            attempt.result, attempt.done = self._joined(attempt), True
            return attempt
        return self.begin(attempt)

    def _serve_dequeue(self, attempt: Attempt, many: bool, up_to: bool) -> bool:
        found = attempt.pending
        left = attempt.wanted - len(found)
        if self.closer is not None and len(self.elements) < left:
            there = len(self.elements)
            self.put_back(found)
            if not (up_to and self.elements):
                # Who stands in the other line may have some.
                if up_to and self.lines[ENQUEUE]:
                    return True
                return attempt.fail(
                    OutOfRangeError(
                        None,
                        None,
                        f"{self.kind} '{self.name}' is closed and has insufficient elements "
                        f"(requested {left}, current size {there})",
                    )
                )
            attempt.wanted = left = len(self.elements)
        number = min(left, self.ready())
        if number > 0:
            self.take(found, number)
        if len(found) == attempt.wanted:
            attempt.result = self._joined(attempt) if many else list(self.element(found[0]))
            attempt.done = True
        return number > 0

    def _joined(self, attempt: Attempt) -> list[np.ndarray]:
        elements = [self.element(entry) for entry in attempt.pending]
        return [
            stacked([e[i] for e in elements], dtype.np, dims or ())
            for i, (dtype, dims) in enumerate(zip(self.dtypes, self.shapes, strict=True))
        ]

    def give_back(self, attempt: Attempt) -> None:
        """Takes back the elements that a dequeue got which does not wait for the rest."""
        if attempt.line == DEQUEUE:
            self.put_back(attempt.pending)

    def close(self, cancel_pending_enqueues: bool) -> Attempt:
        """Begins to close it, after all enqueues that wait, or before them: then they fail."""
        serve = self._serve_cancel if cancel_pending_enqueues else self._serve_close
        attempt = Attempt(self, ENQUEUE, serve, "Close operation")
        return self.begin(attempt, at_once=cancel_pending_enqueues)

    def _serve_close(self, attempt: Attempt) -> bool:
        if self.closer is not None and self.closer is not attempt:
            return attempt.fail(
                CancelledError(None, None, f"Queue '{self.name}' is already closed.")
            )
        self.closer = attempt
        attempt.result, attempt.done = (), True
        return True

    def _serve_cancel(self, attempt: Attempt) -> bool:
        self.closer = self.closer or attempt
        for other in list(self.lines[ENQUEUE]):
            if other is not attempt and not other.done:
                other.fail(CancelledError(None, None, "Enqueue operation was cancelled"))
        attempt.result, attempt.done = (), True
        return True

    # -- the same queue asked for again ------------------------------------------------------------

    @property
    def traits(self) -> dict[str, Any]:
        """What it is, where others may have its name."""
        return {
            "type": self.kind,
            "capacity": self.capacity,
            "component types": names_of(self.dtypes),
            "component shapes": shapes_of(self.shapes),
        }


class PaddingQueue(Queue):
    """Elements whose sizes differ: those that are taken together are padded with zeros."""

    kind = "PaddingFIFOQueue"


class Stage(Queue):
    """Elements that are put by for later: they can be looked at, and dropped.

    Args:
      capacity: as for a queue; 0 for no bound.
      memory_limit: how many bytes the elements may have; 0 for no bound.
    """

    kind = "StagingArea"

    def __init__(
        self,
        name: str,
        dtypes: Sequence[DType],
        shapes: Sequence[Dims],
        capacity: int,
        memory_limit: int,
    ) -> None:
        super().__init__(name, dtypes, shapes, capacity or -1)
        self.memory_limit = memory_limit
        self.lines = (*self.lines, deque())

    def room(self, pending: deque[Any]) -> int:
        most = super().room(pending)
        if not self.memory_limit or most <= 0:
            return most
        used = sum(map(size_of, self.elements))
        return int(used + size_of(pending[0]) <= self.memory_limit)

    def enqueue(self, *components: Any) -> Attempt:
        size = size_of(tuple(map(array_of, components)))
        if 0 < self.memory_limit < size:
            raise too_large(size, self.name, self.memory_limit)
        return super().enqueue(*components)

    def peek(self, index: Any) -> Attempt:
        """Begins to look at an element, which stays."""
        number = int(index)
        if number < 0:
            raise _invalid(f"Staging Area '{self.name}' has no element {number}")

        def serve(attempt: Attempt) -> bool:
            if len(self.elements) <= number:
                return False
            attempt.result = list(self.elements[number])
            attempt.done = True
            return True

        return self.begin(Attempt(self, LOOK, serve, "Peek operation"))

    def clear(self) -> Attempt:
        """Begins to drop all elements."""

        def serve(attempt: Attempt) -> bool:
            self.elements.clear()
            attempt.result, attempt.done = (), True
            return True

        return self.begin(Attempt(self, LOOK, serve, "Clear operation"), at_once=True)

    @property
    def traits(self) -> dict[str, Any]:
        return {**super().traits, "memory limit": self.memory_limit}


def check_shape(index: int, shape: tuple[int, ...], dims: Dims) -> None:
    """Checks the shape of a component.

    Raises:
      InvalidArgumentError: if it does not fit.
    """
    fits = dims is None or (
        len(dims) == len(shape)
        and all(d is None or d == n for d, n in zip(dims, shape, strict=True))
    )
    if not fits:
        raise _invalid(
            f"Shape mismatch in tuple component {index}. Expected {bracketed(dims)}, "
            f"got {bracketed(shape)}"
        )


def size_of(element: Iterable[np.ndarray]) -> int:
    """How much memory an element takes; a string counts what it holds."""
    return sum(
        sum(map(len, a.ravel().tolist())) if a.dtype.kind == "O" else a.nbytes for a in element
    )


def too_large(size: int, name: str, limit: int) -> ResourceExhaustedError:
    """The error for an element that never has room in a staging area."""
    return ResourceExhaustedError(
        None,
        None,
        f"Attempted to insert tensors with combined size of '{size}' bytes into Staging Area "
        f"'{name}' with a memory limit of '{limit}'.",
    )


class PriorityQueue(Queue):
    """Elements with the smallest first component first; of equal ones the one that came first."""

    kind = "PriorityQueue"

    def __init__(
        self, name: str, dtypes: Sequence[DType], shapes: Sequence[Dims], capacity: int
    ) -> None:
        super().__init__(name, dtypes, shapes, capacity)
        self.elements = []
        self._numbers = count()

    def put(self, pending: deque[Any], number: int) -> None:
        entries = moved(pending.popleft, number)
        deque(map(heapq.heappush, repeat(self.elements), entries), maxlen=0)

    def take(self, found: deque[Any], number: int) -> None:
        found.extend(moved(heapq.heappop, number, self.elements))

    def put_back(self, found: deque[Any]) -> None:
        self.put(found, len(found))

    def entry(self, element: Element) -> Any:
        if element[0].ndim:
            raise _invalid(
                "Expected the priority element to be a scalar, but received shape: "
                f"{bracketed(element[0].shape)}"
            )
        return int(element[0]), next(self._numbers), element

    def element(self, entry: Any) -> Element:
        found: Element = entry[2]
        return found


class RandomShuffleQueue(Queue):
    """Elements in random order.

    Args:
      min_after_dequeue: how many elements stay, so that there is something to choose from, until
        the queue is closed.
      seed, seed2: the two seeds of the op.
    """

    kind = "RandomShuffleQueue"

    def __init__(
        self,
        name: str,
        dtypes: Sequence[DType],
        shapes: Sequence[Dims],
        capacity: int,
        min_after_dequeue: int,
        seed: int,
        seed2: int,
    ) -> None:
        super().__init__(name, dtypes, shapes, capacity)
        self.elements = []
        self.least = min_after_dequeue
        self.seeds = seed, seed2
        self._generator = Philox(seed, seed2)
        self._words: list[int] = []

    def take(self, found: deque[Any], number: int) -> None:
        elements = self.elements
        until = len(found) + number
        while len(found) < until:
            if not self._words:
                start = self._generator.reserve(_BLOCKS.size)
                self._words = self._generator.words(start, _BLOCKS).reshape(-1)[::-1].tolist()
            at = self._words.pop() % len(elements)
            elements[at], elements[-1] = elements[-1], elements[at]
            found.extend(moved(elements.pop, 1))

    def put_back(self, found: deque[Any]) -> None:
        self.elements.extend(moved(found.pop, len(found)))

    def ready(self) -> int:
        return len(self.elements) - (0 if self.is_closed else self.least)

    @property
    def traits(self) -> dict[str, Any]:
        # Without seeds one takes what there is.
        seeds = {"random seeds": self.seeds} if self.seeds != (0, 0) else {}
        return {**super().traits, "min_after_dequeue": self.least, **seeds}


def names_of(dtypes: Sequence[DType]) -> str:
    return "[" + ", ".join(d.name for d in dtypes) + "]"


def shapes_of(shapes: Sequence[Dims]) -> str:
    return "[" + ",".join(bracketed(s) for s in shapes) + "]"


def _invalid(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(None, None, message)
