"""The scalar primitives: what they mean in Python and what they are compiled to are the same."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridflow._src.kernels import scalar
from tests.kernels.compiling import Kernel, same_bits, traced

SPECIAL = [0.0, 0.5, 1.5, 2.5, -2.5, 1.0, 0.3, 7.9, 1e30, 1e-39, 5e-324, math.inf, math.nan]
SPECIAL += [-x for x in SPECIAL]


def numbers(dtype, size=2000, seed=0):
    """Bit patterns of all kinds, and the special numbers."""
    generator = np.random.default_rng(seed)
    kind = np.dtype(f"i{np.dtype(dtype).itemsize}")
    low, high = np.iinfo(kind).min, np.iinfo(kind).max
    patterns = generator.integers(low, high, size, kind, endpoint=True).view(dtype)
    with np.errstate(over="ignore", under="ignore"):
        return np.concatenate([np.array(SPECIAL).astype(dtype), patterns])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["rint", "floor", "ceil", "trunc", "sqrt", "fabs"])
@pytest.mark.filterwarnings("ignore:invalid value")
def test_unary(name, dtype):
    function = getattr(scalar, name)
    x = numbers(dtype)
    found = Kernel(function, dtype, 1)(x)
    assert found.dtype == dtype
    assert same_bits(found, function(x))
    assert same_bits(found[:30], np.array([function(item) for item in x[:30]]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_copysign(dtype):
    x, sign = numbers(dtype), numbers(dtype)[::-1]
    assert same_bits(Kernel(scalar.copysign, dtype, 2)(x, sign), scalar.copysign(x, sign))


# Functions of a float64 that use primitives and operators.
MIXED = {
    "f32": lambda x: scalar.f64(scalar.f32(x)),
    "bits64": lambda x: scalar.from_bits64(scalar.bits64(x) ^ 1),
    "bits32": lambda x: scalar.f64(scalar.from_bits32(scalar.bits32(scalar.f32(x)) + (1 << 23))),
    "i32": lambda x: scalar.f64(scalar.i32(scalar.select(scalar.fabs(x) < 1e9, x, 0.0))),
    "i64": lambda x: scalar.f64(scalar.i64(scalar.select(scalar.fabs(x) < 1e15, x, 0.0))),
    "select": lambda x: scalar.select((x > 0.0) & ~(x == 1.0) | (x != x), x, -1.0 / x),
    "widened": lambda x: scalar.f64(scalar.i64(scalar.bits32(scalar.f32(x))) << 20),
    "narrowed": lambda x: scalar.f64(scalar.i32(scalar.bits64(x)) >> 3),
    "of bools": lambda x: scalar.f64(x > 0.5) + scalar.f64(scalar.i32(x < 0.5)) * 2.0,
    "reflected": lambda x: 3.0 - x + scalar.f64(7 & scalar.bits64(x)) / np.float64(2.0),
}


@pytest.mark.parametrize("name", MIXED)
@pytest.mark.filterwarnings("ignore:overflow", "ignore:divide by zero", "ignore:invalid value")
def test_conversions_choice_and_operators(name):
    x = numbers("float64")
    assert same_bits(traced(MIXED[name], "float64", 1)(x), MIXED[name](x))


def test_a_meaning_keeps_types():
    x, n = np.float32(1.5), np.int32(3)
    assert scalar.fma(x, 2.0, 1.0).dtype == np.float32
    assert scalar.fma(np.float64(x), 2.0, 1.0).dtype == np.float64
    assert scalar.select(x > 0, x, 1.0).dtype == np.float32
    assert (scalar.bits32(x) + n).dtype == np.int32
    assert scalar.f32(n).dtype == np.float32
    assert scalar.from_bits64(np.int64(1)) == 5e-324


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x: x + np.float32(1.0),
        lambda x: x & x,
        lambda x: scalar.bits64(x) / 2,
        lambda x: scalar.fma(x, scalar.f32(x), x),
        lambda x: scalar.select(x > 0.0, 1.0, 2.0) + x,
    ],
)
def test_types_are_not_mixed_when_compiled(wrong):
    with pytest.raises(TypeError, match=r"operand|what type"):
        traced(wrong, "float64", 1)


# -- fused multiply-add ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compiled_fma():
    return {dtype: Kernel(scalar.fma, dtype, 3) for dtype in ("float32", "float64")}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_fma_of_all_kinds_of_numbers(compiled_fma, dtype):
    a, b, c = (numbers(dtype, seed=seed) for seed in range(3))
    special = np.array(SPECIAL).astype(dtype)
    grid = [g.ravel() for g in np.meshgrid(special, special, special)]
    # Sums that nearly cancel, and such that lie halfway between two numbers.
    near = [a, b, -(a * b) * (1 + np.finfo(dtype).eps)]
    halfway = [a, np.ones_like(a), a * (np.finfo(dtype).eps / 2)]
    for inputs in ([a, b, c], grid, near, halfway):
        assert same_bits(scalar.fma(*inputs), compiled_fma[dtype](*inputs))


finite = st.floats(-1e150, 1e150)


@settings(max_examples=300, deadline=None)
@given(finite, finite, finite)
def test_fma_is_rounded_once(a, b, c):
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    assert scalar.fma(a, b, c) == float(exact)


@settings(max_examples=300, deadline=None)
@given(*[st.floats(-(2.0**60), 2.0**60, width=32)] * 3)
def test_fma_of_float32_is_rounded_once(a, b, c):
    found = scalar.fma(*np.float32([a, b, c]))
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    for other in (np.nextafter(found, np.float32(s)) for s in (-np.inf, np.inf)):
        assert abs(Fraction(float(found)) - exact) <= abs(Fraction(float(other)) - exact)
