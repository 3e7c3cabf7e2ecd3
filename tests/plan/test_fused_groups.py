"""Groups of elementwise work and reductions, drawn at random: natively they give the same numbers.

Zeros of both signs, infinities, NaN and denormal numbers go through the kernels; shapes have sizes
of one and zero in each place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from tests import native
from tests.plan.sessions import plan_of, program_of

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, np.inf, -np.inf, np.nan, 6e-8, -6e-8]
SHAPES = [(), (1,), (3,), (1, 1), (4, 1), (1, 4), (3, 2)]
SHAPES += [(1, 1, 3), (1, 3, 1), (2, 1, 1), (2, 3, 1)]
EMPTY = [(0,), (0, 1), (1, 0), (0, 3), (3, 0), (1, 0, 2)]
# What is the same to the last bit, in whatever order a kernel computes.
ONE_INPUT: list[Callable[[Any], Any]] = [
    hf.negative,
    hf.abs,
    hf.square,
    hf.sign,
    hf.floor,
    hf.ceil,
    hf.round,
    hf.sqrt,
    hf.nn.relu,
    hf.nn.relu6,
    hf.reciprocal,
    lambda x: hf.clip_by_value(x, -1.0, 0.0),
    lambda x: hf.clip_by_value(x, -0.0, 0.0),
    lambda x: x * 0.0,
    lambda x: x * -0.0,
    lambda x: x + 0.0,
    lambda x: x - 0.0,
    lambda x: 0.0 - x,
    lambda x: -1.0 * x,
    lambda x: x / -1.0,
    lambda x: hf.where(x > 0.0, x, -x),
    lambda x: hf.cast(x > 0.0, x.dtype),
    lambda x: hf.reduce_max(x, -1, keepdims=True) if x.shape.ndims else x,
    lambda x: hf.reduce_min(x, 0) if x.shape.ndims else x,
]
TWO_INPUTS = [hf.add, hf.subtract, hf.multiply, hf.divide, hf.maximum, hf.minimum]
# Ends of programs, where sums are in any order.
ENDS: list[Callable[[Any], Any]] = [
    hf.reduce_sum,
    hf.reduce_mean,
    hf.reduce_prod,
    lambda x: hf.reduce_sum(x, 0, keepdims=True),
    lambda x: hf.reduce_mean(x, -1),
    lambda x: hf.reduce_sum(hf.square(hf.nn.softmax(x))),
    lambda x: hf.square(hf.reduce_sum(x, -1)) * 2.0,
    lambda x: hf.reduce_sum(hf.square(hf.reduce_max(x, -1, keepdims=True)), 0),
    hf.nn.log_softmax,
    hf.nn.l2_loss,
    lambda x: hf.nn.moments(x, [0])[1],
    lambda x: hf.cast(hf.argmax(x, -1), x.dtype),
    lambda x: hf.cumsum(x, -1, exclusive=True),
]
TOLERANCE = {np.float16: 4e-3, np.float32: 1e-5, np.float64: 1e-12}


def drawn(rng: np.random.Generator, inputs: list[Any]) -> list[Any]:
    """The values of a program of a few steps, all of which are fetched."""
    values = list(inputs)
    for _ in range(rng.integers(1, 9)):
        x = values[rng.integers(len(values))]
        if rng.random() < 0.6:
            values.append(ONE_INPUT[rng.integers(len(ONE_INPUT))](x))
            continue
        y = values[rng.integers(len(values))]
        try:
            np.broadcast_shapes(x.shape, y.shape)
        except ValueError:
            continue
        values.append(TWO_INPUTS[rng.integers(len(TWO_INPUTS))](x, y))
    return values


def ended(rng: np.random.Generator, values: list[Any]) -> list[Any]:
    """What ends make of values that have axes."""
    found = [x for x in values if x.shape.ndims and x.shape.num_elements()]
    picked = [found[i] for i in rng.integers(len(found), size=3)] if found else []
    return [ENDS[rng.integers(len(ENDS))](x) for x in picked]


def check(seed: int) -> None:
    """Runs one program interpreted and natively."""
    rng = np.random.default_rng(seed)
    dtype = rng.choice([np.float16, np.float32, np.float64])
    shapes = SHAPES if rng.random() < 0.8 else SHAPES + EMPTY
    arrays = []
    for _ in range(rng.integers(1, 4)):
        arrays.append(rng.choice(SPECIAL, shapes[rng.integers(len(shapes))]).astype(dtype))
    with hf.Graph().as_default(), hf.Session() as session, np.errstate(all="ignore"):
        feed = {hf.placeholder(a.dtype.name, a.shape): a for a in arrays}
        exact = drawn(rng, list(feed))
        fetches = [*exact[len(arrays) :], *ended(rng, exact)]
        if not fetches:
            return
        wanted = session.run(fetches, feed)
        session.run(fetches, feed)
        native.wait()
        found = session.run(fetches, feed)
        plan = plan_of(session, fetches)
        assert native.programs(plan)
        for i, (value, expected) in enumerate(zip(found, wanted, strict=True)):
            what = f"seed {seed}, value {i}: {fetches[i].op.name} of {arrays}"
            is_exact = i < len(exact) - len(arrays)
            tolerance = 0 if is_exact else TOLERANCE[dtype]
            np.testing.assert_allclose(value, expected, tolerance, tolerance, err_msg=what)
            assert np.asarray(value).dtype == np.asarray(expected).dtype, what
            if is_exact:
                signs = [np.signbit(v) & (v == v) for v in (value, expected)]
                np.testing.assert_array_equal(*signs, err_msg=f"signs of zero, {what}")


def test_random_groups_as_python():
    with native.uncompiled_kernels():
        for seed in range(300):
            check(seed)


@pytest.mark.parametrize("seed", range(12))
def test_random_groups_compiled(seed):
    check(seed)


@pytest.mark.parametrize("bound", [0.0, -0.0, 1.5, -np.inf, np.nan])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_extremes_with_a_constant_have_the_right_zero_and_nan(bound, dtype):
    values = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 1.5, -1.5, 6e-8, -6e-8]).astype(dtype)
    number = values.dtype.type(bound)
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(dtype, values.shape)
        extremes = [hf.maximum(x, number), hf.minimum(number, x)]
        fetches = [*extremes, hf.nn.relu(x), hf.clip_by_value(x, -1.5, number)]
        wanted = session.run(fetches, {x: values})
        program_of(session, fetches, {x: values})
        for mine, right in zip(session.run(fetches, {x: values}), wanted, strict=True):
            np.testing.assert_array_equal(mine, right)
            signs = np.isnan(right), np.signbit(right)
            np.testing.assert_array_equal(np.signbit(mine) | signs[0], signs[1] | signs[0])
        assert not native.fallbacks(plan_of(session, fetches))
