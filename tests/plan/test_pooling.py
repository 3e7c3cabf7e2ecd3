"""Pooling in native programs: to the bit what the interpreter gives."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from tests import native
from tests.plan.sessions import plan_of, program_of

# Shape, window, strides, padding.
CASES = {
    "apart": ((3, 8, 6, 33), (2, 2), (2, 2), "VALID"),
    "overlapping": ((2, 9, 7, 5), (3, 3), (2, 2), "SAME"),
    "every place": ((1, 5, 6, 2), (3, 2), (1, 1), "SAME"),
    "a rest": ((2, 7, 9, 18), (2, 3), (2, 3), "VALID"),
    "padded": ((1, 5, 8, 40), (3, 3), (3, 3), "SAME"),
    "gaps": ((2, 10, 11, 4), (2, 1), (3, 4), "VALID"),
    "large": ((1, 4, 4, 3), (4, 4), (1, 1), "SAME"),
}


@pytest.fixture(params=[1, 3])
def session(request, monkeypatch):
    monkeypatch.setenv("HYBRIDFLOW_CHECK_BOUNDS", "1")
    config = hf.ConfigProto(intra_op_parallelism_threads=request.param)
    with hf.Graph().as_default(), hf.Session(config=config) as session:
        yield session


def _check(session, values, pool, case):
    _, window, strides, padding = CASES[case]
    x = hf.placeholder(values.dtype.name, values.shape)
    y = pool(x, [1, *window, 1], [1, *strides, 1], padding)
    dy = hf.placeholder(values.dtype.name, y.shape)
    fetches = [y, *hf.gradients(y, x, dy)]
    numbers = np.random.default_rng(1).integers(-9, 9, y.shape.as_list())
    feed = {x: values, dy: numbers.astype(values.dtype)}
    wanted = session.run(fetches, feed)
    program = program_of(session, fetches, feed)
    found = session.run(fetches, feed)
    assert not native.fallbacks(plan_of(session, fetches))
    for mine, right in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(mine, right, strict=True)
        np.testing.assert_array_equal(np.signbit(mine), np.signbit(right))
    return [kernel.label for kernel in program.kernels.values()]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("case", CASES)
def test_pooling(session, case, dtype):
    values = np.random.default_rng(0).integers(-3, 4, CASES[case][0]).astype(dtype)
    labels = _check(session, values, hf.nn.max_pool, case)
    # The gradient looks nothing up again.
    assert sum(label.startswith("max_pool") for label in labels) == 1
    _check(session, values, hf.nn.avg_pool, case)


@pytest.mark.parametrize("first", [np.nan, np.inf, -np.inf])
def test_special_values(session, first):
    values = np.full(CASES["overlapping"][0], -np.inf, np.float32)
    values[:, ::3, ::2] = first
    values[:, 1::3, 1::2] = 5
    values[:, 2::4] = np.nan
    _check(session, values, hf.nn.max_pool, "overlapping")


@pytest.mark.parametrize("case", ["apart", "overlapping"])
def test_of_zeros_the_positive_one_is_larger(session, case):
    signs = np.random.default_rng(0).integers(0, 2, CASES[case][0]).astype(bool)
    _check(session, np.where(signs, np.float32(-0.0), 0), hf.nn.max_pool, case)


def test_a_large_tensor_is_shared(session):
    values = np.random.default_rng(0).standard_normal((16, 28, 28, 32)).astype(np.float32)
    x = hf.placeholder(hf.float32, values.shape)
    y = hf.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    fetches = [y, *hf.gradients(y, x)]
    wanted = session.run(fetches, {x: values})
    program_of(session, fetches, {x: values})
    for mine, right in zip(session.run(fetches, {x: values}), wanted, strict=True):
        np.testing.assert_array_equal(mine, right)
