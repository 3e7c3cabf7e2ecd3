"""The elementary functions of kernels: within 2 units in the last place, and vectorised."""

from __future__ import annotations

import functools
import math
import re

import mpmath
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import special

from hybridflow._src.kernels.vector_math import FUNCTIONS
from tests.kernels.compiling import Kernel, same_bits

LIMIT = 2.0  # units in the last place
INF, NAN = math.inf, math.nan
HALF_PI = math.pi / 2
UNARY = sorted({name for name, _ in FUNCTIONS} - {"pow"})
DTYPES = ["float32", "float64"]

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # overflow and the like


@functools.cache
def kernel(name, dtype):
    return Kernel(FUNCTIONS[name, dtype], dtype, 2 if name == "pow" else 1)


def units(found, exact, rest=0.0):
    """Errors in units in the last place of the format of `found`, against `exact + rest`."""
    info = np.finfo(found.dtype)
    digits = info.nmant + 1
    least = int(math.log2(info.smallest_subnormal))
    unit = np.ldexp(1.0, np.maximum(np.frexp(exact)[1] - digits, least))
    error = np.abs((found.astype(np.float64) - exact) - rest) / unit
    # Beyond the largest number infinity is right, and so is the largest number just there.
    limit = np.abs(exact) > float(info.max)
    right = np.isinf(found) & limit & (np.sign(found) == np.sign(exact))
    right |= (found == exact) & (rest == 0.0) | np.isnan(found) & np.isnan(exact)
    return np.where(right, 0.0, np.where(np.isnan(error), INF, error))


def worst(found, x, exact, rest=0.0):
    """The largest error, and where it is."""
    errors = units(found, exact, rest)
    at = int(np.argmax(errors))
    return errors[at], [v[at] for v in (x if isinstance(x, tuple) else (x,))]


def sigmoid(x):
    return np.where(x < 0, np.exp(x), 1.0) / (1.0 + np.exp(-np.abs(x)))


# -- float32: bit patterns of all numbers, against float64 -----------------------------------------

IN_FLOAT64 = {
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "softplus": lambda x: np.logaddexp(0.0, x),
    "erf": special.erf,
    "erfc": special.erfc,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
}


def every(stride):
    return np.arange(0, 2**32, stride, dtype=np.uint64).astype(np.uint32).view(np.float32)


@pytest.mark.parametrize("name", UNARY)
def test_float32_over_the_whole_range(name):
    x = every(4093)
    error, at = worst(kernel(name, "float32")(x), x, IN_FLOAT64[name](x.astype(np.float64)))
    assert error <= LIMIT, at


def test_float32_powers():
    generator = np.random.default_rng(0)
    size = 200_000
    x = np.concatenate(
        [
            generator.integers(0, 0x7F800000, size).astype(np.int32).view(np.float32),
            1 + generator.uniform(-1, 1, size) * 2.0 ** generator.integers(-24, 0, size),
        ]
    ).astype(np.float32)
    y = np.concatenate(
        [
            generator.uniform(-3, 3, size),
            generator.normal(size=size) * 2.0 ** (np.arange(size) % 27),
        ]
    ).astype(np.float32)
    exact = x.astype(np.float64) ** y.astype(np.float64)
    error, at = worst(kernel("pow", "float32")(x, y), (x, y), exact)
    assert error <= LIMIT, at


# -- float64: against mpmath -----------------------------------------------------------------------

IN_MPMATH = {
    "exp": mpmath.exp,
    "expm1": mpmath.expm1,
    "log": mpmath.log,
    "log1p": mpmath.log1p,
    "tanh": mpmath.tanh,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "erf": lambda x: mpmath.erf(x),
    "erfc": lambda x: mpmath.erfc(max(-40, min(40, x))),  # mpmath fails for huge ones
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "pow": lambda x, y: mpmath.power(x, y),
}
# The first is nearest to a multiple of pi / 2 among all numbers (J.-M. Muller, "Elementary
# Functions", chapter on range reduction).
NEAR_QUARTERS = {
    "float32": [16367173.0 * 2.0**72, 3.4028235e38],
    "float64": [6381956970095103.0 * 2.0**797, 1.7976931348623157e308, 1e22],
}


def exactly(name, *arguments):
    """The function of float64 as sums of two, exact to some 2**-100."""
    pairs = []
    with mpmath.workprec(1300 if name in ("sin", "cos", "tan") else 160):
        for numbers in zip(*(a.tolist() for a in arguments), strict=True):
            y = IN_MPMATH[name](*(mpmath.mpf(number) for number in numbers))
            if isinstance(y, mpmath.mpc):
                y = mpmath.nan  # outside the domain
            high = float(y)
            pairs.append((high, float(y - high) if math.isfinite(high) else 0.0))
    return np.array(pairs).T


