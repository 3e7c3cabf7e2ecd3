"""Convolution of each channel of images with a filter of its own, `[kh, kw, c]`, and its gradients.

Vectors lie along the channels, two at a time; their sums stay in registers.

The words of all: a range; images, filter, results; sizes of the images, channels, sizes of the
results and of the filter; strides, dilations, padding above and on the left. Gradients have the
same words for what they are gradients of.
"""

from __future__ import annotations

import functools
import textwrap
from typing import TYPE_CHECKING

from hybridflow._src.kernels.kernel import Kernel

if TYPE_CHECKING:
    from hybridflow._src.kernels.convolution.tiles import Tile

_WORDS = """
def kernel(a):
    x = word(a, 2)
    f = word(a, 3)
    y = word(a, 4)
    H = word(a, 5)
    W = word(a, 6)
    C = word(a, 7)
    OH = word(a, 8)
    OW = word(a, 9)
    KH = word(a, 10)
    KW = word(a, 11)
    SH = word(a, 12)
    SW = word(a, 13)
    DH = word(a, 14)
    DW = word(a, 15)
    top = word(a, 16)
    left = word(a, 17)
"""

_FORWARD = """
    for row in range(word(a, 0), word(a, 1)):
        ih = row % OH * SH - top
        image = row // OH * H
        for ow in range(OW):
            iw = ow * SW - left
            for c in range(0, C, {width}):
                to = y + ((row * OW + ow) * C + c) * {B}
                {cases}
    return 0
"""
_FORWARD_SUM = """
{zero}
for kh in range(max(0, (DH - 1 - ih) // DH), min(KH, (H - ih + DH - 1) // DH)):
    for kw in range(max(0, (DW - 1 - iw) // DW), min(KW, (W - iw + DW - 1) // DW)):
        p = x + (((image + ih + kh * DH) * W + iw + kw * DW) * C + c) * {B}
        q = f + ((kh * KW + kw) * C + c) * {B}
        {add}
{store}
"""

_TO_INPUT = """
    for row in range(word(a, 0), word(a, 1)):
        h = row % H + top
        image = row // H * OH
        for column in range(W):
            w = column + left
            for c in range(0, C, {width}):
                to = x + ((row * W + column) * C + c) * {B}
                {cases}
    return 0
"""
_TO_INPUT_SUM = """
{zero}
for kh in range(KH):
    oh = (h - kh * DH) // SH
    if oh >= 0 and oh < OH and oh * SH == h - kh * DH:
        for kw in range(KW):
            ow = (w - kw * DW) // SW
            if ow >= 0 and ow < OW and ow * SW == w - kw * DW:
                p = y + (((image + oh) * OW + ow) * C + c) * {B}
                q = f + ((kh * KW + kw) * C + c) * {B}
                {add}
{store}
"""

# A range of channels, in steps of two vectors; the number of images is one more word.
_TO_FILTER = """
    for block in range(word(a, 0), word(a, 1)):
        c = block * {width}
        for k in range(KH * KW):
            for j in range(c, min(C, c + {width})):
                store_{T}(f, k * C + j, 0, {T}(0))
        for row in range(word(a, 18) * OH):
            ih = row % OH * SH - top
            for kh in range(max(0, (DH - 1 - ih) // DH), min(KH, (H - ih + DH - 1) // DH)):
                start = (row // OH * H + ih + kh * DH) * W
                for kw in range(KW):
                    iw = kw * DW - left
                    to = f + ((kh * KW + kw) * C + c) * {B}
                    {cases}
    return 0
"""
_TO_FILTER_SUM = """
{zero}
for ow in range(max(0, (SW - 1 - iw) // SW), min(OW, (W - iw + SW - 1) // SW)):
    p = x + ((start + ow * SW + iw) * C + c) * {B}
    q = y + ((row * OW + ow) * C + c) * {B}
    {add}
{more}
"""


def _cases(tile: Tile, total: str, depth: int) -> str:
    """The text of a sum: where there are channels for whole vectors, and where there are not."""
    name, size, lanes = tile.form.name, tile.form.size, tile.form.lanes
    lines = []
    for first in ("", "_first"):
        zero, add, store, more = [], [], [], []
        for v in range(tile.vectors):
            at = f" + {v * size}" if v else ""
            count = f", C - c - {v * lanes}" if first else ""
            zero.append(f"s{v} = splat_{name}({tile.form.element}(0))")
            factors = [f"load{first}_{name}({pointer}{at}{count})" for pointer in "pq"]
            add.append(f"s{v} = fma({', '.join(factors)}, s{v})")
            store.append(f"store{first}_{name}(to{at}, s{v}{count})")
            before = f"load{first}_{name}(to{at}{count})"
            more.append(f"store{first}_{name}(to{at}, {before} + s{v}{count})")
        inner = next(line for line in total.split("\n") if "{add}" in line)
        indent = " " * (len(inner) - len(inner.lstrip()))
        text = total.format(
            B=tile.itemsize,
            zero="\n".join(zero),
            add=("\n" + indent).join(add),
            store="\n".join(store),
            more="\n".join(more),
        ).strip()
        lines.append("else:" if first else f"if C - c >= {tile.width}:")
        lines.append(textwrap.indent(text, "    "))
    return textwrap.indent("\n".join(lines), "    " * depth).strip()


@functools.cache
def depthwise(tile: Tile) -> Kernel:
    """The kernel of the convolution. Its range is of rows of the results."""
    return _kernel("", _FORWARD, _FORWARD_SUM, tile, 4)


@functools.cache
def to_input(tile: Tile) -> Kernel:
    """The kernel of the gradient to the images. Its range is of rows of the images."""
    return _kernel("_input", _TO_INPUT, _TO_INPUT_SUM, tile, 4)


@functools.cache
def to_filter(tile: Tile) -> Kernel:
    """The kernel of the gradient to the filter. Its range is of channels by the tile's width."""
    return _kernel("_filter", _TO_FILTER, _TO_FILTER_SUM, tile, 5)


def _kernel(name: str, text: str, total: str, tile: Tile, depth: int) -> Kernel:
    loops = text.format(
        T=tile.form.element, B=tile.itemsize, width=tile.width, cases=_cases(tile, total, depth)
    )
    return Kernel(_WORDS + loops.lstrip("\n"), f"depthwise{name}_{tile.form.element}")
