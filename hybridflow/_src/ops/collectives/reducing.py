"""`allreduce`: sums and means over all ranks."""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.indexed_slices import IndexedSlices
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.collectives.compression import Compression
from hybridflow._src.ops.collectives.gathering import allgather
from hybridflow._src.ops.families import NUMBERS
from hybridflow._src.ranks import job, transfers
from hybridflow._src.ranks.collective import Collective

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Adasum", "Average", "Sum", "allreduce"]


class ReduceOp(enum.Enum):
    """What becomes of the values of all ranks."""

    AVERAGE = "Average"
    SUM = "Sum"
    ADASUM = "Adasum"


Average, Sum, Adasum = ReduceOp

_NO_ADASUM = (
    "Adasum is refused: what it gives depends on how ranks are paired, and no program here asks "
    "for it. Use op=hvd.Average, with a learning rate for the larger batch."
)
_BOTH = "The op parameter supersedes average. Please provide only one of them."


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for shapes in (((2, 3),), ((), (5,)), ((0, 2), (3,), (2, 2))):
            yield Sample([np.asarray(rng.normal(size=shape), dtype) for shape in shapes])


def _grad(op: Any, *grads: Any) -> list[Any]:
    return sums(
        [raw.ZerosLike(x) if g is None else g for x, g in zip(op.inputs, grads, strict=True)]
    )


_sums = OpDef(
    "HorovodGroupedAllreduce",
    "tensors: N*T -> sums: N*T",
    types=NUMBERS,
    shape=lambda attrs, *tensors: [tensor._dims for tensor in tensors],
    compute=Collective(
        "Allreduce",
        lambda *arrays: transfers.summed(arrays),
        room=transfers.room_of_sums,
        adds=True,
    ),
    grad=_grad,
    samples=_samples,
    stateful=True,
)


def sums(tensors: Sequence[Any], name: str | None = None) -> list[Any]:
    """The sums over all ranks of tensors of one dtype, which travel together."""
    found: list[Any] = _sums(list(tensors), name=name)
    return found


def allreduce(
    tensor: Any,
    average: bool | None = None,
    device_dense: str = "",
    device_sparse: str = "",
    compression: Any = Compression.none,
    op: ReduceOp | None = None,
    name: str | None = None,
) -> Any:
    """The mean, or the sum, over all ranks of a tensor that each of them has.

    Args:
      tensor: tensor of numbers, of one shape on all ranks; or `IndexedSlices`, whose rows are
        gathered.
      average: whether it is the mean (by default) or the sum; `op` says it too.
      device_dense, device_sparse: accepted for compatibility.
      compression: in which dtype it travels: `Compression.none` or `Compression.fp16`.
      op: `Average` or `Sum`.
      name: name of the operation.

    Returns: what `tensor` is, the same on all ranks.

    Its gradient is the mean, or the sum, of the gradients of all ranks.

    Raises:
      ValueError: before `init`, or for both `average` and `op`. NotImplementedError: for
        `op=Adasum`. FailedPreconditionError: when it runs, if other ranks do not do the same.

    >>> import hybridflow as hf
    >>> hf.distributed.init()
    >>> with hf.eager_mode():
    ...     print(hf.distributed.allreduce(hf.constant([1.0, 2.0])).numpy())
    [1. 2.]
    """
    count = job.size()
    how = reduction(average, op)
    if isinstance(tensor, IndexedSlices):
        values = allgather(tensor.values)
        indices = allgather(tensor.indices)
        return IndexedSlices(mean(values, how, count), indices, tensor.dense_shape)
    tensor = convert_to_tensor(tensor)
    sent, context = compression.compress(tensor)
    (total,) = sums([sent], name or named_after("HorovodAllreduce", tensor))
    return mean(compression.decompress(total, context), how, count)


def reduction(average: bool | None, op: ReduceOp | None) -> ReduceOp:
    """What is asked for by the two ways of saying it."""
    if average is not None and op is not None:
        raise ValueError(_BOTH)
    if op is None:
        return Sum if average is False else Average
    if not isinstance(op, ReduceOp):
        raise ValueError(f"`op` must be hvd.Average or hvd.Sum, got {op!r:.100}.")
    if op is Adasum:
        raise NotImplementedError(_NO_ADASUM)
    return op


def mean(total: Any, how: ReduceOp, count: int) -> Any:
    """What is asked for, of a sum over so many ranks."""
    if how is Sum or count == 1:
        return total
    divide = raw.FloorDiv if total.dtype.is_integer else raw.RealDiv
    return divide(total, count)


def named_after(kind: str, tensor: Any) -> str | None:
    """The name of an operation on a tensor of a graph."""
    if tensor.__class__ is not Tensor:
        return None
    return f"{kind}_{re.sub(r'[^a-zA-Z0-9_]', '_', tensor.name)}"