def float64_arguments(name, size=250):
    generator = np.random.default_rng(1)
    patterns = generator.integers(-(2**63), 2**63, 2 * size).view(np.float64)
    x = np.concatenate(
        [
            patterns[np.isfinite(patterns)],
            generator.uniform(-1, 1, size),
            generator.uniform(-10, 10, 2 * size),
            generator.uniform(-750, 750, size),
            generator.uniform(-1, 1, size) * 2.0 ** generator.integers(-60, 10, size),
            1 + generator.uniform(-1, 1, size) * 2.0 ** generator.integers(-52, 0, size),
            [5e-324, 2.5e-308, 1.7e308],
            NEAR_QUARTERS["float64"] if name in ("sin", "cos", "tan") else [],
        ]
    )
    if name == "log":
        x = np.abs(x)
    if name == "log1p":
        x = np.concatenate([x[x > -1], generator.uniform(-1, 0, size)])
    return x


@pytest.mark.parametrize("name", UNARY)
def test_float64_over_the_whole_range(name):
    x = float64_arguments(name)
    error, at = worst(kernel(name, "float64")(x), x, *exactly(name, x))
    assert error <= LIMIT, at


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_float32_near_quarter_turns(name):
    x = np.concatenate([NEAR_QUARTERS["float32"], np.arange(1, 100) * HALF_PI]).astype(np.float32)
    error, at = worst(kernel(name, "float32")(x), x, *exactly(name, x.astype(np.float64)))
    assert error <= LIMIT, at


def test_float64_powers():
    generator = np.random.default_rng(2)
    size = 1000
    x = np.concatenate(
        [
            generator.integers(0, 0x7FF0000000000000, size).view(np.float64),
            generator.uniform(0.5, 2, size),
            1 + generator.uniform(-1, 1, size) * 2.0 ** generator.integers(-53, -2, size),
        ]
    )
    y = np.concatenate(
        [
            generator.uniform(-3, 3, size),
            generator.uniform(-1000, 1000, size),
            generator.uniform(-1, 1, size) * 2.0 ** generator.integers(0, 60, size),
        ]
    )
    exact, rest = exactly("pow", x, y)
    error, at = worst(kernel("pow", "float64")(x, y), (x, y), exact, rest)
    assert error <= LIMIT, at


# -- special values --------------------------------------------------------------------------------

SPECIAL = {
    "exp": [(0.0, 1.0), (-0.0, 1.0), (-INF, 0.0), (INF, INF), (1e4, INF), (-1e4, 0.0)],
    "expm1": [(0.0, 0.0), (-0.0, -0.0), (-INF, -1.0), (INF, INF), (1e4, INF), (-1e4, -1.0)],
    "log": [(1.0, 0.0), (0.0, -INF), (-0.0, -INF), (INF, INF), (-INF, NAN), (-1e-40, NAN)],
    "log1p": [(0.0, 0.0), (-0.0, -0.0), (-1.0, -INF), (INF, INF), (-INF, NAN), (-1.5, NAN)],
    "tanh": [(0.0, 0.0), (-0.0, -0.0), (-INF, -1.0), (INF, 1.0), (1e30, 1.0), (-1e30, -1.0)],
    "sigmoid": [(0.0, 0.5), (-0.0, 0.5), (-INF, 0.0), (INF, 1.0), (-1e4, 0.0), (1e4, 1.0)],
    "softplus": [(-INF, 0.0), (INF, INF), (1e30, 1e30), (-1e4, 0.0)],
    "erf": [(0.0, 0.0), (-0.0, -0.0), (-INF, -1.0), (INF, 1.0), (1e30, 1.0)],
    "erfc": [(0.0, 1.0), (-0.0, 1.0), (-INF, 2.0), (INF, 0.0), (1e30, 0.0), (-1e30, 2.0)],
    "sin": [(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN)],
    "cos": [(0.0, 1.0), (-0.0, 1.0), (INF, NAN), (-INF, NAN)],
    "tan": [(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN)],
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY)
def test_special_values(name, dtype):
    x, wanted = np.array([*SPECIAL[name], (NAN, NAN), (-NAN, NAN)]).T.astype(dtype)
    assert same_bits(kernel(name, dtype)(x), wanted)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["expm1", "log1p", "tanh", "sin", "tan"])
def test_subnormal_numbers_stay(name, dtype):
    least = np.finfo(dtype).smallest_subnormal
    x = (least * np.array([1, 2, 3, 1001])).astype(dtype)
    x = np.concatenate([x, -x])
    assert same_bits(kernel(name, dtype)(x), x)


