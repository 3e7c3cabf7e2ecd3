"""Elements of sparse tensors left out and filled in: retain, fill_empty_rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.advice import explained
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.sparse_tensor import SparseTensor, as_sparse
from hybridflow._src.framework.static_value import constant_dims
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.allocation import allocatable
from hybridflow._src.ops.sparse.coordinates import check_parts, invalid, sampled, static_sizes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["sparse_fill_empty_rows", "sparse_retain"]


def sparse_retain(sp_input: Any, to_retain: Any) -> SparseTensor:
    """Some of the elements of a sparse tensor.

    Args:
      sp_input: a `SparseTensor` with n elements.
      to_retain: bool vector `[n]`: which are kept.

    Returns: a `SparseTensor` of the same shape.

    Raises:
      TypeError: if `sp_input` is not sparse. ValueError: if there are not `n` truth values.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     s = hf.SparseTensor([[0], [2], [3]], [5, 6, 7], [4])
    ...     print(hf.sparse_retain(s, [True, False, True]).values.numpy())
    [5 7]
    """
    sparse = as_sparse(sp_input)
    kept = convert_to_tensor(to_retain, dtypes.bool)
    explained(
        lambda: kept.shape.merge_with(sparse.values.shape),
        lambda: (
            "`to_retain` has a truth value for each element, got shape "
            f"{kept.shape} for {sparse.values.shape[0]} elements"
        ),
    )
    places = raw.Reshape(raw.Where(kept), [-1])
    return SparseTensor(
        raw.Gather(sparse.indices, places),
        raw.Gather(sparse.values, places),
        raw.Identity(sparse.dense_shape),
    )


# -- empty rows ------------------------------------------------------------------------------------


def _shape(
    attrs: dict[str, Any], indices: Tensor, values: Tensor, dense_shape: Tensor, default: Tensor
) -> list[Any]:
    count, rank = static_sizes(indices, values, dense_shape)
    shape_rules.with_rank(default, 0)
    dims = constant_dims(dense_shape)
    return [(None, rank), (None,), (dims[0] if dims else None,), (count,)]


def _compute(
    indices: np.ndarray, values: np.ndarray, dense_shape: np.ndarray, default_value: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    check_parts(indices, values, dense_shape)
    if default_value.ndim:
        raise invalid(f"default_value must be a scalar, saw shape {list(default_value.shape)}")
    if not len(dense_shape):
        raise invalid("a sparse tensor of rank 0 has no rows")
    (count,) = allocatable("SparseFillEmptyRows", dense_shape[:1], np.dtype(np.int64))
    rows = indices[:, 0]
    wrong = np.flatnonzero((rows < 0) | (rows >= count))
    if len(wrong):
        raise invalid(f"indices({wrong[0]}, 0) is invalid: {rows[wrong[0]]} >= {count}")
    sizes = np.bincount(rows, minlength=count)
    empty = sizes == 0
    # Rows in order, elements of one row as they stand; an element for each empty one.
    order = np.argsort(rows, kind="stable")
    places = np.arange(len(rows)) + np.cumsum(empty)[rows[order]] if len(rows) else order
    added = np.flatnonzero(empty)
    where_added = added + np.concatenate([[0], np.cumsum(np.maximum(sizes - 1, 0))])[added]
    total = len(rows) + len(added)
    out_indices = np.zeros((total, indices.shape[1]), np.int64)
    out_values = np.full(total, default_value, values.dtype)
    out_indices[places] = indices[order]
    out_values[places] = values[order]
    out_indices[where_added, 0] = added
    reverse = np.empty(len(rows), np.int64)
    reverse[order] = places
    return out_indices, out_values, empty, reverse


def _grad(op: Any, dindices: Any, dvalues: Any, *_: Any) -> tuple[Any, ...]:
    of_values, of_default = raw.SparseFillEmptyRowsGrad(op.outputs[3], dvalues)
    return None, of_values, None, of_default


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.int32):
        default = np.array(rng.uniform(1, 3)).astype(dtype)
        for sizes, count in (((5, 6), 4), ((3, 2), 6), ((4, 2), 0), ((3, 2, 2), 3), ((0, 2), 0)):
            yield Sample(*sampled(rng, sizes, count, dtype), default)
    unordered = np.array([[3, 0], [1, 1], [3, 1], [1, 0]])
    yield Sample(unordered, rng.normal(size=4), np.array([5, 2]), np.array(0.5))


_fill_empty_rows = OpDef(
    "SparseFillEmptyRows",
    "indices: int64, values: T, dense_shape: int64, default_value: T -> output_indices: int64, "
    "output_values: T, empty_row_indicator: bool, reverse_index_map: int64",
    shape=_shape,
    compute=_compute,
    grad=_grad,
    samples=_samples,
)


def _grad_shape(attrs: dict[str, Any], reverse: Tensor, grads: Tensor) -> list[Any]:
    shape_rules.with_rank(grads, 1)
    return [shape_rules.with_rank(reverse, 1), ()]


def _grad_compute(
    reverse_index_map: np.ndarray, grad_values: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    if reverse_index_map.ndim != 1 or grad_values.ndim != 1:
        raise invalid("reverse_index_map and grad_values must be vectors")
    count = len(grad_values)
    if ((reverse_index_map < 0) | (reverse_index_map >= count)).any():
        raise invalid(f"Elements in reverse index must be in [0, {count})")
    filled = np.ones(count, np.bool_)
    filled[reverse_index_map] = False
    default = np.asarray(grad_values[filled].sum(dtype=grad_values.dtype))
    return grad_values[reverse_index_map], default


def _grad_grad(op: Any, dvalues: Any, ddefault: Any) -> tuple[None, Any]:
    reverse, grads = op.inputs
    size = raw.Shape(grads, out_type=reverse.dtype)
    return None, raw.SparseToDense(reverse, size, dvalues, ddefault, validate_indices=False)


def _grad_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for places, count in (([1, 0, 3], 5), ([], 3), ([0, 1], 2)):
            yield Sample(np.array(places, np.int64), rng.normal(size=count).astype(dtype))


_fill_empty_rows_grad = OpDef(
    "SparseFillEmptyRowsGrad",
    "reverse_index_map: int64, grad_values: T -> d_values: T, d_default_value: T",
    shape=_grad_shape,
    compute=_grad_compute,
    grad=_grad_grad,
    samples=_grad_samples,
)


def sparse_fill_empty_rows(
    sp_input: Any, default_value: Any, name: str | None = None
) -> tuple[SparseTensor, Tensor]:
    """A sparse matrix with an element in each row: rows without any get one in column 0.

    Args:
      sp_input: a `SparseTensor` `[n, m]`.
      default_value: scalar for the new elements.
      name: name scope of the ops.

    Returns: a `SparseTensor` `[n, m]` with its rows in order, and a bool vector `[n]`: which rows
      were empty.

    Raises:
      TypeError: if `sp_input` is not sparse.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     s = hf.SparseTensor([[0, 1], [2, 0]], [5, 6], [3, 2])
    ...     filled, empty = hf.sparse_fill_empty_rows(s, -1)
    ...     print(filled.values.numpy(), empty.numpy())
    [ 5 -1  6] [False  True False]
    """
    with name_scope(name, "SparseFillEmptyRows", [sp_input]):
        sparse = as_sparse(sp_input)
        default = convert_to_tensor(default_value, sparse.dtype.base_dtype)
        indices, values, empty, _ = _fill_empty_rows(*sparse._parts(), default)
        return SparseTensor(indices, values, sparse.dense_shape), empty
