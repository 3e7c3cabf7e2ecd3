"""`alltoall`: each rank sends rows to each other one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.families import NUMBERS
from hybridflow._src.ranks import job, transfers
from hybridflow._src.ranks.collective import Collective

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["alltoall"]


def _rows(attrs: dict[str, Any], tensor: Any, splits: Any) -> Any:
    dims = shape_rules.with_rank_at_least(tensor, 1)
    count = job.here().size
    if dims is not None and count > 1:
        dims = (None, *dims[1:])
    return [dims, (count,)]


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.int32):
        for shape in ((3, 2), (4,), (0, 2)):
            values = np.asarray(rng.normal(size=shape) * 9, dtype)
            yield Sample(values, np.array([shape[0]], np.int64), differentiable=dtype != np.int32)


def _grad(op: Any, grad: Any, _: Any) -> list[Any]:
    return [raw.HorovodAlltoall(grad, op.outputs[1])[0], None]


_alltoall = OpDef(
    "HorovodAlltoall",
    "tensor: T, splits: int64 -> output: T, received_splits: int64",
    types=(*NUMBERS, dtypes.bool),
    shape=_rows,
    compute=Collective("Alltoall", transfers.exchanged, free_rows=True),
    grad=_grad,
    samples=_samples,
    checked=True,
    stateful=True,
)


def alltoall(tensor: Any, splits: Any, name: str | None = None) -> tuple[Any, Any]:
    """Sends rows of a tensor to other ranks, and gives what they have sent to this one.

    Args:
      tensor: tensor `[n, ...]` of numbers or truth values; `n` may differ between ranks, what
        follows may not.
      splits: integers `[size()]`: the first `splits[0]` rows go to rank 0, those that follow to the
        others in order. Their sum is `n`.
      name: name of the operation.

    Returns: the rows that came from all ranks, in their order, and how many came from each: a
      tensor `[m, ...]`, and int64 `[size()]`.

    Its gradient goes back the same way.

    Raises:
      ValueError: before `init`, or for a scalar. InvalidArgumentError: if `splits` are not such
        numbers. FailedPreconditionError: when it runs, if other ranks do not do the same.

    >>> import hybridflow as hf
    >>> hf.distributed.init()
    >>> with hf.eager_mode():
    ...     rows, counts = hf.distributed.alltoall(hf.constant([[1, 2], [3, 4]]), [2])
    ...     print(rows.numpy().tolist(), counts.numpy())
    [[1, 2], [3, 4]] [2]
    """
    job.current()
    splits = convert_to_tensor(splits, preferred_dtype=dtypes.int64)
    if splits.dtype is not dtypes.int64:
        splits = raw.Cast(splits, DstT=dtypes.int64)
    rows, counts = _alltoall(convert_to_tensor(tensor), splits, name=name)
    return rows, counts
