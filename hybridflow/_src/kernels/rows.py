"""Kernels that pick rows by number.

They are written for elements of type `T` and indices of type `I`; `kernel.written` makes them for
others. What stands here runs as Python too.

Another thread may change the array that a user has fed at any moment. So an index is checked in the
loop that uses it, or it comes from `checked_indices`: it lies in memory of the program's own then.
"""

from __future__ import annotations

from hybridflow._src.kernels.memory import NAMESPACE

word = NAMESPACE["word"]
load_T, store_T = NAMESPACE["load_f64"], NAMESPACE["store_f64"]
load_I, store_I = NAMESPACE["load_i64"], NAMESPACE["store_i64"]
load_i32 = NAMESPACE["load_i32"]
load_i64, store_i64 = NAMESPACE["load_i64"], NAMESPACE["store_i64"]
T, I, i64 = NAMESPACE["f64"], NAMESPACE["i64"], NAMESPACE["i64"]  # noqa: E741


def checked_indices(a: int) -> int:
    """Copies indices; gives a status unless all lie in `[0, size)`.

    Words: indices, how many, size, the copy.
    """
    indices = word(a, 0)
    size = word(a, 2)
    copy = word(a, 3)
    for i in range(word(a, 1)):
        index = i64(load_I(indices, i, 0))
        if index < 0 or index >= size:
            return 1
        store_I(copy, i, 1, I(index))
    return 0


def check_divisors(a: int) -> int:
    """Gives a status if an integer is zero.

    Words: integers, how many.
    """
    for i in range(word(a, 1)):
        if load_T(word(a, 0), i, 0) == T(0):
            return 1
    return 0


def check_true(a: int) -> int:
    """Gives a status if a flag is false.

    Words: flags, how many.
    """
    for i in range(word(a, 1)):
        if not load_T(word(a, 0), i, 0):
            return 1
    return 0


def clear(a: int) -> int:
    """Zeros in a range of elements.

    Words: first and last element; where they are.
    """
    for i in range(word(a, 0), word(a, 1)):
        store_T(word(a, 2), i, 0, T(0))
    return 0


def gather_rows(a: int) -> int:
    """`result[i] = source[indices[i]]`.

    Words: indices, how many, source, its rows, their length, the result.
    """
    indices = word(a, 0)
    source = word(a, 2)
    rows = word(a, 3)
    length = word(a, 4)
    result = word(a, 5)
    for i in range(word(a, 1)):
        index = i64(load_I(indices, i, 0))
        if index < 0 or index >= rows:
            return 1
        for j in range(length):
            store_T(result, i * length + j, 2, load_T(source, index * length + j, 1))
    return 0


def sum_rows(a: int) -> int:
    """`result[ids[i]] += source[i]`, from zeros.

    Words: ids, how many, source, length of a row, the result, its rows.
    """
    ids = word(a, 0)
    source = word(a, 2)
    length = word(a, 3)
    result = word(a, 4)
    for j in range(length * word(a, 5)):
        store_T(result, j, 2, T(0))
    for i in range(word(a, 1)):
        start = i64(load_I(ids, i, 0)) * length
        for j in range(length):
            total = load_T(result, start + j, 2) + load_T(source, i * length + j, 1)
            store_T(result, start + j, 2, T(total))
    return 0


def sum_turns(a: int) -> int:
    """`result[ids[i]] += source[i]`, from zeros, for as many as a number in memory says.

    Words: where the number lies, an int32; ids, source, length of a row, the result, its rows.
    """
    ids = word(a, 1)
    source = word(a, 2)
    length = word(a, 3)
    result = word(a, 4)
    rows = word(a, 5)
    for j in range(length * rows):
        store_T(result, j, 3, T(0))
    for i in range(i64(load_i32(word(a, 0), 0, 0))):
        index = i64(load_I(ids, i, 1))
        if index < 0 or index >= rows:
            return 1
        for j in range(length):
            total = load_T(result, index * length + j, 3) + load_T(source, i * length + j, 2)
            store_T(result, index * length + j, 3, T(total))
    return 0


def gather_turns(a: int) -> int:
    """`result[i] = source[ids[i]]`, for as many as a number in memory says.

    Words: where the number lies, an int32; ids, source, its rows, their length, the result.
    """
    ids = word(a, 1)
    source = word(a, 2)
    length = word(a, 4)
    result = word(a, 5)
    for i in range(i64(load_i32(word(a, 0), 0, 0))):
        index = i64(load_I(ids, i, 1))
        if index < 0 or index >= word(a, 3):
            return 1
        for j in range(length):
            store_T(result, i * length + j, 3, load_T(source, index * length + j, 2))
    return 0


