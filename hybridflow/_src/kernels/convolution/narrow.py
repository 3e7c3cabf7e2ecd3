"""Convolution to so few channels that they would leave most lanes of a vector idle.

Here the vectors lie along what is summed up: the numbers of an image under a row of the filter, and
those of the filter, which is packed in panels of one channel.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from hybridflow._src.kernels.convolution.strips import copy, words
from hybridflow._src.kernels.convolution.tiles import by_height
from hybridflow._src.kernels.kernel import Kernel

if TYPE_CHECKING:
    from hybridflow._src.kernels.convolution.tiles import Tile

# As many channels take less time so.
FEW = 4

_NARROW = """
def kernel(a):
    {words}
    step = SW * C * {B}
    blocks = (OW + {high} - 1) // {high}
    whole = along // {lanes}
    rest = along % {lanes}
    for item in range(first, last):
        n = item // strips
        oh0 = item % strips * strip
        oh1 = min(OH, oh0 + strip)
        {copy}
        for oh in range(oh0, oh1):
            ih = oh * SH - top
            kh0 = max(0, (DH - 1 - ih) // DH)
            kh1 = min(KH, (H - ih + DH - 1) // DH)
            start = rows + ((oh - oh0) * SH + kh0 * DH) * pitch
            for o in range(O):
                for k in range(blocks):
                    ow = OW * k // blocks
                    m = OW * (k + 1) // blocks - ow
                    numbers = start + ow * step
                    vectors = w + (o * KH + kh0) * KW * C * {B}
                    to = y + n * apart_n + oh * apart_h + ow * apart_w + o * {B}
                    {tiles}
    return 0
"""


def _tile(tile: Tile, rows: int) -> str:
    """The text of the sums of so many pixels."""
    name, element = tile.form.name, tile.form.element
    lines = [f"c{i} = splat_{name}({element}(0))" for i in range(rows)]
    lines += ["for kh in range(kh1 - kh0):", "    for kw in range(columns):"]
    lines += ["        p = numbers + kh * DH * pitch + kw * DW * C * {B}"]
    lines += ["        q = vectors + (kh * columns + kw) * along * {B}"]
    lines += ["        for _ in range(whole):", f"            b = load_{name}(q)"]
    lines += [f"            c{i} = fma(load_{name}(p + {i} * step), b, c{i})" for i in range(rows)]
    lines += [f"            p += {tile.form.size}", f"            q += {tile.form.size}"]
    lines += ["        if rest != 0:", f"            b = load_first_{name}(q, rest)"]
    for i in range(rows):
        lines.append(f"            e = load_first_{name}(p + {i} * step, rest)")
        lines.append(f"            c{i} = fma(e, b, c{i})")
    for i in range(rows):
        # A product too small for a number leaves -0, a sum from 0 does not.
        total = f"{element}({element}(0) + add_up_{name}(c{i}))"
        lines.append(f"store_{element}(to + {i} * apart_w, 0, 2, {total})")
    return "\n".join(lines).replace("{B}", str(tile.itemsize))


@functools.cache
def narrow(tile: Tile, heights: tuple[int, ...]) -> Kernel:
    """The kernel of a convolution to few channels, for rows of pixels of these heights.

    Its words are those of `direct.forward`; output channels are not shared.
    """
    text = _NARROW.format(
        words=words(1),
        copy=copy(tile.form.element, tile.itemsize),
        tiles=by_height(heights, lambda rows: _tile(tile, rows), 5),
        B=tile.itemsize,
        high=tile.high,
        lanes=tile.form.lanes,
    )
    return Kernel(text, f"narrow_convolution_{tile.form.name}_{'_'.join(map(str, heights))}")
