"""Losses of predicted classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.graph_keys import GraphKeys
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor_shape import dimension_at_index
from hybridflow._src.losses.arguments import check_alike, floats, given
from hybridflow._src.losses.weighting import Reduction, compute_weighted_loss
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.constant import ones_like
from hybridflow._src.ops.arrays.reshaping import squeeze
from hybridflow._src.ops.arrays.shape_ops import rank, shape
from hybridflow._src.ops.control_flow.conditional import cond
from hybridflow._src.ops.math.comparison import equal
from hybridflow._src.ops.math.confusion import remove_squeezable_dimensions
from hybridflow._src.ops.math.division import truediv
from hybridflow._src.ops.math.elementwise import multiply, subtract
from hybridflow._src.ops.nn.activations import relu
from hybridflow._src.ops.nn.losses import (
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits,
    sparse_softmax_cross_entropy_with_logits,
)

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "hinge_loss",
    "sigmoid_cross_entropy",
    "softmax_cross_entropy",
    "sparse_softmax_cross_entropy",
]


def hinge_loss(
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """`max(0, 1 - s * logits)` with s = 1 for the label 1 and -1 for the label 0.

    Args:
      labels: 0 or 1, a tensor of the shape of `logits`.
      logits: scores, which should be above 1 or below -1.
      weights, scope, loss_collection, reduction: as for `compute_weighted_loss`.

    Returns: a float32 tensor: a scalar, with `Reduction.NONE` of the shape of `labels`.

    Raises:
      ValueError: if shapes do not fit, or labels or logits are None.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.losses.hinge_loss([1.0, 0.0], [0.5, -2.0], reduction="none").numpy())
    [0.5 0. ]
    """
    given(labels=labels, logits=logits)
    with name_scope(scope, "hinge_loss", (logits, labels, weights)) as scope:
        labels, logits = floats(labels, logits)
        ones = ones_like(labels)
        signs = subtract(2 * labels, ones)
        losses = relu(subtract(ones, multiply(signs, logits)))
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def _like_logits(labels: Any, logits: Any) -> tuple[Tensor, Tensor]:
    """Labels in the dtype of the logits, of compatible shapes."""
    logits = convert_to_tensor(logits)
    labels = cast(labels, logits.dtype)
    check_alike(labels, logits)
    return labels, logits


def sigmoid_cross_entropy(
    multi_class_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Cross-entropy of labels and `sigmoid(logits)`, of classes that do not exclude each other.

    Args:
      multi_class_labels: labels in [0, 1], a tensor `[batch, classes]` of the shape of `logits`.
      logits: unscaled scores.
      weights, scope, loss_collection, reduction: as for `compute_weighted_loss`.
      label_smoothing: if above 0, labels are drawn towards 1/2 by
        `labels * (1 - label_smoothing) + 0.5 * label_smoothing`.

    Returns: a tensor of the dtype of `logits`: a scalar, with `Reduction.NONE` of their shape.

    Raises:
      ValueError: if shapes do not fit, or labels or logits are None.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.losses.sigmoid_cross_entropy([[1, 0]], [[2.0, -2.0]]).numpy().round(4))
    0.1269
    """
    given(multi_class_labels=multi_class_labels, logits=logits)
    with name_scope(
        scope, "sigmoid_cross_entropy_loss", (logits, multi_class_labels, weights)
    ) as scope:
        labels, logits = _like_logits(multi_class_labels, logits)
        if label_smoothing > 0:
            labels = labels * (1 - label_smoothing) + 0.5 * label_smoothing
        losses = sigmoid_cross_entropy_with_logits(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def softmax_cross_entropy(
    onehot_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Cross-entropy of distributions over classes and `softmax(logits)`.

    Args:
      onehot_labels: the distributions, a tensor `[batch, classes]` of the shape of `logits`.
      logits: unscaled scores.
      weights: a scalar, or a vector `[batch]`, or of size 1.
      label_smoothing: if above 0, labels are drawn towards 1 / classes by
        `labels * (1 - label_smoothing) + label_smoothing / classes`.
      scope, loss_collection, reduction: as for `compute_weighted_loss`.

    Returns: a tensor of the dtype of `logits`: a scalar, with `Reduction.NONE` of shape `[batch]`.

    Raises:
      ValueError: if shapes do not fit, or labels or logits are None.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.losses.softmax_cross_entropy([[1, 0]], [[2.0, -2.0]]).numpy().round(4))
    0.0181
    """
    given(onehot_labels=onehot_labels, logits=logits)
    with name_scope(scope, "softmax_cross_entropy_loss", (logits, onehot_labels, weights)) as scope:
        labels, logits = _like_logits(onehot_labels, logits)
        if label_smoothing > 0:
            classes = cast(shape(labels)[1], logits.dtype)
            labels = labels * (1.0 - label_smoothing) + truediv(label_smoothing, classes)
        losses = softmax_cross_entropy_with_logits(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def _squeezed_weights(weights: Any, labels: Tensor) -> Tensor:
    """The weights without a last dimension of 1 that the labels do not have."""
    weights = convert_to_tensor(weights)
    ndims = weights.shape.ndims
    if labels.shape.ndims is not None and ndims is not None:
        return squeeze(weights, [-1]) if ndims - labels.shape.ndims == 1 else weights
    if ndims == 0 or (
        ndims is not None and not dimension_at_index(weights.shape, -1).is_compatible_with(1)
    ):
        return weights
    more = rank(weights) - rank(labels)
    return cond(equal(1, more), lambda: squeeze(weights, [-1]), lambda: weights)


def sparse_softmax_cross_entropy(
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """`-log(softmax(logits)[label])`, for one class an example.

    Args:
      labels: classes, an int32 or int64 tensor `[d0, ...]`; a last dimension of 1 may follow.
      logits: unscaled scores `[d0, ..., classes]`.
      weights: a scalar, or a tensor of the rank of `labels` whose sizes are 1 or the same.
      scope, loss_collection, reduction: as for `compute_weighted_loss`.

    Returns: a tensor of the dtype of `logits`: a scalar, with `Reduction.NONE` of the shape of
      `labels`.

    Raises:
      ValueError: if shapes do not fit, or labels or logits are None. InvalidArgumentError: for a
        label that is no class.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.losses.sparse_softmax_cross_entropy([0], [[2.0, -2.0]]).numpy().round(4))
    0.0181
    """
    given(labels=labels, logits=logits)
    with name_scope(scope, "sparse_softmax_cross_entropy_loss", (logits, labels, weights)) as scope:
        labels, logits = remove_squeezable_dimensions(labels, logits, expected_rank_diff=1)
        if weights is not None:
            weights = _squeezed_weights(weights, labels)
        losses = sparse_softmax_cross_entropy_with_logits(
            labels=labels, logits=logits, name="xentropy"
        )
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)
