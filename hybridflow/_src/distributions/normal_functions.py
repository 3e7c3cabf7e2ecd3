"""The standard normal distribution function, its logarithm and its inverse."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from hybridflow._src.framework.registry import raw
from hybridflow._src.ops.arrays.selecting import where
from hybridflow._src.ops.math.comparison import greater, less, less_equal
from hybridflow._src.ops.math.elementwise import maximum, minimum
from hybridflow._src.ops.math.exponential import log, log1p, sqrt
from hybridflow._src.ops.math.special import erfc

__all__ = ["log_ndtr", "ndtr", "ndtri", "ndtri_of_parts"]

# Below, the asymptotic series is more exact than a logarithm of the function; above, 1 - p is.
_ENDS = {"float32": (-10.0, 5.0), "float64": (-20.0, 8.0)}

# Numerators and denominators of Wichura's algorithm AS 241 (PPND16), lowest powers first.
_CENTER = (
    (
        *(3.387132872796366608, 133.14166789178437745, 1971.5909503065514427),
        *(13731.693765509461125, 45921.953931549871457, 67265.770927008700853),
        *(33430.575583588128105, 2509.0809287301226727),
    ),
    (
        *(1.0, 42.313330701600911252, 687.1870074920579083, 5394.1960214247511077),
        *(21213.794301586595867, 39307.89580009271061, 28729.085735721942674),
        *(5226.495278852854561,),
    ),
)
_TAIL = (
    (
        *(1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055),
        *(3.64784832476320460504, 1.27045825245236838258, 0.24178072517745061177),
        *(0.0227238449892691845833, 7.7454501427834140764e-4),
    ),
    (
        *(1.0, 2.05319162663775882187, 1.6763848301838038494, 0.68976733498510000455),
        *(0.14810397642748007459, 0.0151986665636164571966, 5.475938084995344946e-4),
        *(1.05075007164441684324e-9,),
    ),
)
_FAR = (
    (
        *(6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358),
        *(0.29656057182850489123, 0.026532189526576123093, 0.0012426609473880784386),
        *(2.71155556874348757815e-5, 2.01033439929228813265e-7),
    ),
    (
        *(1.0, 0.59983220655588793769, 0.13692988092273580531, 0.0148753612908506148525),
        *(7.868691311456132591e-4, 1.8463183175100546818e-5, 1.4215117583164458887e-7),
        *(2.04426310338993978564e-15,),
    ),
)


def ndtr(x: Any) -> Any:
    """The probability that a standard normal number is at most `x`."""
    return 0.5 * erfc(x * -math.sqrt(0.5))


def log_ndtr(x: Any) -> Any:
    """Its logarithm, exact far below zero too.

    There `ndtr(x)` is the density times `-1/x (1 - 1/x^2 + 3/x^4 - 15/x^6 + ...)`: Abramowitz and
    Stegun, Handbook of Mathematical Functions, 26.2.12.
    """
    low, high = _ENDS[x.dtype.base_dtype.name]
    # What is computed where it is not wanted must be finite, or its gradient were NaN.
    above = log1p(-ndtr(-maximum(x, high)))
    inside = log(ndtr(minimum(maximum(x, low), high)))
    far = minimum(x, low)
    series = 1.0 - sum(_terms(far * far))
    below = -0.5 * far * far - log(-far) - 0.5 * math.log(2 * math.pi) + log(series)
    return where(greater(x, high), above, where(greater(x, low), inside, below))


def ndtri(p: Any) -> Any:
    """The number that a standard normal number is at most with the probability `p`."""
    return ndtri_of_parts(p - 0.5, minimum(p, 1.0 - p))


def ndtri_of_parts(from_half: Any, tail: Any) -> Any:
    """`ndtri` of a probability p, given by `p - 1/2` and by the smaller one of p and 1 - p.

    By rational functions that are right to 1e-16: Wichura, "The percentage points of the normal
    distribution", Applied Statistics 37 (1988).
    """
    # What is computed where it is not wanted must be finite, or its gradient were NaN.
    center = minimum(maximum(from_half, -0.425), 0.425)
    inside = center * _ratio(_CENTER, 0.180625 - center * center)
    least = np.finfo(tail.dtype.as_numpy_dtype).tiny
    distance = sqrt(-log(minimum(maximum(tail, least), 0.075)))
    near = _ratio(_TAIL, minimum(distance, 5.0) - 1.6)
    far = _ratio(_FAR, maximum(distance, 5.0) - 5.0)
    outside = where(greater(distance, 5.0), far, near)
    outside = where(less_equal(tail, 0.0), outside + math.inf, outside)
    outside = where(less(tail, 0.0), raw.ZerosLike(outside) + math.nan, outside)
    outside = where(less(from_half, 0.0), -outside, outside)
    return where(less_equal(abs(from_half), 0.425), inside, outside)


def _ratio(polynomials: tuple[tuple[float, ...], ...], x: Any) -> Any:
    above, below = [
        functools.reduce(lambda total, c: total * x + c, terms[-2::-1], terms[-1] + x * 0.0)
        for terms in polynomials
    ]
    return above / below


def _terms(squared: Any) -> list[Any]:
    terms, term = [], np.float32(1) * squared / squared
    for k in range(1, 6):
        term = term * ((2 * k - 1) / squared)
        terms.append(term if k % 2 else -term)
    return terms
