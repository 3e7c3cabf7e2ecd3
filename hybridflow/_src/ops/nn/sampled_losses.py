"""Losses over very many classes, of which a few are drawn to stand for those that are wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.nn.embedding import embedding_lookup
from hybridflow._src.ops.nn.losses import (
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits,
)
from hybridflow._src.ops.random.accidental_hits import compute_accidental_hits
from hybridflow._src.ops.random.candidates import log_uniform_candidate_sampler

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["nce_loss", "sampled_softmax_loss"]

_LOWEST = np.finfo(np.float32).min


def _sampled_logits(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int,
    sampled_values: Any,
    remove_accidental_hits: bool,
    partition_strategy: str,
    name: str | None,
) -> tuple[Any, Any]:
    """Scores `[batch, num_true + num_sampled]` of the right and the drawn classes, and labels.

    The logarithm of how often a class is expected is subtracted from its score.
    """
    tables = weights if isinstance(weights, list) else [weights]
    with name_scope(name, "compute_sampled_logits", [*tables, biases, inputs, labels]):
        inputs = convert_to_tensor(inputs, name="inputs")
        dtype = inputs.dtype.base_dtype
        labels = convert_to_tensor(labels, name="labels")
        if labels.dtype.base_dtype is not dtypes.int64:
            labels = raw.Cast(labels, DstT=dtypes.int64)
        flat = raw.Reshape(labels, [-1])
        if sampled_values is None:
            sampled_values = log_uniform_candidate_sampler(
                labels, num_true, num_sampled, True, num_classes
            )
        drawn, true_count, drawn_count = (raw.StopGradient(value) for value in sampled_values)
        if drawn.dtype.base_dtype is not dtypes.int64:
            drawn = raw.Cast(drawn, DstT=dtypes.int64)
        ids = raw.ConcatV2([flat, drawn], 0)
        vectors = embedding_lookup(weights, ids, partition_strategy)
        offsets = embedding_lookup(biases, ids, partition_strategy)
        count = raw.Shape(flat)
        nothing = raw.ZerosLike(count)
        right = raw.Slice(vectors, raw.ConcatV2([nothing, [0]], 0), raw.ConcatV2([count, [-1]], 0))
        wrong = raw.Slice(vectors, raw.ConcatV2([count, [0]], 0), [-1, -1])
        size = raw.Shape(vectors)[1:]
        right = raw.Reshape(right, raw.ConcatV2([[-1, num_true], size], 0))
        right_logits = raw.Sum(raw.ExpandDims(inputs, 1) * right, [2])
        right_logits += raw.Reshape(raw.Slice(offsets, nothing, count), [-1, num_true])
        wrong_logits = raw.MatMul(inputs, wrong, transpose_b=True)
        wrong_logits += raw.Slice(offsets, count, [-1])
        if remove_accidental_hits:
            wrong_logits += _on_hits(labels, drawn, num_true, dtype)
        right_logits -= _log(true_count, dtype)
        wrong_logits -= _log(drawn_count, dtype)
        targets = [raw.OnesLike(right_logits) / num_true, raw.ZerosLike(wrong_logits)]
        return raw.ConcatV2([right_logits, wrong_logits], 1), raw.ConcatV2(targets, 1)


def _log(count: Any, dtype: dtypes.DType) -> Any:
    found = raw.Log(count)
    return found if dtype is dtypes.float32 else raw.Cast(found, DstT=dtype)


def _on_hits(labels: Any, drawn: Any, num_true: int, dtype: dtypes.DType) -> Any:
    """`[batch, num_sampled]`: 0, but the lowest number where a class that was drawn is right."""
    rows, places, weights = compute_accidental_hits(labels, drawn, num_true)
    at = raw.Pack([rows, raw.Cast(places, DstT=dtypes.int32)], axis=1)
    shape = raw.ConcatV2([raw.Shape(labels)[:1], raw.Shape(drawn)], 0)
    # A class that is right twice for an example is added twice.
    added = raw.Maximum(raw.ScatterNd(at, weights, shape), _LOWEST)
    return added if dtype is dtypes.float32 else raw.Cast(added, DstT=dtype)


def nce_loss(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Any = None,
    remove_accidental_hits: bool = False,
    partition_strategy: str = "mod",
    name: str | None = "nce_loss",
) -> Tensor:
    """The loss of noise-contrastive estimation: right classes told from classes that are drawn.

    Args:
      weights: table `[num_classes, n]`, a vector for each class; or a list of its parts, or a
        partitioned variable.
      biases: `[num_classes]`, as `weights`.
      labels: integers `[batch, num_true]`, the right classes.
      inputs: tensor `[batch, n]` of a float dtype.
      num_sampled: how many classes to draw, for the whole batch.
      num_classes: the number of classes.
      num_true: how many classes are right for each example.
      sampled_values: what a candidate sampler gave; by default that of
        `log_uniform_candidate_sampler`, for classes in the order of falling frequency.
      remove_accidental_hits: leave out classes that were drawn and are right.
      partition_strategy: "mod" or "div", how rows lie in parts (see `embedding_lookup`).
      name: name of the scope.

    Returns: a tensor `[batch]` of the dtype of `inputs`.

    Raises:
      ValueError: if shapes do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     drawn = hf.nn.all_candidate_sampler([[0]], 1, 2, True)
    ...     loss = hf.nn.nce_loss(
    ...         hf.zeros([2, 3]), hf.zeros([2]), [[0]], hf.ones([1, 3]), 2, 2, sampled_values=drawn)
    ...     print(loss.numpy().round(3))
    [2.079]

    References:
      Gutmann, Hyvärinen, Noise-contrastive estimation (2010).
    """
    logits, targets = _sampled_logits(
        weights,
        biases,
        labels,
        inputs,
        num_sampled,
        num_classes,
        num_true,
        sampled_values,
        remove_accidental_hits,
        partition_strategy,
        name,
    )
    losses = sigmoid_cross_entropy_with_logits(labels=targets, logits=logits, name="sampled_losses")
    return raw.Sum(losses, [1])


def sampled_softmax_loss(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Any = None,
    remove_accidental_hits: bool = True,
    partition_strategy: str = "mod",
    name: str | None = "sampled_softmax_loss",
) -> Tensor:
    """The softmax cross-entropy over right classes and classes that are drawn, for training.

    Args:
      weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values,
        remove_accidental_hits, partition_strategy: as in `nce_loss`.
      name: name of the scope.

    Returns: a tensor `[batch]` of the dtype of `inputs`: mostly less than the loss over all.

    Raises:
      ValueError: if shapes do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     drawn = hf.nn.all_candidate_sampler([[0]], 1, 2, True)
    ...     loss = hf.nn.sampled_softmax_loss(
    ...         hf.zeros([2, 3]), hf.zeros([2]), [[0]], hf.ones([1, 3]), 2, 2, sampled_values=drawn)
    ...     print(loss.numpy().round(3))
    [0.693]

    References:
      Jean et al., On Using Very Large Target Vocabulary for Neural Machine Translation (2014).
    """
    logits, targets = _sampled_logits(
        weights,
        biases,
        labels,
        inputs,
        num_sampled,
        num_classes,
        num_true,
        sampled_values,
        remove_accidental_hits,
        partition_strategy,
        name,
    )
    return softmax_cross_entropy_with_logits(labels=targets, logits=logits)
