"""Words by their numbers: bytes of Python are hashed and compared where they lie."""

from __future__ import annotations

import ctypes
import os
import sys

import numpy as np

from hybridflow._src.kernels.alone import Alone
from hybridflow._src.kernels.kernel import written
from hybridflow._src.kernels.memory import NAMESPACE

word = NAMESPACE["word"]
load_i64, store_i64 = NAMESPACE["load_i64"], NAMESPACE["store_i64"]
load_u64, store_u64 = NAMESPACE["load_u64"], NAMESPACE["store_u64"]
i64, u64 = NAMESPACE["i64"], NAMESPACE["u64"]

# Where the fields of a bytes object lie: its type, its size, its text, aligned as words are.
_TYPE_AT, _SIZE_AT, _TEXT_AT = (
    object.__basicsize__ - 8,
    object.__basicsize__,
    bytes.__basicsize__ - 1,
)


def find(a: int) -> int:
    """Finds the numbers of words, -1 for those without one; gives 1 where there is no word.

    A slot holds half of a hash and, counted from 1, a number; who hashes to one that is taken goes
    on to the next. A word is read in eights: what is behind its end belongs to its object.

    Words: how many; the objects, and what is found, int64; the slots, uint64, and how many fewer
    by one there are; the objects that have numbers; whether the words are these, which enter; where
    hashes start; the type of words; where type, size and text lie in an object.
    """
    objects = word(a, 1)
    slots = word(a, 3)
    last = word(a, 4)
    numbered = word(a, 5)
    half = u64(0xFFFFFFFF)
    for turn in range(word(a, 0)):
        text = load_i64(objects, turn, 0)
        if load_i64(text + word(a, 9), 0, 1) != word(a, 8):
            return 1
        size = load_i64(text + word(a, 10), 0, 1)
        text += word(a, 11)
        mixed = u64(size) ^ load_u64(a, 7, 31)
        for eight in range((size + 7) // 8):
            part = load_u64(text, eight, 1)
            left = size - 8 * eight
            if left < 8:
                part &= (u64(1) << u64(8 * left)) - u64(1)
            mixed ^= part
            high = (mixed >> u64(32)) * u64(0x85EBCA77)
            mixed = (mixed & half) * u64(0x9E3779B1) ^ high >> u64(32) ^ high << u64(32)
        mixed ^= mixed >> u64(32)
        place = i64(mixed & u64(last))
        number = -1
        while number < 0:
            slot = load_u64(slots, place, 2)
            if slot == u64(0):
                if word(a, 6):
                    store_u64(slots, place, 2, (mixed & ~half) | u64(turn + 1))
                break
            if (slot ^ mixed) >> u64(32) == u64(0):
                number = i64(slot & half) - 1
                other = load_i64(numbered, number, 3)
                if load_i64(other + word(a, 10), 0, 1) != size:
                    number = -1
                else:
                    other += word(a, 11)
                    for eight in range((size + 7) // 8):
                        differ = load_u64(text, eight, 1) ^ load_u64(other, eight, 1)
                        left = size - 8 * eight
                        if left < 8:
                            differ &= (u64(1) << u64(8 * left)) - u64(1)
                        if differ != u64(0):
                            number = -1
                            break
            place = (place + 1) & last
        store_i64(word(a, 2), turn, 4, number)
    return 0


# Measured in words. It reads objects: nobody may drop one meanwhile.
FIND = Alone(written(find, "u64"), worth=100_000, holds_gil=True)


def _lie_as_known() -> bool:
    """Whether bytes can be read so."""
    if sys.implementation.name != "cpython" or not getattr(sys, "_is_gil_enabled", lambda: True)():
        return False
    text = b"where do I lie?"
    fields = [ctypes.c_ssize_t.from_address(id(text) + at).value for at in (_TYPE_AT, _SIZE_AT)]
    lies = ctypes.string_at(id(text) + _TEXT_AT, len(text))
    return _TEXT_AT % 8 == 0 and fields == [id(bytes), len(text)] and lies == text


BYTES_ARE_KNOWN = _lie_as_known()


class Numbers:
    """The numbers of words: their places in a vector.

    Args:
      words: bytes, each once: an array of objects.
    """

    def __init__(self, words: np.ndarray) -> None:
        self._words = words
        self._seed = int.from_bytes(os.urandom(8), "little")
        # At most half of the slots are taken.
        self._slots = np.zeros(1 << (2 * len(words)).bit_length(), np.uint64)
        self._call(words, np.empty(len(words), np.int64), True)

    def find(self, words: np.ndarray) -> np.ndarray | None:
        """The numbers of words, -1 for those without one; None if there is something else among
        them.
        """
        found = np.empty(words.size, np.int64)
        return None if self._call(words, found, False) else found.reshape(words.shape)

    def _call(self, words: np.ndarray, found: np.ndarray, enter: bool) -> int:
        return FIND(
            words.size,
            np.ascontiguousarray(words),
            found,
            self._slots,
            len(self._slots) - 1,
            self._words,
            int(enter),
            self._seed,
            id(bytes),
            _TYPE_AT,
            _SIZE_AT,
            _TEXT_AT,
        )
