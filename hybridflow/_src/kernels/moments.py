"""Kernels that sum up columns of two matrices at once, in one pass over memory: see `partial`."""

from __future__ import annotations

from hybridflow._src.kernels.memory import NAMESPACE

word = NAMESPACE["word"]
load_T, store_T = NAMESPACE["load_f64"], NAMESPACE["store_f64"]
load_f64, store_f64 = NAMESPACE["load_f64"], NAMESPACE["store_f64"]
T, f64 = NAMESPACE["f64"], NAMESPACE["f64"]


def partial(a: int) -> int:
    """For chunks of rows the sums of `a = u - p` and of `a * (v - q)` in each column.

    Words: first and last chunk, how many there are; rows, columns; u, the row p; v, the row q; the
    sums `[chunks, 2, columns]`, of float64; memory for `[2, columns]` elements. So many rows, 64,
    are summed up in the type of the elements before that is added in double precision.
    """
    rows = word(a, 3)
    columns = word(a, 4)
    u = word(a, 5)
    p = word(a, 6)
    v = word(a, 7)
    q = word(a, 8)
    sums = word(a, 9)
    block = word(a, 10)
    for chunk in range(word(a, 0), word(a, 1)):
        to = 2 * chunk * columns
        for j in range(2 * columns):
            store_f64(sums, to + j, 0, f64(0))
        row = rows * chunk // word(a, 2)
        stop = rows * (chunk + 1) // word(a, 2)
        while row < stop:
            for j in range(2 * columns):
                store_T(block, j, 1, T(0))
            for i in range(row, min(stop, row + 64)):
                for j in range(columns):
                    first = load_T(u, i * columns + j, 2) - load_T(p, j, 2)
                    second = load_T(v, i * columns + j, 2) - load_T(q, j, 2)
                    store_T(block, j, 1, T(load_T(block, j, 1) + first))
                    total = load_T(block, columns + j, 1) + first * second
                    store_T(block, columns + j, 1, T(total))
            for j in range(2 * columns):
                total = load_f64(sums, to + j, 0) + f64(load_T(block, j, 1))
                store_f64(sums, to + j, 0, total)
            row += 64
    return 0


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
