"""`Uniform`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hybridflow._src.distributions.broadcasting import Broadcasting
from hybridflow._src.distributions.distribution import FULLY_REPARAMETERIZED
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops.arrays.selecting import where
from hybridflow._src.ops.checks.comparing import assert_less
from hybridflow._src.ops.math.comparison import greater_equal, is_nan, less, logical_or
from hybridflow._src.ops.math.exponential import log
from hybridflow._src.ops.random.sampling import random_uniform

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Uniform"]


class Uniform(Broadcasting):
    """The even distribution over `[low, high)`, with density `1 / (high - low)`.

    Args:
      low: tensor of lower ends, of a floating dtype.
      high: tensor of upper ends, of that dtype and of a shape that fits.
      validate_args: whether it is checked that `low < high`.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    Raises:
      TypeError: if the dtypes differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.distributions.Uniform(0.0, [2.0, 4.0]).prob(1.0).numpy())
    [0.5  0.25]
    """

    def __init__(
        self,
        low: Any = 0.0,
        high: Any = 1.0,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Uniform",
    ) -> None:
        parameters = locals()
        super().__init__(
            {"low": low, "high": high},
            lambda low, high: [assert_less(low, high, message="uniform not defined: low >= high.")],
            FULLY_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            name,
        )

    @property
    def low(self) -> Tensor:
        """The lower ends."""
        return self._values["low"]

    @property
    def high(self) -> Tensor:
        """The upper ends."""
        return self._values["high"]

    @staticmethod
    def _param_shapes(sample_shape: Tensor) -> dict[str, Tensor]:
        return {"low": sample_shape, "high": sample_shape}

    def range(self, name: str = "range") -> Tensor:
        """`high - low`."""
        with self._scope(name):
            return self.high - self.low

    def _sample_n(self, n: Any, seed: int | None) -> Tensor:
        drawn = random_uniform(self._shape_of_samples(n), 0.0, 1.0, self.dtype, seed)
        return self.low + drawn * self.range()

    def _prob(self, x: Tensor) -> Tensor:
        x = x + raw.ZerosLike(self.low + self.high)
        density = raw.ZerosLike(x) + 1.0 / self.range()
        outside = logical_or(less(x, self.low), greater_equal(x, self.high))
        return where(is_nan(x), x, where(outside, raw.ZerosLike(x), density))

    def _cdf(self, x: Tensor) -> Tensor:
        x = x + raw.ZerosLike(self.low + self.high)
        zeros, ones = raw.ZerosLike(x), raw.OnesLike(x)
        inside = (x - self.low) / self.range()
        return where(less(x, self.low), zeros, where(greater_equal(x, self.high), ones, inside))

    def _quantile(self, p: Tensor) -> Tensor:
        return (1.0 - p) * self.low + p * self.high

    def _entropy(self) -> Tensor:
        return log(self.range())

    def _mean(self) -> Tensor:
        return (self.low + self.high) / 2.0

    def _stddev(self) -> Tensor:
        return self.range() / math.sqrt(12.0)
