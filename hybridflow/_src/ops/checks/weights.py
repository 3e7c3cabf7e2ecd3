"""Weights of losses and metrics: scalars, or of the values' rank with sizes of 1 or the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import control_dependencies, name_scope
from hybridflow._src.ops.arrays.constant import ones_like
from hybridflow._src.ops.arrays.shape_ops import rank, shape
from hybridflow._src.ops.control_flow.conditional import cond
from hybridflow._src.ops.control_flow.debugging import Assert
from hybridflow._src.ops.control_flow.ordering import no_op
from hybridflow._src.ops.math.comparison import equal, logical_or
from hybridflow._src.ops.math.elementwise import multiply
from hybridflow._src.ops.math.reductions import reduce_all

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

_PREFIX = "weights can not be broadcast to values."


def assert_broadcastable(weights: Any, values: Any) -> Any:
    """Asserts that `weights` are a scalar, or of the rank of `values` with sizes of 1 or the same.

    Returns: an operation, one that does nothing where the shapes are known; None in eager mode.

    Raises:
      ValueError: if it is known that the shapes do not fit. InvalidArgumentError: when the
        operation runs.
    """
    with name_scope(None, "assert_broadcastable", (weights, values)) as scope:
        with name_scope(None, "weights", (weights,)) as weights_scope:
            weights = convert_to_tensor(weights, name=weights_scope)
        with name_scope(None, "values", (values,)) as values_scope:
            values = convert_to_tensor(values, name=values_scope)
        if weights.shape.ndims is None or values.shape.ndims is None:
            return _when_run(weights, values, scope)
        if weights.shape.ndims == 0:
            return no_op(name="static_scalar_check_success")
        if weights.shape.ndims != values.shape.ndims:
            raise ValueError(
                f"{_PREFIX} values.rank={values.shape.ndims}. weights.rank={weights.shape.ndims}. "
                f"values.shape={values.shape}. weights.shape={weights.shape}."
            )
        sizes = list(zip(weights.shape.as_list(), values.shape.as_list(), strict=True))
        for index, (size, wanted) in enumerate(sizes):
            if size not in (1, wanted, None) and wanted is not None:
                raise ValueError(
                    f"{_PREFIX} Mismatch at dim {index}. values.shape={values.shape} "
                    f"weights.shape={weights.shape}."
                )
        if any(size != 1 and (size is None or wanted is None) for size, wanted in sizes):
            return _when_run(weights, values, scope)
        return no_op(name="static_dims_check_success")


def _when_run(weights: Tensor, values: Tensor, scope: str) -> Any:
    """The check where shapes are known only when it runs."""
    weights_shape, values_shape = shape(weights), shape(values)
    is_scalar = equal(0, rank(weights), name="is_scalar")
    is_same_rank = equal(rank(values), rank(weights), name="is_same_rank")
    fits = cond(
        is_scalar,
        lambda: is_scalar,
        lambda: cond(
            is_same_rank,
            lambda: reduce_all(
                logical_or(equal(weights_shape, 1), equal(weights_shape, values_shape))
            ),
            lambda: is_same_rank,
        ),
        name="is_valid_shape",
    )
    data = [_PREFIX, "weights.shape=", weights.name, weights_shape]
    data += ["values.shape=", values.name, values_shape, "is_scalar=", is_scalar]
    return Assert(fits, data, name=scope)


def broadcast_weights(weights: Any, values: Any) -> Tensor:
    """`weights` in the shape of `values`, by the rules of `assert_broadcastable`."""
    with name_scope(None, "broadcast_weights", (weights, values)) as scope:
        values = convert_to_tensor(values, name="values")
        weights = convert_to_tensor(weights, dtype=values.dtype.base_dtype, name="weights")
        known = weights.shape.is_fully_defined() and values.shape.is_fully_defined()
        if known and weights.shape.is_compatible_with(values.shape):
            return weights
        with control_dependencies([assert_broadcastable(weights, values)]):
            return multiply(weights, ones_like(values), name=scope)
