"""What ops on strings share: each string by itself."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# Strings for samples: empty ones, such as are no text, and of all lengths.
WORDS = [b"", b"a", b"word", b"\xff\x00", b"\xc3\xa4", b"0123456789abcdef", b"x" * 40, b"y" * 150]


def strings(items: Iterable[bytes], shape: tuple[int, ...]) -> np.ndarray:
    """An array of strings."""
    return np.fromiter(items, object, math.prod(shape)).reshape(shape)


def each(function: Callable[[Any], bytes], array: np.ndarray) -> np.ndarray:
    """What a function gives for each element of an array."""
    return strings(map(function, array.reshape(-1).tolist()), array.shape)


def words(count: int = len(WORDS)) -> np.ndarray:
    """Strings for samples."""
    return strings(WORDS[:count], (count,))
