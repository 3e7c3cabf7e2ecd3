"""Derivatives of products where factors are 0, to the third order, against finite differences."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from tests import native
from tests.execution import gradient_of

RNG = np.random.default_rng(5)
W, V, U = RNG.normal(size=(3, 3, 4))
PRODUCTS = {
    f"cumprod{', exclusive' * exclusive}{', reverse' * reverse}, axis {axis}": (
        lambda x, axis=axis, exclusive=exclusive, reverse=reverse: hf.cumprod(
            x, axis, exclusive, reverse
        )
    )
    for axis in (0, 1)
    for exclusive in (False, True)
    for reverse in (False, True)
}
PRODUCTS |= {
    "reduce_prod": lambda x: hf.reduce_prod(x),
    "reduce_prod of rows": lambda x: hf.reduce_prod(x, 1, keep_dims=True),
    "reduce_prod of columns": lambda x: hf.reduce_prod(x, [0]),
    "reduce_prod of both": lambda x: hf.reduce_prod(x, [1, -2]),
    "reduce_prod of none": lambda x: hf.reduce_prod(x, []),
}


def factors(zeros):
    """A matrix with that many zeros in each row."""
    x = RNG.uniform(0.5, 2.0, (3, 4)) * RNG.choice([-1, 1], (3, 4))
    x[:, [1, 3, 0, 2][:zeros]] = 0
    return x


def orders(product):
    """Numbers, each the derivative of the one before in some direction."""

    def first(x):
        return hf.reduce_sum(product(x) * W)

    def second(x):
        return hf.reduce_sum(gradient_of(first, [x])[0] * V)

    def third(x):
        return hf.reduce_sum(gradient_of(second, [x])[0] * U)

    return first, second, third


def differences(function, x):
    slopes = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = 1e-5
        slopes[place] = (function(x + step) - function(x - step)) / 2e-5
    return slopes


@pytest.mark.parametrize("zeros", [0, 1, 2, 4])
@pytest.mark.parametrize("name", PRODUCTS)
def test_derivatives(name, zeros):
    x = factors(zeros)
    with hf.Graph().as_default(), hf.Session() as session:
        fed = hf.placeholder(hf.float64, x.shape)
        values = [f(fed) for f in orders(PRODUCTS[name])]
        slopes = [hf.gradients(value, fed)[0] for value in values]
        for value, slope in zip(values, slopes, strict=True):
            wanted = differences(lambda at, value=value: session.run(value, {fed: at}), x)
            got = np.zeros_like(x) if slope is None else session.run(slope, {fed: x})
            np.testing.assert_allclose(got, wanted, atol=1e-7)


@pytest.mark.parametrize("name", PRODUCTS)
def test_all_executions_agree(name, execution):
    x = factors(2)
    second = orders(PRODUCTS[name])[1]
    (got,) = execution.gradient(second, x)
    with hf.Graph().as_default(), hf.Session() as session:
        fed = hf.placeholder(hf.float64, x.shape)
        (slope,) = hf.gradients(second(fed), fed)
        if slope is None:
            assert got is None
            return
        wanted = session.run(slope, {fed: x})
        for _ in range(2):
            session.run(slope, {fed: x})
        native.wait()
        np.testing.assert_allclose(session.run(slope, {fed: x}), wanted, rtol=1e-12)
    np.testing.assert_allclose(got, wanted, rtol=1e-12)


@pytest.mark.parametrize("shape", [[2], [None], None])
@pytest.mark.parametrize("chosen", [[1, 0], [-1, -2], [0, -2]])
def test_axes_that_only_a_run_tells(shape, chosen):
    x = factors(0)
    x[1, 2] = 0
    with hf.Graph().as_default(), hf.Session() as session:
        fed, axes = hf.placeholder(hf.float64, x.shape), hf.placeholder(hf.int32, shape)
        _, second, _ = orders(lambda x: hf.reduce_prod(x, axes))
        (slope,) = hf.gradients(second(fed), fed)
        (known,) = hf.gradients(
            orders(lambda x: hf.reduce_prod(x, sorted({a % 2 for a in chosen})))[1](fed), fed
        )
        got, wanted = session.run([slope, known], {fed: x, axes: chosen})
    np.testing.assert_allclose(got, wanted)
    assert np.abs(wanted).max() > 0


def test_infinite_factors_reach_nobody_else():
    """x of which nothing comes later is not multiplied: no 0 x inf."""
    with hf.eager_mode():
        (dx,) = gradient_of(lambda x: hf.cumprod(x), [hf.constant([2.0, np.inf])])
    np.testing.assert_array_equal(dx.numpy(), [np.inf, 2.0])
