"""Kernels that copy a slice whose bounds only a run tells: out of an array, or into zeros."""

from __future__ import annotations

from typing import NamedTuple

from hybridflow._src.kernels.kernel import Kernel

# What an axis of the array has in the words.
AXIS_WORDS = 6
# Of an axis: its range is open at the beginning; at the end; it begins where its bound says, which
# is no negative number, and its end is not looked at; it goes to the end of the axis.
OPEN_BEGIN, OPEN_END, WINDOW, REST = 1, 2, 4, 8
# The length of an axis of which one element is taken.
ONE = -1
_HEAD = 8


class Axis(NamedTuple):
    """How an axis of an array is cut.

    Attributes:
      entry: its place among the bounds; None for one that is kept whole.
      length: how many elements are taken; None if it is one, by its number.
      flags: `OPEN_BEGIN`, `OPEN_END`, `WINDOW`, `REST`.
    """

    entry: int | None
    length: int | None
    step: int = 1
    flags: int = 0


# Words: begins, ends, the array, the slice; how many axes are cut, how many the slice has before
# the last one, its last size and how far elements of that lie apart in the array. Then for each
# axis that is cut its number among the bounds, its size, how far its elements lie apart, the step,
# how many there must be, and its flags. Then for each axis of the slice before the last one,
# from the last on, its size and how far its elements lie apart. Distances are in elements.
_SLICE = f"""
def kernel(a):
    offset = 0
    for k in range(word(a, 4)):
        axis = a + {8 * _HEAD} + k * {8 * AXIS_WORDS}
        size = word(axis, 1)
        step = word(axis, 3)
        length = word(axis, 4)
        first = i64(load_I(word(a, 0), word(axis, 0), 29))
        if length == {ONE}:
            if first < 0:
                first += size
            if first < 0 or first >= size:
                return 1
        elif word(axis, 5) & {WINDOW}:
            if first < 0 or first > size - length:
                return 1
            if word(axis, 5) & {REST} and first != size - length:
                return 1
        else:
            last = i64(load_I(word(a, 1), word(axis, 0), 30))
            low = 0
            high = size
            if step < 0:
                low = -1
                high = size - 1
            if first < 0:
                first += size
            if last < 0:
                last += size
            first = min(max(first, low), high)
            last = min(max(last, low), high)
            if word(axis, 5) & {OPEN_BEGIN}:
                first = low if step > 0 else high
            if word(axis, 5) & {OPEN_END}:
                last = high if step > 0 else low
            count = (last - first + step - 1) // step
            if step < 0:
                count = (first - last - step - 1) // -step
            if max(count, 0) != length:
                return 1
        offset += first * word(axis, 2)
    axes = a + {8 * _HEAD} + word(a, 4) * {8 * AXIS_WORDS}
    rows = 1
    for k in range(word(a, 5)):
        rows *= word(axes, 2 * k)
    columns = word(a, 6)
    step = word(a, 7)
    array = word(a, 2)
    part = word(a, 3)
    {{clear}}
    for row in range(rows):
        at = offset
        rest = row
        for k in range(word(a, 5)):
            at += rest % word(axes, 2 * k) * word(axes, 2 * k + 1)
            rest //= word(axes, 2 * k)
        if step == 1:
            for j in range(columns):
                {{unit}}
        else:
            for j in range(columns):
                {{any}}
    return 0
"""
_READ = "store_T(part, row * columns + j, 1, load_T(array, at + {j}, 0))"
_WRITE = "store_T(array, at + {j}, 0, load_T(part, row * columns + j, 1))"
_CLEAR = "for j in range(word(axes, 2 * word(a, 5))):\n        store_T(array, j, 0, T(0))"


def _kernel(name: str, copy: str, clear: str, element: str, index: str) -> Kernel:
    unit, other = copy.format(j="j"), copy.format(j="j * step")
    text = _SLICE.format(clear=clear, unit=unit, any=other)
    text = text.replace("_T(", f"_{element}(").replace("T(0)", f"{element}(0)")
    return Kernel(text.replace("_I(", f"_{index}("), f"{name}_{element}")


def reading(element: str, index: str) -> Kernel:
    """The kernel that copies a slice out of an array; it gives a status if that has another shape.

    For its words see `_SLICE`.
    """
    return _kernel("read_slice", _READ, "", element, index)


def writing(element: str, index: str) -> Kernel:
    """The kernel that copies a slice into an array of zeros.

    One more word stands at the end: how many elements the array has.
    """
    return _kernel("write_slice", _WRITE, _CLEAR, element, index)
