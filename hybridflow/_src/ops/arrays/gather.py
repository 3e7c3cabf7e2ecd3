"""Rows by number: gather, gather_nd, and scatter_nd, its opposite."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.indexed_slices import IndexedSlices
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_dims, constant_value
from hybridflow._src.framework.tensor_shape import merge
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.accumulation import accumulated, accumulator
from hybridflow._src.ops.allocation import allocatable, number_of
from hybridflow._src.ops.arrays.batched import gathered
from hybridflow._src.ops.families import INDICES, NUMBERS
from hybridflow._src.ops.grad_helpers import shape_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["gather", "gather_nd", "scatter_nd"]


# -- Gather ----------------------------------------------------------------------------------------


def _gather_shape(
    attrs: dict[str, Any], params: Tensor, indices: Tensor, axis: Tensor | None = None
) -> shape_rules.Dims:
    at: int | None = 0
    if axis is not None:
        shape_rules.with_rank(axis, 0)
        value = constant_value(axis)
        at = None if value is None else int(value)
    dims, picked = params._dims, indices._dims
    if dims is None or picked is None:
        return None
    if not dims:
        raise ValueError("Shape must be at least rank 1 but is rank 0")
    if at is None:
        return (None,) * (len(dims) + len(picked) - 1)
    at = shape_rules.axis_of(at, len(dims))
    return (*dims[:at], *picked, *dims[at + 1 :])


_UNSIGNED = {np.dtype(np.int32): np.uint32, np.dtype(np.int64): np.uint64}


def _take(params: np.ndarray, indices: np.ndarray, axis: int) -> Any:
    size = params.shape[axis]
    # Taken as unsigned, negative indices are large: one look finds both kinds of bad ones.
    if indices.size and indices.view(_UNSIGNED[indices.dtype]).max() >= size:
        where = np.argwhere((indices < 0) | (indices >= size))[0]
        position = f"[{','.join(map(str, where))}]" if indices.ndim else ""
        value = indices[tuple(where)]
        raise InvalidArgumentError(None, None, f"indices{position} = {value} is not in [0, {size})")
    found: Any = np.take(params, indices, axis)
    if params.dtype.kind == "O" and not isinstance(found, np.ndarray | bytes):
        return found  # a handle, which is no array
    # Of strings, one alone is no array.
    return np.asarray(found, params.dtype)


def _gather(params: np.ndarray, indices: np.ndarray, validate_indices: bool) -> Any:
    return _take(params, indices, 0)


def _gather_v2(params: np.ndarray, indices: np.ndarray, axis: np.ndarray) -> Any:
    return _take(params, indices, number_of(axis, "axis"))


def _rows_grad(params: Tensor, indices: Tensor, dy: Tensor) -> IndexedSlices:
    """The gradient for `params` of picking rows: the rows of `dy`, and where they came from."""
    shape = convert_to_tensor(shape_of(params))
    if indices._dims is None or len(indices._dims) != 1:
        row = raw.StridedSlice(shape, [1], [0], [1], end_mask=1)
        count = raw.Reshape(raw.Size(indices), [1])
        dy = raw.Reshape(dy, raw.ConcatV2([count, row], 0))
        indices = raw.Reshape(indices, [-1])
    return IndexedSlices(dy, indices, shape)


def _slices_grad(params: Tensor, indices: Tensor, axis: Tensor, dy: Tensor) -> Any:
    """The gradient for `params` of picking along any axis, as a tensor."""
    shape = raw.Shape(params)
    at = raw.FloorMod(axis, raw.Cast(raw.Rank(params), DstT=axis.dtype.base_dtype))
    at = raw.Reshape(at, [1])
    # The dimensions before and after the axis count as one each.
    outer = raw.Prod(raw.StridedSlice(shape, [0], raw.Cast(at, DstT=shape.dtype), [1]), [0])
    inner = raw.Prod(raw.StridedSlice(raw.Shape(params), at + 1, at, [1], end_mask=1), [0])
    picked = raw.Pack([outer, raw.Size(indices), inner], axis=0)
    rows = raw.Transpose(raw.Reshape(dy, picked), [1, 0, 2])
    size = raw.Reshape(raw.GatherV2(shape, at, 0), [])
    sums = raw.UnsortedSegmentSum(rows, raw.Reshape(indices, [-1]), size)
    return raw.Reshape(raw.Transpose(sums, [1, 0, 2]), shape)


def _gather_v2_grad(op: Any, dy: Tensor) -> tuple[Any, None, None]:
    params, indices, axis = op.inputs
    at = constant_value(axis)
    if at is not None and int(at) == 0:
        return _rows_grad(params, indices, dy), None, None
    return _slices_grad(params, indices, axis, dy), None, None


def _gather_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for dims, indices in (
            ((3, 2), [0, 2, 0]),
            ((3, 2), [[1, 0], [2, 2]]),
            ((3,), 1),
            ((3, 2), []),
            ((2, 0), [1]),
        ):
            yield Sample(rng.normal(size=dims).astype(dtype), np.array(indices, np.int32))
    yield Sample(rng.normal(size=(3, 2)), np.array([2], np.int64))


_TYPES = {"Tindices": INDICES, "Taxis": INDICES}
_gather_op = OpDef(
    "Gather",
    "params: Tparams, indices: Tindices -> output: Tparams",
    types=_TYPES,
    attrs={"validate_indices": True},
    shape=_gather_shape,
    compute=_gather,
    grad=lambda op, dy: (_rows_grad(op.inputs[0], op.inputs[1], dy), None),
    samples=_gather_samples,
    native=lambda b, params, indices, validate_indices: b.gather(params, indices),
)


def _resource_gather_shape(attrs: dict[str, Any], handle: Tensor, indices: Tensor) -> Any:
    known = handle.op.attrs.get("handle_shape", handle.op.attrs.get("shape"))
    dims = None if known is None else known._dims
    return None if not dims or indices._dims is None else (*indices._dims, *dims[1:])


def _resource_gather_grad(op: Any, dy: Tensor) -> tuple[Any, None]:
    handle, indices = op.inputs
    variable = raw.ReadVariableOp(handle, dtype=op.get_attr("dtype"))
    return _rows_grad(variable, indices, dy), None


# Rows of a variable: files have it, where TensorFlow looks up embeddings in resource variables.
OpDef(
    "ResourceGather",
    "resource: resource, indices: Tindices -> output: dtype",
    types={"Tindices": INDICES},
    attrs={"validate_indices": True, "dtype": REQUIRED},
    shape=_resource_gather_shape,
    compute=lambda storage, indices, validate_indices, dtype: _take(storage.read(), indices, 0),
    grad=_resource_gather_grad,
    effect="read",
)


def _native_gather_v2(b: Any, params: Any, indices: Any, axis: Any) -> Any:
    at = int(b.known(axis).reshape(())) % len(params.shape)
    if not at:
        return b.gather(params, indices)
    order = [at, *range(at), *range(at + 1, len(params.shape))]
    rows = b.gather(b.copy(b.view(lambda x: np.transpose(x, order), params)), indices)
    rank = len(indices.shape)
    back = [*range(rank, rank + at), *range(rank), *range(rank + at, len(rows.shape))]
    return b.view(lambda x: np.transpose(x, back), rows)


def _gather_v2_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for sample in _gather_samples(rng):
        yield Sample(*sample.args, np.array(0, np.int32))
    for dtype in (np.float32, np.float64):
        for dims, indices, axis in (
            ((2, 3), [0, 2, 0], 1),
            ((2, 3, 2), [[1, 0], [2, 2]], 1),
            ((2, 3), [1], -1),
            ((2, 3), 2, -1),
            ((2, 3), [], 1),
        ):
            yield Sample(
                rng.normal(size=dims).astype(dtype),
                np.array(indices, np.int32),
                np.array(axis, np.int32),
            )


_gather_v2_op = OpDef(
    "GatherV2",
    "params: Tparams, indices: Tindices, axis: Taxis -> output: Tparams",
    types=_TYPES,
    shape=_gather_shape,
    compute=_gather_v2,
    grad=_gather_v2_grad,
    samples=_gather_v2_samples,
    native=_native_gather_v2,
)


def gather(
    params: Any,
    indices: Any,
    validate_indices: bool | None = None,
    name: str | None = None,
    axis: Any = 0,
    batch_dims: int = 0,
) -> Tensor:
    """Slices of a tensor by number: with axis 0, `y[i, ...] = params[indices[i], ...]`.

    Args:
      params: a tensor of rank 1 or more.
      indices: integer tensor of any shape, from 0.
      validate_indices: accepted; indices are always checked.
      name: name of the op.
      axis: the dimension to pick along; a negative one counts from the end.
      batch_dims: of TensorFlow 1.15: the number of dimensions that `params` and `indices` begin
        with in common, so that each part of the batch has its own indices. Then `axis` is
        `batch_dims` by default.

    Returns: a tensor of shape
      `params.shape[:axis] + indices.shape[batch_dims:] + params.shape[axis + 1:]`. Its gradient
      with axis 0 is `IndexedSlices`.

    Raises:
      ValueError: for `batch_dims` that the tensors do not have, or whose rank is unknown.
      InvalidArgumentError: if an index is out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.gather([10, 20, 30], [2, 0]).numpy())
    [30 10]
    """
    if batch_dims:
        given = None if isinstance(axis, int) and axis == 0 else axis
        with name_scope(name, "Gather", [params, indices]):
            params, indices = convert_to_tensor(params), convert_to_tensor(indices)
            return gathered(params, indices, given, batch_dims)
    axis = 0 if axis is None else axis
    if isinstance(axis, int) and axis == 0:
        validate = True if validate_indices is None else validate_indices
        return _gather_op(params, indices, validate_indices=validate, name=name)
    return _gather_v2_op(params, indices, axis, name=name)


# -- GatherNd --------------------------------------------------------------------------------------


def _gather_nd_shape(attrs: dict[str, Any], params: Tensor, indices: Tensor) -> shape_rules.Dims:
    dims, picked = params._dims, indices._dims
    if picked is not None and not picked:
        raise ValueError("Shape must be at least rank 1 but is rank 0")
    if dims is None or picked is None or picked[-1] is None:
        return None
    if picked[-1] > len(dims):
        raise ValueError(
            "indices.shape[-1] must be <= params.rank, but saw indices shape: "
            f"{indices.shape} and params shape: {params.shape}"
        )
    return (*picked[:-1], *dims[picked[-1] :])


def _coordinates(indices: np.ndarray, sizes: tuple[int, ...]) -> tuple[np.ndarray, ...] | None:
    """The last dimension of `indices` as an index for NumPy, or None if one is out of range."""
    bad = (indices < 0) | (indices >= np.array(sizes, indices.dtype))
    return None if bad.any() else tuple(np.moveaxis(indices, -1, 0))


def _first_bad(indices: np.ndarray, sizes: tuple[int, ...]) -> tuple[int, list[int]]:
    flat = indices.reshape(-1, indices.shape[-1])
    row = int(np.argmax(((flat < 0) | (flat >= np.array(sizes))).any(axis=1)))
    return row, flat[row].tolist()


def _gather_nd(params: np.ndarray, indices: np.ndarray) -> np.ndarray:
    depth = indices.shape[-1]
    if depth == 0:
        return np.broadcast_to(params, (*indices.shape[:-1], *params.shape)).copy()
    if depth > params.ndim:
        raise ValueError("indices.shape[-1] must be <= params.rank")
    if indices.size and not params.size:
        raise InvalidArgumentError(
            None,
            None,
            "Requested more than 0 entries, but params is empty. Params shape: "
            f"{list(params.shape)}",
        )
    index = _coordinates(indices, params.shape[:depth])
    if index is None:
        row, bad = _first_bad(indices, params.shape[:depth])
        raise InvalidArgumentError(
            None,
            None,
            f"flat indices[{row}, :] = {bad} does not index into param (shape: "
            f"{list(params.shape)}).",
        )
    return np.array(params[index])


def _native_rows(b: Any, indices: Any, sizes: tuple[int, ...]) -> Any:
    """The number of the row for each of some coordinates, which must lie in these sizes."""
    if not sizes:
        raise b.unsupported("coordinates in no dimension")
    columns = [b.view(lambda x, axis=axis: x[..., axis], indices) for axis in range(len(sizes))]
    columns = [b.checked_indices(c, size) for c, size in zip(columns, sizes, strict=True)]

    def meaning(first: Any, *rest: Any) -> Any:
        number = first.astype(np.int64)
        for column, size in zip(rest, sizes[1:], strict=True):
            number = number * size + column
        return number

    return b.elementwise(meaning, *columns)


def _native_gather_nd(b: Any, params: Any, indices: Any) -> Any:
    depth = indices.shape[-1]
    sizes, rest = params.shape[:depth], params.shape[depth:]
    rows = b.reshape(params, (math.prod(sizes), *rest))
    return b.gather(rows, _native_rows(b, indices, sizes))


def _gather_nd_grad(op: Any, dy: Tensor) -> tuple[Any, None]:
    params, indices = op.inputs
    shape = shape_of(params, indices.dtype.base_dtype)
    if indices.shape.ndims == 2 and indices.shape[-1] == 1:
        # What is gathered are rows.
        return IndexedSlices(dy, raw.Squeeze(indices, squeeze_dims=[-1]), shape), None
    return raw.ScatterNd(indices, dy, shape), None


def _gather_nd_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for dims, indices in (
            ((3, 2), [[0, 1], [2, 0], [0, 1]]),
            ((3, 2), [[1], [1]]),
            ((2, 3, 2), [[[1, 0]], [[0, 2]]]),
            ((3,), [2]),
        ):
            yield Sample(rng.normal(size=dims).astype(dtype), np.array(indices, np.int32))
    yield Sample(rng.normal(size=(2, 3)), np.zeros((2, 0), np.int64))
    yield Sample(rng.normal(size=(2, 3)), np.zeros((0, 2), np.int64))


_gather_nd_op = OpDef(
    "GatherNd",
    "params: Tparams, indices: Tindices -> output: Tparams",
    types=_TYPES,
    shape=_gather_nd_shape,
    compute=_gather_nd,
    grad=_gather_nd_grad,
    samples=_gather_nd_samples,
    native=_native_gather_nd,
)


def gather_nd(params: Any, indices: Any, name: str | None = None) -> Tensor:
    """Elements or slices of a tensor by their coordinates: `y[i] = params[indices[i]]`.

    Args:
      params: a tensor.
      indices: integer tensor `[..., k]` of coordinates in the first k dimensions of `params`.
      name: name of the op.

    Returns: a tensor of shape `indices.shape[:-1] + params.shape[k:]`.

    Raises:
      ValueError: if k is more than the rank. InvalidArgumentError: if an index is out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.gather_nd([[1, 2], [3, 4]], [[0, 1], [1, 0]]).numpy())
    [2 3]
    """
    return _gather_nd_op(params, indices, name=name)


# -- ScatterNd -------------------------------------------------------------------------------------


def _scatter_nd_shape(
    attrs: dict[str, Any], indices: Tensor, updates: Tensor, shape: Tensor
) -> shape_rules.Dims:
    shape_rules.with_rank(shape, 1)
    dims = constant_dims(shape)
    picked, given = indices._dims, updates._dims
    if picked is not None and not picked:
        raise ValueError("Shape must be at least rank 1 but is rank 0")
    if dims is None or picked is None or picked[-1] is None:
        return dims
    if picked[-1] > len(dims):
        raise ValueError(
            f"Indices of depth {picked[-1]} do not index into shape of {len(dims)} dims"
        )
    merge((*picked[:-1], *dims[picked[-1] :]), given)
    return dims


def _scatter_nd(indices: np.ndarray, updates: np.ndarray, shape: np.ndarray) -> np.ndarray:
    sizes = tuple(shape.tolist())
    depth = indices.shape[-1]
    if depth > len(sizes) or updates.shape != (*indices.shape[:-1], *sizes[depth:]):
        raise ValueError(
            "Must have updates.shape = indices.shape[:batch_dim] + params_shape[slice_dim:], got "
            f"updates.shape: {list(updates.shape)}, indices.shape: {list(indices.shape)}, "
            f"params_shape: {list(sizes)}"
        )
    if (indices.size or updates.size) and 0 in sizes:
        raise InvalidArgumentError(
            None, None, f"Indices and updates specified for empty output, of shape {list(sizes)}"
        )
    if depth == 0:
        times = math.prod(indices.shape[:-1])
        return np.asarray(accumulated(np.add, updates.reshape(times, *sizes), 0))
    dtype = accumulator(updates.dtype)
    result = np.zeros(allocatable("ScatterNd", sizes, dtype), dtype)
    index = _coordinates(indices, sizes[:depth])
    if index is None:
        row, bad = _first_bad(indices, sizes[:depth])
        raise InvalidArgumentError(
            None, None, f"Invalid indices: [{row},:] = {bad} does not index into {list(sizes)}"
        )
    np.add.at(result, index, updates)
    return result.astype(updates.dtype, copy=False)


def _native_scatter_nd(b: Any, indices: Any, updates: Any, shape: Any) -> Any:
    shape = tuple(b.known(shape).tolist())
    sizes = shape[: indices.shape[-1]]
    numbers = _native_rows(b, indices, sizes)
    return b.reshape(b.sum_rows(updates, numbers, math.prod(sizes)), shape)


def _scatter_nd_grad(op: Any, dy: Tensor) -> tuple[None, Any, None]:
    return None, raw.GatherNd(dy, op.inputs[0]), None


def _scatter_nd_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for indices, updates, shape in (
            ([[0], [2], [0]], (3,), [4]),
            ([[1], [1]], (2, 3), [2, 3]),
            ([[[0, 1]], [[1, 1]]], (2, 1), [2, 2]),
        ):
            yield Sample(
                np.array(indices, np.int32),
                rng.normal(size=updates).astype(dtype),
                np.array(shape, np.int32),
            )
    yield Sample(np.zeros((2, 0), np.int64), rng.normal(size=(2, 3)), np.array([3]))
    yield Sample(np.zeros((0, 1), np.int64), rng.normal(size=(0, 3)), np.array([2, 3]))


_scatter_nd_op = OpDef(
    "ScatterNd",
    "indices: Tindices, updates: T, shape: Tindices -> output: T",
    types={"T": NUMBERS, "Tindices": INDICES},
    shape=_scatter_nd_shape,
    compute=_scatter_nd,
    grad=_scatter_nd_grad,
    samples=_scatter_nd_samples,
    native=_native_scatter_nd,
)


def scatter_nd(indices: Any, updates: Any, shape: Any, name: str | None = None) -> Tensor:
    """A tensor of zeros with values added at given coordinates; the opposite of `gather_nd`.

    Args:
      indices: integer tensor `[..., k]` of coordinates in the first k dimensions of the result.
      updates: what to add there: shape `indices.shape[:-1] + shape[k:]`. Repeated indices add up.
      shape: shape of the result, a vector of the dtype of `indices`.
      name: name of the op.

    Returns: a tensor of shape `shape` and the dtype of `updates`.

    Raises:
      ValueError: if the shapes do not fit. InvalidArgumentError: if an index is out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.scatter_nd([[1], [3], [1]], [5, 6, 7], [4]).numpy())
    [ 0 12  0  6]
    """
    return _scatter_nd_op(indices, updates, shape, name=name)
