"""Kernels of connectionist temporal classification; written like those in `rows`.

Probabilities of long paths are smaller than any float64. So they are pairs of a number `m` and a
*tier* `e`, for `m * 2 ** (-512 * e)`; `m` is kept above 2 ** -256, unless it is 0. That takes no
logarithms, and loses no path.
"""

from __future__ import annotations

from hybridflow._src.kernels.memory import NAMESPACE
from hybridflow._src.kernels.vector_math.exponential import exp_f64
from hybridflow._src.kernels.vector_math.logarithm import log_f64

word = NAMESPACE["word"]
reassociated_add = NAMESPACE["reassociated_add"]
load_T, store_T = NAMESPACE["load_f32"], NAMESPACE["store_f32"]
load_i32 = NAMESPACE["load_i32"]
load_I = NAMESPACE["load_i64"]
load_i64, store_i64 = NAMESPACE["load_i64"], NAMESPACE["store_i64"]
load_f64, store_f64 = NAMESPACE["load_f64"], NAMESPACE["store_f64"]
T, i64, f64 = NAMESPACE["f32"], NAMESPACE["i64"], NAMESPACE["f64"]


def labels(a: int) -> int:
    """The labels of each sequence, checked; a status if something is wrong with them.

    Words: pairs of sequence and position, in order; the label of each (int32), how many; sequences,
    classes, times; their lengths (int32); whether equal neighbours are one, whether sequences with
    more labels than times are left out; for the results, all int64: where the labels of each
    sequence start and, last, how many there are; the labels; the lengths, -1 for what is left out.
    """
    pairs = word(a, 0)
    count = word(a, 2)
    classes = word(a, 4)
    found = word(a, 10)
    i = 0
    k = 0
    for b in range(word(a, 3)):
        length = i64(load_i32(word(a, 6), b, 2))
        if length < 0 or length > word(a, 5):
            return 1
        store_i64(word(a, 9), b, 3, k)
        given = 0
        finished = 0
        before = -1
        last = -1
        while i < count:
            if i64(load_I(pairs, 2 * i, 0)) != b:
                break
            position = i64(load_I(pairs, 2 * i + 1, 0))
            label = i64(load_i32(word(a, 1), i, 1))
            if position <= last or label < 0:
                return 1
            last = position
            if given == 0 or word(a, 7) == 0 or label != before:
                if label >= classes - 1:
                    finished = 1
                else:
                    # A label after a blank.
                    if finished != 0:
                        return 1
                    store_i64(found, k, 4, label)
                    k += 1
            before = label
            given += 1
            i += 1
        if given == 0:
            return 1
        if given > length:
            if word(a, 8) == 0:
                return 1
            length = -1
        store_i64(word(a, 11), b, 5, length)
    store_i64(word(a, 9), word(a, 3), 3, k)
    if i != count:
        return 1
    return 0


