"""Comparisons, logic, and tests for NaN and infinity: ops that give truth values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.op_def import OpDef, not_differentiable
from hybridflow._src.ops.families import FLOATS, NUMBERS, REALS, binary, unary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "equal",
    "greater",
    "greater_equal",
    "is_finite",
    "is_inf",
    "is_nan",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "not_equal",
]

_COMPARABLE = (*NUMBERS, dtypes.bool, dtypes.string)


# -- records ---------------------------------------------------------------------------------------


def _comparison(name: str, compute: Callable[..., Any], types: Sequence[DType] = REALS) -> OpDef:
    return binary(name, compute, not_differentiable, types=types, out="bool")


def _equal_arrays(x: np.ndarray, y: np.ndarray) -> Any:
    return _as_array(np.equal(x, y))


def _not_equal_arrays(x: np.ndarray, y: np.ndarray) -> Any:
    return _as_array(np.not_equal(x, y))


def _as_array(truth: Any) -> Any:
    # For two strings of rank 0 NumPy gives a Python bool.
    return np.asarray(truth) if truth.__class__ is bool else truth


_less = _comparison("Less", np.less)
_less_equal = _comparison("LessEqual", np.less_equal)
_greater = _comparison("Greater", np.greater)
_greater_equal = _comparison("GreaterEqual", np.greater_equal)
_equal = _comparison("Equal", _equal_arrays, _COMPARABLE)
_not_equal = _comparison("NotEqual", _not_equal_arrays, _COMPARABLE)

_logical_and = _comparison("LogicalAnd", np.logical_and, (dtypes.bool,))
_logical_or = _comparison("LogicalOr", np.logical_or, (dtypes.bool,))
_logical_not = unary("LogicalNot", np.logical_not, not_differentiable, types=(dtypes.bool,))

_is_nan = unary("IsNan", np.isnan, not_differentiable, types=FLOATS, out="bool")
_is_inf = unary("IsInf", np.isinf, not_differentiable, types=FLOATS, out="bool")
_is_finite = unary("IsFinite", np.isfinite, not_differentiable, types=FLOATS, out="bool")


# -- public functions ------------------------------------------------------------------------------


def equal(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x == y` elementwise, with broadcasting. (The operator `==` compares tensors by identity.)

    Args:
      x: tensor of numbers, truth values or strings.
      y: tensor of the same dtype, of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a bool tensor of the broadcast shape.

    Raises:
      TypeError: if the dtypes differ. ValueError: if the shapes do not broadcast.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.equal([1, 2, 3], 2).numpy())
    [False  True False]
    """
    return _equal(x, y, name=name)


def not_equal(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x != y` elementwise, with broadcasting. (The operator `!=` compares tensors by identity.)

    Args:
      x: tensor of numbers, truth values or strings.
      y: tensor of the same dtype, of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a bool tensor of the broadcast shape.

    Raises:
      TypeError: if the dtypes differ. ValueError: if the shapes do not broadcast.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.not_equal([1, 2, 3], 2).numpy())
    [ True False  True]
    """
    return _not_equal(x, y, name=name)


def less(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x < y` elementwise, with broadcasting.

    Args:
      x: tensor of a real dtype.
      y: tensor of the same dtype, of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a bool tensor of the broadcast shape.

    Raises:
      TypeError: if the dtypes differ. ValueError: if the shapes do not broadcast.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.less([1, 2, 3], 2).numpy())
    [ True False False]
    """
    return _less(x, y, name=name)


def less_equal(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x <= y` elementwise, with broadcasting.

    Args:
      x: tensor of a real dtype.
      y: tensor of the same dtype, of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a bool tensor of the broadcast shape.

    Raises:
      TypeError: if the dtypes differ. ValueError: if the shapes do not broadcast.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.less_equal([1, 2, 3], 2).numpy())
    [ True  True False]
    """
    return _less_equal(x, y, name=name)


def greater(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x > y` elementwise, with broadcasting.

    Args:
      x: tensor of a real dtype.
      y: tensor of the same dtype, of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a bool tensor of the broadcast shape.

    Raises:
      TypeError: if the dtypes differ. ValueError: if the shapes do not broadcast.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.greater([1, 2, 3], 2).numpy())
    [False False  True]
    """
    return _greater(x, y, name=name)


def greater_equal(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x >= y` elementwise, with broadcasting.

    Args:
      x: tensor of a real dtype.
      y: tensor of the same dtype, of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a bool tensor of the broadcast shape.

    Raises:
      TypeError: if the dtypes differ. ValueError: if the shapes do not broadcast.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.greater_equal([1, 2, 3], 2).numpy())
    [False  True  True]
    """
    return _greater_equal(x, y, name=name)


def logical_and(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x and y` elementwise, with broadcasting; what `&` does.

    Args:
      x: bool tensor.
      y: bool tensor of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a bool tensor of the broadcast shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.logical_and([True, False], True).numpy())
    [ True False]
    """
    return _logical_and(x, y, name=name)


def logical_or(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x or y` elementwise, with broadcasting; what `|` does.

    Args:
      x: bool tensor.
      y: bool tensor of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a bool tensor of the broadcast shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.logical_or([True, False], False).numpy())
    [ True False]
    """
    return _logical_or(x, y, name=name)


def logical_not(x: Any, name: str | None = None) -> Tensor:
    """`not x` elementwise; what `~` does.

    Args:
      x: bool tensor.
      name: name of the op.

    Returns: a bool tensor of the same shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.logical_not([True, False]).numpy())
    [False  True]
    """
    return _logical_not(x, name=name)


def logical_xor(x: Any, y: Any, name: str | None = "LogicalXor") -> Tensor:
    """Whether exactly one of `x` and `y` holds, elementwise, with broadcasting; what `^` does.

    Args:
      x: bool tensor.
      y: bool tensor of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a bool tensor of the broadcast shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.logical_xor([True, False], True).numpy())
    [False  True]
    """
    return _logical_and(_logical_or(x, y), _logical_not(_logical_and(x, y)), name=name)


def is_nan(x: Any, name: str | None = None) -> Tensor:
    """Whether each element is NaN.

    Args:
      x: tensor of a float dtype.
      name: name of the op.

    Returns: a bool tensor of the same shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.is_nan([1.0, float("nan"), float("inf")]).numpy())
    [False  True False]
    """
    return _is_nan(x, name=name)


def is_inf(x: Any, name: str | None = None) -> Tensor:
    """Whether each element is positive or negative infinity.

    Args:
      x: tensor of a float dtype.
      name: name of the op.

    Returns: a bool tensor of the same shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.is_inf([1.0, float("nan"), float("-inf")]).numpy())
    [False False  True]
    """
    return _is_inf(x, name=name)


def is_finite(x: Any, name: str | None = None) -> Tensor:
    """Whether each element is neither infinite nor NaN.

    Args:
      x: tensor of a float dtype.
      name: name of the op.

    Returns: a bool tensor of the same shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.is_finite([1.0, float("nan"), float("inf")]).numpy())
    [ True False False]
    """
    return _is_finite(x, name=name)
