"""From the losses of elements to one: `Reduction` and `compute_weighted_loss`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.graph_keys import GraphKeys
from hybridflow._src.framework.scopes import control_dependencies, name_scope
from hybridflow._src.losses.collecting import add_loss
from hybridflow._src.ops.arrays.casting import cast, to_float
from hybridflow._src.ops.arrays.constant import ones_like, zeros_like
from hybridflow._src.ops.arrays.selecting import where
from hybridflow._src.ops.arrays.sequences import range
from hybridflow._src.ops.arrays.shape_ops import rank
from hybridflow._src.ops.checks.weights import assert_broadcastable, broadcast_weights
from hybridflow._src.ops.math.comparison import equal, greater
from hybridflow._src.ops.math.division import div
from hybridflow._src.ops.math.elementwise import multiply
from hybridflow._src.ops.math.reductions import reduce_sum

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Reduction", "compute_weighted_loss"]


class Reduction:
    """How the weighted losses of elements become the result.

    `NONE`: they stay as they are. `SUM`: their sum. `MEAN`: their sum divided by the sum of the
    weights. `SUM_BY_NONZERO_WEIGHTS`: their sum divided by the number of weights that are not zero.
    """

    NONE = "none"
    SUM = "weighted_sum"
    MEAN = "weighted_mean"
    SUM_BY_NONZERO_WEIGHTS = "weighted_sum_by_nonzero_weights"

    @classmethod
    def all(cls) -> tuple[str, ...]:
        """All reductions."""
        return cls.NONE, cls.SUM, cls.MEAN, cls.SUM_BY_NONZERO_WEIGHTS

    @classmethod
    def validate(cls, key: Any) -> None:
        """Raises ValueError unless `key` is a reduction."""
        if key not in cls.all():
            raise ValueError(f"Invalid ReductionKey {key}. There are {', '.join(cls.all())}.")


def safe_div(numerator: Tensor, denominator: Tensor, name: str = "value") -> Tensor:
    """The quotient, 0 where the denominator is 0; so is its gradient there, never NaN."""
    return where(
        greater(denominator, 0),
        div(numerator, where(equal(denominator, 0), ones_like(denominator), denominator)),
        zeros_like(numerator),
        name=name,
    )


def num_present(losses: Tensor, weights: Any, per_batch: bool = False) -> Tensor:
    """The number of elements whose weight is not zero; for each example if `per_batch`."""
    with name_scope(None, "num_present", (losses, weights)) as scope:
        weights = to_float(weights)
        present = where(equal(weights, 0.0), zeros_like(weights), ones_like(weights))
        present = broadcast_weights(present, losses)
        if per_batch:
            axes = range(1, rank(present))
            return reduce_sum(present, axis=axes, keep_dims=True, name=scope)
        return reduce_sum(present, name=scope)


def compute_weighted_loss(
    losses: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """The losses of elements, weighted and reduced.

    Gradients flow to the weights too; `hf.stop_gradient` keeps them away.

    Args:
      losses: tensor `[batch, d1, ...]`.
      weights: a scalar, or a tensor of the same rank whose sizes are 1 or those of `losses`.
      scope: name of the name scope.
      loss_collection: collection that the result joins; not in eager mode.
      reduction: a `Reduction`.

    Returns: a tensor of the dtype of `losses`: a scalar, with `Reduction.NONE` of their shape.

    Raises:
      ValueError: if the shapes of `weights` and `losses` are known not to fit, or for another
        reduction. InvalidArgumentError: when it runs.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     loss = hf.losses.compute_weighted_loss([1.0, 2.0, 3.0], [1.0, 0.0, 3.0])
    ...     print(loss.numpy())
    5.0

    The sum is made in float32, as in TF.
    """
    Reduction.validate(reduction)
    with (
        name_scope(scope, "weighted_loss", (losses, weights)),
        control_dependencies([assert_broadcastable(weights, losses)]),
    ):
        losses = convert_to_tensor(losses)
        dtype = losses.dtype
        losses = to_float(losses)
        weights = to_float(weights)
        loss = multiply(losses, weights)
        if reduction != Reduction.NONE:
            loss = reduce_sum(loss)
            if reduction == Reduction.MEAN:
                loss = _mean(loss, reduce_sum(ones_like(losses) * weights))
            elif reduction == Reduction.SUM_BY_NONZERO_WEIGHTS:
                loss = _mean(loss, num_present(losses, weights))
        loss = cast(loss, dtype)
        add_loss(loss, loss_collection)
        return loss


def _mean(total: Tensor, count: Tensor) -> Tensor:
    return safe_div(reduce_sum(total), count)
