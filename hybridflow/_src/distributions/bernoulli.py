"""`Bernoulli`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.distributions.distribution import NOT_REPARAMETERIZED, Distribution
from hybridflow._src.distributions.kullback_leibler import RegisterKL
from hybridflow._src.distributions.logits import logits_and_probs
from hybridflow._src.distributions.supports import after, check_outcomes
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.math.comparison import greater, less
from hybridflow._src.ops.nn.activations import softplus
from hybridflow._src.ops.nn.losses import sigmoid_cross_entropy_with_logits
from hybridflow._src.ops.random.sampling import random_uniform

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Bernoulli"]


class Bernoulli(Distribution):
    """The distribution of an event that happens (1) or not (0).

    Args:
      logits: tensor of `log(p / (1 - p))`, of a floating dtype; or
      probs: tensor of probabilities p of 1.
      dtype: of samples.
      validate_args: whether it is checked that probabilities are in [0, 1].
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    Raises:
      ValueError: if both `logits` and `probs` are given, or none.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.distributions.Bernoulli(probs=[0.25, 0.5]).prob([1, 1]).numpy().round(4))
    [0.25 0.5 ]
    """

    def __init__(
        self,
        logits: Any = None,
        probs: Any = None,
        dtype: Any = dtypes.int32,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Bernoulli",
    ) -> None:
        parameters = locals()
        self._logits, self._probs = logits_and_probs(logits, probs, False, validate_args, name)
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
    def logits(self) -> Tensor:
        """`log(p / (1 - p))`."""
        return self._logits

    @property
    def probs(self) -> Tensor:
        """The probabilities of 1."""
        return self._probs

    @staticmethod
    def _param_shapes(sample_shape: Tensor) -> dict[str, Tensor]:
        return {"logits": sample_shape}

    def _batch_shape(self) -> TensorShape:
        return self._logits.shape

    def _batch_shape_tensor(self) -> Tensor:
        return raw.Shape(self._logits)

    def _event_shape(self) -> TensorShape:
        return TensorShape([])

    def _event_shape_tensor(self) -> Tensor:
        return convert_to_tensor([], dtypes.int32)

    def _sample_n(self, n: Any, seed: int | None) -> Tensor:
        shape = concat([reshape(n, [1]), self.batch_shape_tensor()], 0)
        drawn = random_uniform(shape, 0.0, 1.0, self._probs.dtype.base_dtype, seed)
        return cast(less(drawn, self._probs), self.dtype)

    def _log_prob(self, event: Tensor) -> Tensor:
        if self.validate_args and not event.dtype.is_bool:
            event = after(check_outcomes(event), event)
        event = cast(event, self._logits.dtype.base_dtype)
        # Shapes are broadcast, which the loss does not do.
        logits, event = self._logits + raw.ZerosLike(event), event + raw.ZerosLike(self._logits)
        return -sigmoid_cross_entropy_with_logits(labels=event, logits=logits)

    def _entropy(self) -> Tensor:
        return (1.0 - self._probs) * self._logits + softplus(-self._logits)

    def _mean(self) -> Tensor:
        return self._probs

    def _variance(self) -> Tensor:
        return self._probs * (1.0 - self._probs)

    def _mode(self) -> Tensor:
        return cast(greater(self._probs, 0.5), self.dtype)


@RegisterKL(Bernoulli, Bernoulli)
def _divergence(a: Bernoulli, b: Bernoulli, name: str | None = None) -> Tensor:
    with name_scope(name, "kl_bernoulli_bernoulli", [a.logits, b.logits]):
        apart = softplus(-b.logits) - softplus(-a.logits)
        return a.probs * apart + (1.0 - a.probs) * (softplus(b.logits) - softplus(a.logits))
