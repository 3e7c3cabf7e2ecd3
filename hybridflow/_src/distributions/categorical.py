"""`Categorical`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.distributions.distribution import NOT_REPARAMETERIZED, Distribution
from hybridflow._src.distributions.kullback_leibler import RegisterKL
from hybridflow._src.distributions.logits import logits_and_probs
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.ops.arrays.arranging import transpose
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.math.arg_reductions import argmax
from hybridflow._src.ops.math.reductions import reduce_sum
from hybridflow._src.ops.nn.losses import sparse_softmax_cross_entropy_with_logits
from hybridflow._src.ops.nn.softmax import log_softmax, softmax
from hybridflow._src.ops.random.sampling import multinomial

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Categorical"]


class Categorical(Distribution):
    """The distribution of the numbers 0 ... k - 1, each with a probability of its own.

    `cdf(j)` is the probability of less than j, as in TensorFlow 1.x, unlike that of other
    distributions: `cdf(j + 1)` is that of at most j.

    Args:
      logits: tensor `[..., k]` of logarithms of probabilities, up to a constant; or
      probs: tensor `[..., k]` of probabilities.
      dtype: of samples.
      validate_args: whether it is checked that probabilities sum to 1.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    Raises:
      ValueError: if both `logits` and `probs` are given, or none; or a number alone.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.distributions.Categorical(probs=[0.1, 0.2, 0.7])
    ...     print(x.prob([0, 2]).numpy().round(4), x.mode().numpy())
    [0.1 0.7] 2
    """

    def __init__(
        self,
        logits: Any = None,
        probs: Any = None,
        dtype: Any = dtypes.int32,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Categorical",
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

    def _batch_shape(self) -> TensorShape:
        return self._logits.shape[:-1]

    def _batch_shape_tensor(self) -> Tensor:
        return raw.Shape(self._logits)[:-1]

    def _event_shape(self) -> TensorShape:
        return TensorShape([])

    def _event_shape_tensor(self) -> Tensor:
        return convert_to_tensor([], dtypes.int32)

    def _sample_n(self, n: Any, seed: int | None) -> Tensor:
        rows = reshape(self._logits, raw.Pack([-1, self.event_size], axis=0))
        drawn = transpose(cast(multinomial(rows, n, seed=seed), self.dtype))
        return reshape(drawn, concat([reshape(n, [1]), self.batch_shape_tensor()], 0))

    def _log_prob(self, k: Tensor) -> Tensor:
        k = cast(k, dtypes.int32)
        # Shapes are broadcast, which the loss does not do.
        zeros = raw.ZerosLike(self._logits[..., 0])
        labels = k + cast(zeros, dtypes.int32)
        logits = self._logits + cast(raw.ExpandDims(raw.ZerosLike(labels), -1), zeros.dtype)
        return -sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)

    def _cdf(self, k: Tensor) -> Tensor:
        # Of less than k, as TensorFlow gives it.
        classes = raw.Range(0, self.event_size, 1)
        below = raw.Less(classes, raw.ExpandDims(cast(k, dtypes.int32), -1))
        return reduce_sum(self._probs * cast(below, self._probs.dtype.base_dtype), -1)

    def _entropy(self) -> Tensor:
        return -reduce_sum(softmax(self._logits) * log_softmax(self._logits), -1)

    def _mode(self) -> Tensor:
        return cast(argmax(self._logits, axis=-1), self.dtype)


@RegisterKL(Categorical, Categorical)
def _divergence(a: Categorical, b: Categorical, name: str | None = None) -> Tensor:
    with name_scope(name, "kl_categorical_categorical", [a.logits, b.logits]):
        apart = log_softmax(a.logits) - log_softmax(b.logits)
        return reduce_sum(softmax(a.logits) * apart, -1)
