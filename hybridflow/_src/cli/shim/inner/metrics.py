"""`tensorflow.python.ops.metrics_impl`: what its metrics are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.graph_keys import GraphKeys, add_to_collections
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor_shape import dimension_at_index
from hybridflow._src.metrics.ranking import average_precision_of
from hybridflow._src.metrics.state import finished, fitted, safe_div
from hybridflow._src.metrics.thresholds import counts_at
from hybridflow._src.ops.arrays.constant import zeros
from hybridflow._src.ops.math.confusion import remove_squeezable_dimensions
from hybridflow._src.variables.variable import Variable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "_aggregate_variable",
    "_confusion_matrix_at_thresholds",
    "_remove_squeezable_dimensions",
    "_safe_scalar_div",
    "_streaming_sparse_average_precision_at_top_k",
    "metric_variable",
]


def metric_variable(
    shape: Any, dtype: Any, validate_shape: bool = True, name: str | None = None
) -> Variable:
    """A local variable of a metric, which starts at zero."""
    return Variable(
        lambda: zeros(shape, dtype),
        trainable=False,
        collections=[GraphKeys.LOCAL_VARIABLES, GraphKeys.METRIC_VARIABLES],
        validate_shape=validate_shape,
        name=name,
    )


def _aggregate_variable(v: Any, collections: Any) -> Any:
    """A metric's value, which joins collections."""
    if collections:
        add_to_collections(collections, v)
    return v


def _safe_scalar_div(numerator: Any, denominator: Any, name: str) -> Tensor:
    """The quotient, 0 where the denominator is 0."""
    return safe_div(convert_to_tensor(numerator), convert_to_tensor(denominator), name)


def _remove_squeezable_dimensions(predictions: Any, labels: Any, weights: Any) -> Any:
    """Predictions, labels and weights with ranks that fit."""
    if labels is not None:
        return fitted(convert_to_tensor(predictions), labels, weights)
    predictions = convert_to_tensor(predictions)
    if weights is None:
        return predictions, None, None
    return predictions, None, remove_squeezable_dimensions(weights, predictions)[0]


def _confusion_matrix_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    includes: Sequence[str] | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The counts "tp", "fn", "tn" and "fp" at each threshold, and their updates.

    Raises:
      ValueError: for another one.
    """
    which = ("tp", "fn", "tn", "fp") if includes is None else includes
    for include in which:
        if include not in ("tp", "fn", "tn", "fp"):
            raise ValueError(f"Invalid key: {include}.")
    return counts_at(labels, predictions, thresholds, weights, which)


def _streaming_sparse_average_precision_at_top_k(
    labels: Any,
    predictions_idx: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The mean average precision of classes that stand in order.

    Raises:
      ValueError: if their number is unknown.
    """
    best = convert_to_tensor(predictions_idx)
    k = dimension_at_index(best.shape.with_rank_at_least(1), -1).value
    if k is None:
        raise ValueError("The last dimension of predictions_idx must be known.")
    values = (best, labels, weights)
    with name_scope(name, f"average_precision_at_{k}", values) as scope:
        value, update = average_precision_of(labels, best, k, weights, scope)
        return finished(value, update, metrics_collections, updates_collections)
