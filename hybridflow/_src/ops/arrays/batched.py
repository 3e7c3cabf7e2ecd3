"""Elements by number within each part of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.settings import whole

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["batch_gather"]


def batch_gather(params: Any, indices: Any, name: str | None = None) -> Tensor:
    """Slices by number, each within its own part of a batch.

    `result[b..., i, ...] = params[b..., indices[b..., i], ...]`. Of TensorFlow 1.15.

    Args:
      params: tensor `[b..., n, ...]`.
      indices: integer tensor `[b..., k]`, of at least one dimension, values in [0, n).
      name: scope of the ops.

    Returns: a tensor `[b..., k, ...]` of the dtype of `params`.

    Raises:
      ValueError: if `indices` is a scalar or of unknown rank.
      InvalidArgumentError: when it runs, for an index out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.batch_gather([[1, 2, 3], [4, 5, 6]], [[2], [0]]).numpy())
    [[3]
     [4]]
    """
    with name_scope(name, "BatchGather", [params, indices]):
        indices = convert_to_tensor(indices, name="indices")
        rank = _rank(indices, "indices")
        if not rank:
            raise ValueError("batch_gather does not allow indices with scalar shape.")
        return gathered(convert_to_tensor(params, name="params"), indices, rank - 1, rank - 1)


def _rank(tensor: Tensor, what: str) -> int:
    if tensor._dims is None:
        raise ValueError(f"batch_gather does not allow {what} with unknown shape.")
    return len(tensor._dims)


def gathered(params: Tensor, indices: Tensor, axis: int | None, batch_dims: int) -> Tensor:
    """`gather` along an axis behind the dimensions that `params` and `indices` share.

    Returns: `params.shape[:axis] + indices.shape[batch_dims:] + params.shape[axis + 1:]`.

    Raises:
      ValueError: for unknown ranks, or axes that the tensors do not have.
    """
    rank, picked = _rank(params, "params"), _rank(indices, "indices")
    batch = whole(batch_dims, "batch_dims")
    batch += picked if batch < 0 else 0
    at = batch if axis is None else whole(axis, "axis")
    at += rank if at < 0 else 0
    if not 0 <= batch <= picked or batch >= rank:
        raise ValueError(
            f"batch_dims = {batch_dims} must be less than rank(params) = {rank} and at most "
            f"rank(indices) = {picked}"
        )
    if not batch <= at < rank:
        raise ValueError(f"batch_dims = {batch} must be at most axis = {axis}, below {rank}")
    # The axis comes next to the batch, whose places then stand before each index.
    order = [*range(batch), at, *range(batch, at), *range(at + 1, rank)]
    params = raw.Transpose(params, order)
    sizes = raw.Shape(indices)
    parts = []
    for number in range(batch):
        size = raw.StridedSlice(sizes, [number], [number + 1], [1], shrink_axis_mask=1)
        places = raw.Range(0, size, 1)
        column = raw.Reshape(places, [-1] + [1] * (picked - number - 1))
        parts.append(raw.BroadcastTo(raw.Cast(column, DstT=indices.dtype), sizes))
    parts.append(indices)
    found = raw.GatherNd(params, raw.Pack(parts, axis=picked))
    # [b..., i..., between..., after...] has `between` in front of `i...` again.
    between, count = at - batch, picked - batch
    back = [
        *range(batch),
        *range(picked, picked + between),
        *range(batch, batch + count),
        *range(picked + between, rank + count - 1),
    ]
    return raw.Transpose(found, back)
