"""Division in its variants, and their remainders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.dispatch import resolve_types
from hybridflow._src.framework.errors import DTypeError, InvalidArgumentError
from hybridflow._src.framework.op_def import not_differentiable
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.families import INEXACT, REALS, binary, conj

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "div",
    "div_no_nan",
    "divide",
    "floor_div",
    "floordiv",
    "floormod",
    "mod",
    "realdiv",
    "truediv",
    "truncatediv",
    "truncatemod",
]

_DIVISORS = (0.5, 2.5)


# -- records ---------------------------------------------------------------------------------------


def _check_divisor(y: np.ndarray) -> bool:
    """Tells whether `y` holds integers; they must not be zero.

    Raises:
      InvalidArgumentError: if one is.
    """
    if y.dtype.kind == "f":
        return False
    if not y.all():
        raise InvalidArgumentError(None, None, "Integer division by zero")
    return True


def _floor_div_arrays(x: np.ndarray, y: np.ndarray) -> Any:
    _check_divisor(y)
    return np.floor_divide(x, y)


def _floor_mod_arrays(x: np.ndarray, y: np.ndarray) -> Any:
    _check_divisor(y)
    return np.mod(x, y)


def _truncate_div_arrays(x: np.ndarray, y: np.ndarray) -> Any:
    if not _check_divisor(y):
        return np.trunc(np.divide(x, y))
    quotient = np.floor_divide(x, y)
    return quotient + ((quotient < 0) & (quotient * y != x)).astype(x.dtype)


def _truncate_mod_arrays(x: np.ndarray, y: np.ndarray) -> Any:
    _check_divisor(y)
    return np.fmod(x, y)


def _native(function: np.ufunc) -> Callable[..., Any]:
    """How kernels compute it: integers are divided once it is known that no divisor is zero."""

    def native(b: Any, x: Any, y: Any) -> Any:
        if y.dtype.kind != "f":
            b.check_divisors(y)
        return b.elementwise(function, x, y)

    return native


def _real_div_grad(op: Any, dz: Tensor) -> tuple[Any, Any]:
    x, y = conj(op.inputs[0]), conj(op.inputs[1])
    return dz / y, dz * (-x / y / y)


_real_div = binary("RealDiv", np.true_divide, _real_div_grad, types=INEXACT, domain2=_DIVISORS)


def _div_no_nan_arrays(x: np.ndarray, y: np.ndarray) -> Any:
    return np.where(y == 0, 0, x / np.where(y == 0, 1, y))


def _div_no_nan_grad(op: Any, dz: Tensor) -> tuple[Any, Any]:
    x, y = op.inputs
    return raw.DivNoNan(dz, y), dz * raw.DivNoNan(raw.DivNoNan(-x, y), y)


# The quotient, and 0 where the divisor is 0: files have it, from losses of later TensorFlows.
binary(
    "DivNoNan",
    _div_no_nan_arrays,
    _div_no_nan_grad,
    types=(dtypes.float32, dtypes.float64),
    domain2=_DIVISORS,
)
_floor_div = binary(
    "FloorDiv",
    _floor_div_arrays,
    not_differentiable,
    types=REALS,
    domain2=_DIVISORS,
    native=_native(np.floor_divide),
)
_floor_mod = binary(
    "FloorMod",
    _floor_mod_arrays,
    lambda op, dz: (dz, -dz * raw.FloorDiv(*op.inputs)),
    types=REALS,
    domain2=_DIVISORS,
    native=_native(np.remainder),
)
_truncate_div = binary(
    "TruncateDiv", _truncate_div_arrays, not_differentiable, types=REALS, domain2=_DIVISORS
)
_truncate_mod = binary(
    "TruncateMod",
    _truncate_mod_arrays,
    lambda op, dz: (dz, -dz * raw.TruncateDiv(*op.inputs)),
    types=REALS,
    domain2=_DIVISORS,
)


# -- public functions ------------------------------------------------------------------------------


def _inexact(x: Any, y: Any) -> bool:
    """Tells whether a tensor or array among them says that this is a division of floats."""
    dtype = resolve_types(_real_div, (x, y)).get("T")
    return dtype is not None and (dtype.is_floating or dtype.is_complex)


def _operands(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    """Both as tensors of one dtype.

    Raises:
      TypeError: if they are tensors of two dtypes.
    """
    wanted = resolve_types(_real_div, (x, y)).get("T")
    operands = []
    for value, name in ((x, "x"), (y, "y")):
        given = isinstance(getattr(value, "dtype", None), dtypes.DType)
        operands.append(convert_to_tensor(value, None if given else wanted, name))
    x, y = operands
    first, second = x.dtype.base_dtype, y.dtype.base_dtype
    if first is not second:
        raise DTypeError(
            f"x and y must have the same dtype, got {first!r} != {second!r}. Convert one of them "
            "with `hf.cast`."
        )
    return x, y


def truediv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x / y` elementwise as in Python 3: integers are divided as floats.

    Args:
      x: tensor of a number dtype.
      y: tensor of the same dtype, of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a tensor of the broadcast shape, and of the same dtype if that is float or complex;
      float32 for 8 and 16 bit integers, float64 for others.

    Raises:
      TypeError: if the dtypes differ. ValueError: if the shapes do not broadcast.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.truediv([7, -7], 2).numpy())
    [ 3.5 -3.5]
    """
    if _inexact(x, y):
        return _real_div(x, y, name=name or "truediv")
    with name_scope(name, "truediv", [x, y]) as scope:
        x, y = _operands(x, y)
        dtype = x.dtype.base_dtype
        if dtype.is_integer:
            wide = dtypes.float32 if dtype.size <= 2 else dtypes.float64
            x, y = raw.Cast(x, DstT=wide), raw.Cast(y, DstT=wide)
        return _real_div(x, y, name=scope)


