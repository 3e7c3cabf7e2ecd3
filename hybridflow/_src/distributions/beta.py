"""`Beta`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.distributions.broadcasting import Broadcasting
from hybridflow._src.distributions.distribution import FULLY_REPARAMETERIZED
from hybridflow._src.distributions.kullback_leibler import RegisterKL
from hybridflow._src.distributions.supports import above_one, after, other_seed
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.checks.comparing import assert_less, assert_positive
from hybridflow._src.ops.math.exponential import log1p
from hybridflow._src.ops.math.incomplete import betainc
from hybridflow._src.ops.math.special import digamma, lgamma
from hybridflow._src.ops.math.zero_products import xlogy
from hybridflow._src.ops.random.parametric import random_gamma

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Beta"]


class Beta(Broadcasting):
    """The Beta distribution over (0, 1): density `x**(c1 - 1) * (1 - x)**(c0 - 1) / beta(c1, c0)`.

    Args:
      concentration1: tensor of positive numbers c1, of a floating dtype.
      concentration0: tensor of positive numbers c0, of that dtype and of a shape that fits.
      validate_args: whether it is checked that parameters are positive, values within (0, 1).
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    Raises:
      TypeError: if the dtypes differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.distributions.Beta(2.0, [2.0, 6.0])
    ...     print(x.mean().numpy(), x.cdf(0.5).numpy().round(4))
    [0.5  0.25] [0.5    0.9375]
    """

    def __init__(
        self,
        concentration1: Any = None,
        concentration0: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Beta",
    ) -> None:
        parameters = locals()
        words = "Concentration parameter must be positive."
        super().__init__(
            {"concentration1": concentration1, "concentration0": concentration0},
            lambda *values: [assert_positive(value, message=words) for value in values],
            FULLY_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            name,
        )
        with self._scope("total_concentration"):
            self._total = self.concentration1 + self.concentration0

    @property
    def concentration1(self) -> Tensor:
        """How often 1 was seen, so to speak."""
        return self._values["concentration1"]

    @property
    def concentration0(self) -> Tensor:
        """How often 0 was seen, so to speak."""
        return self._values["concentration0"]

    @property
    def total_concentration(self) -> Tensor:
        """The sum of both."""
        return self._total

    @staticmethod
    def _param_shapes(sample_shape: Tensor) -> dict[str, Tensor]:
        return {"concentration1": sample_shape, "concentration0": sample_shape}

    def _sample_n(self, n: Any, seed: int | None) -> Any:
        sizes, zeros = reshape(n, [1]), raw.ZerosLike(self._total)
        first = random_gamma(sizes, self.concentration1 + zeros, None, self.dtype, seed)
        seed = other_seed(seed, "beta")
        second = random_gamma(sizes, self.concentration0 + zeros, None, self.dtype, seed)
        return first / (first + second)

    def _checked(self, x: Tensor) -> Tensor:
        if not self.validate_args:
            return x
        one = convert_to_tensor(1.0, self.dtype)
        checks = [
            assert_positive(x, message="sample must be positive"),
            assert_less(x, one, message="sample must be no larger than `1`."),
        ]
        return after(checks, x)

    def _log_prob(self, x: Tensor) -> Any:
        x = self._checked(x)
        unnormalized = xlogy(self.concentration1 - 1.0, x) + (self.concentration0 - 1.0) * log1p(-x)
        return unnormalized - self._log_normalization()

    def _log_normalization(self) -> Any:
        return lgamma(self.concentration1) + lgamma(self.concentration0) - lgamma(self._total)

    def _cdf(self, x: Tensor) -> Tensor:
        # The function itself broadcasts scalars alone.
        zeros = raw.ZerosLike(x) + raw.ZerosLike(self._total)
        x = self._checked(x) + zeros
        return betainc(self.concentration1 + zeros, self.concentration0 + zeros, x)

    def _entropy(self) -> Any:
        return (
            self._log_normalization()
            - (self.concentration1 - 1.0) * digamma(self.concentration1)
            - (self.concentration0 - 1.0) * digamma(self.concentration0)
            + (self._total - 2.0) * digamma(self._total)
        )

    def _mean(self) -> Any:
        return self.concentration1 / self._total

    def _variance(self) -> Any:
        mean = self._mean()
        return mean * (1.0 - mean) / (1.0 + self._total)

    def _mode(self) -> Tensor:
        mode = (self.concentration1 - 1.0) / (self._total - 2.0)
        words = "Mode undefined for concentration1 <= 1 or concentration0 <= 1."
        return above_one(self, mode, words, self.concentration1, self.concentration0)


@RegisterKL(Beta, Beta)
def _divergence(a: Beta, b: Beta, name: str | None = None) -> Any:
    with name_scope(name, "kl_beta_beta", [a.total_concentration, b.total_concentration]):
        return (
            b._log_normalization()
            - a._log_normalization()
            - digamma(a.concentration1) * (b.concentration1 - a.concentration1)
            - digamma(a.concentration0) * (b.concentration0 - a.concentration0)
            + digamma(a.total_concentration) * (b.total_concentration - a.total_concentration)
        )
