"""Special functions: the error function, the gamma function and its relatives."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.sparse_tensor import SparseTensor
from hybridflow._src.kernels.expression import vector_function
from hybridflow._src.ops.families import FLOATS, binary, unary
from hybridflow._src.ops.math import special_math

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["digamma", "erf", "erfc", "lbeta", "lgamma", "polygamma", "zeta"]


# -- records ---------------------------------------------------------------------------------------

_TWO_OVER_ROOT_PI = 2.0 / math.sqrt(math.pi)


def _bell(x: Tensor) -> Any:
    """`2 / sqrt(pi) * exp(-x**2)`."""
    return _TWO_OVER_ROOT_PI * raw.Exp(-raw.Square(x))


_erf = unary(
    "Erf",
    special_math.erf,
    lambda op, dy: dy * _bell(op.inputs[0]),
    types=FLOATS,
    native=lambda b, x: b.elementwise(vector_function("erf"), x),
)
_erfc = unary(
    "Erfc",
    special_math.erfc,
    lambda op, dy: -dy * _bell(op.inputs[0]),
    types=FLOATS,
    native=lambda b, x: b.elementwise(vector_function("erfc"), x),
)
_lgamma = unary(
    "Lgamma",
    special_math.lgamma,
    lambda op, dy: dy * raw.Digamma(op.inputs[0]),
    types=FLOATS,
    domain=(0.3, 5.0),
)
_digamma = unary(
    "Digamma",
    special_math.digamma,
    lambda op, dy: dy * raw.Polygamma(1.0, op.inputs[0]),
    types=FLOATS,
    domain=(0.5, 5.0),
)
# The orders are integers, and for them no gradient flows.
_polygamma = binary(
    "Polygamma",
    special_math.polygamma,
    lambda op, dz: (None, dz * raw.Polygamma(op.inputs[0] + 1.0, op.inputs[1])),
    types=(dtypes.float32, dtypes.float64),
    names=("a", "x", "z"),
    domain=(1.0, 1.0),
    domain2=(0.5, 3.0),
)
_zeta = binary(
    "Zeta",
    special_math.zeta,
    lambda op, dz: (
        None,
        -dz * op.inputs[0] * raw.Zeta(op.inputs[0] + 1.0, op.inputs[1]),
    ),
    types=(dtypes.float32, dtypes.float64),
    names=("x", "q", "z"),
    domain=(1.5, 4.0),
    domain2=(0.5, 3.0),
)


# -- public functions ------------------------------------------------------------------------------


def erf(x: Any, name: str | None = None) -> Any:
    """The error function `2 / sqrt(pi) * (integral of exp(-t**2) from 0 to x)`, elementwise.

    Args:
      x: tensor, also a sparse one, of a float dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape, sparse where `x` is.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.erf([0.0, 0.5, -10.0]).numpy().round(4))
    [ 0.      0.5205 -1.    ]
    """
    if isinstance(x, SparseTensor):
        return x.with_values(erf(x.values, name))
    return _erf(x, name=name)


def erfc(x: Any, name: str | None = None) -> Tensor:
    """The complement of the error function `1 - erf(x)`, elementwise, accurate for large `x`.

    Args:
      x: tensor of a float dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.erfc([0.0, 5.0]).numpy())
    [1.0000000e+00 1.5374598e-12]
    """
    return _erfc(x, name=name)


def lgamma(x: Any, name: str | None = None) -> Tensor:
    """`log(|gamma(x)|)` elementwise; inf for 0 and negative whole numbers.

    Args:
      x: tensor of a float dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.lgamma([1.0, 0.5, 10.0]).numpy().round(4))
    [ 0.      0.5724 12.8018]
    """
    return _lgamma(x, name=name)


def digamma(x: Any, name: str | None = None) -> Tensor:
    """The derivative of `lgamma`, elementwise; inf for 0 and negative whole numbers.

    Args:
      x: tensor of a float dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.digamma([1.0, 0.5]).numpy().round(4))
    [-0.5772 -1.9635]
    """
    return _digamma(x, name=name)


def polygamma(a: Any, x: Any, name: str | None = None) -> Tensor:
    """The derivative of order `a` of `digamma` at `x`, elementwise, with broadcasting.

    Args:
      a: float32 or float64 tensor of whole numbers from 0; for others the result is NaN.
      x: tensor of the same dtype, of a shape that broadcasts with `a`.
      name: name of the op.

    Returns: a tensor of that dtype and the broadcast shape. There is no gradient for `a`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.polygamma([0.0, 1.0], 1.5).numpy().round(4))
    [0.0365 0.9348]
    """
    return _polygamma(a, x, name=name)


def zeta(x: Any, q: Any, name: str | None = None) -> Tensor:
    """Hurwitz's zeta function, the sum of `(q + n) ** -x` over n = 0, 1, 2, ..., elementwise.

    Args:
      x: float32 or float64 tensor; the result is inf for 1 and NaN below.
      q: tensor of the same dtype, of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a tensor of that dtype and the broadcast shape. There is no gradient for `x`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.zeta([2.0, 4.0], 1.0).numpy().round(4))
    [1.6449 1.0823]
    """
    return _zeta(x, q, name=name)


def lbeta(x: Any, name: str | None = "lbeta") -> Tensor:
    """`log(|Beta(x)|)`: the sum of `lgamma(x)` less `lgamma` of the sum, along the last axis.

    Args:
      x: tensor `[..., n]` of a float dtype.
      name: name of the op.

    Returns: a tensor `[...]` of the same dtype.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.lbeta([[1.0, 1.0], [1.0, 2.0]]).numpy().round(4))
    [ 0.     -0.6931]
    """
    with name_scope(name, "lbeta", [x]):
        x = convert_to_tensor(x, name="x")
        product = raw.Sum(_lgamma(x), [-1])
        return product - _lgamma(raw.Sum(x, [-1]))
