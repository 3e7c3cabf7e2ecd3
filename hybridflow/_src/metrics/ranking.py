"""Metrics of the k best classes of each example, with several right ones or one."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import control_dependencies, name_scope
from hybridflow._src.framework.sparse_tensor import SparseTensor, convert_to_tensor_or_sparse_tensor
from hybridflow._src.metrics.state import finished, metric_variable
from hybridflow._src.ops.arrays.casting import to_double, to_int64
from hybridflow._src.ops.arrays.constant import fill, ones_like, zeros_like
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.reshaping import expand_dims
from hybridflow._src.ops.arrays.selecting import where
from hybridflow._src.ops.arrays.sequences import range
from hybridflow._src.ops.arrays.shape_ops import rank, shape, size
from hybridflow._src.ops.checks.weights import assert_broadcastable, broadcast_weights
from hybridflow._src.ops.control_flow.conditional import cond
from hybridflow._src.ops.math.comparison import (
    equal,
    greater,
    logical_and,
    logical_not,
    not_equal,
)
from hybridflow._src.ops.math.cumulative import cumsum
from hybridflow._src.ops.math.division import div
from hybridflow._src.ops.math.elementwise import add, minimum, multiply
from hybridflow._src.ops.math.ranking import top_k
from hybridflow._src.ops.math.reductions import reduce_any, reduce_sum
from hybridflow._src.ops.sparse.densifying import sparse_tensor_to_dense
from hybridflow._src.ops.sparse.reshaping import sparse_reshape
from hybridflow._src.variables.updates import assign_add

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "average_precision_at_k",
    "precision_at_k",
    "precision_at_top_k",
    "recall_at_k",
    "recall_at_top_k",
    "sparse_average_precision_at_k",
    "sparse_precision_at_k",
]

_NO_LABEL = -(2**63)  # fills rows of sparse labels that have fewer than the longest


def _name_at(what: str, k: int | None, class_id: int | None = None) -> str:
    name = f"{what}_at_{'k' if k is None else int(k)}"
    return name if class_id is None else f"{name}_class{class_id}"


def _expanded(labels: Any, predictions: Tensor) -> Any:
    """Labels with as many dimensions as predictions: one label an example becomes a list of one."""
    with name_scope(None, "expand_labels", (predictions,)) as scope:
        labels = to_int64(convert_to_tensor_or_sparse_tensor(labels))
        ndims, wanted = labels.shape.ndims, predictions.shape.ndims
        if wanted is not None and wanted == ndims:
            return labels
        if ndims is not None and wanted is not None and wanted != ndims + 1:
            raise ValueError(
                f"Unexpected labels shape {labels.shape} for predictions shape {predictions.shape}."
            )
        if isinstance(labels, SparseTensor):
            rows = concat([shape(predictions, out_type=dtypes.int64)[:-1], [-1]], 0)
            return sparse_reshape(labels, rows, name=scope)
        if ndims is None or wanted is None:
            return cond(
                equal(rank(predictions), rank(labels) + 1),
                lambda: expand_dims(labels, -1),
                lambda: labels,
            )
        return expand_dims(labels, -1, name=scope)


def _rows(labels: Any) -> tuple[Tensor, Any]:
    """Labels as a dense tensor, and which of its elements are labels: all, None, unless sparse."""
    if not isinstance(labels, SparseTensor):
        return labels, None
    dense = sparse_tensor_to_dense(labels, _NO_LABEL)
    return dense, not_equal(dense, _NO_LABEL)


def _within(a: Tensor, b: Tensor) -> Tensor:
    """For each element of the rows of `a` `[..., n]`, whether it is in the same row of `b`."""
    return reduce_any(equal(expand_dims(a, -1), expand_dims(b, -2)), axis=-1)


def _first(a: Tensor) -> Tensor:
    """For each element of the rows of `a` whether it has not occurred in its row: rows are sets."""
    numbers = range(shape(a)[-1])
    before = greater(expand_dims(numbers, 1), expand_dims(numbers, 0))
    same = equal(expand_dims(a, -1), expand_dims(a, -2))
    return logical_not(reduce_any(logical_and(same, before), axis=-1))


def _number(elements: Tensor, chosen: Tensor, class_id: int | None, weights: Any) -> Tensor:
    """The weighted number of different elements of each row that are chosen (and of the class)."""
    chosen = logical_and(_first(elements), chosen)
    if class_id is not None:
        chosen = logical_and(chosen, equal(elements, to_int64(class_id)))
    found = reduce_sum(to_double(chosen), axis=-1)
    if weights is None:
        return found
    with control_dependencies([assert_broadcastable(weights, found)]):
        return multiply(found, to_double(weights))


def _running(what: str, k: int | None, class_id: int | None, numbers: Tensor) -> tuple[Any, Any]:
    """A local variable with the sum of all numbers, and its update."""
    with name_scope(None, _name_at(what, k, class_id), (numbers,)) as scope:
        total = reduce_sum(numbers)
        variable = metric_variable(scope, dtype=dtypes.float64)
        return variable, assign_add(variable, total, name="update")


def _share_at_top_k(
    what: str,
    other: str,
    labels: Any,
    predictions_idx: Any,
    k: int | None,
    class_id: int | None,
    weights: Any,
    metrics_collections: Any,
    updates_collections: Any,
    name: str | None,
) -> Any:
    """True positives as a share of them and of false positives or negatives."""
    values = (predictions_idx, labels, weights)
    with name_scope(name, _name_at(what, k, class_id), values) as scope:
        predictions_idx = to_int64(predictions_idx)
        if predictions_idx._dims is not None and len(predictions_idx._dims) < 2:
            raise ValueError(
                f"{what}_at_top_k: expected predicted classes [..., k] of a rank of at least 2, "
                f"got shape {predictions_idx.shape}."
            )
        labels, present = _rows(_expanded(labels, predictions_idx))
        right = _within(predictions_idx, labels)
        found = _number(predictions_idx, right, class_id, weights)
        if other == "false_positive":
            lost = _number(predictions_idx, logical_not(right), class_id, weights)
        else:
            missed = logical_not(_within(labels, predictions_idx))
            missed = missed if present is None else logical_and(missed, present)
            lost = _number(labels, missed, class_id, weights)
        tp, tp_update = _running("true_positive", k, class_id, found)
        fx, fx_update = _running(other, k, class_id, lost)
        value = div(tp, add(tp, fx), name=scope)
        update = div(tp_update, add(tp_update, fx_update), name="update")
        return finished(value, update, metrics_collections, updates_collections)


def recall_at_top_k(
    labels: Any,
    predictions_idx: Any,
    k: int | None = None,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The share of the right classes that are among the predicted ones.

    Args:
      labels: the right classes of each example, integers `[..., n]`, dense or a `SparseTensor`
        with rows that differ in their number; or `[...]`, one each.
      predictions_idx: the predicted classes, `[..., k]`.
      k: their number, for names alone.
      class_id: counts this class alone; all by default.
      weights: a scalar, or a tensor `[...]`, with sizes of 1 or the same; 1 by default.
      metrics_collections, updates_collections, name: as for `hf.metrics.mean`.

    Returns: the share, a float64 scalar, NaN where there is no right class; and an operation that
      takes the examples in and gives it.

    Raises:
      ValueError: if shapes do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     print(hf.metrics.recall_at_top_k([[1, 2]], [[2, 0, 3]])[0].numpy())
    0.5
    """
    rest = (k, class_id, weights, metrics_collections, updates_collections, name)
    return _share_at_top_k("recall", "false_negative", labels, predictions_idx, *rest)


