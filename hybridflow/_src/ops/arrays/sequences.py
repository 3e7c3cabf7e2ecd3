"""Sequences: range, linspace; and one_hot."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import OpDef, Sample, not_differentiable
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.allocation import allocatable
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.families import INDICES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["lin_space", "linspace", "one_hot", "range"]


# -- range -----------------------------------------------------------------------------------------


def _count(start: Any, limit: Any, delta: Any) -> int:
    """How many elements a range has."""
    if delta == 0:
        raise ValueError("Requires delta != 0")
    if delta > 0 and start > limit:
        raise ValueError(f"Requires start <= limit when delta > 0: {start}/{limit}")
    if delta < 0 and start < limit:
        raise ValueError(f"Requires start >= limit when delta < 0: {start}/{limit}")
    if isinstance(delta, int):
        return -((start - limit) // delta) if delta > 0 else -((limit - start) // -delta)
    count = abs((limit - start) / delta)
    if not count < 2.0**63:
        raise ValueError(f"Requires ((limit - start) / delta) < 2**63: {count}")
    return math.ceil(count)


def _range_shape(
    attrs: dict[str, Any], start: Tensor, limit: Tensor, delta: Tensor
) -> shape_rules.Dims:
    values = []
    for tensor in (start, limit, delta):
        shape_rules.with_rank(tensor, 0)
        value = constant_value(tensor)
        if value is None:
            return (None,)
        values.append(value)
    return (_count(*_scalars(*values)),)


def _scalars(*values: np.ndarray) -> list[Any]:
    """Python ints of integers; floats stay in their own precision."""
    return [v.item() if v.dtype.kind in "iu" else v[()] for v in values]


def _range(start: np.ndarray, limit: np.ndarray, delta: np.ndarray) -> np.ndarray:
    if start.ndim or limit.ndim or delta.ndim:
        raise ValueError("start, limit and delta must be scalars")
    count = _count(*_scalars(start, limit, delta))
    values = np.full(allocatable("Range", [count], start.dtype), delta, start.dtype)
    values[:1] = start
    # As TF does: each element is the one before plus delta, with its rounding.
    return np.add.accumulate(values, dtype=start.dtype)


def _range_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype, spec in (
        (np.int32, (0, 5, 1)),
        (np.int32, (5, -2, -3)),
        (np.int64, (2, 11, 3)),
        (np.int32, (3, 3, 1)),
        (np.float32, (0.0, 1.0, 0.1)),
        (np.float64, (1.0, -1.0, -0.25)),
    ):
        yield Sample(*(np.array(v, dtype) for v in spec), differentiable=False)


_range_op = OpDef(
    "Range",
    "start: Tidx, limit: Tidx, delta: Tidx -> output: Tidx",
    types=(dtypes.int32, dtypes.int64, dtypes.float32, dtypes.float64),
    shape=_range_shape,
    compute=_range,
    grad=not_differentiable,
    samples=_range_samples,
)

_HIERARCHY = (dtypes.int32, dtypes.int64, dtypes.float32, dtypes.float64)


def range(
    start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str = "range"
) -> Tensor:
    """The numbers `start, start + delta, start + 2 delta, ...` before `limit`.

    `range(limit)` starts at 0.

    Args:
      start: first number, a scalar; the limit, if `limit` is not given.
      limit: where to stop; not part of the result.
      delta: the step; it may be negative.
      dtype: int32, int64, float32 or float64; by default the widest of the arguments'.
      name: name of the op.

    Returns: a vector.

    Raises:
      ValueError: if `delta` is 0, or leads away from `limit`.
      ResourceExhaustedError: if the machine has no memory for so many numbers.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.range(5).numpy(), hf.range(3, 0, -1).numpy())
    [0 1 2 3 4] [3 2 1]
    """
    if limit is None:
        start, limit = 0, start
    with name_scope(name, "Range", [start, limit, delta]) as scope:
        wanted = None if dtype is None else dtypes.as_dtype(dtype)
        first = convert_to_tensor(start, wanted, name="start")
        last = convert_to_tensor(limit, wanted, name="limit")
        step = convert_to_tensor(delta, wanted, name="delta")
        if wanted is None:
            kinds = [t.dtype.base_dtype for t in (first, last, step)]
            for kind in kinds:
                if kind not in _HIERARCHY:
                    raise TypeError(
                        f"Value passed to range has DataType {kind.name} not in list of allowed "
                        "values: int32, int64, float32, float64"
                    )
            wanted = max(kinds, key=_HIERARCHY.index)
            first, last, step = (
                t if t.dtype.base_dtype is wanted else cast(t, wanted) for t in (first, last, step)
            )
        return _range_op(first, last, step, name=scope)


# -- linspace --------------------------------------------------------------------------------------


def _linspace_shape(
    attrs: dict[str, Any], start: Tensor, stop: Tensor, num: Tensor
) -> shape_rules.Dims:
    for tensor in (start, stop, num):
        shape_rules.with_rank(tensor, 0)
    count = constant_value(num)
    if count is None:
        return (None,)
    if count <= 0:
        raise ValueError(f"Requires num > 0: {count}")
    return (int(count),)


def _linspace(start: np.ndarray, stop: np.ndarray, num: np.ndarray) -> np.ndarray:
    if start.ndim or stop.ndim or num.ndim or num <= 0:
        raise ValueError(f"start and stop must be scalars, num a scalar above 0, got {num}")
    dtype = start.dtype
    if num == 1:
        return np.array([start], dtype)
    step = (stop - start) / dtype.type(num - 1)
    (count,) = allocatable("LinSpace", [num], np.dtype(np.int64))
    return np.asarray(start + step * np.arange(count).astype(dtype), dtype)


def _linspace_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for start, stop, num in ((0, 1, 7), (3, -1, 3), (2, 5, 1)):
            ends = np.array(start, dtype), np.array(stop, dtype)
            yield Sample(*ends, np.array(num, np.int32), differentiable=False)


_linspace_op = OpDef(
    "LinSpace",
    "start: T, stop: T, num: Tidx -> output: T",
    types={"T": (dtypes.float32, dtypes.float64), "Tidx": INDICES},
    shape=_linspace_shape,
    compute=_linspace,
    grad=not_differentiable,
    samples=_linspace_samples,
)


def linspace(start: Any, stop: Any, num: Any, name: str | None = None) -> Tensor:
    """Numbers at equal distances: `start + i (stop - start) / (num - 1)` for i = 0, ..., num - 1.

    Args:
      start: first number, a float32 or float64 scalar.
      stop: last number, a scalar of the same dtype.
      num: how many, an integer scalar above 0; if it is 1 the result is `[start]`.
      name: name of the op.

    Returns: a vector `[num]` of the dtype of `start`.

    Raises:
      ValueError: if `num` is not above 0.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.linspace(0.0, 1.0, 5).numpy())
    [0.   0.25 0.5  0.75 1.  ]
    """
    return _linspace_op(start, stop, num, name=name)


lin_space = linspace


# -- one_hot ---------------------------------------------------------------------------------------


def _one_hot_shape(
    attrs: dict[str, Any], indices: Tensor, depth: Tensor, on: Tensor, off: Tensor
) -> shape_rules.Dims:
    for tensor in (depth, on, off):
        shape_rules.with_rank(tensor, 0)
    dims, size, axis = indices._dims, constant_value(depth), attrs["axis"]
    if size is not None and size < 0:
        raise ValueError(f"Dimension size, given by scalar input 1, must be non-negative: {size}")
    if dims is None:
        return None
    if not -1 <= axis <= len(dims):
        raise ValueError(f"Expected axis to be -1 or between [0, {len(dims) + 1}), got {axis}")
    at = axis if axis >= 0 else len(dims)
    return (*dims[:at], None if size is None else int(size), *dims[at:])


def _one_hot(
    indices: np.ndarray, depth: np.ndarray, on_value: np.ndarray, off_value: np.ndarray, axis: int
) -> np.ndarray:
    if depth.ndim or depth < 0 or on_value.ndim or off_value.ndim or axis < -1:
        raise ValueError("depth, on_value and off_value must be scalars")
    flat = indices.ravel()
    rows = np.flatnonzero((flat >= 0) & (flat < depth))
    shape = allocatable("OneHot", (flat.size, depth), off_value.dtype)
    result = np.full(shape, off_value, off_value.dtype)
    result[rows, flat[rows]] = on_value
    result = result.reshape(*indices.shape, int(depth))
    return np.ascontiguousarray(np.moveaxis(result, -1, axis)) if axis >= 0 else result


def _native_one_hot(
    b: Any, indices: Any, depth: Any, on_value: Any, off_value: Any, axis: int
) -> Any:
    if axis not in (-1, len(indices.shape)):
        raise b.unsupported("one_hot along an inner axis")
    shape = (*indices.shape, int(b.known(depth)))
    (result,) = b.rowwise(
        lambda off, on, index, column: np.where(column == index, on, off),
        b.broadcast(off_value, shape),
        on_value,
        b.reshape(indices, (*indices.shape, 1)),
        shapes=[shape],
    )
    return result


def _one_hot_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.int32, np.bool_):
        on, off = np.array(5).astype(dtype), np.array(0).astype(dtype)
        for indices, axis in (([0, 2, -1, 3], -1), ([[1, 0], [2, 2]], 1), (1, -1), ([], 0)):
            depth = np.array(3, np.int32)
            yield Sample(np.array(indices, np.int64), depth, on, off, axis=axis)


_one_hot_op = OpDef(
    "OneHot",
    "indices: TI, depth: int32, on_value: T, off_value: T -> output: T",
    types={"TI": (dtypes.uint8, dtypes.int32, dtypes.int64)},
    attrs={"axis": -1},
    shape=_one_hot_shape,
    compute=_one_hot,
    grad=not_differentiable,
    samples=_one_hot_samples,
    native=_native_one_hot,
)


def one_hot(
    indices: Any,
    depth: Any,
    on_value: Any = None,
    off_value: Any = None,
    axis: int | None = None,
    dtype: Any = None,
    name: str | None = None,
) -> Tensor:
    """`on_value` at the place that each index names, `off_value` elsewhere.

    Args:
      indices: integer tensor; an index outside [0, depth) gives `off_value` only.
      depth: size of the new dimension, an int32 scalar.
      on_value, off_value: scalars; 1 and 0 by default.
      axis: where the new dimension comes in; at the end by default (-1).
      dtype: dtype of the result; by default that of the values, or float32.
      name: name of the op.

    Returns: a tensor with one more dimension than `indices`, of size `depth`.

    Raises:
      TypeError: if the dtypes of `on_value`, `off_value` and `dtype` differ.
      ValueError: if `axis` is out of range or `depth` negative.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.one_hot([0, 2], 3).numpy())
    [[1. 0. 0.]
     [0. 0. 1.]]
    """
    values = [indices, depth, on_value, off_value]
    with name_scope(name, "one_hot", [v for v in values if v is not None]) as scope:
        wanted = _one_hot_dtype(on_value, off_value, dtype)
        on = convert_to_tensor(1 if on_value is None else on_value, wanted, name="on_value")
        off = convert_to_tensor(0 if off_value is None else off_value, wanted, name="off_value")
        indices = convert_to_tensor(indices, name="indices", preferred_dtype=dtypes.int64)
        at = -1 if axis is None else axis
        return _one_hot_op(indices, depth, on, off, axis=at, name=scope)


def _one_hot_dtype(on_value: Any, off_value: Any, dtype: Any) -> dtypes.DType:
    """The dtype of a one_hot whose values and dtype argument must agree."""
    found = None if dtype is None else dtypes.as_dtype(dtype).base_dtype
    source = "dtype parameter"
    for label, value in (("on_value", on_value), ("off_value", off_value)):
        if value is None:
            continue
        own = dtypes.as_dtype(getattr(value, "dtype", type(value))).base_dtype
        if found is not None and own is not found:
            raise TypeError(
                f"dtype {own.name} of {label} does not match {source} {found.name} of one_hot"
            )
        found, source = own, f"dtype of {label}"
    return found or dtypes.float32
