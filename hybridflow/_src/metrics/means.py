"""Running means: of values, of errors, of what is right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.scopes import control_dependencies
from hybridflow._src.metrics.state import (
    finished,
    fitted,
    fitted_weights,
    float_weights,
    metric_scope,
    metric_variable,
    safe_div,
)
from hybridflow._src.ops.arrays.casting import cast, to_float
from hybridflow._src.ops.arrays.constant import ones_like, zeros_like
from hybridflow._src.ops.arrays.selecting import where
from hybridflow._src.ops.arrays.shape_ops import size
from hybridflow._src.ops.math.comparison import equal, less
from hybridflow._src.ops.math.confusion import remove_squeezable_dimensions
from hybridflow._src.ops.math.division import div, truediv
from hybridflow._src.ops.math.elementwise import abs, maximum, multiply, square, subtract
from hybridflow._src.ops.math.exponential import sqrt
from hybridflow._src.ops.math.reductions import reduce_sum
from hybridflow._src.variables.updates import assign_add

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "accuracy",
    "mean",
    "mean_absolute_error",
    "mean_cosine_distance",
    "mean_relative_error",
    "mean_squared_error",
    "mean_tensor",
    "percentage_below",
    "root_mean_squared_error",
]


def mean(
    values: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The weighted mean of all values that were ever given.

    Its local variables are `total`, the weighted sum, and `count`, the sum of weights.

    Args:
      values: tensor.
      weights: a scalar, or a tensor of the rank of `values` with sizes of 1 or the same; 1 by
        default, 0 leaves a value out.
      metrics_collections, updates_collections: keys of collections that the results join; not in
        eager mode.
      name: name of the variable scope. In eager mode a metric goes on where the last call of that
        name stopped, so each metric is given a name.

    Returns: the mean, and an operation that takes `values` in and gives the mean with them; 0
      without any. In eager mode they are in, and both are that mean.

    Raises:
      ValueError: if the shapes of `values` and `weights` do not fit.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     x = hf.placeholder(hf.float32, [None])
    ...     value, update = hf.metrics.mean(x)
    ...     session.run(hf.local_variables_initializer())
    ...     for batch in ([1.0, 2.0], [6.0]):
    ...         _ = session.run(update, {x: batch})
    ...     print(session.run(value))
    3.0
    """
    with metric_scope(name, "mean", (values, weights)):
        values = to_float(values)
        total = metric_variable("total")
        count = metric_variable("count")
        if weights is None:
            number = to_float(size(values))
        else:
            weights = float_weights(fitted_weights(weights, values), values)
            values = multiply(values, weights)
            number = reduce_sum(weights)
        total_after = assign_add(total, reduce_sum(values))
        with control_dependencies([values]):
            count_after = assign_add(count, number)
        value = safe_div(total, count, "value")
        update = safe_div(total_after, count_after, "update_op")
        return finished(value, update, metrics_collections, updates_collections)


