"""Convolution with filters of 3x3 and stride 1 by Winograd's minimal algorithm F(m x m, 3x3).

Blocks of m x m results are computed from blocks of (m + 2)^2 numbers of an image, both transformed:
there a convolution is a product of numbers, and all blocks and channels together are (m + 2)^2
matrix products. Of m = 2 they take 4 multiplications a result in place of 9, of m = 4 2.25, at the
price of transforms, and of larger errors of m = 4.

What is no finite number spreads over a block, where it meets numbers that direct convolution does
not have it meet, and an infinity may become NaN. So each item that gives such a number leaves a
mark, by which all is computed once more, directly.

A. Lavin and S. Gray, "Fast algorithms for convolutional neural networks", CVPR 2016.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, NamedTuple

from hybridflow._src.kernels.convolution.strips import indented
from hybridflow._src.kernels.convolution.tiles import by_height
from hybridflow._src.kernels.kernel import Kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.kernels.convolution.geometry import Geometry
    from hybridflow._src.kernels.convolution.tiles import Tile

# With fewer channels, or fewer blocks, direct convolution takes less time.
_CHANNELS, _PAIRS, _BLOCKS = 16, 512, 40
# What an item may take in a core's own cache, in bytes, and how many blocks it has: with fewer, too
# much time goes into reading the filter.
_ITEM, _LEAST, _MOST = 512 << 10, 60, 96

Matrix = tuple[tuple[float, ...], ...]


class Transform(NamedTuple):
    """The matrices of F(m x m, 3x3), which are applied to columns and to rows.

    Attributes:
      image, filter, result: B^T, G and A^T in the paper.
    """

    image: Matrix
    filter: Matrix
    result: Matrix

    @property
    def block(self) -> int:
        """The rows of a block of results."""
        return len(self.result)

    @property
    def window(self) -> int:
        """The rows of a block of an image."""
        return len(self.image)

    @property
    def products(self) -> int:
        return self.window**2


TRANSFORMS = {
    2: Transform(
        image=((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1)),
        filter=((1, 0, 0), (1 / 2, 1 / 2, 1 / 2), (1 / 2, -1 / 2, 1 / 2), (0, 0, 1)),
        result=((1, 1, 1, 0), (0, 1, -1, -1)),
    ),
    4: Transform(
        image=(
            (4, 0, -5, 0, 1, 0),
            (0, -4, -4, 1, 1, 0),
            (0, 4, -4, -1, 1, 0),
            (0, -2, -1, 2, 1, 0),
            (0, 2, -1, -2, 1, 0),
            (0, 4, 0, -5, 0, 1),
        ),
        filter=(
            (1 / 4, 0, 0),
            (-1 / 6, -1 / 6, -1 / 6),
            (-1 / 6, 1 / 6, -1 / 6),
            (1 / 24, 1 / 12, 1 / 6),
            (1 / 24, -1 / 12, 1 / 6),
            (0, 0, 1),
        ),
        result=(
            (1, 1, 1, 1, 1, 0),
            (0, 1, -1, 2, -2, 0),
            (0, 1, 1, 4, 4, 0),
            (0, 1, -1, 8, -8, 1),
        ),
    ),
}


class Cut(NamedTuple):
    """How the blocks of a convolution are divided.

    Attributes:
      items: runs of blocks. shares: parts of the output channels. run: the blocks of a padded item.
      scratch: the numbers that a thread has to remember.
    """

    items: int
    shares: int
    run: int
    scratch: int

    @staticmethod
    def of(g: Geometry, tile: Tile, m: int, threads: int) -> Cut:
        """The one that multiplies with the least padding, as many items for each thread."""
        form, low = TRANSFORMS[m], tile.high // 2
        blocks = g.batch * math.prod(-(-n // m) for n in g.output)
        lanes = tile.form.lanes
        deep = -(-g.channels // lanes) * lanes
        each = form.products * (deep + tile.width)
        most = min(max(_ITEM // (each * tile.itemsize), _LEAST), _MOST)
        least = -(-blocks // most)
        shares = 1
        if least < threads:
            shares = min(threads // least, -(-g.filters // tile.width))
        step = threads // math.gcd(threads, shares)
        first = -(-least // step) * step
        counts = range(first, first + 4 * step, step)
        padded = {items: -(-blocks // (items * low)) * low for items in counts}
        items = min(counts, key=lambda items: items * padded[items])
        run = padded[items]
        scratch = run * each + form.products * (3 * lanes + deep)
        return Cut(items, shares, run, -(-scratch // 16) * 16)

    def words(self, g: Geometry) -> list[int]:
        """The words of the kernel after the addresses."""
        sizes = [g.batch, *g.size, g.channels, *g.output, g.filters, *g.before]
        return [*sizes, self.items, self.shares, self.run]


def fits(g: Geometry) -> bool:
    """Whether a convolution can be computed so, and takes less time then."""
    return (
        (g.kernel, g.stride, g.dilation) == ((3, 3), (1, 1), (1, 1))
        and min(g.channels, g.filters) >= _CHANNELS
        and g.channels * g.filters >= _PAIRS
        and g.batch * math.prod(-(-n // 2) for n in g.output) >= _BLOCKS
    )


_FILTER = """
def kernel(a):
    temp = word(a, 4)
    C = word(a, 5)
    O = word(a, 6)
    tap = word(a, 7)
    apart = (C + 1) * {row}
    for item in range(word(a, 0), word(a, 1)):
        o = item // C
        c = item % C
        for v in range({vectors}):
            rest = O - o * {width} - v * {lanes}
            at = word(a, 2) + c * word(a, 8) + o * word(a, 9) + v * {size}
            out = word(a, 3) + o * {XI} * apart + c * {row} + v * {size}
            {transform}
    return 0
