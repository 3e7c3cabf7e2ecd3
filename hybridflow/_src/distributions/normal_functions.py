"""The standard normal distribution function and its logarithm."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hybridflow._src.ops.arrays.selecting import where
from hybridflow._src.ops.math.comparison import greater
from hybridflow._src.ops.math.elementwise import maximum, minimum
from hybridflow._src.ops.math.exponential import log, log1p
from hybridflow._src.ops.math.special import erfc

__all__ = ["log_ndtr", "ndtr"]

# Below, the asymptotic series is more exact than a logarithm of the function; above, 1 - p is.
_ENDS = {"float32": (-10.0, 5.0), "float64": (-20.0, 8.0)}


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


def _terms(squared: Any) -> list[Any]:
    terms, term = [], np.float32(1) * squared / squared
    for k in range(1, 6):
        term = term * ((2 * k - 1) / squared)
        terms.append(term if k % 2 else -term)
    return terms
