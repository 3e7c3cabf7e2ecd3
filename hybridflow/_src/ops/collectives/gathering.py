"""`allgather`: the rows of all ranks; `broadcast`: what one of them has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import ShapeError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.families import NUMBERS
from hybridflow._src.ranks import job, transfers
from hybridflow._src.ranks.collective import Collective

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["allgather", "broadcast"]

_TYPES = (*NUMBERS, dtypes.bool)


def _rows(attrs: dict[str, Any], tensor: Any) -> Any:
    dims = shape_rules.with_rank_at_least(tensor, 1)
    count = job.here().size
    if dims is not None and count > 1:
        dims = (None, *dims[1:])
    return [dims, (count,)]


def _gather_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.int32):
        for shape in ((3, 2), (4,), (0, 2)):
            values = np.asarray(rng.normal(size=shape) * 9, dtype)
            yield Sample(values, differentiable=dtype != np.int32)


def _gather_grad(op: Any, grad: Any, _: Any) -> Any:
    (total,) = raw.HorovodGroupedAllreduce([grad])
    rows = raw.Slice(op.outputs[1], [0], [job.here().rank])
    first = raw.Cast(raw.Sum(rows, [0]), DstT=dtypes.int32)
    rest = raw.Slice(raw.Shape(op.inputs[0]), [0], [-1])
    zeros = raw.ZerosLike(rest)
    begin = raw.ConcatV2([raw.ExpandDims(first, 0), raw.Slice(zeros, [1], [-1])], 0)
    return raw.Slice(total, begin, rest)


_allgather = OpDef(
    "HorovodAllgather",
    "tensor: T -> output: T, rows: int64",
    types=_TYPES,
    shape=_rows,
    compute=Collective("Allgather", transfers.gathered, free_rows=True),
    grad=_gather_grad,
    samples=_gather_samples,
    checked=True,
    stateful=True,
)


def allgather(tensor: Any, name: str | None = None) -> Any:
    """The rows of all ranks, one rank's after the other's.

    Args:
      tensor: tensor `[n, ...]` of numbers or truth values; `n` may differ between ranks, what
        follows may not.
      name: name of the operation.

    Returns: a tensor `[sum of all n, ...]`, the same on all ranks.

    Its gradient is, of the sum of the gradients of all ranks, the rows that this one gave.

    Raises:
      ValueError: before `init`, or for a scalar. FailedPreconditionError: when it runs, if other
        ranks do not do the same.

    >>> import hybridflow as hf
    >>> hf.distributed.init()
    >>> with hf.eager_mode():
    ...     print(hf.distributed.allgather(hf.constant([[1, 2]])).numpy())
    [[1 2]]
    """
    job.current()
    output: Any = _allgather(convert_to_tensor(tensor), name=name)[0]
    return output


def _broadcast_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.int32):
        for shape in ((3, 2), (), (0, 2)):
            values = np.asarray(rng.normal(size=shape) * 9, dtype)
            yield Sample(values, root_rank=0, differentiable=dtype != np.int32)


def _broadcast_grad(op: Any, grad: Any) -> Any:
    (total,) = raw.HorovodGroupedAllreduce([grad])
    return total if job.here().rank == op.get_attr("root_rank") else raw.ZerosLike(total)


_broadcast = OpDef(
    "HorovodBroadcast",
    "tensor: T -> output: T",
    types=_TYPES,
    attrs={"root_rank": REQUIRED},
    shape=shape_rules.same,
    compute=Collective(
        "Broadcast", lambda tensor, root_rank: transfers.broadcast(tensor, root_rank)
    ),
    grad=_broadcast_grad,
    samples=_broadcast_samples,
    stateful=True,
)


def broadcast(tensor: Any, root_rank: int, name: str | None = None) -> Any:
    """The value that a tensor has on one rank.

    Args:
      tensor: tensor of numbers or truth values, of one shape on all ranks.
      root_rank: the rank whose value all get.
      name: name of the operation.

    Returns: a tensor of the shape of `tensor`.

    Its gradient is the sum of the gradients of all ranks on that one, zero on the others.

    Raises:
      ValueError: before `init`, or for a rank that there is not. FailedPreconditionError: when it
        runs, if other ranks do not do the same.

    >>> import hybridflow as hf
    >>> hf.distributed.init()
    >>> with hf.eager_mode():
    ...     print(hf.distributed.broadcast(hf.constant([1, 2]), root_rank=0).numpy())
    [1 2]
    """
    count = job.size()
    if not 0 <= root_rank < count:
        raise ShapeError(f"root_rank must be a rank from 0 to {count - 1}, got {root_rank!r}.")
    output: Any = _broadcast(convert_to_tensor(tensor), root_rank=int(root_rank), name=name)
    return output
