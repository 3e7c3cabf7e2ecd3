"""Remainders and whole quotients of floats in kernels: NumPy's, bit by bit."""

import numpy as np
import pytest

from hybridflow._src.kernels import division
from tests.kernels.compiling import Kernel

SPECIAL = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 5e-324, 1e-310, 1.7e308, 1e-40, 3e38]


def numbers(dtype):
    """Pairs of special numbers, of ones near multiples of each other, and of any bits."""
    rng = np.random.default_rng(3)
    with np.errstate(all="ignore"):
        special = np.array(SPECIAL).astype(dtype)
        of = rng.normal(size=2000) * 10.0 ** rng.integers(-6, 6, 2000)
        times = np.round(rng.normal(size=2000) * 10.0 ** rng.integers(0, 9, 2000))
        near = (of.astype(dtype) * times.astype(dtype)).astype(dtype)
    kind = np.int32 if dtype == "float32" else np.int64
    bits = rng.integers(np.iinfo(kind).min, np.iinfo(kind).max, (2, 2000), kind).view(dtype)
    x = np.concatenate([np.repeat(special, len(special)), near, bits[0]])
    return x, np.concatenate([np.tile(special, len(special)), of.astype(dtype), bits[1]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["remainder", "floor_divide"])
@pytest.mark.parametrize("is_compiled", [True, False])
def test_divisions_are_numpys(name, dtype, is_compiled):
    x, y = numbers(dtype)
    function = getattr(division, name)
    with np.errstate(all="ignore"):
        found = Kernel(function, dtype, 2)(x, y) if is_compiled else function(x, y)
        wanted = getattr(np, name)(x, y)
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)
    nan = np.isnan(wanted)
    np.testing.assert_array_equal(np.signbit(found[~nan]), np.signbit(wanted[~nan]))