def divide(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x / y` elementwise as in Python 3; the same as `truediv`.

    Args:
      x: tensor of a number dtype.
      y: tensor of the same dtype, of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a tensor of the broadcast shape (see `truediv` for its dtype).

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.divide([7.0, 1.0], 2.0).numpy())
    [3.5 0.5]
    """
    return truediv(x, y, name)


def div_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x / y` elementwise, and 0 where `y` is 0. Of TensorFlow 1.15.

    Args:
      x: tensor of dtype float32 or float64.
      y: tensor of the same dtype, of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a tensor of the dtype of `x` and the broadcast shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.div_no_nan([7.0, 1.0], [2.0, 0.0]).numpy())
    [3.5 0. ]
    """
    return raw.DivNoNan(x, y, name=name)


def realdiv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x / y` elementwise for floats and complex numbers.

    Args:
      x: tensor of a float or complex dtype.
      y: tensor of the same dtype, of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a tensor of that dtype and the broadcast shape.

    Raises:
      TypeError: if the dtypes differ, or are integer.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.realdiv([1.0, 0.0], [4.0, 0.0]).numpy())
    [0.25  nan]
    """
    return _real_div(x, y, name=name)


def div(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x / y` elementwise as in Python 2: the quotient of integers is rounded down.

    Args:
      x: tensor of a number dtype.
      y: tensor of the same dtype, of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a tensor of that dtype and the broadcast shape.

    Raises:
      InvalidArgumentError: if an integer is divided by zero.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.div([7, -7], 2).numpy(), hf.div(7.0, 2.0).numpy())
    [ 3 -4] 3.5
    """
    if _inexact(x, y):
        return _real_div(x, y, name=name or "div")
    with name_scope(name, "div", [x, y]) as scope:
        x, y = _operands(x, y)
        op = _floor_div if x.dtype.is_integer else _real_div
        return op(x, y, name=scope)


def floordiv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`floor(x / y)` elementwise, for integers and floats; what `//` does.

    Args:
      x: tensor of a real dtype.
      y: tensor of the same dtype, of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a tensor of that dtype and the broadcast shape; it has no gradient.

    Raises:
      InvalidArgumentError: if an integer is divided by zero.

    Note: `x = y * floordiv(x, y) + floormod(x, y)` holds for floats too, as in Python; TF floors
      the rounded quotient, which makes 10 of `1.0 // 0.1`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.floordiv([7, -7], 2).numpy(), hf.floordiv(-7.0, 2.0).numpy())
    [ 3 -4] -4.0
    """
    return _floor_div(x, y, name=name or "floordiv")


def floor_div(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`floor(x / y)` elementwise; the same as `floordiv` but for the op's default name.

    Args:
      x: tensor of a real dtype.
      y: tensor of the same dtype, of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a tensor of that dtype and the broadcast shape; it has no gradient.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.floor_div([7, -7], 2).numpy())
    [ 3 -4]
    """
    return _floor_div(x, y, name=name)


def floormod(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x - floor(x / y) * y` elementwise, with the sign of `y`; what `%` does.

    Args:
      x: tensor of a real dtype.
      y: tensor of the same dtype, of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a tensor of that dtype and the broadcast shape.

    Raises:
      InvalidArgumentError: if an integer is divided by zero.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.floormod([7, -7], 3).numpy())
    [1 2]
    """
    return _floor_mod(x, y, name=name)


def mod(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x - floor(x / y) * y` elementwise; the same as `floormod`.

    Args:
      x: tensor of a real dtype.
      y: tensor of the same dtype, of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a tensor of that dtype and the broadcast shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.mod([7, 7], [3, -3]).numpy())
    [ 1 -2]
    """
    return _floor_mod(x, y, name=name)


def truncatediv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x / y` rounded towards zero elementwise, as C divides integers.

    Args:
      x: tensor of a real dtype.
      y: tensor of the same dtype, of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a tensor of that dtype and the broadcast shape; it has no gradient.

    Raises:
      InvalidArgumentError: if an integer is divided by zero.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.truncatediv([7, -7], 2).numpy())
    [ 3 -3]
    """
    return _truncate_div(x, y, name=name)


def truncatemod(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x - truncatediv(x, y) * y` elementwise, with the sign of `x`, as C's `%`.

    Args:
      x: tensor of a real dtype.
      y: tensor of the same dtype, of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a tensor of that dtype and the broadcast shape.

    Raises:
      InvalidArgumentError: if an integer is divided by zero.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.truncatemod([7, -7], 3).numpy())
    [ 1 -1]
    """
    return _truncate_mod(x, y, name=name)
