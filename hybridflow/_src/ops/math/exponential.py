"""Powers, roots, exponentials, logarithms and the logistic function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.sparse_tensor import SparseTensor
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.ops.families import NUMBERS, binary, conj, slope_op, unary

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "exp",
    "expm1",
    "log",
    "log1p",
    "pow",
    "rsqrt",
    "sigmoid",
    "sqrt",
]


# -- records ---------------------------------------------------------------------------------------


slope_op("SqrtGrad", lambda y: 0.5 / y, lambda y: -0.5 / raw.Square(y), steep=True)
slope_op("RsqrtGrad", lambda y: -0.5 * y * y * y, lambda y: -1.5 * raw.Square(y), steep=True)
slope_op("SigmoidGrad", lambda y: y * (1 - y), lambda y: 1.0 - 2.0 * y)

_sqrt = unary("Sqrt", np.sqrt, lambda op, dy: raw.SqrtGrad(op.outputs[0], dy), domain=(0.5, 3.0))
_rsqrt = unary(
    "Rsqrt",
    lambda x: 1 / np.sqrt(x),
    lambda op, dy: raw.RsqrtGrad(op.outputs[0], dy),
    domain=(0.5, 3.0),
)
_exp = unary("Exp", np.exp, lambda op, dy: dy * conj(op.outputs[0]))
_expm1 = unary("Expm1", np.expm1, lambda op, dy: dy * raw.Exp(conj(op.inputs[0])))
_log = unary("Log", np.log, lambda op, dy: dy / conj(op.inputs[0]), domain=(0.2, 3.0))
_log1p = unary(
    "Log1p", np.log1p, lambda op, dy: dy / (1.0 + conj(op.inputs[0])), domain=(-0.8, 3.0)
)
_sigmoid = unary(
    "Sigmoid",
    lambda x: 1 / (1 + np.exp(-x)),
    lambda op, dy: raw.SigmoidGrad(op.outputs[0], dy),
)


def _pow_arrays(x: np.ndarray, y: np.ndarray) -> Any:
    if y.dtype.kind == "i" and y.size and y.min() < 0:
        raise InvalidArgumentError(
            None, None, "Integers to negative integer powers are not allowed"
        )
    return np.power(x, y)


def _native_pow(b: Any, x: Any, y: Any) -> Any:
    """Powers of integers by squaring, where the exponent is one that is known."""
    if y.dtype.kind == "f":
        return b.elementwise(np.power, x, y)
    exponent = int(b.known(y)) if y.size == 1 else -1
    if exponent < 0:
        raise b.unsupported("powers of integers by several exponents")

    def meaning(x: Any) -> Any:
        rest, square, product = exponent, x, x * 0 + 1
        while rest:
            if rest & 1:
                product = product * square
            rest >>= 1
            square = square * square
        return product

    return b.elementwise(meaning, x)


def _pow_grad(op: Any, dz: Tensor) -> tuple[Any, Any]:
    x, y = conj(op.inputs[0]), conj(op.inputs[1])
    z = conj(op.outputs[0])
    zeros = raw.ZerosLike(x)
    # No real logarithm where x is not positive: there the gradient for y is 0, as in TF.
    positive = raw.NotEqual(x, zeros) if x.dtype.is_complex else raw.Greater(x, zeros)
    log_x = raw.Select(positive, raw.Log(x), zeros)
    return dz * y * raw.Pow(x, _lower(x, y, constant_value(op.inputs[1]))), dz * z * log_x


def _lower(x: Tensor, y: Tensor, known: np.ndarray | None) -> Any:
    """The exponent of the derivative of `x ** y`, less by one, but for `0 ** 0`: its derivative
    is 0, and `0 * 0 ** -1` were NaN, as it is in TF.
    """
    if known is not None and (known != 0).all():
        return y - 1.0
    lower = raw.LogicalOr(raw.NotEqual(x, raw.ZerosLike(x)), raw.NotEqual(y, raw.ZerosLike(y)))
    return y - raw.Cast(lower, DstT=y.dtype)


_pow = binary("Pow", _pow_arrays, _pow_grad, types=NUMBERS, domain=(0.5, 2.0), native=_native_pow)


# -- public functions ------------------------------------------------------------------------------


def pow(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x ** y` elementwise, with broadcasting.

    Args:
      x: tensor of a number dtype.
      y: tensor of the same dtype, of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a tensor of that dtype and the broadcast shape. Where `x` is not positive, the gradient
      for `y` is 0.

    Raises:
      InvalidArgumentError: for integers, if some exponent is negative (TF 1.4 never returns then).

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.pow([[2, 3], [4, 5]], [2, 1]).numpy().tolist())
    [[4, 3], [16, 5]]
    """
    return _pow(x, y, name=name)


def sqrt(x: Any, name: str | None = None) -> Any:
    """The square root, elementwise; NaN for negative numbers.

    Args:
      x: tensor, also a sparse one, of a float or complex dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape, sparse where `x` is.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.sqrt([4.0, 0.25]).numpy())
    [2.  0.5]
    """
    if isinstance(x, SparseTensor):
        return x.with_values(sqrt(x.values, name))
    return _sqrt(x, name=name)


def rsqrt(x: Any, name: str | None = None) -> Tensor:
    """`1 / sqrt(x)` elementwise.

    Args:
      x: tensor of a float or complex dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.rsqrt([4.0, 0.25]).numpy())
    [0.5 2. ]
    """
    return _rsqrt(x, name=name)


def exp(x: Any, name: str | None = None) -> Tensor:
    """`e ** x` elementwise.

    Args:
      x: tensor of a float or complex dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.exp([0.0, float("-inf")]).numpy())
    [1. 0.]
    """
    return _exp(x, name=name)


def expm1(x: Any, name: str | None = None) -> Tensor:
    """`exp(x) - 1` elementwise, accurate for small `x`.

    Args:
      x: tensor of a float or complex dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.expm1([1e-20, 0.0]).numpy())
    [1.e-20 0.e+00]
    """
    return _expm1(x, name=name)


def log(x: Any, name: str | None = None) -> Tensor:
    """The natural logarithm, elementwise; NaN for negative numbers.

    Args:
      x: tensor of a float or complex dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.log([1.0, 0.0]).numpy())
    [  0. -inf]
    """
    return _log(x, name=name)


def log1p(x: Any, name: str | None = None) -> Tensor:
    """`log(1 + x)` elementwise, accurate for small `x`.

    Args:
      x: tensor of a float or complex dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.log1p([1e-20, 0.0]).numpy())
    [1.e-20 0.e+00]
    """
    return _log1p(x, name=name)


def sigmoid(x: Any, name: str | None = None) -> Tensor:
    """`1 / (1 + exp(-x))` elementwise.

    Args:
      x: tensor of a float or complex dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.sigmoid([0.0, 100.0]).numpy())
    [0.5 1. ]
    """
    return _sigmoid(x, name=name)
