"""Products of matrices by register tiles, whatever their sizes and however they lie in memory.

A tile reads one number for each of its rows, which may lie anywhere, and vectors along columns of
the other matrix. These are read where they are, or from a panel: a strip of rows that is copied, or
turned where it lies by columns, into memory of the thread's own. One text serves all sizes: rows
are divided into tiles of few heights.
"""

from __future__ import annotations

import functools
import textwrap
from typing import TYPE_CHECKING

from hybridflow._src.kernels.convolution.tiles import Tile, by_height
from hybridflow._src.kernels.kernel import Kernel
from hybridflow._src.kernels.vectors import registers

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.kernels.vectors import Registers

# So many products are added up in registers; such sums are added in memory.
STRIP = 512

_PRODUCT = """
def kernel(a):
    step = word(a, 3)
    on = word(a, 4)
    rows = word(a, 5)
    columns = word(a, 6)
    inner = word(a, 7)
    alpha = splat_{V}({T}(load_f64(a, 8, 31)) * load_{T}(word(a, 9), 0, 0))
    adds = load_f64(a, 10, 31) != 0.0
    down = word(a, 12)
    across = word(a, 13)
    apart = word(a, 16)
    sums = word(a, 14)
    panel = sums + {high} * {row}
    groups = (rows + {high} - 1) // {high}
    panels = (columns + {width} - 1) // {width}
    for strip in range(max(1, (inner + {strip} - 1) // {strip})):
        begin = strip * {strip}
        count = min({strip}, inner - begin)
        more = adds or strip > 0
        packed = i64(-1)
        for item in range(word(a, 0), word(a, 1)):
            place = item // groups
            matrix = place // panels
            column = place % panels * {width}
            rest = columns - column
            source = word(a, 11) + matrix * word(a, 19) + begin * down + column * across
            along = down
            if word(a, 17) != 0 or rest < {width}:
                if packed != place:
                    packed = place
                    if across != {B}:
                        for v in range(2):
                            for i in range(0, count, {lanes}):
                                at = source + i * down + v * {lanes} * across
                                last = rest - 1 - v * {lanes}
                                below = count - i
                                into = panel + i * {row} + v * {size}
                                {turn}
                    elif rest < {width}:
                        for i in range(count):
                            {copy_first}
                    else:
                        for i in range(count):
                            {copy}
                source = panel
                along = i64({row})
            row = item % groups * {high}
            end = min(rows, row + {high})
            while row < end:
                left = end - row
                m = {choose}
                numbers = word(a, 2) + matrix * word(a, 18) + row * step + begin * on
                vectors = source
                if rest > {lanes}:
                    {wide}
                else:
                    {narrow}
                to = word(a, 15) + matrix * word(a, 20) + row * apart + column * {B}
                if rest >= {width}:
                    for i in range(m):
                        {put}
                else:
                    for i in range(m):
                        {put_first}
                row += m
    return 0
"""


def tile(element: str, machine: Registers | None = None) -> Tile:
    """The tile of products on a machine, by default this one."""
    machine = machine or registers()
    return Tile.of(element, 2 * machine.form(element).lanes, machine)


def heights(of: Tile) -> list[int]:
    """The heights of tiles into which any number of rows is divided, the largest first."""
    return [of.high, *[high for high in (8, 4, 2, 1) if high < of.high]]


def scratch(of: Tile, inner: int) -> int:
    """How many numbers a thread has memory of its own for: the sums of a tile, and a panel.

    There is one if panels are copied, or the last one has not all columns; else `inner` is 0.
    """
    lanes = of.form.lanes
    return (of.high + -(-min(inner, STRIP) // lanes) * lanes) * of.width


def items(of: Tile, count: int, rows: int, columns: int) -> int:
    """How many pieces a number of products has, which threads share."""
    return count * of.blocks(rows) * -(-columns // of.width)


@functools.cache
def product(element: str, machine: Registers | None = None) -> Kernel:
    """The kernel `c = alpha * scale * a b + beta * c`, for a number of matrices.

    Words: first and last item: for each matrix and panel of columns the groups of rows; a, how far
    its rows and its columns lie apart; rows, columns, inner size; alpha (a float64), the address of
    scale, beta (a float64), of which alpha and scale are 1 if beta is 0; b, how far its rows and
    its columns lie apart, one of them as numbers that follow each other; memory of the thread's
    own; c, how far its rows lie apart; whether panels of b are copied, which they are if its
    columns lie apart; how far the matrices of a, of b and of c do. All in bytes.

    Each number of the result is made in the same way, whatever the range of items.
    """
    of = tile(element, machine)
    name, size, lanes = of.form.name, of.form.size, of.form.lanes
    row = of.width * of.itemsize

    def tiles(of: Tile) -> str:
        def write(rows: int) -> str:
            cells = [(i, v) for i in range(rows) for v in range(of.vectors)]
            then = [f"store_{name}(sums + {i * row + v * size}, c{i}_{v})" for i, v in cells]
            return of.text(rows, [("count", "on", "along")], then)

        return by_height(heights(of), write, 5)

    def each(write: Callable[[int, str, str], list[str]], first: str, depth: int) -> str:
        """Lines for each vector of a row, whole ones or what there is of them."""
        lines = []
        for v in range(of.vectors):
            lines += write(v * size, first, f", rest - {v * lanes}" if first else "")
        return textwrap.indent("\n".join(lines), "    " * depth).strip()

    def copy(at: int, first: str, count: str) -> list[str]:
        found = f"load{first}_{name}(source + i * down + {at}{count})"
        return [f"store_{name}(panel + i * {row} + {at}, {found})"]

    def put(at: int, first: str, count: str) -> list[str]:
        place = f"to + i * apart + {at}"
        return [
            f"x = load_{name}(sums + i * {row} + {at})",
            "if more:",
            f"    x = fma(alpha, x, load{first}_{name}({place}{count}))",
            f"store{first}_{name}({place}, x{count})",
        ]

    def turn() -> str:
        """Transposes a square: by turns from one half of the vectors and from the other."""
        lines = [
            f"x{j} = load_first_{name}(at + min({j}, last) * across, below)" for j in range(lanes)
        ]
        names = [f"x{j}" for j in range(lanes)]
        for level in range(lanes.bit_length() - 1):
            found: list[str] = []
            for j in range(lanes // 2):
                for which in ("low", "high"):
                    found.append(f"{'yz'[level % 2]}{len(found)}")
                    pair = f"{names[j]}, {names[j + lanes // 2]}"
                    lines.append(f"{found[-1]} = zip_{which}_{name}({pair})")
            names = found
        lines += [f"store_{name}(into + {k * row}, {x})" for k, x in enumerate(names)]
        return textwrap.indent("\n".join(lines), " " * 32).strip()

    high = heights(of)
    text = _PRODUCT.format(
        T=element,
        V=name,
        B=of.itemsize,
        high=of.high,
        width=of.width,
        lanes=lanes,
        size=size,
        row=row,
        strip=STRIP,
        choose=" else ".join(f"{m} if left >= {m}" for m in high[:-1]) + f" else {high[-1]}",
        wide=tiles(of),
        narrow=tiles(of._replace(vectors=1)),
        turn=turn(),
        copy=each(copy, "", 7),
        copy_first=each(copy, "_first", 7),
        put=each(put, "", 6),
        put_first=each(put, "_first", 6),
    )
    return Kernel(text, f"product_{element}")
