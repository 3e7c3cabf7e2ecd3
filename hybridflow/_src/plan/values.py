"""Values of a native plan: arrays that are known by shape, dtype and place, before they exist."""

from __future__ import annotations

import math
from sys import getrefcount
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from hybridflow._src.framework.storage import Storage

# What memory a buffer is: a part of the plan's own, a constant, an array that is fed, a variable's
# value, or an array that an op's NumPy meaning gave; inside a body, what the plan around it has.
PLANNED, CONSTANT, FED, VARIABLE, GIVEN = "planned", "constant", "fed", "variable", "given"
OUTER = "outer"
# A row of other memory: a step says where it is, as the program runs.
MOVING = "moving"


class Changed(Exception):
    """What a program was made for is no longer so: the plan's interpreter has to run.

    Attributes:
      given: what NumPy meanings gave before that, by the identity of their instruction; for a loop,
        where it stopped.
      is_news: whether the interpreter's run will tell what the program lacked.
      of_shapes: whether a program for the shapes of this run could run.
    """

    def __init__(self, why: str, is_news: bool = False, of_shapes: bool = False) -> None:
        super().__init__(why)
        self.given: dict[int, Any] = {}
        self.is_news = is_news
        self.of_shapes = of_shapes


class Buffer:
    """Memory that values lie in.

    Attributes:
      kind: see above. size: in bytes.
      maker: the position of the step that fills it (-1: none does), or of the last of several;
        first: of the first.
      last: the position of the last step that uses it.
      array: the constant. storage: the variable. index: which feed.
    """

    __slots__ = ("array", "dtype", "first", "index", "kind", "last", "maker", "shape", "storage")

    def __init__(self, kind: str, shape: tuple[int, ...], dtype: np.dtype, maker: int = -1) -> None:
        self.kind = kind
        self.shape = shape
        self.dtype = dtype
        self.maker = self.first = maker
        self.last = maker
        self.array: np.ndarray | None = None
        self.storage: Storage | None = None
        self.index = -1

    @property
    def size(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def again(self) -> Buffer:
        """Another one like it."""
        found = Buffer(self.kind, self.shape, self.dtype, self.maker)
        found.first, found.last = self.first, self.last
        return found

    def __repr__(self) -> str:
        return f"<{self.kind} {self.dtype.name}{list(self.shape)}>"


class Value:
    """A view of a buffer: what an op takes or gives.

    Attributes:
      strides, offset: in bytes.
    """

    __slots__ = ("buffer", "offset", "shape", "strides")

    def __init__(
        self, buffer: Buffer, shape: tuple[int, ...], strides: tuple[int, ...], offset: int = 0
    ) -> None:
        self.buffer = buffer
        self.shape = shape
        self.strides = strides
        self.offset = offset

    @staticmethod
    def whole(buffer: Buffer) -> Value:
        """All of a buffer."""
        return Value(buffer, buffer.shape, packed(buffer.shape, buffer.dtype.itemsize))

    @property
    def dtype(self) -> np.dtype:
        return self.buffer.dtype

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def is_packed(self) -> bool:
        """Whether its elements follow each other in order, without gaps."""
        expected = self.dtype.itemsize
        for size, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if size != 1 and stride != expected:
                return False
            expected *= size
        return True

    @property
    def is_whole(self) -> bool:
        """Whether it is all of its buffer, in order."""
        return (
            self.is_packed
            and not self.offset
            and math.prod(self.shape) == math.prod(self.buffer.shape)
        )

    @property
    def constant(self) -> np.ndarray | None:
        """The value, if it is known; it must not be written."""
        array = self.buffer.array
        if array is None:
            return None
        if self.is_whole:
            return array.reshape(self.shape)
        view = np.lib.stride_tricks.as_strided
        flat = array.reshape(-1)[self.offset // self.dtype.itemsize :]
        return view(flat, self.shape, self.strides, writeable=False)

    def broadcast_to(self, shape: tuple[int, ...]) -> Value | None:
        """The value repeated over a larger shape, or None if it does not fit."""
        extra = len(shape) - len(self.shape)
        if extra < 0:
            return None
        strides = [0] * extra
        for size, own, stride in zip(shape[extra:], self.shape, self.strides, strict=True):
            if own != size and own != 1:
                return None
            strides.append(stride if own == size else 0)
        return Value(self.buffer, shape, tuple(strides), self.offset)

    def has_rows(self, axis: int) -> bool:
        """Whether the buffer consists of rows that lie along an axis."""
        down, sizes = self.strides[axis], zip(self.shape, self.strides, strict=True)
        reach = sum((n - 1) * s for i, (n, s) in enumerate(sizes) if i != axis)
        is_inside = self.offset + reach + self.dtype.itemsize <= down
        is_forward = min(self.strides) >= 0 and self.offset >= 0
        return is_forward and is_inside and down * self.shape[axis] == self.buffer.size

    def moved(self, by: int) -> Value:
        """A value that lies so many bytes further on."""
        return Value(self.buffer, self.shape, self.strides, self.offset + by)

    def reshaped(self, shape: tuple[int, ...]) -> Value | None:
        """The same elements in another shape, or None if that takes a copy."""
        if self.is_packed:
            return Value(self.buffer, shape, packed(shape, self.dtype.itemsize), self.offset)
        # Axes of size 1 can come and go in any layout.
        sizes = [(n, s) for n, s in zip(self.shape, self.strides, strict=True) if n != 1]
        if [n for n, _ in sizes] != [n for n in shape if n != 1]:
            return None
        rest = iter([s for _, s in sizes])
        return Value(
            self.buffer, shape, tuple(0 if n == 1 else next(rest) for n in shape), self.offset
        )

    def __repr__(self) -> str:
        return f"<Value {self.dtype.name}{list(self.shape)} of {self.buffer!r}>"


class Stack(Value):
    """The values of a tensor in the turns of a loop, `[turns, ...]`, with room for more.

    Attributes:
      turns: how many there are, an int32; None if that is not known.
      maker: the instruction that gives it.
    """

    __slots__ = ("maker", "turns")

    def __init__(self, value: Value, turns: Value | None) -> None:
        super().__init__(value.buffer, value.shape, value.strides, value.offset)
        self.turns = turns
        self.maker: Any = None


class Items(Stack):
    """The elements of a tensor array, `[size, ...]`: zeros where none was written.

    Attributes:
      written: `[size]`, uint8: whether there is one.
      is_captured: whether it belongs to who runs this body, and must stay as it is.
    """

    __slots__ = ("is_captured", "written")

    def __init__(
        self, value: Value, turns: Value | None, written: Value, is_captured: bool = False
    ) -> None:
        super().__init__(value, turns)
        self.written = written
        self.is_captured = is_captured


def own(value: Any) -> Any:
    """A value as the caller's own: a copy of an array, a NumPy scalar for rank 0."""
    if isinstance(value, np.ndarray):
        return value.copy() if value.ndim else value[()]
    return value


def handed_over(values: list[Any]) -> list[Any]:
    """Values of a list that the caller alone has, as `own`: arrays that nobody else has are not
    copied.
    """
    # Known to the list and, for this call, to the function.
    is_free = [getrefcount(values[index]) <= 2 for index in range(len(values))]
    return [
        value if free and value.__class__ is np.ndarray and _is_whole(value) else own(value)
        for value, free in zip(values, is_free, strict=True)
    ]


def _is_whole(array: np.ndarray) -> bool:
    """Whether an array has memory of its own that may be written to."""
    return array.ndim > 0 and array.flags.owndata and array.flags.writeable


def packed(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """The strides of elements that follow each other in row-major order."""
    strides = []
    for size in reversed(shape):
        strides.append(itemsize)
        itemsize *= size
    return tuple(reversed(strides))


def broadcast_shape(values: list[Any]) -> tuple[int, ...]:
    """The shape of an elementwise op on these values."""
    return np.broadcast_shapes(*[value.shape for value in values])
