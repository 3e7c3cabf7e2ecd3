"""Special functions on NumPy arrays: the error function, the gamma function and its relatives.

Where a series does not do, rational functions that were fitted with 60 digits to the function, at
Chebyshev nodes for the least relative error (below 1e-16). All is computed in float64, and
rounded at the end: results are right to a few ulp, but for relative accuracy next to the zeros of
`lgamma` and `digamma` on the negative axis.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["digamma", "erf", "erfc", "lgamma", "lgamma_of_one_plus", "polygamma", "zeta"]


def _polynomial(coefficients: Sequence[float], x: np.ndarray) -> np.ndarray:
    """`c[0] + c[1] x + c[2] x**2 + ...`."""
    result = np.full(x.shape, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        result *= x
        result += coefficient
    return result


def _ratio(above: Sequence[float], below: Sequence[float], x: np.ndarray) -> np.ndarray:
    return _polynomial(above, x) / _polynomial(below, x)


def _by_range(x: np.ndarray, *pieces: tuple[np.ndarray, Callable[[np.ndarray], Any]]) -> np.ndarray:
    """For each element the function whose condition holds; NaN where none does."""
    result = np.full(x.shape, np.nan)
    for condition, function in pieces:
        if condition.any():
            result[condition] = function(x[condition])
    return result


def _in_double(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function for arrays of any float dtype, computed in float64."""

    def wrapped(*arrays: np.ndarray) -> Any:
        wide = (np.asarray(array, np.float64) for array in arrays)
        return function(*wide).astype(arrays[0].dtype)

    return wrapped


# -- the error function ----------------------------------------------------------------------------

# erf(x) / x in x**2, for |x| < 1.
_ERF_P = (
    1.1283791670955126,
    0.14350833432948779,
    0.045483833928352486,
    0.0018774728616213973,
    0.00019688709437230657,
    7.781342397791442e-08,
)
_ERF_Q = (
    1.0,
    0.460514283243002,
    0.09381375938112076,
    0.010693215614164269,
    0.0006925120717280818,
    2.0810886117383116e-05,
)

# exp(x**2) erfc(x) in x, for 0.5 <= x < 3.
_ERFCX_MID_P = (
    1.0000000002389497,
    1.5242192124350167,
    1.1553629272763832,
    0.5260033111389643,
    0.14986752652764174,
    0.025307161727684848,
    0.002003114839729589,
)
_ERFCX_MID_Q = (
    1.0,
    2.6525983832571467,
    3.1484996544023454,
    2.178359247805886,
    0.9548071690041878,
    0.2674029330385855,
    0.04485609298627111,
    0.0035504198822767005,
)

# x exp(x**2) erfc(x) in x**-2, for x >= 3.
_ERFCX_FAR_P = (
    0.5641895835477563,
    15.353224744740922,
    143.72219380253716,
    565.1621543920309,
    908.0532785550299,
    476.8688600726272,
    35.65558112861471,
)
_ERFCX_FAR_Q = (
    1.0,
    27.712882322633885,
    267.8473970272284,
    1116.7378737054144,
    2012.3650745078548,
    1363.7364467870045,
    227.90530073476276,
)


def _erfc_tail(x: np.ndarray) -> np.ndarray:
    """erfc(x) for 0.5 <= x < 28."""
    scaled = _by_range(
        x,
        (x < 3, lambda x: _ratio(_ERFCX_MID_P, _ERFCX_MID_Q, x)),
        (x >= 3, lambda x: _ratio(_ERFCX_FAR_P, _ERFCX_FAR_Q, 1 / (x * x)) / x),
    )
    # The rounding of x**2 would be felt in its exponential: take a part whose square is exact.
    high = x.astype(np.float32).astype(np.float64)
    return np.exp(-high * high) * np.exp((high - x) * (high + x)) * scaled


def _erf(x: np.ndarray) -> np.ndarray:
    size = np.abs(x)
    return _by_range(
        x,
        (size < 1, lambda x: x * _ratio(_ERF_P, _ERF_Q, x * x)),
        ((size >= 1) & (size < 6), lambda x: np.copysign(1 - _erfc_tail(np.abs(x)), x)),
        (size >= 6, np.sign),
    )


def _erfc(x: np.ndarray) -> np.ndarray:
    return _by_range(
        x,
        (x < 0.5, lambda x: 1 - _erf(x)),
        ((x >= 0.5) & (x < 28), _erfc_tail),
        (x >= 28, np.zeros_like),
    )


# -- the logarithm of the gamma function -----------------------------------------------------------

# lgamma(1 + t) / t, for 0 <= t < 0.5.
_LG1_P = (
    -0.5772156649015329,
    -0.6578480056984727,
    0.33963597148729985,
    0.6438757326635752,
    0.22933551829368012,
    0.02205369762835644,
    0.0001627507562042103,
)
_LG1_Q = (
    1.0,
    2.5645787686221437,
    2.371661008491352,
    0.9523792098680821,
    0.1562929428900601,
    0.007473766932699574,
)

