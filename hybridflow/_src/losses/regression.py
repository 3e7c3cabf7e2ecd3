"""Losses of predicted values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.graph_keys import GraphKeys
from hybridflow._src.framework.scopes import control_dependencies, name_scope
from hybridflow._src.losses.arguments import floats, given
from hybridflow._src.losses.collecting import add_loss
from hybridflow._src.losses.weighting import (
    Reduction,
    compute_weighted_loss,
    num_present,
    safe_div,
)
from hybridflow._src.ops.arrays.casting import to_float
from hybridflow._src.ops.arrays.constant import zeros_like
from hybridflow._src.ops.arrays.selecting import where
from hybridflow._src.ops.arrays.sequences import range
from hybridflow._src.ops.arrays.shape_ops import rank
from hybridflow._src.ops.checks.weights import assert_broadcastable
from hybridflow._src.ops.math.comparison import greater
from hybridflow._src.ops.math.elementwise import (
    abs,
    minimum,
    multiply,
    square,
    squared_difference,
    subtract,
)
from hybridflow._src.ops.math.exponential import log
from hybridflow._src.ops.math.reductions import reduce_sum

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "absolute_difference",
    "cosine_distance",
    "huber_loss",
    "log_loss",
    "mean_pairwise_squared_error",
    "mean_squared_error",
]


def absolute_difference(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """`|predictions - labels|`, weighted and reduced.

    Args:
      labels: what is right, a tensor of the shape of `predictions`.
      predictions: what is predicted.
      weights, scope, loss_collection, reduction: as for `compute_weighted_loss`.

    Returns: a float32 tensor: a scalar, with `Reduction.NONE` of the shape of `labels`.

    Raises:
      ValueError: if shapes do not fit, or labels or predictions are None.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.losses.absolute_difference([1.0, 2.0], [1.0, 4.0]).numpy())
    1.0
    """
    given(labels=labels, predictions=predictions)
    with name_scope(scope, "absolute_difference", (predictions, labels, weights)) as scope:
        labels, predictions = floats(labels, predictions)
        losses = abs(subtract(predictions, labels))
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def cosine_distance(
    labels: Any,
    predictions: Any,
    axis: Any = None,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
    dim: Any = None,
) -> Tensor:
    """`1 - sum(predictions * labels)` along an axis: 1 less the cosine, for vectors of length 1.

    Args:
      labels: what is right, a tensor of the shape of `predictions`; vectors along `axis` are taken
        to have length 1.
      predictions: what is predicted, vectors of length 1 too.
      axis: the axis of the vectors.
      weights: a scalar, or a tensor of the same rank whose size along `axis` is 1 and whose other
        sizes are 1 or those of `labels`.
      scope, loss_collection, reduction: as for `compute_weighted_loss`.
      dim: TF 1.4's name for `axis`.

    Returns: a float32 tensor: a scalar, with `Reduction.NONE` of the shape of `labels` with size 1
      along `axis`.

    Raises:
      ValueError: if shapes do not fit, labels or predictions are None, or not exactly one of `axis`
        and `dim` is given.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.losses.cosine_distance([[0.0, 1.0]], [[0.6, 0.8]], axis=1).numpy().round(4))
    0.2
    """
    if dim is not None and axis is not None:
        raise ValueError("Cannot specify both 'axis' and 'dim'")
    axis = dim if axis is None else axis
    if axis is None:
        raise ValueError("You must specify 'axis'.")
    given(labels=labels, predictions=predictions)
    with name_scope(scope, "cosine_distance_loss", (predictions, labels, weights)) as scope:
        labels, predictions = floats(labels, predictions)
        products = multiply(predictions, labels)
        losses = 1 - reduce_sum(products, axis=(axis,), keep_dims=True)
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def huber_loss(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    delta: float = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Huber's loss: quadratic for small errors, linear for large ones.

    `0.5 e^2` where `|e| <= delta`, else `delta (|e| - 0.5 delta)`, with `e = predictions - labels`.

    Args:
      labels: what is right, a tensor of the shape of `predictions`.
      predictions: what is predicted.
      weights, scope, loss_collection, reduction: as for `compute_weighted_loss`.
      delta: the error from which on the loss is linear.

    Returns: a float32 tensor: a scalar, with `Reduction.NONE` of the shape of `labels`.

    Raises:
      ValueError: if shapes do not fit, or labels or predictions are None.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.losses.huber_loss([0.0, 0.0], [0.5, 3.0], reduction="none").numpy())
    [0.125 2.5  ]

    References: P. J. Huber, Robust Estimation of a Location Parameter, 1964.
    """
    given(labels=labels, predictions=predictions)
    with name_scope(scope, "huber_loss", (predictions, labels, weights)) as scope:
        labels, predictions = floats(labels, predictions)
        errors = abs(subtract(predictions, labels))
        # max(error - delta, 0) as a difference: at delta its gradient is 0, not 1 in addition to
        # that of the quadratic part.
        quadratic = minimum(errors, delta)
        linear = errors - quadratic
        losses = 0.5 * quadratic**2 + delta * linear
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def log_loss(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    epsilon: float = 1e-7,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """`-y log(p + epsilon) - (1 - y) log(1 - p + epsilon)` for labels y and probabilities p.

    Args:
      labels: what is right, 0 or 1, a tensor of the shape of `predictions`.
      predictions: probabilities of 1.
      weights, scope, loss_collection, reduction: as for `compute_weighted_loss`.
      epsilon: keeps the logarithm from 0.

    Returns: a float32 tensor: a scalar, with `Reduction.NONE` of the shape of `labels`.

    Raises:
      ValueError: if shapes do not fit, or labels or predictions are None.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.losses.log_loss([1.0, 0.0], [0.9, 0.1]).numpy().round(4))
    0.1054
    """
    given(labels=labels, predictions=predictions)
    with name_scope(scope, "log_loss", (predictions, labels, weights)) as scope:
        labels, predictions = floats(labels, predictions)
        ones = multiply(labels, log(predictions + epsilon))
        zeros = multiply(1 - labels, log(1 - predictions + epsilon))
        losses = -ones - zeros
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def mean_pairwise_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
) -> Tensor:
    """The mean squared error of the differences between all pairs of elements of an example.

    For labels `a, b, c` and predictions `x, y, z` of an example it is
    `(((a-b) - (x-y))^2 + ((a-c) - (x-z))^2 + ((b-c) - (y-z))^2) / 3`. With n errors e it is
    computed as `2 sum(e^2) / (n - 1) - 2 sum(e)^2 / (n (n - 1))`.

    Args:
      labels: what is right, a tensor `[batch, d1, ...]` of the shape of `predictions`.
      predictions: what is predicted.
      weights: a scalar, or a tensor of the same rank with sizes of 1 or the same.
      scope, loss_collection: as for `compute_weighted_loss`.

    Returns: a float32 scalar.

    Raises:
      ValueError: if shapes do not fit, or labels or predictions are None.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.losses.mean_pairwise_squared_error([[1.0, 2.0]], [[1.0, 4.0]]).numpy())
    4.0

    TF 1.4 divides by n^2 / 2 in place of the number of pairs; later versions do not.
    """
    given(labels=labels, predictions=predictions)
    with name_scope(scope, "mean_pairwise_squared_error", (predictions, labels, weights)) as scope:
        weights = to_float(weights)
        labels = to_float(labels)
        with control_dependencies([assert_broadcastable(weights, labels)]):
            labels, predictions = floats(labels, predictions)
            errors = subtract(predictions, labels)
            axes = range(1, rank(errors))
            squares = reduce_sum(square(errors), axis=axes, keep_dims=True)
            counts = num_present(errors, weights, per_batch=True)
            first = 2.0 * safe_div(squares, counts - 1)
            sums = reduce_sum(errors, axis=axes, keep_dims=True)
            second = 2.0 * safe_div(square(sums), multiply(counts, counts - 1))
            loss = reduce_sum(multiply(first - second, weights))
            some = greater(reduce_sum(counts), 0)
            loss = where(some, loss, zeros_like(loss), name="value")
            add_loss(loss, loss_collection)
            return loss


def mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """`(predictions - labels)^2`, weighted and reduced.

    Args:
      labels: what is right, a tensor of the shape of `predictions`.
      predictions: what is predicted.
      weights, scope, loss_collection, reduction: as for `compute_weighted_loss`.

    Returns: a float32 tensor: a scalar, with `Reduction.NONE` of the shape of `labels`.

    Raises:
      ValueError: if shapes do not fit, or labels or predictions are None.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.losses.mean_squared_error([1.0, 2.0], [1.0, 4.0]).numpy())
    2.0
    """
    given(labels=labels, predictions=predictions)
    with name_scope(scope, "mean_squared_error", (predictions, labels, weights)) as scope:
        labels, predictions = floats(labels, predictions)
        losses = squared_difference(predictions, labels)
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)
