"""Embeddings of sets of ids, which come as the rows of sparse matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.sparse_tensor import SparseTensor, as_sparse
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.partitioning import unique
from hybridflow._src.ops.math.segments import segment_sum
from hybridflow._src.ops.nn.embedding import embedding_lookup
from hybridflow._src.ops.sparse.reshaping import sparse_reshape
from hybridflow._src.ops.sparse.rows import sparse_fill_empty_rows, sparse_retain
from hybridflow._src.ops.sparse.segments import (
    sparse_segment_mean,
    sparse_segment_sqrt_n,
    sparse_segment_sum,
)

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["embedding_lookup_sparse", "safe_embedding_lookup_sparse"]

_PLAIN = {
    "sum": sparse_segment_sum,
    "mean": sparse_segment_mean,
    "sqrtn": sparse_segment_sqrt_n,
}


def _combiner(combiner: str | None) -> str:
    """How embeddings are combined.

    Raises:
      ValueError: for an unknown way.
    """
    combiner = "mean" if combiner is None else combiner
    if combiner not in _PLAIN:
        raise ValueError(f"combiner must be one of 'mean', 'sqrtn' or 'sum', got {combiner!r:.80}")
    return combiner


def embedding_lookup_sparse(
    params: Any,
    sp_ids: Any,
    sp_weights: Any,
    partition_strategy: str = "mod",
    name: str | None = None,
    combiner: str | None = None,
    max_norm: Any = None,
) -> Tensor:
    """The embeddings of the ids in each row of a sparse matrix, combined to one.

    Args:
      params: the table `[m, ...]`, a tensor or variable; or a list of its parts, or a partitioned
        variable.
      sp_ids: a `SparseTensor` `[n, k]` of ids, int32 or int64, with an id in each row.
      sp_weights: a `SparseTensor` of float weights at the same places, or None: all weigh 1.
      partition_strategy: how the rows lie in parts: see `embedding_lookup`.
      name: name of the op.
      combiner: "sum": the weighted sum; "mean": divided by the sum of the weights; "sqrtn": divided
        by the root of the sum of their squares. "mean" by default.
      max_norm: scale each embedding down to this euclidean norm, if its own is larger.

    Returns: a tensor `[n, ...]`; 0 for a row without ids in between. Gradients of the table are
      `IndexedSlices`.

    Raises:
      TypeError: if the ids or weights are not sparse. ValueError: for an unknown combiner.
      InvalidArgumentError: if an id is out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     ids = hf.SparseTensor([[0, 0], [0, 1], [1, 0]], [2, 0, 1], [2, 2])
    ...     table = hf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    ...     print(hf.nn.embedding_lookup_sparse(table, ids, None).numpy().tolist())
    [[3.0, 4.0], [3.0, 4.0]]
    """
    combiner = _combiner(combiner)
    ids = as_sparse(sp_ids, "sp_ids")
    weights = None if sp_weights is None else as_sparse(sp_weights, "sp_weights")
    if weights is not None:
        for own, other in zip(ids._parts(), weights._parts(), strict=True):
            own.shape.assert_is_compatible_with(other.shape)
    listed = params if isinstance(params, list) else [params]
    with name_scope(name, "embedding_lookup_sparse", [*listed, ids]) as scope:
        segments = cast(ids.indices[:, 0], dtypes.int32)
        if weights is None:
            # Each row of the table is looked up once.
            different, places = unique(ids.values)
            rows = embedding_lookup(params, different, partition_strategy, max_norm=max_norm)
            return _PLAIN[combiner](rows, places, segments, name=scope)
        rows = embedding_lookup(params, ids.values, partition_strategy, max_norm=max_norm)
        return _weighted(rows, weights.values, segments, combiner, scope)


def _weighted(rows: Tensor, weights: Tensor, segments: Tensor, combiner: str, scope: str) -> Tensor:
    factors = cast(weights, rows.dtype.base_dtype)
    dims = rows._dims
    if dims is None:
        ones = raw.Fill(raw.Pack([raw.Rank(rows) - 1], axis=0), 1)
        shape = raw.ConcatV2([raw.Shape(factors), ones], 0)
    else:
        shape = np.array([-1, *[1] * (len(dims) - 1)], np.int32)
    factors = raw.Reshape(factors, shape)
    total = segment_sum(rows * factors, segments, scope if combiner == "sum" else None)
    if combiner == "sum":
        return total
    if combiner == "sqrtn":
        divisor = raw.Sqrt(segment_sum(factors * factors, segments))
    else:
        divisor = segment_sum(factors, segments)
    result: Tensor = raw.RealDiv(total, divisor, name=scope)
    return result


def safe_embedding_lookup_sparse(
    embedding_weights: Any,
    sparse_ids: Any,
    sparse_weights: Any = None,
    combiner: str | None = None,
    default_id: Any = None,
    name: str | None = None,
    partition_strategy: str = "div",
    max_norm: Any = None,
) -> Tensor:
    """`embedding_lookup_sparse` for rows that may be empty, with ids or weights that do not count.

    Ids below 0 are left out, and with another combiner than "sum" those whose weight is not
    positive. What is left without ids has the embedding of `default_id`, or 0.

    Args:
      embedding_weights: the table `[m, e, ...]`, or a list of its parts, or a partitioned variable.
      sparse_ids: a `SparseTensor` `[d0, ..., dn]` of ids; those along the last dimension are
        combined.
      sparse_weights: a `SparseTensor` of float weights at the same places, or None.
      combiner: "mean" (the default), "sqrtn" or "sum": see `embedding_lookup_sparse`.
      default_id: an id for what has none.
      name: name of the op.
      partition_strategy: how the rows lie in parts: see `embedding_lookup`.
      max_norm: scale each embedding down to this euclidean norm, if its own is larger.

    Returns: a tensor `[d0, ..., d(n-1), e, ...]`.

    Raises:
      ValueError: if there is no table, or for an unknown combiner. TypeError: if the ids or weights
        are not sparse.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     ids = hf.SparseTensor([[0, 0], [0, 1], [2, 0]], [2, -1, 1], [3, 2])
    ...     table = hf.constant([[1.0], [3.0], [5.0]])
    ...     print(hf.nn.safe_embedding_lookup_sparse(table, ids).numpy().tolist())
    [[5.0], [0.0], [3.0]]
    """
    combiner = _combiner(combiner)
    if embedding_weights is None or (
        isinstance(embedding_weights, list | tuple) and not embedding_weights
    ):
        raise ValueError(f"Missing embedding_weights {embedding_weights}.")
    listed = embedding_weights if isinstance(embedding_weights, list) else [embedding_weights]
    ids = as_sparse(sparse_ids, "sparse_ids")
    weights = None if sparse_weights is None else as_sparse(sparse_weights, "sparse_weights")
    with name_scope(name, "embedding_lookup", [*listed, ids, weights]) as scope:
        outer, rank = ids.dense_shape[:-1], ids.dense_shape._dims
        # One row for all that is combined.
        ids = sparse_reshape(ids, raw.Pack([raw.Prod(outer, 0), ids.dense_shape[-1]], axis=0))
        if weights is not None:
            weights = SparseTensor(ids.indices, weights.values, ids.dense_shape)
        ids, weights = _pruned(ids, weights, combiner)
        ids, empty = sparse_fill_empty_rows(ids, default_id or 0)
        if weights is not None:
            weights, _ = sparse_fill_empty_rows(weights, 1.0)
        result = embedding_lookup_sparse(
            embedding_weights, ids, weights, partition_strategy, None, combiner, max_norm
        )
        if default_id is None:
            result = raw.Select(empty, raw.ZerosLike(result), result)
        sizes = raw.ConcatV2([cast(outer, dtypes.int32), raw.Shape(result)[1:]], 0)
        final: Tensor = raw.Reshape(result, sizes, name=scope)
        if rank is not None and rank[0] is not None and result._dims is not None:
            final.set_shape([*[None] * (rank[0] - 1), *result._dims[1:]])
        return final


def _pruned(
    ids: SparseTensor, weights: SparseTensor | None, combiner: str
) -> tuple[SparseTensor, SparseTensor | None]:
    """The ids that count, and their weights."""
    valid = raw.GreaterEqual(ids.values, convert_to_tensor(0, ids.dtype.base_dtype))
    if weights is not None and combiner != "sum":
        zero = convert_to_tensor(0, weights.dtype.base_dtype)
        valid = raw.LogicalAnd(valid, raw.Greater(weights.values, zero))
    pruned = sparse_retain(ids, valid)
    return pruned, None if weights is None else sparse_retain(weights, valid)
