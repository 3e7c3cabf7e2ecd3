"""Philox 4x32-10: random numbers as a function of a key and a counter.

A block of four 32-bit words is a bijection of a 128-bit counter under a 64-bit key (Salmon, Moraes,
Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011). Blocks do not depend on each
other, so they are computed as arrays, and the stream can go on anywhere.

Where key and counter come from is as in TensorFlow, so that its seeds give its numbers.
"""

from __future__ import annotations

import os

import numpy as np

from hybridflow._src.framework.late import late
from hybridflow._src.framework.locks import holding, new_lock

_MULTIPLIERS = np.array([[0xD2511F53], [0xCD9E8D57]], np.uint64)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_MASK = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_ROUNDS = 10
_U64 = 0xFFFFFFFFFFFFFFFF
# From so many blocks on a kernel is worth while; up to so few, Python's own integers.
_MANY = 1024
_FEW = 4


class Philox:
    """The state of one random op: a key, and a counter that moves on with every draw.

    Args:
      seed, seed2: the two seeds of the op; both 0 means that the op seeds itself from the operating
        system.
    """

    __slots__ = ("_counter", "_keys", "_lock")

    def __init__(self, seed: int, seed2: int) -> None:
        if seed == 0 and seed2 == 0:
            seed = int.from_bytes(os.urandom(8), "little")
            seed2 = int.from_bytes(os.urandom(8), "little")
        self._keys = _round_keys(seed & _U64)
        self._counter = (seed2 & _U64) << 64
        self._lock = new_lock()

    def reserve(self, blocks: int) -> int:
        """The counter at which a draw starts that may use so many blocks."""
        return holding(self._lock, self._reserve, blocks)

    def _reserve(self, blocks: int) -> int:
        start = self._counter
        self._counter = (start + blocks) & ((1 << 128) - 1)
        return start

    def words(self, start: int, offsets: np.ndarray) -> np.ndarray:
        """The uint32 words `[n, 4]` of the blocks at `start + offsets` (uint64 `[n]`)."""
        if offsets.size >= _MANY:
            found = late.philox_blocks(start & _U64, start >> 64, offsets, self._keys)
            if found is not None:
                words: np.ndarray = found
                return words
        if offsets.size <= _FEW:
            counters = [start + offset for offset in offsets.tolist()]
            keys = self._keys.reshape(_ROUNDS, 2).tolist()
            few = [_block(counter, keys) for counter in counters]
            return np.array(few, np.uint32).reshape(-1, 4)
        first = np.uint64(start & _U64)
        low = offsets + first
        high = np.full(low.size, start >> 64, np.uint64)
        # Where the lower half wrapped around, the upper one is one more.
        high += low < first
        return _blocks(low, high, self._keys)


def _round_keys(key: int) -> np.ndarray:
    """The two key words of each round, `[rounds, 2, 1]`."""
    first, second = key & 0xFFFFFFFF, key >> 32
    keys = [[[first + i * _WEYL[0]], [second + i * _WEYL[1]]] for i in range(_ROUNDS)]
    return np.array(keys, np.uint64) & _MASK


def _block(counter: int, keys: list[list[int]]) -> tuple[int, int, int, int]:
    """The words of one block: what `_blocks` computes, without the cost of an array a step."""
    a, b = counter & 0xFFFFFFFF, counter >> 32 & 0xFFFFFFFF
    c, d = counter >> 64 & 0xFFFFFFFF, counter >> 96 & 0xFFFFFFFF
    for first, second in keys:
        p, q = a * 0xD2511F53, c * 0xCD9E8D57
        a, b, c, d = q >> 32 ^ b ^ first, q & 0xFFFFFFFF, p >> 32 ^ d ^ second, p & 0xFFFFFFFF
    return a, b, c, d


def _blocks(low: np.ndarray, high: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """The words `[n, 4]` of the blocks with counters `high << 64 | low` (uint64 `[n]`)."""
    # The words 0 and 2 of each block are the rows of `even`, the words 1 and 3 those of `odd`.
    even = np.stack((low & _MASK, high & _MASK))
    odd = np.stack((low >> _SHIFT, high >> _SHIFT))
    product = np.empty_like(even)
    # Each product goes into the words of the other row.
    crossed = product[::-1]
    for key in keys:
        np.multiply(even, _MULTIPLIERS, out=product)
        np.right_shift(crossed, _SHIFT, out=even)
        np.bitwise_xor(even, odd, out=even)
        np.bitwise_xor(even, key, out=even)
        np.bitwise_and(crossed, _MASK, out=odd)
    result = np.empty((low.size, 4), np.uint32)
    result[:, 0::2] = even.T
    result[:, 1::2] = odd.T
    return result
