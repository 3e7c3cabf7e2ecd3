"""What the kernels of convolution share: their words, and strips of an image with padding."""

from __future__ import annotations

import textwrap

# A range; images, filters, results, memory for a strip and for a panel; sizes; strides, dilations;
# padding; rows of a strip; whether it is copied; how far samples of the result, its rows and its
# pixels lie apart, in bytes; into how many shares the output channels are divided. For the
# convolution itself follow marks, and how many there are.
_WORDS = """
first = word(a, 0)
last = word(a, 1)
x = word(a, 2)
w = word(a, 3)
y = word(a, 4)
scratch = word(a, 5)
panel = word(a, 6)
N = word(a, 7)
H = word(a, 8)
W = word(a, 9)
C = word(a, 10)
OH = word(a, 11)
OW = word(a, 12)
O = word(a, 13)
KH = word(a, 14)
KW = word(a, 15)
SH = word(a, 16)
SW = word(a, 17)
DH = word(a, 18)
DW = word(a, 19)
top = word(a, 20)
left = word(a, 21)
strip = word(a, 22)
copied = word(a, 23)
apart_n = word(a, 24)
apart_h = word(a, 25)
apart_w = word(a, 26)
shares = word(a, 27)
strips = (OH + strip - 1) // strip
panels = (O + {width} - 1) // {width}
# Undilated, the columns under a row of the filter are like channels of one column.
along = C
columns = KW
if DW == 1:
    along = KW * C
    columns = 1
"""

# Sets `rows` to where the row of the image stands that is the first under row `oh0`, and `pitch`.
# Rows of padding are not there: nobody reads them.
_COPY = """
pitch = W * C * {B}
rows = x + (n * H + oh0 * SH - top) * pitch - left * C * {B}
if copied != 0:
    wide = (OW - 1) * SW + (KW - 1) * DW + 1
    cut = max(0, -left)
    before = max(0, left) * C
    inside = min(W - cut, wide - max(0, left)) * C
    top0 = oh0 * SH - top
    for i in range((oh1 - 1 - oh0) * SH + (KH - 1) * DH + 1):
        if top0 + i >= 0 and top0 + i < H:
            to = scratch + i * wide * C * {B}
            of = x + ((n * H + top0 + i) * W + cut) * C * {B}
            for j in range(before):
                store_{T}(to, j, 0, {T}(0))
            for j in range(inside):
                store_{T}(to, before + j, 0, load_{T}(of, j, 1))
            for j in range(before + inside, wide * C):
                store_{T}(to, j, 0, {T}(0))
    rows = scratch
    pitch = wide * C * {B}
"""

_UNLESS_MARKED = """
marked = word(a, {number} + 1)
for i in range(marked):
    if load_i32(word(a, {number}), i, 0) != 0:
        marked = 0
if marked != 0:
    return 0
"""


def words(width: int) -> str:
    """The text that reads the words; `width` are the columns of a panel."""
    return indented(_WORDS.format(width=width), 1)


def copy(element: str, itemsize: int) -> str:
    """The text that has the rows `oh0` to `oh1` of sample `n` ready, to stand at depth 2."""
    return indented(_COPY.format(T=element, B=itemsize), 2)


def indented(text: str, depth: int) -> str:
    """A text to stand at a depth, but for its first line."""
    return textwrap.indent(text.strip(), "    " * depth).lstrip()


def unless_marked(number: int) -> str:
    """The text that does nothing more where there are marks and none is set.

    The word of this number is where they lie, the next one how many there are.
    """
    return indented(_UNLESS_MARKED.format(number=number), 1)
