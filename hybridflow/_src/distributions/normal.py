"""`Normal`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hybridflow._src.distributions.broadcasting import LocationScale
from hybridflow._src.distributions.kullback_leibler import RegisterKL
from hybridflow._src.distributions.normal_functions import log_ndtr, ndtr, ndtri
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.math.elementwise import square
from hybridflow._src.ops.math.exponential import log
from hybridflow._src.ops.random.sampling import random_normal

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Normal"]


class Normal(LocationScale):
    """The normal (Gaussian) distribution.

    Its density is `exp(-z^2 / 2) / (scale sqrt(2 pi))`, where `z = (x - loc) / scale`.

    Args:
      loc: tensor of means, of a floating dtype.
      scale: tensor of standard deviations, of that dtype and of a shape that fits.
      validate_args: whether it is checked that scales are positive.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    Raises:
      TypeError: if the dtypes differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.distributions.Normal(0.0, [1.0, 2.0]).log_prob(0.0).numpy().round(4))
    [-0.9189 -1.6121]
    """

    def __init__(
        self,
        loc: Any,
        scale: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Normal",
    ) -> None:
        super().__init__(loc, scale, validate_args, allow_nan_stats, locals(), name)

    def _sample_n(self, n: Any, seed: int | None) -> Tensor:
        drawn = random_normal(self._shape_of_samples(n), 0.0, 1.0, self.dtype, seed)
        return drawn * self.scale + self.loc

    def _log_prob(self, x: Tensor) -> Tensor:
        return -0.5 * square(self._z(x)) - (0.5 * math.log(2 * math.pi) + log(self.scale))

    def _log_cdf(self, x: Tensor) -> Tensor:
        return log_ndtr(self._z(x))

    def _cdf(self, x: Tensor) -> Tensor:
        return ndtr(self._z(x))

    def _log_survival_function(self, x: Tensor) -> Tensor:
        return log_ndtr(-self._z(x))

    def _survival_function(self, x: Tensor) -> Tensor:
        return ndtr(-self._z(x))

    def _quantile(self, p: Tensor) -> Any:
        return self.loc + self.scale * ndtri(p)

    def _entropy(self) -> Tensor:
        return self._broadcast(0.5 + 0.5 * math.log(2 * math.pi) + log(self.scale))

    def _stddev(self) -> Tensor:
        return self._broadcast(self.scale)


@RegisterKL(Normal, Normal)
def _divergence(a: Normal, b: Normal, name: str | None = None) -> Tensor:
    with name_scope(name, "kl_normal_normal", [a.loc, b.loc]):
        ratio = square(a.scale / b.scale)
        return square(a.loc - b.loc) / (2.0 * square(b.scale)) + 0.5 * (ratio - 1.0 - log(ratio))
