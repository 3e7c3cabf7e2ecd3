"""Modified Bessel functions of the first kind, of orders 0 and 1."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.families import FLOATS, unary

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["bessel_i0", "bessel_i0e", "bessel_i1", "bessel_i1e"]

# -- meanings --------------------------------------------------------------------------------------

# From here on the asymptotic series has more than the digits of float64 before its terms grow.
_FAR = 20.0
# So many terms of either series are above the rounding of their sums.
_NEAR_TERMS, _FAR_TERMS = 55, 30


def _scaled(order: int, x: np.ndarray) -> np.ndarray:
    """`exp(-|x|) I(x)` of an order, in float64: 9.6.10 and 9.7.1 of Abramowitz and Stegun.

    No term of the series near 0 is negative: nothing cancels.
    """
    size = np.abs(x)
    result = np.where(np.isnan(x), np.nan, 0.0)
    near = size < _FAR
    square = np.square(size[near]) / 4
    term = np.exp(-size[near]) * (size[near] / 2) ** order
    total = term.copy()
    for k in range(1, _NEAR_TERMS):
        term = term * square / (k * (k + order))
        total += term
    result[near] = total
    far = (size >= _FAR) & np.isfinite(size)
    term = 1 / np.sqrt(2 * math.pi * size[far])
    total = term.copy()
    for k in range(1, _FAR_TERMS):
        term = term * -(4 * order * order - (2 * k - 1) ** 2) / (8 * k * size[far])
        total += term
    result[far] = total
    return result * np.sign(x) if order else result


def _in_double(order: int) -> Any:
    return lambda x: _scaled(order, np.asarray(x, np.float64)).astype(x.dtype)


# -- records ---------------------------------------------------------------------------------------


def _i0e_grad(op: Any, dy: Tensor) -> Any:
    x, y = op.inputs[0], op.outputs[0]
    return dy * (raw.BesselI1e(x) - raw.Sign(x) * y)


def _i1e_grad(op: Any, dy: Tensor) -> Any:
    x, y = op.inputs[0], op.outputs[0]
    zeros, ones = raw.ZerosLike(x), raw.OnesLike(x)
    is_zero = raw.Equal(x, zeros)
    apart = raw.Select(is_zero, ones, x)
    slope = raw.BesselI0e(apart) - y * (raw.Sign(x) + 1.0 / apart)
    return dy * raw.Select(is_zero, 0.5 * ones, slope)


_i0e = unary("BesselI0e", _in_double(0), _i0e_grad, types=FLOATS, native=None)
_i1e = unary("BesselI1e", _in_double(1), _i1e_grad, types=FLOATS, native=None)

# -- public functions ------------------------------------------------------------------------------


def bessel_i0e(x: Any, name: str | None = None) -> Tensor:
    """`exp(-|x|) I0(x)`: the modified Bessel function of order 0, scaled.

    Args:
      x: tensor of a float dtype.
      name: name of the op.

    Returns: a tensor like `x`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.bessel_i0e([0.0, 1.0, 1000.0]).numpy().round(4))
    [1.     0.4658 0.0126]

    References: Abramowitz and Stegun, Handbook of Mathematical Functions, 9.6.10 and 9.7.1.
    """
    return _i0e(x, name=name)


def bessel_i1e(x: Any, name: str | None = None) -> Tensor:
    """`exp(-|x|) I1(x)`: the modified Bessel function of order 1, scaled.

    Args:
      x: tensor of a float dtype.
      name: name of the op.

    Returns: a tensor like `x`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.bessel_i1e([0.0, 1.0, 1000.0]).numpy().round(4))
    [0.     0.2079 0.0126]

    References: Abramowitz and Stegun, Handbook of Mathematical Functions, 9.6.10 and 9.7.1.
    """
    return _i1e(x, name=name)


def bessel_i0(x: Any, name: str | None = None) -> Tensor:
    """The modified Bessel function of order 0; `bessel_i0e` where it is too large.

    Args:
      x: tensor of a float dtype.
      name: scope of the ops.

    Returns: a tensor like `x`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.bessel_i0([0.0, 1.0]).numpy().round(4))
    [1.     1.2661]
    """
    with name_scope(name, "bessel_i0", [x]):
        x = convert_to_tensor(x)
        return raw.Exp(raw.Abs(x)) * _i0e(x)


def bessel_i1(x: Any, name: str | None = None) -> Tensor:
    """The modified Bessel function of order 1; `bessel_i1e` where it is too large.

    Args:
      x: tensor of a float dtype.
      name: scope of the ops.

    Returns: a tensor like `x`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.bessel_i1([0.0, 1.0]).numpy().round(4))
    [0.     0.5652]
    """
    with name_scope(name, "bessel_i1", [x]):
        x = convert_to_tensor(x)
        return raw.Exp(raw.Abs(x)) * _i1e(x)
