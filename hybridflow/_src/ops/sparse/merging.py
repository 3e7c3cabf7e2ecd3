"""Sparse tensors of ids as indices: merge, to_indicator; and rows of slices left out: mask."""

from __future__ import annotations

import numbers
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.indexed_slices import IndexedSlices
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.sparse_tensor import SparseTensor, as_sparse, is_sparse
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.differences import setdiff1d
from hybridflow._src.ops.sparse.densifying import sparse_tensor_to_dense
from hybridflow._src.ops.sparse.ordering import sparse_reorder

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["sparse_mask", "sparse_merge", "sparse_to_indicator"]


def _is_size(value: Any) -> bool:
    return isinstance(value, Tensor | numbers.Integral)


def _listed(sp_ids: Any, vocab_size: Any) -> tuple[list[Any], list[Any]]:
    """The ids and their numbers as lists of one length.

    Raises:
      TypeError: if they are of other kinds. ValueError: if the lengths differ.
    """
    if is_sparse(sp_ids):
        if not _is_size(vocab_size):
            raise TypeError(
                f"vocab_size has to be a Tensor or Python int. Found {type(vocab_size)}"
            )
        return [sp_ids], [vocab_size]
    if not isinstance(sp_ids, Iterable):
        raise TypeError(f"sp_ids has to be a SparseTensor or list thereof. Found {type(sp_ids)}")
    ids = list(sp_ids)
    sizes = list(vocab_size) if isinstance(vocab_size, list | tuple) else [vocab_size]
    if not isinstance(vocab_size, list | tuple) or not all(map(_is_size, sizes)):
        raise TypeError(
            f"vocab_size has to be a list of Tensors or Python ints. Found {vocab_size!r:.200}"
        )
    if len(ids) != len(sizes):
        raise ValueError("sp_ids and vocab_size have to have equal lengths.")
    return ids, sizes


def sparse_merge(
    sp_ids: Any,
    sp_values: Any,
    vocab_size: Any,
    name: str | None = None,
    already_sorted: bool = False,
) -> SparseTensor:
    """The values of one sparse tensor at the places that the ids in others name.

    The last dimension of the ids' indices is replaced by the ids.

    Args:
      sp_ids: a `SparseTensor` `[..., k]` of ids, int32 or int64; or a list of them, each of which
        gives a dimension.
      sp_values: a `SparseTensor` with as many elements.
      vocab_size: the number of ids: an int or scalar tensor, or a list of them.
      name: name scope of the ops.
      already_sorted: whether the result is known to be in row-major order.

    Returns: a `SparseTensor` `[..., vocab_size]`.

    Raises:
      TypeError, ValueError: if the arguments do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     ids = hf.SparseTensor([[0, 0], [1, 0], [1, 1]], [3, 4, 1], [2, 2])
    ...     weights = hf.SparseTensor([[0, 0], [1, 0], [1, 1]], [0.5, 1.0, 2.0], [2, 2])
    ...     print(hf.sparse_merge(ids, weights, 6).indices.numpy().tolist())
    [[0, 3], [1, 1], [1, 4]]
    """
    given, sizes = _listed(sp_ids, vocab_size)
    with name_scope(name, "SparseMerge", [*given, sp_values]):
        ids = [as_sparse(sparse) for sparse in given]
        values = as_sparse(sp_values)
        columns = [raw.ExpandDims(cast(sparse.values, dtypes.int64), 1) for sparse in ids]
        indices = raw.ConcatV2([ids[0].indices[:, :-1], *columns], 1)
        totals: Sequence[Any] = [raw.Reshape(cast(size, dtypes.int64), [1]) for size in sizes]
        shape = raw.ConcatV2([ids[0].dense_shape[:-1], *totals], 0)
        result = SparseTensor(indices, values.values, shape)
        return result if already_sorted else sparse_reorder(result)


def sparse_to_indicator(sp_input: Any, vocab_size: Any, name: str | None = None) -> Tensor:
    """A dense tensor that is True where an id occurs.

    Args:
      sp_input: a `SparseTensor` `[..., k]` of ids, int32 or int64; they may be repeated.
      vocab_size: the number of ids, an int or a scalar tensor.
      name: name scope of the ops.

    Returns: a bool tensor `[..., vocab_size]`.

    Raises:
      TypeError: if `sp_input` is not sparse. InvalidArgumentError: if an id is out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     s = hf.SparseTensor([[0, 0], [1, 0], [1, 1]], [2, 0, 1], [2, 2])
    ...     print(hf.sparse_to_indicator(s, 3).numpy().tolist())
    [[False, False, True], [True, True, False]]
    """
    sparse = as_sparse(sp_input)
    with name_scope(name, "SparseToIndicator", [sparse]) as scope:
        marks = raw.Fill(raw.Shape(sparse.values), True)
        merged = sparse_merge(sparse, sparse.with_values(marks), vocab_size)
        return sparse_tensor_to_dense(merged, False, validate_indices=False, name=scope)


def sparse_mask(a: Any, mask_indices: Any, name: str | None = None) -> IndexedSlices:
    """`IndexedSlices` without the rows of some indices.

    Args:
      a: `IndexedSlices`.
      mask_indices: integer vector: the indices to leave out.
      name: name scope of the ops.

    Returns: `IndexedSlices`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     rows = hf.IndexedSlices(hf.constant([[1.0], [2.0]]), hf.constant([5, 7]))
    ...     print(hf.sparse_mask(rows, [5]).indices.numpy())
    [7]
    """
    with name_scope(name, "sparse_mask", [a, mask_indices]) as scope:
        indices, kept = setdiff1d(a.indices, mask_indices)
        values = raw.Gather(a.values, kept, name=scope)
        return IndexedSlices(values, indices, a.dense_shape)
