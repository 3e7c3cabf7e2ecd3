"""What one list has and another lacks: setdiff1d."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops import shape_rules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["setdiff1d"]


class ListDiff(NamedTuple):
    """What `setdiff1d` gives: the values, and where they stand."""

    out: Tensor
    idx: Tensor


def _shape(attrs: dict[str, Any], x: Tensor, y: Tensor) -> list[Any]:
    shape_rules.with_rank(x, 1)
    shape_rules.with_rank(y, 1)
    return [(None,), (None,)]


def _compute(x: np.ndarray, y: np.ndarray, out_idx: dtypes.DType) -> tuple[np.ndarray, np.ndarray]:
    if x.ndim != 1 or y.ndim != 1:
        raise ValueError(f"x and y should be vectors, got ranks {x.ndim} and {y.ndim}.")
    places = np.flatnonzero(~np.isin(x, y))
    return x[places], places.astype(out_idx.np)


def _grad(op: Any, dout: Any, didx: Any) -> tuple[Any, None]:
    return raw.UnsortedSegmentSum(dout, op.outputs[1], raw.Size(op.inputs[0])), None


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    yield Sample(np.array([1, 2, 3, 2, 5, 6]), np.array([1, 3, 5]))
    yield Sample(np.array([0.5, np.nan], np.float32), np.array([np.nan], np.float32))
    yield Sample(np.array([0.5, 1.5, 0.5]), np.array([1.5]), differentiable=False)
    yield Sample(np.array([0.5, 1.5, 0.5]), np.array([2.5]))
    yield Sample(np.array([b"a", b"b"], object), np.array([b"b"], object), out_idx=dtypes.int64)
    yield Sample(np.zeros(0, np.int32), np.zeros(0, np.int32))


_list_diff = OpDef(
    "ListDiff",
    "x: T, y: T -> out: T, idx: out_idx",
    attrs={"out_idx": dtypes.int32},
    shape=_shape,
    compute=_compute,
    grad=_grad,
    samples=_samples,
)


def setdiff1d(x: Any, y: Any, index_dtype: Any = dtypes.int32, name: str | None = None) -> ListDiff:
    """The elements of one vector that another lacks, in their order, repeated ones too.

    Args:
      x: vector `[n]`.
      y: vector `[m]` of the same dtype: what is left out.
      index_dtype: int32 or int64.
      name: name of the op.

    Returns: `(out, idx)`: the elements, and their places: `out[i] = x[idx[i]]`.

    Raises:
      ValueError: if one is no vector.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     out, idx = hf.setdiff1d([1, 2, 3, 2], [1, 3])
    ...     print(out.numpy(), idx.numpy())
    [2 2] [1 3]
    """
    return ListDiff(*_list_diff(x, y, out_idx=dtypes.as_dtype(index_dtype), name=name))
