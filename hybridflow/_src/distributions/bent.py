"""`Kumaraswamy` and `SinhArcsinh`: distributions that a bijector bends another one to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.distributions.composed_bijectors import Chain
from hybridflow._src.distributions.elementwise_bijectors import AffineScalar
from hybridflow._src.distributions.normal import Normal
from hybridflow._src.distributions.skewing_bijectors import Kumaraswamy as _Bend
from hybridflow._src.distributions.skewing_bijectors import SinhArcsinh as _Skew
from hybridflow._src.distributions.supports import above_one, floats
from hybridflow._src.distributions.transformed import TransformedDistribution
from hybridflow._src.distributions.uniform import Uniform
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.math.elementwise import square
from hybridflow._src.ops.math.exponential import exp, log
from hybridflow._src.ops.math.special import digamma, lgamma

if TYPE_CHECKING:
    from hybridflow._src.distributions.distribution import Distribution
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Kumaraswamy", "SinhArcsinh"]


class Kumaraswamy(TransformedDistribution):
    """Kumaraswamy's distribution of numbers from 0 to 1: density `a b x^(a-1) (1 - x^a)^(b-1)`.

    It is much like `Beta`, with a distribution function that is easily inverted.

    Args:
      concentration1, concentration0: tensors of positive numbers a and b, of one floating dtype.
      validate_args: whether it is checked that parameters are positive, and values from 0 to 1.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    Raises:
      ValueError: if one is missing, or the dtypes differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.Kumaraswamy(2.0, 1.0)
    ...     print(x.prob(0.5).numpy().round(4), x.mean().numpy().round(4))
    1.0 0.6667
    """

    def __init__(
        self,
        concentration1: Any = None,
        concentration0: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Kumaraswamy",
    ) -> None:
        own = locals()
        with name_scope(name, values=[concentration1, concentration0]):
            bend = _Bend(concentration1, concentration0, validate_args=validate_args)
            zeros = raw.ZerosLike(bend.concentration1 + bend.concentration0)
            even = Uniform(zeros, raw.OnesLike(zeros), allow_nan_stats=allow_nan_stats)
        super().__init__(even, bend, validate_args=validate_args, name=name, parameters=own)
        self._a, self._b = bend.concentration1, bend.concentration0

    @property
    def concentration1(self) -> Tensor:
        """The exponent inside."""
        return self._a

    @property
    def concentration0(self) -> Tensor:
        """The exponent outside."""
        return self._b

    def _moment(self, n: int) -> Any:
        """The mean of x^n: b beta(1 + n / a, b)."""
        first = 1.0 + n / self._a
        return exp(log(self._b) + lgamma(first) + lgamma(self._b) - lgamma(first + self._b))

    def _mean(self) -> Any:
        return self._moment(1)

    def _variance(self) -> Any:
        return self._moment(2) - square(self._moment(1))

    def _mode(self) -> Tensor:
        a, b = self._a, self._b
        mode = exp((log(a - 1.0) - log(a * b - 1.0)) / a)
        words = "mode not defined when any concentration <= 1"
        return above_one(self, mode, words, a, b)

    def _entropy(self) -> Any:
        harmonic = digamma(self._b + 1.0) + float(np.euler_gamma)
        bent = (1.0 - 1.0 / self._b) + (1.0 - 1.0 / self._a) * harmonic
        return bent - log(self._a) - log(self._b)


class SinhArcsinh(TransformedDistribution):
    """A normal distribution that is skew, and whose tails are heavier or lighter.

    It is that of `loc + scale F(z) 2 / F0(2)`, with z of a standard normal distribution,
    `F(z) = sinh((asinh(z) + skewness) tailweight)`, and F0 the same without skewness.

    Args:
      loc, scale: tensors of a floating dtype; scales are positive.
      skewness: tensor, 0 by default.
      tailweight: tensor of positive numbers, 1 by default.
      distribution: that of z, of single numbers; `Normal(0, 1)` by default.
      validate_args: whether it is checked that tailweights are positive.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    References:
      Jones, Pewsey: Sinh-arcsinh distributions (Biometrika 96, 2009).

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.SinhArcsinh(loc=1.0, scale=2.0, skewness=0.5)
    ...     print(x.cdf(1.0).numpy().round(4))
    0.3012
    """

    def __init__(
        self,
        loc: Any,
        scale: Any,
        skewness: Any = None,
        tailweight: Any = None,
        distribution: Distribution | None = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "SinhArcsinh",
    ) -> None:
        own = locals()
        with name_scope(name, values=[loc, scale, skewness, tailweight]):
            loc = floats(loc, "loc")
            dtype = loc.dtype.base_dtype
            scale = convert_to_tensor(scale, dtype, name="scale")
            skew = _Skew(
                convert_to_tensor(0.0 if skewness is None else skewness, dtype, name="skewness"),
                convert_to_tensor(1.0 if tailweight is None else tailweight, dtype),
                validate_args=validate_args,
            )
            plain = _Skew(tailweight=skew.tailweight)
            factor = 2.0 / plain.forward(convert_to_tensor(2.0, dtype))
            zeros = raw.ZerosLike(loc + scale + skew.skewness + skew.tailweight)
            if distribution is None:
                distribution = Normal(zeros, raw.OnesLike(zeros), allow_nan_stats=allow_nan_stats)
                batch = None
            else:
                batch = raw.Shape(zeros) if distribution.batch_shape.ndims == 0 else None
            moved = AffineScalar(shift=loc, scale=scale * factor)
        super().__init__(
            distribution,
            Chain([moved, skew]),
            batch,
            validate_args=validate_args,
            name=name,
            parameters=own,
        )
        self._loc, self._scale, self._skew = loc, scale, skew

    @property
    def loc(self) -> Tensor:
        """Where the middle is, without skewness."""
        return self._loc

    @property
    def scale(self) -> Tensor:
        """How wide it is."""
        return self._scale

    @property
    def skewness(self) -> Tensor:
        """How skew it is."""
        return self._skew.skewness

    @property
    def tailweight(self) -> Tensor:
        """How heavy the tails are."""
        return self._skew.tailweight
