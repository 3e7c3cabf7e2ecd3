"""exp and what is made of it: expm1, tanh, sigmoid, softplus.

The argument is split as x = n log(2) + r with an integer n and |r| <= log(2) / 2, in two steps, the
first of them exact (W. J. Cody and W. Waite, "Software Manual for the Elementary Functions", 1980).
Then exp(x) = 2**n (1 + p) with p = expm1(r) = r + r**2 q(r).
"""

from __future__ import annotations

from typing import NamedTuple

from hybridflow._src.kernels.scalar import Scalar, copysign, fabs, fma, select
from hybridflow._src.kernels.vector_math.formats import (
    FLOAT32,
    FLOAT64,
    Format,
    fast_two_sum,
    horner,
    in_both,
    power_of_two,
)
from hybridflow._src.kernels.vector_math.logarithm import log1p_of

_LOG2_E = 1.4426950408889634

_Q = {
    FLOAT32: (  # 2**-26.1 of expm1(r)
        0.4999999701976776,
        0.1666654348373413,
        0.041667502373456955,
        0.00836655218154192,
        0.0013864614302292466,
    ),
    FLOAT64: (  # 2**-61.5
        0.5,
        0.16666666666666677,
        0.04166666666666661,
        0.008333333333321442,
        0.001388888888892384,
        0.00019841269886577073,
        2.4801587237431817e-05,
        2.755724376846433e-06,
        2.755735298247196e-07,
        2.5109188943134454e-08,
        2.0889474166748146e-09,
    ),
}
_TANH_Q = (  # 2**-27.7 of tanh, in float32
    -0.3333328068256378,
    0.13331405818462372,
    -0.05373651534318924,
    0.02062816731631756,
    -0.005692296661436558,
)
# Where exp is 0 after rounding, and where it is infinite.
_RANGE = {FLOAT32: (-104.0, 89.0), FLOAT64: (-746.0, 710.0)}


class Reduced(NamedTuple):
    """x = n log(2) + r."""

    n: Scalar
    exponent: Scalar  # n, in the lowest bits of an integer
    r: Scalar


def clamp(x: Scalar, low: float, high: float) -> Scalar:
    """`x`, not below `low` and not above `high`; NaN stays."""
    x = select(x > high, high, x)
    return select(x < low, low, x)


def reduce(form: Format, x: Scalar, low: Scalar = None) -> Reduced:
    """Splits `x`, in the range of exp, or `x + low`, where `low` is small."""
    shifted = fma(x, _LOG2_E, form.magic)
    n = shifted - form.magic
    r = fma(n, -form.ln2_high, x)
    if low is not None:
        r = r + low
    return Reduced(n, form.bits(shifted), fma(n, -form.ln2_low, r))


def halves(form: Format, reduced: Reduced) -> tuple[Scalar, Scalar]:
    """Two factors of 2**n, each a normal number where 2**n is not."""
    half = form.bits(fma(reduced.n, 0.5, form.magic))
    return power_of_two(form, half), power_of_two(form, reduced.exponent - half)


def expm1_of_reduced(form: Format, r: Scalar) -> tuple[Scalar, Scalar]:
    """exp(r) - 1 for |r| <= log(2) / 2, as a sum of two numbers."""
    return fast_two_sum(r, r * r * horner(r, _Q[form]))


def exp_of_reduced(form: Format, r: Scalar) -> Scalar:
    """exp(r) for |r| <= log(2) / 2."""
    return horner(r, (1.0, 1.0, *_Q[form]))


def exp_scaled(form: Format, reduced: Reduced) -> Scalar:
    """exp of what was reduced, rounded as a subnormal number where it is one."""
    first, second = halves(form, reduced)
    return exp_of_reduced(form, reduced.r) * first * second


def _exp(form: Format, x: Scalar) -> Scalar:
    """e to the power x."""
    return exp_scaled(form, reduce(form, clamp(x, *_RANGE[form])))


def _expm1(form: Format, x: Scalar) -> Scalar:
    """exp(x) - 1 = 2 (2**(n-1) p + (2**(n-1) - 1/2)): 2**n itself may be infinite."""
    reduced = reduce(form, clamp(x, -40.0, _RANGE[form][1]))
    half = power_of_two(form, reduced.exponent - 1)
    p, p_low = expm1_of_reduced(form, reduced.r)
    y = 2.0 * fma(half, p_low, fma(half, p, half - 0.5))
    return select(fabs(x) < form.epsilon, x, y)


def _tanh(form: Format, x: Scalar) -> Scalar:
    """In float32 x + x**3 q(x**2) up to 5/8, and 1 - 2 / (exp(2 |x|) + 1) beyond."""
    a = fabs(x)
    if form is FLOAT64:
        return copysign(_tanh_by_expm1(form, a), x)
    reduced = reduce(form, 2.0 * select(a > 10.0, 10.0, a))
    e = exp_of_reduced(form, reduced.r) * power_of_two(form, reduced.exponent)
    z = x * x
    small = fma(a * z, horner(z, _TANH_Q), a)
    return copysign(select(a < 0.625, small, 1.0 - 2.0 / (e + 1.0)), x)


def _tanh_by_expm1(form: Format, a: Scalar) -> Scalar:
    """e / (e + 2) with e = expm1(2 a), where e and the sum carry their rounding errors; a >= 0."""
    reduced = reduce(form, 2.0 * select(a > 20.0, 20.0, a))
    scale = power_of_two(form, reduced.exponent)
    p, p_low = expm1_of_reduced(form, reduced.r)
    e = fma(scale, p, scale - 1.0)
    e_low = fma(scale, p, (scale - 1.0) - e) + scale * p_low
    sum_ = e + 2.0
    sum_low = (e - (sum_ - 2.0)) + e_low
    inverse = 1.0 / sum_
    y = e * inverse
    return fma(fma(-y, sum_low, fma(-y, sum_, e) + e_low), inverse, y)


def _sigmoid(form: Format, x: Scalar) -> Scalar:
    """1 / (1 + exp(-x)): with z = exp(-|x|), 1 / (1 + z) or z / (1 + z).

    z, the sum and its inverse carry their rounding errors.
    """
    a = fabs(x)
    limit = -_RANGE[form][0]
    reduced = reduce(form, -select(a > limit, limit, a))
    first, second = halves(form, reduced)
    p, p_low = expm1_of_reduced(form, reduced.r)
    e, e_low = fast_two_sum(1.0, p)
    z, z_low = e * first * second, (e_low + p_low) * first * second
    sum_, sum_low = fast_two_sum(1.0, z)
    sum_low = sum_low + z_low
    inverse = 1.0 / sum_
    inverse = fma(inverse, fma(-inverse, sum_low, fma(-inverse, sum_, 1.0)), inverse)
    return select(x < 0.0, fma(z, inverse, z_low * inverse), inverse)


def _softplus(form: Format, x: Scalar) -> Scalar:
    """log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|))."""
    a = fabs(x)
    limit = -_RANGE[form][0]
    z = exp_scaled(form, reduce(form, -select(a > limit, limit, a)))
    return select(x < 0.0, 0.0, x) + log1p_of(form, z)


exp_f32, exp_f64 = in_both(_exp)
expm1_f32, expm1_f64 = in_both(_expm1)
tanh_f32, tanh_f64 = in_both(_tanh)
sigmoid_f32, sigmoid_f64 = in_both(_sigmoid)
softplus_f32, softplus_f64 = in_both(_softplus)
