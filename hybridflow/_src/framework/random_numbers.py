"""Random numbers of all kinds from Philox words.

The conversions, their order and the number of blocks that a draw reserves are those of TensorFlow
on the CPU. Integers and uniform floats equal its numbers bit by bit; normal ones to the rounding of
log, sin and cos.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.philox import Philox

# How many blocks are worked on at a time: their arrays stay in the cache.
_CHUNK = 8192
# How many blocks a draw reserves for each number. Most draws need far fewer; a truncated normal
# gives each group of numbers its own part, so that what one rejects does not move the others.
_RESERVED = 256


# -- draws -----------------------------------------------------------------------------------------


def uniform(generator: Philox, count: int, dtype: np.dtype[Any]) -> np.ndarray:
    """`count` floats in [0, 1)."""
    if dtype == np.float64:
        return _draw(generator, count, dtype, 2, uniform_float64)
    convert = uniform_float32 if dtype == np.float32 else uniform_float16
    return _draw(generator, count, dtype, 4, convert)


def normal(generator: Philox, count: int, dtype: np.dtype[Any]) -> np.ndarray:
    """`count` floats of mean 0 and standard deviation 1."""
    if dtype == np.float64:
        return _draw(generator, count, dtype, 2, normal_float64)
    return _draw(generator, count, dtype, 4, normal_float32)


def integers(
    generator: Philox, count: int, dtype: np.dtype[Any], low: int, high: int
) -> np.ndarray:
    """`count` integers in [low, high), a little uneven where the span is no power of two."""
    per_block = 4 if dtype == np.int32 else 2

    def convert(words: np.ndarray) -> np.ndarray:
        return integers_of(words, dtype, low, high)

    return _draw(generator, count, dtype, per_block, convert)


def truncated_normal(generator: Philox, count: int, dtype: np.dtype[Any]) -> np.ndarray:
    """`count` normal floats of absolute value below 2: others are drawn again."""
    per_group = 2 if dtype == np.float64 else 4
    groups = -(-count // per_group)
    # The blocks that the numbers of a group reserve; a normal double takes twice the words.
    stride = _RESERVED * per_group // 4
    start = generator.reserve(count * _RESERVED)
    result = np.empty((groups, per_group), dtype)
    for first in range(0, groups, _CHUNK):
        part = result[first : first + _CHUNK]
        _fill_groups(generator, start + first * stride, stride, part)
    return result.reshape(-1)[:count]


def permutation(generator: Philox, count: int) -> np.ndarray:
    """The numbers 0, ..., count - 1 shuffled (Fisher and Yates, from the front)."""
    order = list(range(count))
    swaps = max(count - 1, 0)
    blocks = -(-swaps // 4)
    start = generator.reserve(blocks)
    words = generator.words(start, np.arange(blocks, dtype=np.uint64)).reshape(-1)[:swaps]
    index = np.arange(swaps)
    others = index + words % (count - index)
    for i, j in enumerate(others.tolist()):
        order[i], order[j] = order[j], order[i]
    return np.array(order, np.intp)


def categorical(generator: Philox, logits: np.ndarray, count: int) -> np.ndarray:
    """`count` classes drawn for each row of `[batch, classes]` unnormalized log-probabilities."""
    batch = len(logits)
    blocks = -(-batch * count // 2)
    start = generator.reserve(batch * -(-count // 4) * 4 * 2 * _RESERVED)
    draws = uniform_float64(generator.words(start, np.arange(blocks, dtype=np.uint64))).reshape(-1)
    result = np.empty((batch, count), np.int64)
    for row, values in enumerate(logits.astype(np.float64)):
        finite = np.isfinite(values)
        largest = values.max(initial=-math.inf, where=finite)
        total = np.cumsum(np.where(finite, np.exp(values - largest), 0.0))
        wanted = draws[row * count : (row + 1) * count] * total[-1]
        result[row] = np.searchsorted(total, wanted, side="right")
    return result


def _draw(
    generator: Philox,
    count: int,
    dtype: np.dtype[Any],
    per_block: int,
    convert: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    blocks = -(-count // per_block)
    start = generator.reserve(count * _RESERVED)
    result = np.empty((blocks, per_block), dtype)
    for first in range(0, blocks, _CHUNK):
        part = result[first : first + _CHUNK]
        part[...] = convert(generator.words(start + first, np.arange(len(part), dtype=np.uint64)))
    return result.reshape(-1)[:count]


def _fill_groups(generator: Philox, start: int, stride: int, result: np.ndarray) -> None:
    """Fills each row with the first numbers within bounds of its own part of the stream."""
    groups, per_group = result.shape
    convert = normal_float64 if result.dtype == np.float64 else normal_float32
    offsets = np.arange(groups, dtype=np.uint64) * np.uint64(stride)
    filled = np.zeros(groups, np.intp)
    rows = np.arange(groups)
    while rows.size:
        numbers = convert(generator.words(start, offsets[rows]))
        good = np.abs(numbers) < 2
        place = filled[rows, np.newaxis] + np.cumsum(good, axis=1) - 1
        row, column = np.nonzero(good & (place < per_group))
        result[rows[row], place[row, column]] = numbers[row, column]
        filled[rows] += good.sum(axis=1)
        offsets += np.uint64(1)
        rows = rows[filled[rows] < per_group]


# -- numbers from blocks of words ------------------------------------------------------------------


def uniform_float32(words: np.ndarray) -> np.ndarray:
    """Floats in [0, 1), one a word: its low 23 bits are the fraction of a number in [1, 2)."""
    bits = (words & np.uint32(0x7FFFFF)) | np.uint32(127 << 23)
    return bits.view(np.float32) - np.float32(1)


def uniform_float16(words: np.ndarray) -> np.ndarray:
    """Halfs in [0, 1), one a word: its low 10 bits are the fraction."""
    bits = ((words & np.uint32(0x3FF)) | np.uint32(15 << 10)).astype(np.uint16)
    return bits.view(np.float16) - np.float16(1)


def uniform_float64(words: np.ndarray) -> np.ndarray:
    """Doubles in [0, 1), two a block: the first word of a pair gives the high bits of 52."""
    high = (words[:, 0::2] & np.uint32(0xFFFFF)).astype(np.uint64) << np.uint64(32)
    bits = high | words[:, 1::2] | np.uint64(1023 << 52)
    return bits.view(np.float64) - 1.0


def integers_of(words: np.ndarray, dtype: np.dtype[Any], low: int, high: int) -> np.ndarray:
    """Integers in [low, high), one a word (int32) or a pair of words (int64, the low one first)."""
    span = high - low
    if dtype == np.int32:
        # Unsigned, so that the sum wraps around to the negative numbers.
        return (np.uint32(low & 0xFFFFFFFF) + words % np.uint32(span)).view(np.int32)
    bits = words[:, 0::2] | words[:, 1::2].astype(np.uint64) << np.uint64(32)
    return (np.uint64(low & 0xFFFFFFFFFFFFFFFF) + bits % np.uint64(span)).view(np.int64)


def normal_float32(words: np.ndarray) -> np.ndarray:
    """Normal float32, two a pair of words, by the transform of Box and Muller.

    With u, v uniform and r = sqrt(-2 log u) they are r sin(2 pi v) and r cos(2 pi v). Log, sin and
    cos are taken in double precision and rounded, as a good float32 library gives them.
    """
    u = uniform_float32(words)
    log = np.log(np.maximum(u[:, 0::2], np.float32(1e-7)).astype(np.float64)).astype(np.float32)
    radius = np.sqrt(np.float32(-2) * log)
    angle = (2 * math.pi * u[:, 1::2].astype(np.float64)).astype(np.float32).astype(np.float64)
    result = np.empty_like(u)
    result[:, 0::2] = np.sin(angle).astype(np.float32) * radius
    result[:, 1::2] = np.cos(angle).astype(np.float32) * radius
    return result


def normal_float64(words: np.ndarray) -> np.ndarray:
    """Normal doubles, two a block of four words, as `normal_float32`."""
    u = uniform_float64(words)
    radius = np.sqrt(-2 * np.log(np.maximum(u[:, 0], 1e-7)))
    angle = 2 * math.pi * u[:, 1]
    return np.stack((np.sin(angle) * radius, np.cos(angle) * radius), axis=1)
