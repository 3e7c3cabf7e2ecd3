"""x to the power y, as exp(y log(x)) in higher precision."""

from __future__ import annotations

import math

from hybridflow._src.kernels.scalar import Scalar, copysign, f32, f64, fabs, fma, select, trunc
from hybridflow._src.kernels.vector_math.exponential import clamp, exp_scaled, reduce
from hybridflow._src.kernels.vector_math.formats import (
    FLOAT64,
    fast_two_sum,
    horner,
    power_of_two,
    two_product,
    two_sum,
)
from hybridflow._src.kernels.vector_math.logarithm import decompose

# log2(m) = s q(s**2) with s = (m - 1) / (m + 1), to 2**-37
_LOG2 = (
    2.8853900817901477,
    0.9617966732729828,
    0.5770835970881874,
    0.41167203534951324,
    0.3407421182042737,
)
# 2**r for |r| <= 1/2, to 2**-29
_EXP2 = (
    0.9999999999183509,
    0.6931472067388709,
    0.24022651505170445,
    0.0555032714962188,
    0.00961799444045118,
    0.0013400458796726392,
    0.00015478055941701234,
)
# log(m) = 2 s + s**3 (2/3 + s**2 q(s**2)), to 2**-66 of it
_LOG = (
    0.40000000000002256,
    0.28571428570099483,
    0.2222222251995888,
    0.18181784362367276,
    0.15386757619228947,
    0.13256809555720572,
    0.13196417423097884,
)
_TWO_THIRDS = float.fromhex("0x1.5555555555555p-1")
_TWO_THIRDS_LOW = float.fromhex("0x1.5555555555555p-55")


def _with_special_values(x: Scalar, y: Scalar, power: Scalar) -> Scalar:
    """`x ** y` from `power`, which is |x| ** y where |x| and y are finite and |x| is not 0.

    C99, annex F.9.4.4.
    """
    a = fabs(x)
    limit = (a == 0.0) | (a == math.inf) | (fabs(y) == math.inf)
    grows = (a > 1.0) == (y > 0.0)
    power = select(limit, 0.0, power)
    power = select(limit & grows, math.inf, power)
    power = select(a == 1.0, 1.0, power)
    whole = trunc(y) == y
    half = 0.5 * y
    odd = whole & (trunc(half) != half)
    power = select(odd, copysign(power, x), power)
    power = select((x < 0.0) & (a < math.inf) & ~whole, math.nan, power)
    power = select((x != x) | (y != y), x + y, power)
    return select((x == 1.0) | (y == 0.0), 1.0, power)


def pow_f32(x: Scalar, y: Scalar) -> Scalar:
    """x ** y, as 2 ** (y log2(x)) in float64."""
    parts = decompose(FLOAT64, f64(fabs(x)))
    s = (parts.m - 1.0) / (parts.m + 1.0)
    log2 = fma(s, horner(s * s, _LOG2), parts.k)
    power = clamp(f64(y) * log2, -200.0, 200.0)
    shifted = power + FLOAT64.magic
    fraction = power - (shifted - FLOAT64.magic)
    scale = power_of_two(FLOAT64, FLOAT64.bits(shifted))
    return _with_special_values(x, y, f32(horner(fraction, _EXP2) * scale))


def pow_f64(x: Scalar, y: Scalar) -> Scalar:
    """x ** y, as exp(y log(x)) with log(x) and the product as sums of two numbers."""
    a = fabs(x)
    subnormal = a < FLOAT64.smallest
    parts = decompose(FLOAT64, select(subnormal, a * 2.0**52, a))
    k = select(subnormal, parts.k - 52.0, parts.k)
    high, low = _log_of(k, parts.m)
    product, product_low = two_product(y, high)
    product_low = fma(y, low, product_low)
    inside = fabs(product) < 800.0
    product = clamp(product, -800.0, 800.0)
    reduced = reduce(FLOAT64, product, select(inside, product_low, 0.0))
    return _with_special_values(x, y, exp_scaled(FLOAT64, reduced))


def _log_of(k: Scalar, m: Scalar) -> tuple[Scalar, Scalar]:
    """k log(2) + log(m), to some 2**-66 of it."""
    f = m - 1.0
    d, d_low = two_sum(m, 1.0)
    inverse = 1.0 / d
    s = f * inverse
    s_low = fma(-s, d_low, fma(-s, d, f)) * inverse
    z, z_low = two_product(s, s)
    z_low = fma(2.0 * s, s_low, z_low)
    c, c_low = fast_two_sum(_TWO_THIRDS, z * horner(z, _LOG))
    c_low = c_low + _TWO_THIRDS_LOW
    w, w_low = two_product(z, c)
    w_low = w_low + fma(z, c_low, z_low * c)
    t, t_low = two_product(s, w)
    t_low = t_low + fma(s, w_low, s_low * w)
    head, head_low = fast_two_sum(2.0 * s, t)
    head_low = head_low + fma(2.0, s_low, t_low)
    whole, whole_low = two_sum(k * FLOAT64.ln2_high, head)
    return fast_two_sum(whole, whole_low + fma(k, FLOAT64.ln2_low, head_low))
