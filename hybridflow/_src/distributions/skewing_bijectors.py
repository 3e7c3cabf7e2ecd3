"""Bijectors that bend distributions of single numbers: `Gumbel`, `Kumaraswamy`, `SinhArcsinh`;
and `AbsoluteValue`, which has two arguments for a value.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hybridflow._src.distributions.bijector import common_dtype
from hybridflow._src.distributions.elementwise_bijectors import Elementwise
from hybridflow._src.distributions.supports import after
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.ops.checks.comparing import (
    assert_less_equal,
    assert_non_negative,
    assert_positive,
)
from hybridflow._src.ops.math.exponential import exp, expm1, log, log1p
from hybridflow._src.ops.math.trigonometric import asinh, sinh
from hybridflow._src.ops.math.zero_products import xlogy

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["AbsoluteValue", "Gumbel", "Kumaraswamy", "SinhArcsinh"]


def _together(**values: Any) -> list[Tensor]:
    """Parameters as tensors of one floating dtype.

    Raises:
      ValueError: if their dtypes differ.
    """
    dtype = common_dtype(*values.values())
    dtype = getattr(dtype, "base_dtype", dtype)
    return [convert_to_tensor(value, dtype, name=name) for name, value in values.items()]


class AbsoluteValue(Elementwise):
    """The absolute value: a number and what it is with the other sign have the same.

    It is no bijector in the strict sense: `inverse` and `inverse_log_det_jacobian` give a pair, for
    the negative argument and for the positive one. A `TransformedDistribution` has the density of
    both together.

    Args:
      validate_args: whether it is checked that values are not negative.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     absolute = hf.contrib.distributions.bijectors.AbsoluteValue()
    ...     print(absolute.forward(-2.0).numpy(), [x.numpy().item() for x in absolute.inverse(3.0)])
    2.0 [-3.0, 3.0]
    """

    is_injective = False

    def __init__(self, validate_args: bool = False, name: str = "absolute_value") -> None:
        super().__init__(0, validate_args, name, is_constant_jacobian=True)

    def _forward(self, x: Tensor) -> Tensor:
        return abs(x)

    def inverse(self, y: Any, name: str = "inverse") -> Any:
        """The two arguments whose value is `y`, the negative one first."""
        with self._scope(name, y):
            y = self._converted(y, "y")
            if self.validate_args:
                y = after([assert_non_negative(y, message="Argument y was negative")], y)
            return -y, y

    def forward_log_det_jacobian(
        self, x: Any, name: Any = "forward_log_det_jacobian", event_ndims: Any = None
    ) -> Tensor:
        """Not defined, as it is for none of the two arguments alone.

        Raises:
          NotImplementedError: always.
        """
        raise NotImplementedError(
            "forward_log_det_jacobian cannot be implemented for this bijector."
        )

    def inverse_log_det_jacobian(
        self, y: Any, name: Any = "inverse_log_det_jacobian", event_ndims: Any = None
    ) -> Any:
        """Zero, for each of the two arguments."""
        with self._scope("inverse_log_det_jacobian", y):
            zero = convert_to_tensor(0.0, self._converted(y, "y").dtype.base_dtype)
            return zero, zero


class Gumbel(Elementwise):
    """exp(-exp(-(x - loc) / scale)): the distribution function of Gumbel's distribution.

    Args:
      loc, scale: tensors of one floating dtype; scales are positive.
      validate_args: whether it is checked that scales are positive, and values between 0 and 1.
      name: how scopes of ops begin.

    Raises:
      ValueError: if the dtypes differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     gumbel = hf.contrib.distributions.bijectors.Gumbel(loc=1.0, scale=2.0)
    ...     print(gumbel.forward(1.0).numpy().round(4), gumbel.inverse(0.5).numpy().round(4))
    0.3679 1.733
    """

    def __init__(
        self, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool = False, name: str = "gumbel"
    ) -> None:
        self._loc, self._scale = _together(loc=loc, scale=scale)
        if validate_args:
            self._scale = after([assert_positive(self._scale)], self._scale)
        super().__init__(0, validate_args, name, [self._loc, self._scale])

    @property
    def loc(self) -> Tensor:
        """Where the density is the largest."""
        return self._loc

    @property
    def scale(self) -> Tensor:
        """How wide it is."""
        return self._scale

    def _forward(self, x: Tensor) -> Tensor:
        return exp(-exp(-(x - self._loc) / self._scale))

    def _inverse(self, y: Tensor) -> Any:
        y = _between(y, self.validate_args)
        return self._loc - self._scale * log(-log(y))

    def _inverse_log_det_jacobian(self, y: Tensor) -> Any:
        y = _between(y, self.validate_args)
        return log(self._scale) - log(-log(y)) - log(y)

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        z = (x - self._loc) / self._scale
        return -z - exp(-z) - log(self._scale)


class Kumaraswamy(Elementwise):
    """(1 - (1 - x)^(1 / b))^(1 / a), by which even numbers have Kumaraswamy's distribution.

    Args:
      concentration1, concentration0: the numbers a and b, tensors of one floating dtype, positive.
      validate_args: whether it is checked that parameters are positive, and values between 0 and 1.
      name: how scopes of ops begin.

    Raises:
      ValueError: if one is missing, or the dtypes differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     bend = hf.contrib.distributions.bijectors.Kumaraswamy(2.0, 3.0)
    ...     print(bend.forward(0.5).numpy().round(4), bend.inverse(0.5).numpy().round(4))
    0.4542 0.5781
    """

    def __init__(
        self,
        concentration1: Any = None,
        concentration0: Any = None,
        validate_args: bool = False,
        name: str = "kumaraswamy",
    ) -> None:
        if concentration1 is None or concentration0 is None:
            raise ValueError("Kumaraswamy needs both concentration1 and concentration0.")
        self._a, self._b = _together(concentration1=concentration1, concentration0=concentration0)
        if validate_args:
            words = "Concentration parameter must be positive."
            self._a, self._b = (
                after([assert_positive(value, message=words)], value)
                for value in (self._a, self._b)
            )
        super().__init__(0, validate_args, name, [self._a, self._b])

    @property
    def concentration1(self) -> Tensor:
        """The exponent inside."""
        return self._a

    @property
    def concentration0(self) -> Tensor:
        """The exponent outside."""
        return self._b

    def _forward(self, x: Tensor) -> Tensor:
        x = _between(x, self.validate_args)
        return exp(log(-expm1(log1p(-x) / self._b)) / self._a)

    def _inverse(self, y: Tensor) -> Any:
        y = _between(y, self.validate_args)
        return -expm1(self._b * log1p(-(y**self._a)))

    def _inverse_log_det_jacobian(self, y: Tensor) -> Any:
        y = _between(y, self.validate_args)
        inside = xlogy(self._a - 1.0, y) + (self._b - 1.0) * log1p(-(y**self._a))
        return log(self._a) + log(self._b) + inside


def _between(x: Tensor, validate_args: bool) -> Tensor:
    """Numbers from 0 to 1, checked if arguments are."""
    if not validate_args:
        return x
    one = convert_to_tensor(1.0, x.dtype.base_dtype)
    return after([assert_non_negative(x), assert_less_equal(x, one)], x)


def _log_cosh(x: Any) -> Any:
    """The logarithm of cosh(x), also where that is too large for a number."""
    x = abs(x)
    return x + log1p(exp(-2.0 * x)) - math.log(2.0)


class SinhArcsinh(Elementwise):
    """sinh((asinh(x) + skewness) tailweight), by which normal numbers become skew.

    Args:
      skewness: tensor, or None for 0: where it is above 0, so is more of the distribution.
      tailweight: tensor of that dtype, positive, or None for 1: above 1 tails are heavier.
      validate_args: whether it is checked that tailweights are positive.
      name: how scopes of ops begin.

    Raises:
      ValueError: if the dtypes differ.

    References:
      Jones, Pewsey: Sinh-arcsinh distributions (Biometrika 96, 2009).

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     skew = hf.contrib.distributions.bijectors.SinhArcsinh(skewness=1.0)
    ...     print(skew.forward(0.0).numpy().round(4), skew.inverse(0.0).numpy().round(4))
    1.1752 -1.1752
    """

    def __init__(
        self,
        skewness: Any = None,
        tailweight: Any = None,
        validate_args: bool = False,
        name: str = "SinhArcsinh",
    ) -> None:
        given = [value for value in (skewness, tailweight) if value is not None]
        dtype = common_dtype(*given)
        dtype = getattr(dtype, "base_dtype", dtype)
        self._skewness = convert_to_tensor(0.0 if skewness is None else skewness, dtype)
        self._tailweight = convert_to_tensor(1.0 if tailweight is None else tailweight, dtype)
        if validate_args:
            words = "Argument tailweight was not positive"
            check = assert_positive(self._tailweight, message=words)
            self._tailweight = after([check], self._tailweight)
        super().__init__(0, validate_args, name, [self._skewness, self._tailweight])

    @property
    def skewness(self) -> Tensor:
        """How skew it is."""
        return self._skewness

    @property
    def tailweight(self) -> Tensor:
        """How heavy the tails are."""
        return self._tailweight

    def _forward(self, x: Tensor) -> Tensor:
        return sinh((asinh(x) + self._skewness) * self._tailweight)

    def _inverse(self, y: Tensor) -> Tensor:
        return sinh(asinh(y) / self._tailweight - self._skewness)

    # The root of 1 + x^2 is cosh(asinh(x)).

    def _inverse_log_det_jacobian(self, y: Tensor) -> Any:
        flat = asinh(y)
        inside = _log_cosh(flat / self._tailweight - self._skewness)
        return inside - log(self._tailweight) - _log_cosh(flat)

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        flat = asinh(x)
        outside = _log_cosh((flat + self._skewness) * self._tailweight)
        return outside + log(self._tailweight) - _log_cosh(flat)
