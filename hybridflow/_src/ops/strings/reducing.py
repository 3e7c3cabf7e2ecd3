"""Strings joined along axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes, settings
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, Sample, not_differentiable
from hybridflow._src.framework.spelling import spelled
from hybridflow._src.ops.arrays.sequences import range as range_of
from hybridflow._src.ops.arrays.shape_ops import rank as rank_of
from hybridflow._src.ops.math.reducing import axes_of, reduced_dims, renamed
from hybridflow._src.ops.strings.elementwise import strings, words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["reduce_join"]


def _join(array: np.ndarray, axes: np.ndarray, keep_dims: bool, separator: str) -> np.ndarray:
    found = axes_of(array, axes)
    if len(found) != axes.size:
        places = [int(axis) % array.ndim for axis in axes]
        twice = next(p for n, p in enumerate(places) if p in places[:n])
        words = f"Duplicate reduction dimension {twice} in {axes.tolist()}"
        raise InvalidArgumentError(None, None, words)
    rest = [axis for axis in range(array.ndim) if axis not in found]
    # The axis that is named first turns fastest.
    parts = np.transpose(array, (*rest, *reversed(found)))
    kept = tuple(array.shape[axis] for axis in rest)
    shape = kept
    if keep_dims:
        shape = tuple(1 if axis in found else n for axis, n in enumerate(array.shape))
    glue = separator.encode()
    count = int(np.prod(kept))
    rows: Any = parts.reshape(count, -1) if array.size else [[]] * count
    return strings([glue.join(row) for row in rows], shape)


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    texts = words().reshape(2, 2, 2)
    for axes in ([2], [0, 2], [2, 0], [-1, -2, -3], []):
        for keep in (True, False):
            yield Sample(texts, np.array(axes, np.int32), keep_dims=keep, separator=",")
    yield Sample(texts, np.array(1, np.int32))
    yield Sample(words(0).reshape(0, 3), np.array([0], np.int32))


_reduce_join = OpDef(
    "ReduceJoin",
    "inputs: string, reduction_indices: int32 -> output: string",
    attrs={"keep_dims": False, "separator": ""},
    shape=reduced_dims,
    compute=_join,
    grad=not_differentiable,
    samples=_samples,
)


@spelled(keepdims="keep_dims")
def reduce_join(
    inputs: Any,
    axis: Any = None,
    keep_dims: bool = False,
    separator: str = "",
    name: str | None = None,
    reduction_indices: Any = None,
) -> Tensor:
    """Joins strings along axes.

    Args:
      inputs: string tensor.
      axis: an axis, or a list of them: strings are joined along the first, then what that gives
        along the next. All by default, from the last to the first.
      keep_dims: whether reduced axes stay, of size 1.
      separator: what stands between strings.
      name: name of the op.
      reduction_indices: older name of `axis`.

    Returns: a string tensor without the axes.

    Raises:
      ValueError: for both names at once. InvalidArgumentError: for an axis that there is not, or
        one that is named twice.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.reduce_join([["a", "b"], ["c", "d"]], 1, separator="-").numpy())
    [b'a-b' b'c-d']
    """
    separator = settings.string(separator, "separator")
    axis = renamed("axis", axis, "reduction_indices", reduction_indices)
    texts = convert_to_tensor(inputs, dtypes.string, name="inputs")
    if axis is None:
        rank = texts.shape.ndims
        if rank is None:
            axis = range_of(rank_of(texts) - 1, -1, -1)
        else:
            axis = np.arange(rank - 1, -1, -1, dtype=np.int32)
    elif not hasattr(axis, "dtype") and not np.size(axis):
        axis = np.zeros(0, np.int32)
    joined: Tensor = _reduce_join(
        texts, axis, keep_dims=bool(keep_dims), separator=separator, name=name
    )
    return joined
