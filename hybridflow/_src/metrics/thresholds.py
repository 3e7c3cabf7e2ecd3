"""Metrics of probabilities, taken as positive above each of several thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import control_dependencies
from hybridflow._src.metrics.state import (
    finished,
    fitted,
    float_weights,
    metric_scope,
    metric_variable,
)
from hybridflow._src.ops.arrays.casting import cast, to_float
from hybridflow._src.ops.arrays.constant import constant
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.checks.comparing import assert_greater_equal, assert_less_equal
from hybridflow._src.ops.math.comparison import greater, logical_and, logical_not
from hybridflow._src.ops.math.division import div
from hybridflow._src.ops.math.reductions import reduce_sum
from hybridflow._src.variables.updates import assign_add

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "false_negatives_at_thresholds",
    "false_positives_at_thresholds",
    "precision_at_thresholds",
    "recall_at_thresholds",
    "true_negatives_at_thresholds",
    "true_positives_at_thresholds",
]

_OUTSIDE = "predictions must be in [0, 1]"
# For each count: its variable, and the label and the prediction of what it counts.
_COUNTS = {
    "tp": ("true_positives", True, True),
    "fn": ("false_negatives", True, False),
    "tn": ("true_negatives", False, False),
    "fp": ("false_positives", False, True),
}


def counts_at(
    labels: Any, predictions: Any, thresholds: Sequence[float], weights: Any, which: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The counts, and the counts after an update, by "tp", "fn", "tn" and "fp"."""
    predictions = convert_to_tensor(predictions)
    dtype = predictions.dtype
    checks = [
        assert_greater_equal(predictions, cast(0.0, dtype), message=_OUTSIDE),
        assert_less_equal(predictions, cast(1.0, dtype), message=_OUTSIDE),
    ]
    with control_dependencies(checks):
        predictions, labels, weights = fitted(
            to_float(predictions), cast(labels, dtypes.bool), weights
        )
    if weights is not None:
        weights = reshape(float_weights(weights, predictions), [1, -1])
    limits = reshape(constant(list(thresholds), dtypes.float32), [-1, 1])
    predicted = greater(reshape(predictions, [1, -1]), limits)  # [thresholds, examples]
    positive = reshape(labels, [1, -1])
    counts, after = {}, {}
    for key, (name, label, prediction) in _COUNTS.items():
        if key not in which:
            continue
        count = metric_variable(name, [len(thresholds)])
        hits = to_float(
            logical_and(
                positive if label else logical_not(positive),
                predicted if prediction else logical_not(predicted),
            )
        )
        if weights is not None:
            hits *= weights
        after[key] = assign_add(count, reduce_sum(hits, 1))
        counts[key] = count
    return counts, after


def _one_count(
    key: str,
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any,
    metrics_collections: Any,
    updates_collections: Any,
    name: str | None,
) -> Any:
    with metric_scope(name, _COUNTS[key][0], (predictions, labels, weights)):
        counts, after = counts_at(labels, predictions, thresholds, weights, (key,))
        return finished(counts[key], after[key], metrics_collections, updates_collections)


def true_positives_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """For each threshold the weighted number of examples predicted above it that are positive.

    Args:
      labels: what is right, cast to bool; a tensor of the shape of `predictions`.
      predictions: probabilities of being positive, in [0, 1].
      thresholds: list of n numbers in [0, 1].
      weights: a scalar, or a tensor of the same rank with sizes of 1 or the same; 1 by default.
      metrics_collections, updates_collections, name: as for `hf.metrics.mean`.

    Returns: the numbers `[n]`, a variable, and an operation that takes the examples in and gives
      them.

    Raises:
      ValueError: if shapes do not fit. InvalidArgumentError: for a prediction outside [0, 1].

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     _, found = hf.metrics.true_positives_at_thresholds([1, 1, 0], [0.9, 0.3, 0.8],
    ...                                                        [0.2, 0.5])
    ...     print(found.numpy())
    [2. 1.]
    """
    rest = (weights, metrics_collections, updates_collections, name)
    return _one_count("tp", labels, predictions, thresholds, *rest)


def true_negatives_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """For each threshold the weighted number of examples not above it that are negative.

    Arguments and results are as for `true_positives_at_thresholds`.
    """
    rest = (weights, metrics_collections, updates_collections, name)
    return _one_count("tn", labels, predictions, thresholds, *rest)


def false_positives_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """For each threshold the weighted number of examples predicted above it that are negative.

    Arguments and results are as for `true_positives_at_thresholds`.
    """
    rest = (weights, metrics_collections, updates_collections, name)
    return _one_count("fp", labels, predictions, thresholds, *rest)


def false_negatives_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """For each threshold the weighted number of examples not above it that are positive.

    Arguments and results are as for `true_positives_at_thresholds`.
    """
    rest = (weights, metrics_collections, updates_collections, name)
    return _one_count("fn", labels, predictions, thresholds, *rest)


def _share(
    what: str,
    other: str,
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any,
    metrics_collections: Any,
    updates_collections: Any,
    name: str | None,
) -> Any:
    """True positives as a share of them and another count."""
    with metric_scope(name, f"{what}_at_thresholds", (predictions, labels, weights)):
        counts, after = counts_at(labels, predictions, thresholds, weights, ("tp", other))
        value, update = (
            div(of["tp"], 1e-7 + of["tp"] + of[other], name=f"{what}_{end}")
            for of, end in ((counts, "value"), (after, "update_op"))
        )
        return finished(value, update, metrics_collections, updates_collections)


def precision_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """For each threshold the share of the examples predicted above it that are positive.

    Arguments are as for `true_positives_at_thresholds`.

    Returns: the shares `[n]`, and an operation that takes the examples in and gives them.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     value, _ = hf.metrics.precision_at_thresholds([1, 1, 0], [0.9, 0.3, 0.8], [0.2, 0.5])
    ...     print(value.numpy().round(4))
    [0.6667 0.5   ]
    """
    rest = (weights, metrics_collections, updates_collections, name)
    return _share("precision", "fp", labels, predictions, thresholds, *rest)


def recall_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """For each threshold the share of the positive examples that were predicted above it.

    Arguments are as for `true_positives_at_thresholds`.

    Returns: the shares `[n]`, and an operation that takes the examples in and gives them.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     value, _ = hf.metrics.recall_at_thresholds([1, 1, 0], [0.9, 0.3, 0.8], [0.2, 0.5])
    ...     print(value.numpy().round(4))
    [1.  0.5]
    """
    rest = (weights, metrics_collections, updates_collections, name)
    return _share("recall", "fn", labels, predictions, thresholds, *rest)
