"""Vectors by value: unique, and tensors dealt out and put together again by number."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample, no_gradient
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import merge
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.allocation import allocatable
from hybridflow._src.ops.families import INDICES
from hybridflow._src.ops.grad_helpers import shape_of

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["dynamic_partition", "dynamic_stitch", "unique", "unique_with_counts"]


# -- unique ----------------------------------------------------------------------------------------


class Unique(NamedTuple):
    """What `unique` gives."""

    y: Tensor
    idx: Tensor


class UniqueWithCounts(NamedTuple):
    """What `unique_with_counts` gives."""

    y: Tensor
    idx: Tensor
    count: Tensor  # type: ignore[assignment] # TF's name, which hides tuple.count


def _unique_shape(attrs: dict[str, Any], x: Tensor) -> list[shape_rules.Dims]:
    return [(None,), shape_rules.with_rank(x, 1)]


def _unique(x: np.ndarray, out_idx: dtypes.DType) -> tuple[np.ndarray, ...]:
    return _unique_with_counts(x, out_idx)[:2]


def _unique_with_counts(x: np.ndarray, out_idx: dtypes.DType) -> tuple[np.ndarray, ...]:
    if x.ndim != 1:
        raise ValueError("unique expects a 1D vector.")
    # NumPy gives the values sorted: put them in the order in which they first came.
    values, first, inverse, counts = np.unique(
        x, return_index=True, return_inverse=True, return_counts=True, equal_nan=False
    )
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    integer = out_idx.np
    return values[order], place[inverse].astype(integer), counts[order].astype(integer)


def _unique_samples(rng: np.random.Generator) -> Iterable[Sample]:
    yield Sample(np.array([3, 1, 3, 2, 1], np.int32))
    yield Sample(np.array([2.5, 2.5, -1.0], np.float32), out_idx=dtypes.int64)
    yield Sample(np.array([np.nan, 1.0, np.nan]))
    yield Sample(np.zeros(0))


_unique_op = OpDef(
    "Unique",
    "x: T -> y: T, idx: out_idx",
    attrs={"out_idx": dtypes.int32},
    shape=_unique_shape,
    compute=_unique,
    grad=no_gradient,
    samples=_unique_samples,
)
_unique_with_counts_op = OpDef(
    "UniqueWithCounts",
    "x: T -> y: T, idx: out_idx, count: out_idx",
    attrs={"out_idx": dtypes.int32},
    shape=lambda attrs, x: [*_unique_shape(attrs, x), (None,)],
    compute=_unique_with_counts,
    grad=no_gradient,
    samples=_unique_samples,
)


def _unique_slices(
    x: np.ndarray, axis: np.ndarray, out_idx: dtypes.DType
) -> tuple[np.ndarray, ...]:
    if axis.ndim != 1 or axis.size > 1:
        raise InvalidArgumentError(
            None, None, f"axis expects a vector of at most one number, got {axis.tolist()}"
        )
    if not axis.size:
        if x.ndim != 1:
            raise InvalidArgumentError(
                None, None, f"unique expects a 1D vector where it has no axis, got {x.ndim}D"
            )
        return _unique_with_counts(x, out_idx)
    at = int(axis[0])
    if not -x.ndim <= at < x.ndim:
        raise InvalidArgumentError(
            None, None, f"axis has to be between [{-x.ndim}, {x.ndim}), got {at}"
        )
    slices = np.moveaxis(x, at, 0)
    # As Python's values, of which NaN equals none and bytes have their length.
    places: dict[Any, int] = {}
    rows = map(tuple, slices.reshape(len(slices), math.prod(slices.shape[1:])).tolist())
    inverse = np.array([places.setdefault(row, len(places)) for row in rows], out_idx.np)
    counts = np.bincount(inverse, minlength=len(places)).astype(out_idx.np)
    first = np.unique(inverse, return_index=True)[1]
    return np.ascontiguousarray(np.moveaxis(slices[first], 0, at)), inverse, counts


def _unique_slices_shape(attrs: dict[str, Any], x: Tensor, axis: Tensor) -> list[shape_rules.Dims]:
    shape_rules.with_rank(axis, 1)
    dims, at = x._dims, constant_value(axis)
    if dims is None:
        return [None, (None,)]
    if at is not None and at.size == 1 and -len(dims) <= at[0] < len(dims):
        sizes = list(dims)
        along, sizes[int(at[0])] = sizes[int(at[0])], None
        return [tuple(sizes), (along,)]
    return [(None,) * len(dims), dims if len(dims) == 1 else (None,)]


def _unique_slices_samples(rng: np.random.Generator) -> Iterable[Sample]:
    rows = np.array([[3, 1, 3], [2, 1, 2], [3, 1, 3]], np.int32)
    yield Sample(rows, np.array([0]))
    yield Sample(rows, np.array([-1]), out_idx=dtypes.int64)
    yield Sample(np.array([np.nan, 1.0, np.nan, 1.0]), np.array([0], np.int32))
    yield Sample(rows[0], np.zeros(0, np.int64))
    yield Sample(np.zeros((0, 2), np.float32), np.array([0]))


OpDef(
    "UniqueV2",
    "x: T, axis: Taxis -> y: T, idx: out_idx",
    types={"Taxis": INDICES},
    attrs={"out_idx": dtypes.int32},
    shape=_unique_slices_shape,
    compute=lambda x, axis, out_idx: _unique_slices(x, axis, out_idx)[:2],
    grad=no_gradient,
    samples=_unique_slices_samples,
)
OpDef(
    "UniqueWithCountsV2",
    "x: T, axis: Taxis -> y: T, idx: out_idx, count: out_idx",
    types={"Taxis": INDICES},
    attrs={"out_idx": dtypes.int32},
    shape=lambda attrs, x, axis: [*_unique_slices_shape(attrs, x, axis), (None,)],
    compute=_unique_slices,
    grad=no_gradient,
    samples=_unique_slices_samples,
)


def unique(x: Any, out_idx: Any = dtypes.int32, name: str | None = None) -> Unique:
    """The different values in a vector, in the order in which they first come.

    Args:
      x: a vector `[n]`.
      out_idx: int32 or int64.
      name: name of the op.

    Returns: `(y, idx)`: the values, and for each element of `x` its place among them:
      `y[idx[i]] = x[i]`.

    Raises:
      ValueError: if `x` is no vector.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     y, idx = hf.unique([7, 5, 7])
    ...     print(y.numpy(), idx.numpy())
    [7 5] [0 1 0]
    """
    return Unique(*_unique_op(x, out_idx=dtypes.as_dtype(out_idx), name=name))


def unique_with_counts(
    x: Any, out_idx: Any = dtypes.int32, name: str | None = None
) -> UniqueWithCounts:
    """`unique`, and how often each value comes.

    Args:
      x: a vector `[n]`.
      out_idx: int32 or int64.
      name: name of the op.

    Returns: `(y, idx, count)`.

    Raises:
      ValueError: if `x` is no vector.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.unique_with_counts([7, 5, 7]).count.numpy())
    [2 1]
    """
    outputs = _unique_with_counts_op(x, out_idx=dtypes.as_dtype(out_idx), name=name)
    return UniqueWithCounts(*outputs)


# -- dynamic_partition -----------------------------------------------------------------------------


def _partition_shape(
    attrs: dict[str, Any], data: Tensor, partitions: Tensor
) -> list[shape_rules.Dims]:
    count = attrs["num_partitions"]
    dims, parts = data._dims, partitions._dims
    if dims is None or parts is None:
        return [None] * count
    if len(dims) < len(parts):
        raise ValueError(f"Shape must be at least rank {len(parts)} but is rank {len(dims)}")
    merge(dims[: len(parts)], parts)
    return [(None, *dims[len(parts) :])] * count


def _partition(data: np.ndarray, partitions: np.ndarray, num_partitions: int) -> list[np.ndarray]:
    if data.shape[: partitions.ndim] != partitions.shape:
        raise ValueError("data.shape must start with partitions.shape")
    bad = np.argwhere((partitions < 0) | (partitions >= num_partitions))
    if len(bad):
        at = tuple(bad[0].tolist())
        where = f"[{','.join(map(str, at))}]" if at else ""
        raise InvalidArgumentError(
            None, None, f"partitions{where} = {partitions[at]} is not in [0, {num_partitions})"
        )
    # Mask a flattened view, so that a scalar counts as one row.
    rows = data.reshape(partitions.size, *data.shape[partitions.ndim :])
    numbers = partitions.reshape(-1)
    return [rows[numbers == i] for i in range(num_partitions)]


def _partition_grad(op: Any, *dy: Tensor) -> tuple[Any, None]:
    data, partitions = op.inputs
    count = op.get_attr("num_partitions")
    numbers = raw.Range(0, raw.Size(partitions), 1)
    numbers = raw.Reshape(numbers, shape_of(partitions))
    indices = raw.DynamicPartition(numbers, partitions, num_partitions=count)
    together = raw.DynamicStitch(indices, list(dy))
    return raw.Reshape(together, shape_of(data)), None


def _partition_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for dims, parts in (
            ((4,), [0, 1, 1, 0]),
            ((3, 2), [2, 0, 2]),
            ((2, 2, 3), [[0, 1], [1, 1]]),
        ):
            data = rng.normal(size=dims).astype(dtype)
            yield Sample(data, np.array(parts, np.int32), num_partitions=3)
    yield Sample(np.zeros((0, 2)), np.zeros(0, np.int32), num_partitions=2)


_partition_op = OpDef(
    "DynamicPartition",
    "data: T, partitions: int32 -> outputs: N*T",
    attrs={"num_partitions": REQUIRED},
    shape=_partition_shape,
    compute=_partition,
    grad=_partition_grad,
    samples=_partition_samples,
)


def dynamic_partition(
    data: Any, partitions: Any, num_partitions: int, name: str | None = None
) -> list[Tensor]:
    """The rows of a tensor dealt out to several tensors.

    Args:
      data: a tensor whose shape starts with that of `partitions`.
      partitions: int32 tensor: for each row the number of the tensor that gets it.
      num_partitions: how many tensors there are.
      name: name of the op.

    Returns: a list of `num_partitions` tensors `[count, ...]`, rows in their order in `data`.

    Raises:
      InvalidArgumentError: if an entry of `partitions` is out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     [t.numpy().tolist() for t in hf.dynamic_partition([1, 2, 3], [0, 1, 0], 2)]
    [[1, 3], [2]]
    """
    return _partition_op(data, partitions, num_partitions=num_partitions, name=name)


# -- dynamic_stitch --------------------------------------------------------------------------------


def _halves(inputs: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    middle = len(inputs) // 2
    return inputs[:middle], inputs[middle:]


def _stitch_shape(attrs: dict[str, Any], *inputs: Tensor) -> shape_rules.Dims:
    indices, data = _halves(inputs)
    row: shape_rules.Dims = None
    last: int | None = -1
    for index, value in zip(indices, data, strict=True):
        numbers = constant_value(index)
        if numbers is None:
            last = None
        elif last is not None and numbers.size:
            last = max(last, int(numbers.max()))
        if index._dims is None or value._dims is None:
            continue
        rank = len(index._dims)
        merge(index._dims, value._dims[:rank])
        row = merge(row, value._dims[rank:])
    return None if row is None else (None if last is None else last + 1, *row)


def _stitch(*inputs: np.ndarray) -> np.ndarray:
    indices, data = _halves(inputs)
    row = data[0].shape[indices[0].ndim :]
    count = 1 + max((int(i.max()) for i in indices if i.size), default=-1)
    shape = allocatable("DynamicStitch", (count, *row), data[0].dtype)
    result = np.zeros(shape, data[0].dtype)
    for index, value in zip(indices, data, strict=True):
        if value.shape != (*index.shape, *row):
            raise ValueError(f"Got data of shape {value.shape} for indices of shape {index.shape}")
        if index.size and index.min() < 0:
            at = int(np.argmin(index))
            raise InvalidArgumentError(None, None, f"indices[{at}] is out of range")
        result[index] = value
    return result


def _stitch_grad(op: Any, dy: Tensor) -> list[Any]:
    indices, _ = _halves(tuple(op.inputs))
    return [None] * len(indices) + [raw.Gather(dy, index) for index in indices]


def _stitch_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for indices, row in (
            (([0, 3], [1, 2]), ()),
            ((2, [[0, 1], [3, 4]]), (2,)),
            (([1, 0], []), (3,)),
        ):
            numbers = [np.array(index, np.int32) for index in indices]
            data = [rng.normal(size=(*n.shape, *row)).astype(dtype) for n in numbers]
            yield Sample(numbers, data)


_stitch_op = OpDef(
    "DynamicStitch",
    "indices: N*int32, data: N*T -> merged: T",
    shape=_stitch_shape,
    compute=_stitch,
    grad=_stitch_grad,
    samples=_stitch_samples,
)


def dynamic_stitch(indices: Any, data: Any, name: str | None = None) -> Tensor:
    """Rows of several tensors put together by number: `y[indices[k][i], ...] = data[k][i, ...]`.

    Args:
      indices: list of int32 tensors.
      data: list of tensors; the shape of `data[k]` starts with that of `indices[k]`.
      name: name of the op.

    Returns: a tensor `[max(indices) + 1, ...]`. Where an index repeats the last one counts; rows
      that no index names are zero.

    Raises:
      ValueError: if the shapes do not fit. InvalidArgumentError: if an index is negative.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.dynamic_stitch([[0, 2], [1]], [[10, 30], [20]]).numpy())
    [10 20 30]

    TF 1.4 leaves rows that no index names uninitialized.
    """
    return _stitch_op(indices, data, name=name)
