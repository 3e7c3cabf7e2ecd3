"""Elements put by under keys, as they run, and the threads that wait for a key or for room."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.waiting import Attempt, Exchange
from hybridflow._src.ops.data_flow.elements import array_of
from hybridflow._src.ops.data_flow.queue_state import (
    check_shape,
    names_of,
    shapes_of,
    size_of,
    too_large,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.dtypes import DType

    Dims = tuple[int | None, ...] | None
    Parts = dict[int, np.ndarray]

_PUT, _GET, _CLEAR = 0, 1, 2


class StageMap(Exchange):
    """Elements by their keys; parts of one may come, and be taken, apart.

    Args:
      name: in errors.
      dtypes, shapes: of an element's components; `shapes` is empty if they may have any.
      is_ordered: whether an element that is taken without a key is that of the smallest one.
      capacity: how many whole elements there may be; 0 for no bound.
      memory_limit: how many bytes all elements may have; 0 for no bound.
    """

    in_turn = False

    def __init__(
        self,
        name: str,
        dtypes: Sequence[DType],
        shapes: Sequence[Dims],
        is_ordered: bool,
        capacity: int,
        memory_limit: int,
    ) -> None:
        super().__init__(lines=3)
        self.name = name
        self._dtypes = tuple(dtypes)
        self._shapes = tuple(shapes)
        self._is_ordered = is_ordered
        self._capacity = capacity
        self._memory_limit = memory_limit
        self._whole: dict[int, Parts] = {}
        self._begun: dict[int, Parts] = {}
        # The keys of whole elements, and some that are there no more.
        self._keys: list[int] = []

    def size(self) -> int:
        """How many whole elements there are."""
        return len(self._whole)

    def incomplete_size(self) -> int:
        """How many lack a component."""
        return len(self._begun)

    # -- elements come -----------------------------------------------------------------------------

    def put(self, key: Any, indices: Any, *values: Any) -> Attempt:
        """Begins to add some components of the element of a key.

        Raises:
          InvalidArgumentError: for indices that are not in order, or not as many as values, and
            for another shape.
            ResourceExhaustedError: for more bytes than there may ever be.
        """
        number = int(key)
        places = self._places(number, indices)
        arrays = list(map(array_of, values))
        if len(places) != len(arrays):
            raise self._invalid(f"{len(arrays)} values came with {len(places)} indices.")
        for place, array in zip(places, arrays, strict=True):
            if self._shapes:
                check_shape(place, array.shape, self._shapes[place])
        size = size_of(arrays)
        if 0 < self._memory_limit < size:
            raise too_large(size, self.name, self._memory_limit)
        given = dict(zip(places, arrays, strict=True))

        def serve(attempt: Attempt) -> bool:
            if attempt.pending is None:
                there = self._begun.get(number, {})
                if number in self._whole or there.keys() & given:
                    return attempt.fail(
                        self._invalid(
                            f"The tensor for index '{places[0]}' for key '{number}' was already "
                            f"initialized '{len(self._dtypes)}'."
                        )
                    )
                if not self._has_room(size, len(given)):
                    return False
                attempt.pending = {**there, **given}
            self._set(number, attempt.pending)
            attempt.result, attempt.done = (), True
            return True

        return self.begin(Attempt(self, _PUT, serve, "Put operation"))

    def _set(self, key: int, parts: Parts) -> None:
        if len(parts) < len(self._dtypes):
            self._begun[key] = parts
            return
        self._begun.pop(key, None)
        self._whole[key] = parts
        if self._is_ordered:
            heapq.heappush(self._keys, key)

    def _has_room(self, size: int, number: int) -> bool:
        is_whole = number == len(self._dtypes)
        if is_whole and 0 < self._capacity <= len(self._whole):
            return False
        if not self._memory_limit:
            return True
        there = [*self._whole.values(), *self._begun.values()]
        return size + sum(size_of(parts.values()) for parts in there) <= self._memory_limit

    # -- elements go -------------------------------------------------------------------------------

    def peek(self, key: Any, indices: Any) -> Attempt:
        """Begins to look at components of the element of a key, which stay."""
        number = int(key)
        places = self._places(number, indices)

        def serve(attempt: Attempt) -> bool:
            if number not in self._whole:
                return False
            try:
                attempt.result = self._parts(number, places)
            except InvalidArgumentError as error:
                return attempt.fail(error)
            attempt.done = True
            return True

        return self.begin(Attempt(self, _GET, serve, "Peek operation"))

    def pop(self, key: Any, indices: Any) -> Attempt:
        """Begins to take components of the element of a key, which is gone with the last one."""
        number = int(key)
        return self._pop(self._places(number, indices), number)

    def pop_any(self, indices: Any) -> Attempt:
        """Begins to take components of the element with the smallest key, or of the first one.

        What comes of it is the key and the components.
        """
        return self._pop(self._places(None, indices), None)

    def _pop(self, places: list[int], key: int | None) -> Attempt:
        def serve(attempt: Attempt) -> bool:
            if attempt.pending is None:
                number = self._first_key() if key is None else key
                if number not in self._whole:
                    return False
                try:
                    parts = self._parts(number, places)
                except InvalidArgumentError as error:
                    return attempt.fail(error)
                attempt.result = parts if key is not None else [np.asarray(number), *parts]
                attempt.pending = number
            left = dict(self._whole.get(attempt.pending, {}))
            for place in places:
                left.pop(place, None)
            if left:
                self._whole[attempt.pending] = left
            else:
                self._whole.pop(attempt.pending, None)
            attempt.done = True
            return True

        return self.begin(Attempt(self, _GET, serve, "Get operation"))

    def _first_key(self) -> int | None:
        if not self._is_ordered:
            return next(iter(self._whole), None)
        while self._keys and self._keys[0] not in self._whole:
            heapq.heappop(self._keys)
        return self._keys[0] if self._keys else None

    def _parts(self, key: int, places: list[int]) -> list[np.ndarray]:
        there = self._whole[key]
        for place in places:
            if place not in there:
                raise self._invalid(
                    f"Tensor at index '{place}' for key '{key}' has already been removed."
                )
        return [there[place] for place in places]

    def _places(self, key: int | None, indices: Any) -> list[int]:
        places: list[int] = array_of(indices).tolist()
        for place in places:
            if not 0 <= place < len(self._dtypes):
                raise self._invalid(
                    f"Index '{place}' for key '{key}' was out of bounds '{len(self._dtypes)}'."
                )
        if places != sorted(set(places)):
            raise self._invalid("Indices are not strictly ordered")
        return places

    def _invalid(self, message: str) -> InvalidArgumentError:
        return InvalidArgumentError(None, None, f"Staging Area '{self.name}': {message}")

    # -- all of it ---------------------------------------------------------------------------------

    def clear(self) -> Attempt:
        """Begins to drop all elements."""

        def serve(attempt: Attempt) -> bool:
            self._whole.clear()
            self._begun.clear()
            self._keys.clear()
            attempt.result, attempt.done = (), True
            return True

        return self.begin(Attempt(self, _CLEAR, serve, "Clear operation"), at_once=True)

    # -- the same one asked for again --------------------------------------------------------------

    @property
    def traits(self) -> dict[str, Any]:
        """What it is, where others may have its name."""
        return {
            "component types": names_of(self._dtypes),
            "component shapes": shapes_of(self._shapes),
            "order": self._is_ordered,
            "capacity": self._capacity,
            "memory limit": self._memory_limit,
        }
