"""Pooling regions of fractional size: how rows and columns are divided, and what is taken of each.

A sequence holds where the regions of a dimension begin, and its size. Where regions overlap, each
one also has the first element of the next. (Graham, Fractional Max-Pooling, 2015.)
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from hybridflow._src.framework import random_numbers
from hybridflow._src.framework.philox import Philox


def sequence(generator: Philox, size: int, count: int, pseudo_random: bool) -> np.ndarray:
    """`count + 1` numbers from 0 to `size`, `size / count` apart but for rounding."""
    if count == 0:
        raise ValueError(f"a dimension of size {size} is smaller than its pooling ratio")
    lengths = _pseudo_random if pseudo_random else _random
    return np.concatenate([[0], np.cumsum(lengths(generator, size, count))]).astype(np.int64)


def _random(generator: Philox, size: int, count: int) -> np.ndarray:
    """Lengths in random order."""
    least, more = divmod(size, count)
    lengths = np.full(count, least)
    lengths[:more] += 1
    order = random_numbers.permutation(generator, count)
    # TensorFlow sets a word aside for the last element too.
    generator.reserve(-(-count // 4) - -(-(count - 1) // 4))
    return lengths[order]


def _pseudo_random(generator: Philox, size: int, count: int) -> np.ndarray:
    """Differences of ceil(alpha (i + u)), u so small that no length but two come."""
    alpha, least = size / count, size // count
    largest = min((least + 2) / alpha - 1, (size + 1 - least) / alpha - (count - 1))
    words = generator.words(generator.reserve(1), np.zeros(1, np.uint64))
    u = float(random_numbers.uniform_float64(words)[0, 0]) * largest
    inner = [math.ceil(alpha * (i + u)) for i in range(1, count)]
    return np.diff([1, *inner, size + 1])


def _spans(starts: np.ndarray, overlapping: bool) -> list[slice]:
    *begins, size = starts.tolist()
    return [
        slice(begin, min(end + overlapping, size))
        for begin, end in zip(begins, [*begins[1:], size], strict=True)
    ]


def regions(
    rows: np.ndarray, columns: np.ndarray, overlapping: bool
) -> Iterator[tuple[tuple[slice, int, int], tuple[slice, slice, slice]]]:
    """For each region where its result stands and where its elements do."""
    for i, down in enumerate(_spans(rows, overlapping)):
        for j, across in enumerate(_spans(columns, overlapping)):
            yield (slice(None), i, j), (slice(None), down, across)


def _shape(x: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> tuple[int, ...]:
    return len(x), len(rows) - 1, len(columns) - 1, x.shape[-1]


def _flat(region: np.ndarray) -> np.ndarray:
    return region.reshape(len(region), region.shape[1] * region.shape[2], region.shape[3])


def largest(x: np.ndarray, rows: np.ndarray, columns: np.ndarray, overlapping: bool) -> np.ndarray:
    """The largest element of each region."""
    y = np.empty(_shape(x, rows, columns), x.dtype)
    for at, elements in regions(rows, columns, overlapping):
        y[at] = x[elements].max((1, 2))
    return y


def largest_gradient(
    x: np.ndarray,
    y: np.ndarray,
    dy: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    overlapping: bool,
) -> np.ndarray:
    """`dy` where the first of the largest elements of each region stand."""
    dx = np.zeros(x.shape, x.dtype)
    for at, elements in regions(rows, columns, overlapping):
        places = _flat(x[elements]).argmax(1)[:, None]
        part = np.zeros(_flat(x[elements]).shape, x.dtype)
        np.put_along_axis(part, places, dy[at][:, None], 1)
        dx[elements] += part.reshape(x[elements].shape)
    return dx


def at_largest(
    x: np.ndarray,
    y: np.ndarray,
    values: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    overlapping: bool,
) -> np.ndarray:
    """`values` where the first of the largest elements of each region of `x` stand."""
    result = np.empty(_shape(x, rows, columns), x.dtype)
    for at, elements in regions(rows, columns, overlapping):
        places = _flat(x[elements]).argmax(1)[:, None]
        result[at] = np.take_along_axis(_flat(values[elements]), places, 1)[:, 0]
    return result


def mean(x: np.ndarray, rows: np.ndarray, columns: np.ndarray, overlapping: bool) -> np.ndarray:
    """The mean of each region; integers are divided as integers."""
    y = np.empty(_shape(x, rows, columns), x.dtype)
    for at, elements in regions(rows, columns, overlapping):
        region = x[elements]
        total, count = region.sum((1, 2), dtype=x.dtype), region.shape[1] * region.shape[2]
        y[at] = total / count if x.dtype.kind == "f" else np.trunc(total / count)
    return y


def mean_gradient(
    sizes: np.ndarray,
    dy: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    overlapping: bool,
) -> np.ndarray:
    """`dy`, each element shared out among the elements of its region."""
    dx = np.zeros(sizes.tolist(), dy.dtype)
    for at, elements in regions(rows, columns, overlapping):
        region = dx[elements]
        share = dy[at] / (region.shape[1] * region.shape[2])
        region += share[:, None, None].astype(dy.dtype)
    return dx
