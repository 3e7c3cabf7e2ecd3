"""log and log1p.

The argument is 2**k m with m from sqrt(1/2) to sqrt(2), found by integer arithmetic on its bits.
With f = m - 1 and s = f / (2 + f),

    log(m) = 2 atanh(s) = f - (h - s (h + s**2 q(s**2))),    h = f**2 / 2

(as in S. Moshier's Cephes and Sun's fdlibm), where f, the largest term, comes exactly.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from hybridflow._src.kernels.scalar import Scalar, copysign, fma, select
from hybridflow._src.kernels.vector_math.formats import (
    FLOAT32,
    FLOAT64,
    Format,
    horner,
    in_both,
)

_Q = {
    FLOAT32: (  # 2**-29.2
        0.6666677594184875,
        0.39977583289146423,
        0.2987082600593567,
    ),
    FLOAT64: (  # 2**-58.5
        0.6666666666666734,
        0.3999999999941648,
        0.28571428742093696,
        0.22222198595633275,
        0.18183563466031988,
        0.15314066235685792,
        0.14795845647822076,
    ),
}
_BITS_OF_ROOT = {FLOAT32: 0x3F3504F3, FLOAT64: 0x3FE6A09E667F3BCD}  # of sqrt(1/2)


class Decomposed(NamedTuple):
    """x = 2**k m, m from sqrt(1/2) to sqrt(2)."""

    k: Scalar
    inverse: Scalar  # 2**-k
    m: Scalar


def decompose(form: Format, x: Scalar) -> Decomposed:
    """Splits `x`, a positive normal number below 2**bias."""
    one = form.bits_of_one
    bits = form.bits(x)
    # The mask tells the compiler that a number is shifted that is not negative.
    shifted = (bits + (one - _BITS_OF_ROOT[form])) & form.magnitude
    power = shifted & form.exponent
    # The exponent becomes a float as the last bits of 2**mantissa.
    large = form.bits_of_one + (form.mantissa << form.mantissa)
    k = form.from_bits((shifted >> form.mantissa) | large) - (2.0**form.mantissa + form.bias)
    return Decomposed(k, form.from_bits(2 * one - power), form.from_bits(bits - power + one))


def log_of(form: Format, k: Scalar, f: Scalar) -> Scalar:
    """k log(2) + log(1 + f)."""
    s = f / (2.0 + f)
    z = s * s
    h = 0.5 * f * f
    rest = fma(s, fma(z, horner(z, _Q[form]), h), k * form.ln2_low)
    return fma(k, form.ln2_high, f - (h - rest))


def log1p_of(form: Format, x: Scalar) -> Scalar:
    """log1p for finite `x` above -1."""
    u = 1.0 + x
    parts = decompose(form, u)
    f = parts.m - 1.0
    # What the sum lost matters, and is exact, where `x` is not large.
    f = select(x < 2.0**form.mantissa, fma(x - (u - 1.0), parts.inverse, f), f)
    return log_of(form, parts.k, f)


def _log(form: Format, x: Scalar) -> Scalar:
    """The natural logarithm."""
    subnormal = x < form.smallest
    parts = decompose(form, select(subnormal, x * 2.0**form.mantissa, x))
    k = select(subnormal, parts.k - form.mantissa, parts.k)
    y = select(x < math.inf, log_of(form, k, parts.m - 1.0), x)
    return select(x > 0.0, y, select(x == 0.0, -math.inf, select(x < 0.0, math.nan, x)))


def _log1p(form: Format, x: Scalar) -> Scalar:
    """log(1 + x)."""
    y = select(x < math.inf, log1p_of(form, x), x)
    y = select(x > -1.0, y, select(x == -1.0, -math.inf, select(x < -1.0, math.nan, x)))
    return copysign(y, x)  # of zeros


log_f32, log_f64 = in_both(_log)
log1p_f32, log1p_f64 = in_both(_log1p)
