"""Slices whose bounds only a run tells, as steps of native code."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hybridflow._src.kernels import slices
from hybridflow._src.kernels.memory import SHORT_NAMES
from hybridflow._src.plan.images import Images
from hybridflow._src.plan.steps import Unsupported
from hybridflow._src.plan.values import Value, packed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.kernels.slices import Axis


class Slices(Images):
    """Steps with slices."""

    def slice(
        self, array: Value, begin: Value, end: Value, axes: Sequence[Axis], shape: Sequence[int]
    ) -> Value:
        """A slice of an array, in a shape; the run fails if it would have another one."""
        place = row_of(array.shape, axes)
        if place is not None and self.can_locate(array):
            at = begin.offset + place * begin.strides[0]
            row = self.row(array, Value(begin.buffer, (), (), at), from_end=True)
            return self.reshape(row, tuple(shape))
        array, begin, end = (self.packed(value) for value in (array, begin, end))
        part = self.memory(tuple(shape), array.dtype)
        self.call(
            slices.reading(*self._elements(array, begin)),
            [begin, end, array, part, *_words(array.shape, axes)],
            reads=[array, begin, end],
            writes=[part],
            fallible=True,
        )
        return part

    def unslice(
        self, shape: Sequence[int], part: Value, begin: Value, end: Value, axes: Sequence[Axis]
    ) -> Value:
        """An array of zeros but for a slice."""
        part, begin, end = (self.packed(value) for value in (part, begin, end))
        array = self.memory(tuple(shape), part.dtype)
        self.call(
            slices.writing(*self._elements(array, begin)),
            [begin, end, array, part, *_words(shape, axes), array.size],
            reads=[part, begin, end],
            writes=[array],
            fallible=True,
        )
        return array

    @staticmethod
    def _elements(array: Value, bounds: Value) -> tuple[str, str]:
        if array.dtype not in SHORT_NAMES:
            raise Unsupported(f"slices of {array.dtype.name}")
        return SHORT_NAMES[array.dtype], SHORT_NAMES[bounds.dtype]


def row_of(shape: Sequence[int], axes: Sequence[Axis]) -> int | None:
    """Where among the bounds the number of the row stands that a slice is; None if it is none."""
    if not axes or axes[0].length is not None:
        return None
    rest = zip(axes[1:], shape[1:], strict=True)
    return axes[0].entry if all(a.entry is None and a.length == n for a, n in rest) else None


def _words(shape: Sequence[int], axes: Sequence[Axis]) -> list[int]:
    """What the kernels are told of axes and of the shape of the slice."""
    cut: list[int] = []
    count = 0
    taken: list[tuple[int, int]] = []
    for size, apart, axis in zip(shape, packed(tuple(shape), 1), axes, strict=True):
        if axis.entry is not None:
            count += 1
            length = slices.ONE if axis.length is None else axis.length
            cut += [axis.entry, size, apart, axis.step, length, axis.flags]
        if axis.length is not None:
            taken.append((axis.length, apart * axis.step))
    # Neighbours that lie as one axis would are one.
    merged: list[tuple[int, int]] = []
    for length, apart in taken:
        if merged and merged[-1][1] == length * apart:
            merged[-1] = (merged[-1][0] * length, apart)
        else:
            merged.append((length, apart))
    *before, last = merged or [(1, 1)]
    if not math.prod(length for length, _ in taken):
        raise Unsupported("an empty slice")
    words: list[Any] = [count, len(before), *last, *cut]
    for pair in reversed(before):
        words += pair
    return words
