"""Integers of a range drawn from distributions that are far from uniform, and how often each comes.

The conversions and their order are TensorFlow's, so that its seeds give its numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from hybridflow._src.framework.philox import Philox
from hybridflow._src.framework.random_numbers import uniform_float32, uniform_float64

_U32, _U64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
# Words that a draw sets aside for each number; one that rejects many goes on into the next draw's.
_RESERVED_WORDS = 2048
# How many blocks are computed at a time.
_BLOCKS = 64


class Words:
    """The words of a draw, one after the other."""

    def __init__(self, generator: Philox, numbers: int) -> None:
        self._generator = generator
        self._next = generator.reserve(numbers * _RESERVED_WORDS // 4)
        self._words: list[int] = []

    def word(self) -> int:
        if not self._words:
            blocks = self._generator.words(self._next, np.arange(_BLOCKS, dtype=np.uint64))
            self._next += _BLOCKS
            self._words = blocks.reshape(-1)[::-1].tolist()
        return self._words.pop()

    def float32(self) -> float:
        return float(uniform_float32(np.array([self.word()], np.uint32))[0])

    def float64(self) -> float:
        pair = np.array([[self.word(), self.word()]], np.uint32)
        return float(uniform_float64(pair)[0, 0])

    def below(self, count: int) -> int:
        """An integer in [0, count), from one word."""
        return _below(count, _U32, self.word)

    def below_wide(self, count: int) -> int:
        """An integer in [0, count), from two words."""
        return _below(count, _U64, lambda: self.word() | self.word() << 32)


def _below(count: int, largest: int, draw: Callable[[], int]) -> int:
    """Draws again what would make some integers more frequent than others."""
    if count & (count - 1) == 0:
        return draw() & (count - 1)
    rest = largest % count + 1
    while True:
        drawn = draw()
        if drawn >= rest:
            return drawn % count


class Sampler(Protocol):
    """A distribution over integers from 0."""

    def sample(self, words: Words) -> int: ...

    def probability(self, value: np.ndarray) -> np.ndarray: ...


class Uniform:
    """All integers below `count` alike."""

    def __init__(self, count: int) -> None:
        self._count = count

    def sample(self, words: Words) -> int:
        return words.below_wide(self._count)

    def probability(self, value: np.ndarray) -> np.ndarray:
        return np.full(value.shape, 1 / self._count, np.float32)


class LogUniform:
    """Zipf's distribution: `log((value + 2) / (value + 1)) / log(count + 1)`."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._log = math.log(count + 1)

    def sample(self, words: Words) -> int:
        # Rounding may give `count` itself.
        return (int(math.exp(words.float64() * self._log)) - 1) % self._count

    def probability(self, value: np.ndarray) -> np.ndarray:
        return (np.log((value + 2.0) / (value + 1.0)) / self._log).astype(np.float32)


class Learned:
    """As often as values were seen; each counts once to begin with."""

    def __init__(self, count: int) -> None:
        self._weights = np.ones(count, np.int64)
        self._ends: np.ndarray | None = None

    def sample(self, words: Words) -> int:
        if self._ends is None:
            self._ends = np.cumsum(self._weights)
        drawn = words.below(int(self._ends[-1]))
        return int(np.searchsorted(self._ends, drawn, side="right"))

    def probability(self, value: np.ndarray) -> np.ndarray:
        weights = self._weights[value].astype(np.float32)
        return weights / np.float32(self._weights.sum())

    def see(self, values: np.ndarray) -> None:
        np.add.at(self._weights, values.reshape(-1), 1)
        self._ends = None


class Weighted:
    """In proportion to weights, by the method of aliases (Walker, 1977)."""

    def __init__(self, weights: Sequence[np.float32]) -> None:
        self._weights = np.array(weights, np.float32)
        # Added up as float32, one by one.
        self._total = np.cumsum(self._weights)[-1]
        wide = self._weights.astype(np.float64)
        shares = (wide * len(wide) / np.cumsum(wide)[-1]).tolist()
        low = [i for i, share in enumerate(shares) if share < 1]
        high = [i for i, share in enumerate(shares) if share >= 1]
        self._alias = list(range(len(shares)))
        while high and low:
            small, large = low.pop(), high.pop()
            self._alias[small] = large
            shares[large] -= 1 - shares[small]
            (low if shares[large] < 1 else high).append(large)
        for i in (*high, *low):  # what rounding left over
            shares[i] = 1.0
        self._shares = np.array(shares, np.float32).tolist()

    def sample(self, words: Words) -> int:
        drawn = words.float32()
        index = words.below(len(self._shares))
        return index if drawn < self._shares[index] else self._alias[index]

    def probability(self, value: np.ndarray) -> np.ndarray:
        known = (value >= 0) & (value < len(self._weights))
        weights = self._weights[np.where(known, value, 0)]
        return np.where(known, weights / self._total, np.float32(0))


def draw(
    sampler: Sampler, words: Words, count: int, unique: bool
) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """`count` values, all different if `unique`; and what tells how often a value is expected.

    With t tries for n unique values that is 1 - (1 - p)^t, as if every draw took as many.
    """
    tries = 0
    found: dict[int, None] | list[int]
    if unique:
        found = {}
        while len(found) < count:
            found[sampler.sample(words)] = None
            tries += 1
    else:
        found = [sampler.sample(words) for _ in range(count)]
        tries = count
    drawn = np.array(list(found), np.int64)

    def expected(value: np.ndarray) -> np.ndarray:
        p = sampler.probability(value)
        if tries == count:
            return p * np.float32(count)
        return (-np.expm1(tries * np.log1p(-p.astype(np.float64)))).astype(np.float32)

    return drawn, expected
