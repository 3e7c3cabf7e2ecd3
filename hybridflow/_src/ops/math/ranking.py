"""Counting values, and finding the largest ones of each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, Sample, no_gradient, not_differentiable
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.allocation import allocatable, number_of
from hybridflow._src.ops.families import INDICES, REALS
from hybridflow._src.ops.grad_helpers import all_axes, shape_of

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["TopKV2", "bincount", "in_top_k", "top_k"]


# -- TopKV2 ----------------------------------------------------------------------------------------


def _top_k_shape(attrs: dict[str, Any], x: Tensor, k: Tensor) -> list[Any]:
    dims = shape_rules.with_rank_at_least(x, 1)
    shape_rules.with_rank(k, 0)
    count = constant_value(k)
    if dims is None:
        return [None, None]
    if count is not None:
        if count < 0:
            raise ValueError(f"Need k >= 0, got {count}")
        if dims[-1] is not None and dims[-1] < count:
            raise ValueError(f"input must have last dimension >= k = {count} but is {dims[-1]}")
    result = (*dims[:-1], None if count is None else int(count))
    return [result, result]


def _top_k_arrays(x: np.ndarray, k: np.ndarray, sorted: bool) -> tuple[np.ndarray, np.ndarray]:
    count = number_of(k, "k")
    if count < 0:
        raise InvalidArgumentError(None, None, f"Need k >= 0, got {count}")
    if not x.ndim or count > x.shape[-1]:
        raise InvalidArgumentError(
            None, None, f"input must have at least k = {count} columns, got shape {x.shape}"
        )
    # A stable sort of the reversed rows leaves, of equal elements, the first one last.
    order = np.argsort(x[..., ::-1], axis=-1, kind="stable")[..., ::-1]
    indices = (x.shape[-1] - 1 - order)[..., :count]
    return np.take_along_axis(x, indices, axis=-1), indices.astype(np.int32)


def _top_k_grad(op: Any, dvalues: Tensor | None, dindices: Any) -> tuple[Any, None]:
    if dvalues is None:
        return None, None
    x, indices = op.inputs[0], op.outputs[1]
    shape = convert_to_tensor(shape_of(x))
    width = raw.Reshape(raw.StridedSlice(shape, [-1], [0], [1], end_mask=1), [])
    # As one long row: what flows to an element goes where the row of its own starts, and on.
    size = raw.Size(x)
    starts = raw.Range(0, size, raw.Maximum(width, 1))
    places = raw.Reshape(
        indices, raw.Pack([raw.Size(starts), raw.Cast(op.inputs[1], DstT=dtypes.int32)], axis=0)
    )
    places = places + raw.ExpandDims(starts, 1)
    flat = raw.UnsortedSegmentSum(raw.Reshape(dvalues, [-1]), raw.Reshape(places, [-1]), size)
    return raw.Reshape(flat, shape), None


# Up to this many the largest ones are found by a heap; more are sorted quicker by NumPy.
_MOST_IN_HEAP = 1000


def _native_top_k(b: Any, x: Any, k: Any, sorted: bool) -> Any:
    count = int(b.known(k))
    if count > _MOST_IN_HEAP:
        raise b.unsupported("a sort")
    return b.largest_of_rows(x, count)


def _top_k_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for shape, k in (((2, 4), 2), ((5,), 3), ((2, 2, 3), 1), ((0, 2), 1), ((2, 3), 0)):
            x = rng.permutation(int(np.prod(shape))).reshape(shape).astype(dtype)
            yield Sample(x, np.array(k, np.int32))
    # Many that are equal.
    equal = rng.integers(0, 9, (3, 50))
    for x in (equal.astype(np.float32), equal.astype(np.int32)):
        for k in (1, 7, 50):
            yield Sample(x, np.array(k, np.int32), differentiable=False)


_top_k = OpDef(
    "TopKV2",
    "input: T, k: int32 -> values: T, indices: int32",
    types={"T": REALS},
    attrs={"sorted": True},
    shape=_top_k_shape,
    compute=_top_k_arrays,
    grad=_top_k_grad,
    samples=_top_k_samples,
    native=_native_top_k,
)


# -- InTopKV2 --------------------------------------------------------------------------------------


def _in_top_k_shape(
    attrs: dict[str, Any], predictions: Tensor, targets: Tensor, k: Tensor
) -> shape_rules.Dims:
    rows, _ = shape_rules.with_rank(predictions, 2)
    (count,) = shape_rules.with_rank(targets, 1)
    shape_rules.with_rank(k, 0)
    return (shape_rules.same_size(rows, count),)


def _in_top_k_arrays(predictions: np.ndarray, targets: np.ndarray, k: np.ndarray) -> np.ndarray:
    if predictions.ndim != 2 or targets.shape != predictions.shape[:1]:
        raise ValueError(
            f"predictions of shape {predictions.shape} and targets of shape {targets.shape} "
            "do not fit"
        )
    wrong = np.flatnonzero((targets < 0) | (targets >= predictions.shape[1]))
    if wrong.size:
        raise InvalidArgumentError(None, None, f"targets[{wrong[0]}] is out of range")
    own = predictions[np.arange(len(targets)), targets][:, None]
    better = np.add.reduce(predictions > own, axis=1)
    return (better < number_of(k, "k")) & np.isfinite(predictions).all(axis=1)


def _in_top_k_samples(rng: np.random.Generator) -> Iterable[Sample]:
    predictions = rng.uniform(0, 1, (3, 4)).astype(np.float32)
    for index in (np.int32, np.int64):
        yield Sample(predictions, np.array([0, 3, 1], index), np.array(2, index))


_in_top_k = OpDef(
    "InTopKV2",
    "predictions: float32, targets: T, k: T -> precision: bool",
    types={"T": INDICES},
    shape=_in_top_k_shape,
    compute=_in_top_k_arrays,
    grad=not_differentiable,
    samples=_in_top_k_samples,
)


# -- Bincount --------------------------------------------------------------------------------------


def _bincount_shape(
    attrs: dict[str, Any], arr: Tensor, size: Tensor, weights: Tensor
) -> shape_rules.Dims:
    shape_rules.with_rank(size, 0)
    count = constant_value(size)
    if count is not None and count < 0:
        raise ValueError(f"size ({count}) must be non-negative")
    return (None if count is None else int(count),)


def _bincount_arrays(arr: np.ndarray, size: np.ndarray, weights: np.ndarray) -> np.ndarray:
    values = arr.ravel()
    if values.size and values.min() < 0:
        raise InvalidArgumentError(None, None, "Input arr must be non-negative!")
    count = number_of(size, "size")
    counted = values < count
    bins = np.zeros(allocatable("Bincount", [count], weights.dtype), weights.dtype)
    if weights.size == 0:
        np.add.at(bins, values[counted], weights.dtype.type(1))
    elif weights.shape == arr.shape:
        np.add.at(bins, values[counted], weights.ravel()[counted])
    else:
        raise InvalidArgumentError(
            None, None, f"weights of shape {weights.shape} do not fit arr of shape {arr.shape}"
        )
    return bins


def _bincount_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.int32):
        arr = rng.integers(0, 4, (2, 3)).astype(np.int32)
        for size in (2, 5):
            weights = rng.uniform(1, 4, (2, 3)).astype(dtype)
            for given in (weights, np.zeros(0, dtype)):
                yield Sample(arr, np.array(size, np.int32), given, differentiable=False)


_bincount = OpDef(
    "Bincount",
    "arr: int32, size: int32, weights: T -> bins: T",
    types=(dtypes.int32, dtypes.int64, dtypes.float32, dtypes.float64),
    shape=_bincount_shape,
    compute=_bincount_arrays,
    grad=no_gradient,
    samples=_bincount_samples,
)


# -- public functions ------------------------------------------------------------------------------


class TopKV2(NamedTuple):
    """What `top_k` gives: the largest values of each row, and their indices."""

    values: Tensor
    indices: Tensor


def top_k(input: Any, k: Any = 1, sorted: bool = True, name: str | None = None) -> TopKV2:
    """The `k` largest elements of each row, in falling order, and where they stand.

    Args:
      input: tensor `[..., n]` of a real dtype.
      k: scalar int32, at most `n`.
      sorted: accepted for compatibility: the elements come in falling order anyway.
      name: name of the op.

    Returns: a named tuple of `values` `[..., k]` of the same dtype, and int32 `indices` `[..., k]`.
      Of equal elements those with lower indices come first.

    Raises:
      ValueError: if a row has fewer than `k` elements.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     values, indices = hf.nn.top_k([1, 7, 3, 7], 3)
    ...     print(values.numpy(), indices.numpy())
    [7 7 3] [1 3 2]
    """
    return TopKV2(*_top_k(input, k, sorted=sorted, name=name))


def in_top_k(predictions: Any, targets: Any, k: Any, name: str | None = None) -> Tensor:
    """Whether for each row the target is among the `k` best predictions, ties included.

    Args:
      predictions: float32 matrix `[batch, classes]`.
      targets: int32 or int64 vector `[batch]` of classes.
      k: scalar int.
      name: name of the scope.

    Returns: a bool vector `[batch]`; False for rows that are not all finite.

    Raises:
      InvalidArgumentError: if a target is not in `[0, classes)`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.nn.in_top_k([[0.1, 0.9], [0.8, 0.2]], [1, 1], 1).numpy())
    [ True False]
    """
    with name_scope(name, "in_top_k"):
        return _in_top_k(predictions, targets, k)


def bincount(
    arr: Any,
    weights: Any = None,
    minlength: Any = None,
    maxlength: Any = None,
    dtype: Any = dtypes.int32,
) -> Tensor:
    """How often each of 0, 1, 2, ... occurs, or the sum of the weights of its occurrences.

    Args:
      arr: int32 tensor of any shape, without negative values.
      weights: tensor of the same shape, or None for weights of 1.
      minlength: the least length of the result; it is filled up with 0.
      maxlength: the largest length: larger values are not counted.
      dtype: dtype of the result, if there are no weights.

    Returns: a vector of the dtype of the weights, as long as the largest value plus 1.

    Raises:
      InvalidArgumentError: if a value is negative.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.bincount([1, 1, 3]).numpy())
    [0 2 0 1]
    """
    arr = convert_to_tensor(arr, dtypes.int32, name="arr")
    nonempty = raw.Greater(raw.Prod(raw.Shape(arr), [0]), 0)
    size = raw.Cast(nonempty, DstT=dtypes.int32) * (raw.Max(arr, all_axes(arr)) + 1)
    if minlength is not None:
        size = raw.Maximum(convert_to_tensor(minlength, dtypes.int32, name="min_length"), size)
    if maxlength is not None:
        size = raw.Minimum(convert_to_tensor(maxlength, dtypes.int32, name="max_length"), size)
    if weights is None:
        weights = convert_to_tensor(np.zeros(0, dtypes.as_dtype(dtype).np), name="Const")
    return _bincount(arr, size, weights)