def loss(a: int) -> int:
    """Losses and gradients of sequences: Graves' forward and backward variables.

    Words: first and last sequence; logits `[times, sequences, classes]`, these three sizes;
    lengths, starts and labels as `labels` gives them; whether equal neighbours merge; losses,
    gradients; memory for this thread: `times * (classes + 2 + width) + width` numbers, and
    `times * width + 2 * width` tiers; the greatest number of states, `width`.
    """
    logits = word(a, 2)
    times = word(a, 3)
    batch = word(a, 4)
    classes = word(a, 5)
    starts = word(a, 7)
    merging = word(a, 9)
    gradient = word(a, 11)
    width = word(a, 14)
    # Where numbers and tiers of the thread lie: powers, their inverse sums, forward, backward.
    powers = word(a, 12)
    sums = powers + 8 * times * classes
    forward = sums + 8 * times
    backward = forward + 8 * times * width
    largest = backward + 8 * width
    tiers = word(a, 13)
    behind = tiers + 8 * times * width
    states = behind + 8 * width
    tiny = f64(2.0**-256)
    large = f64(2.0**512)
    small = f64(2.0**-512)
    zero = f64(0.0)
    # The logarithm of a tier.
    tier = f64(354.891356446692)
    for b in range(word(a, 0), word(a, 1)):
        length = load_i64(word(a, 6), b, 1)
        if length < 0:
            length = 0
        for t in range(length, times):
            here = (t * batch + b) * classes
            for c in range(classes):
                store_T(gradient, here + c, 2, T(0))
        store_T(word(a, 10), b, 3, T(0))
        first = load_i64(starts, b, 4)
        count = 2 * (load_i64(starts, b + 1, 4) - first) + 1
        for u in range(count):
            label = classes - 1
            if u % 2 == 1:
                label = load_i64(word(a, 8), first + u // 2, 5)
            store_i64(states, u, 6, label)
        # -- softmax
        for t in range(length):
            here = (t * batch + b) * classes
            most = f64(load_T(logits, here, 0))
            for c in range(1, classes):
                most = max(most, f64(load_T(logits, here + c, 0)))
            store_f64(largest, t, 13, most)
            total = zero
            for c in range(classes):
                power = exp_f64(f64(load_T(logits, here + c, 0)) - most)
                store_f64(powers, t * classes + c, 7, power)
                total = reassociated_add(total, power)
            total = f64(1.0) / total
            store_f64(sums, t, 8, total)
            for c in range(classes):
                store_T(gradient, here + c, 2, T(load_f64(powers, t * classes + c, 7) * total))
        # -- forward: what leads to state u at time t
        for t in range(length):
            low = max(0, count - 2 * (length - t))
            high = min(count, 2 * (t + 1))
            scale = load_f64(sums, t, 8)
            line = t * width
            for u in range(low, high):
                label = load_i64(states, u, 6)
                m = zero
                e = 0
                if t == 0:
                    m = f64(1.0)
                    ways = 0
                else:
                    ways = min(u, 1 + u % 2) + 1
                for way in range(ways):
                    # A label does not stay unless it merges with itself, nor skip to its like.
                    if u % 2 == 1:
                        if way == 0 and merging == 0:
                            continue
                        if way == 2 and merging != 0 and load_i64(states, u - 2, 6) == label:
                            continue
                    n = load_f64(forward, line - width + u - way, 9)
                    d = load_i64(tiers, line - width + u - way, 10) - e
                    if m == zero:
                        m = n
                        e += d
                    elif n != zero:
                        if d == 0:
                            m += n
                        elif d == 1:
                            m += n * small
                        elif d < 0:
                            m = n + m * small if d == -1 else n
                            e += d
                y = load_f64(powers, t * classes + label, 7) * scale
                if y < tiny:
                    score = f64(load_T(logits, (t * batch + b) * classes + label, 0))
                    score += log_f64(scale) - load_f64(largest, t, 13)
                    if score > f64(-1e15):
                        lower = i64(-score / tier)
                        y = exp_f64(score + f64(lower) * tier)
                        e += lower
                    elif score > f64(-1e300):
                        # Finite, and less than tiers count: NumPy knows.
                        return 1
                    else:
                        y = zero
                m *= y
                while m < tiny and m > zero:
                    m *= large
                    e += 1
                store_f64(forward, line + u, 9, m)
                store_i64(tiers, line + u, 10, e)
            for u in range(high, min(count, high + 2)):
                store_f64(forward, line + u, 9, zero)
                store_i64(tiers, line + u, 10, 0)
        # -- the probability of the labels
        p = zero
        q = 0
        if length > 0:
            line = (length - 1) * width
            for u in range(max(0, count - 2), min(count, 2 * length)):
                n = load_f64(forward, line + u, 9)
                d = load_i64(tiers, line + u, 10) - q
                if p == zero:
                    p = n
                    q += d
                elif n != zero:
                    if d == 0:
                        p += n
                    elif d == 1:
                        p += n * small
                    elif d < 0:
                        p = n + p * small if d == -1 else n
                        q += d
            value = f64(q) * tier - log_f64(p)
            store_T(word(a, 10), b, 3, T(value))
        if p != p:
            # NumPy knows what NaN reaches.
            return 1
        if p == zero:
            # No path: the gradient stays the softmax.
            length = 0
        # -- backward: what leads on from state u at time t
        for k in range(length):
            t = length - 1 - k
            low = max(0, count - 2 * (length - t))
            high = min(count, 2 * (t + 1))
            here = (t * batch + b) * classes
            scale = load_f64(sums, t, 8)
            line = t * width
            blanks = zero
            for u in range(low, high):
                label = load_i64(states, u, 6)
                m = zero
                e = 0
                if k == 0:
                    m = f64(1.0)
                    ways = 0
                else:
                    ways = min(count - 1 - u, 1 + u % 2) + 1
                for way in range(ways):
                    if u % 2 == 1:
                        if way == 0 and merging == 0:
                            continue
                        if way == 2 and merging != 0 and load_i64(states, u + 2, 6) == label:
                            continue
                    n = load_f64(backward, u + way, 11)
                    d = load_i64(behind, u + way, 12) - e
                    if m == zero:
                        m = n
                        e += d
                    elif n != zero:
                        if d == 0:
                            m += n
                        elif d == 1:
                            m += n * small
                        elif d < 0:
                            m = n + m * small if d == -1 else n
                            e += d
                # The share of the paths that are in this state.
                share = load_f64(forward, line + u, 9) * m / p
                d = load_i64(tiers, line + u, 10) + e - q
                if d == 1:
                    share *= small
                elif d == -1:
                    share *= large
                elif d != 0:
                    share = zero
                if u % 2 == 0:
                    blanks += share
                else:
                    left = f64(load_T(gradient, here + label, 2)) - share
                    store_T(gradient, here + label, 2, T(left))
                y = load_f64(powers, t * classes + label, 7) * scale
                if y < tiny:
                    score = f64(load_T(logits, here + label, 0))
                    score += log_f64(scale) - load_f64(largest, t, 13)
                    if score > f64(-1e15):
                        lower = i64(-score / tier)
                        y = exp_f64(score + f64(lower) * tier)
                        e += lower
                    elif score > f64(-1e300):
                        # Finite, and less than tiers count: NumPy knows.
                        return 1
                    else:
                        y = zero
                m *= y
                while m < tiny and m > zero:
                    m *= large
                    e += 1
                store_f64(backward, u, 11, m)
                store_i64(behind, u, 12, e)
            for u in range(max(0, low - 2), low):
                store_f64(backward, u, 11, zero)
                store_i64(behind, u, 12, 0)
            left = f64(load_T(gradient, here + classes - 1, 2)) - blanks
            store_T(gradient, here + classes - 1, 2, T(left))
    return 0
