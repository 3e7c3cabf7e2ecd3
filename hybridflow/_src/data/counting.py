"""Datasets of some of the elements of another, by their number: repeat, take, skip, shard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.data.ops import dataset_op
from hybridflow._src.data.passes import NONE, Counted, DerivedPass
from hybridflow._src.data.recipe import Recipe, optional, static_size, whole
from hybridflow._src.framework.errors import InvalidArgumentError

if TYPE_CHECKING:
    from hybridflow._src.data.passes import Item, Source


# -- repeat ----------------------------------------------------------------------------------------


class _Repeated(DerivedPass):
    """The elements of passes that follow each other: so many, or for ever (-1)."""

    kept = ("_count", "_passes", "_is_new")

    def __init__(self, source: Counted) -> None:
        super().__init__(source)
        self._source = source.source
        (self._count,) = source.args
        self._passes = 0
        self._is_new = True

    def _has_more(self) -> bool:
        """Whether there is another pass, which then begins: for ever, unless one has been empty."""
        if self._count < 0 and self._is_new:
            self._count = 0
        self._passes += 1
        if 0 <= self._count <= self._passes:
            return False
        self._input = self._source.begin()
        self._is_new = True
        return True

    @property
    def _has_ended(self) -> bool:
        return 0 <= self._count <= self._passes

    def next(self) -> Item | None:
        while not self._has_ended:
            item = self._input.next()
            if item is not None:
                self._is_new = False
                return item
            self._has_more()
        return None

    def items(self, most: int) -> list[Item]:
        found: list[Item] = []
        while len(found) < most and not self._has_ended:
            try:
                items = self._input.items(most - len(found))
            except Exception:
                self._is_new = False  # there was something
                raise
            if items:
                self._is_new = False
                found += items
            if len(found) < most:
                self._has_more()
        return found

    def numbers(self, most: int) -> np.ndarray:
        found: list[np.ndarray] = []
        left = most
        while left and not self._has_ended:
            numbers = self._input.numbers(left)
            if len(numbers):
                self._is_new = False
                found.append(numbers)
                left -= len(numbers)
            if left:
                self._has_more()
        return found[0] if len(found) == 1 else np.concatenate(found) if found else NONE


_repeat = dataset_op(
    "RepeatDataset",
    "input_dataset: variant, count: int64",
    lambda source, count: Counted(source, _Repeated, int(count)),
)


def repeated(dataset: Any, count: Any) -> Recipe:
    """The elements of a dataset several times over, or for ever."""
    times = optional(count, -1, "count")
    return Recipe(_repeat, dataset.element, lambda: (dataset._as_variant_tensor(), times))


# -- take and skip ---------------------------------------------------------------------------------


class _Taken(DerivedPass):
    """The first elements."""

    kept = ("_left",)

    def __init__(self, source: Counted) -> None:
        super().__init__(source)
        (self._left,) = source.args

    def next(self) -> Item | None:
        if not self._left:
            return None
        self._left -= 1
        return self._input.next()

    def numbers(self, most: int) -> np.ndarray:
        wanted = most if self._left < 0 else min(most, self._left)
        numbers = self._input.numbers(wanted) if wanted else NONE
        if self._left > 0:
            self._left -= len(numbers)
        return numbers


class _Skipped(DerivedPass):
    """All elements but the first ones."""

    kept = ("_left",)

    def __init__(self, source: Counted) -> None:
        super().__init__(source)
        self._has_rows = source.rows is not None
        (self._left,) = source.args

    def _skip(self) -> bool:
        """Passes over the first elements; whether there are others."""
        if self._left < 0:
            return False
        while self._left:
            if self._has_rows:
                passed = len(self._input.numbers(min(self._left, 1 << 16)))
                if not passed:
                    return False
                self._left -= passed
            else:
                if self._input.next() is None:
                    return False
                self._left -= 1
        return True

    def next(self) -> Item | None:
        return self._input.next() if self._skip() else None

    def numbers(self, most: int) -> np.ndarray:
        return self._input.numbers(most) if self._skip() else NONE


_take = dataset_op(
    "TakeDataset",
    "input_dataset: variant, count: int64",
    lambda source, count: Counted(source, _Taken, int(count)),
)
_skip = dataset_op(
    "SkipDataset",
    "input_dataset: variant, count: int64",
    lambda source, count: Counted(source, _Skipped, int(count)),
)


def taken(dataset: Any, count: Any) -> Recipe:
    """The first elements of a dataset; all of them for a count of -1."""
    number = whole(count, "count")
    return Recipe(_take, dataset.element, lambda: (dataset._as_variant_tensor(), number))


def skipped(dataset: Any, count: Any) -> Recipe:
    """The elements of a dataset after the first ones; none for a count of -1."""
    number = whole(count, "count")
    return Recipe(_skip, dataset.element, lambda: (dataset._as_variant_tensor(), number))


# -- shard -----------------------------------------------------------------------------------------


class _Sharded(DerivedPass):
    """Every so many-th element."""

    kept = ("_position",)

    def __init__(self, source: Counted) -> None:
        super().__init__(source)
        self._shards, self._index = source.args
        self._position = 0

    def next(self) -> Item | None:
        while (item := self._input.next()) is not None:
            position, self._position = self._position, (self._position + 1) % self._shards
            if position == self._index:
                return item
        return None

    def numbers(self, most: int) -> np.ndarray:
        found: list[np.ndarray] = []
        left = most
        while left:
            numbers = self._input.numbers(left * self._shards)
            if not len(numbers):
                break
            first = (self._index - self._position) % self._shards
            self._position = (self._position + len(numbers)) % self._shards
            found.append(numbers[first :: self._shards])
            left -= len(found[-1])
        return np.concatenate(found) if found else NONE


def _shard_source(source: Source, num_shards: Any, index: Any) -> Source:
    shards, number = int(num_shards), int(index)
    if shards < 1:
        raise InvalidArgumentError(
            None, None, f"Number of shards must be greater than zero (currently: {shards})."
        )
    if not 0 <= number < shards:
        raise InvalidArgumentError(
            None,
            None,
            f"Index must be between 0 and {shards - 1} (currently index = {number}).",
        )
    return Counted(source, _Sharded, shards, number)


_shard = dataset_op(
    "ShardDataset", "input_dataset: variant, num_shards: int64, index: int64", _shard_source
)


def sharded(dataset: Any, num_shards: Any, index: Any) -> Recipe:
    """Every `num_shards`-th element of a dataset, from number `index` on.

    Raises:
      ValueError: for numbers that do not fit, as far as they are known.
    """
    shards, number = whole(num_shards, "num_shards"), whole(index, "index")
    count, place = static_size(shards), static_size(number)
    if count is not None and count < 1:
        raise ValueError(f"num_shards must be >= 1; got: {count}")
    if place is not None and place < 0:
        raise ValueError(f"index must be >= 0; got: {place}")
    if count is not None and place is not None and place >= count:
        raise ValueError(f"index must be < num_shards; {place} is not < {count}")
    return Recipe(_shard, dataset.element, lambda: (dataset._as_variant_tensor(), shards, number))
