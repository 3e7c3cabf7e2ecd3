"""Elements of queues as arrays: rows apart, and together again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence


def array_of(value: Any) -> np.ndarray:
    """What an op is given as an array: it may be a scalar of NumPy's, or bytes."""
    if value.__class__ is np.ndarray:
        found: np.ndarray = value
        return found
    if isinstance(value, bytes):
        found = np.empty((), object)
        found[()] = value
        return found
    return np.asarray(value)


def rows_of(array: np.ndarray) -> list[np.ndarray]:
    """The rows of an array as arrays of their own, which keep nothing else of it in memory."""
    if array.ndim == 1:
        # One row after the other, of what may be objects.
        return [array[i : i + 1].reshape(()).copy() for i in range(len(array))]
    return [row.copy() for row in array]


def stacked(
    arrays: Sequence[np.ndarray], dtype: np.dtype[Any], dims: Sequence[int | None]
) -> np.ndarray:
    """Arrays joined along a new first dimension.

    Where a size of `dims` is None, they are as long as the longest, with zeros (for strings: empty
    ones) behind what is shorter.
    """
    shape = [
        max([a.shape[axis] for a in arrays], default=0) if size is None else size
        for axis, size in enumerate(dims)
    ]
    full = (len(arrays), *shape)
    if None not in dims and dtype.kind != "O" and arrays:
        return np.stack(arrays)
    result = np.full(full, b"", object) if dtype.kind == "O" else np.zeros(full, dtype)
    for index, array in enumerate(arrays):
        part: Any = (index, *[slice(n) for n in array.shape], ...)
        result[part] = array
    return result
