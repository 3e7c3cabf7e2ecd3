"""Sizes, counts and axes that come from values, checked before any array is made by them."""

from __future__ import annotations

import math
import os
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.errors import InvalidArgumentError, ResourceExhaustedError

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST = np.iinfo(np.int64).max


def _physical_memory() -> int:
    """In bytes; without limit where the system does not tell (on Windows)."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return sys.maxsize


# In bytes.
MEMORY = _physical_memory()


def number_of(array: np.ndarray, what: str) -> Any:
    """The number that an argument holds which says how many or which one: a count, an axis.

    Raises:
      ValueError: if it is no scalar. (NumPy takes the number out of any array of one element, and
        warns of that in some releases; `what` names it.)
    """
    if array.ndim:
        raise ValueError(f"{what} must be a scalar, got shape {list(array.shape)}")
    return array.item()


def allocatable(op: str, sizes: Iterable[Any], dtype: np.dtype) -> tuple[int, ...]:
    """The shape of an array that an op is to make, as ints, if the machine can hold the array.

    Args:
      op: the type of the op. sizes: the shape, ints of any kind. dtype: of the array.

    Raises:
      ValueError: if the shape is no vector.
      InvalidArgumentError: if a size is negative, or the array has more elements than int64 counts.
      ResourceExhaustedError: if the array is larger than the machine's memory.
    """
    if isinstance(sizes, np.ndarray) and sizes.ndim != 1:
        raise ValueError(f"{op}: a shape must be a vector of sizes, got shape {list(sizes.shape)}")
    shape = tuple([int(size) for size in sizes])
    count = math.prod(shape)
    # The usual case, in one comparison. (Two negative sizes make a positive product.)
    if 0 <= count * dtype.itemsize <= MEMORY and min(shape, default=0) >= 0:
        return shape
    shown = f"[{','.join(map(str, shape))}]"
    if min(shape) < 0:
        raise InvalidArgumentError(None, None, f"{op}: sizes must be >= 0, got shape {shown}")
    if count > _MOST:
        raise InvalidArgumentError(
            None, None, f"{op}: shape {shown} is too large (more than 2**63 - 1 elements)"
        )
    raise ResourceExhaustedError(
        None,
        None,
        f"OOM when allocating tensor with shape{shown} and type {dtype.name} in op {op}: it takes "
        f"{count * dtype.itemsize / 2**30:,.1f} GiB, this machine has {MEMORY / 2**30:,.1f} GiB",
    )
