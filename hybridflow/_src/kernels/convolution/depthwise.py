"""Convolution of each channel of images with a filter of its own, `[kh, kw, c]`, and its gradient.

Vectors lie along the channels. A block of results in a row is computed at once, their sums in
registers: an element of a row of the filter, or of the images, is read once for all of them. So the
text depends on what a row of the filter looks like. Results at the edges, where some of the filter
meets padding, are computed one by one, and so are all with very wide filters. The gradient to the
images is a convolution too: see `geometry.phases`.

The words of both: a range; images, filter, results; sizes of the images, channels, sizes of the
results and of the filter; strides, dilations, padding above and on the left.
"""

from __future__ import annotations

import functools
import textwrap
from typing import TYPE_CHECKING, NamedTuple

from hybridflow._src.kernels.kernel import Kernel
from hybridflow._src.kernels.text import channels, filled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.kernels.vectors import Form

# Results in a row that are computed at once, or whose gradients are.
_BLOCKS = (8, 4, 2)
# Rows of a filter that are longer are not written out.
_WIDEST = 7
# Columns whose addresses are sums of one base and 0, 1 or 2 times the step between them, which the
# processor adds by itself.
_TOGETHER = 3


class Row(NamedTuple):
    """A row of a filter: its elements, and how far the columns that they meet lie apart."""

    taps: int
    stride: int
    dilation: int

    @property
    def is_short(self) -> bool:
        """Whether it is written out."""
        return self.taps <= _WIDEST

    def meets(self, results: int) -> dict[int, list[tuple[int, int]]]:
        """By column of the images what it is multiplied for: which result, and by which element."""
        found: dict[int, list[tuple[int, int]]] = {}
        for j in range(results):
            for k in range(self.taps):
                found.setdefault(j * self.stride + k * self.dilation, []).append((j, k))
        return dict(sorted(found.items()))


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
    pixel = C * {B}
    # Results from `inner` to `outer` see no padding on either side.
    inner = min(OW, max(0, (left + SW - 1) // SW))
    outer = min(OW, max(inner, (W - 1 + left - (KW - 1) * DW) // SW + 1))
"""
# A row of results. From `p` on lie images, from `q` on the filter, or partial sums of its gradient.
_ROW = """
ih = row % OH * SH - top
kh0 = max(0, (DH - 1 - ih) // DH)
kh1 = min(KH, (H - ih + DH - 1) // DH)
first = row // OH * H + ih + kh0 * DH
{start}
ow = 0
while ow < OW:
    room = outer - ow if ow >= inner else 1
    m = {m}
    iw = ow * SW - left
    kw0 = max(0, (DW - 1 - iw) // DW)
    kw1 = min(KW, (W - iw + DW - 1) // DW)
    to = start + ow * apart
    p = x + (first * W + iw) * pixel
    q = {filter} + kh0 * KW * pixel
    # What the next row sees first: the processor does not foresee it, since vectors lie apart.
    for i in range(SH):
        below = p + ((KH - 1 - kh0) * DH + 1 + i) * W * pixel
        for j in range(0, m * SW * pixel, 64):
            fetch_line(below + j)
    {cases}
    ow += m
"""

# Three more words: how far images of the results, their rows and pixels lie apart, in bytes.
_FORWARD = """
    apart = word(a, 20)
    for row in range(word(a, 0), word(a, 1)):
        {row}
    return 0
"""
_SINGLE_SUM = """
s = splat_{name}({T}(0))
u = p
v = q
for _ in range(kh0, kh1):
    for kw in range(kw0, kw1):
        b = load{first}_{name}(v + kw * pixel{count})
        s = fma(load{first}_{name}(u + kw * DW * pixel{count}), b, s)
    u += DH * W * pixel
    v += KW * pixel
# A product too small for a number leaves -0, a sum from 0 does not.
store{first}_{name}(to, s + splat_{name}({T}(0)){count})
"""
_BLOCK_SUM = """
{zero}
u = p
v = q
for _ in range(kh0, kh1):
    {filter}
    {add}
    u += DH * W * pixel
    v += KW * pixel
{store}
"""

# A range of chunks of rows; how many chunks there are, and rows. Each has sums of its own.
_TO_FILTER = """
    apart = pixel
    for chunk in range(word(a, 0), word(a, 1)):
        sums = f + chunk * KH * KW * pixel
        for k in range(KH * KW * C):
            store_{T}(sums, k, 0, {T}(0))
        stop = word(a, 19) * (chunk + 1) // word(a, 18)
        for row in range(word(a, 19) * chunk // word(a, 18), stop):
            {row}
    return 0
"""
_SINGLE_PRODUCTS = """
d = load{first}_{name}(to{count})
u = p
v = q
for _ in range(kh0, kh1):
    for kw in range(kw0, kw1):
        e = load{first}_{name}(u + kw * DW * pixel{count})
        s = fma(e, d, load{first}_{name}(v + kw * pixel{count}))
        store{first}_{name}(v + kw * pixel, s{count})
    u += DH * W * pixel
    v += KW * pixel
"""
_BLOCK_PRODUCTS = """
{gradients}
u = p
v = q
for _ in range(kh0, kh1):
    {sums}
    {add}
    {store}
    u += DH * W * pixel
    v += KW * pixel
"""


def _itemsize(form: Form) -> int:
    return form.size // form.lanes


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(line for line in lines if line)


def _block(form: Form, row: Row, size: int, single: str, block: str, add: str) -> str:
    """The text for a block of results; 1 stands for one anywhere, also at an edge.

    Args:
      single, block: texts of these.
      add: a line for each result `j` and element `k` of the filter, given `e` of the images.
    """
    results, taps, name = range(size), range(row.taps), form.name

    def write(first: str, count: str) -> str:
        if size == 1:
            return filled(single, T=form.element, name=name, first=first, count=count)

        def load(start: str, k: int, step: str) -> str:
            return f"load{first}_{name}({start} + {k} * {step}{count})"

        def store(start: str, k: int, step: str) -> str:
            total = f"s{k} + splat_{name}({form.element}(0))" if start == "to" else f"s{k}"
            return f"store{first}_{name}({start} + {k} * {step}, {total}{count})"

        lines: list[str] = []
        for column, meets in row.meets(size).items():
            beside = column % _TOGETHER
            # The processor adds once or twice the step to an address by itself.
            if not (lines and beside):
                lines.append(f"g = u + {column} * pixel")
                base = column
            lines.append(f"e = {load('g', column - base, 'pixel')}")
            lines += [add.format(j=j, k=k) for j, k in meets]
        return filled(
            block,
            zero=_lines(f"s{j} = splat_{name}({form.element}(0))" for j in results),
            filter=_lines(f"b{k} = {load('v', k, 'pixel')}" for k in taps),
            gradients=_lines(f"d{j} = {load('to', j, 'apart')}" for j in results),
            sums=_lines(f"s{k} = {load('v', k, 'pixel')}" for k in taps),
            add=_lines(lines),
            store=_lines(
                [store("to", j, "apart") for j in results]
                if block is _BLOCK_SUM
                else [store("v", k, "pixel") for k in taps]
            ),
        )

    return channels(form, write, dict.fromkeys(("p", "q", "to"), _itemsize(form)))


def _rows(form: Form, row: Row, start: str, filters: str, *texts: str) -> str:
    """The text for a row of results: of blocks as large as there is room for."""
    sizes = _BLOCKS if row.is_short else ()
    cases: list[str] = []
    for size in (*sizes, 1):
        case = "else:" if size == 1 else f"{'elif' if cases else 'if'} m == {size}:"
        cases.append(f"{case}\n{textwrap.indent(_block(form, row, size, *texts), '    ')}")
    return filled(
        _ROW,
        B=str(_itemsize(form)),
        lanes=str(form.lanes),
        start=start,
        filter=filters,
        m="".join(f"{size} if room >= {size} else " for size in sizes) + "1",
        cases=_lines(cases) if sizes else _block(form, row, 1, *texts),
    )


@functools.cache
def depthwise(form: Form, row: Row) -> Kernel:
    """The kernel of the convolution. Its range is of rows of the results."""
    start = "start = y + row // OH * word(a, 18) + row % OH * word(a, 19)"
    texts = _SINGLE_SUM, _BLOCK_SUM, "s{j} = fma(e, b{k}, s{j})"
    loops = filled(
        _WORDS + _FORWARD, B=str(_itemsize(form)), row=_rows(form, row, start, "f", *texts)
    )
    return Kernel(f"{loops}\n", f"depthwise_{form.element}_{row.taps}")


@functools.cache
def to_filter(form: Form, row: Row) -> Kernel:
    """The kernel of the gradient to the filter: of partial sums, `[chunks, kh, kw, c]`."""
    start = "start = y + row * OW * pixel"
    texts = _SINGLE_PRODUCTS, _BLOCK_PRODUCTS, "s{k} = fma(e, d{j}, s{k})"
    loops = filled(
        _WORDS + _TO_FILTER,
        T=form.element,
        B=str(_itemsize(form)),
        row=_rows(form, row, start, "sums", *texts),
    )
    return Kernel(f"{loops}\n", f"depthwise_filter_{form.element}_{row.taps}")