"""

_CONVOLUTION = """
def kernel(a):
    x = word(a, 2)
    u = word(a, 3)
    y = word(a, 4)
    scratch = word(a, 5)
    marks = word(a, 6)
    N = word(a, 7)
    H = word(a, 8)
    W = word(a, 9)
    C = word(a, 10)
    OH = word(a, 11)
    OW = word(a, 12)
    O = word(a, 13)
    top = word(a, 14)
    left = word(a, 15)
    items = word(a, 16)
    shares = word(a, 17)
    run = word(a, 18)
    down = (OH + {m} - 1) // {m}
    across = (OW + {m} - 1) // {m}
    panels = (O + {width} - 1) // {width}
    deep = (C + {lanes} - 1) // {lanes} * {lanes}
    step = deep * {B}
    apart = run * step + {size}
    apart_m = run * {row} + {size}
    sums = scratch + {XI} * apart
    temp = sums + {XI} * apart_m
    patch = temp + {XI} * {size}
    zero = splat_{form}({T}(0))
    for item in range(word(a, 0), word(a, 1)):
        share = item // items
        t0 = N * down * across * (item - share * items) // items
        t1 = N * down * across * (item - share * items + 1) // items
        for t in range(t0, t1):
            i = t // across % down * {m} - top
            j = t % across * {m} - left
            first = (t // (down * across) * H + i) * W + j
            block = x + first * C * {B}
            pitch = W * C * {B}
            beside = C * {B}
            if i < 0 or j < 0 or i + {AL} > H or j + {AL} > W or deep != C:
                for r in range({XI}):
                    to = patch + r * step
                    h = r // {AL}
                    w = r % {AL}
                    if i + h >= 0 and i + h < H and j + w >= 0 and j + w < W:
                        of = block + (h * W + w) * C * {B}
                        for c in range(C):
                            store_{T}(to, c, 2, load_{T}(of, c, 3))
                    else:
                        for c in range(C):
                            store_{T}(to, c, 2, {T}(0))
                block = patch
                pitch = {AL} * step
                beside = step
            # What the blocks below see first.
            for r in range({m}):
                below = block + ({AL} + r) * pitch
                for c in range(0, {m} * step, 64):
                    fetch_line(below + c)
            for c in range(0, step, {size}):
                at = block + c
                out = scratch + (t - t0) * step + c
                {image}
        worst = zero
        for o in range(panels * share // shares, panels * (share + 1) // shares):
            for xi in range({XI}):
                t = t0
                while t < t1:
                    numbers = scratch + xi * apart + (t - t0) * step
                    vectors = u + (o * {XI} + xi) * (C + 1) * {row}
                    to = sums + xi * apart_m + (t - t0) * {row}
                    m = {high}
                    if t1 - t <= {low}:
                        m = {low}
                    {tiles}
                    t += m
            for t in range(t0, t1):
                i = t // across % down * {m}
                j = t % across * {m}
                high = min({m}, OH - i)
                wide = min({m}, OW - j)
                first = (t // (down * across) * OH + i) * OW + j
                for v in range({vectors}):
                    rest = O - o * {width} - v * {lanes}
                    at = sums + (t - t0) * {row} + v * {size}
                    to = y + (first * O + o * {width} + v * {lanes}) * {B}
                    {result}
        mark = i32(0)
        if add_up_{form}(worst) != {T}(0):
            mark = i32(1)
        store_i32(marks, item, 0, mark)
    return 0
"""


def _combined(row: Sequence[float], names: Sequence[str], tile: Tile) -> str:
    """The text of the sum of the named vectors, each times a number: one is 1, or none -1."""
    parts = sorted(
        [(factor, name) for factor, name in zip(row, names, strict=True) if factor],
        key=lambda part: part[0] != 1,
    )
    text = ""
    for factor, name in parts:
        if factor in (1, -1):
            text = f"{text} {'+' if factor > 0 else '-'} {name}" if text else name
        else:
            number = f"splat_{tile.form.name}({tile.form.element}({factor!r}))"
            text = f"fma({name}, {number}, {text})" if text else f"{name} * {number}"
    return text


def _passes(tile: Tile, matrix: Matrix, load: str, store: Sequence[str], rounds: str = "") -> str:
    """The text of `matrix X matrix^T` for a square X of vectors, over columns and then over rows.

    Args:
      load: loads the vector at row `{i}` and column `j`. store: what is done with the vector of row
        `i` of the result and a column `{j}`, `{value}`.
      rounds: how many rows are needed; by default all.
    """
    name, size = tile.form.name, tile.form.size
    rows, columns = len(matrix), len(matrix[0])
    names = [f"x{k}" for k in range(columns)]
    lines = [f"for j in range({columns}):"]
    lines += [f"    x{i} = {load.format(i=i)}" for i in range(columns)]
    for i, row in enumerate(matrix):
        value = _combined(row, names, tile)
        lines.append(f"    store_{name}(temp + ({i * columns} + j) * {size}, {value})")
    lines.append(f"for i in range({rounds or rows}):")
    for j in range(columns):
        lines.append(f"    x{j} = load_{name}(temp + (i * {columns} + {j}) * {size})")
    for j, row in enumerate(matrix):
        value = _combined(row, names, tile)
        lines += ["    " + line.format(j=j, value=value) for line in store]
    return "\n".join(lines)


@functools.cache
def filters(tile: Tile, m: int) -> Kernel:
    """The kernel that transforms a filter, into panels `[o / width][window^2][c + 1][width]`.

    With rows of a power of two numbers all parts of a panel would fall on the same lines of caches:
    so there is one more. Words: first and last of the input channels of all panels; the filter,
    where to, memory for `3 * window` vectors; input and output channels; how far taps of the filter
    lie apart, its input channels, and its output channels of a panel, in bytes.
    """
    name, size, row = tile.form.name, tile.form.size, tile.width * tile.itemsize
    matrix = TRANSFORMS[m].filter
    load = f"load_first_{name}(at + ({{i}} * 3 + j) * tap, rest)"
    # G has more rows than columns: the second pass goes over all of them.
    store = [f"store_{name}(out + (i * {len(matrix)} + {{j}}) * apart, {{value}})"]
    text = _FILTER.format(
        XI=TRANSFORMS[m].products,
        width=tile.width,
        row=row,
        vectors=tile.vectors,
        lanes=tile.form.lanes,
        size=size,
        transform=indented(_passes(tile, matrix, load, store), 3),
    )
    return Kernel(text, f"winograd_filter_{m}_{tile.name}")


@functools.cache
def forward(tile: Tile, m: int) -> Kernel:
    """The kernel of the convolution.

    Its range is of items, runs of blocks, for each share of the output channels again. Words:
    images, transformed filter, results, memory of a thread, marks, an int32 for each item; then
    those of a `Cut`: batch, sizes of the images, channels, sizes of the results and their channels,
    padding above and on the left, the number of items and of shares, the blocks of a padded item.
    """
    name, size, row = tile.form.name, tile.form.size, tile.width * tile.itemsize
    form = TRANSFORMS[m]
    heights = {tile.high, tile.high // 2}

    def write(rows: int) -> str:
        cells = [(i, v) for i in range(rows) for v in range(tile.vectors)]
        then = [f"store_{name}(to + {i * row + v * size}, c{i}_{v})" for i, v in cells]
        return tile.text(rows, [("C", f"{tile.itemsize}", f"{row}")], then)

    image = _passes(
        tile,
        form.image,
        f"load_{name}(at + {{i}} * pitch + j * beside)",
        [f"store_{name}(out + (i * {form.window} + {{j}}) * apart, {{value}})"],
    )
    result = _passes(
        tile,
        form.result,
        f"load_{name}(at + ({{i}} * {form.window} + j) * apart_m)",
        [
            "value = {value}",
            "worst = fma(value, zero, worst)",
            "if {j} < wide:",
            f"    if rest >= {tile.form.lanes}:",
            f"        store_{name}(to + (i * OW + {{j}}) * O * {tile.itemsize}, value)",
            "    else:",
            f"        store_first_{name}(to + (i * OW + {{j}}) * O * {tile.itemsize}, value, rest)",
        ],
        "high",
    )
    text = _CONVOLUTION.format(
        m=m,
        XI=form.products,
        AL=form.window,
        T=tile.form.element,
        B=tile.itemsize,
        form=name,
        lanes=tile.form.lanes,
        size=size,
        width=tile.width,
        row=row,
        vectors=tile.vectors,
        high=tile.high,
        low=tile.high // 2,
        tiles=by_height(heights, write, 5),
        image=indented(image, 4),
        result=indented(result, 5),
    )
    return Kernel(text, f"winograd_{m}_{tile.name}")
