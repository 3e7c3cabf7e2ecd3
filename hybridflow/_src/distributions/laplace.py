"""`Laplace`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.distributions.broadcasting import LocationScale
from hybridflow._src.ops.arrays.selecting import where
from hybridflow._src.ops.math.comparison import greater
from hybridflow._src.ops.math.elementwise import abs, minimum, sign
from hybridflow._src.ops.math.exponential import exp, log, log1p
from hybridflow._src.ops.random.sampling import random_uniform

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Laplace"]


class Laplace(LocationScale):
    """Laplace's distribution, with density `exp(-|x - loc| / scale) / (2 scale)`.

    Args:
      loc: tensor of means, of a floating dtype.
      scale: tensor of widths, of that dtype and of a shape that fits.
      validate_args: whether it is checked that scales are positive.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    Raises:
      TypeError: if the dtypes differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.distributions.Laplace(0.0, 2.0).prob(0.0).numpy())
    0.25
    """

    def __init__(
        self,
        loc: Any,
        scale: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Laplace",
    ) -> None:
        super().__init__(loc, scale, validate_args, allow_nan_stats, locals(), name)

    def _sample_n(self, n: Any, seed: int | None) -> Tensor:
        # -1 itself would be infinitely far.
        number = self.dtype.as_numpy_dtype
        low = np.nextafter(number(-1), number(0))
        drawn = random_uniform(self._shape_of_samples(n), low, 1.0, self.dtype, seed)
        return self.loc - self.scale * sign(drawn) * log1p(-abs(drawn))

    def _log_prob(self, x: Tensor) -> Tensor:
        return -abs(self._z(x)) - math.log(2.0) - log(self.scale)

    def _log_cdf(self, x: Tensor) -> Tensor:
        return _log_below(self._z(x))

    def _cdf(self, x: Tensor) -> Tensor:
        z = self._z(x)
        return 0.5 + 0.5 * sign(z) * (1.0 - exp(-abs(z)))

    def _log_survival_function(self, x: Tensor) -> Tensor:
        return _log_below(-self._z(x))

    def _survival_function(self, x: Tensor) -> Tensor:
        z = self._z(x)
        return 0.5 - 0.5 * sign(z) * (1.0 - exp(-abs(z)))

    def _entropy(self) -> Tensor:
        return self._broadcast(1.0 + math.log(2.0) + log(self.scale))

    def _stddev(self) -> Tensor:
        return self._broadcast(math.sqrt(2.0) * self.scale)


def _log_below(z: Any) -> Any:
    """The logarithm of the distribution function for mean 0 and width 1."""
    # What is computed where it is not wanted must be finite, or its gradient were NaN.
    below = minimum(z, 0.0) - math.log(2.0)
    return where(greater(z, 0.0), log1p(-0.5 * exp(-abs(z))), below)
