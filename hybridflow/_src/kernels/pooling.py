"""Kernels of pooling: the largest element or the mean of windows over images `[n, h, w, c]`.

Their words: a range of rows, of all images; images, results, and for the largest elements which
element of its window each is, in bytes; sizes of images, of what is pooled and of a window;
strides; padding above and on the left. Gradients have the words of what they are gradients of.
"""

from __future__ import annotations

import functools
import textwrap

from hybridflow._src.kernels import scalar
from hybridflow._src.kernels.kernel import Kernel
from hybridflow._src.kernels.memory import NAMESPACE

word = NAMESPACE["word"]
load_T, store_T, load_u8 = NAMESPACE["load_f64"], NAMESPACE["store_f64"], NAMESPACE["load_u8"]
T, i32, select = NAMESPACE["f64"], NAMESPACE["i32"], scalar.select

# So many elements of a window are written out.
MOST_TAPS = 16

_LARGEST = """
def kernel(a):
    x = word(a, 2)
    y = word(a, 3)
    places = word(a, 4)
    H = word(a, 5)
    W = word(a, 6)
    C = word(a, 7)
    OH = word(a, 8)
    OW = word(a, 9)
    KW = word(a, 11)
    for row in range(word(a, 0), word(a, 1)):
        oh = row % OH
        top = oh * word(a, 12) - word(a, 14)
        for ow in range(OW):
            left = ow * word(a, 13) - word(a, 15)
            # Elements of padding are replaced by the first one that is none.
            number = max(0, -top) * KW + max(0, -left)
            image = row // OH * H
            start = (image + max(0, top)) * W + max(0, left)
            {addresses}
            at = (row * OW + ow) * C
            for c in range(C):
                value = load_{T}(x, t0 * C + c, 0)
                most = value
                best = value
                place = i32(number)
                {taps}
                store_{T}(y, at + c, 1, {T}(most))
                store_u8(places, at + c, 2, u8(place))
    return 0
"""

_ADDRESS = """
h = top + {i} // KW
w = left + {i} % KW
t{i} = start
if h >= 0 and h < H and w >= 0 and w < W:
    t{i} = (image + h) * W + w
"""

# What is no number is the largest; but it is not found where another one stands first.
_TAP = """
value = load_{T}(x, t{i} * C + c, 0)
most = maximum(most, value)
place = select(value > best, i32({i}), place)
best = select(value > best, value, best)
"""


@functools.cache
def largest(element: str, taps: int) -> Kernel:
    """The kernel that finds the largest elements of windows of so many."""
    addresses = "".join(_ADDRESS.format(i=i) for i in range(taps))
    values = "".join(_TAP.format(i=i, T=element) for i in range(1, taps))
    text = _LARGEST.format(
        T=element,
        addresses=textwrap.indent(addresses, " " * 12).strip(),
        taps=textwrap.indent(values, " " * 16).strip(),
    )
    return Kernel(text, f"max_pool_{element}_{taps}")


def largest_gradient(a: int) -> int:
    """What comes from the results, added up where they stand; elsewhere zeros.

    Words: as above, of rows of the images; the third are gradients of the images, which it writes,
    and those of the results.
    """
    dx = word(a, 2)
    dy = word(a, 3)
    places = word(a, 4)
    H = word(a, 5)
    W = word(a, 6)
    C = word(a, 7)
    OH = word(a, 8)
    OW = word(a, 9)
    KH = word(a, 10)
    KW = word(a, 11)
    SH = word(a, 12)
    SW = word(a, 13)
    for row in range(word(a, 0), word(a, 1)):
        h = row % H + word(a, 14)
        image = row // H * OH
        for column in range(W):
            w = column + word(a, 15)
            to = (row * W + column) * C
            # Where windows do not overlap, nothing is added up.
            begun = 0
            for kh in range(h % SH, KH, SH):
                oh = (h - kh) // SH
                if oh >= 0 and oh < OH:
                    for kw in range(w % SW, KW, SW):
                        ow = (w - kw) // SW
                        if ow >= 0 and ow < OW:
                            at = ((image + oh) * OW + ow) * C
                            tap = kh * KW + kw
                            if begun == 0:
                                for c in range(C):
                                    is_here = i32(load_u8(places, at + c, 2)) == i32(tap)
                                    part = select(is_here, load_T(dy, at + c, 1), T(0))
                                    store_T(dx, to + c, 0, T(T(0) + part))
                            else:
                                for c in range(C):
                                    is_here = i32(load_u8(places, at + c, 2)) == i32(tap)
                                    part = select(is_here, load_T(dy, at + c, 1), T(0))
                                    store_T(dx, to + c, 0, T(load_T(dx, to + c, 0) + part))
                            begun = 1
            if begun == 0:
                for c in range(C):
                    store_T(dx, to + c, 0, T(0))
    return 0


def mean(a: int) -> int:
    """The means of windows, without what is padding."""
    x = word(a, 2)
    y = word(a, 3)
    H = word(a, 5)
    W = word(a, 6)
    C = word(a, 7)
    OH = word(a, 8)
    OW = word(a, 9)
    for row in range(word(a, 0), word(a, 1)):
        top = row % OH * word(a, 12) - word(a, 14)
        h0 = max(0, top)
        h1 = min(H, top + word(a, 10))
        for ow in range(OW):
            left = ow * word(a, 13) - word(a, 15)
            w0 = max(0, left)
            w1 = min(W, left + word(a, 11))
            at = (row * OW + ow) * C
            for c in range(C):
                store_T(y, at + c, 1, T(0))
            for h in range(h0, h1):
                for w in range(w0, w1):
                    of = ((row // OH * H + h) * W + w) * C
                    for c in range(C):
                        store_T(y, at + c, 1, T(load_T(y, at + c, 1) + load_T(x, of + c, 0)))
            count = T((h1 - h0) * (w1 - w0))
            for c in range(C):
                store_T(y, at + c, 1, T(load_T(y, at + c, 1) / count))
    return 0


def mean_gradient(a: int) -> int:
    """Gradients of the results, each shared out among the elements of its window.

    Words: as of `largest_gradient`.
    """
    dx = word(a, 2)
    dy = word(a, 3)
    H = word(a, 5)
    W = word(a, 6)
    C = word(a, 7)
    OH = word(a, 8)
    OW = word(a, 9)
    KH = word(a, 10)
    KW = word(a, 11)
    SH = word(a, 12)
    SW = word(a, 13)
    for row in range(word(a, 0), word(a, 1)):
        h = row % H + word(a, 14)
        image = row // H * OH
        for column in range(W):
            w = column + word(a, 15)
            to = (row * W + column) * C
            for c in range(C):
                store_T(dx, to + c, 0, T(0))
            for kh in range(h % SH, KH, SH):
                oh = (h - kh) // SH
                top = oh * SH - word(a, 14)
                high = min(H, top + KH) - max(0, top)
                if oh >= 0 and oh < OH:
                    for kw in range(w % SW, KW, SW):
                        ow = (w - kw) // SW
                        left = ow * SW - word(a, 15)
                        wide = min(W, left + KW) - max(0, left)
                        if ow >= 0 and ow < OW:
                            at = ((image + oh) * OW + ow) * C
                            count = T(high * wide)
                            for c in range(C):
                                share = T(load_T(dy, at + c, 1) / count)
                                store_T(dx, to + c, 0, T(load_T(dx, to + c, 0) + share))
    return 0
