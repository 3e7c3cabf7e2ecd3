"""Sums at the left and right edge of images, where columns of padding are no part of them.

The kernels that run before take zeros for the padding. That is right unless what is multiplied by
one of them is infinite or NaN: then the sum is NaN. Here each NaN at an edge is summed up again
without the padding.

Both kernels take the words of `strips`, with the images themselves; their ranges are of rows of the
results, and of taps of the filter.
"""

from __future__ import annotations

import functools

import numpy as np

from hybridflow._src.kernels.convolution.strips import words
from hybridflow._src.kernels.kernel import Kernel
from hybridflow._src.kernels.memory import ELEMENT_TYPES

_RESULTS = """
def kernel(a):
    {words}
    # Pixels that see padding on the left; those that see none on the right; those that see some.
    lefts = min(OW, max(0, (left + SW - 1) // SW))
    whole = min(OW, max(0, (W - 1 + left - (KW - 1) * DW) // SW + 1))
    rights = OW - max(lefts, whole)
    for row in range(first, last):
        n = row // OH
        oh = row % OH
        ih = oh * SH - top
        for edge in range(lefts + rights):
            ow = edge
            if edge >= lefts:
                ow = OW - rights + edge - lefts
            iw = ow * SW - left
            for o in range(panels):
                to = y + n * apart_n + oh * apart_h + ow * apart_w + o * {width} * {B}
                count = min({width}, O - o * {width})
                {check}
                if is_nan != 0:
                    for kh in range(max(0, (DH - 1 - ih) // DH), min(KH, (H - ih + DH - 1) // DH)):
                        for kw in range(
                            max(0, (DW - 1 - iw) // DW), min(KW, (W - iw + DW - 1) // DW)
                        ):
                            p = x + ((n * H + ih + kh * DH) * W + iw + kw * DW) * C * {B}
                            q = w + ((o * KH + kh) * KW + kw) * C * {width} * {B}
                            for c in range(C):
                                number = load_{T}(p, c, 1)
                                for j in range(count):
                                    product = number * load_{T}(q, c * {width} + j, 3)
                                    store_{T}(to, j, 0, {T}(load_{T}(to, j, 0) + product))
    return 0
"""

_FILTER = """
def kernel(a):
    {words}
    for tap in range(first, last):
        kh = tap // KW
        ih = kh * DH - top
        iw = tap % KW * DW - left
        ow0 = max(0, (SW - 1 - iw) // SW)
        ow1 = min(OW, (W - iw + SW - 1) // SW)
        if ow0 > 0 or ow1 < OW:
            for c in range(C):
                to = y + (tap * C + c) * O * {B}
                count = O
                {check}
                if is_nan != 0:
                    for row in range(N * OH):
                        h = row % OH * SH + ih
                        if h >= 0 and h < H:
                            p = x + ((row // OH * H + h) * W + iw) * C * {B}
                            q = w + row * OW * O * {B}
                            for ow in range(ow0, ow1):
                                number = load_{T}(p, ow * SW * C + c, 1)
                                for j in range(count):
                                    product = number * load_{T}(q, ow * O + j, 3)
                                    store_{T}(to, j, 0, {T}(load_{T}(to, j, 0) + product))
    return 0
"""

# Whether there is a NaN among the numbers; then they are 0.
_CHECK = """is_nan = 0
                for j in range(count):
                    if load_{T}(to, j, 0) != load_{T}(to, j, 0):
                        is_nan = 1
                if is_nan != 0:
                    for j in range(count):
                        store_{T}(to, j, 0, {T}(0))"""


@functools.cache
def results(element: str, width: int) -> Kernel:
    """The kernel for the results of a convolution, whose filter is packed in panels of a width."""
    return Kernel(_text(_RESULTS, element, width), f"convolution_edges_{element}x{width}")


@functools.cache
def filter_gradient(element: str) -> Kernel:
    """The kernel for the gradient to the filter."""
    return Kernel(_text(_FILTER, element, 1), f"convolution_filter_edges_{element}")


def _text(text: str, element: str, width: int) -> str:
    return text.format(
        words=words(width),
        check=_CHECK.format(T=element),
        T=element,
        B=np.dtype(ELEMENT_TYPES[element]).itemsize,
        width=width,
    )
