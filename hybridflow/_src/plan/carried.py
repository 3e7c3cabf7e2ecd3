"""What bodies have of the program around them: what they capture, and variables of loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.plan.steps import LoopVariable, Unsupported
from hybridflow._src.plan.values import CONSTANT, OUTER, PLANNED, Buffer, Items, Stack, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from hybridflow._src.plan.instruction import Instruction
    from hybridflow._src.plan.nested import Part


class Names:
    """What inside a body is called by buffers of its own.

    Attributes:
      of: what these are outside. reads: the values that they are of.
    """

    def __init__(self, captures: Sequence[Any]) -> None:
        self._captures = captures
        self._known: dict[Buffer, Buffer] = {}
        self.of: dict[Buffer, Buffer] = {}
        self.reads: list[Value] = []

    def captures(self, part: Part) -> list[Any]:
        """What a body captures."""
        return [self._captures[i] for i in part.captures]

    def inside(self, item: Any) -> Any:
        """What lies in a buffer of the plan, as the body has it."""
        if not isinstance(item, Value) or item.buffer.kind == CONSTANT:
            return item
        inside = self._known.get(item.buffer)
        if inside is None:
            inside = Buffer(OUTER, item.buffer.shape, item.buffer.dtype)
            self._known[item.buffer] = inside
            self.of[inside] = item.buffer
            self.reads.append(item)
        value = Value(inside, item.shape, item.strides, item.offset)
        if isinstance(item, Stack):
            turns = None if item.turns is None else self.inside(item.turns)
            if isinstance(item, Items):
                return Items(value, turns, self.inside(item.written), is_captured=True)
            return Stack(value, turns)
        return value


class Carried:
    """A loop variable: an array of numbers, the elements of a tensor array, or what all turns have.

    Args:
      first: its first value. is_kept: whether it stays as it is; names: those inside the body then.
      items: the elements, which the body adds to; is_new: whether their memory is the loop's.

    Attributes:
      even: where it lies before even turns.
    """

    def __init__(
        self,
        first: Any,
        is_kept: bool = False,
        names: Names | None = None,
        items: Items | None = None,
        is_new: bool = False,
    ) -> None:
        self.first = first
        self.is_kept = is_kept
        self.items = items
        self.even: Buffer | None = None
        self._names = names
        self._is_new = is_new
        self._places: list[LoopVariable] = []

    def inside(self) -> Any:
        """What a part of the loop has for it."""
        if self._names is not None:
            return self._names.inside(self.first)
        data = outer(self.first.shape, self.first.dtype)
        if self.items is None:
            return data
        turns, written = self.items.turns, self.items.written
        assert turns is not None
        size = outer((), turns.dtype) if turns.constant is None else turns
        return Items(data, size, outer(written.shape, written.dtype))

    def places(self) -> list[LoopVariable]:
        """Where the elements lie, and which of them are written: the same before all turns.

        The latter is each thread's own where threads share the loop, so that it begins elsewhere.
        """
        if not self._places:
            for number, item in enumerate(buffers_of(self.items)):
                is_own = self._is_new and not number
                own = item.buffer if is_own else Buffer(PLANNED, item.shape, item.dtype)
                self._places.append(LoopVariable(item, own, own))
        return self._places

    def result(self, maker: Instruction) -> Any:
        """What it is in the end."""
        if self.is_kept:
            return self.first
        if self.items is None:
            assert self.even is not None
            return Value.whole(self.even)
        data, written, *size = (Value.whole(place.even) for place in self.places())
        made = Items(data, size[0] if size else self.items.turns, written)
        made.maker = maker
        return made


def buffers_of(items: Any) -> list[Value]:
    """The memory of a tensor array: of its elements, which of them are written, and of one that
    grows its size.
    """
    found = [Value(items.buffer, items.shape, items.strides, items.offset), items.written]
    return found if items.turns.constant is not None else [*found, items.turns]


def check_same(new: Any, before: Items) -> None:
    """Checks that elements were added to an array where they lie."""
    if not isinstance(new, Items) or new.buffer is not before.buffer:
        raise Unsupported("an array that others have")


def array_of(item: Any) -> Value:
    """A value that is an array of numbers.

    Raises:
      Unsupported: if it is none.
    """
    if not isinstance(item, Value) or isinstance(item, Stack):
        raise Unsupported("a loop variable that is no array of numbers")
    return item


def outer(shape: tuple[int, ...], dtype: np.dtype) -> Value:
    """What inside a body is called by a buffer of its own."""
    return Value.whole(Buffer(OUTER, shape, dtype))
