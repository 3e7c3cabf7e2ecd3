"""`StudentT`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.distributions.broadcasting import Broadcasting
from hybridflow._src.distributions.distribution import FULLY_REPARAMETERIZED
from hybridflow._src.distributions.supports import above_one, other_seed
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.arrays.selecting import where
from hybridflow._src.ops.checks.comparing import assert_positive
from hybridflow._src.ops.math.comparison import greater, less
from hybridflow._src.ops.math.elementwise import abs, square
from hybridflow._src.ops.math.exponential import log, log1p, rsqrt
from hybridflow._src.ops.math.incomplete import betainc
from hybridflow._src.ops.math.special import digamma, lgamma
from hybridflow._src.ops.random.parametric import random_gamma
from hybridflow._src.ops.random.sampling import random_normal

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["StudentT"]


class StudentT(Broadcasting):
    """Student's t distribution, moved by `loc` and stretched by `scale`.

    With `y = (x - loc) / scale` its density is proportional to `(1 + y**2 / df)**(-(df + 1) / 2)`.

    Args:
      df: tensor of degrees of freedom, positive numbers of a floating dtype.
      loc: tensor of middles, of that dtype and of a shape that fits.
      scale: tensor of widths, likewise; a negative one is as good as its absolute value.
      validate_args: whether it is checked that `df` is positive.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    Raises:
      TypeError: if the dtypes differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.distributions.StudentT(df=[1.0, 4.0], loc=0.0, scale=1.0)
    ...     print(x.prob(0.0).numpy().round(4), x.variance().numpy())
    [0.3183 0.375 ] [nan  2.]
    """

    def __init__(
        self,
        df: Any,
        loc: Any,
        scale: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "StudentT",
    ) -> None:
        parameters = locals()
        super().__init__(
            {"df": df, "loc": loc, "scale": scale},
            lambda df, *_: [assert_positive(df)],
            FULLY_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            name,
        )

    @property
    def df(self) -> Tensor:
        """The degrees of freedom."""
        return self._values["df"]

    @property
    def loc(self) -> Tensor:
        """Where the middle is."""
        return self._values["loc"]

    @property
    def scale(self) -> Tensor:
        """How wide it is."""
        return self._values["scale"]

    @staticmethod
    def _param_shapes(sample_shape: Tensor) -> dict[str, Tensor]:
        return {"df": sample_shape, "loc": sample_shape, "scale": sample_shape}

    def _sample_n(self, n: Any, seed: int | None) -> Any:
        # A normal number divided by the root of one of the chi-square distribution, over df.
        drawn = random_normal(self._shape_of_samples(n), 0.0, 1.0, self.dtype, seed)
        df = self._broadcast(self.df)
        seed = other_seed(seed, "student_t")
        squares = random_gamma(reshape(n, [1]), 0.5 * df, 0.5, self.dtype, seed)
        return drawn * rsqrt(squares / df) * self.scale + self.loc

    def _log_prob(self, x: Tensor) -> Any:
        y = (x - self.loc) / self.scale
        normalization = (
            log(abs(self.scale))
            + 0.5 * log(self.df)
            + 0.5 * math.log(math.pi)
            + lgamma(0.5 * self.df)
            - lgamma(0.5 * (self.df + 1.0))
        )
        return -0.5 * (self.df + 1.0) * log1p(square(y) / self.df) - normalization

    def _tail(self, x: Tensor) -> tuple[Any, Any]:
        """How far outward x is, and the probability to be as far out on that side."""
        y = (x - self.loc) / abs(self.scale)
        df = self.df + raw.ZerosLike(y)
        y = y + raw.ZerosLike(df)
        half = 0.5 * raw.OnesLike(y)
        return y, 0.5 * betainc(0.5 * df, half, df / (square(y) + df))

    def _cdf(self, x: Tensor) -> Tensor:
        y, tail = self._tail(x)
        return where(less(y, 0.0), tail, 1.0 - tail)

    def _survival_function(self, x: Tensor) -> Tensor:
        y, tail = self._tail(x)
        return where(less(y, 0.0), 1.0 - tail, tail)

    def _entropy(self) -> Any:
        half, more = 0.5 * self.df, 0.5 * (self.df + 1.0)
        log_beta = lgamma(half) + 0.5 * math.log(math.pi) - lgamma(more)
        apart = digamma(more) - digamma(half)
        return self._broadcast(log(abs(self.scale)) + 0.5 * log(self.df) + log_beta + more * apart)

    def _mean(self) -> Tensor:
        words = "mean not defined for components of df <= 1"
        return above_one(self, self._broadcast(self.loc), words, self.df)

    def _variance(self) -> Tensor:
        df = self._broadcast(self.df)
        exists = greater(df, 2.0)
        # What is computed where it is not wanted must be finite, or its gradient were NaN.
        variance = square(self.scale) * df / where(exists, df - 2.0, raw.OnesLike(df))
        infinite = raw.Fill(raw.Shape(df), convert_to_tensor(np.inf, self.dtype))
        words = "variance not defined for components of df <= 1"
        return above_one(self, where(exists, variance, infinite), words, self.df)

    def _mode(self) -> Tensor:
        return self._broadcast(self.loc)
