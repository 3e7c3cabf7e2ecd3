"""Tensor arrays as steps of native code: memory for all elements, and which of them are written.

An array that nobody has written to is known when the program is made: a list of nothing. Elements
are written in place where no later op uses the array as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.kernels import looping, rows
from hybridflow._src.kernels.memory import SHORT_NAMES
from hybridflow._src.plan.nested import Turns
from hybridflow._src.plan.stacks import Stacks
from hybridflow._src.plan.steps import Unsupported
from hybridflow._src.plan.values import Items, Stack, Value

if TYPE_CHECKING:
    from collections.abc import Sequence


def is_unwritten(items: Any) -> bool:
    """Whether it is an array of which no element was written."""
    return isinstance(items, Turns) and all(item is None for item in items)


class Arrays(Stacks):
    """Steps with those that work with tensor arrays."""

    def new_items(
        self, count: int, shape: Sequence[int], dtype: np.dtype, room: int | None = None
    ) -> Items:
        """Memory for elements, none of which is written; of an array that grows with some room."""
        if not (room or count) or 0 in shape:
            raise Unsupported("empty arrays")
        data = self._zeros((room or count, *shape), dtype)
        written = self._zeros((room or count,), np.dtype(np.uint8))
        size = self.constant(np.asarray(count, np.int32))
        return Items(data, size if room is None else self.copy(size), written)

    def _zeros(self, shape: tuple[int, ...], dtype: np.dtype) -> Value:
        if dtype not in SHORT_NAMES:
            raise Unsupported(f"elements of {dtype.name}")
        memory = self.memory(shape, dtype)
        kernel = self._from_source(rows.clear, SHORT_NAMES[dtype])
        self.call(kernel, [0, memory.size, memory], reads=[], writes=[memory])
        return memory

    def write_item(self, items: Any, index: Value, item: Value, grows: bool) -> Items:
        """An array with one more element; the run fails if there is no place for it."""
        if grows and not isinstance(items, Items):
            raise Unsupported("an array that grows outside of a loop")
        if is_unwritten(items):
            items = self.new_items(len(items), item.shape, item.dtype)
        elif not isinstance(items, Items) or items.is_captured:
            raise Unsupported("an array that others have")
        elif items.buffer not in self.ending:
            turns, written = items.turns, self.copy(items.written)
            assert turns is not None
            turns = turns if turns.constant is not None else self.copy(turns)
            items = Items(self.copy(_plain(items)), turns, written)
        if item.shape != items.shape[1:] or item.dtype != items.dtype:
            raise Unsupported("elements of different shapes")
        index, item = self.packed(index), self.packed(item)
        size = item.size * item.dtype.itemsize
        data, written, number = _plain(items), items.written, _size_of(items)
        grown = [] if number is None else [number]
        self.call(
            looping.WRITE,
            [index, item, size, data, items.shape[0], written, number or 0, size],
            reads=[index, item, data, written, *grown],
            writes=[data, written, *grown],
            fallible=True,
        )
        return items

    def write_items(self, items: Any, indices: Value, values: Value) -> Stack:
        """An array whose elements are all written at once, in order."""
        if not is_unwritten(items) or not self._are_all(indices, len(items)):
            raise Unsupported("elements that are not all of an array")
        return self.stack_of(values)

    @staticmethod
    def _are_all(indices: Value, count: int) -> bool:
        known = indices.constant
        return known is not None and np.array_equal(known, np.arange(count))

    def read_items(self, items: Value, indices: Value, has_zeros: bool) -> Value:
        """Elements by number; one that is not written is zeros, if there are such zeros."""
        number = _size_of(items)
        if number is None:
            self._check_written(items, has_zeros)
            return self.gather(items, indices)
        assert isinstance(items, Items)
        indices, written = self.packed(indices), items.written
        self.call(
            looping.READABLE,
            [indices, indices.size, number, 0 if has_zeros else written],
            reads=[indices, number, written],
            writes=[],
            fallible=True,
        )
        return self.gather(items, indices)

    def all_items(self, items: Value, has_zeros: bool) -> Value:
        """All elements."""
        if _size_of(items) is None:
            self._check_written(items, has_zeros)
            return self.all_turns(items)
        found = self.all_turns(items)
        self._check_written(items, has_zeros, found.shape[0])
        return found

    def _check_written(self, items: Value, has_zeros: bool, count: int | None = None) -> None:
        if not isinstance(items, Stack):
            raise Unsupported("an array that is none")
        if isinstance(items, Items) and not has_zeros:
            written = items.written
            count = written.size if count is None else count
            self.call(looping.WHOLE, [written, count], reads=[written], writes=[], fallible=True)

    def size_of_items(self, items: Any) -> Value:
        """How many elements there are."""
        if isinstance(items, Stack) and items.turns is not None:
            # That of an array that grows is written where it lies.
            return items.turns if _size_of(items) is None else self.copy(items.turns)
        if not is_unwritten(items):
            raise Unsupported("an array of unknown length")
        return self.constant(np.asarray(len(items), np.int32))

    # -- gradients ---------------------------------------------------------------------------------

    def gradient_item(self, grads: Any, like: Any, index: Value) -> Value:
        """The gradient for one element or turn, or for several: zeros where there is none."""
        if isinstance(grads, dict) and not grads and isinstance(like, Value):
            (shape,) = self.seen
            return self.full(shape or (), 0, like.dtype)
        return self.stack_item(grads, index, isinstance(like, Stack) or like == {})

    def gradients_of_rows(self, indices: Value, values: Value) -> Stack:
        """What elements that were read at once have as gradients."""
        if not self._are_all(indices, values.shape[0]):
            raise Unsupported("elements that are not all of an array")
        return self.stack_of(values)


def _size_of(items: Any) -> Value | None:
    """Where the size of an array lies that grows."""
    if not isinstance(items, Items) or items.turns is None or items.turns.constant is not None:
        return None
    return items.turns


def _plain(items: Items) -> Value:
    """The memory of all elements."""
    return Value(items.buffer, items.shape, items.strides, items.offset)
