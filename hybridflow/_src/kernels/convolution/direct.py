"""Direct convolution of images `[n, h, w, c]` with filters `[kh, kw, c, o]`, without patches.

For one row of the filter, the numbers of an image under it, `[kw, c]`, lie together in memory. So a
convolution is a matrix product whose inner loops run over them: a tile is some pixels of a row of
the result times two vectors of its channels. Rows of padding are left out. Where there are columns
of padding, a strip of the image is copied with them before.

Both kernels take the words of `strips`.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from hybridflow._src.kernels.convolution.strips import copy, unless_marked, words
from hybridflow._src.kernels.convolution.tiles import by_height
from hybridflow._src.kernels.kernel import Kernel

if TYPE_CHECKING:
    from hybridflow._src.kernels.convolution.tiles import Tile

_FORWARD = """
def kernel(a):
    {words}
    step = SW * C * {B}
    blocks = (OW + {high} - 1) // {high}
    {unless_marked}
    for item in range(first, last):
        share = item // (N * strips)
        n = item // strips - share * N
        oh0 = item % strips * strip
        oh1 = min(OH, oh0 + strip)
        {copy}
        for o in range(panels * share // shares, panels * (share + 1) // shares):
            rest = O - o * {width}
            for oh in range(oh0, oh1):
                ih = oh * SH - top
                kh0 = max(0, (DH - 1 - ih) // DH)
                kh1 = min(KH, (H - ih + DH - 1) // DH)
                start = rows + ((oh - oh0) * SH + kh0 * DH) * pitch
                panel_start = w + (o * KH + kh0) * KW * C * {row}
                for k in range(blocks):
                    ow = OW * k // blocks
                    m = OW * (k + 1) // blocks - ow
                    numbers = start + ow * step
                    vectors = panel_start
                    to = y + n * apart_n + oh * apart_h + ow * apart_w + o * {row}
                    {tiles}
    return 0
"""

_TO_FILTER = """
def kernel(a):
    {words}
    step = {B}
    blocks = (along + {high} - 1) // {high}
    # An item is a panel of output channels, a row of the filter, a column, a block of channels.
    for item in range(first, last):
        k = item % blocks
        position = item // blocks % (KH * columns)
        o = item // blocks // (KH * columns)
        for i in range(along * k // blocks, along * (k + 1) // blocks):
            for j in range(min({width}, O - o * {width})):
                store_{T}(y, (position * along + i) * O + o * {width} + j, 0, {T}(0))
    for strip_number in range(N * strips):
        n = strip_number // strips
        oh0 = strip_number % strips * strip
        oh1 = min(OH, oh0 + strip)
        {copy}
        packed = -1
        for item in range(first, last):
            k = item % blocks
            position = item // blocks % (KH * columns)
            kh = position // columns
            kw = position % columns
            o = item // blocks // (KH * columns)
            rest = O - o * {width}
            if o != packed:
                of = w + ((n * OH + oh0) * OW * O + o * {width}) * {B}
                for i in range((oh1 - oh0) * OW):
                    for j in range(min({width}, rest)):
                        store_{T}(panel, i * {width} + j, 2, load_{T}(of, i * O + j, 3))
                packed = o
            first_row = max(oh0, (top - kh * DH + SH - 1) // SH)
            last_row = min(oh1, (H - 1 + top - kh * DH) // SH + 1)
            c = along * k // blocks
            m = along * (k + 1) // blocks - c
            numbers = rows + ((first_row - oh0) * SH + kh * DH) * pitch + (kw * DW * C + c) * {B}
            vectors = panel + (first_row - oh0) * OW * {row}
            to = y + ((position * along + c) * O + o * {width}) * {B}
            {tiles}
    return 0
"""


@functools.cache
def forward(tile: Tile, heights: tuple[int, ...]) -> Kernel:
    """The kernel of a convolution whose rows of pixels are divided into tiles of these heights.

    Its range is of strips of images, for each share of the output channels again. The filter is
    packed: see `packing`.
    """
    element, item = tile.form.element, tile.itemsize
    name, size = tile.form.name, tile.form.size
    row = tile.width * item
    # A product too small for a number leaves -0, a sum from 0 does not.
    positive = f"splat_{name}({element}(0))"

    def write(rows: int) -> str:
        def put(i: int, v: int) -> str:
            return f"store_{name}(to + {i} * apart_w + {v * size}, c{i}_{v} + {positive})"

        def put_first(i: int, v: int) -> str:
            at, total = f"to + {i} * apart_w + {v * size}", f"c{i}_{v} + {positive}"
            return f"    store_first_{name}({at}, {total}, rest - {v * tile.form.lanes})"

        loops = [
            ("kh1 - kh0", "DH * pitch", f"KW * C * {row}"),
            ("columns", f"DW * C * {item}", f"along * {row}"),
            ("along", f"{item}", f"{row}"),
        ]
        cells = [(i, v) for i in range(rows) for v in range(tile.vectors)]
        edge = [f"if rest >= {tile.width}:", *[f"    {put(i, v)}" for i, v in cells]]
        edge += ["else:", *[put_first(i, v) for i, v in cells]]
        return tile.text(rows, loops, edge)

    text = _FORWARD.format(
        words=words(tile.width),
        unless_marked=unless_marked(28),
        copy=copy(element, item),
        tiles=by_height(heights, write, 5),
        B=item,
        high=tile.high,
        width=tile.width,
        row=row,
    )
    return Kernel(text, f"convolution_{tile.name}_{'_'.join(map(str, heights))}")


@functools.cache
def to_filter(tile: Tile, heights: tuple[int, ...]) -> Kernel:
    """The kernel of a convolution's gradient to its filter, by tiles of these heights.

    `w` are the gradients of the results, `y` is the gradient that is asked for, `[kh, kw, c, o]`.
    Its range is of tiles, which see all images, so that the sum is the same for every number of
    threads.
    """
    element, item = tile.form.element, tile.itemsize
    name, size = tile.form.name, tile.form.size
    row = tile.width * item

    def write(rows: int) -> str:
        loops = [
            ("last_row - first_row", "SH * pitch", f"OW * {row}"),
            ("OW", f"SW * C * {item}", f"{row}"),
        ]
        lines = []
        for first in ("", "_first"):
            lines.append("else:" if first else f"if rest >= {tile.width}:")
            for i in range(rows):
                lines.append(f"    at = to + {i} * O * {item}")
                for v in range(tile.vectors):
                    count = f", rest - {v * tile.form.lanes}" if first else ""
                    at = f"at + {v * size}"
                    total = f"load{first}_{name}({at}{count}) + c{i}_{v}"
                    lines.append(f"    store{first}_{name}({at}, {total}{count})")
        return tile.text(rows, loops, lines)

    text = _TO_FILTER.format(
        words=words(tile.width),
        copy=copy(element, item),
        tiles=by_height(heights, write, 3),
        T=element,
        B=item,
        high=tile.high,
        width=tile.width,
        row=row,
    )
    return Kernel(text, f"convolution_filter_{tile.name}_{'_'.join(map(str, heights))}")
