"""Ops that kernels compute in a way of their own: natively they give what their meanings give."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from tests import native
from tests.plan.sessions import plan_of, program_of

RNG = np.random.default_rng(0)


@pytest.fixture(params=["compiled", "uncompiled"], autouse=True)
def kernels(request):
    """Each test runs with compiled kernels, and with kernels as Python functions."""
    if request.param == "compiled":
        yield
        return
    with native.uncompiled_kernels():
        yield


def agrees(function, *arrays):
    """Checks that the native program gives the same, without a fallback."""
    with hf.Graph().as_default(), hf.Session() as session:
        feed = {hf.placeholder(a.dtype.name, a.shape): a for a in arrays}
        value = function(*feed)
        wanted = session.run(value, feed)
        program_of(session, value, feed)
        found = session.run(value, feed)
        assert not native.fallbacks(plan_of(session, value))
        np.testing.assert_array_equal(found, wanted, strict=True)
        np.testing.assert_array_equal(np.signbit(found), np.signbit(wanted))


def fails(function, good, bad, match):
    """Checks that a program that runs on one feed tells the error of another."""
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(good.dtype.name, good.shape)
        value = function(x)
        program_of(session, value, {x: good})
        with pytest.raises(hf.errors.InvalidArgumentError, match=match):
            session.run(value, {x: bad})


ROWS = {
    "ties": np.array([[1, 3, 3], [2, 2, 1], [0, 0, 0]], np.int32),
    "not a number": np.array([[1, np.nan, np.nan], [np.nan, 9, 0]], np.float32),
    "infinite": np.array([[-np.inf, -np.inf], [np.inf, 1], [1, np.inf]]),
    "zeros": np.array([[-0.0, 0.0], [0.0, -0.0]], np.float32),
    "bytes": np.array([[0, 255], [7, 7]], np.uint8),
    "one": np.ones((1, 1), np.float32),
    "cube": RNG.integers(0, 4, (3, 4, 5)).astype(np.float64),
}


@pytest.mark.parametrize("output", [hf.int32, hf.int64])
@pytest.mark.parametrize("function", [hf.argmax, hf.argmin])
@pytest.mark.parametrize("name", ROWS)
def test_where_the_extremes_are(name, function, output):
    for axis in range(-1, ROWS[name].ndim):
        agrees(lambda x, axis=axis: function(x, axis, output_type=output), ROWS[name])
    agrees(lambda x: function(x[0], 0, output_type=output), ROWS[name])


@pytest.mark.parametrize("times", [[1, 1], [2, 1], [1, 3], [2, 3]])
def test_tiles(times):
    agrees(lambda x: hf.tile(x, times), RNG.normal(size=(2, 3)))
    agrees(lambda x: hf.tile(x, times) + 1.0, RNG.normal(size=(1, 3)))
    agrees(lambda x: hf.tile(hf.transpose(x), times), RNG.normal(size=(2, 3)))
    # Of whole numbers sums are the same in any order.
    agrees(lambda x: hf.gradients(hf.tile(x, times) ** 2.0, x)[0], np.arange(6.0).reshape(2, 3))


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64, np.uint8])
@pytest.mark.parametrize("function", [hf.floordiv, hf.floormod])
def test_integer_division(function, dtype):
    least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
    x = np.array([least, least + 1, most, 7, 0, most - 6, 100, 1], dtype)
    y = np.array([1, 2, 3, 7, 5, most, 100], dtype)
    y = np.append(y, -y[:4]) if least else y
    agrees(function, x[:, None], y)
    for divisor in (3, 1) if least == 0 else (3, -3, -1):
        agrees(lambda x, divisor=divisor: function(x, np.array(divisor, dtype)), x)
    fails(lambda y: function(hf.constant(x), y), x | 1, x, "Integer division by zero")


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint8])
@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 7, 40])
def test_integer_powers(exponent, dtype):
    x = np.array([0, 1, 2, 3, 10, 200], dtype)
    agrees(lambda x: x ** np.array(exponent, dtype), x if dtype is np.uint8 else x - 3)


@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("function", [hf.cumsum, hf.cumprod])
def test_running(function, exclusive, reverse):
    for axis in (0, 1, -1):
        for array in (RNG.normal(size=(3, 4, 5)).astype(np.float32), ROWS["cube"], ROWS["ties"]):
            agrees(lambda x, axis=axis: function(x, axis, exclusive, reverse), array)
    agrees(lambda x: function(hf.transpose(x), 0, exclusive, reverse), ROWS["not a number"])


PLACES = np.array([[[0, 1], [2, 3]], [[2, 0], [0, 1]]], np.int32)


@pytest.mark.parametrize("depth", [1, 2])
def test_coordinates(depth):
    places = PLACES[..., :depth]
    agrees(hf.gather_nd, ROWS["cube"], places)
    agrees(lambda x: hf.gather_nd(x, places), np.asfortranarray(ROWS["cube"]))
    updates = RNG.normal(size=(2, 2, *(3, 4, 5)[depth:]))
    agrees(lambda x: hf.scatter_nd(places, x, [3, 4, 5]), updates)
    for bad in (-1, 4):
        wrong = np.where(places == 2, np.int32(bad), places)
        fails(lambda i: hf.gather_nd(ROWS["cube"], i), places, wrong, "does not index into")
        fails(lambda i: hf.scatter_nd(i, updates, [3, 4, 5]), places, wrong, "does not index into")


def test_diagonals():
    cube = ROWS["cube"]
    for array in (cube, cube[0], np.asfortranarray(cube)):
        agrees(hf.matrix_diag_part, array)
        agrees(hf.matrix_diag, array)
        agrees(lambda x, array=array: hf.matrix_set_diag(x, array[..., 0, :4]), array[..., :4])
    agrees(hf.diag, cube[0])
    agrees(hf.diag_part, RNG.normal(size=(2, 3, 2, 3)))
