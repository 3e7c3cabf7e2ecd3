"""`OneHotCategorical`, and its relaxed forms, whose samples have gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.distributions.distribution import (
    FULLY_REPARAMETERIZED,
    NOT_REPARAMETERIZED,
    Distribution,
)
from hybridflow._src.distributions.elementwise_bijectors import Exp, Sigmoid
from hybridflow._src.distributions.kullback_leibler import RegisterKL
from hybridflow._src.distributions.location_scale import Logistic
from hybridflow._src.distributions.logits import logits_and_probs
from hybridflow._src.distributions.supports import OfVectors
from hybridflow._src.distributions.transformed import TransformedDistribution
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.arranging import transpose
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.diagonal import matrix_set_diag
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.arrays.sequences import one_hot
from hybridflow._src.ops.math.arg_reductions import argmax, reduce_logsumexp
from hybridflow._src.ops.math.exponential import log
from hybridflow._src.ops.math.reductions import reduce_sum
from hybridflow._src.ops.math.special import lgamma
from hybridflow._src.ops.nn.softmax import log_softmax, softmax
from hybridflow._src.ops.random.sampling import multinomial, random_uniform

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "ExpRelaxedOneHotCategorical",
    "OneHotCategorical",
    "RelaxedBernoulli",
    "RelaxedOneHotCategorical",
]


class _OfClasses(OfVectors):
    """A distribution of vectors with a number for each class, by logits or probabilities."""

    _logits: Tensor
    _probs: Tensor

    @property
    def event_size(self) -> Tensor:
        """The number k of classes, an int32 tensor."""
        return raw.Shape(self._logits)[-1]

    @property
    def logits(self) -> Tensor:
        """Logarithms of probabilities, up to a constant."""
        return self._logits

    @property
    def probs(self) -> Tensor:
        """The probabilities."""
        return self._probs

    def _vectors(self) -> Tensor:
        return self._logits


class OneHotCategorical(_OfClasses):
    """The distribution of vectors that are 1 for one of k classes and 0 for all others.

    Args:
      logits: tensor `[..., k]` of logarithms of probabilities, up to a constant; or
      probs: tensor `[..., k]` of probabilities.
      dtype: of samples.
      validate_args: whether it is checked that probabilities sum to 1.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    Raises:
      ValueError: if both `logits` and `probs` are given, or none.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.OneHotCategorical(probs=[0.1, 0.2, 0.7])
    ...     print(x.prob([0, 0, 1]).numpy().round(4), x.mode().numpy())
    0.7 [0 0 1]
    """

    def __init__(
        self,
        logits: Any = None,
        probs: Any = None,
        dtype: Any = dtypes.int32,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "OneHotCategorical",
    ) -> None:
        parameters = locals()
        self._logits, self._probs = logits_and_probs(logits, probs, True, validate_args, name)
        super().__init__(
            dtype,
            NOT_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            [self._logits, self._probs],
            name,
        )

    def _sample_n(self, n: Any, seed: int | None) -> Tensor:
        rows = reshape(self._logits, raw.Pack([-1, self.event_size], axis=0))
        drawn = transpose(multinomial(rows, n, seed=seed))
        vectors = one_hot(drawn, self.event_size, dtype=self.dtype)
        return reshape(vectors, concat([reshape(n, [1]), raw.Shape(self._logits)], 0))

    def _log_prob(self, x: Tensor) -> Any:
        return reduce_sum(cast(x, self._logits.dtype.base_dtype) * log_softmax(self._logits), -1)

    def _entropy(self) -> Tensor:
        return -reduce_sum(softmax(self._logits) * log_softmax(self._logits), -1)

    def _mean(self) -> Tensor:
        return softmax(self._logits)

    def _variance(self) -> Any:
        return self._probs * (1.0 - self._probs)

    def _covariance(self) -> Tensor:
        products = raw.ExpandDims(self._probs, -1) * raw.ExpandDims(self._probs, -2)
        return matrix_set_diag(-products, self._variance())

    def _mode(self) -> Tensor:
        return one_hot(argmax(self._logits, axis=-1), self.event_size, dtype=self.dtype)


@RegisterKL(OneHotCategorical, OneHotCategorical)
def _divergence(a: OneHotCategorical, b: OneHotCategorical, name: str | None = None) -> Tensor:
    with name_scope(name, "kl_categorical_categorical", [a.logits, b.logits]):
        apart = log_softmax(a.logits) - log_softmax(b.logits)
        return reduce_sum(softmax(a.logits) * apart, -1)


def _temperature(value: Any, like: Tensor) -> Tensor:
    return convert_to_tensor(value, like.dtype.base_dtype, name="temperature")


class ExpRelaxedOneHotCategorical(_OfClasses):
    """The logarithms of vectors of the distribution `RelaxedOneHotCategorical`.

    They are the logarithms of the softmax of `(logits + g) / temperature`, where g are numbers of
    Gumbel's distribution.

    Args:
      temperature: a number, or a tensor of the batch shape: the smaller, the nearer to one class.
      logits: tensor `[..., k]` of logarithms of probabilities, up to a constant; or
      probs: tensor `[..., k]` of probabilities.
      dtype: of samples; by default that of the probabilities.
      validate_args: whether it is checked that probabilities sum to 1.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    References:
      Maddison, Mnih and Teh, "The Concrete Distribution", 2016, appendix C.3.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.ExpRelaxedOneHotCategorical(0.5, probs=[0.2, 0.8])
    ...     print(hf.reduce_sum(hf.exp(x.sample(seed=1))).numpy().round(4))
    1.0
    """

    def __init__(
        self,
        temperature: Any,
        logits: Any = None,
        probs: Any = None,
        dtype: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "ExpRelaxedOneHotCategorical",
    ) -> None:
        parameters = locals()
        self._logits, self._probs = logits_and_probs(logits, probs, True, validate_args, name)
        self._temperature = _temperature(temperature, self._logits)
        super().__init__(
            self._logits.dtype.base_dtype if dtype is None else dtype,
            FULLY_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            [self._logits, self._probs, self._temperature],
            name,
        )

    @property
    def temperature(self) -> Tensor:
        """How far samples are from one class."""
        return self._temperature

    def _wide_temperature(self) -> Tensor:
        known = self._temperature.shape.ndims == 0
        return self._temperature if known else raw.ExpandDims(self._temperature, -1)

    def _sample_n(self, n: Any, seed: int | None) -> Tensor:
        shape = concat([reshape(n, [1]), raw.Shape(self._logits)], 0)
        tiny = float(np.finfo(self.dtype.as_numpy_dtype).tiny)
        drawn = random_uniform(shape, tiny, 1.0, self.dtype, seed)
        return log_softmax((self._logits - log(-log(drawn))) / self._wide_temperature())

    def _log_prob(self, x: Tensor) -> Any:
        k = cast(self.event_size, self.dtype)
        scores = log_softmax(self._logits) - x * self._wide_temperature()
        normalization = lgamma(k) + (k - 1.0) * log(self._temperature)
        return normalization + reduce_sum(scores, -1) - k * reduce_logsumexp(scores, -1)


class RelaxedOneHotCategorical(TransformedDistribution):
    """Vectors near to those that are 1 for one of k classes, whose samples have gradients.

    They are the softmax of `(logits + g) / temperature`, where g are numbers of Gumbel's
    distribution.

    Args:
      temperature, logits, probs, dtype, validate_args, allow_nan_stats, name: as for
        `ExpRelaxedOneHotCategorical`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.RelaxedOneHotCategorical(0.5, probs=[0.2, 0.8])
    ...     print(x.sample(3, seed=1).shape, x.prob([0.5, 0.5]).numpy().round(4))
    (3, 2) 0.32
    """

    def __init__(
        self,
        temperature: Any,
        logits: Any = None,
        probs: Any = None,
        dtype: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "RelaxedOneHotCategorical",
    ) -> None:
        own = locals()
        self._logarithms = ExpRelaxedOneHotCategorical(
            temperature, logits, probs, dtype, validate_args, allow_nan_stats
        )
        exp = Exp(event_ndims=1, validate_args=validate_args)
        super().__init__(self._logarithms, exp, name=name, parameters=own)

    @property
    def temperature(self) -> Tensor:
        """How far samples are from one class."""
        return self._logarithms.temperature

    @property
    def event_size(self) -> Tensor:
        """The number k of classes, an int32 tensor."""
        return self._logarithms.event_size

    @property
    def logits(self) -> Tensor:
        """Logarithms of probabilities, up to a constant."""
        return self._logarithms.logits

    @property
    def probs(self) -> Tensor:
        """The probabilities."""
        return self._logarithms.probs


class RelaxedBernoulli(TransformedDistribution):
    """Numbers near to 0 or 1, whose samples have gradients.

    They are the sigmoid of `(logits + l) / temperature`, where l are numbers of the logistic
    distribution.

    Args:
      temperature: a number, or a tensor of the batch shape: the smaller, the nearer to 0 and 1.
      logits: tensor of `log(p / (1 - p))`, of a floating dtype; or
      probs: tensor of probabilities p of 1.
      validate_args: whether it is checked that probabilities are in [0, 1].
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.RelaxedBernoulli(1.0, probs=[0.5])
    ...     print(x.prob([0.5]).numpy())
    [1.]
    """

    def __init__(
        self,
        temperature: Any,
        logits: Any = None,
        probs: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "RelaxedBernoulli",
    ) -> None:
        own = locals()
        self._logits, self._probs = logits_and_probs(logits, probs, False, validate_args, name)
        self._temperature = _temperature(temperature, self._logits)
        base: Distribution = Logistic(
            self._logits / self._temperature,
            1.0 / self._temperature,
            validate_args,
            allow_nan_stats,
            f"{name}/Logistic",
        )
        super().__init__(base, Sigmoid(validate_args), name=name, parameters=own)

    @property
    def temperature(self) -> Tensor:
        """How far samples are from 0 and 1."""
        return self._temperature

    @property
    def logits(self) -> Tensor:
        """`log(p / (1 - p))`."""
        return self._logits

    @property
    def probs(self) -> Tensor:
        """The probabilities of 1."""
        return self._probs