# C99, annex F.9.4.4, with numbers of every kind for what it says of all.
POWERS = [
    *((x, s * 3.0, math.copysign(r, x)) for x in (0.0, -0.0) for s, r in ((-1, INF), (1, 0.0))),
    *(
        (x, s * y, r)
        for x in (0.0, -0.0)
        for y in (2.0, 2.5, INF)
        for s, r in ((-1, INF), (1, 0.0))
    ),
    *((-1.0, y, 1.0) for y in (INF, -INF)),
    *((1.0, y, 1.0) for y in (0.0, 2.5, -1e30, INF, -INF, NAN)),
    *((x, y, 1.0) for x in (0.0, -0.0, 0.3, -7.0, INF, -INF, NAN) for y in (0.0, -0.0)),
    *((x, y, NAN) for x in (-2.0, -1e-30) for y in (0.5, -2.5, 1e-30)),
    *((x, -INF, INF) for x in (0.5, -0.5, 1e-30)),
    *((x, INF, 0.0) for x in (0.5, -0.5, 1e-30)),
    *((x, -INF, 0.0) for x in (1.5, -1.5, 1e30, INF, -INF)),
    *((x, INF, INF) for x in (1.5, -1.5, 1e30, INF, -INF)),
    *((-INF, y, r) for y, r in ((-3.0, -0.0), (-2.0, 0.0), (-0.5, 0.0), (3.0, -INF), (2.5, INF))),
    *((INF, y, r) for y, r in ((-3.0, 0.0), (-0.5, 0.0), (0.5, INF), (3.0, INF))),
    *((x, NAN, NAN) for x in (0.0, 2.0, -1.0, INF, NAN)),
    *((NAN, y, NAN) for y in (1.0, -2.5, INF, NAN)),
    (-2.0, 3.0, -8.0),
    (-2.0, -2.0, 0.25),
    (3.0, 2.0, 9.0),
    (-1.0, 2.0**24 + 1, 1.0),
    (-3.0, 2.0**70, INF),
    (-3.0, 333333.0, -INF),
    (-3.0, -333333.0, -0.0),
]


@pytest.mark.parametrize("dtype", DTYPES)
def test_special_powers(dtype):
    x, y, wanted = np.array(POWERS).T.astype(dtype)
    if dtype == "float64":
        wanted[POWERS.index((-1.0, 2.0**24 + 1, 1.0))] = -1.0  # odd, in float64
    found = kernel("pow", dtype)(x, y)
    assert same_bits(found, wanted), np.array(POWERS)[~(found == wanted)]


@settings(max_examples=500, deadline=None)
@given(st.floats(), st.floats() | st.integers(-60, 60).map(float))
@example(-1.0, 2.0**53 - 1)
@example(-1.0, 2.0**53 + 2)
@example(1.0000000000000002, 1e17)
def test_powers_are_those_of_the_c_library(x, y):
    try:
        wanted = math.pow(x, y)
    except OverflowError:
        wanted = -INF if x < 0 and y % 2 == 1 else INF
    except ValueError:  # a pole, or no real number
        wanted = NAN if x else math.copysign(INF, x) if y % 2 == 1 else INF
    found = kernel("pow", "float64")(np.array([x]), np.array([y]))
    assert units(found, np.array([wanted]))[0] <= LIMIT
    assert math.isnan(wanted) or np.signbit(found[0]) == np.signbit(wanted)


@settings(max_examples=300, deadline=None)
@given(st.floats(width=32), st.floats(width=32) | st.integers(-60, 60).map(float))
def test_float32_powers_are_float64_ones_rounded(x, y):
    wanted = kernel("pow", "float64")(np.array([x]), np.array([y]))
    found = kernel("pow", "float32")(np.float32([x]), np.float32([y]))
    assert units(found, wanted)[0] <= LIMIT
    assert np.isnan(wanted[0]) or np.signbit(found[0]) == np.signbit(wanted[0])


# -- the forms of a function -----------------------------------------------------------------------


def sample(dtype, size):
    generator = np.random.default_rng(3)
    kind = np.dtype(f"i{np.dtype(dtype).itemsize}")
    patterns = generator.integers(np.iinfo(kind).min, np.iinfo(kind).max, size, kind).view(dtype)
    common = generator.uniform(-10, 10, size).astype(dtype)
    return np.concatenate(
        [np.array([0.0, -0.0, INF, -INF, NAN, 1.0, -1.0], dtype), common, patterns]
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*UNARY, "pow"])
def test_compiled_and_in_python_the_same(name, dtype):
    x = sample(dtype, 500 if dtype == "float32" else 60)
    arguments = (x, np.roll(x, 3)) if name == "pow" else (x,)
    function = FUNCTIONS[name, dtype]
    found = kernel(name, dtype)(*arguments)
    assert same_bits(function(*arguments), found)
    one_by_one = [function(*scalars) for scalars in zip(*arguments, strict=True)][:12]
    assert {type(y) for y in one_by_one} == {np.dtype(dtype).type}
    assert same_bits(np.array(one_by_one), found[:12])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*UNARY, "pow"])
def test_loops_vectorise_and_call_nothing(name, dtype):
    library = kernel(name, dtype).library
    assert re.search(r"call <\d+ x (float|double)> @llvm\.fma\.", library.get_llvm_str())
    assert not re.search(r"^\s+(callq?|bl)\s", library.get_asm_str(), re.MULTILINE)


def test_both_dtypes_have_the_same_functions():
    names = [{name for name, dtype in FUNCTIONS if dtype == of} for of in DTYPES]
    assert names[0] == names[1] >= {*IN_FLOAT64, "pow"}
