"""erf and erfc."""

from __future__ import annotations

from hybridflow._src.kernels.scalar import Scalar, copysign, fabs, fma, select
from hybridflow._src.kernels.vector_math.exponential import (
    exp_of_reduced,
    expm1_of_reduced,
    halves,
    reduce,
)
from hybridflow._src.kernels.vector_math.formats import (
    FLOAT32,
    FLOAT64,
    Format,
    fast_two_sum,
    horner,
    in_both,
    power_of_two,
    two_product,
    two_sum,
)

# erf(x) = x + x P(x**2) for |x| < 1
_P = {
    FLOAT32: (  # 2**-30.2
        0.12837916612625122,
        -0.37612631916999817,
        0.11283676326274872,
        -0.026858532801270485,
        0.00519914785400033,
        -0.0008123186999000609,
        8.293012797366828e-05,
    ),
    FLOAT64: (  # 2**-56.2
        0.12837916709551256,
        -0.3761263890318346,
        0.11283791670942667,
        -0.026866170642932972,
        0.005223977604948293,
        -0.0008548325882330119,
        0.00012055292363132124,
        -1.4924691718227522e-05,
        1.644690370836629e-06,
        -1.6204728318197914e-07,
        1.3704687093614603e-08,
        -7.768599165956127e-10,
    ),
}
# erf(x) = 1 - exp(-Q(x)) above
_Q = {
    FLOAT32: (  # 2**-28.9
        0.00016644461720716208,
        1.127797245979309,
        0.6369761228561401,
        0.10411357134580612,
        -0.02231510728597641,
        0.003065444529056549,
        -0.00019821233581751585,
    ),
    FLOAT64: (  # 2**-58.9
        1.1375613492461943e-07,
        1.1283779791344102,
        0.6366255007490959,
        0.10275575812271867,
        -0.019094949003303437,
        -0.00025607168095544873,
        0.0017419102894350967,
        -0.0006177247802687232,
        2.8773897464454614e-05,
        7.911653600051053e-05,
        -4.884630284265346e-05,
        1.783457343234561e-05,
        -4.689031112900112e-06,
        9.279504820279645e-07,
        -1.3831926698500172e-07,
        1.5140141110105906e-08,
        -1.151544521075965e-09,
        5.4432317817406795e-11,
        -1.2045638074446714e-12,
    ),
}
# Below the first, x + x P(x**2); above the second, erf is 1 after rounding.
_EDGES = {FLOAT32: (0.92, 3.95), FLOAT64: (0.97, 6.0)}
# erfc(x) = exp(-x**2) R(t) / (x + K), t = (x - K) / (x + K), for x >= 0.48
_R = {
    FLOAT32: (  # 2**-29.4
        1.0740069150924683,
        -0.8833944797515869,
        0.590228259563446,
        -0.3104667067527771,
        0.11953002959489822,
        -0.02683381177484989,
        -0.0012322100810706615,
        0.0030605054926127195,
        -0.00047350869863294065,
        -0.00030229572439566255,
    ),
    FLOAT64: (  # 2**-58.6 before rounding
        1.095995661000491,
        -0.976548729080882,
        0.7732087022652361,
        -0.5408538313132352,
        0.3308515878780777,
        -0.17401093723994243,
        0.07638151490765337,
        -0.026370053340002014,
        0.006112055677203879,
        -0.00028095887028507864,
        -0.00045505284801366526,
        0.0001768128552146895,
        -3.6343890830837823e-06,
        -1.886104804015585e-05,
        4.692025239656427e-06,
        1.4246098703828277e-06,
        -8.415571190449146e-07,
        -7.614196682478571e-08,
        1.1864238263282651e-07,
        1.332445988542591e-09,
        -1.1850363696249343e-08,
    ),
}
_R_LOW = {  # of the first two coefficients
    FLOAT32: (-7.026895065820327e-09, 1.4835431549897748e-08),
    FLOAT64: (6.000125899222225e-17, -1.928679295545898e-17),
}
_K = {FLOAT32: 3.0, FLOAT64: 4.0}
_ZERO = {FLOAT32: 10.1, FLOAT64: 27.3}  # from there on erfc is 0 after rounding


def _erf(form: Format, x: Scalar) -> Scalar:
    """The error function, the integral of 2 exp(-t**2) / sqrt(pi) from 0 to x.

    erf(x) = x + x P(x**2) for small |x|, and 1 - exp(-Q(|x|)) for larger ones.
    """
    a = fabs(x)
    edge, last = _EDGES[form]
    small = fma(a, horner(a * a, _P[form]), a)
    reduced = reduce(form, -horner(select(a > last, last, a), _Q[form]))
    scale = power_of_two(form, reduced.exponent)
    large = fma(-exp_of_reduced(form, reduced.r), scale, 1.0)
    return copysign(select(a < edge, small, large), x)


def _erfc(form: Format, x: Scalar) -> Scalar:
    """1 - erf(x).

    exp(-x**2) R(t) / (|x| + K) with t = (|x| - K) / (|x| + K), a form that goes back to M. Shepherd
    and J. Laframboise, Mathematics of Computation 36 (1981), and 1 - (x + x P(x**2)) for small |x|.
    The factors carry their rounding errors.
    """
    k = _K[form]
    a = fabs(x)
    a = select(a > _ZERO[form], _ZERO[form], a)
    sum_, sum_low = two_sum(a, k)
    inverse = 1.0 / sum_
    inverse_low = inverse * fma(-inverse, sum_low, fma(-inverse, sum_, 1.0))
    difference, difference_low = two_sum(a, -k)
    t, t_low = two_product(difference, inverse)
    t_low = fma(difference, inverse_low, fma(difference_low, inverse, t_low))
    c0, c1, *others = _R[form]
    c0_low, c1_low = _R_LOW[form]
    rest = horner(t, tuple(others))
    r, r_low = two_sum(c0, t * fma(t, rest, c1))
    r_low = r_low + fma(t, c1_low, c0_low)
    r_low = fma(t_low, fma(2.0 * t, rest, c1), r_low)  # roughly times the derivative
    square, square_low = two_product(a, a)
    reduced = reduce(form, -square, -square_low)
    p, p_low = expm1_of_reduced(form, reduced.r)
    e, e_low = fast_two_sum(1.0, p)
    e_low = e_low + p_low
    y, y_low = two_product(e, r)
    y_low = fma(e, r_low, fma(e_low, r, y_low))
    z, z_low = two_product(y, inverse)
    z_low = fma(y, inverse_low, fma(y_low, inverse, z_low))
    first_scale, second_scale = halves(form, reduced)
    z = (z + z_low) * first_scale * second_scale
    small = 1.0 - fma(x, horner(x * x, _P[form]), x)
    return select(fabs(x) < 0.5, small, select(x < 0.0, 2.0 - z, z))


erf_f32, erf_f64 = in_both(_erf)
erfc_f32, erfc_f64 = in_both(_erfc)
