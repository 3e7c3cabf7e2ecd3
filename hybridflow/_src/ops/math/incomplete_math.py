"""The incomplete gamma and beta functions, regularized, on NumPy arrays.

Formulas are those of NIST's Digital Library of Mathematical Functions (DLMF): the series 8.7.1 and
8.11.4, the continued fraction 8.9.2 and, where the parameter is large, Temme's uniform expansion
8.12.3 of the gamma function; the continued fraction 8.17.22 of the beta function, and where both
parameters are large an integral over its density by Gauss' rule. All is computed in float64. Powers
of large numbers are written by what Stirling's formula leaves of them: nothing large cancels.
Against 60 digits, gamma's functions are right to 3e-14 of their values, down to 1e-290; beta's to
2e-12 for parameters up to 50,000, a few standard deviations around the mean.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.ops.math.special_math import erfc, lgamma, lgamma_of_one_plus

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["beta_density", "betainc", "gamma_density", "igamma", "igammac"]

_EPS = np.finfo(np.float64).eps
_TINY = 1e-300
# Terms of log(1 + m) = 2 atanh(m / (2 + m)), for m >= -1/2.
_ATANH = tuple(1 / (2 * k + 3) for k in range(18))
# What gamma(a) is beside sqrt(2 pi / a) (a / e)^a: the logarithm's series in 1/a (DLMF 5.11.1).
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
# From here on Stirling's series is exact.
_LARGE = 10.0
# From here on the uniform expansion is, with the terms below.
_UNIFORM = 1e4
# From here on, of both parameters, the integral is quicker than the continued fraction.
_INTEGRAL = 3e3

# The coefficients of c_0, c_1, c_2, c_3 of DLMF 8.12.8 in powers of eta, which follow from the
# recurrence 8.12.12 in rational numbers.
_UNIFORM_TERMS = (
    (
        *(-1 / 3, 1 / 12, -1 / 67.5, 1 / 864, 0.0003527336860670194, -0.0001787551440329218),
        *(3.919263178522438e-05, -2.185448510679992e-06, -1.85406221071516e-06),
        *(8.296711340953087e-07, -1.7665952736826078e-07, 6.707853543401498e-09),
        *(1.0261809784240309e-08, -4.382036018453353e-09, 9.14769958223679e-10),
        *(-2.5514193994946248e-11, -5.830772132550426e-11, 2.4361948020667415e-11),
    ),
    (
        *(-1 / 540, -1 / 288, 1 / 378, -0.0009902263374485596, 0.00020576131687242798),
        *(-4.018775720164609e-07, -1.8098550334489977e-05, 7.64916091608111e-06),
        *(-1.6120900894563446e-06, 4.647127802807434e-09, 1.378633446915721e-07),
        *(-5.752545603517705e-08, 1.1951628599778148e-08, -1.7543241719747647e-11),
    ),
    (
        *(0.004133597883597883, -0.0026813271604938273, 0.0007716049382716049),
        *(2.0093878600823047e-06, -0.0001073665322636516, 5.2923448829120125e-05),
        *(-1.2760635188618728e-05, 3.423578734096138e-08, 1.3721957309062934e-06),
    ),
    (0.0006494341563786008, 0.00022947209362139917, -0.0004691894943952557),
)


def _polynomial(coefficients: tuple[float, ...], x: np.ndarray) -> np.ndarray:
    result = np.full(x.shape, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        result = result * x + coefficient
    return result


def _excess(m: np.ndarray) -> np.ndarray:
    """`m - log(1 + m)`, exact for small m too."""
    s = m / (2 + m)
    near = s * (m - 2 * s * s * _polynomial(_ATANH, s * s))
    return np.where(np.abs(m) <= 0.5, near, m - np.log1p(np.maximum(m, -1)))


def _left_by_stirling(a: np.ndarray) -> np.ndarray:
    """`log(gamma(a)) - ((a - 1/2) log(a) - a + log(2 pi) / 2)`, for large a."""
    return _polynomial(_STIRLING, 1 / (a * a)) / a


def _until_still(step: Callable[..., tuple[np.ndarray, ...]], *state: np.ndarray) -> np.ndarray:
    """Takes steps of all elements until each one's first number stays as it is.

    A step is called with its number and the state, a tuple of vectors; it gives the next state.
    """
    result = np.array(state[0])
    rows = np.arange(result.size)
    k = 0
    while rows.size:
        k += 1
        state = (*step(k, *state),)
        moved = ~(np.abs(state[0] - result[rows]) <= 0.5 * _EPS * np.abs(state[0]))
        result[rows] = state[0]
        # What is no number any more stays none.
        moved &= np.isfinite(state[0])
        if not moved.all():
            rows = rows[moved]
            state = tuple(part[moved] for part in state)
    return result


# -- gamma -----------------------------------------------------------------------------------------


def _gamma_power(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """`x^a exp(-x) / gamma(a + 1)`, for positive finite numbers."""
    large = a > _LARGE
    some = np.where(large, a, _LARGE)
    exponent = -some * _excess((x - some) / some) - _left_by_stirling(some)
    with_stirling = np.exp(exponent) / np.sqrt(2 * math.pi * some)
    few = np.where(large, 1.0, a)
    direct = np.exp(few * np.log(x) - x - lgamma(few + 1))
    return np.where(large, with_stirling, direct)


def _gamma_series(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The lower function P, by its power series."""

    def step(k: int, total: Any, term: Any, a: Any, x: Any) -> tuple[Any, ...]:
        term = term * (x / (a + k))
        return total + term, term, a, x

    return _gamma_power(a, x) * _until_still(step, np.ones_like(x), np.ones_like(x), a, x)