def mean_tensor(
    values: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The weighted mean of each element over all tensors that were ever given.

    Args:
      values: tensor; of one shape in all calls.
      weights, metrics_collections, updates_collections, name: as for `mean`.

    Returns: the means, of the shape of `values`, and an operation that takes `values` in and gives
      them.

    Raises:
      ValueError: if the shapes of `values` and `weights` do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     for row in ([1.0, 2.0], [3.0, 6.0]):
    ...         value, _ = hf.metrics.mean_tensor(row, name="rows")
    ...     print(value.numpy())
    [2. 4.]
    """
    with metric_scope(name, "mean", (values, weights)):
        values = to_float(values)
        total = metric_variable("total_tensor", values.shape)
        count = metric_variable("count_tensor", values.shape)
        number = ones_like(values)
        if weights is not None:
            weights = float_weights(fitted_weights(weights, values), values)
            values = multiply(values, weights)
            number = multiply(number, weights)
        total_after = assign_add(total, values)
        with control_dependencies([values]):
            count_after = assign_add(count, number)
        value = _element_means(total, count, "value")
        update = _element_means(total_after, count_after, "update_op")
        return finished(value, update, metrics_collections, updates_collections)


def _element_means(total: Any, count: Any, name: str) -> Tensor:
    return truediv(total, maximum(count, ones_like(count), name=name), name=name)


def accuracy(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The weighted share of predictions that equal the labels.

    Args:
      labels: what is right, a tensor of the shape of `predictions`.
      predictions: what is predicted; cast to the dtype of `labels`.
      weights, metrics_collections, updates_collections, name: as for `mean`.

    Returns: the share, and an operation that takes the predictions in and gives it.

    Raises:
      ValueError: if shapes do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     _ = hf.metrics.accuracy([1, 2, 3], [1, 2, 0], name="training")
    ...     value, _ = hf.metrics.accuracy([4], [4], name="training")
    ...     print(value.numpy())
    0.75
    """
    predictions, labels, weights = fitted(predictions, labels, weights)
    if labels.dtype.base_dtype is not predictions.dtype.base_dtype:
        predictions = cast(predictions, labels.dtype)
    right = to_float(equal(predictions, labels))
    return mean(right, weights, metrics_collections, updates_collections, name or "accuracy")


def mean_absolute_error(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The weighted mean of `|predictions - labels|`.

    Args:
      labels: what is right, a tensor of the shape of `predictions`.
      predictions: what is predicted.
      weights, metrics_collections, updates_collections, name: as for `mean`.

    Returns: the mean, and an operation that takes the errors in and gives it.

    Raises:
      ValueError: if shapes do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     print(hf.metrics.mean_absolute_error([1.0, 2.0], [1.0, 4.0])[0].numpy())
    1.0
    """
    predictions, labels, weights = fitted(predictions, labels, weights)
    errors = abs(predictions - labels)
    name = name or "mean_absolute_error"
    return mean(errors, weights, metrics_collections, updates_collections, name)


def mean_cosine_distance(
    labels: Any,
    predictions: Any,
    dim: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The weighted mean of `1 - sum(predictions * labels)` along an axis.

    Args:
      labels: vectors of length 1 along `dim`, a tensor of the shape of `predictions`.
      predictions: vectors of length 1 along `dim`.
      dim: their axis.
      weights: as for `mean`, with size 1 along `dim`.
      metrics_collections, updates_collections, name: as for `mean`.

    Returns: the mean, and an operation that takes the distances in and gives it.

    Raises:
      ValueError: if shapes do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     value, _ = hf.metrics.mean_cosine_distance([[0.0, 1.0]], [[0.6, 0.8]], 1)
    ...     print(value.numpy().round(4))
    0.2
    """
    predictions, labels, weights = fitted(predictions, labels, weights)
    products = reduce_sum(multiply(predictions, labels), axis=[dim], keep_dims=True)
    cosine, after = mean(products, weights, None, None, name or "mean_cosine_distance")
    return finished(
        subtract(1.0, cosine), subtract(1.0, after), metrics_collections, updates_collections
    )


def mean_relative_error(
    labels: Any,
    predictions: Any,
    normalizer: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The weighted mean of `|labels - predictions| / normalizer`, 0 where the normalizer is 0.

    Args:
      labels: what is right, a tensor of the shape of `predictions`.
      predictions: what is predicted.
      normalizer: tensor of the same shape.
      weights, metrics_collections, updates_collections, name: as for `mean`.

    Returns: the mean, and an operation that takes the errors in and gives it.

    Raises:
      ValueError: if shapes do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     value, _ = hf.metrics.mean_relative_error([1.0, 4.0], [2.0, 2.0], [1.0, 4.0])
    ...     print(value.numpy())
    0.75
    """
    predictions, labels, weights = fitted(predictions, labels, weights)
    predictions, normalizer = remove_squeezable_dimensions(predictions, normalizer)
    predictions.shape.assert_is_compatible_with(normalizer.shape)
    errors = div(abs(labels - predictions), normalizer)
    errors = where(equal(normalizer, 0.0), zeros_like(labels), errors)
    name = name or "mean_relative_error"
    return mean(errors, weights, metrics_collections, updates_collections, name)


def mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The weighted mean of `(labels - predictions)^2`.

    Args:
      labels: what is right, a tensor of the shape of `predictions`.
      predictions: what is predicted.
      weights, metrics_collections, updates_collections, name: as for `mean`.

    Returns: the mean, and an operation that takes the errors in and gives it.

    Raises:
      ValueError: if shapes do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     print(hf.metrics.mean_squared_error([1.0, 2.0], [1.0, 4.0])[0].numpy())
    2.0
    """
    predictions, labels, weights = fitted(predictions, labels, weights)
    errors = square(labels - predictions)
    name = name or "mean_squared_error"
    return mean(errors, weights, metrics_collections, updates_collections, name)


def root_mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The square root of the weighted mean of `(labels - predictions)^2`.

    Args:
      labels: what is right, a tensor of the shape of `predictions`.
      predictions: what is predicted.
      weights, metrics_collections, updates_collections, name: as for `mean`.

    Returns: the root, and an operation that takes the errors in and gives it.

    Raises:
      ValueError: if shapes do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     print(hf.metrics.root_mean_squared_error([1.0, 1.0], [3.0, 3.0])[0].numpy())
    2.0
    """
    name = name or "root_mean_squared_error"
    squares, after = mean_squared_error(labels, predictions, weights, None, None, name)
    return finished(sqrt(squares), sqrt(after), metrics_collections, updates_collections)


def percentage_below(
    values: Any,
    threshold: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The weighted share of values that are below a threshold.

    Args:
      values: tensor.
      threshold: scalar.
      weights, metrics_collections, updates_collections, name: as for `mean`.

    Returns: the share, in [0, 1], and an operation that takes the values in and gives it.

    Raises:
      ValueError: if shapes do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     print(hf.metrics.percentage_below([1.0, 2.0, 3.0, 4.0], 2.0)[0].numpy())
    0.25
    """
    below = to_float(less(values, threshold))
    name = name or "percentage_below_threshold"
    return mean(below, weights, metrics_collections, updates_collections, name)
