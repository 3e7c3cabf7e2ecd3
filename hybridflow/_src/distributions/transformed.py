"""`TransformedDistribution`: what a bijector makes of a distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.distributions.bijector import Bijector, Identity
from hybridflow._src.distributions.distribution import Distribution
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.ops.arrays.arranging import transpose
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.joining import concat, stack
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.math.arg_reductions import reduce_logsumexp
from hybridflow._src.ops.math.reductions import reduce_sum

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["TransformedDistribution"]

_NOT_AFFINE = "{} is not implemented for a bijector whose Jacobian is not constant."


def _given_shape(shape: Any, name: str) -> tuple[TensorShape, Any] | None:
    """A shape that replaces another one, and its tensor; None for none, which [] stands for."""
    if shape is None:
        return None
    tensor = convert_to_tensor(shape, dtypes.int32, name=name)
    known = constant_value(tensor)
    rank = tensor.shape.as_list()[0] or 0
    static = TensorShape([None] * rank if known is None else known.tolist())
    return None if static.ndims == 0 else (static, tensor)


class TransformedDistribution(Distribution):
    """The distribution of `bijector.forward(x)`, where x has a given distribution.

    Its density is that of `x = bijector.inverse(y)` times how much the inverse has volumes grow.

    Args:
      distribution: the distribution of x.
      bijector: the bijector; the identity by default.
      batch_shape: int32 vector, a batch shape for a distribution that has none.
      event_shape: int32 vector: so many independent numbers are one event of x, for a distribution
        of single numbers.
      validate_args: accepted; what is checked the distribution and the bijector say.
      name: how scopes of ops begin; by default the names of bijector and distribution.
      parameters: the arguments of a derived class, for `copy`.

    Raises:
      ValueError: if `batch_shape` or `event_shape` is given for a distribution that has one.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     distributions = hf.contrib.distributions
    ...     log_normal = distributions.TransformedDistribution(
    ...         distributions.Normal(0.0, 1.0), distributions.bijectors.Exp())
    ...     print(log_normal.prob([1.0, 2.0]).numpy().round(4))
    [0.3989 0.1569]
    """

    def __init__(
        self,
        distribution: Distribution,
        bijector: Bijector | None = None,
        batch_shape: Any = None,
        event_shape: Any = None,
        validate_args: bool = False,
        name: str | None = None,
        parameters: dict[str, Any] | None = None,
    ) -> None:
        own = locals() if parameters is None else parameters
        self._base = distribution
        self._bijector = Identity(validate_args=validate_args) if bijector is None else bijector
        self._given_batch = _given_shape(batch_shape, "batch_shape")
        self._given_event = _given_shape(event_shape, "event_shape")
        for given, known, what in (
            (self._given_batch, distribution.batch_shape, "batch"),
            (self._given_event, distribution.event_shape, "event"),
        ):
            if given is not None and known.ndims not in (None, 0):
                raise ValueError(f"Base distribution is not scalar: its {what} shape is {known}.")
        tensors = [g[1] for g in (self._given_batch, self._given_event) if g is not None]
        super().__init__(
            distribution.dtype,
            distribution.reparameterization_type,
            validate_args,
            distribution.allow_nan_stats,
            own,
            [*distribution._graph_parents, *self._bijector.graph_parents, *tensors],
            name or f"{self._bijector.name}{distribution.name}",
        )

    @property
    def distribution(self) -> Distribution:
        """The distribution of the bijector's argument."""
        return self._base

    @property
    def bijector(self) -> Bijector:
        """The bijector."""
        return self._bijector

    # -- shapes ------------------------------------------------------------------------------------

    def _batch_shape(self) -> TensorShape:
        return self._base.batch_shape if self._given_batch is None else self._given_batch[0]

    def _batch_shape_tensor(self) -> Tensor:
        given = self._given_batch
        return self._base.batch_shape_tensor() if given is None else given[1]

    def _event_shape(self) -> TensorShape:
        given = self._given_event
        return self._bijector.forward_event_shape(
            self._base.event_shape if given is None else given[0]
        )

    def _event_shape_tensor(self) -> Tensor:
        given = self._given_event
        return self._bijector.forward_event_shape_tensor(
            self._base.event_shape_tensor() if given is None else given[1]
        )

    def _event_ndims(self) -> int | None:
        """How many dimensions an event has, where the bijector does not know it itself."""
        if self._bijector.forward_min_event_ndims is None:
            return None
        return self.event_shape.ndims

    def _rotated(self) -> int:
        """How many dimensions of an event are drawn in front of the batch, as samples of its own.

        A distribution of a batch knows nothing of events that are given to it.
        """
        if self._given_event is None or self._given_batch is not None:
            return 0
        return 0 if self._base.batch_shape.ndims == 0 else self._given_event[0].ndims or 0

    # -- what it gives -----------------------------------------------------------------------------

    def _sample_n(self, n: Any, seed: int | None) -> Tensor:
        rotated = self._rotated()
        one = reshape(n, [1])
        batch = [] if self._given_batch is None else [self._given_batch[1]]
        event = [] if self._given_event is None else [self._given_event[1]]
        sizes = [*event, one] if rotated else [one, *batch, *event]
        x = self._base.sample(concat(sizes, 0), seed=seed)
        return self._bijector.forward(_moved(x, rotated, to_end=True))

    def _log_prob(self, y: Tensor) -> Any:
        x: Any = self._bijector.inverse(y)
        change: Any = self._bijector.inverse_log_det_jacobian(y, event_ndims=self._event_ndims())
        if self._bijector.is_injective:
            return self._log_prob_at(x, change)
        each = [self._log_prob_at(*pair) for pair in zip(x, change, strict=True)]
        return reduce_logsumexp(stack(each), 0)

    def _log_prob_at(self, x: Tensor, change: Any) -> Any:
        rotated = self._rotated()
        found: Any = self._base.log_prob(_moved(x, rotated, to_end=False))
        if self._given_event is not None:
            ndims = self._given_event[0].ndims or 0
            found = reduce_sum(found, list(range(ndims) if rotated else range(-ndims, 0)))
        return found + change

    def _of_argument(self, method: str, y: Tensor) -> Tensor:
        if self._given_event is not None:
            raise NotImplementedError(f"{method} is not implemented when overriding event_shape.")
        if not self._bijector.is_injective:
            raise NotImplementedError(
                f"{method} is not implemented when bijector is not injective."
            )
        return getattr(self._base, method)(self._bijector.inverse(y))

    def _cdf(self, y: Tensor) -> Tensor:
        return self._of_argument("cdf", y)

    def _log_cdf(self, y: Tensor) -> Tensor:
        return self._of_argument("log_cdf", y)

    def _survival_function(self, y: Tensor) -> Tensor:
        return self._of_argument("survival_function", y)

    def _log_survival_function(self, y: Tensor) -> Tensor:
        return self._of_argument("log_survival_function", y)

    def _quantile(self, p: Tensor) -> Tensor:
        if self._given_event is not None:
            raise NotImplementedError("quantile is not implemented when overriding event_shape.")
        if not self._bijector.is_injective:
            raise NotImplementedError("quantile is not implemented when bijector is not injective.")
        return self._bijector.forward(self._base.quantile(p))

    def _wide(self, x: Any, event: bool) -> Any:
        """A quantity of the base distribution, for the batch and events that are given."""
        if self._given_event is not None and event:
            ndims = self._given_event[0].ndims or 0
            sizes = concat([raw.Shape(x), raw.OnesLike(self._given_event[1])], 0)
            x = reshape(x, sizes) if ndims else x
        parts = [] if self._given_batch is None else [self._given_batch[1]]
        if event and self._given_event is not None:
            if not parts:
                parts.append(self._base.batch_shape_tensor())
            parts.append(self._given_event[1])
        if not parts:
            return x
        return x + raw.Fill(concat(parts, 0), convert_to_tensor(0, x.dtype.base_dtype))

    def _mean(self) -> Tensor:
        if not (self._bijector.is_constant_jacobian and self._bijector.is_injective):
            raise NotImplementedError(_NOT_AFFINE.format("mean"))
        return self._bijector.forward(self._wide(self._base.mean(), True))

    def _entropy(self) -> Any:
        if not (self._bijector.is_constant_jacobian and self._bijector.is_injective):
            raise NotImplementedError(_NOT_AFFINE.format("entropy"))
        entropy: Any = self._wide(self._base.entropy(), False)
        if self._given_event is not None:
            entropy = entropy * cast(raw.Prod(self._given_event[1], 0), entropy.dtype.base_dtype)
        shape = concat([self.batch_shape_tensor(), self.event_shape_tensor()], 0)
        zeros = raw.Fill(shape, convert_to_tensor(0, self.dtype))
        return entropy - self._bijector.inverse_log_det_jacobian(
            zeros, event_ndims=self._event_ndims()
        )


def _moved(x: Tensor, ndims: int, to_end: bool) -> Tensor:
    """So many dimensions moved from the front to the end, or back."""
    if not ndims:
        return x
    rank = x.shape.ndims
    if rank is None:
        raise ValueError(
            "An event shape for a batch of distributions needs samples of a known rank."
        )
    first = ndims if to_end else rank - ndims
    return transpose(x, [*range(first, rank), *range(first)])
