"""`tf.contrib.layers`: its initializers and regularizers."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework import dtypes
from hybridflow._src.variables.regularizers import (
    apply_regularization,
    l1_l2_regularizer,
    l1_regularizer,
    l2_regularizer,
    sum_regularizer,
)
from hybridflow._src.variables.scaling_initializers import TRUNCATED, VarianceScaling

__all__ = [
    "apply_regularization",
    "l1_l2_regularizer",
    "l1_regularizer",
    "l2_regularizer",
    "sum_regularizer",
    "variance_scaling_initializer",
    "xavier_initializer",
    "xavier_initializer_conv2d",
]

# `contrib` corrects for what cutting a normal distribution at two deviations takes from its
# variance by 1.3, a little more than `VarianceScaling` does.
_TRUNCATION = 1.3 * TRUNCATED**2


def variance_scaling_initializer(
    factor: float = 2.0,
    mode: str = "FAN_IN",
    uniform: bool = False,
    seed: int | None = None,
    dtype: Any = dtypes.float32,
) -> VarianceScaling:
    """Random numbers of variance `factor / n`, n by `mode` from a layer's inputs and outputs.

    Args:
      factor: of the variance.
      mode: "FAN_IN", "FAN_OUT" or "FAN_AVG".
      uniform: whether the distribution is uniform, or a truncated normal one.
      seed: seed of the random numbers.
      dtype: a floating dtype.

    Raises:
      ValueError: for another mode. TypeError: for a dtype that is not floating.
    """
    if not dtypes.as_dtype(dtype).is_floating:
        raise TypeError("Cannot create initializer for non-floating point type.")
    if mode not in ("FAN_IN", "FAN_OUT", "FAN_AVG"):
        raise ValueError(f"Unknown mode {mode!r}: it is FAN_IN, FAN_OUT or FAN_AVG.")
    return VarianceScaling(
        scale=factor if uniform else _TRUNCATION * factor,
        mode=mode.lower(),
        distribution="uniform" if uniform else "normal",
        seed=seed,
        dtype=dtype,
    )


def xavier_initializer(
    uniform: bool = True, seed: int | None = None, dtype: Any = dtypes.float32
) -> VarianceScaling:
    """`variance_scaling_initializer(1.0, "FAN_AVG", uniform)`.

    Reference: Glorot, Bengio: Understanding the difficulty of training deep feedforward neural
    networks (2010).
    """
    return variance_scaling_initializer(1.0, "FAN_AVG", uniform, seed, dtype)


xavier_initializer_conv2d = xavier_initializer
