"""Boxes of images that leave out others."""

from __future__ import annotations

from hybridflow._src.kernels.alone import Alone
from hybridflow._src.kernels.kernel import written
from hybridflow._src.kernels.memory import NAMESPACE

word = NAMESPACE["word"]
load_f32 = NAMESPACE["load_f32"]
load_i64, store_i64 = NAMESPACE["load_i64"], NAMESPACE["store_i64"]
f32 = NAMESPACE["f32"]


def suppress(a: int) -> int:
    """Chooses each box unless it overlaps one chosen before by more than a part of both.

    Words: how many boxes, how many are chosen at most; float32, for each box: top, bottom, left,
    right, area; the part, float32; the numbers of those that are chosen, int64, behind how many
    these are.
    """
    top = word(a, 2)
    bottom = word(a, 3)
    left = word(a, 4)
    right = word(a, 5)
    area = word(a, 6)
    part = load_f32(word(a, 7), 0, 1)
    chosen = word(a, 8)
    count = 0
    for box in range(word(a, 0)):
        if count >= word(a, 1):
            break
        is_free = True
        # What has no area, or a corner that is no number, overlaps nothing.
        if load_f32(area, box, 0) > f32(0):
            for place in range(count):
                # The latest ones are the likeliest to be near.
                other = load_i64(chosen, count - place, 2)
                high = max(load_f32(top, box, 0), load_f32(top, other, 0))
                low = min(load_f32(bottom, box, 0), load_f32(bottom, other, 0))
                if not low > high:
                    continue
                begin = max(load_f32(left, box, 0), load_f32(left, other, 0))
                end = min(load_f32(right, box, 0), load_f32(right, other, 0))
                if not end > begin:
                    continue
                shared = f32(low - high) * f32(end - begin)
                both = f32(load_f32(area, box, 0) + load_f32(area, other, 0)) - shared
                if load_f32(area, other, 0) > f32(0) and shared > f32(part * both):
                    is_free = False
                    break
        if is_free:
            count += 1
            store_i64(chosen, count, 2, box)
    store_i64(chosen, 0, 2, count)
    return 0


# Measured in pairs of boxes.
SUPPRESS = Alone(written(suppress, "f32"), worth=2_000_000)
