"""Filters as the kernels of convolution read them: panels `[o / width][kh, kw, c][width]`.

Channels beyond the last one are left as they are in memory: what comes of them is not stored.
"""

from __future__ import annotations

import functools

import numpy as np

from hybridflow._src.kernels.convolution.strips import unless_marked
from hybridflow._src.kernels.kernel import Kernel
from hybridflow._src.kernels.memory import ELEMENT_TYPES

_PACK = """
def kernel(a):
    w = word(a, 2)
    to = word(a, 3)
    rows = word(a, 4)
    O = word(a, 5)
    width = word(a, 6)
    {unless_marked}
    for p in range(word(a, 0), word(a, 1)):
        for r in range(rows):
            for j in range(min(width, O - p * width)):
                value = load_{T}(w, r * O + p * width + j, 1)
                store_{T}(to, (p * rows + r) * width + j, 0, value)
    return 0
"""

_PACK_FLIPPED = """
def kernel(a):
    w = word(a, 2)
    to = word(a, 3)
    KW = word(a, 4)
    C = word(a, 5)
    O = word(a, 6)
    first_h = word(a, 7)
    first_w = word(a, 8)
    step_h = word(a, 9)
    step_w = word(a, 10)
    TH = word(a, 11)
    TW = word(a, 12)
    width = word(a, 13)
    for p in range(word(a, 0), word(a, 1)):
        for t in range(TH):
            for u in range(TW):
                kh = first_h + step_h * (TH - 1 - t)
                kw = first_w + step_w * (TW - 1 - u)
                of = w + ((kh * KW + kw) * C + p * width) * O * {B}
                at = to + ((p * TH + t) * TW + u) * O * width * {B}
                for o in range(O):
                    for j in range(min(width, C - p * width)):
                        store_{T}(at, o * width + j, 0, load_{T}(of, j * O + o, 1))
    return 0
"""


@functools.cache
def pack(element: str) -> Kernel:
    """Packs a filter.

    Words: first and last panel; the filter, where to; its rows `kh * kw * c`, its columns o; the
    width of a panel; marks, and how many there are.
    """
    text = _PACK.format(T=element, unless_marked=unless_marked(7))
    return Kernel(text, f"pack_filter_{element}")


@functools.cache
def pack_flipped(element: str) -> Kernel:
    """Packs a part of a filter, flipped and with its channels exchanged, for a gradient.

    Words: first and last panel; the filter, where to; kw, c and o; the first row and column that
    are taken, every how many-th is, and how many are; the width of a panel.
    """
    size = np.dtype(ELEMENT_TYPES[element]).itemsize
    return Kernel(_PACK_FLIPPED.format(T=element, B=size), f"pack_flipped_filter_{element}")
