"""Steps of a loop's turn that do it for all turns at once.

A value that differs from turn to turn is a row of a value `[turns, ...]`. It lies in a buffer of
its own, which stands for that row: so what an op does with it, in the form and the layout that it
has in a turn, is done with all of them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.plan.arrays import Arrays, is_unwritten
from hybridflow._src.plan.slices import row_of
from hybridflow._src.plan.steps import Unsupported
from hybridflow._src.plan.values import OUTER, PLANNED, Buffer, Stack, Value, broadcast_shape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.storage import Storage
    from hybridflow._src.kernels.kernel import Kernel
    from hybridflow._src.kernels.slices import Axis

# More bytes than these do not stay in a cache from one step to the next.
_MOST_BYTES = 1 << 25


class AllTurns(Arrays):
    """Steps for all turns, added to those around the loop.

    Args:
      around: these. count: how many turns there are.
    """

    def __init__(self, around: Arrays, count: int) -> None:
        super().__init__(around.threads, around.most, around.block)
        self._around = around
        self._count = count
        self._all: dict[Buffer, Value] = {}

    # -- one turn, and all of them -----------------------------------------------------------------

    def in_a_turn(self, value: Value) -> Value:
        """What a turn has of a value `[turns, ...]`.

        Raises:
          Unsupported: if that is more memory than is had at once.
        """
        if value.buffer.kind == PLANNED and value.buffer.size > _MOST_BYTES:
            raise Unsupported("too much for all turns at once")
        buffer = Buffer(OUTER, value.shape[1:], value.dtype)
        self._all[buffer] = value
        return Value(buffer, value.shape[1:], value.strides[1:], value.offset)

    def differs(self, value: Value) -> bool:
        """Whether a value is not the same in all turns."""
        return value.buffer in self._all

    def in_all(self, value: Value, rank: int = 0) -> Value:
        """`[turns, ...]`: the value in all turns, which in each has so many axes at least."""
        whole = self._all.get(value.buffer)
        buffer, apart = (value.buffer, 0) if whole is None else (whole.buffer, whole.strides[0])
        new = max(rank - len(value.shape), 0)
        shape = (self._count, *(1,) * new, *value.shape)
        return Value(buffer, shape, (apart, *(0,) * new, *value.strides), value.offset)

    def _broadcasting(self, values: Sequence[Value]) -> list[Value]:
        """Values in all turns, so that they are broadcast as they are in each."""
        rank = max(len(value.shape) for value in values)
        return [self.in_all(v, rank) if self.differs(v) else v for v in values]

    def _here(self) -> Arrays:
        self._around.op = self.op
        return self._around

    # -- what is added otherwise -------------------------------------------------------------------

    def constant(self, array: Any) -> Value:
        return self._around.constant(array)

    def variable(self, storage: Storage) -> Value:
        return self._around.variable(storage)

    def _next(self, storage: Storage, position: int) -> Buffer:
        raise Unsupported("a variable that is written to")

    def call(self, kernel: Kernel, args: Sequence[Any], **how: Any) -> None:
        if any(map(self.differs, how["reads"])):
            raise Unsupported("a kernel for one turn")
        self._here().call(kernel, args, **how)

    def elementwise(self, meaning: Callable[..., Any], *values: Value, **attrs: Any) -> Any:
        if not any(map(self.differs, values)):
            return self._here().elementwise(meaning, *values, **attrs)
        laid = self._broadcasting(values)
        known = [value.constant for value in laid]
        if broadcast_shape(list(values)) == () and all(array is not None for array in known):
            found: Any = meaning(*known, **attrs)
            if not isinstance(found, list | tuple):
                return self.in_a_turn(self.constant(found))
            return [self.in_a_turn(self.constant(array)) for array in found]
        found = self._here().elementwise(meaning, *laid, **attrs)
        if isinstance(found, Value):
            return self.in_a_turn(found)
        return [self.in_a_turn(value) for value in found]

    def rowwise(self, meaning: Callable[..., Any], *values: Value, shapes: Any) -> list[Value]:
        if not any(map(self.differs, values)):
            return self._here().rowwise(meaning, *values, shapes=shapes)
        first, *rest = values
        laid = (
            [self.in_all(first), *self._broadcasting(values)[1:]] if rest else [self.in_all(first)]
        )
        all_shapes = [(self._count, *shape) for shape in shapes]
        found = self._here().rowwise(meaning, *laid, shapes=all_shapes)
        return [self.in_a_turn(value) for value in found]

    def reduce(
        self, ufunc: np.ufunc, value: Value, axes: Sequence[int], keepdims: bool = False
    ) -> Value:
        if not self.differs(value):
            return self._here().reduce(ufunc, value, axes, keepdims)
        after = [1 + axis % len(value.shape) for axis in axes] if value.shape else []
        return self.in_a_turn(self._here().reduce(ufunc, self.in_all(value), after, keepdims))

    def assemble(
        self,
        shape: Sequence[int],
        dtype: Any,
        parts: Sequence[tuple[Value, Callable[[np.ndarray], np.ndarray]]],
    ) -> Value:
        if not any(self.differs(value) for value, _ in parts):
            return self._here().assemble(shape, dtype, parts)
        all_shape = (self._count, *shape)
        all_parts = [(self.in_all(value), _in_each(part_of)) for value, part_of in parts]
        known = [value.constant for value, _ in all_parts]
        if len(shape) == 1 and all(array is not None for array in known):
            whole = np.zeros(all_shape, dtype)
            for array, (_, part_of) in zip(known, all_parts, strict=True):
                part_of(whole)[...] = array
            return self.in_a_turn(self.constant(whole))
        return self.in_a_turn(self._here().assemble(all_shape, dtype, all_parts))

    def product(self, a: Value, b: Value) -> Value:
        here = self._here()
        if not self.differs(a) and not self.differs(b):
            return here.product(a, b)
        if len(a.shape) == len(b.shape) == 2 and not self.differs(b):
            rows, inner = a.shape
            flat = here.reshape(self.in_all(a), (self._count * rows, inner))
            found = here.product(flat, b)
            return self.in_a_turn(here.reshape(found, (self._count, rows, b.shape[1])))
        if len(a.shape) == len(b.shape) == 2 and not self.differs(a):
            return _turned(self.product(_turned(b), _turned(a)))
        return self.in_a_turn(here.product(self.in_all(a), self.in_all(b)))

    # -- rows by number ----------------------------------------------------------------------------

    def gather(self, params: Value, indices: Value) -> Value:
        if not self.differs(params) and not self.differs(indices):
            return self._here().gather(params, indices)
        if self.differs(params):
            raise Unsupported("rows of what differs from turn to turn")
        numbers = self.in_all(indices)
        found = self._in_order(params, numbers.constant)
        return self.in_a_turn(found or self._here().gather(params, numbers))

    @staticmethod
    def _in_order(params: Value, numbers: np.ndarray | None) -> Value | None:
        """The rows with these numbers where they lie; None if that is nowhere."""
        if numbers is None or numbers.ndim != 1:
            return None
        first, last = int(numbers[0]), int(numbers[-1])
        step = int(numbers[1]) - first if len(numbers) > 1 else 1
        count = params.shape[0]
        if not (0 <= first < count and 0 <= last < count) or np.any(np.diff(numbers) != step):
            return None
        down = params.strides[0]
        return Value(
            params.buffer,
            (len(numbers), *params.shape[1:]),
            (step * down, *params.strides[1:]),
            params.offset + first * down,
        )

    def slice(
        self, array: Value, begin: Value, end: Value, axes: Sequence[Axis], shape: Sequence[int]
    ) -> Value:
        place = row_of(array.shape, axes)
        if place is None or not self.differs(begin):
            return super().slice(array, begin, end, axes, shape)
        at = begin.offset + place * begin.strides[0]
        number = self.in_all(Value(begin.buffer, (), (), at)).constant
        if number is None or self.differs(array):
            raise Unsupported("slices that only a run tells")
        found = self._in_order(array, np.where(number < 0, number + array.shape[0], number))
        if found is None:
            raise Unsupported("rows in no order")
        return self.reshape(self.in_a_turn(found), tuple(shape))

    def write_item(self, items: Any, index: Value, item: Value, grows: bool) -> Any:
        """All elements of an array, each of which a turn writes."""
        number = self.in_all(index).constant
        if not is_unwritten(items) or number is None:
            raise Unsupported("an array that others have")
        order = np.argsort(number, kind="stable")
        size = max(len(items), number.size) if grows else len(items)
        if not np.array_equal(number[order], np.arange(size)):
            raise Unsupported("elements that are not all of an array")
        rows = self._in_order(self.in_all(item), order)
        if rows is None:
            raise Unsupported("rows in no order")
        return Stack(rows, self.constant(np.asarray(size, np.int32)))


def _in_each(part_of: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """What a view of an array is, for each row of one."""

    def of_all(rows: np.ndarray) -> np.ndarray:
        part = part_of(rows[0])
        shape, strides = (len(rows), *part.shape), (rows.strides[0], *part.strides)
        return np.lib.stride_tricks.as_strided(part, shape, strides)

    return of_all


def _turned(matrix: Value) -> Value:
    return Value(matrix.buffer, matrix.shape[::-1], matrix.strides[::-1], matrix.offset)


def rows_in_one(value: Value) -> Value:
    """`[turns, rows, n]`, packed, as `[turns * rows, n]`."""
    found = value.reshaped((math.prod(value.shape[:-1]), value.shape[-1]))
    assert found is not None
    return found
