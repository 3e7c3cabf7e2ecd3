"""Histograms of summaries: TensorFlow's buckets, which grow by a tenth."""

from __future__ import annotations

import functools
import sys
from typing import Any

import numpy as np

from hybridflow._src.formats import messages

_LARGEST = sys.float_info.max
# Numbers are taken in parts, whose copies in double precision are small.
_PART = 1 << 16


@functools.cache
def bucket_limits() -> np.ndarray:
    """The upper limits of all buckets, in double precision: the next lower one is in a bucket."""
    limits = []
    limit = 1.0e-12
    while limit < 1.0e20:
        limits.append(limit)
        limit *= 1.1
    limits.append(_LARGEST)
    return np.array([*[-limit for limit in reversed(limits)], 0.0, *limits])


def histogram(values: np.ndarray) -> Any:
    """The `HistogramProto` of finite numbers; of several empty buckets in a row it has the last.

    Sums are formed from the first number to the last, as TensorFlow forms them.
    """
    limits = bucket_limits()
    counts = np.zeros(len(limits))
    least, greatest, total, squares = _LARGEST, -_LARGEST, 0.0, 0.0
    flat = values.reshape(-1)
    for start in range(0, flat.size, _PART):
        part = flat[start : start + _PART].astype(np.float64)
        found = np.minimum(np.searchsorted(limits, part, side="right"), len(limits) - 1)
        counts += np.bincount(found, minlength=len(limits))
        least = min(least, float(part.min()))
        greatest = max(greatest, float(part.max()))
        total = _added(total, part)
        squares = _added(squares, part * part)
    kept = (counts > 0) | np.append(counts[1:] > 0, True)
    return messages.HistogramProto(
        min=least,
        max=greatest,
        num=float(flat.size),
        sum=total,
        sum_squares=squares,
        bucket_limit=limits[kept],
        bucket=counts[kept],
    )


def _added(total: float, numbers: np.ndarray) -> float:
    return float(np.add.accumulate(np.append(total, numbers))[-1])
