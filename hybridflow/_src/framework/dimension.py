"""`Dimension`: the size of one axis, which may be unknown."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, cast

from hybridflow._src.framework.errors import ShapeError
from hybridflow._src.framework.unknown_sizes import miss_size

__all__ = ["Dimension", "as_dimension", "dimension_value"]

_LARGEST = 2**63 - 1


class Dimension:
    """The size of one axis of a tensor: a whole number >= 0, or unknown.

    Arithmetic with an unknown operand gives an unknown dimension, a comparison with one None:
    neither true nor false.

    Args:
      value: An integer, another Dimension, or None for an unknown size.

    Raises:
      ValueError: The value is negative or not a whole number.
      TypeError: The value is no number.

    >>> import hybridflow as hf
    >>> hf.Dimension(2) * 3, hf.Dimension(None) + 1
    (Dimension(6), Dimension(None))
    >>> hf.Dimension(2) == 2, hf.Dimension(None) == 2
    (True, None)
    """

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = dimension_value(value)

    @property
    def value(self) -> int | None:
        """The size, or None if it is unknown."""
        if self._value is None:
            miss_size()
        return self._value

    def is_compatible_with(self, other: Any) -> bool:
        """Whether both may be the same size: they are equal or one is unknown.

        >>> import hybridflow as hf
        >>> hf.Dimension(2).is_compatible_with(None), hf.Dimension(2).is_compatible_with(3)
        (True, False)
        """
        size = dimension_value(other)
        return self._value is None or size is None or self._value == size

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raises ValueError unless both may be the same size."""
        if not self.is_compatible_with(other):
            raise ShapeError(f"Dimensions {self} and {as_dimension(other)} are not compatible")

    def merge_with(self, other: Any) -> Dimension:
        """What both say together: the known one of the two sizes.

        Raises:
          ValueError: Both are known and differ.

        >>> import hybridflow as hf
        >>> hf.Dimension(None).merge_with(3)
        Dimension(3)
        """
        self.assert_is_compatible_with(other)
        return as_dimension(other) if self._value is None else self

    def __repr__(self) -> str:
        return f"Dimension({self._value})"

    def __str__(self) -> str:
        return "?" if self._value is None else str(self._value)

    def __int__(self) -> int:
        if self._value is None:
            miss_size()
            raise TypeError("The size of Dimension(None) is unknown: it is no integer.")
        return self._value

    __index__ = __int__

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple[type[Dimension], tuple[int | None]]:
        return Dimension, (self._value,)

    # Comparisons are Any: True, False, or None where a size is unknown.
    def __eq__(self, other: object) -> Any:
        return _compare(operator.eq, self, other)

    def __ne__(self, other: object) -> Any:
        return _compare(operator.ne, self, other)

    def __lt__(self, other: Any) -> Any:
        return _compare(operator.lt, self, other)

    def __le__(self, other: Any) -> Any:
        return _compare(operator.le, self, other)

    def __gt__(self, other: Any) -> Any:
        return _compare(operator.gt, self, other)

    def __ge__(self, other: Any) -> Any:
        return _compare(operator.ge, self, other)

    def __add__(self, other: Any) -> Dimension:
        return _calculate(operator.add, self, other)

    def __radd__(self, other: Any) -> Dimension:
        return _calculate(operator.add, other, self)

    def __sub__(self, other: Any) -> Dimension:
        return _calculate(operator.sub, self, other)

    def __rsub__(self, other: Any) -> Dimension:
        return _calculate(operator.sub, other, self)

    def __mul__(self, other: Any) -> Dimension:
        return _calculate(operator.mul, self, other)

    def __rmul__(self, other: Any) -> Dimension:
        return _calculate(operator.mul, other, self)

    def __floordiv__(self, other: Any) -> Dimension:
        return _calculate(operator.floordiv, self, other)

    def __rfloordiv__(self, other: Any) -> Dimension:
        return _calculate(operator.floordiv, other, self)

    def __mod__(self, other: Any) -> Dimension:
        return _calculate(operator.mod, self, other)

    def __rmod__(self, other: Any) -> Dimension:
        return _calculate(operator.mod, other, self)


def dimension_value(value: Any) -> int | None:
    """The plain size that a value stands for: an int >= 0, or None for an unknown one.

    Raises:
      ValueError: The value is negative or not a whole number.
      TypeError: The value is no number.
    """
    if value is None:
        return None
    if value.__class__ is Dimension:
        return value._value
    try:
        size = int(value)
    except OverflowError:
        raise ValueError(f"Ambiguous dimension: {value} is not a whole number") from None
    if size != value and not isinstance(value, (str, bytes)):
        raise ValueError(f"Ambiguous dimension: {value} is not a whole number")
    if not 0 <= size <= _LARGEST:
        raise ValueError(f"Dimension {size} must be >= 0 and have at most 64 bits")
    return size


def as_dimension(value: Any) -> Dimension:
    """The value as a Dimension: itself if it is one already."""
    return value if isinstance(value, Dimension) else Dimension(value)


def _compare(relation: Callable[[Any, Any], bool], a: Any, b: Any) -> Any:
    try:
        x, y = dimension_value(a), dimension_value(b)
    except (TypeError, ValueError):
        return NotImplemented
    if x is None or y is None:
        miss_size()
        return None
    return relation(x, y)


def _calculate(function: Callable[[Any, Any], int], a: Any, b: Any) -> Dimension:
    try:
        x, y = dimension_value(a), dimension_value(b)
    except (TypeError, ValueError):
        return cast(Dimension, NotImplemented)
    return Dimension(None) if x is None or y is None else Dimension(function(x, y))
