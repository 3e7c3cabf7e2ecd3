"""`InverseGamma` and `Chi2`: relatives of the Gamma distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.distributions.gamma import Concentrated, Gamma
from hybridflow._src.distributions.supports import above, above_one, floats
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.math.elementwise import square
from hybridflow._src.ops.math.exponential import log
from hybridflow._src.ops.math.incomplete import igamma, igammac
from hybridflow._src.ops.math.special import digamma, lgamma
from hybridflow._src.ops.random.parametric import random_gamma

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Chi2", "InverseGamma"]


class Chi2(Gamma):
    """The chi-square distribution: that of the sum of so many squares of normal numbers.

    Args:
      df: tensor of positive numbers, the degrees of freedom, of a floating dtype.
      validate_args: whether it is checked that parameters and values are positive.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.Chi2([2.0, 4.0])
    ...     print(x.mean().numpy(), x.prob(2.0).numpy().round(4))
    [2. 4.] [0.1839 0.1839]
    """

    def __init__(
        self,
        df: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Chi2",
    ) -> None:
        parameters = locals()
        df = floats(df, "df")
        half = convert_to_tensor(0.5, df.dtype.base_dtype)
        super().__init__(0.5 * df, half, validate_args, allow_nan_stats, name)
        self._df = df
        self._parameters = {key: parameters[key] for key in _OF_CHI2}

    @property
    def df(self) -> Tensor:
        """The degrees of freedom."""
        return self._df

    @staticmethod
    def _param_shapes(sample_shape: Tensor) -> dict[str, Tensor]:
        return {"df": sample_shape}


_OF_CHI2 = ("df", "validate_args", "allow_nan_stats", "name")


class InverseGamma(Concentrated):
    """The distribution of 1 / x, where x has a Gamma distribution.

    Its density is `rate**c * x**(-1 - c) * exp(-rate / x) / gamma(c)`, x > 0.

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
    ...     x = hf.contrib.distributions.InverseGamma([3.0, 5.0], rate=2.0)
    ...     print(x.mean().numpy(), x.prob(1.0).numpy().round(4))
    [1.  0.5] [0.5413 0.1804]
    """

    def __init__(
        self,
        concentration: Any,
        rate: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "InverseGamma",
    ) -> None:
        parameters = locals()
        super().__init__(concentration, rate, validate_args, allow_nan_stats, parameters, name)

    @property
    def rate(self) -> Tensor:
        """The scale."""
        return self._values["rate"]

    def _sample_n(self, n: Any, seed: int | None) -> Any:
        drawn = random_gamma(reshape(n, [1]), self.concentration, self.rate, self.dtype, seed)
        return 1.0 / drawn

    def _log_prob(self, x: Tensor) -> Any:
        x = self._checked(x)
        unnormalized = -(1.0 + self.concentration) * log(x) - self.rate / x
        return unnormalized - (lgamma(self.concentration) - self.concentration * log(self.rate))

    def _cdf(self, x: Tensor) -> Tensor:
        return igammac(self.concentration, self.rate / self._checked(x))

    def _survival_function(self, x: Tensor) -> Tensor:
        return igamma(self.concentration, self.rate / self._checked(x))

    def _entropy(self) -> Any:
        c = self.concentration
        return c + log(self.rate) + lgamma(c) - (1.0 + c) * digamma(c)

    def _mean(self) -> Tensor:
        words = "mean undefined when any concentration <= 1"
        mean = self.rate / (self.concentration - 1.0)
        return above_one(self, mean, words, self.concentration)

    def _variance(self) -> Tensor:
        words = "variance undefined when any concentration <= 2"
        c = self.concentration
        variance = square(self.rate) / (square(c - 1.0) * (c - 2.0))
        return above(2.0, self, variance, words, c)

    def _mode(self) -> Any:
        return self.rate / (1.0 + self.concentration)
