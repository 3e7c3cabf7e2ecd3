"""Kernels that pick rows by number.

They are written for elements of type `T` and indices of type `I`; `kernel.written` makes them for
others. What stands here runs as Python too.
"""

from __future__ import annotations

from hybridflow._src.kernels.memory import NAMESPACE

word = NAMESPACE["word"]
load_T, store_T = NAMESPACE["load_f64"], NAMESPACE["store_f64"]
load_I = NAMESPACE["load_i64"]

# What a kernel gives when an index is out of range; the NumPy meaning then says which.
OUT_OF_RANGE = 1


def check_indices(a: int) -> int:
    """Gives a status unless all indices lie in `[0, size)`.

    Words: indices, how many, size.
    """
    indices = word(a, 0)
    size = word(a, 2)
    for i in range(word(a, 1)):
        index = load_I(indices, i, 0)
        if index < 0 or index >= size:
            return 1
    return 0


def gather_rows(a: int) -> int:
    """`result[i] = source[indices[i]]`.

    Words: indices, how many, source, its rows, their length, the result, the length of a part of
    the source and of the result (for rows inside of parts), how many parts.
    """
    indices = word(a, 0)
    count = word(a, 1)
    source = word(a, 2)
    rows = word(a, 3)
    length = word(a, 4)
    result = word(a, 5)
    for i in range(count):
        index = load_I(indices, i, 0)
        if index < 0 or index >= rows:
            return 1
        for j in range(length):
            store_T(result, i * length + j, 2, load_T(source, index * length + j, 1))
    return 0
