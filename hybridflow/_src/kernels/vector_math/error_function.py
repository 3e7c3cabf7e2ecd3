"""erf and erfc."""

from __future__ import annotations

from hybridflow._src.kernels.scalar import Scalar, copysign, fabs, fma, select
from hybridflow._src.kernels.vector_math.exponential import clamp, exp_of_reduced, reduce
from hybridflow._src.kernels.vector_math.formats import (
    FLOAT32,
    FLOAT64,
    Format,
    horner,
    in_both,
    power_of_two,
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


erf_f32, erf_f64 = in_both(_erf)
