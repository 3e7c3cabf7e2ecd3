"""Kernels of pooling: the largest element or the mean of windows over images `[n, h, w, c]`.

Their words: a range of rows, of all images; images, results, and for the largest elements which
element of its window each is, in bytes; sizes of images, of what is pooled and of a window;
strides; padding above and on the left. Gradients have the words of what they are gradients of.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from hybridflow._src.kernels import scalar
from hybridflow._src.kernels.kernel import Kernel
from hybridflow._src.kernels.memory import NAMESPACE
from hybridflow._src.kernels.text import channels, filled
from hybridflow._src.kernels.vectors import COMPUTED

if TYPE_CHECKING:
    from hybridflow._src.kernels.vectors import Form

word = NAMESPACE["word"]
load_T, store_T, load_u8 = NAMESPACE["load_f64"], NAMESPACE["store_f64"], NAMESPACE["load_u8"]
T, i32, select = NAMESPACE["f64"], NAMESPACE["i32"], scalar.select

# So many elements of a window are written out.
MOST_TAPS = 16

_WORDS = """
def kernel(a):
    H = word(a, 5)
    W = word(a, 6)
    C = word(a, 7)
    OH = word(a, 8)
    OW = word(a, 9)
    SH = word(a, 12)
    SW = word(a, 13)
    pixel = C * {B}
    for row in range(word(a, 0), word(a, 1)):
        top = row % OH * SH - word(a, 14)
        image = row // OH * H
        {body}
    return 0
"""

_LARGEST = """
to = word(a, 3) + row * OW * pixel
at = word(a, 4) + row * OW * C
for ow in range(OW):
    left = ow * SW - word(a, 15)
    if top >= 0 and top + {KH} <= H and left >= 0 and left + {KW} <= W:
        number = {T}(0)
        t0 = word(a, 2) + ((image + top) * W + left) * pixel
        {taps}
    else:
        # Elements of padding are replaced by the first one that is none.
        number = {T}(max(0, -top) * {KW} + max(0, -left))
        start = word(a, 2) + ((image + max(0, top)) * W + max(0, left)) * pixel
        {addresses}
    {channels}
"""
_ADDRESS = """
t{i} = start
if top + {r} >= 0 and top + {r} < H and left + {c} >= 0 and left + {c} < W:
    t{i} = word(a, 2) + ((image + top + {r}) * W + left + {c}) * pixel
"""
# What is no number is the largest; but it is not found where another one stands first.
_TAP = """
value = load{first}_{name}(t{i}{count})
most = maximum(most, value)
place = select(value > best, splat_{name}({T}({i})), place)
best = select(value > best, value, best)
"""

# Each element of the images is of one window, the last ones of none.
_SPREAD = """
q = word(a, 3) + row * OW * pixel
at = word(a, 4) + row * OW * C
h0 = max(0, top)
h1 = H if row % OH == OH - 1 else min(H, top + {KH})
for ow in range(OW):
    left = ow * SW - word(a, 15)
    w0 = max(0, left)
    w1 = W if ow == OW - 1 else min(W, left + {KW})
    if h1 - h0 == {KH} and w1 - w0 == {KW}:
        t0 = word(a, 2) + ((image + h0) * W + w0) * pixel
        {taps}
        {channels}
    else:
        for h in range(h0, h1):
            for w in range(w0, w1):
                is_seen = h - top < {KH} and w - left < {KW}
                number = {T}((h - top) * {KW} + w - left if is_seen else -1)
                to = word(a, 2) + ((image + h) * W + w) * pixel
                d = q
                b = at
                {single}
        q += pixel
        at += C
"""


def _kernel(form: Form, window: tuple[int, ...], text: str, label: str, **parts: str) -> Kernel:
    KH, KW = window
    taps = "\n".join(f"t{i} = t0 + ({i // KW} * W + {i % KW}) * pixel" for i in range(1, KH * KW))
    number = COMPUTED[form.element]
    body = filled(text, T=number, KH=str(KH), KW=str(KW), taps=taps, **parts)
    itemsize = form.size // form.lanes
    source = filled(_WORDS, B=str(itemsize), body=body)
    return Kernel(f"{source}\n", f"{label}_{form.element}_{KH}x{KW}")


@functools.cache
def largest(form: Form, window: tuple[int, ...]) -> Kernel:
    """The kernel that finds the largest elements of windows of so many rows and columns."""
    name, itemsize, number = form.name, form.size // form.lanes, COMPUTED[form.element]
    taps, columns = window[0] * window[1], window[1]

    def write(first: str, count: str) -> str:
        common = {"name": name, "first": first, "count": count, "T": number}
        lines = [
            f"best = load{first}_{name}(t0{count})",
            "most = best",
            f"place = splat_{name}(number)",
            *[_TAP.strip().format(i=i, **common) for i in range(1, taps)],
            f"store{first}_{name}(to, most{count})",
            f"store{first}_bytes_{name}(at, place{count})",
        ]
        return "\n".join(lines)

    ahead = {**{f"t{i}": itemsize for i in range(taps)}, "to": itemsize, "at": 1}
    addresses = "".join(_ADDRESS.format(i=i, r=i // columns, c=i % columns) for i in range(taps))
    return _kernel(
        form,
        window,
        _LARGEST,
        "max_pool",
        addresses=addresses.strip().replace("\n\n", "\n"),
        channels=channels(form, write, ahead),
    )


@functools.cache
def spread(form: Form, window: tuple[int, ...]) -> Kernel:
    """The kernel of the gradient where windows follow each other without overlaps or gaps.

    Words: as of `largest_gradient`, of rows of the results.
    """
    name, itemsize, number = form.name, form.size // form.lanes, COMPUTED[form.element]
    taps = range(window[0] * window[1])

    def tap(to: str, number: str, first: str, count: str) -> str:
        here = f"select(place == splat_{name}({number}), value, zero)"
        return f"store{first}_{name}({to}, {here}{count})"

    def write(first: str, count: str, single: bool) -> str:
        d, b = ("d", "b") if single else ("q", "at")
        lines = [
            f"zero = splat_{name}({number}(0))",
            # From zero on it is added up.
            f"value = load{first}_{name}({d}{count}) + zero",
            f"place = load{first}_bytes_{name}({b}{count})",
        ]
        if single:
            return "\n".join([*lines, tap("to", "number", first, count)])
        return "\n".join([*lines, *[tap(f"t{i}", f"{number}({i})", first, count) for i in taps]])

    ahead = {**{f"t{i}": itemsize for i in taps}, "q": itemsize, "at": 1}
    alone = {"to": itemsize, "d": itemsize, "b": 1}
    return _kernel(
        form,
        window,
        _SPREAD,
        "spread",
        channels=channels(form, lambda first, count: write(first, count, False), ahead),
        single=channels(form, lambda first, count: write(first, count, True), alone),
    )


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
