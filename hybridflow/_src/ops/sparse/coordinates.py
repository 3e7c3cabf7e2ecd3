"""What sparse ops share: checks of the parts of a sparse tensor, the order of its elements."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops import shape_rules

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

# Numbers of places below this are int64 without doubt.
_MOST = 2**62


def invalid(message: str) -> InvalidArgumentError:
    """The error for values that do not fit."""
    return InvalidArgumentError(None, None, message)


# -- parts of a sparse tensor ----------------------------------------------------------------------


def static_sizes(indices: Tensor, values: Tensor, dense_shape: Tensor) -> Any:
    """The number of elements and the rank of a sparse tensor, None where they are not known.

    Raises:
      ValueError: if the parts do not fit.
    """
    count, rank = shape_rules.with_rank(indices, 2)
    (values_count,) = shape_rules.with_rank(values, 1)
    (shape_rank,) = shape_rules.with_rank(dense_shape, 1)
    return shape_rules.same_size(count, values_count), shape_rules.same_size(rank, shape_rank)


def check_parts(
    indices: np.ndarray, values: np.ndarray, dense_shape: np.ndarray, what: str = "Input"
) -> None:
    """Checks that the parts of a sparse tensor fit, not that its indices lie inside.

    Raises:
      InvalidArgumentError: if they do not.
    """
    if indices.ndim != 2:
        raise invalid(f"{what} indices should be a matrix but received shape {_of(indices)}")
    if values.ndim != 1:
        raise invalid(f"{what} values should be a vector but received shape {_of(values)}")
    if dense_shape.ndim != 1:
        raise invalid(f"{what} shape should be a vector but received shape {_of(dense_shape)}")
    if len(indices) != len(values):
        raise invalid(
            f"{what} has {len(indices)} indices but {len(values)} values: there must be one of "
            "each for every element"
        )
    if indices.shape[1] != len(dense_shape):
        raise invalid(
            f"{what} indices have {indices.shape[1]} columns, but its shape has "
            f"{len(dense_shape)} dimensions"
        )


def _of(array: np.ndarray) -> str:
    return f"[{','.join(map(str, array.shape))}]"


def shown(sizes: Any) -> str:
    """A shape or an index as TensorFlow's messages show it."""
    return f"[{','.join(str(int(size)) for size in np.ravel(sizes))}]"


def check_inside(indices: np.ndarray, sizes: Any) -> None:
    """Checks that all indices lie inside a shape.

    Raises:
      InvalidArgumentError: if one does not.
    """
    outside = ((indices < 0) | (indices >= np.asarray(sizes, np.int64))).any(axis=1)
    if outside.any():
        number = int(np.argmax(outside))
        raise invalid(
            f"indices[{number}] = {shown(indices[number])} is out of bounds: need 0 <= index < "
            f"{shown(sizes)}, so it is an invalid index"
        )


# -- the order of elements -------------------------------------------------------------------------


def numbered(*indices: np.ndarray) -> list[np.ndarray]:
    """A number for each index of several lists `[n, rank]`.

    The numbers stand in the row-major order of the indices; equal indices have equal numbers.
    """
    together = np.concatenate(indices) if len(indices) > 1 else indices[0]
    numbers = _places(together)
    if numbers is None:
        # Too far apart for one number each in a dense tensor: what there is is counted instead.
        order = np.lexsort(together.T[::-1])
        sorted_ = together[order]
        steps = (sorted_[1:] != sorted_[:-1]).any(axis=1)
        numbers = np.empty(len(together), np.int64)
        numbers[order] = np.concatenate([[0], np.cumsum(steps)])
    ends = np.cumsum([len(part) for part in indices[:-1]], dtype=np.int64)
    return np.split(numbers, ends)


def _places(indices: np.ndarray) -> np.ndarray | None:
    """The place of each index in the smallest dense tensor that has them all, if it counts so far.

    None where it does not, or an index is negative.
    """
    count, rank = indices.shape
    if not count or not rank:
        return np.zeros(count, np.int64)
    sizes = [int(size) + 1 for size in indices.max(axis=0)]
    if indices.min() < 0 or math.prod(sizes) > _MOST:
        return None
    return linear(indices, sizes)


def linear(indices: np.ndarray, sizes: Any) -> np.ndarray:
    """The place of each index in a dense tensor of these sizes; the indices lie inside it."""
    places = np.zeros(len(indices), np.int64)
    for axis, size in enumerate(sizes):
        places *= int(size)
        places += indices[:, axis]
    return places


def row_major(indices: np.ndarray) -> np.ndarray | None:
    """The order that sorts indices, None if they are sorted already; equal ones stay in order."""
    (numbers,) = numbered(indices)
    if (numbers[1:] >= numbers[:-1]).all():
        return None
    return np.argsort(numbers, kind="stable")


# -- gradients -------------------------------------------------------------------------------------


def counting(values: Tensor) -> Any:
    """The numbers 0, 1, ... of elements: in place of these they show where an op puts them."""
    return raw.Range(0, raw.Size(values), 1)


def put_back(grad: Any, numbers: Any, values: Tensor) -> Any:
    """The gradient of `values`, from that of results which each are the element of a number."""
    return raw.UnsortedSegmentSum(grad, numbers, raw.Size(values))


# -- samples ---------------------------------------------------------------------------------------


def sampled(
    rng: np.random.Generator, sizes: tuple[int, ...], count: int, dtype: Any, low: float = -2.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The parts of a sparse tensor whose elements stand in order, without repeats."""
    places = np.sort(rng.choice(math.prod(sizes), count, replace=False))
    indices = np.stack(np.unravel_index(places, sizes), axis=1).astype(np.int64)
    values = rng.uniform(low, 2, count)
    if np.dtype(dtype).kind == "i":
        values = np.ceil(values * 3)
    return indices.reshape(count, len(sizes)), values.astype(dtype), np.array(sizes, np.int64)