def precision_at_top_k(
    labels: Any,
    predictions_idx: Any,
    k: int | None = None,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The share of the predicted classes that are right.

    Arguments and results are as for `recall_at_top_k`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     print(hf.metrics.precision_at_top_k([[1, 2]], [[2, 0]])[0].numpy())
    0.5
    """
    rest = (k, class_id, weights, metrics_collections, updates_collections, name)
    return _share_at_top_k("precision", "false_positive", labels, predictions_idx, *rest)


def recall_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The share of the right classes that are among the k with the highest scores.

    Args:
      labels: the right classes of each example, integers `[..., n]`, dense or a `SparseTensor`
        with rows that differ in their number; or `[...]`, one each.
      predictions: scores `[..., classes]`.
      k: how many are looked at.
      class_id, weights, metrics_collections, updates_collections, name: as for `recall_at_top_k`.

    Returns: as for `recall_at_top_k`.

    Raises:
      ValueError: if shapes do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     print(hf.metrics.recall_at_k([[0], [1]], [[0.5, 0.3, 0.2]] * 2, 1)[0].numpy())
    0.5
    """
    with name_scope(name, _name_at("recall", k, class_id), (predictions, labels, weights)) as scope:
        labels = _expanded(labels, convert_to_tensor(predictions))
        _, best = top_k(predictions, k)
        rest = (class_id, weights, metrics_collections, updates_collections, scope)
        return recall_at_top_k(labels, best, k, *rest)


def precision_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The share of the k classes with the highest scores that are right.

    Arguments and results are as for `recall_at_k`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     print(hf.metrics.precision_at_k([[0, 2]], [[0.5, 0.3, 0.2]], 2)[0].numpy())
    0.5
    """
    values = (predictions, labels, weights)
    with name_scope(name, _name_at("precision", k, class_id), values) as scope:
        labels = _expanded(labels, convert_to_tensor(predictions))
        _, best = top_k(predictions, k)
        rest = (class_id, weights, metrics_collections, updates_collections, scope)
        return precision_at_top_k(labels, best, k, *rest)


def sparse_precision_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Deprecated: `precision_at_k`."""
    _deprecated("sparse_precision_at_k", "precision_at_k")
    rest = (class_id, weights, metrics_collections, updates_collections, name)
    return precision_at_k(labels, predictions, k, *rest)


def average_precision_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The mean over examples of average precision: of the precision at each of the right classes.

    For one example it is `sum(precision of the i best * (is the i-th right?), i = 1 ... k)`,
    divided by the number of right classes, at most k.

    Args:
      labels: the right classes of each example, integers `[..., n]`, dense or a `SparseTensor`
        with rows that differ in their number; or `[...]`, one each.
      predictions: scores `[..., classes]`.
      k: how many of the best are looked at.
      weights: a scalar, or a tensor `[...]`, with sizes of 1 or the same; 1 by default.
      metrics_collections, updates_collections, name: as for `hf.metrics.mean`.

    Returns: the mean, a float64 scalar, and an operation that takes the examples in and gives it.

    Raises:
      ValueError: if shapes do not fit, or k is below 1.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     value, _ = hf.metrics.average_precision_at_k([[0, 2]], [[0.5, 0.3, 0.2]], 3)
    ...     print(value.numpy().round(4))
    0.8333
    """
    if k < 1:
        raise ValueError(f"Invalid k={k}.")
    values = (predictions, labels, weights)
    with name_scope(name, _name_at("average_precision", k), values) as scope:
        _, best = top_k(predictions, k)
        value, update = average_precision_of(labels, best, k, weights, scope)
        return finished(value, update, metrics_collections, updates_collections)


def average_precision_of(
    labels: Any, best: Any, k: int, weights: Any, scope: str
) -> tuple[Tensor, Tensor]:
    """The mean over examples of the average precision of classes in order, and its update."""
    each = _average_precision(labels, best, k)
    if weights is not None:
        weights = broadcast_weights(to_double(weights), each)
        each = multiply(each, weights)
    number = to_double(size(each)) if weights is None else reduce_sum(weights)
    most, most_update = _total("max", number)
    total, total_update = _total("total", reduce_sum(each))
    return _mean_of(total, most, "mean"), _mean_of(total_update, most_update, scope)


def _average_precision(labels: Any, best: Any, k: int) -> Tensor:
    """The average precision of each example."""
    with name_scope(None, "average_precision", (best, labels)) as scope:
        best = to_int64(best)
        labels, present = _rows(_expanded(labels, best))
        right = to_double(_within(best, labels))
        precisions = div(cumsum(right, axis=-1), cumsum(ones_like(right), axis=-1))
        sums = reduce_sum(multiply(precisions, right), axis=-1)
        if present is None:
            sizes = shape(labels)
            number = fill(sizes[:-1], to_double(minimum(sizes[-1], k)))
        else:
            different = reduce_sum(to_int64(logical_and(_first(labels), present)), axis=-1)
            number = to_double(minimum(different, to_int64(k)))
        return div(sums, number, name=scope)


def _total(name: str, value: Tensor) -> tuple[Any, Any]:
    """A local variable with the sum of all values, and its update."""
    with name_scope(None, name, (value,)) as scope:
        variable = metric_variable(scope, dtype=dtypes.float64)
        return variable, assign_add(variable, value, name="update")


def _mean_of(total: Any, number: Any, name: str) -> Tensor:
    quotient = div(total, number)
    return where(equal(number, 0.0), zeros_like(quotient), quotient, name=name)


def sparse_average_precision_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Deprecated: `average_precision_at_k`."""
    _deprecated("sparse_average_precision_at_k", "average_precision_at_k")
    rest = (weights, metrics_collections, updates_collections, name)
    return average_precision_at_k(labels, predictions, k, *rest)


def _deprecated(name: str, other: str) -> None:
    warnings.warn(
        f"hf.metrics.{name} is deprecated. Use hf.metrics.{other}.",
        DeprecationWarning,
        stacklevel=3,
    )