def _gamma_fraction(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The upper function Q, by its continued fraction (evaluated by Lentz' method)."""

    def step(k: int, h: Any, c: Any, d: Any, b: Any, a: Any) -> tuple[Any, ...]:
        factor = k * (a - k)
        b = b + 2
        d = 1 / _not_zero(factor * d + b)
        c = _not_zero(b + factor / c)
        return h * (c * d), c, d, b, a

    b = x + 1 - a
    d = 1 / _not_zero(b)
    return _gamma_power(a, x) * a * _until_still(step, d, np.full_like(x, 1 / _TINY), d, b, a)


def _not_zero(x: np.ndarray) -> np.ndarray:
    return np.where(np.abs(x) < _TINY, _TINY, x)


def _gamma_of_small(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The upper function Q where it is small beside P for the sake of a: no difference of both."""

    def step(k: int, total: Any, term: Any, a: Any, x: Any) -> tuple[Any, ...]:
        term = term * (-x / k)
        return total + term / (a + k), term, a, x

    total = _until_still(step, np.zeros_like(x), np.ones_like(x), a, x)
    log_power = a * np.log(x) - lgamma_of_one_plus(a)
    return -np.expm1(log_power) - np.exp(log_power) * a * total


def _gamma_uniform(a: np.ndarray, x: np.ndarray, upper: bool) -> np.ndarray:
    m = (x - a) / a
    half = np.maximum(_excess(m), 0.0)
    eta = np.copysign(np.sqrt(2 * half), m)
    terms = [_polynomial(c, eta) for c in _UNIFORM_TERMS]
    near = _polynomial(tuple(terms), 1 / a)  # type: ignore[arg-type]
    rest = np.exp(-a * half) / np.sqrt(2 * math.pi * a) * near
    side = 1.0 if upper else -1.0
    result = 0.5 * erfc(side * eta * np.sqrt(a / 2)) + side * rest
    # Where eta is too large for the terms, the tail is zero.
    return np.where(np.abs(eta) > 0.4, np.where(side * eta > 0, 0.0, 1.0), result)


def _gamma_parts(a: np.ndarray, x: np.ndarray, upper: bool) -> np.ndarray:
    """One of the two functions for positive finite numbers, each from the part that is quick."""
    result = np.empty(x.shape)
    uniform = a >= _UNIFORM
    small = ~uniform & (x < 1.1) & (a < 1)
    series = ~uniform & ~small & (x < a + 1)
    fraction = ~(uniform | small | series)
    for where, function, gives_upper in (
        (small & upper, _gamma_of_small, True),
        ((small & (not upper)) | series, _gamma_series, False),
        (fraction, _gamma_fraction, True),
    ):
        if where.any():
            value = function(a[where], x[where])
            result[where] = value if gives_upper == upper else 1 - value
    if uniform.any():
        result[uniform] = _gamma_uniform(a[uniform], x[uniform], upper)
    return np.clip(result, 0.0, 1.0)


def _gamma(a: np.ndarray, x: np.ndarray, upper: bool) -> np.ndarray:
    a, x = np.broadcast_arrays(a, x)
    low, high = (1.0, 0.0) if upper else (0.0, 1.0)
    result = np.where((x == 0) | np.isinf(a), low, high)
    result = np.where((a > 0) & (x >= 0) & ~(np.isinf(a) & np.isinf(x)), result, np.nan)
    inside = (a > 0) & (x > 0) & np.isfinite(a) & np.isfinite(x)
    if inside.any():
        result[inside] = _gamma_parts(a[inside], x[inside], upper)
    return result


def _gamma_density(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """`x^(a - 1) exp(-x) / gamma(a)`: the derivative of P by x."""
    a, x = np.broadcast_arrays(a, x)
    inside = (a > 0) & (x > 0) & np.isfinite(a) & np.isfinite(x)
    at_zero = np.where(a < 1, np.inf, np.where(a == 1, 1.0, 0.0))
    result = np.where(x == 0, at_zero, 0.0)
    result = np.where((a > 0) & (x >= 0), result, np.nan)
    if inside.any():
        some_a, some_x = a[inside], x[inside]
        result[inside] = _gamma_power(some_a, some_x) * (some_a / some_x)
    return result


# -- beta ------------------------------------------------------------------------------------------


def _beta_power(a: np.ndarray, b: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """`x^a y^b / beta(a, b)`, where y is 1 - x, for 0 < x < 1 and positive finite numbers."""
    large = (a > _LARGE) & (b > _LARGE)
    c, d = np.where(large, a, _LARGE), np.where(large, b, _LARGE)
    shift = x * d - y * c
    left = _left_by_stirling(c + d) - _left_by_stirling(c) - _left_by_stirling(d)
    exponent = left - c * _excess(shift / c) - d * _excess(-shift / d)
    with_stirling = np.exp(exponent) * np.sqrt(c / (c + d) * d / (2 * math.pi))
    # With one large parameter: gamma(a + b) / gamma(b) by Stirling, whose large parts are combined.
    few, many = np.minimum(a, b), np.maximum(a, b)
    log_ratio = np.where(
        many > _LARGE,
        _log_gamma_ratio(few, np.maximum(many, _LARGE)),
        lgamma(few + many) - lgamma(many),
    )
    # Next to 1, the other number has what this one lost.
    log_x = np.where(x > 0.5, np.log1p(-y), np.log(x))
    log_y = np.where(y > 0.5, np.log1p(-x), np.log(y))
    direct = np.exp(a * log_x + b * log_y + log_ratio - lgamma(few))
    return np.where(large, with_stirling, direct)


def _log_gamma_ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """`log(gamma(a + b) / gamma(b))` for large b."""
    both = a + b
    main = a * np.log(both) + (b - 0.5) * np.log1p(a / b) - a
    return main + _left_by_stirling(both) - _left_by_stirling(b)


def _beta_fraction(a: np.ndarray, b: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The function by its continued fraction, which is quick up to the mean (by Lentz' method)."""

    def step(k: int, h: Any, c: Any, d: Any, a: Any, b: Any, x: Any) -> tuple[Any, ...]:
        for factor in (
            k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k)),
            -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1)),
        ):
            d = 1 / _not_zero(1 + factor * d)
            c = _not_zero(1 + factor / c)
            h = h * (c * d)
        return h, c, d, a, b, x

    d = 1 / _not_zero(1 - (a + b) * x / (a + 1))
    return _beta_power(a, b, x, y) / a * _until_still(step, d, np.ones_like(x), d, a, b, x)


