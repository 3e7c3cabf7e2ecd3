"""`QuantizedDistribution`: whole numbers in place of those between them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hybridflow._src.distributions.distribution import NOT_REPARAMETERIZED, Distribution
from hybridflow._src.distributions.supports import after
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.selecting import where
from hybridflow._src.ops.checks.comparing import assert_equal, assert_less
from hybridflow._src.ops.math.comparison import greater_equal, less
from hybridflow._src.ops.math.exponential import expm1, log

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.framework.tensor_shape import TensorShape

__all__ = ["QuantizedDistribution"]


class QuantizedDistribution(Distribution):
    """The distribution of `ceil(x)`, kept within bounds, where x has a given distribution.

    Args:
      distribution: a distribution of single numbers that has a distribution function.
      low: tensor of the smallest value, a whole number; none by default.
      high: tensor of the largest value, a whole number; none by default.
      validate_args: whether it is checked that bounds and values are whole numbers, and
        `low < high`.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     d = hf.contrib.distributions
    ...     x = d.QuantizedDistribution(d.Uniform(0.0, 3.0), low=1.0, high=2.0)
    ...     print(x.prob([1.0, 2.0, 3.0]).numpy().round(4), x.cdf([0.0, 1.0]).numpy().round(4))
    [0.3333 0.6667 0.    ] [0.     0.3333]
    """

    def __init__(
        self,
        distribution: Distribution,
        low: Any = None,
        high: Any = None,
        validate_args: bool = False,
        name: str = "QuantizedDistribution",
    ) -> None:
        parameters = locals()
        self._base = distribution
        self._validate_args = validate_args
        with name_scope(name, values=[low, high]):
            self._low = self._bound(low, "low")
            self._high = self._bound(high, "high")
            if validate_args and self._low is not None and self._high is not None:
                words = "low must be strictly less than high."
                self._low = after([assert_less(self._low, self._high, message=words)], self._low)
        bounds = [bound for bound in (self._low, self._high) if bound is not None]
        super().__init__(
            distribution.dtype,
            NOT_REPARAMETERIZED,
            validate_args,
            distribution.allow_nan_stats,
            parameters,
            [*distribution._graph_parents, *bounds],
            name,
        )

    def _bound(self, value: Any, name: str) -> Tensor | None:
        if value is None:
            return None
        return self._whole(convert_to_tensor(value, self._base.dtype, name=name))

    def _whole(self, x: Tensor) -> Tensor:
        if not self._validate_args:
            return x
        return after([assert_equal(x, raw.Floor(x), message="value is not a whole number")], x)

    @property
    def distribution(self) -> Distribution:
        """The distribution of what is rounded up."""
        return self._base

    @property
    def low(self) -> Tensor | None:
        """The smallest value, or None."""
        return self._low

    @property
    def high(self) -> Tensor | None:
        """The largest value, or None."""
        return self._high

    def _batch_shape(self) -> TensorShape:
        return self._base.batch_shape

    def _batch_shape_tensor(self) -> Tensor:
        return self._base.batch_shape_tensor()

    def _event_shape(self) -> TensorShape:
        return self._base.event_shape

    def _event_shape_tensor(self) -> Tensor:
        return self._base.event_shape_tensor()

    def _sample_n(self, n: Any, seed: int | None) -> Any:
        drawn: Any = raw.Ceil(self._base.sample(n, seed=seed))
        if self._low is not None:
            drawn = raw.Maximum(drawn, self._low)
        return drawn if self._high is None else raw.Minimum(drawn, self._high)

    def _at(self, method: str, y: Any, below: float, above: float) -> Any:
        """A function of the base distribution at whole numbers, with what it is out of bounds."""
        y = raw.Floor(y)
        found: Any = getattr(self._base, method)(y)
        y = y + raw.ZerosLike(found)
        for bound, outside, value in ((self._low, less, below), (self._high, greater_equal, above)):
            if bound is not None:
                limit = bound + raw.ZerosLike(y)
                filled = raw.Fill(
                    raw.Shape(found), convert_to_tensor(value, found.dtype.base_dtype)
                )
                found = where(outside(y, limit), filled, found)
        return found

    def _cdf(self, y: Tensor) -> Any:
        return self._at("cdf", y, 0.0, 1.0)

    def _log_cdf(self, y: Tensor) -> Any:
        return self._at("log_cdf", y, -math.inf, 0.0)

    def _survival_function(self, y: Tensor) -> Any:
        return self._at("survival_function", y, 1.0, 0.0)

    def _log_survival_function(self, y: Tensor) -> Any:
        return self._at("log_survival_function", y, 0.0, -math.inf)

    def _prob(self, y: Tensor) -> Any:
        y = self._whole(y)
        # On the right of the median differences of what is left are the exact ones.
        above, at_most = self._survival_function(y), self._cdf(y)
        of_right = self._survival_function(y - 1.0) - above
        return where(less(above, at_most), of_right, at_most - self._cdf(y - 1.0))

    def _log_prob(self, y: Tensor) -> Any:
        y = self._whole(y)
        above, at_most = self._log_survival_function(y), self._log_cdf(y)
        of_right = less(above, at_most)
        large = where(of_right, self._log_survival_function(y - 1.0), at_most)
        small = where(of_right, above, self._log_cdf(y - 1.0))
        # log(exp(large) - exp(small)); both are -inf where nothing is.
        nothing = raw.Equal(large, raw.ZerosLike(large) - math.inf)
        apart = where(nothing, raw.ZerosLike(large) - math.inf, small - large)
        return where(nothing, large, large + log(-expm1(apart)))