def sum_all_rows(a: int) -> int:
    """`result[j] = sum(source[i, j])` over as many rows as there are in some turns.

    Rows are added eight at a time, so that fewer roundings follow each other.

    Words: first and last column; where the number of turns lies, an int32, and how many rows each
    has; source, length of a row, result.
    """
    source = word(a, 4)
    length = word(a, 5)
    result = word(a, 6)
    rows = word(a, 3) * i64(load_i32(word(a, 2), 0, 0))
    for j in range(word(a, 0), word(a, 1)):
        store_T(result, j, 2, T(0))
    for block in range(rows // 8):
        at = 8 * block * length
        for j in range(word(a, 0), word(a, 1)):
            k = at + j
            one = load_T(source, k, 1) + load_T(source, k + length, 1)
            two = load_T(source, k + 2 * length, 1) + load_T(source, k + 3 * length, 1)
            three = load_T(source, k + 4 * length, 1) + load_T(source, k + 5 * length, 1)
            four = load_T(source, k + 6 * length, 1) + load_T(source, k + 7 * length, 1)
            store_T(result, j, 2, load_T(result, j, 2) + ((one + two) + (three + four)))
    for i in range(rows // 8 * 8, rows):
        for j in range(word(a, 0), word(a, 1)):
            store_T(result, j, 2, load_T(result, j, 2) + load_T(source, i * length + j, 1))
    return 0


def scatter(a: int) -> int:
    """`target[indices[i]] = rows[i]`, or `+=`, `-=`, `*=`, in the order of the indices.

    Words: indices, how many, rows, length of a row, the target, and which of these: see `SCATTER`.
    """
    indices = word(a, 0)
    rows = word(a, 2)
    length = word(a, 3)
    target = word(a, 4)
    how = word(a, 5)
    for i in range(word(a, 1)):
        start = i64(load_I(indices, i, 0)) * length
        for j in range(length):
            old = load_T(target, start + j, 2)
            new = load_T(rows, i * length + j, 1)
            # The same way in every round: the compiler takes the question out of the loop.
            if how == 1:
                new = T(old + new)
            elif how == 2:
                new = T(old - new)
            elif how == 3:
                new = T(old * new)
            store_T(target, start + j, 2, new)
    return 0


SCATTER = {"Update": 0, "Add": 1, "Sub": 2, "Mul": 3}


def subtract_rows(a: int) -> int:
    """`target[indices[i]] -= scale * rows[i]`.

    Words: indices, how many, rows, length of a row, the target, the scale's address.
    """
    indices = word(a, 0)
    rows = word(a, 2)
    length = word(a, 3)
    target = word(a, 4)
    scale = load_T(word(a, 5), 0, 3)
    for i in range(word(a, 1)):
        start = i64(load_I(indices, i, 0)) * length
        for j in range(length):
            value = load_T(target, start + j, 2) - scale * load_T(rows, i * length + j, 1)
            store_T(target, start + j, 2, T(value))
    return 0


def unite_rows(a: int) -> int:
    """Each index once, in the order of first appearance, and the sum of the rows given for it.

    Words: indices, how many, rows, length of a row; for the results: the indices (int64), the rows,
    how many there are (int64); a hash table of int64, and the logarithm of its size.
    """
    indices = word(a, 0)
    rows = word(a, 2)
    length = word(a, 3)
    unique = word(a, 4)
    summed = word(a, 5)
    table = word(a, 7)
    bits = word(a, 8)
    mask = (1 << bits) - 1
    for i in range(mask + 1):
        store_i64(table, i, 5, -1)
    count = 0
    for i in range(word(a, 1)):
        index = i64(load_I(indices, i, 0))
        # Fibonacci hashing: Knuth, The Art of Computer Programming, volume 3, section 6.4.
        place = ((index * 2654435769) >> 7) & mask
        found = load_i64(table, place, 5)
        while found >= 0 and load_i64(unique, found, 3) != index:
            place = (place + 1) & mask
            found = load_i64(table, place, 5)
        if found < 0:
            store_i64(table, place, 5, count)
            store_i64(unique, count, 3, index)
            for j in range(length):
                store_T(summed, count * length + j, 4, load_T(rows, i * length + j, 1))
            count += 1
        else:
            for j in range(length):
                total = load_T(summed, found * length + j, 4) + load_T(rows, i * length + j, 1)
                store_T(summed, found * length + j, 4, T(total))
    store_i64(word(a, 6), 0, 6, count)
    return 0
