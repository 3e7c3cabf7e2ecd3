"""Assertions that compare the elements of tensors: `assert_equal`, `assert_positive` and kin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import context
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.ops.control_flow.debugging import Assert
from hybridflow._src.ops.math.comparison import (
    equal,
    greater,
    greater_equal,
    less,
    less_equal,
    not_equal,
)
from hybridflow._src.ops.math.elementwise import abs
from hybridflow._src.ops.math.reductions import reduce_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "assert_equal",
    "assert_greater",
    "assert_greater_equal",
    "assert_less",
    "assert_less_equal",
    "assert_near",
    "assert_negative",
    "assert_non_negative",
    "assert_non_positive",
    "assert_none_equal",
    "assert_positive",
]

_DIFFERENT = (
    "{message}\n{text}.\nIndices of first {count} different values:\n{indices}\n"
    "Corresponding x values:\n{x}\nCorresponding y values:\n{y}\n{firsts}"
)
_TOLERANCE = "x and y not equal to tolerance rtol = {rtol}, atol = {atol}"


def described(tensor: Tensor) -> str:
    """What a message calls a tensor: its name, or in eager mode its shape and dtype."""
    if context.modes.top.eager:
        return f"shape={tensor.shape} dtype={tensor.dtype.name}"
    return tensor.name


def _report(
    text: str, holds: np.ndarray, x: np.ndarray, y: np.ndarray, message: str, limit: int
) -> str:
    """Where two arrays do not fulfil a condition, and what stands there."""
    indices = np.argwhere(~holds)
    count = min(limit, len(indices))
    xs, ys = (np.broadcast_to(a, holds.shape)[~holds][:count] for a in (x, y))
    firsts = "".join(
        f"First {min(limit, a.size)} elements of {name}:\n{a.ravel()[:limit]}\n"
        for name, a in (("x", x), ("y", y))
        if limit
    )
    indices = indices[:count]
    return _DIFFERENT.format(
        message=message, text=text, count=count, indices=indices, x=xs, y=ys, firsts=firsts
    )


def _check(
    text: str,
    holds: Tensor,
    x: Tensor,
    y: Tensor,
    data: Any,
    summarize: int | None,
    message: str | None,
    shown: list[Any] | None = None,
) -> Any:
    """An `Assert` that a condition holds everywhere.

    In eager mode it fails with a report of where it does not hold; in a graph with `shown`: `x` and
    `y` by default. There only equality of known values is checked at once, since what is built
    might never run.
    """
    message = message or ""
    at_once = context.modes.top.eager or holds.op.type == "Equal"
    xs, ys = (constant_value(x), constant_value(y)) if at_once and data is None else (None, None)
    if xs is not None and ys is not None:
        known = constant_value(holds)
        if known is not None and not known.all():
            limit = 3 if summarize is None else summarize
            raise InvalidArgumentError(None, None, _report(text, known, xs, ys, message, limit))
    if data is None:
        shown = shown or [f"x ({described(x)}) = ", x, f"y ({described(y)}) = ", y]
        data = [message, f"{text} element-wise:", *shown]
    return Assert(reduce_all(holds), data, summarize=summarize)


def _text(condition: str) -> str:
    return f"Condition {condition} did not hold"


def _compare(
    label: str,
    condition: str,
    function: Callable[..., Tensor],
    x: Any,
    y: Any,
    data: Any,
    summarize: int | None,
    message: str | None,
    name: str | None,
) -> Any:
    with name_scope(name, label, [x, y, data]):
        x = convert_to_tensor(x, name="x")
        y = convert_to_tensor(y, name="y")
        return _check(_text(condition), function(x, y), x, y, data, summarize, message)


def _sign(
    label: str,
    condition: str,
    function: Callable[..., Tensor],
    zero_first: bool,
    x: Any,
    data: Any,
    summarize: int | None,
    message: str | None,
    name: str | None,
) -> Any:
    with name_scope(name, label, [x, data]):
        x = convert_to_tensor(x, name="x")
        zero = convert_to_tensor(0, dtype=x.dtype.base_dtype)
        shown = [f"x ({described(x)}) = ", x]
        with name_scope(None, f"assert_{function.__name__}"):
            holds = function(zero, x) if zero_first else function(x, zero)
            return _check(_text(condition), holds, x, zero, data, summarize, message, shown)


def assert_equal(
    x: Any,
    y: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Any:
    """Asserts that `x == y` holds for all elements, broadcast.

    Where both values are known (always in eager mode) this is found out at once. Otherwise the
    result is an operation: what relies on it waits for it by `control_dependencies`.

    Args:
      x, y: tensors of one dtype whose shapes broadcast.
      data: tensors to show if it fails; the message and the first elements of `x` and `y` by
        default.
      summarize: how many elements of each to show (3 by default).
      message: text to put before the usual one.
      name: name of the name scope.

    Returns: the operation; None in eager mode.

    Raises:
      InvalidArgumentError: now or when the operation runs, if the condition does not hold.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.assert_equal([1, 2], [1, 3], message="counts differ")
    Traceback (most recent call last):
    hybridflow.errors.InvalidArgumentError: counts differ
    Condition x == y did not hold.
    Indices of first 1 different values:
    [[1]]
    Corresponding x values:
    [2]
    Corresponding y values:
    [3]
    First 2 elements of x:
    [1 2]
    First 2 elements of y:
    [1 3]
    """
    return _compare("assert_equal", "x == y", equal, x, y, data, summarize, message, name)


def assert_none_equal(
    x: Any,
    y: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Any:
    """Asserts that `x != y` holds for all elements; arguments and result as for `assert_equal`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.assert_none_equal([1, 2], [2, 3])
    """
    return _compare("assert_none_equal", "x != y", not_equal, x, y, data, summarize, message, name)


def assert_less(
    x: Any,
    y: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Any:
    """Asserts that `x < y` holds for all elements; arguments and result as for `assert_equal`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.assert_less([1, 2], 3)
    """
    return _compare("assert_less", "x < y", less, x, y, data, summarize, message, name)


def assert_less_equal(
    x: Any,
    y: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Any:
    """Asserts that `x <= y` holds for all elements; arguments and result as for `assert_equal`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.assert_less_equal([1, 2], 2)
    """
    return _compare("assert_less_equal", "x <= y", less_equal, x, y, data, summarize, message, name)


def assert_greater(
    x: Any,
    y: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Any:
    """Asserts that `x > y` holds for all elements; arguments and result as for `assert_equal`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.assert_greater([1, 2], 0)
    """
    return _compare("assert_greater", "x > y", greater, x, y, data, summarize, message, name)


def assert_greater_equal(
    x: Any,
    y: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Any:
    """Asserts that `x >= y` holds for all elements; arguments and result as for `assert_equal`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.assert_greater_equal([1, 2], 1)
    """
    return _compare(
        "assert_greater_equal", "x >= y", greater_equal, x, y, data, summarize, message, name
    )


def assert_near(
    x: Any,
    y: Any,
    rtol: Any = None,
    atol: Any = None,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Any:
    """Asserts that |x - y| < atol + rtol * |y| holds for all elements, broadcast.

    Args:
      x, y: floating or complex tensors of one dtype whose shapes broadcast.
      rtol, atol: relative and absolute tolerance: 10 machine epsilons of the dtype by default.
      data, summarize, message, name: as for `assert_equal`.

    Returns: the operation; None in eager mode.

    Raises:
      InvalidArgumentError: now or when the operation runs, if the condition does not hold.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.assert_near([1.0, 2.0], [1.0, 2.0001], rtol=1e-3)
    """
    with name_scope(name, "assert_near", [x, y, rtol, atol, data]):
        x = convert_to_tensor(x, name="x")
        y = convert_to_tensor(y, name="y", dtype=x.dtype.base_dtype)
        real = np.zeros(0, x.dtype.base_dtype.as_numpy_dtype).real.dtype
        eps = 10 * np.finfo(real).eps
        rtol = convert_to_tensor(eps if rtol is None else rtol, name="rtol", dtype=real)
        atol = convert_to_tensor(eps if atol is None else atol, name="atol", dtype=real)
        holds = less(abs(x - y), atol + rtol * abs(y))
        text = _TOLERANCE.format(rtol=rtol, atol=atol)
        return _check(text, holds, x, y, data, summarize, message)


def assert_negative(
    x: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Any:
    """Asserts that `x < 0` holds for all elements; arguments and result as for `assert_equal`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.assert_negative([-1, -2])
    """
    return _sign("assert_negative", "x < 0", less, False, x, data, summarize, message, name)


def assert_positive(
    x: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Any:
    """Asserts that `x > 0` holds for all elements; arguments and result as for `assert_equal`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.assert_positive([1, 2])
    """
    return _sign("assert_positive", "x > 0", less, True, x, data, summarize, message, name)


def assert_non_negative(
    x: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Any:
    """Asserts that `x >= 0` holds for all elements; arguments and result as for `assert_equal`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.assert_non_negative([0, 2])
    """
    return _sign(
        "assert_non_negative", "x >= 0", less_equal, True, x, data, summarize, message, name
    )


def assert_non_positive(
    x: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Any:
    """Asserts that `x <= 0` holds for all elements; arguments and result as for `assert_equal`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.assert_non_positive([0, -2])
    """
    return _sign(
        "assert_non_positive", "x <= 0", less_equal, False, x, data, summarize, message, name
    )
