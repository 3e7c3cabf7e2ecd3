"""Stacks: what a loop keeps of each turn, for its gradient and for those who want all values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.kernels import looping
from hybridflow._src.kernels import rows as kernels
from hybridflow._src.kernels.memory import SHORT_NAMES
from hybridflow._src.plan.slices import Slices
from hybridflow._src.plan.steps import Unsupported
from hybridflow._src.plan.values import Stack, Value

if TYPE_CHECKING:
    from collections.abc import Sequence


class Stacks(Slices):
    """Steps with those that work with stacks.

    Attributes:
      seen: the shape that each result of the present op had.
    """

    seen: Sequence[tuple[int, ...] | None] = ()

    def push(self, stack: Value, item: Value, turn: Value) -> None:
        """Adds a value to a stack, in a turn of a loop."""
        item = self.packed(item)
        size = item.size * item.dtype.itemsize
        self.call(
            looping.PUSH,
            [item, size, stack, turn, stack.shape[0]],
            reads=[item, turn],
            writes=[stack],
            fallible=True,
        )

    def stack_item(self, stack: Value, index: Value, is_stack: bool) -> Value:
        """The value of one turn, by its number; `is_stack` tells whether that is a stack again."""
        if not isinstance(stack, Stack):
            raise Unsupported("a stack that is none")
        if stack.strides[0]:
            item = self.gather(stack, index)
        else:  # it is the same in all turns
            item = Value(stack.buffer, stack.shape[1:], stack.strides[1:], stack.offset)
        return Stack(item, None) if is_stack else item

    def copied(self, value: Value) -> Value:
        """A copy of a value, or of a stack."""
        if not isinstance(value, Stack):
            return self.copy(value)
        if value.strides[0]:
            made = Stack(self.copy(value), value.turns)
            made.maker = value.maker
            return made
        once = self.copy(Value(value.buffer, value.shape[1:], value.strides[1:], value.offset))
        again = Value(once.buffer, value.shape, (0, *once.strides))
        made = Stack(again, value.turns)
        made.maker = value.maker
        return made

    def stack_of(self, value: Value) -> Stack:
        """The rows of a value as a stack."""
        return Stack(self.packed(value), self.constant(np.asarray(value.shape[0], np.int32)))

    def all_turns(self, stack: Value) -> Value:
        """The values of all turns; the run fails unless there are as many as were seen."""
        (shape,) = self.seen
        if not isinstance(stack, Stack) or stack.turns is None:
            raise Unsupported("a stack of unknown length")
        if shape is None or shape[1:] != stack.shape[1:] or shape[0] > stack.shape[0]:
            raise Unsupported("a stack of another shape")
        if stack.turns.constant != shape[0]:
            turns = self.packed(stack.turns)
            self.call(looping.SAME, [turns, shape[0]], reads=[turns], writes=[], fallible=True)
        return Value(stack.buffer, shape, stack.strides, stack.offset)

    def sum_of_rows(self, rows: Value, turns: Value) -> Value:
        """The sum of all rows of `[turns, rows, n]`; a number in memory says how many turns."""
        _, count, length = rows.shape
        result = self.memory((length,), rows.dtype)
        self.call(
            self._from_source(kernels.sum_all_rows, SHORT_NAMES[rows.dtype]),
            [0, length, turns, count, rows, length, result],
            reads=[turns, rows],
            writes=[result],
            divisible=True,
            work=rows.size * rows.dtype.itemsize,
        )
        return result

    def sum_of_turns(self, like: Value, indices: Value, items: Value) -> Stack:
        """For each element of a stack the sum of what the turns have that name it."""
        if not all(isinstance(one, Stack) for one in (like, indices, items)):
            raise Unsupported("a stack that is none")
        assert isinstance(items, Stack)
        if items.turns is None or like.shape[1:] != items.shape[1:]:
            raise Unsupported("a stack of another shape")
        count, turns = like.shape[0], self.packed(items.turns)
        indices, items = self.packed(indices), self.packed(items)
        result = self.memory((count, *items.shape[1:]), items.dtype)
        self.call(
            self._rows_kernel(kernels.sum_turns, items, indices),
            [turns, indices, items, items.size // items.shape[0], result, count],
            reads=[turns, indices, items],
            writes=[result],
            fallible=True,
        )
        return Stack(result, self.constant(np.asarray(count, np.int32)))

    # -- gradients of stacks, which are stacks of all turns, or `{}` if there is nothing -----------

    def gradient_items(self, grads: Any, indices: Value, like: Value) -> Stack:
        """The gradient for the element that each turn has named."""
        if not isinstance(like, Stack) or like.turns is None or not isinstance(indices, Stack):
            raise Unsupported("a stack that is none")
        if _is_nothing(grads):
            return Stack(self.full(like.shape, 0, like.dtype), like.turns)
        if not self._has_all(grads) or grads.shape[1:] != like.shape[1:]:
            raise Unsupported("a stack of another shape")
        turns, indices, grads = (self.packed(value) for value in (like.turns, indices, grads))
        result = self.memory(like.shape, grads.dtype)
        self.call(
            self._rows_kernel(kernels.gather_turns, grads, indices),
            [turns, indices, grads, grads.shape[0], grads.size // grads.shape[0], result],
            reads=[turns, indices, grads],
            writes=[result],
            fallible=True,
        )
        return Stack(result, like.turns)

    def gradient_all(self, grads: Any, like: Value) -> Value:
        """The gradients for all elements of what became a stack."""
        if _is_nothing(grads):
            return self.full(like.shape, 0, like.dtype)
        if not self._has_all(grads) or grads.shape[0] < like.shape[0]:
            raise Unsupported("a stack of another shape")
        return Value(grads.buffer, like.shape, grads.strides, grads.offset)

    def add_gradients(self, x: Any, y: Any) -> Any:
        """The sum of two gradients of a stack."""
        if _is_nothing(x) or _is_nothing(y):
            return y if _is_nothing(x) else x
        if not (self._has_all(x) and self._has_all(y)) or x.shape[1:] != y.shape[1:]:
            raise Unsupported("a stack of another shape")
        # The stack has no more turns than either: beyond them there is room alone.
        count = min(x.shape[0], y.shape[0])
        first, second = (
            Value(v.buffer, (count, *v.shape[1:]), v.strides, v.offset) for v in (x, y)
        )
        return self.stack_of(self.elementwise(np.add, first, second))

    @staticmethod
    def _has_all(grads: Any) -> bool:
        """Whether it is a stack with something for each turn that there can be."""
        turns = grads.turns.constant if isinstance(grads, Stack) and grads.turns else None
        return turns is not None and int(turns) == grads.shape[0]


def _is_nothing(grads: Any) -> bool:
    """Whether there are no gradients."""
    return isinstance(grads, dict) and not grads
