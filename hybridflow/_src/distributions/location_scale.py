"""`Logistic`, `Cauchy`, and `HalfNormal`: distributions that are stretched and moved."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.distributions.broadcasting import Broadcasting, LocationScale
from hybridflow._src.distributions.distribution import FULLY_REPARAMETERIZED
from hybridflow._src.distributions.normal_functions import ndtri_of_parts
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops.arrays.selecting import where
from hybridflow._src.ops.checks.comparing import assert_positive
from hybridflow._src.ops.math.comparison import less
from hybridflow._src.ops.math.elementwise import square
from hybridflow._src.ops.math.exponential import log, log1p, sigmoid
from hybridflow._src.ops.math.special import erf, erfc
from hybridflow._src.ops.math.trigonometric import atan, tan
from hybridflow._src.ops.nn.activations import softplus
from hybridflow._src.ops.random.sampling import random_normal, random_uniform

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Cauchy", "HalfNormal", "Logistic"]


class Logistic(LocationScale):
    """The logistic distribution, whose distribution function is `sigmoid((x - loc) / scale)`.

    Args:
      loc: tensor of means, of a floating dtype.
      scale: tensor of that dtype and of a shape that fits, positive.
      validate_args: whether it is checked that scales are positive.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    Raises:
      TypeError: if the dtypes differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.contrib.distributions.Logistic(0.0, [1.0, 2.0]).prob(0.0).numpy())
    [0.25  0.125]
    """

    def __init__(
        self,
        loc: Any,
        scale: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Logistic",
    ) -> None:
        super().__init__(loc, scale, validate_args, allow_nan_stats, locals(), name)

    def _sample_n(self, n: Any, seed: int | None) -> Any:
        tiny = float(np.finfo(self.dtype.as_numpy_dtype).tiny)
        drawn = random_uniform(self._shape_of_samples(n), tiny, 1.0, self.dtype, seed)
        return (log(drawn) - log1p(-drawn)) * self.scale + self.loc

    def _log_prob(self, x: Tensor) -> Any:
        z = self._z(x)
        return -z - 2.0 * softplus(-z) - log(self.scale)

    def _log_cdf(self, x: Tensor) -> Any:
        return -softplus(-self._z(x))

    def _cdf(self, x: Tensor) -> Tensor:
        return sigmoid(self._z(x))

    def _log_survival_function(self, x: Tensor) -> Any:
        return -softplus(self._z(x))

    def _survival_function(self, x: Tensor) -> Tensor:
        return sigmoid(-self._z(x))

    def _quantile(self, p: Tensor) -> Any:
        return self.loc + self.scale * (log(p) - log1p(-p))

    def _entropy(self) -> Any:
        return self._broadcast(2.0 + log(self.scale))

    def _stddev(self) -> Any:
        return self._broadcast(self.scale * (math.pi / math.sqrt(3.0)))


class Cauchy(LocationScale):
    """Cauchy's distribution: its density is `1 / (pi scale (1 + z^2))`, `z = (x - loc) / scale`.

    It has neither a mean nor a variance.

    Args:
      loc: tensor of the places of the largest density, of a floating dtype.
      scale: tensor of that dtype and of a shape that fits, positive.
      validate_args: whether it is checked that scales are positive.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    Raises:
      TypeError: if the dtypes differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.contrib.distributions.Cauchy(0.0, 1.0).cdf([0.0, 1.0]).numpy())
    [0.5  0.75]
    """

    def __init__(
        self,
        loc: Any,
        scale: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Cauchy",
    ) -> None:
        super().__init__(loc, scale, validate_args, allow_nan_stats, locals(), name)

    def _sample_n(self, n: Any, seed: int | None) -> Any:
        return self._quantile(random_uniform(self._shape_of_samples(n), 0.0, 1.0, self.dtype, seed))

    def _log_prob(self, x: Tensor) -> Any:
        return -math.log(math.pi) - log(self.scale) - log1p(square(self._z(x)))

    def _cdf(self, x: Tensor) -> Any:
        return atan(self._z(x)) / math.pi + 0.5

    def _quantile(self, p: Tensor) -> Any:
        return self.loc + self.scale * tan(math.pi * (p - 0.5))

    def _entropy(self) -> Any:
        return self._broadcast(math.log(4 * math.pi) + log(self.scale))

    def _mean(self) -> Any:
        if not self.allow_nan_stats:
            raise ValueError("`mean` is undefined for Cauchy distribution.")
        return self._broadcast(convert_to_tensor(math.nan, self.dtype))

    def _stddev(self) -> Any:
        if not self.allow_nan_stats:
            raise ValueError("`stddev` is undefined for Cauchy distribution.")
        return self._broadcast(convert_to_tensor(math.nan, self.dtype))

    def _mode(self) -> Any:
        return self._broadcast(self.loc)


class HalfNormal(Broadcasting):
    """The distribution of `|x|`, where x is normal with mean 0.

    Args:
      scale: tensor of standard deviations of x, of a floating dtype.
      validate_args: whether it is checked that scales are positive.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.contrib.distributions.HalfNormal([1.0, 2.0]).mean().numpy().round(4))
    [0.7979 1.5958]
    """

    def __init__(
        self,
        scale: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "HalfNormal",
    ) -> None:
        parameters = locals()
        super().__init__(
            {"scale": scale},
            lambda scale: [assert_positive(scale)],
            FULLY_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            name,
        )

    @property
    def scale(self) -> Tensor:
        """How wide it is."""
        return self._values["scale"]

    @staticmethod
    def _param_shapes(sample_shape: Tensor) -> dict[str, Tensor]:
        return {"scale": sample_shape}

    def _sample_n(self, n: Any, seed: int | None) -> Any:
        drawn = random_normal(self._shape_of_samples(n), 0.0, 1.0, self.dtype, seed)
        return abs(drawn * self.scale)

    def _log_prob(self, x: Tensor) -> Any:
        normal = 0.5 * math.log(2.0 / math.pi) - log(self.scale) - 0.5 * square(x / self.scale)
        nowhere = raw.ZerosLike(normal) - math.inf
        return where(less(x + raw.ZerosLike(normal), 0.0), nowhere, normal)

    def _cdf(self, x: Tensor) -> Any:
        return erf(raw.Relu(x) / self.scale / math.sqrt(2.0))

    def _survival_function(self, x: Tensor) -> Any:
        return erfc(raw.Relu(x) / self.scale / math.sqrt(2.0))

    def _quantile(self, p: Tensor) -> Any:
        # The quantile of (1 + p) / 2, of which nothing is lost where p is small.
        inside = self.scale * ndtri_of_parts(0.5 * p, 0.5 * (1.0 - p))
        nowhere = raw.ZerosLike(inside) + math.nan
        return where(less(p + raw.ZerosLike(inside), 0.0), nowhere, inside)

    def _entropy(self) -> Any:
        return 0.5 * math.log(math.pi / 2.0) + log(self.scale) + 0.5

    def _mean(self) -> Any:
        return self.scale * math.sqrt(2.0 / math.pi)

    def _mode(self) -> Any:
        return raw.ZerosLike(self.scale)

    def _variance(self) -> Any:
        return square(self.scale) * (1.0 - 2.0 / math.pi)
