"""`sequence_loss`: cross entropy of sequences, with weights for each step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import ShapeError
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.arrays.shape_ops import shape
from hybridflow._src.ops.math.reductions import reduce_sum
from hybridflow._src.ops.nn.losses import sparse_softmax_cross_entropy_with_logits

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["sequence_loss"]

# Added to sums of weights, so that none of them is 0.
_LEAST = 1e-12


def sequence_loss(
    logits: Any,
    targets: Any,
    weights: Any,
    average_across_timesteps: bool = True,
    average_across_batch: bool = True,
    softmax_loss_function: Callable[..., Any] | None = None,
    name: str | None = None,
) -> Tensor:
    """The weighted cross entropy of sequences of classes.

    Args:
      logits: tensor `[batch, time, classes]`.
      targets: integer tensor `[batch, time]`, the classes.
      weights: float tensor `[batch, time]`; 0 where a sequence has ended.
      average_across_timesteps: whether the sum over time is divided by that of the weights.
      average_across_batch: the same for the batch.
      softmax_loss_function: function of `labels` `[n]` and `logits` `[n, classes]` that gives
        losses `[n]`; the sparse softmax cross entropy by default.
      name: name scope of the ops.

    Returns: a scalar; `[batch]` without an average across the batch, `[time]` without one across
      time, `[batch, time]` with neither.

    Raises:
      ValueError: for tensors of other ranks.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     loss = hf.contrib.seq2seq.sequence_loss(
    ...         hf.zeros([2, 3, 4]), hf.zeros([2, 3], hf.int32), hf.ones([2, 3]))
    ...     print(f"{float(loss):.4f}")
    1.3863
    """
    values = [convert_to_tensor(x) for x in (logits, targets, weights)]
    expected = ("Logits", 3), ("Targets", 2), ("Weights", 2)
    for value, (what, rank) in zip(values, expected, strict=True):
        if value.shape.ndims != rank:
            axes = "batch_size x sequence_length" + (" x logits" if rank == 3 else "")
            raise ShapeError(f"{what} must be a [{axes}] tensor, got shape {value.shape}.")
    scores, labels, factors = values
    with name_scope(name, "sequence_loss", values):
        flat = reshape(scores, [-1, shape(scores)[2]])
        function = softmax_loss_function or sparse_softmax_cross_entropy_with_logits
        losses = function(labels=reshape(labels, [-1]), logits=flat) * reshape(factors, [-1])
        if average_across_timesteps and average_across_batch:
            return reduce_sum(losses) / (reduce_sum(factors) + _LEAST)
        losses = reshape(losses, shape(labels))
        if not average_across_timesteps and not average_across_batch:
            return losses
        axis = [1] if average_across_timesteps else [0]
        return reduce_sum(losses, axis=axis) / (reduce_sum(factors, axis=axis) + _LEAST)
