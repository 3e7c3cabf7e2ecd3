"""Places in tensors that are counted through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, Sample, no_gradient
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.families import INDICES

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["unravel_index"]


def _unravelled(indices: np.ndarray, dims: np.ndarray) -> np.ndarray:
    if dims.ndim != 1:
        raise InvalidArgumentError(
            None, None, f"The dims should be a vector of sizes, got {dims.tolist()}."
        )
    count = int(np.prod(dims, dtype=np.int64))
    outside = indices[(indices < 0) | (indices >= count)]
    if outside.size:
        raise InvalidArgumentError(
            None,
            None,
            f"index is out of bound as with dims: {outside.flat[0]} for a tensor of shape "
            f"{dims.tolist()}.",
        )
    places = np.unravel_index(indices.reshape(-1), dims.tolist())
    return np.array(places, indices.dtype).reshape(dims.size, *indices.shape)


def _unravelled_shape(attrs: dict[str, Any], indices: Tensor, dims: Tensor) -> shape_rules.Dims:
    axes = shape_rules.with_rank(dims, 1)
    return None if indices._dims is None else (axes[0] if axes else None, *indices._dims)


def _unravelled_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.int32, np.int64):
        yield Sample(np.array([0, 5, 11], dtype), np.array([3, 4], dtype))
        yield Sample(np.array(7, dtype), np.array([2, 2, 2], dtype))
        yield Sample(np.zeros(0, dtype), np.array([3, 4], dtype))


_unravel_op = OpDef(
    "UnravelIndex",
    "indices: Tidx, dims: Tidx -> output: Tidx",
    types={"Tidx": INDICES},
    shape=_unravelled_shape,
    compute=_unravelled,
    grad=no_gradient,
    samples=_unravelled_samples,
)


def unravel_index(indices: Any, dims: Any, name: str | None = None) -> Tensor:
    """Where the elements of a tensor stand that have some numbers, counted row by row.

    Of TensorFlow 1.15; NumPy's `unravel_index`.

    Args:
      indices: int32 or int64 tensor `[...]` of numbers of elements.
      dims: vector of that dtype, the tensor's shape `[rank]`.
      name: name of the op.

    Returns: a tensor `[rank, ...]` of that dtype: a place along each axis.

    Raises:
      InvalidArgumentError: for a number that is no element's.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.unravel_index([2, 5], [3, 3]).numpy().tolist())
    [[0, 1], [2, 2]]
    """
    return _unravel_op(indices, dims, name=name)
