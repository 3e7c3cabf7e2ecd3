"""`TensorShape`: sizes that may be partly or wholly unknown, and the rules on raw sizes.

Inside the package a shape is a plain tuple whose entries are ints, or None for an unknown size;
None instead of a tuple means that not even the rank is known. `TensorShape` wraps such a value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, overload

from hybridflow._src.framework.dimension import (
    Dimension,
    as_dimension,
    dimension_value,
)
from hybridflow._src.framework.errors import ShapeError
from hybridflow._src.framework.late import late
from hybridflow._src.framework.unknown_sizes import miss_size, unknown_sizes

__all__ = [
    "Dimension",
    "RawDims",
    "TensorShape",
    "as_dimension",
    "as_shape",
    "bracketed",
    "broadcast",
    "compatible",
    "dimension_at_index",
    "dimension_value",
    "disable_v2_tensorshape",
    "enable_v2_tensorshape",
    "is_known",
    "matrix",
    "merge",
    "number_of_elements",
    "scalar",
    "to_string",
    "unknown_shape",
    "vector",
]

RawDims = tuple[int | None, ...] | None

# Whether sizes that programs take out of shapes are ints and None, as in TensorFlow 2. Modules of
# this package ask by `dimension_at_index`, `dims` or `as_list`, which give the same either way.
_plain_sizes = False


class TensorShape:
    """The shape of a tensor, as far as it is known: fully, in some dimensions, or not at all.

    Two shapes are equal if both are fully known and the same, or both of unknown rank. As in
    TensorFlow 1.4 a shape with an unknown dimension equals only itself, and `!=` on a shape of
    unknown rank is an error: compare `as_list()`, or ask `is_compatible_with`.

    Args:
      dims: A list of sizes (int, Dimension, or None for unknown), a single size, another shape, or
        None if the rank is unknown.

    Raises:
      TypeError: `dims` is a string or holds something that is no size.
      ValueError: A size is negative or not a whole number.

    >>> import hybridflow as hf
    >>> shape = hf.TensorShape([2, None])
    >>> print(shape, shape.ndims, shape[0].value)
    (2, ?) 2 2
    """

    __slots__ = ("_dims",)

    _dims: RawDims

    def __init__(self, dims: Any) -> None:
        self._dims = _raw(dims)

    @classmethod
    def of(cls, dims: RawDims) -> TensorShape:
        """The shape of raw sizes that are known to be right: nothing is checked or copied."""
        shape = object.__new__(cls)
        shape._dims = dims
        return shape

    @property
    def dims(self) -> list[Dimension] | None:
        """The sizes as a list of Dimension, or None if the rank is unknown."""
        return None if self._dims is None else [Dimension(d) for d in self._dims]

    @property
    def ndims(self) -> int | None:
        """The rank, or None if it is unknown."""
        return None if self._dims is None else len(self._dims)

    @property
    def rank(self) -> int | None:
        """The rank, or None if it is unknown, by TensorFlow 1.15's name."""
        return self.ndims

    def as_list(self) -> list[int | None]:
        """The sizes as a list of int, or None where unknown.

        Raises:
          ValueError: The rank is unknown.

        >>> import hybridflow as hf
        >>> hf.TensorShape([2, None]).as_list()
        [2, None]
        """
        if self._dims is None:
            raise ValueError("as_list() is not defined on an unknown TensorShape.")
        asked = unknown_sizes.top is not None and None in self._dims
        return _OpenSizes(self._dims) if asked else list(self._dims)

    def num_elements(self) -> int | None:
        """The number of elements, or None unless the shape is fully defined.

        >>> import hybridflow as hf
        >>> hf.TensorShape([2, 3]).num_elements(), hf.TensorShape([2, None]).num_elements()
        (6, None)
        """
        count = number_of_elements(self._dims)
        if count is None:
            miss_size()
        return count

    def is_fully_defined(self) -> bool:
        """Whether every size is known."""
        return is_known(self._dims)

    def assert_is_fully_defined(self) -> None:
        """Raises ValueError unless every size is known."""
        if not self.is_fully_defined():
            raise ShapeError(f"Shape {self} is not fully defined")

    def is_compatible_with(self, other: Any) -> bool:
        """Whether some fully known shape fits both.

        >>> import hybridflow as hf
        >>> shape = hf.TensorShape([2, None])
        >>> shape.is_compatible_with([None, 3]), shape.is_compatible_with([2])
        (True, False)
        """
        return compatible(self._dims, _raw(other))

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raises ValueError unless some fully known shape fits both."""
        if not self.is_compatible_with(other):
            raise ShapeError(f"Shapes {self} and {as_shape(other)} are incompatible")

    def merge_with(self, other: Any) -> TensorShape:
        """What both shapes say together.

        Raises:
          ValueError: They contradict each other.

        >>> import hybridflow as hf
        >>> print(hf.TensorShape([2, None]).merge_with([None, 3]))
        (2, 3)
        """
        other = as_shape(other)
        merged = merge(self._dims, other._dims)
        return other if merged is other._dims else TensorShape.of(merged)

    def most_specific_compatible_shape(self, other: Any) -> TensorShape:
        """The most that can be said of a shape which is this one or `other`.

        >>> import hybridflow as hf
        >>> print(hf.TensorShape([2, 3]).most_specific_compatible_shape([4, 3]))
        (?, 3)
        """
        more = _raw(other)
        if self._dims is None or more is None or len(self._dims) != len(more):
            return TensorShape.of(None)
        pairs = zip(self._dims, more, strict=True)
        return TensorShape.of(tuple([a if a == b else None for a, b in pairs]))

    def as_proto(self) -> Any:
        """The shape as a `TensorShapeProto` message.

        >>> import hybridflow as hf
        >>> [dim.size for dim in hf.TensorShape([2, None]).as_proto().dim]
        [2, -1]
        """
        return late.shape_proto(self._dims)

    def concatenate(self, other: Any) -> TensorShape:
        """The sizes of this shape followed by those of `other`.

        >>> import hybridflow as hf
        >>> print(hf.TensorShape([2]).concatenate([None, 3]))
        (2, ?, 3)
        """
        more = _raw(other)
        if self._dims is None or more is None:
            return TensorShape.of(None)
        return TensorShape.of(self._dims + more)

    def assert_same_rank(self, other: Any) -> None:
        """Raises ValueError if both ranks are known and differ."""
        other = as_shape(other)
        if None not in (self.ndims, other.ndims) and self.ndims != other.ndims:
            raise ShapeError(f"Shapes {self} and {other} must have the same rank")

    def assert_has_rank(self, rank: int) -> None:
        """Raises ValueError if the rank is known and differs from `rank`."""
        if self.ndims not in (None, rank):
            raise ShapeError(f"Shape {self} must have rank {rank}")

    def with_rank(self, rank: int) -> TensorShape:
        """This shape, or one of `rank` unknown sizes if the rank is not known.

        Raises:
          ValueError: The rank is another one.

        >>> import hybridflow as hf
        >>> print(hf.TensorShape(None).with_rank(2))
        (?, ?)
        """
        self.assert_has_rank(rank)
        return unknown_shape(rank) if self._dims is None else self

    def with_rank_at_least(self, rank: int) -> TensorShape:
        """This shape.

        Raises:
          ValueError: Its rank is known and less than `rank`.
        """
        if self._dims is not None and len(self._dims) < rank:
            raise ShapeError(f"Shape {self} must have rank at least {rank}")
        return self

    def with_rank_at_most(self, rank: int) -> TensorShape:
        """This shape.

        Raises:
          ValueError: Its rank is known and greater than `rank`.
        """
        if self._dims is not None and len(self._dims) > rank:
            raise ShapeError(f"Shape {self} must have rank at most {rank}")
        return self

    def __len__(self) -> int:
        if self._dims is None:
            raise ValueError("Cannot take the length of a shape with unknown rank.")
        return len(self._dims)

    def __bool__(self) -> bool:
        return self._dims is not None

    def __iter__(self) -> Iterator[Dimension | int | None]:
        if self._dims is None:
            raise ValueError("Cannot iterate over a shape with unknown rank.")
        return iter(self.as_list()) if _plain_sizes else map(Dimension, self._dims)

    @overload
    def __getitem__(self, key: slice) -> TensorShape: ...

    @overload
    def __getitem__(self, key: int) -> Dimension | int | None: ...

    def __getitem__(self, key: slice | int) -> TensorShape | Dimension | int | None:
        if isinstance(key, slice):
            if self._dims is not None:
                return TensorShape.of(self._dims[key])
            if key.step is not None:
                raise ValueError("A shape with unknown rank cannot be sliced with a step.")
            start = key.start or 0
            if key.stop is None or start < 0 or key.stop < 0:
                return TensorShape.of(None)
            return unknown_shape(max(key.stop - start, 0))
        found = dimension_at_index(self, key)
        return found.value if _plain_sizes else found

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if other.__class__ is not TensorShape:
            try:
                other = as_shape(other)
            except (TypeError, ValueError):
                return NotImplemented
        dims = self._dims
        if not is_known(dims) and compatible(dims, other._dims):
            miss_size()
        return dims == other._dims and (dims is None or None not in dims)

    def __ne__(self, other: object) -> bool:
        try:
            other = as_shape(other)
        except (TypeError, ValueError):
            return NotImplemented
        if self._dims is None or other._dims is None:
            raise ValueError("The inequality of unknown TensorShapes is undefined.")
        return not self == other

    def __hash__(self) -> int:
        return hash(self._dims)

    def __reduce__(self) -> tuple[Callable[..., TensorShape], tuple[RawDims]]:
        return TensorShape, (self._dims,)

    def __repr__(self) -> str:
        if _plain_sizes:
            return f"TensorShape({None if self._dims is None else list(self._dims)})"
        return f"TensorShape({self.dims})"

    def __str__(self) -> str:
        if _plain_sizes and self._dims is not None:
            return str(self._dims)
        return to_string(self._dims)


def as_shape(shape: Any) -> TensorShape:
    """The value as a TensorShape: itself if it is one already."""
    return shape if isinstance(shape, TensorShape) else TensorShape(shape)


def dimension_at_index(shape: TensorShape, index: int) -> Dimension:
    """The size at an index of a shape, as a Dimension; an unknown one, where the rank is unknown.

    It is a Dimension whatever `enable_v2_tensorshape` says of `shape[index]`.
    """
    return Dimension(None if shape._dims is None else shape._dims[index])


def enable_v2_tensorshape() -> None:
    """Has `shape[i]`, and iteration over a shape, give ints and None in place of `Dimension`s."""
    global _plain_sizes
    _plain_sizes = True


def disable_v2_tensorshape() -> None:
    """Has `shape[i]`, and iteration over a shape, give `Dimension`s, as from the start."""
    global _plain_sizes
    _plain_sizes = False


def unknown_shape(ndims: int | None = None) -> TensorShape:
    """A shape of `ndims` unknown sizes, or of unknown rank."""
    return TensorShape.of(None if ndims is None else (None,) * ndims)


def scalar() -> TensorShape:
    """The shape of a single number."""
    return TensorShape.of(())


def vector(length: Any) -> TensorShape:
    """The shape of a vector of `length` elements (None: unknown)."""
    return TensorShape([length])


def matrix(rows: Any, cols: Any) -> TensorShape:
    """The shape of a matrix of `rows` by `cols` elements (None: unknown)."""
    return TensorShape([rows, cols])


class _OpenSizes(list[int | None]):
    """Sizes, some unknown: to take one of these out is to ask for it."""

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        if found is None:
            miss_size()
        return _OpenSizes(found) if isinstance(key, slice) else found

    def __iter__(self) -> Iterator[int | None]:
        return map(self.__getitem__, range(len(self)))

    def __eq__(self, other: object) -> bool:
        miss_size()
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None


def is_known(dims: RawDims) -> bool:
    """Whether the rank and every size of a raw shape are known."""
    return dims is not None and None not in dims


def number_of_elements(dims: RawDims) -> int | None:
    """How many elements a raw shape has, or None unless all its sizes are known."""
    return None if dims is None or None in dims else math.prod(dims)  # type: ignore[arg-type]


def _raw(dims: Any) -> RawDims:
    """The raw sizes that a user's value stands for."""
    if dims is None:
        return None
    if dims.__class__ is TensorShape:
        return dims._dims
    if isinstance(dims, (str, bytes)):
        raise TypeError(
            f"A string has ambiguous TensorShape, got {dims!r}: pass a list of sizes, or an int."
        )
    if hasattr(dims, "unknown_rank"):  # a `TensorShapeProto`
        dims = None if dims.unknown_rank else [None if d.size < 0 else d.size for d in dims.dim]
        return None if dims is None else tuple(dims)
    try:
        sizes = iter(dims)
    except TypeError:
        return (dimension_value(dims),)
    return tuple(map(dimension_value, sizes))


