"""Products with a matrix that is packed once for many of them: `[columns / width][k][width]`.

BLAS packs what it multiplies in each call, which for few rows is as much work as to multiply. Here
sums are made of one product after the other, in tiles that stay in registers.
"""

from __future__ import annotations

import functools
import textwrap
from typing import TYPE_CHECKING

from hybridflow._src.kernels.convolution.tiles import Tile, by_height
from hybridflow._src.kernels.kernel import Kernel

if TYPE_CHECKING:
    from collections.abc import Callable

_PACK = """
def kernel(a):
    w = word(a, 2)
    to = word(a, 3)
    rows = word(a, 4)
    columns = word(a, 5)
    width = word(a, 6)
    down = word(a, 7)
    along = word(a, 8)
    for p in range(word(a, 0), word(a, 1)):
        count = min(width, columns - p * width)
        for r in range(rows):
            at = r * down + p * width * along
            for j in range(count):
                store_{T}(to, (p * rows + r) * width + j, 0, load_{T}(w, at + j * along, 1))
    return 0
"""

_PRODUCT = """
def kernel(a):
    first = word(a, 0)
    count = word(a, 1) - first
    step = word(a, 3)
    apart = word(a, 6)
    columns = word(a, 7)
    inner = word(a, 8)
    blocks = (count + {high} - 1) // {high}
    for p in range((columns + {width} - 1) // {width}):
        rest = columns - p * {width}
        for k in range(blocks):
            row = first + count * k // blocks
            m = first + count * (k + 1) // blocks - row
            numbers = word(a, 2) + row * step
            vectors = word(a, 4) + p * inner * {row}
            to = word(a, 5) + row * apart + p * {row}
            {tiles}
    return 0
"""

# So many rows are packed at once: they stay in the nearest cache.
STRIP = 128

_SUM = """
def kernel(a):
    first = word(a, 0)
    last = word(a, 1)
    rows = word(a, 3) * i64(load_i32(word(a, 2), 0, 30))
    high = word(a, 6)
    columns = word(a, 9)
    pitch = word(a, 5)
    y = word(a, 10)
    panel = word(a, 11)
    step = {B}
    blocks = (high + {high} - 1) // {high}
    for item in range(first, last):
        p = item // blocks
        for i in range(high * (item % blocks) // blocks, high * (item % blocks + 1) // blocks):
            for j in range(min({width}, columns - p * {width})):
                store_{T}(y, i * columns + p * {width} + j, 0, {T}(0))
    for strip in range((rows + {strip} - 1) // {strip}):
        row = strip * {strip}
        count = min({strip}, rows - row)
        packed = -1
        for item in range(first, last):
            p = item // blocks
            k = item % blocks
            rest = columns - p * {width}
            if p != packed:
                of = word(a, 7) + row * word(a, 8) + p * {row}
                for i in range(count):
                    {pack}
                packed = p
            c = high * k // blocks
            m = high * (k + 1) // blocks - c
            numbers = word(a, 4) + row * pitch + c * {B}
            vectors = panel
            to = y + (c * columns + p * {width}) * {B}
            {tiles}
    return 0
"""


@functools.cache
def pack(element: str) -> Kernel:
    """Packs a matrix.

    Words: first and last panel; the matrix, where to; its rows and columns; the width of a panel;
    how far rows, and columns, of the matrix lie apart, in elements.
    """
    return Kernel(_PACK.format(T=element), f"pack_{element}")


@functools.cache
def product(tile: Tile, heights: tuple[int, ...]) -> Kernel:
    """The product of rows with a packed matrix, where they are divided into tiles of these heights.

    Words: first and last row; the rows, and how far they lie apart in bytes; the panels; the
    result, and how far its rows lie apart in bytes; its columns, and the inner size.
    """
    name, size, row = tile.form.name, tile.form.size, tile.width * tile.itemsize

    def write(rows: int) -> str:
        cells = [(i, v) for i in range(rows) for v in range(tile.vectors)]

        def put(i: int, v: int, first: str = "", count: str = "") -> str:
            return f"    store{first}_{name}(to + {i} * apart + {v * size}, c{i}_{v}{count})"

        lines = [f"if rest >= {tile.width}:", *[put(i, v) for i, v in cells], "else:"]
        for i, v in cells:
            lines.append(put(i, v, "_first", f", rest - {v * tile.form.lanes}"))
        return tile.text(rows, [("inner", f"{tile.itemsize}", f"{row}")], lines)

    text = _PRODUCT.format(
        tiles=by_height(heights, write, 3), high=tile.high, width=tile.width, row=row
    )
    return Kernel(text, f"panels_{tile.name}_{'_'.join(map(str, heights))}")


@functools.cache
def sum_of_products(tile: Tile, heights: tuple[int, ...]) -> Kernel:
    """`sum(a[r]^T b[r])` over rows, for so many columns of `a` that tiles have these heights.

    Rows are added up in strips of `STRIP`, and these one after the other.

    Words: first and last item, which are the tiles for each panel of columns of `b`; where the
    number of turns lies, an int32, and how many rows each has; `a`, how far its rows lie apart in
    bytes, its columns; the same of `b`; the result; memory for `STRIP` rows of a panel.
    """
    name, size, row = tile.form.name, tile.form.size, tile.width * tile.itemsize

    def each(write: Callable[[int, str, str], str]) -> list[str]:
        """Lines for each vector of a row, whole ones or what there is of them."""
        lines = []
        for first in ("", "_first"):
            lines.append("else:" if first else f"if rest >= {tile.width}:")
            for v in range(tile.vectors):
                count = f", rest - {v * tile.form.lanes}" if first else ""
                lines.append("    " + write(v, first, count))
        return lines

    def copied(v: int, first: str, count: str) -> str:
        found = f"load{first}_{name}(of + i * word(a, 8) + {v * size}{count})"
        return f"store_{name}(panel + i * {row} + {v * size}, {found})"

    def write(rows: int) -> str:
        lines = []
        for i in range(rows):
            lines.append(f"at = to + {i} * columns * {tile.itemsize}")
            lines += each(
                lambda v, first, count, i=i: (  # type: ignore[misc]
                    f"store{first}_{name}(at + {v * size}, "
                    f"load{first}_{name}(at + {v * size}{count}) + c{i}_{v}{count})"
                )
            )
        return tile.text(rows, [("count", "pitch", f"{row}")], lines)

    text = _SUM.format(
        T=tile.form.element,
        B=tile.itemsize,
        high=tile.high,
        width=tile.width,
        row=row,
        strip=STRIP,
        pack=textwrap.indent("\n".join(each(copied)), " " * 20).strip(),
        tiles=by_height(heights, write, 3),
    )
    return Kernel(text, f"sum_of_products_{tile.name}_{'_'.join(map(str, heights))}")
