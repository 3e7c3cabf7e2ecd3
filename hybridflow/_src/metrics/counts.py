"""Of predictions that are yes or no: how many are right and wrong, precision, recall."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.scopes import control_dependencies
from hybridflow._src.metrics.state import (
    finished,
    fitted,
    metric_scope,
    metric_variable,
    safe_div,
)
from hybridflow._src.ops.arrays.casting import cast, to_float
from hybridflow._src.ops.arrays.reshaping import identity
from hybridflow._src.ops.arrays.shape_ops import rank
from hybridflow._src.ops.checks.ranks import assert_rank_in
from hybridflow._src.ops.math.comparison import equal, logical_and
from hybridflow._src.ops.math.elementwise import multiply
from hybridflow._src.ops.math.reductions import reduce_sum
from hybridflow._src.variables.updates import assign_add

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "false_negatives",
    "false_positives",
    "precision",
    "recall",
    "true_negatives",
    "true_positives",
]


def _counted(
    scope: str,
    label: bool,
    predicted: bool,
    labels: Any,
    predictions: Any,
    weights: Any,
    metrics_collections: Any,
    updates_collections: Any,
    name: str | None,
) -> Any:
    """Counts the examples with this label and prediction."""
    with metric_scope(name, scope, (predictions, labels, weights)):
        predictions, labels, weights = fitted(
            cast(predictions, dtypes.bool), cast(labels, dtypes.bool), weights
        )
        hits = logical_and(equal(labels, label), equal(predictions, predicted))
        count = metric_variable("count")
        values = to_float(hits)
        if weights is not None:
            with control_dependencies([assert_rank_in(weights, (0, rank(values)))]):
                values = multiply(values, to_float(weights))
        update = assign_add(count, reduce_sum(values))
        return finished(identity(count), update, metrics_collections, updates_collections)


def true_positives(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The weighted number of examples that were predicted, and are, positive.

    Args:
      labels: what is right, cast to bool; a tensor of the shape of `predictions`.
      predictions: what is predicted, cast to bool.
      weights: a scalar, or a tensor of the same rank with sizes of 1 or the same; 1 by default.
      metrics_collections, updates_collections, name: as for `hf.metrics.mean`.

    Returns: the number, and an operation that takes the examples in and gives it.

    Raises:
      ValueError: if shapes do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     print(float(hf.metrics.true_positives([1, 1, 0, 0], [1, 0, 1, 0])[1]))
    1.0
    """
    rest = (labels, predictions, weights, metrics_collections, updates_collections, name)
    return _counted("true_positives", True, True, *rest)


def true_negatives(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The weighted number of examples that were predicted, and are, negative.

    Arguments and results are as for `true_positives`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     print(float(hf.metrics.true_negatives([1, 1, 0, 0], [1, 0, 1, 0])[1]))
    1.0
    """
    rest = (labels, predictions, weights, metrics_collections, updates_collections, name)
    return _counted("true_negatives", False, False, *rest)


def false_positives(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The weighted number of examples that were predicted positive and are negative.

    Arguments and results are as for `true_positives`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     print(float(hf.metrics.false_positives([1, 1, 0, 0], [1, 0, 1, 0])[1]))
    1.0
    """
    rest = (labels, predictions, weights, metrics_collections, updates_collections, name)
    return _counted("false_positives", False, True, *rest)


def false_negatives(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The weighted number of examples that were predicted negative and are positive.

    Arguments and results are as for `true_positives`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     print(float(hf.metrics.false_negatives([1, 1, 0, 0], [1, 0, 1, 0])[1]))
    1.0
    """
    rest = (labels, predictions, weights, metrics_collections, updates_collections, name)
    return _counted("false_negatives", True, False, *rest)


def _share(
    scope: str,
    other: Any,
    labels: Any,
    predictions: Any,
    weights: Any,
    metrics_collections: Any,
    updates_collections: Any,
    name: str | None,
) -> Any:
    """True positives as a share of them and what `other` counts."""
    with metric_scope(name, scope, (predictions, labels, weights)):
        predictions, labels, weights = fitted(
            cast(predictions, dtypes.bool), cast(labels, dtypes.bool), weights
        )
        found, found_after = true_positives(labels, predictions, weights)
        lost, lost_after = other(labels, predictions, weights)
        value = safe_div(found, found + lost, "value")
        update = safe_div(found_after, found_after + lost_after, "update_op")
        return finished(value, update, metrics_collections, updates_collections)


def precision(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The weighted share of the examples predicted positive that are positive; 0 without any.

    Arguments are as for `true_positives`.

    Returns: the share, and an operation that takes the examples in and gives it.

    Raises:
      ValueError: if shapes do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     print(float(hf.metrics.precision([1, 1, 0, 0], [1, 0, 1, 0])[1]))
    0.5
    """
    rest = (labels, predictions, weights, metrics_collections, updates_collections, name)
    return _share("precision", false_positives, *rest)


def recall(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The weighted share of the positive examples that were predicted positive; 0 without any.

    Arguments are as for `true_positives`.

    Returns: the share, and an operation that takes the examples in and gives it.

    Raises:
      ValueError: if shapes do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     print(hf.metrics.recall([1, 1, 1, 0], [1, 0, 1, 0])[1].numpy().round(4))
    0.6667
    """
    rest = (labels, predictions, weights, metrics_collections, updates_collections, name)
    return _share("recall", false_negatives, *rest)
