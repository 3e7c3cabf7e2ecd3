"""Sums of rows by segment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.framework.tensor_shape import merge
from hybridflow._src.ops.families import INDICES, NUMBERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.ops.shape_rules import Dims

__all__ = ["segment_sum", "unsorted_segment_sum"]


def _unsorted_dims(attrs: dict[str, Any], data: Tensor, ids: Tensor, number: Tensor) -> Dims:
    """[number of segments] + the dims of `data` that `ids` does not cover."""
    if data._dims is None or ids._dims is None:
        return None
    rank = len(ids._dims)
    if rank > len(data._dims):
        raise ValueError(f"segment_ids of rank {rank} for data of rank {len(data._dims)}")
    merge(data._dims[:rank], ids._dims)
    value = constant_value(number)
    return (None if value is None else int(value), *data._dims[rank:])


def _unsorted_sum(data: np.ndarray, ids: np.ndarray, number: np.ndarray) -> np.ndarray:
    if data.shape[: ids.ndim] != ids.shape:
        raise ValueError(f"data of shape {data.shape} for segment_ids of shape {ids.shape}")
    count = int(number)
    if count < 0:
        raise InvalidArgumentError(None, None, f"num_segments must not be negative: {count}")
    flat = ids.ravel()
    if flat.size and flat.max() >= count:
        where = int(flat.argmax())
        raise InvalidArgumentError(
            None, None, f"segment_ids[{where}] = {flat[where]} is out of range [0, {count})"
        )
    rows = data.reshape(flat.size, *data.shape[ids.ndim :])
    # Rows with a negative id are dropped.
    keep = flat >= 0
    return _sums(rows[keep], flat[keep], count)


def _sums(rows: np.ndarray, ids: np.ndarray, count: int) -> np.ndarray:
    """Adds each row to the one of its id; half precision is added in single."""
    dtype = np.float32 if rows.dtype == np.float16 else rows.dtype
    total = np.zeros((count, *rows.shape[1:]), dtype)
    np.add.at(total, ids, rows)
    return total.astype(rows.dtype, copy=False)


def _unsorted_grad(op: Any, dy: Tensor) -> tuple[Any, None, None]:
    """Each row gets the gradient of its segment; a dropped one gets zero."""
    ids = op.inputs[1]
    rows = raw.GatherV2(dy, raw.Maximum(ids, 0), 0)
    dropped = raw.Less(ids, 0)
    static = constant_value(dropped)
    if static is not None and not static.any():
        return rows, None, None
    # The ids' shape with as many axes of size 1 as a row has, so that the mask covers whole rows.
    tail = raw.Fill(raw.ExpandDims(raw.Rank(rows) - raw.Rank(ids), 0), 1)
    mask = raw.Reshape(dropped, raw.ConcatV2([raw.Shape(ids), tail], 0))
    mask = raw.BroadcastTo(mask, raw.Shape(rows))
    return raw.Select(mask, raw.ZerosLike(rows), rows), None, None


def _unsorted_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        yield Sample(rng.normal(size=(4, 3)).astype(dtype), np.array([2, 0, 2, 1]), np.array(4))
        yield Sample(
            rng.normal(size=(2, 2)).astype(dtype), np.array([[0, -1], [1, 0]]), np.array(2)
        )
        yield Sample(np.zeros((0, 2), dtype), np.zeros(0, np.int32), np.array(3, np.int32))


_unsorted = OpDef(
    "UnsortedSegmentSum",
    "data: T, segment_ids: Tindices, num_segments: Tnumsegments -> output: T",
    types={"T": NUMBERS, "Tindices": INDICES, "Tnumsegments": INDICES},
    shape=_unsorted_dims,
    compute=_unsorted_sum,
    grad=_unsorted_grad,
    samples=_unsorted_samples,
)


def _sorted_dims(attrs: dict[str, Any], data: Tensor, ids: Tensor) -> Dims:
    if ids._dims is not None and len(ids._dims) != 1:
        raise ValueError(f"segment_ids must be rank 1 but is rank {len(ids._dims)}")
    if data._dims is None:
        return None
    if not data._dims:
        raise ValueError("data must be at least rank 1 but is rank 0")
    if ids._dims is not None:
        merge(data._dims[:1], ids._dims)
    value = constant_value(ids)
    return (None if value is None else int(value[-1]) + 1 if value.size else 0, *data._dims[1:])


def _sorted_sum(data: np.ndarray, ids: np.ndarray) -> np.ndarray:
    if ids.shape != data.shape[:1]:
        raise ValueError(f"data of shape {data.shape} for segment_ids of shape {ids.shape}")
    if ids.size and (ids[0] < 0 or np.any(np.diff(ids) < 0)):
        raise InvalidArgumentError(None, None, f"segment ids must be >= 0 and increasing: {ids}")
    return _sums(data, ids, int(ids[-1]) + 1 if ids.size else 0)


def _sorted_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        yield Sample(rng.normal(size=(4, 3)).astype(dtype), np.array([0, 0, 2, 2]))
        yield Sample(rng.normal(size=3).astype(dtype), np.array([1, 1, 1], np.int32))
        yield Sample(np.zeros((0, 2), dtype), np.zeros(0, np.int32))


_sorted = OpDef(
    "SegmentSum",
    "data: T, segment_ids: Tindices -> output: T",
    types={"T": NUMBERS, "Tindices": INDICES},
    shape=_sorted_dims,
    compute=_sorted_sum,
    grad=lambda op, dy: (raw.GatherV2(dy, op.inputs[1], 0), None),
    samples=_sorted_samples,
    checked=True,
)


def segment_sum(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """`output[i]` = the sum of the rows of `data` whose segment id is i.

    Args:
      data: tensor `[n, ...]` of a number dtype.
      segment_ids: integers `[n]`, not negative, in increasing order; an id that is left out gives
        zeros.
      name: name of the op.

    Returns: tensor `[last id + 1, ...]`.

    Raises:
      InvalidArgumentError: when it runs, for ids that are negative or not in order.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.segment_sum([[1, 2], [3, 4], [5, 6]], [0, 0, 1]).numpy().tolist())
    [[4, 6], [5, 6]]
    """
    return _sorted(data, segment_ids, name=name)


def unsorted_segment_sum(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """`output[i]` = the sum of the rows of `data` whose segment id is i, in any order.

    Args:
      data: tensor whose first dimensions are those of `segment_ids`.
      segment_ids: integers below `num_segments`; rows with a negative id are dropped.
      num_segments: integer scalar.
      name: name of the op.

    Returns: tensor `[num_segments] + data.shape[rank of segment_ids:]`.

    Raises:
      InvalidArgumentError: when it runs, for an id out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.unsorted_segment_sum([1.0, 2.0, 4.0], [1, 0, 1], 3).numpy())
    [2. 5. 0.]
    """
    return _unsorted(data, segment_ids, num_segments, name=name)
