"""sin, cos and tan, for arguments of any size.

|x| 2 / pi is needed to some bits after the point, and modulo 4 before it (M. Payne and R. Hanek,
"Radian reduction for trigonometric functions", SIGNUM Newsletter 18, 1983). Arguments fall into
blocks of exponents: in block c the integer |x| 2**-(w c) is multiplied by 2**(w c) 2 / pi modulo 4,
a constant that is the sum of some numbers, so short that the products can be had exactly. Small
arguments are in block 0, whose constant is 2 / pi itself, so that one path without branches serves
all. Constants are selected: from a table in memory, LLVM would not vectorise.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from hybridflow._src.kernels.scalar import (
    Scalar,
    bits64,
    f32,
    f64,
    fabs,
    fma,
    i32,
    rint,
    select,
)
from hybridflow._src.kernels.vector_math.formats import (
    FLOAT32,
    FLOAT64,
    Format,
    fast_two_sum,
    horner,
    two_product,
    two_sum,
)

# floor(2**1280 * 2 / pi)
_TWO_OVER_PI = int(
    "a2f9836e4e441529fc2757d1f534ddc0db6295993c439041fe5163abdebbc561b7246e3a424dd2e006492eea09d1921c"
    "fe1deb1cb129a73ee88235f52ebb4484e99c7026b45f7e413991d639835339f49c845f8bbdf9283b1ff897ffde05980f"
    "ef2f118b5a0a6d1f6d367ecf27cb09b74f463f669e5fea2d7527bac7ebe5f17b3d0739f78a5292ea6bfb5fb11f8d5d08"
    "56033046fc7b6babf0cfbc209af4361d",
    16,
)
_POINT = 1280


def _blocks(width: int, number: int, cuts: tuple[int, ...], scaled: int = 0) -> list[list[Any]]:
    """The parts of the constants, cut at these places after the point, of each block.

    They take the factor 2**-(w c) on, of which those blocks leave out 2**-scaled that need so much.
    """
    parts = []
    for start, end in itertools.pairwise((-2, *cuts)):
        part = []
        for shift in range(0, width * number, width):
            digits = (_TWO_OVER_PI >> (_POINT - end - shift)) % 2 ** (end - start)
            left_out = scaled if shift > scaled else 0
            part.append(np.float64(digits * 2.0**-end * 2.0 ** (left_out - shift)))
        parts.append(part)
    return parts


def _of_block(a: Scalar, parts: list[list[Any]], first_edge: int, width: int) -> list[Scalar]:
    """The parts for `a`, a float64; each block but the first starts at an edge."""
    edges = [2.0 ** (first_edge + width * c) for c in range(len(parts[0]) - 1)]
    above = [a >= edge for edge in edges]
    return [_last(above, part) for part in parts]


def _last(conditions: list[Scalar], values: list[Any]) -> Scalar:
    """The value after the last condition that holds."""
    found, *rest = values
    for condition, value in zip(conditions, rest, strict=True):
        found = select(condition, value, found)
    return found


_WIDTH32, _WIDTH64, _SCALED = 26, 91, 512
_LARGE = 2.0 ** (53 + 6 * _WIDTH64)  # where the blocks begin whose constants are scaled
_PARTS32 = _blocks(_WIDTH32, 4, (27, 56, 109))
_PARTS64 = _blocks(_WIDTH64, 11, (51, 104, 157, 210, 263), _SCALED)
_HALF_PI = float.fromhex("0x1.921fb54442d18p+0")
_HALF_PI_LOW = float.fromhex("0x1.1a62633145c07p-54")

# sin(a) = a + a**3 q(a**2), cos(a) = 1 - a**2 / 2 + a**4 q(a**2)
_SIN = {
    FLOAT32: (  # 2**-28.0
        -0.16666654573616504,
        0.008332158431278467,
        -0.00019514959544610595,
    ),
    FLOAT64: (  # 2**-57.9
        -0.1666666666666663,
        0.008333333333321905,
        -0.00019841269829440778,
        2.755731357455185e-06,
        -2.505074093143545e-08,
        1.5895854774539585e-10,
    ),
}
_COS = {
    FLOAT32: (  # 2**-33.0
        0.04166664561322652,
        -0.0013887312833888532,
        2.4432762376273523e-05,
    ),
    FLOAT64: (  # 2**-63.9
        0.041666666666666595,
        -0.0013888888888873335,
        2.480158728899375e-05,
        -2.7557314213463376e-07,
        2.0875704763280718e-09,
        -1.1358709513975677e-11,
    ),
}


def _modulo4(x: Scalar) -> Scalar:
    return fma(-4.0, rint(x * 0.25), x)


def _quarters(total: Scalar) -> tuple[Scalar, Scalar]:
    """The nearest integer, as a float64 and in the lowest bits of an int64."""
    shifted = total + FLOAT64.magic
    return shifted - FLOAT64.magic, bits64(shifted)


def _sum(first: Scalar, *others: Scalar) -> list[Scalar]:
    """The rounded sum, and what each addition lost."""
    lost = []
    for other in others:
        first, error = two_sum(first, other)
        lost.append(error)
    return [first, *lost]


# -- float32 ---------------------------------------------------------------------------------------


def _angle_32(a: Scalar) -> tuple[Scalar, Scalar]:
    """What `a` exceeds quarter turns by, as a float64, and their number."""
    x = f64(a)
    first, second, third = _of_block(x, _PARTS32, 24 + _WIDTH32, _WIDTH32)
    high, middle = _modulo4(x * first), x * second  # 24 bits times 29: exact
    n, quarters = _quarters(high + middle)
    return fma(x, third, (high - n) + middle) * _HALF_PI, quarters


def _sin_cos_32(angle: Scalar) -> tuple[Scalar, Scalar]:
    """In the precision of the angle."""
    z = angle * angle
    sin = fma(angle * z, horner(z, _SIN[FLOAT32]), angle)
    cos = fma(z, fma(z, horner(z, _COS[FLOAT32]), -0.5), 1.0)
    return sin, cos


def _turned(form: Format, sin: Scalar, cos: Scalar, quarters: Scalar) -> Scalar:
    """The sine after so many quarter turns."""
    y = select((quarters & 1) == 0, sin, cos)
    turned = (quarters & 2) << (form.size - 2)
    return form.from_bits(form.bits(y) ^ turned)


def _negated(form: Format, y: Scalar, x: Scalar) -> Scalar:
    """`y`, negated where `x` is negative."""
    return form.from_bits(form.bits(y) ^ (form.bits(x) & ~form.magnitude))


def sin_f32(x: Scalar) -> Scalar:
    """The sine."""
    angle, quarters = _angle_32(fabs(x))
    sin, cos = _sin_cos_32(f32(angle))
    return _negated(FLOAT32, _turned(FLOAT32, sin, cos, i32(quarters)), x)


def cos_f32(x: Scalar) -> Scalar:
    """The cosine."""
    angle, quarters = _angle_32(fabs(x))
    sin, cos = _sin_cos_32(f32(angle))
    return _turned(FLOAT32, sin, cos, i32(quarters) + 1)


def tan_f32(x: Scalar) -> Scalar:
    """The tangent."""
    angle, quarters = _angle_32(fabs(x))
    sin, cos = _sin_cos_32(angle)
    odd = (quarters & 1) != 0
    return _negated(FLOAT32, f32(select(odd, -cos, sin) / select(odd, sin, cos)), x)


# -- float64 ---------------------------------------------------------------------------------------


def _angle_64(a: Scalar) -> tuple[Scalar, Scalar, Scalar]:
    """What `a` exceeds quarter turns by, as a sum of two numbers, and their number."""
    parts = _of_block(a, _PARTS64, 53 + _WIDTH64, _WIDTH64)
    x = select(a < _LARGE, a, a * 2.0**-_SCALED)
    (p0, e0), (p1, e1), (p2, e2), (p3, e3) = (two_product(x, part) for part in parts[:4])
    total, *lost = _sum(*(_modulo4(p) for p in (p0, e0, p1, e1, p2)))
    n, quarters = _quarters(total)
    high, *lost = _sum(total - n, p3, e2, *lost)
    rest = fma(x, parts[4], e3)
    for part in reversed(lost):
        rest = rest + part
    turn, turn_low = fast_two_sum(high, rest)
    angle, low = two_product(turn, _HALF_PI)
    return angle, low + fma(turn, _HALF_PI_LOW, turn_low * _HALF_PI), quarters


def _sin_cos_64(angle: Scalar, low: Scalar) -> tuple[Scalar, Scalar, Scalar, Scalar]:
    """The sine and the cosine, each as a sum of two numbers."""
    z = angle * angle
    sin_rest = fma(angle * z, horner(z, _SIN[FLOAT64]), low)
    half = 0.5 * z
    one = 1.0 - half
    cos_rest = ((1.0 - one) - half) + fma(z * z, horner(z, _COS[FLOAT64]), -angle * low)
    return (*fast_two_sum(angle, sin_rest), *fast_two_sum(one, cos_rest))


def sin_f64(x: Scalar) -> Scalar:
    """The sine."""
    angle, low, quarters = _angle_64(fabs(x))
    sin, _, cos, _ = _sin_cos_64(angle, low)
    y = _negated(FLOAT64, _turned(FLOAT64, sin, cos, quarters), x)
    return select(fabs(x) < 2.0**-27, x, y)


def cos_f64(x: Scalar) -> Scalar:
    """The cosine."""
    angle, low, quarters = _angle_64(fabs(x))
    sin, _, cos, _ = _sin_cos_64(angle, low)
    return _turned(FLOAT64, sin, cos, quarters + 1)


def tan_f64(x: Scalar) -> Scalar:
    """The tangent."""
    angle, low, quarters = _angle_64(fabs(x))
    sin, sin_low, cos, cos_low = _sin_cos_64(angle, low)
    odd = (quarters & 1) != 0
    above, above_low = select(odd, -cos, sin), select(odd, -cos_low, sin_low)
    below, below_low = select(odd, sin, cos), select(odd, sin_low, cos_low)
    inverse = 1.0 / below
    y = above * inverse
    y = fma(fma(-y, below_low, fma(-y, below, above) + above_low), inverse, y)
    return select(fabs(x) < 2.0**-27, x, _negated(FLOAT64, y, x))
