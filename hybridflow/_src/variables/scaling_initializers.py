"""Initializers that scale random numbers by the size of a layer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.ops.random import sampling
from hybridflow._src.variables.initializers import Initializer, WithDtype, Zeros, floating

if TYPE_CHECKING:
    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "UniformUnitScaling",
    "VarianceScaling",
    "default_initializer",
    "glorot_normal_initializer",
    "glorot_uniform_initializer",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "lecun_uniform",
]


# The stddev of normal numbers of which those beyond two stddevs are left out.
TRUNCATED = 0.87962566103423978


class UniformUnitScaling(WithDtype):
    """Uniform numbers that keep the variance of a layer's input.

        U(-a, a) with a = factor * sqrt(3 / n), n the product of all but the last dimension

    Reference: Sussillo, Abbott: Random Walk Initialization (2014), arXiv:1412.6558.
    """

    def __init__(
        self, factor: float = 1.0, seed: int | None = None, dtype: Any = dtypes.float32
    ) -> None:
        self.factor = factor
        self.seed = seed
        self.dtype = floating(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        scale_shape = shape if partition_info is None else partition_info.full_shape
        input_size = 1.0
        for dim in scale_shape[:-1]:
            input_size *= float(dim)
        limit = math.sqrt(3 / max(input_size, 1.0)) * self.factor
        return sampling.random_uniform(shape, -limit, limit, self._dtype_for(dtype), seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor, "seed": self.seed, "dtype": self.dtype.name}


class VarianceScaling(WithDtype):
    """Numbers whose variance is scaled by the size of the layer.

        normal:  truncated normal with stddev = sqrt(scale / n)
        uniform: U(-a, a) with a = sqrt(3 * scale / n)

    with n the number of inputs of a unit (fan_in), of outputs (fan_out), or their mean (fan_avg).
    As in every TensorFlow from 1.12 on, the stddev is that of the numbers: 1.4 cut normal numbers
    of this stddev off, and theirs was 0.88 of it.

    Args:
      scale: a positive number.
      mode: "fan_in", "fan_out" or "fan_avg".
      distribution: "normal" ("truncated_normal" is the same), "untruncated_normal" or "uniform".
      seed: see `set_random_seed`.
      dtype: used where the call names none.

    Raises:
      ValueError: for other values of these.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     w = hf.variance_scaling_initializer(seed=1)([100, 50])
    >>> bool(abs(w.numpy().std() - 0.1) < 0.01)
    True
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "normal",
        seed: int | None = None,
        dtype: Any = dtypes.float32,
    ) -> None:
        if scale <= 0.0:
            raise ValueError(f"`scale` must be positive float, got {scale}.")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"Invalid `mode` argument: {mode!r}")
        distribution = distribution.lower()
        if distribution not in ("normal", "truncated_normal", "untruncated_normal", "uniform"):
            raise ValueError(f"Invalid `distribution` argument: {distribution!r}")
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.seed = seed
        self.dtype = floating(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        dtype = self._dtype_for(dtype)
        fan_in, fan_out = _fans(shape if partition_info is None else partition_info.full_shape)
        sizes = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}
        scale = self.scale / max(1.0, sizes[self.mode])
        stddev = math.sqrt(scale)
        if self.distribution == "untruncated_normal":
            return sampling.random_normal(shape, 0.0, stddev, dtype, seed=self.seed)
        if self.distribution != "uniform":
            stddev /= TRUNCATED
            return sampling.truncated_normal(shape, 0.0, stddev, dtype, seed=self.seed)
        limit = math.sqrt(3.0 * scale)
        return sampling.random_uniform(shape, -limit, limit, dtype, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "seed": self.seed,
            "dtype": self.dtype.name,
        }


def _fans(shape: Any) -> tuple[float, float]:
    """The numbers of inputs and outputs of a unit; convolutions share a kernel over positions."""
    shape = [int(d) for d in shape]
    if not shape:
        return 1.0, 1.0
    if len(shape) == 1:
        return float(shape[0]), float(shape[0])
    receptive = 1.0
    for dim in shape[:-2]:
        receptive *= dim
    return shape[-2] * receptive, shape[-1] * receptive


def glorot_uniform_initializer(seed: int | None = None, dtype: Any = dtypes.float32) -> Initializer:
    """U(-a, a) with a = sqrt(6 / (fan_in + fan_out)): the default of `get_variable`.

    Reference: Glorot, Bengio: Understanding the difficulty of training deep feedforward neural
    networks, AISTATS 2010.
    """
    return VarianceScaling(1.0, "fan_avg", "uniform", seed, dtype)


def glorot_normal_initializer(seed: int | None = None, dtype: Any = dtypes.float32) -> Initializer:
    """Truncated normal with stddev = sqrt(2 / (fan_in + fan_out)).

    Reference: as for `glorot_uniform_initializer`.
    """
    return VarianceScaling(1.0, "fan_avg", "normal", seed, dtype)


def lecun_normal(seed: int | None = None) -> Initializer:
    """Truncated normal with stddev = sqrt(1 / fan_in)."""
    return VarianceScaling(1.0, "fan_in", "normal", seed)


def lecun_uniform(seed: int | None = None) -> Initializer:
    """U(-a, a) with a = sqrt(3 / fan_in)."""
    return VarianceScaling(1.0, "fan_in", "uniform", seed)


def he_normal(seed: int | None = None) -> Initializer:
    """Truncated normal with stddev = sqrt(2 / fan_in)."""
    return VarianceScaling(2.0, "fan_in", "normal", seed)


def he_uniform(seed: int | None = None) -> Initializer:
    """U(-a, a) with a = sqrt(6 / fan_in)."""
    return VarianceScaling(2.0, "fan_in", "uniform", seed)


def default_initializer(name: str, dtype: DType) -> Initializer:
    """What `get_variable` uses where no scope gives an initializer.

    Raises:
      ValueError: for a dtype that has no default.
    """
    if dtype.is_floating:
        return glorot_uniform_initializer(dtype=dtype)
    if dtype.is_integer or dtype.is_bool:
        return Zeros(dtype)
    raise ValueError(f"An initializer for variable {name} of {dtype} is required")
