"""The incomplete gamma and beta functions: the distribution functions of Gamma and Beta."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.tensor_shape import merge
from hybridflow._src.ops.families import binary, sum_to_shape_of
from hybridflow._src.ops.math import incomplete_math

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.ops.shape_rules import Dims

__all__ = ["betainc", "igamma", "igammac"]

_TYPES = (dtypes.float32, dtypes.float64)


# -- records ---------------------------------------------------------------------------------------


def _gamma_density(a: Tensor, x: Tensor) -> Any:
    return raw.Exp((a - 1.0) * raw.Log(x) - x - raw.Lgamma(a))


# There is no gradient for the first parameter, as in TensorFlow 1.4.
_igamma = binary(
    "Igamma",
    incomplete_math.igamma,
    lambda op, dz: (None, dz * _gamma_density(*op.inputs)),
    types=_TYPES,
    names=("a", "x", "z"),
    domain=(0.5, 4.0),
    domain2=(0.5, 6.0),
    native=None,
)
_igammac = binary(
    "Igammac",
    incomplete_math.igammac,
    lambda op, dz: (None, -dz * _gamma_density(*op.inputs)),
    types=_TYPES,
    names=("a", "x", "z"),
    domain=(0.5, 4.0),
    domain2=(0.5, 6.0),
    native=None,
)


def _betainc_shape(attrs: dict[str, Any], *inputs: Tensor) -> Dims:
    """The shape that all have which are no scalars."""
    dims: Dims = ()
    for tensor in inputs:
        if tensor._dims == ():
            continue
        dims = tensor._dims if dims == () else merge(dims, tensor._dims)
    return dims


def _betainc_grad(op: Any, dz: Any) -> tuple[Any, ...]:
    a, b, x = op.inputs
    log_beta = raw.Lgamma(a) + raw.Lgamma(b) - raw.Lgamma(a + b)
    density = raw.Exp((b - 1.0) * raw.Log1p(-x) + (a - 1.0) * raw.Log(x) - log_beta)
    return None, None, sum_to_shape_of(dz * density, x)


def _betainc_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for dtype in (np.float32, np.float64):
        for shapes in (((2, 3),) * 3, ((), (), (3,)), ((2,), (), ()), ((), (), ()), ((0,), (), ())):
            a, b, x = (
                np.asarray(rng.uniform(*ends, shape), dtype)
                for ends, shape in zip(((0.5, 4), (0.5, 4), (0.1, 0.9)), shapes, strict=True)
            )
            yield Sample(a, b, x)


_betainc = OpDef(
    "Betainc",
    "a: T, b: T, x: T -> z: T",
    types=_TYPES,
    shape=_betainc_shape,
    compute=incomplete_math.betainc,
    grad=_betainc_grad,
    samples=_betainc_samples,
    checked=True,
)


# -- public functions ------------------------------------------------------------------------------


def igamma(a: Any, x: Any, name: str | None = None) -> Tensor:
    """The lower incomplete gamma function, regularized, elementwise, with broadcasting.

    It is the integral of `t**(a - 1) * exp(-t)` from 0 to x, divided by `gamma(a)`: the probability
    that a number of the Gamma distribution with concentration a is at most x.

    Args:
      a: float32 or float64 tensor of positive numbers; for others the result is NaN.
      x: tensor of the same dtype, of numbers from 0, of a shape that broadcasts with `a`.
      name: name of the op.

    Returns: a tensor of that dtype and the broadcast shape. There is no gradient for `a`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.igamma([1.0, 2.0], 1.5).numpy().round(4))
    [0.7769 0.4422]
    """
    return _igamma(a, x, name=name)


def igammac(a: Any, x: Any, name: str | None = None) -> Tensor:
    """The upper incomplete gamma function, regularized: `1 - igamma(a, x)`, exact if small.

    Args:
      a: float32 or float64 tensor of positive numbers; for others the result is NaN.
      x: tensor of the same dtype, of numbers from 0, of a shape that broadcasts with `a`.
      name: name of the op.

    Returns: a tensor of that dtype and the broadcast shape. There is no gradient for `a`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.igammac([1.0, 2.0], 1.5).numpy().round(4))
    [0.2231 0.5578]
    """
    return _igammac(a, x, name=name)


def betainc(a: Any, b: Any, x: Any, name: str | None = None) -> Tensor:
    """The incomplete beta function, regularized, elementwise.

    It is the integral of `t**(a - 1) * (1 - t)**(b - 1)` from 0 to x, divided by that to 1: the
    probability that a number of the Beta distribution is at most x.

    Args:
      a, b: float32 or float64 tensors of positive numbers; for others the result is NaN.
      x: tensor of numbers from 0 to 1. The three have one dtype, and one shape unless scalar.
      name: name of the op.

    Returns: a tensor of that dtype and shape. There is no gradient for `a` and `b`.

    Raises:
      ValueError: if shapes differ and none of them is that of a scalar.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.betainc(2.0, 3.0, [0.25, 0.5]).numpy().round(4))
    [0.2617 0.6875]
    """
    return _betainc(a, b, x, name=name)
