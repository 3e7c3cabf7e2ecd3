"""How samples of the Gamma distribution move with its concentration, on NumPy arrays.

A sample x at a fixed probability u = P(a, x), where P is the regularized lower incomplete gamma
function, moves by the implicit function theorem as `dx/da = -(dP/da) / (dP/dx)` (Figurnov, Mohamed,
Mnih: Implicit Reparameterization Gradients, NeurIPS 2018). With the density p this is

    dx/da = -integral from 0 to x of (p(t) / p(x)) (log(t) - digamma(a)) dt,

or the same from x to infinity without the minus. Each is taken where nothing in it cancels, by
Gauss' rule over the part of the integral that is no less than `exp(-45)` of its largest. Below that
and for a small concentration the series of P (NIST's Digital Library of Mathematical Functions,
8.7.1) is differentiated term by term. All is computed in float64; against 40 digits it is right to
1e-13 for concentrations from 1e-3 to 1e6.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hybridflow._src.ops.math.special_math import digamma

__all__ = ["gamma_sample_derivative"]

# From here on there are integrals on both sides of the mean.
_LARGE = 10.0
# What is smaller by this exponent is left out.
_REACH = 45.0
# So many rows of nodes are worked on at a time.
_CHUNK = 4096
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)


def _log_over_mean(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """`log(x) - digamma(a)`, exact where x is near a large a."""
    large = a > _LARGE
    some = np.where(large, a, _LARGE)
    squared = 1 / (some * some)
    # log(a) - digamma(a) by the asymptotic series, DLMF 5.11.2.
    coefficients = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)
    series = 0.5 / some + sum(c * squared ** (k + 1) for k, c in enumerate(coefficients))
    near = np.log1p((x - some) / some) + series
    few = np.where(large, 1.0, a)
    return np.where(large, near, np.log(x) - digamma(few))


def _by_series(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """For x up to `a + 1` and small a."""
    total, slopes = np.ones_like(x), np.zeros_like(x)
    term, harmonic = np.ones_like(x), np.zeros_like(x)
    for k in range(1, 100):
        term = term * (x / (a + k))
        harmonic = harmonic + 1 / (a + k)
        total = total + term
        slopes = slopes + term * harmonic
    return (x / a) * (slopes - (np.log(x) - digamma(a + 1)) * total)


def _by_integral(a: np.ndarray, x: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Over the densities above x, or those below, of `t = x (1 + s)`."""
    curve = np.maximum(a - 1, 0.0)
    # Above, log(1 + s) <= s (6 + s) / (6 + 4 s); below it is at most s - s^2 / 2.
    decay = x - curve
    half = decay - 2 * _REACH / 3
    above = (np.hypot(half, np.sqrt(2 * _REACH * (4 * decay / 3 + curve))) - half) / (
        4 * decay / 3 + curve
    )
    rise = curve - x
    below = 2 * _REACH / (rise + np.sqrt(rise * rise + 2 * _REACH * np.maximum(curve, 1.0)))
    width = np.where(upper, above, np.minimum(below, 1.0))
    at = 0.5 * (1 + _NODES) * width[:, np.newaxis]
    s = np.where(upper[:, np.newaxis], at, -at)
    log_ratio = np.log1p(s)
    exponent = (a[:, np.newaxis] - 1) * log_ratio - x[:, np.newaxis] * s
    distance = _log_over_mean(a, x)[:, np.newaxis] + log_ratio
    integral = (np.exp(exponent) * np.abs(distance) * _WEIGHTS).sum(axis=1)
    result: np.ndarray = 0.5 * width * x * integral
    return result


def gamma_sample_derivative(alpha: Any, sample: Any) -> np.ndarray:
    """The derivative of samples of Gamma(alpha, 1) by alpha, elementwise, with broadcasting.

    It is 0 for a sample of 0, which stands for what is too small for a number; NaN for one that is
    negative or no finite number, and for such an alpha or one of 0.
    """
    alpha, sample = np.asarray(alpha), np.asarray(sample)
    dtype = np.result_type(alpha, sample)
    a, x = np.broadcast_arrays(alpha.astype(np.float64), sample.astype(np.float64))
    known = (a > 0) & np.isfinite(a) & np.isfinite(x)
    result = np.where(known & (x == 0), 0.0, np.nan)
    inside = known & (x > 0)
    with np.errstate(all="ignore"):
        result[inside] = _positive(a[inside], x[inside])
        return result.astype(dtype)


def _positive(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    large = a >= _LARGE
    upper = np.where(large, _log_over_mean(a, x) > 0, x > a + 1)
    result = np.empty_like(x)
    series = ~large & ~upper
    result[series] = _by_series(a[series], x[series])
    rows = np.flatnonzero(~series)
    for first in range(0, rows.size, _CHUNK):
        part = rows[first : first + _CHUNK]
        result[part] = _by_integral(a[part], x[part], upper[part])
    return result
