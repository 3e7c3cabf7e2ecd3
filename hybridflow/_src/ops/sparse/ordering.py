"""The order of the elements of sparse tensors: reorder, transpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.sparse_tensor import SparseTensor, as_sparse
from hybridflow._src.framework.static_value import constant_dims, constant_value
from hybridflow._src.ops.sparse.coordinates import (
    check_parts,
    counting,
    put_back,
    row_major,
    sampled,
    static_sizes,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["sparse_reorder", "sparse_transpose"]


def _shape(attrs: dict[str, Any], *parts: Tensor) -> list[Any]:
    count, rank = static_sizes(*parts)
    return [(count, rank), (count,)]


def _compute(
    input_indices: np.ndarray, input_values: np.ndarray, input_shape: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    check_parts(input_indices, input_values, input_shape)
    order = row_major(input_indices)
    if order is None:
        return input_indices.copy(), input_values.copy()
    return input_indices[order], input_values[order]


def _grad(op: Any, dindices: Any, dvalues: Any) -> tuple[None, Any, None]:
    indices, values, shape = op.inputs
    numbers = raw.SparseReorder(indices, counting(values), shape)[1]
    return None, lambda: put_back(dvalues, numbers, values), None


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.int32):
        for sizes, count in (((3, 4), 6), ((2, 3, 2), 5), ((4,), 0), ((300, 40), 900)):
            indices, values, shape = sampled(rng, sizes, count, dtype)
            order = rng.permutation(count)
            yield Sample(indices[order], values, shape)
    # Equal indices keep their order; sizes whose product is no int64.
    yield Sample(np.array([[1, 1], [0, 1], [1, 1]]), rng.normal(size=3), np.array([2, 2]))
    huge = np.array([2**60, 2**60])
    yield Sample(np.array([[2**59, 3], [2**59, 1], [0, 7]]), rng.normal(size=3), huge)


_sparse_reorder = OpDef(
    "SparseReorder",
    "input_indices: int64, input_values: T, input_shape: int64 "
    "-> output_indices: int64, output_values: T",
    shape=_shape,
    compute=_compute,
    grad=_grad,
    samples=_samples,
)


def sparse_reorder(sp_input: Any, name: str | None = None) -> SparseTensor:
    """The same sparse tensor with its elements in row-major order, as most sparse ops need them.

    Args:
      sp_input: a `SparseTensor`.
      name: name of the op.

    Returns: a `SparseTensor`; of elements with one index, which are all kept, the order stays.

    Raises:
      TypeError: if `sp_input` is not sparse.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     s = hf.SparseTensor([[1, 0], [0, 1]], [1, 2], [2, 2])
    ...     print(hf.sparse_reorder(s).values.numpy())
    [2 1]
    """
    sparse = as_sparse(sp_input)
    indices, values = _sparse_reorder(*sparse._parts(), name=name)
    dims = constant_dims(sparse.dense_shape)
    if dims is None or None in dims:
        return SparseTensor(indices, values, raw.Identity(sparse.dense_shape))
    return SparseTensor(indices, values, list(dims))


def sparse_transpose(sp_input: Any, perm: Any = None, name: str | None = None) -> SparseTensor:
    """A sparse tensor with its dimensions in another order.

    Args:
      sp_input: a `SparseTensor` of rank r.
      perm: int vector `[r]`: dimension i of the result is dimension `perm[i]` of the input; by
        default they are reversed.
      name: name scope of the ops.

    Returns: a `SparseTensor` whose elements stand in row-major order.

    Raises:
      TypeError: if `sp_input` is not sparse.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     s = hf.SparseTensor([[0, 1], [0, 2]], [1, 2], [2, 3])
    ...     print(hf.sparse_transpose(s).indices.numpy().tolist())
    [[1, 0], [2, 0]]
    """
    with name_scope(name, "SparseTranspose", [sp_input]):
        sparse = as_sparse(sp_input)
        if perm is None:
            rank = raw.Size(sparse.dense_shape)
            perm = raw.Sub(raw.Sub(rank, 1), raw.Range(0, rank, 1))
        perm = convert_to_tensor(perm)
        indices = raw.GatherV2(sparse.indices, perm, 1)
        dims, order = constant_dims(sparse.dense_shape), constant_value(perm)
        if dims is None or None in dims or order is None:
            dense_shape = raw.Gather(sparse.dense_shape, perm)
        else:
            dense_shape = convert_to_tensor(np.array(dims, np.int64)[order], name="dense_shape")
        return sparse_reorder(SparseTensor(indices, sparse.values, dense_shape))
