"""Normal numbers between bounds, each batch with a mean, a deviation and bounds of its own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes, rejection
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, not_differentiable
from hybridflow._src.framework.philox import Philox
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_dims
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.allocation import allocatable
from hybridflow._src.ops.families import FLOATS, INDICES
from hybridflow._src.ops.random.sampling import seed_attrs

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["parameterized_truncated_normal"]

_OP = "ParameterizedTruncatedNormal"


def _shape(attrs: dict[str, Any], shape: Tensor, *_: Tensor) -> shape_rules.Dims:
    shape_rules.with_rank(shape, 1)
    return constant_dims(shape)


def _parameter(name: str, value: np.ndarray, batches: int) -> np.ndarray:
    if value.ndim > 1 or value.size not in (1, batches):
        raise InvalidArgumentError(
            None,
            None,
            f"Input {name} should be a scalar or a vector of {batches} numbers, one for each row "
            f"of the result, got shape {list(value.shape)}.",
        )
    return np.broadcast_to(value.astype(np.float64).reshape(-1), (batches,))


def _kernel(seed: int, seed2: int) -> Callable[..., np.ndarray]:
    generator = Philox(seed, seed2)

    def compute(
        shape: np.ndarray,
        means: np.ndarray,
        stdevs: np.ndarray,
        minvals: np.ndarray,
        maxvals: np.ndarray,
        **_: Any,
    ) -> np.ndarray:
        if shape.ndim != 1 or not shape.size or shape.min() < 0:
            raise InvalidArgumentError(
                None, None, f"Input shape should be a vector of sizes, got {shape.tolist()}"
            )
        sizes = allocatable(_OP, shape, means.dtype)
        batches = sizes[0]
        given = (("means", means), ("stdevs", stdevs), ("minvals", minvals), ("maxvals", maxvals))
        mean, deviation, low, high = [_parameter(name, value, batches) for name, value in given]
        if not ((deviation > 0) & (low < high)).all():
            raise InvalidArgumentError(
                None, None, "Invalid parameters: stdevs must be above 0, minvals below maxvals."
            )
        count = math.prod(sizes[1:])
        ends = (low - mean) / deviation, (high - mean) / deviation
        drawn = rejection.bounded_normal(generator, count, *ends, np.dtype(np.float64))
        placed = drawn * deviation[:, np.newaxis] + mean[:, np.newaxis]
        # Rounding leads out of no bounds.
        placed = np.clip(placed, low[:, np.newaxis], high[:, np.newaxis])
        return placed.astype(means.dtype).reshape(sizes)

    return compute


_op = OpDef(
    _OP,
    "shape: T, means: dtype, stdevs: dtype, minvals: dtype, maxvals: dtype -> output: dtype",
    types={"T": INDICES, "dtype": FLOATS},
    attrs={"seed": 0, "seed2": 0},
    shape=_shape,
    kernel=_kernel,
    stateful=True,
    grad=not_differentiable,
)


def parameterized_truncated_normal(
    shape: Any,
    means: Any = 0.0,
    stddevs: Any = 1.0,
    minvals: Any = -2.0,
    maxvals: Any = 2.0,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Normal numbers within bounds.

    Args:
      shape: of the result, an integer vector `[batches, ...]`.
      means, stddevs: of the normal distribution before it is cut; scalars, or vectors `[batches]`.
      minvals, maxvals: the bounds, likewise; they may be infinite.
      dtype: float16, float32 or float64.
      seed: seed of the op (see `set_random_seed`).
      name: name scope of the ops.

    Returns: a tensor of the shape `shape`. Nothing is differentiated. The numbers are not those of
      TensorFlow, which depend on how many threads it has.

    Raises:
      InvalidArgumentError: if a deviation is not above 0, or a lower bound not below the upper one.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = parameterized_truncated_normal([2, 10000], [0.0, 5.0], minvals=[2.0, 0.0],
    ...                                        maxvals=[3.0, 9.0], seed=1).numpy()
    >>> x.shape, x.mean(1).round(1)
    ((2, 10000), array([2.3, 5. ], dtype=float32))
    """
    dtype = dtypes.as_dtype(dtype)
    values = [means, stddevs, minvals, maxvals]
    with name_scope(name, "parameterized_truncated_normal", [shape, *values]):
        sizes = convert_to_tensor(shape, dtypes.int32, name="shape")
        names = ("means", "stddevs", "minvals", "maxvals")
        given = [
            convert_to_tensor(value, dtype, name=key)
            for key, value in zip(names, values, strict=True)
        ]
        seed1, seed2 = seed_attrs(seed)
        return _op(sizes, *given, seed=seed1, seed2=seed2)
