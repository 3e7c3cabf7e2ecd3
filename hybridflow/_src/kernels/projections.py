"""Kernels of projections that are no loops over groups; written like those in `rows`."""

from __future__ import annotations

from hybridflow._src.kernels.memory import NAMESPACE

word = NAMESPACE["word"]
load_T, store_T = NAMESPACE["load_f64"], NAMESPACE["store_f64"]
load_f64 = NAMESPACE["load_f64"]
reassociated_add = NAMESPACE["reassociated_add"]
T, f64 = NAMESPACE["f64"], NAMESPACE["f64"]


def select(condition: bool, first: float, second: float) -> float:
    """The function of kernels by that name."""
    return first if condition else second


def maximum(a: float, b: float) -> float:
    """The function of kernels by that name."""
    return a if a >= b or a != a else b


def project_simplex(a: int) -> int:
    """The nearest point of the simplex for each row: `y >= 0` with `sum(y) = total`.

    `y = max(x - t, 0)`; t is found by taking the mean excess of the elements above the last t, from
    minus the total on, until no more drop out. C. Michelot, "A finite algorithm for finding the
    projection of a point onto the canonical simplex of R^n", Journal of Optimization Theory and
    Applications 50 (1986). Numbers are relative to the largest of the row.

    Words: first and last row, length of a row, rows, results, total (float64), whether the sum may
    be smaller.
    """
    length = word(a, 2)
    total = load_f64(a, 5, 31)
    solid = word(a, 6)
    for i in range(word(a, 0), word(a, 1)):
        row = i * length
        top = load_T(word(a, 3), row, 0)
        for j in range(length):
            top = maximum(top, load_T(word(a, 3), row + j, 0))
        high = f64(top)
        if high - high != f64(0):
            # NaN, or infinite: there is no nearest point.
            for j in range(length):
                store_T(word(a, 4), row + j, 1, T(high - high))
            continue
        # What lies so far below the largest element cannot end above 0, and may be huge.
        t = -total
        kept = f64(length + 1)
        while True:
            excess = f64(0)
            count = f64(0)
            for j in range(length):
                distance = f64(load_T(word(a, 3), row + j, 0)) - high
                excess = reassociated_add(excess, select(distance > t, distance, f64(0)))
                count = reassociated_add(count, select(distance > t, f64(1), f64(0)))
            if count >= kept or count == f64(0):
                break
            kept = count
            t = (excess - total) / count
        if solid != 0 and t + high <= f64(0):
            t = -high
        for j in range(length):
            value = (f64(load_T(word(a, 3), row + j, 0)) - high) - t
            store_T(word(a, 4), row + j, 1, T(select(value > f64(0), value, f64(0))))
    return 0