def _beta_integral(a: np.ndarray, b: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The function below the mean, as the integral of its density over 15 standard deviations."""
    nodes, weights = np.polynomial.legendre.leggauss(96)
    deviation = np.sqrt(a / (a + b) * b / (a + b) / (a + b + 1))
    width = np.minimum(15 * deviation, 0.98 * x)
    at = x[:, np.newaxis] - width[:, np.newaxis] * (0.5 - 0.5 * nodes)
    rest = y[:, np.newaxis] + width[:, np.newaxis] * (0.5 - 0.5 * nodes)
    density = _beta_power(a[:, np.newaxis], b[:, np.newaxis], at, rest) / (at * rest)
    return 0.5 * width * (density * weights).sum(axis=1)


def _betainc(a: np.ndarray, b: np.ndarray, x: np.ndarray) -> np.ndarray:
    a, b, x = np.broadcast_arrays(a, b, x)
    valid = (a > 0) & (b > 0) & (x >= 0) & (x <= 1)
    # Of infinite parameters, all lies at one end.
    result = np.where(np.isinf(b), (x > 0) * 1.0, np.where(x == 1, 1.0, 0.0))
    result = np.where(valid & ~(np.isinf(a) & np.isinf(b)), result, np.nan)
    inside = valid & (x > 0) & (x < 1) & np.isfinite(a) & np.isfinite(b)
    if not inside.any():
        return result
    a, b, x = a[inside], b[inside], x[inside]
    y = 1 - x
    turned = x > (a + 1) / (a + b + 2)
    a, b = np.where(turned, b, a), np.where(turned, a, b)
    x, y = np.where(turned, y, x), np.where(turned, x, y)
    large = (a > _INTEGRAL) & (b > _INTEGRAL)
    value = np.empty(x.shape)
    for where, function in ((large, _beta_integral), (~large, _beta_fraction)):
        if where.any():
            value[where] = function(a[where], b[where], x[where], y[where])
    result[inside] = np.clip(np.where(turned, 1 - value, value), 0.0, 1.0)
    return result


def _beta_density(a: np.ndarray, b: np.ndarray, x: np.ndarray) -> np.ndarray:
    """`x^(a - 1) (1 - x)^(b - 1) / beta(a, b)`: the derivative of betainc by x."""
    a, b, x = np.broadcast_arrays(a, b, x)
    valid = (a > 0) & (b > 0) & (x >= 0) & (x <= 1)
    near = np.where(x == 0, a, b)
    far = np.where(x == 0, b, a)
    result = np.where(near < 1, np.inf, np.where(near == 1, far, 0.0))
    result = np.where(valid, result, np.nan)
    inside = valid & (x > 0) & (x < 1) & np.isfinite(a) & np.isfinite(b)
    if inside.any():
        a, b, x = a[inside], b[inside], x[inside]
        result[inside] = _beta_power(a, b, x, 1 - x) / (x * (1 - x))
    return result


def _in_double(function: Callable[..., np.ndarray]) -> Callable[..., Any]:
    def wrapped(*arrays: np.ndarray) -> Any:
        wide = (np.asarray(array, np.float64) for array in arrays)
        with np.errstate(all="ignore"):
            return function(*wide).astype(arrays[0].dtype)

    return wrapped


igamma = _in_double(lambda a, x: _gamma(a, x, False))
igammac = _in_double(lambda a, x: _gamma(a, x, True))
betainc = _in_double(_betainc)
gamma_density, beta_density = _in_double(_gamma_density), _in_double(_beta_density)
