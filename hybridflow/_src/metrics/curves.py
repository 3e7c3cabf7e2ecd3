"""Metrics of probabilities over all thresholds: areas under curves, points on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.metrics.state import finished, metric_scope
from hybridflow._src.metrics.thresholds import counts_at
from hybridflow._src.ops.arrays.casting import cast, to_int64
from hybridflow._src.ops.math.arg_reductions import argmax, argmin
from hybridflow._src.ops.math.comparison import equal
from hybridflow._src.ops.math.cumulative import cumsum
from hybridflow._src.ops.math.division import div
from hybridflow._src.ops.math.elementwise import abs, maximum, minimum, multiply
from hybridflow._src.ops.math.reductions import reduce_min, reduce_sum

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["auc", "sensitivity_at_specificity", "specificity_at_sensitivity"]

_ALL = ("tp", "fn", "tn", "fp")
_BESIDE = 1e-7  # how far the first and the last threshold are outside [0, 1]
_HEIGHTS: dict[str, Callable[[Any, Any], Any]] = {
    "trapezoidal": lambda y, z: (y + z) / 2.0,
    "minoring": minimum,
    "majoring": maximum,
}


def _thresholds(number: int) -> list[float]:
    """Evenly spaced thresholds; the first is below all probabilities, the last above."""
    inner = [(i + 1) * 1.0 / (number - 1) for i in range(number - 2)]
    return [0.0 - _BESIDE, *inner, 1.0 + _BESIDE]


def auc(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    curve: str = "ROC",
    name: str | None = None,
    summation_method: str = "trapezoidal",
) -> tuple[Tensor, Tensor]:
    """The area under the ROC curve or the curve of precision over recall, by a Riemann sum.

    Args:
      labels: what is right, cast to bool; a tensor of the shape of `predictions`.
      predictions: probabilities of being positive, in [0, 1].
      weights: a scalar, or a tensor of the same rank with sizes of 1 or the same; 1 by default.
      num_thresholds: the number of points of the curve.
      metrics_collections, updates_collections, name: as for `hf.metrics.mean`.
      curve: "ROC" or "PR".
      summation_method: "trapezoidal"; "minoring" or "majoring" for the lower or upper sum.

    Returns: the area, and an operation that takes the examples in and gives it.

    Raises:
      ValueError: for another curve or method, or if shapes do not fit. InvalidArgumentError: for a
        prediction outside [0, 1].

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     value, _ = hf.metrics.auc([1, 0, 1, 0], [0.9, 0.1, 0.4, 0.6])
    ...     print(value.numpy().round(4))
    0.75
    """
    with metric_scope(name, "auc", (labels, predictions, weights)):
        if curve not in ("ROC", "PR"):
            raise ValueError(f"curve must be either ROC or PR, {curve} unknown")
        if summation_method not in _HEIGHTS:
            raise ValueError(f"Invalid summation_method: {summation_method}")
        counts = counts_at(labels, predictions, _thresholds(num_thresholds), weights, _ALL)
        value, update = (
            _area(of, curve, _HEIGHTS[summation_method], num_thresholds, end)
            for of, end in zip(counts, ("value", "update_op"), strict=True)
        )
        return finished(value, update, metrics_collections, updates_collections)


def _area(
    counts: dict[str, Any], curve: str, height: Callable[[Any, Any], Any], number: int, name: str
) -> Tensor:
    """The area under a curve of which each threshold gives a point."""
    little = 1e-6  # where there are no examples, shares are 1 or 0, not NaN
    tp, fn, tn, fp = (counts[key] for key in _ALL)
    recall = div(tp + little, tp + fn + little)
    if curve == "ROC":
        x, y = div(fp, fp + tn + little), recall
    else:
        x, y = recall, div(tp + little, tp + fp + little)
    widths = x[: number - 1] - x[1:]
    return reduce_sum(multiply(widths, height(y[: number - 1], y[1:])), name=name)


def sensitivity_at_specificity(
    labels: Any,
    predictions: Any,
    specificity: float,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The share of the positive examples that is found, where a given share of the others is not.

    Args:
      labels: what is right, cast to bool; a tensor of the shape of `predictions`.
      predictions: probabilities of being positive, in [0, 1].
      specificity: the share of negative examples that are to be taken as such, in [0, 1].
      weights, num_thresholds, metrics_collections, updates_collections, name: as for `auc`.

    Returns: the share at the threshold that comes nearest, and an operation that takes the examples
      in and gives it.

    Raises:
      ValueError: for a specificity outside [0, 1], or if shapes do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     value, _ = hf.metrics.sensitivity_at_specificity([1, 1, 0, 0], [0.9, 0.3, 0.4, 0.1], 1)
    ...     print(value.numpy().round(4))
    0.5
    """
    if specificity < 0 or specificity > 1:
        raise ValueError("`specificity` must be in the range [0, 1].")
    with metric_scope(name, "sensitivity_at_specificity", (predictions, labels, weights)):
        counts = counts_at(labels, predictions, _thresholds(num_thresholds), weights, _ALL)

        def compute(of: dict[str, Any], name: str) -> Tensor:
            found = div(of["tn"], of["tn"] + of["fp"] + _BESIDE)
            index = cast(argmin(abs(found - specificity), 0), dtypes.int32)
            tp, fn = of["tp"][index], of["fn"][index]
            return div(tp, tp + fn + _BESIDE, name)

        value, update = compute(counts[0], "value"), compute(counts[1], "update_op")
        return finished(value, update, metrics_collections, updates_collections)


def specificity_at_sensitivity(
    labels: Any,
    predictions: Any,
    sensitivity: float,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The share of the negative examples taken as such, where a given share of the others is found.

    Args:
      labels: what is right, cast to bool; a tensor of the shape of `predictions`.
      predictions: probabilities of being positive, in [0, 1].
      sensitivity: the share of positive examples that are to be found, in [0, 1].
      weights, num_thresholds, metrics_collections, updates_collections, name: as for `auc`.

    Returns: the share at the highest threshold that comes nearest, and an operation that takes the
      examples in and gives it.

    Raises:
      ValueError: for a sensitivity outside [0, 1], or if shapes do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     value, _ = hf.metrics.specificity_at_sensitivity([1, 1, 0, 0], [0.9, 0.3, 0.4, 0.1], 1)
    ...     print(value.numpy().round(4))
    0.5
    """
    if sensitivity < 0 or sensitivity > 1:
        raise ValueError("`sensitivity` must be in the range [0, 1].")
    with metric_scope(name, "specificity_at_sensitivity", (predictions, labels, weights)):
        limits = [*_thresholds(num_thresholds)[:-1], 1.0 - _BESIDE]
        counts = counts_at(labels, predictions, limits, weights, _ALL)

        def compute(of: dict[str, Any], name: str) -> Tensor:
            distances = abs(div(of["tp"], of["tp"] + of["fn"] + _BESIDE) - sensitivity)
            nearest = to_int64(equal(distances, reduce_min(distances)))
            index = cast(argmax(cumsum(nearest), 0), dtypes.int32)
            tn, fp = of["tn"][index], of["fp"][index]
            return div(tn, tn + fp + _BESIDE, name)

        value, update = compute(counts[0], "value"), compute(counts[1], "update_op")
        return finished(value, update, metrics_collections, updates_collections)
