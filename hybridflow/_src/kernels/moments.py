"""Kernels that sum up columns of two matrices at once, in one pass over memory: see `partial`."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from hybridflow._src.kernels.kernel import Kernel
from hybridflow._src.kernels.memory import NAMESPACE
from hybridflow._src.kernels.text import filled

if TYPE_CHECKING:
    from hybridflow._src.kernels.vectors import Form

word, f64 = NAMESPACE["word"], NAMESPACE["f64"]
load_f64, store_f64 = NAMESPACE["load_f64"], NAMESPACE["store_f64"]
load_T = NAMESPACE["load_f64"]

# Vectors of columns whose sums stay in registers, from the most to one, which may be a part of one.
_TOGETHER = (4, 1)

_PARTIAL = """
def kernel(a):
    rows = word(a, 3)
    columns = word(a, 4)
    sums = word(a, 9)
    block = word(a, 10)
    step = columns * {B}
    for chunk in range(word(a, 0), word(a, 1)):
        to = 2 * chunk * columns
        for j in range(2 * columns):
            store_f64(sums, to + j, 0, f64(0))
        row = rows * chunk // word(a, 2)
        p = word(a, 6)
        q = word(a, 8)
        if p == 0:
            p = word(a, 5) + row * step
            q = word(a, 7) + row * step
        stop = rows * (chunk + 1) // word(a, 2)
        while row < stop:
            count = min(stop - row, 64)
            j = 0
            {columns}
            for j in range(2 * columns):
                total = load_f64(sums, to + j, 0) + f64(load_{T}(block, j, 1))
                store_f64(sums, to + j, 0, total)
            row += 64
    return 0
"""
_COLUMNS = """
while columns - j >= {least}:
    u = word(a, 5) + row * step + j * {B}
    v = word(a, 7) + row * step + j * {B}
    {begin}
    for _ in range(count):
        {add}
        u += step
        v += step
    {end}
    j += {wide}
"""


def _columns(form: Form, together: int) -> str:
    """The text for sums over so many vectors of columns, or over what is left of one."""
    name, number = form.name, form.element
    first, last = ("_first", ", columns - j") if together == 1 else ("", "")
    begin, add, end = [], [], []
    for k in range(together):
        at = k * form.size
        place = f"(j + {k * form.lanes}) * {form.size // form.lanes}"
        begin += [
            f"p{k} = load{first}_{name}(p + {place}{last})",
            f"q{k} = load{first}_{name}(q + {place}{last})",
            f"s{k} = splat_{name}({number}(0))",
            f"t{k} = splat_{name}({number}(0))",
        ]
        add += [
            f"d = load{first}_{name}(u + {at}{last}) - p{k}",
            f"s{k} = s{k} + d",
            f"t{k} = fma(d, load{first}_{name}(v + {at}{last}) - q{k}, t{k})",
        ]
        end += [
            f"store{first}_{name}(block + {place}, s{k}{last})",
            f"store{first}_{name}(block + step + {place}, t{k}{last})",
        ]
    return filled(
        _COLUMNS,
        B=str(form.size // form.lanes),
        least=str(together * form.lanes if together > 1 else 1),
        wide=str(together * form.lanes),
        begin="\n".join(begin),
        add="\n".join(add),
        end="\n".join(end),
    )


@functools.cache
def partial(form: Form) -> Kernel:
    """The kernel that gives for chunks of rows the sums of `a = u - p` and of `a * (v - q)`.

    Words: first and last chunk, how many there are; rows, columns; u, the row p; v, the row q; the
    sums `[chunks, 2, columns]`, of float64; memory for `[2, columns]` elements. If p and q are 0,
    each chunk takes its own first rows for them: near the mean, so that squares do not cancel. So
    many rows, 64, are summed up in the type of the elements before that is added in double
    precision.
    """
    text = filled(
        _PARTIAL,
        B=str(form.size // form.lanes),
        T=form.element,
        columns="\n".join(_columns(form, together) for together in _TOGETHER),
    )
    return Kernel(f"{text}\n", f"partial_{form.element}")


def combined(a: int) -> int:
    """The sums of all chunks.

    Words: chunks, columns; the sums `[chunks, 2, columns]`, to the first of which all are added.
    """
    size = 2 * word(a, 1)
    sums = word(a, 2)
    for chunk in range(1, word(a, 0)):
        for j in range(size):
            total = load_f64(sums, j, 0) + load_f64(sums, chunk * size + j, 0)
            store_f64(sums, j, 0, total)
    return 0


def combined_moments(a: int) -> int:
    """The means of columns, and the sums of the squares of what differs from them.

    Words: chunks, columns, rows; the sums `[chunks, 2, columns]` of `a = u - p` and of their
    squares, p being the first row of each chunk; u. The results lie in the first of the sums.
    """
    chunks = word(a, 0)
    columns = word(a, 1)
    rows = word(a, 2)
    sums = word(a, 3)
    for chunk in range(chunks):
        row = rows * chunk // chunks
        count = f64(rows * (chunk + 1) // chunks - row)
        for j in range(columns):
            at = 2 * chunk * columns + j
            total = load_f64(sums, at, 0)
            squares = load_f64(sums, at + columns, 0) - total * total / count
            store_f64(sums, at + columns, 0, squares)
            store_f64(sums, at, 0, f64(load_T(word(a, 4), row * columns + j, 1)) + total / count)
    for j in range(columns):
        mean = f64(0)
        for chunk in range(chunks):
            count = f64(rows * (chunk + 1) // chunks - rows * chunk // chunks)
            mean += load_f64(sums, 2 * chunk * columns + j, 0) * count
        mean = mean / f64(rows)
        squares = f64(0)
        for chunk in range(chunks):
            count = f64(rows * (chunk + 1) // chunks - rows * chunk // chunks)
            apart = load_f64(sums, 2 * chunk * columns + j, 0) - mean
            squares += load_f64(sums, (2 * chunk + 1) * columns + j, 0) + apart * apart * count
        store_f64(sums, j, 0, mean)
        store_f64(sums, columns + j, 0, squares)
    return 0
