"""Metrics of classes from a running confusion matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.metrics.state import finished, metric_scope, metric_variable
from hybridflow._src.ops.arrays.casting import cast, to_float, to_int64
from hybridflow._src.ops.arrays.constant import ones_like, zeros_like
from hybridflow._src.ops.arrays.diagonal import diag_part
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.arrays.selecting import where
from hybridflow._src.ops.math.comparison import greater, not_equal
from hybridflow._src.ops.math.confusion import confusion_matrix
from hybridflow._src.ops.math.division import div
from hybridflow._src.ops.math.reductions import reduce_mean, reduce_sum
from hybridflow._src.variables.updates import assign_add

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["mean_iou", "mean_per_class_accuracy"]


def _flat(values: Any) -> Any:
    return reshape(values, [-1]) if values.shape.ndims != 1 else values


def _running_matrix(labels: Any, predictions: Any, classes: Any, weights: Any) -> Any:
    """A local variable with the confusion matrix of all that was ever given, and its update."""
    total = metric_variable("total_confusion_matrix", [classes, classes], dtypes.float64)
    if weights is not None:
        weights = _flat(convert_to_tensor(weights))
    matrix = confusion_matrix(
        _flat(to_int64(labels)),
        _flat(to_int64(predictions)),
        to_int64(classes),
        dtype=dtypes.float64,
        weights=weights,
    )
    return total, assign_add(total, matrix)


def _or_one(counts: Tensor) -> Tensor:
    return where(greater(counts, 0), counts, ones_like(counts))


def mean_per_class_accuracy(
    labels: Any,
    predictions: Any,
    num_classes: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The mean over classes of the share of a class' examples that were predicted right.

    Args:
      labels: classes, an integer tensor of the shape of `predictions`.
      predictions: predicted classes.
      num_classes: the number of classes.
      weights: what each example counts, a tensor of the same shape; 1 by default.
      metrics_collections, updates_collections, name: as for `hf.metrics.mean`.

    Returns: the mean (a class without examples counts as 0), and an operation that takes the
      examples in and gives the confusion matrix.

    Raises:
      ValueError: if shapes do not fit. InvalidArgumentError: for a class that there is not.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     value, _ = hf.metrics.mean_per_class_accuracy([0, 0, 1, 1], [0, 0, 1, 0], 2)
    ...     print(value.numpy())
    0.75
    """
    labels, predictions = convert_to_tensor(labels), convert_to_tensor(predictions)
    with metric_scope(name, "mean_accuracy", (predictions, labels, weights)):
        predictions.shape.assert_is_compatible_with(labels.shape)
        total, update = _running_matrix(labels, predictions, num_classes, weights)
        examples = to_float(reduce_sum(total, 1))
        right = to_float(diag_part(total))
        value = reduce_mean(div(right, _or_one(examples)), name="mean_accuracy")
        return finished(value, update, metrics_collections, updates_collections)


def mean_iou(
    labels: Any,
    predictions: Any,
    num_classes: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The mean over classes of intersection over union: `tp / (tp + fp + fn)`.

    Args:
      labels: classes, an integer tensor of the shape of `predictions`.
      predictions: predicted classes.
      num_classes: the number of classes.
      weights: what each example counts, a tensor of the same shape; 1 by default.
      metrics_collections, updates_collections, name: as for `hf.metrics.mean`.

    Returns: the mean over the classes that were seen, and an operation that takes the examples in
      and gives the confusion matrix.

    Raises:
      ValueError: if shapes do not fit. InvalidArgumentError: for a class that there is not.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     print(hf.metrics.mean_iou([0, 0, 1, 1], [0, 0, 1, 0], 3)[0].numpy().round(4))
    0.5833

    In TF 1.4 classes that were not seen count as 0.
    """
    labels, predictions = convert_to_tensor(labels), convert_to_tensor(predictions)
    with metric_scope(name, "mean_iou", (predictions, labels, weights)):
        predictions.shape.assert_is_compatible_with(labels.shape)
        total, update = _running_matrix(labels, predictions, num_classes, weights)
        right = to_float(diag_part(total))
        union = to_float(reduce_sum(total, 0)) + to_float(reduce_sum(total, 1)) - right
        seen = reduce_sum(cast(not_equal(union, 0), dtypes.float32))
        shares = reduce_sum(div(right, _or_one(union)), name="mean_iou")
        value = where(greater(seen, 0), shares / seen, zeros_like(shares))
        return finished(value, update, metrics_collections, updates_collections)
