"""Kernels of sparse matrices; written like those in `rows`.

The elements of a matrix come as pairs of row and column, in any order. They are *grouped* by row,
checked and copied, so that what then uses them cannot fail, and threads can share it.
"""

from __future__ import annotations

from hybridflow._src.kernels.memory import NAMESPACE

word = NAMESPACE["word"]
load_T, store_T = NAMESPACE["load_f64"], NAMESPACE["store_f64"]
load_I = NAMESPACE["load_i64"]
load_i64, store_i64 = NAMESPACE["load_i64"], NAMESPACE["store_i64"]
T, i64 = NAMESPACE["f64"], NAMESPACE["i64"]


def grouped(a: int) -> int:
    """The elements of each row of a matrix; a status if an index lies outside of it.

    Words: pairs of indices, how many, which of a pair is the row (0 or 1), rows, columns; where the
    matrix' sizes stand, an int64 pair, which must be these; for the results, all int64: where each
    row starts and, last, how many elements there are; the column of each element in the order of
    rows; its number among the pairs. Elements of one row keep their order.
    """
    pairs = word(a, 0)
    count = word(a, 1)
    side = word(a, 2)
    rows = word(a, 3)
    width = word(a, 4)
    starts = word(a, 6)
    columns = word(a, 7)
    numbers = word(a, 8)
    if load_i64(word(a, 5), side, 4) != rows or load_i64(word(a, 5), 1 - side, 4) != width:
        return 1
    for row in range(rows + 1):
        store_i64(starts, row, 1, 0)
    for i in range(count):
        row = i64(load_I(pairs, 2 * i + side, 0))
        if row < 0 or row >= rows:
            return 1
        store_i64(starts, row, 1, load_i64(starts, row, 1) + 1)
    total = 0
    for row in range(rows):
        total += load_i64(starts, row, 1)
        # Where the row ends: it is filled from behind.
        store_i64(starts, row, 1, total)
    store_i64(starts, rows, 1, count)
    for k in range(count):
        i = count - 1 - k
        row = i64(load_I(pairs, 2 * i + side, 0))
        column = i64(load_I(pairs, 2 * i + 1 - side, 0))
        # The pairs may have changed since they were counted.
        if row < 0 or row >= rows or column < 0 or column >= width:
            return 1
        place = load_i64(starts, row, 1) - 1
        if place < 0:
            return 1
        store_i64(starts, row, 1, place)
        store_i64(columns, place, 2, column)
        store_i64(numbers, place, 3, i)
    for row in range(rows):
        if load_i64(starts, row, 1) > load_i64(starts, row + 1, 1):
            return 1
    return 0


def product(a: int) -> int:
    """A sparse matrix times a dense one.

    Words: first and last row of the result; where rows start, columns and numbers of elements, as
    `grouped` gives them; the elements; the dense matrix, the length of its rows, the result.
    """
    starts = word(a, 2)
    columns = word(a, 3)
    numbers = word(a, 4)
    values = word(a, 5)
    dense = word(a, 6)
    length = word(a, 7)
    result = word(a, 8)
    for row in range(word(a, 0), word(a, 1)):
        here = row * length
        for j in range(length):
            store_T(result, here + j, 5, T(0))
        k = load_i64(starts, row, 0)
        end = load_i64(starts, row + 1, 0)
        # Four elements at a time: the result is read and written once for them.
        while k + 4 <= end:
            p = load_i64(columns, k, 1) * length
            q = load_i64(columns, k + 1, 1) * length
            r = load_i64(columns, k + 2, 1) * length
            s = load_i64(columns, k + 3, 1) * length
            u = load_T(values, load_i64(numbers, k, 2), 3)
            v = load_T(values, load_i64(numbers, k + 1, 2), 3)
            w = load_T(values, load_i64(numbers, k + 2, 2), 3)
            x = load_T(values, load_i64(numbers, k + 3, 2), 3)
            for j in range(length):
                total = load_T(result, here + j, 5) + u * load_T(dense, p + j, 4)
                total += v * load_T(dense, q + j, 4)
                total += w * load_T(dense, r + j, 4)
                store_T(result, here + j, 5, T(total + x * load_T(dense, s + j, 4)))
            k += 4
        while k < end:
            p = load_i64(columns, k, 1) * length
            u = load_T(values, load_i64(numbers, k, 2), 3)
            for j in range(length):
                total = load_T(result, here + j, 5) + u * load_T(dense, p + j, 4)
                store_T(result, here + j, 5, T(total))
            k += 1
    return 0


def checked_segments(a: int) -> int:
    """Copies ids of segments; a status unless they rise from 0 or more to what they should.

    Words: ids, how many, the number of segments, whether the last one must have rows; the copy,
    and how many rows each segment has, both int64.
    """
    count = word(a, 1)
    segments = word(a, 2)
    copy = word(a, 4)
    counts = word(a, 5)
    for segment in range(segments):
        store_i64(counts, segment, 2, 0)
    before = 0
    for i in range(count):
        segment = i64(load_I(word(a, 0), i, 0))
        if segment < before or segment >= segments:
            return 1
        before = segment
        store_i64(copy, i, 1, segment)
        store_i64(counts, segment, 2, load_i64(counts, segment, 2) + 1)
    if word(a, 3) != 0 and before != segments - 1:
        return 1
    return 0


def sum_segments(a: int) -> int:
    """`result[ids[i]] += source[indices[i]]`, from the first row on: zeros keep their signs;
    zeros where there is none. A status for an index that is no row.

    Words: indices, ids as `checked_segments` gives them, how many; source, its rows, their length;
    the result, its rows.
    """
    source = word(a, 3)
    rows = word(a, 4)
    length = word(a, 5)
    result = word(a, 6)
    for j in range(length * word(a, 7)):
        store_T(result, j, 3, T(0))
    for i in range(word(a, 2)):
        row = i64(load_I(word(a, 0), i, 0))
        if row < 0 or row >= rows:
            return 1
        segment = load_i64(word(a, 1), i, 1)
        here = segment * length
        is_first = i == 0 or load_i64(word(a, 1), i - 1, 1) != segment
        for j in range(length):
            total = load_T(source, row * length + j, 2)
            if not is_first:
                total += load_T(result, here + j, 3)
            store_T(result, here + j, 3, T(total))
    return 0


def spread_segments(a: int) -> int:
    """`result[indices[i]] += source[ids[i]]`, from zeros; a status for an index that is no row.

    Words: indices, ids as `checked_segments` gives them, how many; source, the length of its rows;
    the result, its rows.
    """
    source = word(a, 3)
    length = word(a, 4)
    result = word(a, 5)
    rows = word(a, 6)
    for j in range(length * rows):
        store_T(result, j, 3, T(0))
    for i in range(word(a, 2)):
        row = i64(load_I(word(a, 0), i, 0))
        if row < 0 or row >= rows:
            return 1
        here = load_i64(word(a, 1), i, 1) * length
        for j in range(length):
            total = load_T(result, row * length + j, 3) + load_T(source, here + j, 2)
            store_T(result, row * length + j, 3, T(total))
    return 0
