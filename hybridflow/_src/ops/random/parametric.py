"""Random tensors with a distribution for each element: Gamma and Poisson."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes, rejection
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, not_differentiable
from hybridflow._src.framework.philox import Philox
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_dims
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.allocation import allocatable
from hybridflow._src.ops.families import FLOATS, INDICES, binary, sum_to_shape_of
from hybridflow._src.ops.math import special_math
from hybridflow._src.ops.math.gamma_samples_math import gamma_sample_derivative
from hybridflow._src.ops.random.sampling import seed_attrs

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["random_gamma", "random_poisson"]

_TYPES = (*FLOATS, dtypes.int32, dtypes.int64)
_SEEDS = {"seed": 0, "seed2": 0}


# -- records ---------------------------------------------------------------------------------------


def _shape(attrs: dict[str, Any], shape: Tensor, parameter: Tensor) -> shape_rules.Dims:
    """The shape that is asked for, then that of the parameters."""
    shape_rules.with_rank(shape, 1)
    first, rest = constant_dims(shape), parameter._dims
    if first is None or rest is None:
        return None
    return (*first, *rest)


def _sizes(op: str, shape: np.ndarray, rest: np.ndarray, dtype: np.dtype[Any]) -> tuple[int, ...]:
    if shape.ndim != 1 or min(shape, default=0) < 0:
        raise InvalidArgumentError(
            None, None, f"A shape must be a vector of sizes, got {shape.tolist()}"
        )
    return allocatable(op, np.array([*shape, *rest.shape]), dtype)


def _gamma_kernel(seed: int, seed2: int) -> Callable[..., np.ndarray]:
    generator = Philox(seed, seed2)

    def compute(shape: np.ndarray, alpha: np.ndarray, **_: Any) -> np.ndarray:
        sizes = _sizes("RandomGamma", shape, alpha, alpha.dtype)
        count = math.prod(sizes[: len(shape)])
        if count and not alpha.size:
            raise InvalidArgumentError(
                None, None, "Input alpha should have non-zero element count, got: 0"
            )
        return rejection.gamma(generator, count, alpha.reshape(-1)).reshape(sizes)

    return compute


_gamma_grad_op = binary(
    "RandomGammaGrad",
    gamma_sample_derivative,
    not_differentiable,
    types=FLOATS,
    names=("alpha", "sample", "output"),
    domain=(0.5, 4.0),
    domain2=(0.5, 6.0),
    native=None,
)


def _gamma_grad(op: Any, dy: Tensor) -> tuple[None, Any]:
    alpha, drawn = op.inputs[1], op.outputs[0]
    return None, sum_to_shape_of(dy * _gamma_grad_op(alpha, drawn), alpha)


_gamma_op = OpDef(
    "RandomGamma",
    "shape: S, alpha: T -> output: T",
    types={"S": INDICES, "T": FLOATS},
    attrs=_SEEDS,
    shape=_shape,
    kernel=_gamma_kernel,
    stateful=True,
    grad=_gamma_grad,
)


def _poisson_kernel(seed: int, seed2: int, dtype: DType) -> Callable[..., np.ndarray]:
    generator = Philox(seed, seed2)

    def compute(shape: np.ndarray, rate: np.ndarray, **_: Any) -> np.ndarray:
        sizes = _sizes("RandomPoissonV2", shape, rate, dtype.np)
        count = math.prod(sizes[: len(shape)])
        if not (count and rate.size):
            return np.empty(sizes, dtype.np)
        lgamma = special_math.lgamma
        drawn = rejection.poisson(generator, count, rate.reshape(-1), dtype.np, lgamma)
        return drawn.reshape(sizes)

    return compute


_poisson_op = OpDef(
    "RandomPoissonV2",
    "shape: S, rate: R -> output: dtype",
    types={"S": INDICES, "R": _TYPES},
    attrs={**_SEEDS, "dtype": dtypes.int64},
    shape=_shape,
    kernel=_poisson_kernel,
    stateful=True,
    grad=not_differentiable,
)


# -- functions -------------------------------------------------------------------------------------


def random_gamma(
    shape: Any,
    alpha: Any,
    beta: Any = None,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Numbers of the Gamma distribution.

    Its density is `beta**alpha * x**(alpha - 1) * exp(-beta * x) / gamma(alpha)`.

    Args:
      shape: how many are drawn for each pair of parameters, an integer vector.
      alpha: concentrations, a tensor of dtype `dtype` of numbers above 0; for others, NaN.
      beta: rates of the same dtype, of a shape that broadcasts with that of `alpha`; 1 by default.
      dtype: float16, float32 or float64.
      seed: seed of the op (see `set_random_seed`).
      name: name of the op.

    Returns: a tensor of the shape `shape + (shape of alpha + beta)`, differentiable in `alpha` and
    `beta`: how a number moves with them while the probability of smaller ones stays as it is. That
    has no further derivative.

    Raises:
      InvalidArgumentError: if there are no parameters to draw for.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.random_gamma([10000], [2.0, 6.0], beta=2.0, seed=1).numpy()
    >>> x.shape, x.mean(0).round(1).tolist()
    ((10000, 2), [1.0, 3.0])

    TF 1.4 differentiates it in `beta` alone.

    References:
      Figurnov, Mohamed, Mnih: Implicit Reparameterization Gradients (NeurIPS 2018).
    """
    dtype = dtypes.as_dtype(dtype)
    with name_scope(name, "random_gamma", [shape, alpha, beta]):
        sizes = convert_to_tensor(shape, dtypes.int32, name="shape")
        concentration = convert_to_tensor(alpha, dtype, name="alpha")
        rate = convert_to_tensor(1 if beta is None else beta, dtype, name="beta")
        concentration = raw.Add(concentration, raw.ZerosLike(rate))
        seed1, seed2 = seed_attrs(seed)
        drawn = _gamma_op(sizes, concentration, seed=seed1, seed2=seed2)
        # What is too small for a number would have the logarithm -inf.
        least = np.finfo(dtype.as_numpy_dtype).tiny
        return raw.Maximum(least, raw.RealDiv(drawn, rate))


def random_poisson(
    lam: Any,
    shape: Any,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Numbers of the Poisson distribution: of events in a time in which `lam` are expected.

    Args:
      lam: rates, a tensor of a floating dtype, int32 or int64; for negative ones the result is NaN,
        0 as an integer.
      shape: how many are drawn for each rate, an integer vector.
      dtype: of the result: a floating one, int32 or int64.
      seed: seed of the op (see `set_random_seed`).
      name: name of the op.

    Returns: a tensor of the shape `shape + (shape of lam)`. Nothing is differentiated.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.random_poisson([0.5, 30.0], [10000], seed=1).numpy()
    >>> x.shape, bool(abs(x.mean(0) - [0.5, 30.0]).max() < 0.5)
    ((10000, 2), True)
    """
    dtype = dtypes.as_dtype(dtype)
    if dtype not in _TYPES:
        raise TypeError(
            f"Value passed to parameter 'dtype' of random_poisson is {dtype.name}, not in list of "
            "allowed values: float16, float32, float64, int32, int64"
        )
    with name_scope(name, "random_poisson", [lam, shape]):
        sizes = convert_to_tensor(shape, dtypes.int32, name="shape")
        seed1, seed2 = seed_attrs(seed)
        return _poisson_op(sizes, lam, seed=seed1, seed2=seed2, dtype=dtype)
