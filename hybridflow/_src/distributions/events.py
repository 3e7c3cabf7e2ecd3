"""`Poisson`, `Geometric`, `Binomial` and `NegativeBinomial`: how many events there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.distributions.distribution import NOT_REPARAMETERIZED, Distribution
from hybridflow._src.distributions.logits import logits_and_probs
from hybridflow._src.distributions.supports import after, check_counts, floats, other_seed
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.arrays.selecting import where
from hybridflow._src.ops.arrays.shape_ops import broadcast_dynamic_shape, broadcast_static_shape
from hybridflow._src.ops.checks.comparing import assert_positive
from hybridflow._src.ops.math.comparison import greater, greater_equal, less
from hybridflow._src.ops.math.exponential import exp, expm1, log, log1p, sigmoid
from hybridflow._src.ops.math.incomplete import betainc, igammac
from hybridflow._src.ops.math.special import lgamma
from hybridflow._src.ops.nn.activations import softplus
from hybridflow._src.ops.random.parametric import random_gamma, random_poisson
from hybridflow._src.ops.random.sampling import random_uniform

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Binomial", "Geometric", "NegativeBinomial", "Poisson"]


class _OfEvents(Distribution):
    """A distribution of one number of events, of a floating dtype, for parameters that fit."""

    def _parameters_of_batch(self) -> list[Tensor]:
        raise NotImplementedError

    def _batch_shape(self) -> TensorShape:
        shapes = [tensor.shape for tensor in self._parameters_of_batch()]
        shape = shapes[0]
        for other in shapes[1:]:
            shape = broadcast_static_shape(shape, other)
        return shape

    def _batch_shape_tensor(self) -> Tensor:
        shapes = [raw.Shape(tensor) for tensor in self._parameters_of_batch()]
        shape: Any = shapes[0]
        for other in shapes[1:]:
            shape = broadcast_dynamic_shape(shape, other)
        return shape

    def _event_shape(self) -> TensorShape:
        return TensorShape([])

    def _event_shape_tensor(self) -> Tensor:
        return convert_to_tensor([], dtypes.int32)

    def _whole(self, counts: Tensor) -> Tensor:
        """Numbers of events, checked if arguments are."""
        return after(check_counts(counts), counts) if self.validate_args else counts

    def _floor(self, x: Tensor) -> tuple[Any, Any]:
        """The number of whole events up to x, at least 0, and where x is below 0."""
        x = self._whole(x) + raw.Fill(self.batch_shape_tensor(), convert_to_tensor(0, self.dtype))
        return raw.Maximum(raw.Floor(x), convert_to_tensor(0, self.dtype)), less(x, 0.0)


class _OfTrials(_OfEvents):
    """How many of some trials have an outcome, by its probability."""

    _logits: Tensor
    _probs: Tensor

    @property
    def logits(self) -> Tensor:
        """`log(p / (1 - p))`."""
        return self._logits

    @property
    def probs(self) -> Tensor:
        """The probabilities p."""
        return self._probs


class Poisson(_OfEvents):
    """How many events there are where they come at a rate, independently of each other.

    Its probabilities are `rate^k exp(-rate) / k!`.

    Args:
      rate: tensor of positive numbers, of a floating dtype; or
      log_rate: tensor of their logarithms.
      validate_args: whether it is checked that rates are positive, and counts are whole.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    Raises:
      ValueError: if both `rate` and `log_rate` are given, or none. TypeError: if it is not of a
        floating dtype.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.Poisson(2.0)
    ...     print(x.prob([0.0, 2.0]).numpy().round(4), x.cdf(2.0).numpy().round(4))
    [0.1353 0.2707] 0.6767
    """

    def __init__(
        self,
        rate: Any = None,
        log_rate: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Poisson",
    ) -> None:
        parameters = locals()
        if (rate is None) == (log_rate is None):
            raise ValueError("Must specify exactly one of `rate` and `log_rate`.")
        with name_scope(name, values=[rate, log_rate]):
            given = rate if log_rate is None else log_rate
            tensor = floats(given, None)
            if not tensor.dtype.is_floating:
                raise TypeError(f"[log_]rate.dtype ({tensor.dtype.name}) is a not a float-type.")
            if log_rate is None:
                self._rate = tensor
                if validate_args:
                    self._rate = after([assert_positive(tensor)], tensor)
                self._log_rate = log(self._rate)
            else:
                self._log_rate, self._rate = tensor, exp(tensor)
        super().__init__(
            tensor.dtype.base_dtype,
            NOT_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            [self._rate],
            name,
        )

    @property
    def rate(self) -> Tensor:
        """How many events there are in the mean."""
        return self._rate

    @property
    def log_rate(self) -> Tensor:
        """The logarithm of the rate."""
        return self._log_rate

    def _parameters_of_batch(self) -> list[Tensor]:
        return [self._rate]

    def _sample_n(self, n: Any, seed: int | None) -> Tensor:
        return random_poisson(self._rate, reshape(n, [1]), self.dtype, seed)

    def _log_prob(self, x: Tensor) -> Any:
        x = self._whole(x)
        return x * self._log_rate - lgamma(1.0 + x) - self._rate

    def _cdf(self, x: Tensor) -> Any:
        count, below = self._floor(x)
        at_most = igammac(1.0 + count, self._rate + raw.ZerosLike(count))
        return where(below, raw.ZerosLike(at_most), at_most)

    def _mean(self) -> Tensor:
        return raw.Identity(self._rate)

    def _variance(self) -> Tensor:
        return raw.Identity(self._rate)

    def _mode(self) -> Tensor:
        return raw.Floor(self._rate)


class Geometric(_OfTrials):
    """How many trials fail before the first that succeeds.

    Args:
      logits: tensor of `log(p / (1 - p))`, of a floating dtype; or
      probs: tensor of probabilities p to succeed.
      validate_args: whether it is checked that these are probabilities, and counts are whole.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    Raises:
      ValueError: if both `logits` and `probs` are given, or none.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.contrib.distributions.Geometric(probs=0.5).prob([0.0, 1.0, 2.0]).numpy())
    [0.5   0.25  0.125]
    """

    def __init__(
        self,
        logits: Any = None,
        probs: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Geometric",
    ) -> None:
        parameters = locals()
        self._logits, self._probs = logits_and_probs(logits, probs, False, validate_args, name)
        super().__init__(
            self._probs.dtype.base_dtype,
            NOT_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            [self._logits, self._probs],
            name,
        )

    def _parameters_of_batch(self) -> list[Tensor]:
        return [self._probs]

    def _sample_n(self, n: Any, seed: int | None) -> Tensor:
        shape = concat([reshape(n, [1]), raw.Shape(self._probs)], 0)
        tiny = float(np.finfo(self.dtype.as_numpy_dtype).tiny)
        drawn = random_uniform(shape, tiny, 1.0, self.dtype, seed)
        return raw.Floor(log(drawn) / log1p(-self._probs))

    def _log_prob(self, x: Tensor) -> Any:
        # log(1 - p) and log(p), by logits; whole trials count, as in the cdf.
        return -raw.Floor(self._whole(x)) * softplus(self._logits) - softplus(-self._logits)

    def _cdf(self, x: Tensor) -> Any:
        count, below = self._floor(x)
        at_most = -expm1((1.0 + count) * log1p(-self._probs))
        return where(below, raw.ZerosLike(at_most), at_most)

    def _entropy(self) -> Any:
        return (
            softplus(-self._logits) * self._probs + softplus(self._logits) * (1.0 - self._probs)
        ) / self._probs

    def _mean(self) -> Any:
        return exp(-self._logits)

    def _variance(self) -> Any:
        return self._mean() / self._probs

    def _mode(self) -> Tensor:
        return raw.ZerosLike(self._probs)


class Binomial(_OfTrials):
    """How many of so many independent trials succeed.

    `cdf(x)` lies between its values for whole numbers where x lies between these, as in TensorFlow
    1.x; below 0 it is 0, and 1 from the number of trials on, where TensorFlow gives NaN.

    Args:
      total_count: tensor of numbers of trials, of the floating dtype of the probabilities.
      logits: tensor of `log(p / (1 - p))`, of a floating dtype; or
      probs: tensor of probabilities p to succeed.
      validate_args: whether it is checked that these are probabilities and whole counts.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    Raises:
      ValueError: if both `logits` and `probs` are given, or none.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.Binomial(2.0, probs=0.5)
    ...     print(x.prob([0.0, 1.0, 2.0]).numpy().round(4), x.mean().numpy())
    [0.25 0.5  0.25] 1.0
    """

    def __init__(
        self,
        total_count: Any,
        logits: Any = None,
        probs: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Binomial",
    ) -> None:
        parameters = locals()
        self._logits, self._probs = logits_and_probs(logits, probs, False, validate_args, name)
        dtype = self._probs.dtype.base_dtype
        with name_scope(name, values=[total_count]):
            total = convert_to_tensor(total_count, dtype, name="total_count")
            self._total_count = after(check_counts(total), total) if validate_args else total
        super().__init__(
            dtype,
            NOT_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            [self._total_count, self._logits, self._probs],
            name,
        )

    @property
    def total_count(self) -> Tensor:
        """The numbers of trials."""
        return self._total_count

    def _parameters_of_batch(self) -> list[Tensor]:
        return [self._total_count, self._probs]

    def _log_prob(self, counts: Tensor) -> Any:
        counts = self._whole(counts)
        rest = self._total_count - counts
        each = -counts * softplus(-self._logits) - rest * softplus(self._logits)
        orders = lgamma(1.0 + self._total_count) - lgamma(1.0 + counts) - lgamma(1.0 + rest)
        return each + orders

    def _cdf(self, x: Tensor) -> Any:
        x = self._whole(x) + raw.Fill(self.batch_shape_tensor(), convert_to_tensor(0, self.dtype))
        rest, failure = self._total_count - x, 1.0 - self._probs + raw.ZerosLike(x)
        inside = raw.LogicalAnd(greater_equal(x, 0.0), greater(rest, 0.0))
        # What is computed outside must be finite, or its gradient were NaN.
        ones = raw.OnesLike(x)
        at_most = betainc(where(inside, rest, ones), where(inside, 1.0 + x, ones), failure)
        outside = where(less(x, 0.0), raw.ZerosLike(x), where(raw.IsNan(x), x, ones))
        return where(inside, at_most, outside)

    def _mean(self) -> Any:
        return self._total_count * self._probs

    def _variance(self) -> Any:
        return self._mean() * (1.0 - self._probs)

    def _mode(self) -> Any:
        return raw.Floor((1.0 + self._total_count) * self._probs)


class NegativeBinomial(_OfTrials):
    """How many trials succeed before so many have failed.

    Args:
      total_count: tensor of positive numbers of failures, of the floating dtype of the
        probabilities; they need not be whole.
      logits: tensor of `log(p / (1 - p))`, of a floating dtype; or
      probs: tensor of probabilities p to succeed.
      validate_args: whether it is checked that these are probabilities and numbers of failures.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    Raises:
      ValueError: if both `logits` and `probs` are given, or none.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.NegativeBinomial(1.0, probs=0.5)
    ...     print(x.prob([0.0, 1.0]).numpy().round(4), x.mean().numpy())
    [0.5  0.25] 1.0
    """

    def __init__(
        self,
        total_count: Any,
        logits: Any = None,
        probs: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "NegativeBinomial",
    ) -> None:
        parameters = locals()
        self._logits, self._probs = logits_and_probs(logits, probs, False, validate_args, name)
        dtype = self._probs.dtype.base_dtype
        with name_scope(name, values=[total_count]):
            total = convert_to_tensor(total_count, dtype, name="total_count")
            self._total_count = after([assert_positive(total)], total) if validate_args else total
        super().__init__(
            dtype,
            NOT_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            [self._total_count, self._logits, self._probs],
            name,
        )

    @property
    def total_count(self) -> Tensor:
        """The numbers of failures."""
        return self._total_count

    def _parameters_of_batch(self) -> list[Tensor]:
        return [self._total_count, self._probs]

    def _sample_n(self, n: Any, seed: int | None) -> Tensor:
        # Events come at a rate that has a gamma distribution.
        inverse_odds = exp(-self._logits)
        rate = random_gamma(reshape(n, [1]), self._total_count, inverse_odds, self.dtype, seed)
        return random_poisson(rate, [], self.dtype, other_seed(seed, "negative_binom"))

    def _log_prob(self, x: Tensor) -> Any:
        x = self._whole(x)
        each = -self._total_count * softplus(self._logits) - x * softplus(-self._logits)
        orders = lgamma(self._total_count + x) - lgamma(1.0 + x) - lgamma(self._total_count)
        return each + orders

    def _cdf(self, x: Tensor) -> Any:
        count, below = self._floor(x)
        zeros = raw.ZerosLike(count)
        fails = sigmoid(-self._logits) + zeros
        at_most = betainc(self._total_count + zeros, 1.0 + count, fails)
        return where(below, zeros, at_most)

    def _mean(self) -> Any:
        return self._total_count * exp(self._logits)

    def _variance(self) -> Any:
        return self._mean() / sigmoid(-self._logits)

    def _mode(self) -> Any:
        mode = raw.Floor((self._total_count - 1.0) * exp(self._logits))
        return raw.Maximum(mode, convert_to_tensor(0, self.dtype))
