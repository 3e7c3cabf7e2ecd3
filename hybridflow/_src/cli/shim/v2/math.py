"""`tensorflow.compat.v2.math`: functions with the arguments that they have there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.math import arg_reductions, confusion, ranking, summing

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["bincount", "confusion_matrix", "count_nonzero", "in_top_k", "scalar_mul"]


def bincount(
    arr: Any,
    weights: Any = None,
    minlength: Any = None,
    maxlength: Any = None,
    dtype: Any = dtypes.int32,
    name: str | None = None,
) -> Tensor:
    """How often each number from 0 occurs."""
    with name_scope(name, "bincount"):
        return ranking.bincount(arr, weights, minlength, maxlength, dtype)


def confusion_matrix(
    labels: Any,
    predictions: Any,
    num_classes: Any = None,
    weights: Any = None,
    dtype: Any = dtypes.int32,
    name: str | None = None,
) -> Tensor:
    """How often each class was taken for which."""
    return confusion.confusion_matrix(labels, predictions, num_classes, dtype, name, weights)


def count_nonzero(
    input: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    dtype: Any = dtypes.int64,
    name: str | None = None,
) -> Tensor:
    """The number of elements that are not zero."""
    return arg_reductions.count_nonzero(input, axis, keepdims, dtype, name)


def in_top_k(targets: Any, predictions: Any, k: Any, name: str | None = None) -> Tensor:
    """Whether targets are among the k largest predictions."""
    return ranking.in_top_k(predictions, targets, k, name)


def scalar_mul(scalar: Any, x: Any, name: str | None = None) -> Any:
    """A scalar times a tensor."""
    with name_scope(name, "scalar_mul"):
        return summing.scalar_mul(scalar, x)
