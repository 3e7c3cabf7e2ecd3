"""Rows of a table of embeddings, which may lie in several parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import colocate_with, name_scope
from hybridflow._src.framework.tensor_shape import dimension_at_index, merge
from hybridflow._src.ops.arrays.gather import gather
from hybridflow._src.ops.linalg.norms import clip_by_norm

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["embedding_lookup"]


def _parts(params: Any) -> list[Any]:
    """The parts of a table: variables or tensors.

    Raises:
      ValueError: if there are none.
    """
    if hasattr(params, "_get_variable_list") and not hasattr(params, "sparse_read"):
        # A partitioned variable.
        params = params._get_variable_list()
    parts = list(params) if isinstance(params, list | tuple) else [params]
    if params is None or not parts:
        raise ValueError("Need at least one param")
    # A resource variable reads the rows alone; all else becomes a tensor first.
    return [
        part if hasattr(part, "sparse_read") else convert_to_tensor(part, name=f"params_{i}")
        for i, part in enumerate(parts)
    ]


def rows_of(part: Any, ids: Any, validate_indices: bool = True, name: str | None = None) -> Tensor:
    """The rows of a part at `ids`, which are rows of it: a variable or a tensor."""
    with colocate_with(part):
        if hasattr(part, "sparse_read"):
            rows: Tensor = part.sparse_read(ids, name=name)
            return rows
        return gather(part, ids, validate_indices=validate_indices, name=name)


def _normalized(rows: Tensor, ids: Any, max_norm: Any) -> Tensor:
    """Each embedding scaled down to a norm of `max_norm`, if it is larger."""
    if max_norm is None:
        return rows
    ids = convert_to_tensor(ids, name="ids")
    if rows._dims is None or ids._dims is None:
        axes = raw.Range(raw.Rank(ids), raw.Rank(rows), 1)
    else:
        axes = list(range(len(ids._dims), len(rows._dims)))
    return clip_by_norm(rows, max_norm, axes=axes)


def _total(parts: list[Any], dtype: dtypes.DType) -> Any:
    """The number of rows of all parts: an array if it is known, else a tensor."""
    sizes = [dimension_at_index(part.shape, 0).value for part in parts]
    if None not in sizes:
        return convert_to_tensor(sum(sizes), dtype, name="Const")
    counts = [
        raw.Cast(raw.Shape(part)[0], DstT=dtype)
        if size is None
        else convert_to_tensor(size, dtype, name="Const")
        for part, size in zip(parts, sizes, strict=True)
    ]
    return raw.AddN(counts)


def _places(parts: list[Any], ids: Tensor, strategy: str) -> tuple[Any, Any]:
    """For each id its part, and its row there.

    Raises:
      ValueError: for an unknown strategy.
    """
    count = len(parts)
    if strategy == "mod":
        return ids % count, ids // count
    if strategy != "div":
        raise ValueError(f"Unrecognized partition strategy: {strategy}")
    return places_in_parts(ids, _total(parts, ids.dtype.base_dtype), count)


def places_in_parts(ids: Tensor, total: Any, count: int) -> tuple[Any, Any]:
    """For each id its part, and its row there, where parts follow one another.

    Each has as many rows, but the first ones have one more where it does not come out even.

    Args:
      ids: rows of the whole. total: how many rows that has. count: how many parts there are.
    """
    each, extras = total // count, total % count
    part = raw.Maximum(ids // (each + 1), (ids - extras) // each)
    among_first = raw.Cast(part < extras, DstT=ids.dtype.base_dtype)
    row = among_first * (ids % (each + 1)) + (1 - among_first) * ((ids - extras) % each)
    return part, row


def _of_parts(
    parts: list[Any], ids: Any, strategy: str, validate_indices: bool, name: str
) -> Tensor:
    count = len(parts)
    ids = convert_to_tensor(ids, name="ids")
    flat = raw.Reshape(ids, [-1])
    order = raw.Range(0, raw.Size(flat), 1)
    part, row = _places(parts, flat, strategy)
    part = raw.Cast(part, DstT=dtypes.int32) if part.dtype != dtypes.int32 else part
    ids_of_parts = raw.DynamicPartition(row, part, num_partitions=count)
    order_of_parts = raw.DynamicPartition(order, part, num_partitions=count)
    rows = [rows_of(parts[i], ids_of_parts[i], validate_indices) for i in range(count)]
    joined = raw.DynamicStitch(order_of_parts, rows, name=name)
    element: tuple[int | None, ...] | None = None
    for given in parts:
        dims = given.shape._dims
        element = merge(element, None if dims is None else dims[1:])
    if element is not None and None not in element:
        shape = raw.ConcatV2([raw.Shape(ids), np.array(element, np.int32)], 0)
    else:
        row_shape = raw.StridedSlice(raw.Shape(joined), [1], [0], [1], end_mask=1)
        shape = raw.ConcatV2([raw.Shape(ids), row_shape], 0)
    return raw.Reshape(joined, shape)


def embedding_lookup(
    params: Any,
    ids: Any,
    partition_strategy: str = "mod",
    name: str | None = None,
    validate_indices: bool = True,
    max_norm: Any = None,
) -> Tensor:
    """The rows of a table at `ids`.

    Args:
      params: the table `[n, ...]`, a tensor or variable; or a list of its parts, or a partitioned
        variable.
      ids: int32 or int64 tensor of rows.
      partition_strategy: how rows lie in p parts: "mod": row i is in part i % p; "div": the parts
        follow one another, and the first n % p have one row more.
      name: name of the op.
      validate_indices: accepted for compatibility: ids are always checked.
      max_norm: scale each row that is found down to this euclidean norm, if its own is larger.

    Returns: a tensor of shape `ids.shape + params.shape[1:]`. Gradients of the table are
      `IndexedSlices`, with a row for each id.

    Raises:
      ValueError: if there are no parts, or for an unknown strategy.
      InvalidArgumentError: if an id is out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     table = hf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    ...     print(hf.nn.embedding_lookup(table, [2, 0]).numpy().tolist())
    [[5.0, 6.0], [1.0, 2.0]]
    """
    parts = _parts(params)
    with name_scope(name, "embedding_lookup", [*parts, ids]) as scope:
        if len(parts) == 1:
            rows = rows_of(parts[0], ids, validate_indices, scope)
        else:
            rows = _of_parts(parts, ids, partition_strategy, validate_indices, scope)
        return _normalized(rows, ids, max_norm)
