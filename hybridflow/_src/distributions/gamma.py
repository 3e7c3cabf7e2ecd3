"""`Gamma` and `Exponential`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.distributions.broadcasting import Broadcasting
from hybridflow._src.distributions.distribution import FULLY_REPARAMETERIZED
from hybridflow._src.distributions.kullback_leibler import RegisterKL
from hybridflow._src.distributions.supports import above_one, after
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.arrays.selecting import where
from hybridflow._src.ops.checks.comparing import assert_positive
from hybridflow._src.ops.math.comparison import less
from hybridflow._src.ops.math.elementwise import square
from hybridflow._src.ops.math.exponential import expm1, log, sqrt
from hybridflow._src.ops.math.incomplete import igamma, igammac
from hybridflow._src.ops.math.special import digamma, lgamma
from hybridflow._src.ops.math.zero_products import xlogy
from hybridflow._src.ops.random.parametric import random_gamma
from hybridflow._src.ops.random.sampling import random_uniform

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Exponential", "Gamma"]


class Concentrated(Broadcasting):
    """A distribution of positive numbers that a concentration and a rate, both positive, tell."""

    def __init__(
        self,
        concentration: Any,
        rate: Any,
        validate_args: bool,
        allow_nan_stats: bool,
        parameters: dict[str, Any],
        name: str,
    ) -> None:
        super().__init__(
            {"concentration": concentration, "rate": rate},
            lambda *values: [assert_positive(value) for value in values],
            FULLY_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            name,
        )

    @property
    def concentration(self) -> Tensor:
        """The shape parameter."""
        return self._values["concentration"]

    @staticmethod
    def _param_shapes(sample_shape: Tensor) -> dict[str, Tensor]:
        return {"concentration": sample_shape, "rate": sample_shape}

    def _checked(self, x: Tensor) -> Tensor:
        return after([assert_positive(x)], x) if self.validate_args else x


class Gamma(Concentrated):
    """The Gamma distribution: density `rate**c * x**(c - 1) * exp(-rate * x) / gamma(c)`, x > 0.

    Args:
      concentration: tensor of positive numbers c, of a floating dtype.
      rate: tensor of positive numbers, of that dtype and of a shape that fits.
      validate_args: whether it is checked that parameters and values are positive.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    Raises:
      TypeError: if the dtypes differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.distributions.Gamma([1.0, 3.0], rate=2.0)
    ...     print(x.mean().numpy(), x.prob(1.0).numpy().round(4))
    [0.5 1.5] [0.2707 0.5413]
    """

    def __init__(
        self,
        concentration: Any,
        rate: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Gamma",
    ) -> None:
        parameters = locals()
        super().__init__(concentration, rate, validate_args, allow_nan_stats, parameters, name)

    @property
    def rate(self) -> Tensor:
        """The inverse of the scale."""
        return self._values["rate"]

    def _sample_n(self, n: Any, seed: int | None) -> Tensor:
        return random_gamma(reshape(n, [1]), self.concentration, self.rate, self.dtype, seed)

    def _log_prob(self, x: Tensor) -> Any:
        x = self._checked(x)
        unnormalized = xlogy(self.concentration - 1.0, x) - self.rate * x
        return unnormalized - (lgamma(self.concentration) - self.concentration * log(self.rate))

    def _cdf(self, x: Tensor) -> Tensor:
        return igamma(self.concentration, self.rate * self._checked(x))

    def _survival_function(self, x: Tensor) -> Tensor:
        return igammac(self.concentration, self.rate * self._checked(x))

    def _entropy(self) -> Any:
        c = self.concentration
        return c - log(self.rate) + lgamma(c) + (1.0 - c) * digamma(c)

    def _mean(self) -> Any:
        return self.concentration / self.rate

    def _variance(self) -> Any:
        return self.concentration / square(self.rate)

    def _stddev(self) -> Any:
        return sqrt(self.concentration) / self.rate

    def _mode(self) -> Tensor:
        words = "mode not defined when any concentration <= 1"
        mode = (self.concentration - 1.0) / self.rate
        return above_one(self, mode, words, self.concentration)


class Exponential(Gamma):
    """The exponential distribution: density `rate * exp(-rate * x)`, x >= 0.

    Args:
      rate: tensor of positive numbers, of a floating dtype.
      validate_args: whether it is checked that rates and values are positive.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.distributions.Exponential(rate=[1.0, 2.0])
    ...     print(x.prob(0.5).numpy().round(4), x.mode().numpy())
    [0.6065 0.7358] [0. 0.]
    """

    def __init__(
        self,
        rate: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Exponential",
    ) -> None:
        parameters = {key: value for key, value in locals().items() if key != "self"}
        parameters.pop("__class__", None)
        with name_scope(name, values=[rate]):
            rate = convert_to_tensor(rate, name="rate")
            one = convert_to_tensor(1.0, rate.dtype.base_dtype)
        super().__init__(one, rate, validate_args, allow_nan_stats, name)
        self._parameters = parameters

    @staticmethod
    def _param_shapes(sample_shape: Tensor) -> dict[str, Tensor]:
        return {"rate": sample_shape}

    def _sample_n(self, n: Any, seed: int | None) -> Any:
        # Of 0 the logarithm would be infinite.
        least = np.finfo(self.dtype.as_numpy_dtype).tiny
        drawn = random_uniform(self._shape_of_samples(n), least, 1.0, self.dtype, seed)
        return -log(drawn) / self.rate

    def _inside(self, x: Tensor, value: Any, outside: float) -> Tensor:
        """A value where x is not negative, and what is outside."""
        x = x + raw.ZerosLike(value)
        none = raw.Fill(raw.Shape(x), convert_to_tensor(outside, self.dtype))
        return where(less(x, 0.0), none, value)

    # Gamma's formulas give no number for x = 0.
    def _log_prob(self, x: Tensor) -> Tensor:
        x = self._checked(x)
        return self._inside(x, log(self.rate) - self.rate * x, -np.inf)

    def _cdf(self, x: Tensor) -> Tensor:
        x = self._checked(x)
        return self._inside(x, -expm1(-self.rate * x), 0.0)

    def _survival_function(self, x: Tensor) -> Tensor:
        x = self._checked(x)
        return self._inside(x, raw.Exp(-self.rate * x), 1.0)

    def _entropy(self) -> Any:
        return 1.0 - log(self.rate)

    def _mode(self) -> Any:
        return raw.ZerosLike(self.rate)


@RegisterKL(Gamma, Gamma)
def _divergence(a: Gamma, b: Gamma, name: str | None = None) -> Any:
    with name_scope(name, "kl_gamma_gamma", [a.concentration, b.concentration]):
        return (
            (a.concentration - b.concentration) * digamma(a.concentration)
            + lgamma(b.concentration)
            - lgamma(a.concentration)
            + b.concentration * (log(a.rate) - log(b.rate))
            + a.concentration * (b.rate / a.rate - 1.0)
        )
