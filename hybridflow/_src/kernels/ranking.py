"""The kernel that finds the largest elements of rows; written like those in `rows`."""

from __future__ import annotations

from hybridflow._src.kernels.memory import NAMESPACE

word = NAMESPACE["word"]
load_T, store_T = NAMESPACE["load_f64"], NAMESPACE["store_f64"]
load_i32, store_i32 = NAMESPACE["load_i32"], NAMESPACE["store_i32"]
i32, i64 = NAMESPACE["i32"], NAMESPACE["i64"]


def largest(a: int) -> int:
    """The k largest elements of each row, in falling order, and their columns.

    NaN is larger than numbers; of equal elements the first one counts as larger. The columns are a
    heap whose top is the smallest of the best: Knuth, The Art of Computer Programming, volume 3,
    section 5.2.3.

    Words: first and last row; their length, k, source, values, columns.
    """
    length = word(a, 2)
    k = word(a, 3)
    source = word(a, 4)
    columns = word(a, 6)
    for i in range(word(a, 0), word(a, 1)):
        start = i * length
        heap = i * k
        for j in range(k):
            store_i32(columns, heap + j, 2, i32(j))
        begun = k // 2
        full = begun + length - k
        for turn in range(full + k - 1):
            size = k
            at = 0
            if turn < begun:  # the first columns become a heap, from its end
                at = begun - 1 - turn
                column = i64(load_i32(columns, heap + at, 2))
            elif turn < full:  # each one after them takes the place of the top, if it is larger
                column = k + turn - begun
                top = load_T(source, start + i64(load_i32(columns, heap, 2)), 0)
                new = load_T(source, start + column, 0)
                if not (new > top or (new != new and top == top)):
                    continue
            else:  # the smallest of those that are left goes to their end
                size = k - 1 - (turn - full)
                column = i64(load_i32(columns, heap + size, 2))
                store_i32(columns, heap + size, 2, load_i32(columns, heap, 2))
            x = load_T(source, start + column, 0)
            child = 2 * at + 1
            while child < size:
                c = i64(load_i32(columns, heap + child, 2))
                y = load_T(source, start + c, 0)
                if child + 1 < size:
                    d = i64(load_i32(columns, heap + child + 1, 2))
                    z = load_T(source, start + d, 0)
                    is_smaller = y > z or (y != y and z == z)
                    is_larger = z > y or (z != z and y == y)
                    if is_smaller or (not is_larger and c < d):
                        child = child + 1
                        c = d
                        y = z
                is_smaller = x > y or (x != x and y == y)
                is_larger = y > x or (y != y and x == x)
                if is_larger or (not is_smaller and c < column):
                    break
                store_i32(columns, heap + at, 2, i32(c))
                at = child
                child = 2 * at + 1
            store_i32(columns, heap + at, 2, i32(column))
        for j in range(k):
            column = i64(load_i32(columns, heap + j, 2))
            store_T(word(a, 5), heap + j, 1, load_T(source, start + column, 0))
    return 0
