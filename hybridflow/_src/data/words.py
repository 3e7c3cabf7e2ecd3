"""Streams of random words, as TensorFlow's datasets draw them one by one."""

from __future__ import annotations

import os

import numpy as np

from hybridflow._src.framework.locks import holding, new_lock
from hybridflow._src.framework.philox import Philox

# So many blocks of four words are computed at a time.
_BLOCKS = 1024


class Words:
    """A stream of random words.

    Args:
      seed, seed2: where it starts. used: how many words have been taken already.
    """

    def __init__(self, seed: int, seed2: int, used: int = 0) -> None:
        self.seeds = seed, seed2
        self.used = used
        self._philox = Philox(seed, seed2)
        self._start = self._philox.reserve(0)
        # Words that are there, and the position in the stream of the first of them.
        self._ready = np.empty(0, np.uint32)
        self._first = 0

    def take(self, count: int) -> np.ndarray:
        """The next words."""
        if self.used + count > self._first + len(self._ready) or self.used < self._first:
            block = self.used // 4
            blocks = max(_BLOCKS, -(-(self.used + count) // 4) - block)
            words = self._philox.words(self._start + block, np.arange(blocks, dtype=np.uint64))
            self._ready, self._first = words.reshape(-1), block * 4
        begin = self.used - self._first
        self.used += count
        return self._ready[begin : begin + count]


class Seeds:
    """The seeds of passes through one source: the same ones for all, or new ones for each.

    Args:
      seed, seed2: both 0 stands for seeds from the operating system.
      anew: whether each pass has seeds of its own, drawn from these.
    """

    def __init__(self, seed: int, seed2: int, anew: bool) -> None:
        if not seed and not seed2:
            seed, seed2 = (int.from_bytes(os.urandom(7), "little") for _ in range(2))
        self._pair = seed, seed2
        self._words = Words(seed, seed2) if anew else None
        self._lock = new_lock()

    def next(self) -> tuple[int, int]:
        """The seeds of a new pass."""
        return self._pair if self._words is None else holding(self._lock, self._drawn)

    def _drawn(self) -> tuple[int, int]:
        assert self._words is not None
        seed, seed2 = self._words.take(2).tolist()
        return seed, seed2

    def state(self) -> list[int]:
        """Where the seeds come from, and how many have been drawn."""
        return [*self._pair, 0 if self._words is None else self._words.used]

    def restore(self, state: list[int]) -> None:
        """Goes on from where others stood."""
        seed, seed2, used = state
        self._pair = seed, seed2
        if self._words is not None:
            self._words = Words(seed, seed2, used)