def to_string(dims: RawDims) -> str:
    """Raw sizes as TensorFlow writes them: `(2, ?)`, `(3,)`, `()`, or `<unknown>`."""
    if dims is None:
        return "<unknown>"
    inside = ", ".join("?" if d is None else str(d) for d in dims)
    return f"({inside},)" if len(dims) == 1 else f"({inside})"


def bracketed(dims: RawDims) -> str:
    """Raw sizes as the messages of TensorFlow's native code have them: `[2,?]` or `<unknown>`."""
    if dims is None:
        return "<unknown>"
    return "[" + ",".join("?" if d is None else str(d) for d in dims) + "]"


def compatible(a: RawDims, b: RawDims) -> bool:
    """Whether some fully known shape fits both raw shapes."""
    if a is None or b is None or a == b:
        return True
    if len(a) != len(b):
        return False
    return all(x == y or x is None or y is None for x, y in zip(a, b, strict=True))


def merge(a: RawDims, b: RawDims) -> RawDims:
    """What two raw shapes say together; ShapeError (a ValueError) if they contradict each other."""
    if a is None or a == b:
        return b
    if b is None:
        return a
    if len(a) == len(b):
        sizes = list(a)
        for i, y in enumerate(b):
            x = sizes[i]
            if x is None:
                sizes[i] = y
            elif x != y and y is not None:
                break
        else:
            return tuple(sizes)
    raise ShapeError(f"Shapes {to_string(a)} and {to_string(b)} are not compatible")


def broadcast(a: RawDims, b: RawDims) -> RawDims:
    """The raw shape of an elementwise op on two tensors; ShapeError (a ValueError) if they misfit.

    An unknown size facing a size other than 1 is taken to fit it; facing 1 or another unknown size
    it leaves the result's size unknown.
    """
    if a == b or b == ():
        return a
    if a is None or b is None:
        return None
    if len(a) < len(b):
        longer, shorter = b, a
    else:
        longer, shorter = a, b
    split = len(longer) - len(shorter)
    sizes = list(longer)
    for i, y in enumerate(shorter, split):
        x = sizes[i]
        if x == y or y == 1:
            continue
        if x == 1 or x is None:
            sizes[i] = y
        elif y is not None:
            raise ShapeError(
                f"Incompatible shapes: {bracketed(a)} vs. {bracketed(b)}. "
                f"Dimensions must be equal, but are {x} and {y}"
            )
    return tuple(sizes)