# lgamma(2 + t) / t, for 0 <= t < 0.5.
_LG2_P = (
    0.42278433509846713,
    0.7655232581390143,
    0.42445067091660227,
    0.08721442714468851,
    0.005530837848167234,
    2.8067477768876152e-05,
)
_LG2_Q = (
    1.0,
    1.047948535301606,
    0.36395415779546064,
    0.04695572835149158,
    0.0017035550320283182,
)

# -lgamma(2 - t) / t, for 0 < t <= 0.5.
_LG_BELOW_2 = (
    0.42278433509846713,
    -0.32246703342411276,
    -0.06735230105326508,
    -0.020580808423974944,
    -0.0073855511421839605,
    -0.0028905082949756255,
    -0.0011927777067405874,
    -0.0005094793265121379,
    -0.0002242243285931803,
    -9.516778755687274e-05,
    -5.720123229924614e-05,
    4.184884566706521e-06,
    -4.3089209890717444e-05,
    2.4313556920569488e-05,
    -1.458482323675277e-05,
)

# lgamma(2.5 + t), for 0 <= t < 5.5.
_LG3_P = (
    0.2846828704729191,
    1.0306346761431988,
    1.197682003445,
    0.627638473802307,
    0.16541737631446746,
    0.022124878231063988,
    0.0013992371753386063,
    3.4753829421597224e-05,
    2.0923134184866208e-07,
)
_LG3_Q = (
    1.0,
    1.1503257465190742,
    0.5045752755908538,
    0.1059943790462909,
    0.01099954308747568,
    0.000524981714504001,
    9.400315932198795e-06,
    3.615145550495205e-08,
)

# Stirling's series for x >= 8, in x**-2: B(2k) / (2k (2k - 1)).
_STIRLING = (
    1 / 12,
    -1 / 360,
    1 / 1260,
    -1 / 1680,
    1 / 1188,
    -691 / 360360,
    1 / 156,
    -3617 / 122400,
)
_HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)


def lgamma_of_one_plus(t: np.ndarray) -> np.ndarray:
    """lgamma(1 + t) for 0 <= t < 1, exact for small t too."""
    return _by_range(
        t,
        (t < 0.5, lambda t: t * _ratio(_LG1_P, _LG1_Q, t)),
        (t >= 0.5, lambda t: (t - 1) * _polynomial(_LG_BELOW_2, 1 - t)),
    )


def _lgamma_of_large(x: np.ndarray) -> np.ndarray:
    main = (x - 0.5) * (np.log(x) - 1) + (_HALF_LOG_2_PI - 0.5)
    return main + _polynomial(_STIRLING, 1 / (x * x)) / x


def _lgamma_of_positive(x: np.ndarray) -> np.ndarray:
    return _by_range(
        x,
        (x < 0.5, lambda x: x * _ratio(_LG1_P, _LG1_Q, x) - np.log(x)),
        ((x >= 0.5) & (x < 1), lambda x: (x - 1) * _polynomial(_LG_BELOW_2, 1 - x) - np.log(x)),
        ((x >= 1) & (x < 1.5), lambda x: (x - 1) * _ratio(_LG1_P, _LG1_Q, x - 1)),
        ((x >= 1.5) & (x < 2), lambda x: (x - 2) * _polynomial(_LG_BELOW_2, 2 - x)),
        ((x >= 2) & (x < 2.5), lambda x: (x - 2) * _ratio(_LG2_P, _LG2_Q, x - 2)),
        ((x >= 2.5) & (x < 8), lambda x: _ratio(_LG3_P, _LG3_Q, x - 2.5)),
        (x >= 8, _lgamma_of_large),
    )


def _lgamma_of_negative(x: np.ndarray) -> np.ndarray:
    # gamma(x) gamma(1 - x) = pi / sin(pi x); taking the whole part off x keeps the sine exact.
    sine = np.abs(np.sin(np.pi * (x - np.rint(x))))
    return math.log(math.pi) - np.log(sine) - _lgamma_of_positive(1 - x)


def _lgamma(x: np.ndarray) -> np.ndarray:
    result = _by_range(
        x,
        (x >= 0, _lgamma_of_positive),
        ((x < 0) & (x > -np.inf), _lgamma_of_negative),
        (np.isinf(x), np.abs),
    )
    return result + 0.0  # Not -0.0 for 1.


# -- its derivatives -------------------------------------------------------------------------------

# The zero of digamma, less 1, as the sum of two floats.
_ZERO_HIGH, _ZERO_LOW = 0.46163214496836236, -1.5522348162858677e-17
# digamma(1 + t) / (t - zero), for 0 <= t < 1.
_DG1_P = (
    1.2503801375034054,
    1.7419884378788144,
    0.8039288199632285,
    0.14490221084335894,
    0.008687495196663515,
    4.9960012053170707e-05,
    -5.435275534015307e-07,
)
_DG1_Q = (
    1.0,
    2.0767138893179427,
    1.4606870870403545,
    0.43604432691302264,
    0.054210803354905655,
    0.002139640516397941,
)

