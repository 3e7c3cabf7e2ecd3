"""Kernels of running sums and products, and of recurrences; written like those in `rows`."""

from __future__ import annotations

from hybridflow._src.kernels.memory import NAMESPACE

word = NAMESPACE["word"]
load_T, store_T = NAMESPACE["load_f64"], NAMESPACE["store_f64"]
T = NAMESPACE["f64"]


def running(a: int) -> int:
    """The running sum, or product, along the middle one of three axes.

    Words: first and last of the outer axis; size of the other two together, source, result; size
    of the inner axis, whether it is products, whether each element itself is left out, whether it
    runs from the end.
    """
    inner = word(a, 5)
    product = word(a, 6)
    exclusive = word(a, 7)
    length = word(a, 2) // inner
    step = inner
    if word(a, 8):
        step = -inner
    for i in range(word(a, 0), word(a, 1)):
        here = i * length * inner
        if step < 0:
            here += (length - 1) * inner
        for j in range(inner):
            value = load_T(word(a, 3), here + j, 0)
            if exclusive:
                value = T(product)
            store_T(word(a, 4), here + j, 1, value)
        for _ in range(1, length):
            before = here
            here += step
            source = here
            if exclusive:
                source = before
            for j in range(inner):
                total = load_T(word(a, 4), before + j, 1)
                value = load_T(word(a, 3), source + j, 0)
                # The same way in every round: the compiler takes the question out of the loop.
                total = T(total * value) if product else T(total + value)
                store_T(word(a, 4), here + j, 1, total)
    return 0


def recurrence(a: int) -> int:
    """y_k = b_k + a_k y_(k-1) along the middle one of three axes, from y_0 = b_0.

    Words: first and last of the outer axis; size of the other two together, the factors a, result,
    the terms b; size of the inner axis, whether y_(k-1) stands at k (after 0), whether it runs from
    the end.
    """
    inner = word(a, 6)
    exclusive = word(a, 7)
    length = word(a, 2) // inner
    step = inner
    if word(a, 8):
        step = -inner
    for i in range(word(a, 0), word(a, 1)):
        here = i * length * inner
        if step < 0:
            here += (length - 1) * inner
        for j in range(inner):
            value = load_T(word(a, 5), here + j, 2)
            if exclusive:
                value = T(0)
            store_T(word(a, 4), here + j, 1, value)
        for k in range(1, length):
            before = here
            here += step
            source = here
            if exclusive:
                source = before
            for j in range(inner):
                value = load_T(word(a, 5), source + j, 2)
                if k > exclusive:
                    total = load_T(word(a, 4), before + j, 1)
                    value = T(value + T(load_T(word(a, 3), source + j, 0) * total))
                store_T(word(a, 4), here + j, 1, value)
    return 0
