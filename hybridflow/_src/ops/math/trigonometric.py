"""Circular and hyperbolic functions and their inverses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.sparse_tensor import SparseTensor
from hybridflow._src.ops.families import binary, conj, slope_op, unary

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cos",
    "cosh",
    "sin",
    "sinh",
    "tan",
    "tanh",
]


# -- records ---------------------------------------------------------------------------------------


slope_op("TanhGrad", lambda y: 1 - np.square(y), lambda y: -2.0 * y)

_sin = unary("Sin", np.sin, lambda op, dy: dy * raw.Cos(conj(op.inputs[0])))
_cos = unary("Cos", np.cos, lambda op, dy: -dy * raw.Sin(conj(op.inputs[0])))
_tan = unary(
    "Tan",
    np.tan,
    lambda op, dy: dy * (1.0 + raw.Square(conj(op.outputs[0]))),
    domain=(-1.2, 1.2),
)


def _one_less_square(x: Tensor) -> Any:
    return 1.0 - raw.Square(conj(x))


_asin = unary(
    "Asin",
    np.arcsin,
    lambda op, dy: dy * raw.Rsqrt(_one_less_square(op.inputs[0])),
    domain=(-0.9, 0.9),
)
_acos = unary(
    "Acos",
    np.arccos,
    lambda op, dy: -dy * raw.Rsqrt(_one_less_square(op.inputs[0])),
    domain=(-0.9, 0.9),
)
_atan = unary("Atan", np.arctan, lambda op, dy: dy / (1.0 + raw.Square(conj(op.inputs[0]))))


def _atan2_grad(op: Any, dz: Tensor) -> tuple[Any, Any]:
    y, x = op.inputs
    scaled = dz / (raw.Square(x) + raw.Square(y))
    return x * scaled, -y * scaled


_atan2 = binary(
    "Atan2",
    np.arctan2,
    _atan2_grad,
    types=(dtypes.float32, dtypes.float64),
    names=("y", "x", "z"),
    domain=(0.3, 2.0),
)
_sinh = unary("Sinh", np.sinh, lambda op, dy: dy * raw.Cosh(conj(op.inputs[0])))
_cosh = unary("Cosh", np.cosh, lambda op, dy: dy * raw.Sinh(conj(op.inputs[0])))
_asinh = unary("Asinh", np.arcsinh, lambda op, dy: dy / raw.Cosh(conj(op.outputs[0])))
_acosh = unary(
    "Acosh",
    np.arccosh,
    lambda op, dy: dy / raw.Sinh(conj(op.outputs[0])),
    domain=(1.2, 3.0),
)
_atanh = unary(
    "Atanh", np.arctanh, lambda op, dy: dy / _one_less_square(op.inputs[0]), domain=(-0.8, 0.8)
)
_tanh = unary("Tanh", np.tanh, lambda op, dy: raw.TanhGrad(op.outputs[0], dy))


# -- public functions ------------------------------------------------------------------------------


def sin(x: Any, name: str | None = None) -> Tensor:
    """The sine, elementwise; `x` in radians.

    Args:
      x: tensor of a float or complex dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.sin([0.0, 0.5]).numpy().round(4))
    [0.     0.4794]
    """
    return _sin(x, name=name)


def cos(x: Any, name: str | None = None) -> Tensor:
    """The cosine, elementwise; `x` in radians.

    Args:
      x: tensor of a float or complex dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.cos([0.0, 0.5]).numpy().round(4))
    [1.     0.8776]
    """
    return _cos(x, name=name)


def tan(x: Any, name: str | None = None) -> Tensor:
    """The tangent, elementwise; `x` in radians.

    Args:
      x: tensor of a float or complex dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.tan([0.0, 0.5]).numpy().round(4))
    [0.     0.5463]
    """
    return _tan(x, name=name)


def asin(x: Any, name: str | None = None) -> Tensor:
    """The angle in `[-pi/2, pi/2]` whose sine is `x`, elementwise; NaN outside `[-1, 1]`.

    Args:
      x: tensor of a float or complex dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.asin([0.0, 0.5]).numpy().round(4))
    [0.     0.5236]
    """
    return _asin(x, name=name)


def acos(x: Any, name: str | None = None) -> Tensor:
    """The angle in `[0, pi]` whose cosine is `x`, elementwise; NaN outside `[-1, 1]`.

    Args:
      x: tensor of a float or complex dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.acos([1.0, 0.5]).numpy().round(4))
    [0.     1.0472]
    """
    return _acos(x, name=name)


def atan(x: Any, name: str | None = None) -> Tensor:
    """The angle in `(-pi/2, pi/2)` whose tangent is `x`, elementwise.

    Args:
      x: tensor of a float or complex dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.atan([0.0, 1.0]).numpy().round(4))
    [0.     0.7854]
    """
    return _atan(x, name=name)


def atan2(y: Any, x: Any, name: str | None = None) -> Tensor:
    """The angle of the point `(x, y)` in `[-pi, pi]`, elementwise, with broadcasting.

    Args:
      y: float32 or float64 tensor.
      x: tensor of the same dtype, of a shape that broadcasts with `y`.
      name: name of the op.

    Returns: a tensor of that dtype and the broadcast shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.atan2([1.0, 0.0], [0.0, -1.0]).numpy().round(4))
    [1.5708 3.1416]
    """
    return _atan2(y, x, name=name)


def sinh(x: Any, name: str | None = None) -> Tensor:
    """The hyperbolic sine `(exp(x) - exp(-x)) / 2`, elementwise.

    Args:
      x: tensor of a float or complex dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.sinh([0.0, 1.0]).numpy().round(4))
    [0.     1.1752]
    """
    return _sinh(x, name=name)


def cosh(x: Any, name: str | None = None) -> Tensor:
    """The hyperbolic cosine `(exp(x) + exp(-x)) / 2`, elementwise.

    Args:
      x: tensor of a float or complex dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.cosh([0.0, 1.0]).numpy().round(4))
    [1.     1.5431]
    """
    return _cosh(x, name=name)


def tanh(x: Any, name: str | None = None) -> Any:
    """The hyperbolic tangent `sinh(x) / cosh(x)`, elementwise.

    Args:
      x: tensor, also a sparse one, of a float or complex dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape, sparse where `x` is.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.tanh([0.0, 1.0]).numpy().round(4))
    [0.     0.7616]
    """
    if isinstance(x, SparseTensor):
        return x.with_values(tanh(x.values, name))
    return _tanh(x, name=name)


def asinh(x: Any, name: str | None = None) -> Tensor:
    """The number whose hyperbolic sine is `x`, elementwise.

    Args:
      x: tensor of a float or complex dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.asinh([0.0, 1.0]).numpy().round(4))
    [0.     0.8814]
    """
    return _asinh(x, name=name)


def acosh(x: Any, name: str | None = None) -> Tensor:
    """The number whose hyperbolic cosine is `x`, elementwise; NaN for `x < 1`.

    Args:
      x: tensor of a float or complex dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.acosh([1.0, 2.0]).numpy().round(4))
    [0.    1.317]
    """
    return _acosh(x, name=name)


def atanh(x: Any, name: str | None = None) -> Tensor:
    """The number whose hyperbolic tangent is `x`, elementwise; NaN outside `[-1, 1]`.

    Args:
      x: tensor of a float or complex dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.atanh([0.0, 0.5]).numpy().round(4))
    [0.     0.5493]
    """
    return _atanh(x, name=name)