# digamma(2 + t), for 0 <= t < 6.
_DG2_P = (
    0.42278433509846713,
    1.2257766786864173,
    0.9873090376549714,
    0.34409237425269623,
    0.058005114802635094,
    0.004677559934984055,
    0.00016027561979592114,
    1.6817702104664099e-06,
    9.47977948585904e-10,
)
_DG2_Q = (
    1.0,
    1.3738508350904561,
    0.7174408068505146,
    0.1813292547388846,
    0.02330143214643687,
    0.0014584699638302662,
    3.840934078730535e-05,
    2.8961497252789967e-07,
)

# The asymptotic series for x >= 8, in x**-2: B(2k) / 2k.
_DIGAMMA = (
    *(1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12),
    *(-3617 / 8160, 43867 / 14364),
)


def _digamma_of_large(x: np.ndarray) -> np.ndarray:
    inverse = 1 / (x * x)
    return np.log(x) - 0.5 / x - _polynomial(_DIGAMMA, inverse) * inverse


def _digamma_from_one(t: np.ndarray) -> np.ndarray:
    """digamma(1 + t) for 0 <= t < 1."""
    return ((t - _ZERO_HIGH) - _ZERO_LOW) * _ratio(_DG1_P, _DG1_Q, t)


def _digamma_of_positive(x: np.ndarray) -> np.ndarray:
    return _by_range(
        x,
        (x < 1, lambda x: _digamma_from_one(x) - 1 / x),
        ((x >= 1) & (x < 2), lambda x: _digamma_from_one(x - 1)),
        ((x >= 2) & (x < 8), lambda x: _ratio(_DG2_P, _DG2_Q, x - 2)),
        (x >= 8, _digamma_of_large),
    )


def _digamma_of_negative(x: np.ndarray) -> np.ndarray:
    part = x - np.rint(x)
    reflected = _digamma_of_positive(1 - x) - np.pi / np.tan(np.pi * part)
    return np.where(part == 0, np.inf, reflected)


def _digamma(x: np.ndarray) -> np.ndarray:
    return _by_range(
        x,
        (x > 0, _digamma_of_positive),
        ((x <= 0) & (x > -np.inf), _digamma_of_negative),
        (x == -np.inf, np.abs),
    )


# Euler and Maclaurin's formula: so many terms are added up, the rest is a series with the
# coefficients B(2k) / (2k)!.
_TERMS = 10
_REST = (
    *(1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000),
    *(1 / 74724249600, -3617 / 10670622842880000, 43867 / 5109094217170944000),
    *(-174611 / 802857662698291200000, 77683 / 14101100039391805440000),
)


def _zeta_of_positive(s: np.ndarray, q: np.ndarray) -> np.ndarray:
    """The sum of (q + i) ** -s over i = 0, 1, 2, ..., for s > 1 and q > 0."""
    last = q + _TERMS
    power = last**-s
    rest = last ** (1 - s) / (s - 1) + power / 2
    factor = power * s / last
    for k, coefficient in enumerate(_REST):
        rest += factor * coefficient
        factor = factor * ((s + (2 * k + 1)) / last) * ((s + (2 * k + 2)) / last)
    for i in range(_TERMS - 1, -1, -1):
        rest += (q + i) ** -s
    return rest


def _zeta(s: np.ndarray, q: np.ndarray) -> np.ndarray:
    s, q = np.broadcast_arrays(s, q)
    # Terms with a negative base: a base f + i, with 0 < f < 1, for i = 0 to count - 1.
    count = np.where(q < 0, np.ceil(-q), 0.0)
    first = 1 - (q + count) if count.any() else q
    odd = np.where(np.fmod(s, 2) == 0, 1.0, -1.0)
    positive = _zeta_of_positive(s, q + count)
    below = odd * (_zeta_of_positive(s, first) - _zeta_of_positive(s, first + count))
    result = np.where(q < 0, positive + below, positive)
    result = np.where((q < 0) & (s != np.rint(s)), np.nan, result)
    result = np.where((q <= 0) & (q == np.rint(q)), np.inf, result)
    return np.where(s > 1, result, np.where(s == 1, np.inf, np.nan))


_FACTORIALS = np.array([math.factorial(n) for n in range(171)] + [np.inf], np.float64)


def _polygamma(n: np.ndarray, x: np.ndarray) -> np.ndarray:
    n, x = np.broadcast_arrays(n, x)
    whole = (n == np.rint(n)) & (n >= 0)
    factorial = _FACTORIALS[np.where(whole, np.minimum(n, 171), 0).astype(np.int64)]
    sign = np.where(np.fmod(n, 2) == 0, -1.0, 1.0)
    result = np.where(n == 0, _digamma(x), sign * factorial * _zeta(n + 1, x))
    return np.where(whole, result, np.nan)


erf, erfc, lgamma, digamma = (_in_double(f) for f in (_erf, _erfc, _lgamma, _digamma))
zeta, polygamma = _in_double(_zeta), _in_double(_polygamma)
