"""Losses of lists of outputs, and models for inputs of several lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.arrays.shape_ops import shape
from hybridflow._src.ops.math.reductions import reduce_sum
from hybridflow._src.ops.math.summing import add_n
from hybridflow._src.ops.nn.losses import sparse_softmax_cross_entropy_with_logits
from hybridflow._src.variables.scope import variable_scope
from hybridflow._src.variables.scope_state import get_variable_scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["model_with_buckets", "sequence_loss", "sequence_loss_by_example"]

# Added to sums of weights, so that none of them is 0.
_LEAST = 1e-12


def sequence_loss_by_example(
    logits: list[Any],
    targets: list[Any],
    weights: list[Any],
    average_across_timesteps: bool = True,
    softmax_loss_function: Callable[..., Any] | None = None,
    name: str | None = None,
) -> Tensor:
    """The weighted cross entropy of each sequence.

    Args:
      logits: list of tensors `[batch, classes]`, one for each time.
      targets: list of integer vectors `[batch]`.
      weights: list of float vectors `[batch]`.
      average_across_timesteps: whether the sum is divided by that of the weights.
      softmax_loss_function: function of `labels` and `logits` that gives losses `[batch]`; the
        sparse softmax cross entropy by default.
      name: name scope of the ops.

    Returns: a vector `[batch]`.

    Raises:
      ValueError: if the lists differ in length.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.contrib.legacy_seq2seq.sequence_loss_by_example(
    ...         [hf.zeros([2, 4])] * 3, [hf.constant([0, 1])] * 3, [hf.ones([2])] * 3).numpy())
    [1.3862944 1.3862944]
    """
    if not len(logits) == len(targets) == len(weights):
        raise ValueError(
            f"Lengths of logits, weights, and targets must be the same {len(logits)}, "
            f"{len(weights)}, {len(targets)}."
        )
    with name_scope(name, "sequence_loss_by_example", [*logits, *targets, *weights]):
        losses = []
        for logit, target, weight in zip(logits, targets, weights, strict=True):
            if softmax_loss_function is None:
                loss = sparse_softmax_cross_entropy_with_logits(
                    labels=reshape(target, [-1]), logits=logit
                )
            else:
                loss = softmax_loss_function(labels=target, logits=logit)
            losses.append(loss * weight)
        total = add_n(losses)
        return total / (add_n(weights) + _LEAST) if average_across_timesteps else total


def sequence_loss(
    logits: list[Any],
    targets: list[Any],
    weights: list[Any],
    average_across_timesteps: bool = True,
    average_across_batch: bool = True,
    softmax_loss_function: Callable[..., Any] | None = None,
    name: str | None = None,
) -> Tensor:
    """The sum of `sequence_loss_by_example`, or its mean.

    Args: as for `sequence_loss_by_example`.
      average_across_batch: whether the sum is divided by the number of sequences.

    Returns: a scalar.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     loss = hf.contrib.legacy_seq2seq.sequence_loss(
    ...         [hf.zeros([2, 4])] * 3, [hf.constant([0, 1])] * 3, [hf.ones([2])] * 3)
    ...     print(f"{float(loss):.4f}")
    1.3863
    """
    with name_scope(name, "sequence_loss", [*logits, *targets, *weights]):
        cost = reduce_sum(
            sequence_loss_by_example(
                logits, targets, weights, average_across_timesteps, softmax_loss_function
            )
        )
        if not average_across_batch:
            return cost
        return cost / cast(shape(targets[0])[0], cost.dtype)


def model_with_buckets(
    encoder_inputs: list[Any],
    decoder_inputs: list[Any],
    targets: list[Any],
    weights: list[Any],
    buckets: list[tuple[int, int]],
    seq2seq: Callable[[list[Any], list[Any]], Any],
    softmax_loss_function: Callable[..., Any] | None = None,
    per_example_loss: bool = False,
    name: str | None = None,
) -> tuple[list[Any], list[Any]]:
    """One model for several lengths of inputs and outputs, with the same variables.

    Args:
      encoder_inputs, decoder_inputs, targets, weights: lists of tensors, one for each time.
      buckets: pairs of lengths, of inputs and of outputs, the largest last.
      seq2seq: function of inputs of encoder and decoder that gives outputs and a state.
      softmax_loss_function: as for `sequence_loss_by_example`.
      per_example_loss: whether losses are those of each sequence.
      name: name scope of the ops.

    Returns: for each bucket the list of outputs, and for each bucket the loss.

    Raises:
      ValueError: if a list is shorter than the largest bucket.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     inputs, symbols = [hf.ones([2, 3])] * 4, [hf.constant([0, 1])] * 4
    ...     outputs, losses = hf.contrib.legacy_seq2seq.model_with_buckets(
    ...         inputs, inputs, symbols, [hf.ones([2])] * 4, [(2, 2), (4, 4)],
    ...         lambda x, y: hf.contrib.legacy_seq2seq.basic_rnn_seq2seq(
    ...             x, y, hf.nn.rnn_cell.GRUCell(5)))
    ...     print([len(o) for o in outputs], len(losses))
    [2, 4] 2
    """
    longest = buckets[-1]
    for what, items, least in (
        ("encoder_inputs", encoder_inputs, longest[0]),
        ("targets", targets, longest[1]),
        ("weights", weights, longest[1]),
    ):
        if len(items) < least:
            raise ValueError(
                f"Length of {what} ({len(items)}) must be at least that of last bucket ({least})."
            )
    losses: list[Any] = []
    outputs: list[Any] = []
    with name_scope(
        name, "model_with_buckets", [*encoder_inputs, *decoder_inputs, *targets, *weights]
    ):
        loss_of = sequence_loss_by_example if per_example_loss else sequence_loss
        for index, (given, wanted) in enumerate(buckets):
            with variable_scope(get_variable_scope(), reuse=True if index > 0 else None):
                found, _ = seq2seq(encoder_inputs[:given], decoder_inputs[:wanted])
                outputs.append(found)
                losses.append(
                    loss_of(
                        found,
                        targets[:wanted],
                        weights[:wanted],
                        softmax_loss_function=softmax_loss_function,
                    )
                )
    return outputs, losses
