"""What all metrics share: variables, scopes, weights, quotients, collections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.graph_keys import GraphKeys, add_to_collections
from hybridflow._src.framework.tensor_shape import dimension_at_index
from hybridflow._src.ops.arrays.casting import to_float
from hybridflow._src.ops.arrays.constant import zeros, zeros_like
from hybridflow._src.ops.arrays.reshaping import expand_dims, squeeze
from hybridflow._src.ops.arrays.selecting import where
from hybridflow._src.ops.arrays.shape_ops import rank
from hybridflow._src.ops.checks.weights import broadcast_weights
from hybridflow._src.ops.control_flow.conditional import cond
from hybridflow._src.ops.math.comparison import equal, greater
from hybridflow._src.ops.math.confusion import remove_squeezable_dimensions
from hybridflow._src.ops.math.division import truediv
from hybridflow._src.variables.getting import get_variable
from hybridflow._src.variables.initializers import Zeros
from hybridflow._src.variables.scope import variable_scope
from hybridflow._src.variables.variable import Variable, variables_are_eager

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

_KEYS = (GraphKeys.LOCAL_VARIABLES, GraphKeys.METRIC_VARIABLES)


def metric_scope(name: str | None, default_name: str, values: Any) -> variable_scope:
    """The variable scope of a metric.

    In a graph each call has variables of its own. In eager mode they are found by name: a metric
    goes on where the last call of that name stopped.
    """
    if variables_are_eager():
        return variable_scope(name or default_name)
    return variable_scope(name, default_name, values)


def metric_variable(name: str, shape: Any = (), dtype: Any = dtypes.float32) -> Any:
    """A local variable that starts at zero, in the name scope that is open."""
    if variables_are_eager():
        return get_variable(
            name.removesuffix("/"),
            shape,
            dtype,
            initializer=Zeros(),
            trainable=False,
            collections=_KEYS,
        )
    return Variable(lambda: zeros(shape, dtype), trainable=False, collections=_KEYS, name=name)


def finished(value: Any, update: Any, metrics_collections: Any, updates_collections: Any) -> Any:
    """A metric's value and update, which join collections; not in eager mode."""
    if not variables_are_eager():
        if metrics_collections:
            add_to_collections(metrics_collections, value)
        if updates_collections:
            add_to_collections(updates_collections, update)
    return value, update


def safe_div(numerator: Any, denominator: Any, name: str) -> Tensor:
    """The quotient, 0 where the denominator is not above 0."""
    quotient = truediv(numerator, denominator)
    return where(greater(denominator, 0), quotient, zeros_like(quotient), name=name)


def fitted(predictions: Any, labels: Any, weights: Any) -> tuple[Tensor, Tensor, Tensor | None]:
    """Predictions, labels and weights with ranks that fit: a last dimension of 1 comes or goes."""
    labels, predictions = remove_squeezable_dimensions(labels, predictions)
    predictions.shape.assert_is_compatible_with(labels.shape)
    if weights is None:
        return predictions, labels, None
    return predictions, labels, fitted_weights(weights, predictions)


def fitted_weights(weights: Any, predictions: Tensor) -> Any:
    """Weights with a rank that fits predictions or values."""
    weights = convert_to_tensor(weights)
    ndims = weights.shape.ndims
    if ndims == 0:
        return weights
    wanted = predictions.shape.ndims
    if wanted is not None and ndims is not None:
        if ndims - wanted == 1:
            return squeeze(weights, [-1])
        return expand_dims(weights, -1) if wanted - ndims == 1 else weights
    more = rank(weights) - rank(predictions)
    may_squeeze = ndims is None or dimension_at_index(weights.shape, -1).is_compatible_with(1)
    return cond(
        equal(rank(weights), 0),
        lambda: weights,
        lambda: cond(
            equal(more, 1),
            lambda: squeeze(weights, [-1]) if may_squeeze else weights,
            lambda: cond(equal(more, -1), lambda: expand_dims(weights, -1), lambda: weights),
        ),
    )


def float_weights(weights: Any, values: Tensor) -> Tensor:
    """Weights as float32, in the shape of `values`."""
    return broadcast_weights(to_float(weights), values)
