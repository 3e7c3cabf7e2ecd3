"""Slices whose bounds only a run tells, inside native programs and their loops."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from tests import native
from tests.plan.looping import check
from tests.plan.test_native_loops import turns_of_bodies  # noqa: F401

X = np.random.default_rng(0).normal(size=(6, 3, 4))


@pytest.fixture(params=["plain", "guarded"], autouse=True)
def kernels(request, monkeypatch):
    """Kernels as Python functions, also with zones around memory; some tests compile them."""
    if request.param == "guarded":
        monkeypatch.setenv("HYBRIDFLOW_CHECK_BOUNDS", "1")
    if request.param == "compiled":
        yield
    else:
        with native.uncompiled_kernels():
            yield


def ints(*values, x=X):
    return [(x, np.int32(value)) for value in values]


SLICES = {
    "row": lambda x, i: x[i],
    "row, and the rest": lambda x, i: x[i, ...],
    "row from behind": lambda x, i: x[-1 - i],
    "element": lambda x, i: x[i, 1, 2],
    "column": lambda x, i: x[:, 1, i],
    "range": lambda x, i: x[i : i + 2],
    "range in the middle": lambda x, i: x[1:, i // 2 : i // 2 + 1, ::2],
    "backwards": lambda x, i: x[i + 3 : i : -1],
    "a new axis": lambda x, i: x[i, None, :, hf.newaxis, 1],
    "an ellipsis": lambda x, i: x[..., i],
    "of a view": lambda x, i: hf.transpose(x, [2, 0, 1])[i],
    "of integers": lambda x, i: hf.cast(x * 9.0, hf.int32)[i],
    "of bools": lambda x, i: (x > 0.0)[i],
    "slice": lambda x, i: hf.slice(x, [i, 0, 1], [2, 3, 2]),
}


@pytest.mark.parametrize("name", SLICES)
@pytest.mark.parametrize("kernels", ["plain", "guarded", "compiled"], indirect=True)
def test_slices(name):
    def build(x, i):
        y = SLICES[name](x, i)
        found = [hf.identity(y)]
        if y.dtype.is_floating:
            found += hf.gradients(hf.square(y) * 0.5, [x])
        return found

    check(build, *ints(1, 0, 2, 3, 1))


def test_bounds_beyond_the_ends_are_like_numpys():
    def build(x, i):
        return [hf.identity(x[i : i + 10]), hf.identity(x[-10:i])]

    check(build, *ints(2, 2))
    check(build, *ints(-4, 2, -4))


def test_elements_that_are_no_numbers_of_their_own_kind_stay_as_they_are():
    x = np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324, 0.0])
    plan = check(lambda x, i: [hf.identity(x[i]), hf.identity(x[i:])], *ints(3, 3, x=x))
    assert native.programs(plan)


def test_an_index_out_of_range_says_so():
    with hf.Graph().as_default(), hf.Session() as session:
        i = hf.placeholder(hf.int32, [])
        y = hf.constant(X)[i] * 2.0
        for k in (0, -6, 5):
            np.testing.assert_array_equal(session.run(y, {i: k}), X[k] * 2)
        for k in (6, -7):
            message = f"slice index {k} of dimension 0 out of bounds"
            with pytest.raises(hf.errors.InvalidArgumentError, match=message):
                session.run(y, {i: k})
        np.testing.assert_array_equal(session.run(y, {i: 1}), X[1] * 2)


def test_a_slice_of_another_length_is_left_to_numpy():
    check(lambda x, i: [hf.identity(x[i:])], *ints(2, 3, 6, 2, 7))


# -- in loops --------------------------------------------------------------------------------------


def recurrence(x, n, read):
    first = hf.zeros([3, 4], hf.float64)
    return hf.while_loop(
        lambda i, a: i < n, lambda i, a: (i + 1, hf.tanh(0.5 * a + read(x, i))), [0, first]
    )[1]


READS = {
    "x[t]": lambda x, i: x[i],
    "x[-1 - t]": lambda x, i: x[-1 - i],
    "x[t, :]": lambda x, i: x[i, :],
    "two of them": lambda x, i: x[i] * x[5 - i],
    "x[t] and a sum": lambda x, i: x[i] * hf.reduce_sum(x[2]),
    "a part": lambda x, i: x[i, :, 1:2],
    "a range": lambda x, i: x[i : i + 1, 1:][0, :1],
    "in a branch": lambda x, i: hf.cond(i > 2, lambda: x[i], lambda: 0.5 * x[0]),
    "slice": lambda x, i: hf.slice(x, [i, 0, 1], [1, 3, 1])[0],
}


@pytest.mark.parametrize("name", READS)
def test_reads_in_loops_and_their_gradients(name):
    def build(x, n):
        y = recurrence(x, n, READS[name])
        return [y, *hf.gradients(y, [x])]

    check(build, *ints(6, 1, 3, 6, 0, 5))


@pytest.mark.parametrize("kernels", ["plain"], indirect=True)
@pytest.mark.parametrize("name", READS)
def test_gradients_are_those_of_numbers(name):
    with hf.Graph().as_default(), hf.Session() as session:
        x, n = hf.placeholder(hf.float64, X.shape), hf.placeholder(hf.int32, [])
        y = hf.reduce_sum(hf.square(recurrence(x, n, READS[name])))
        (grad,) = hf.gradients(y, [x])
        direction = np.random.default_rng(1).normal(size=X.shape)
        found = np.sum(session.run(grad, {x: X, n: 5}) * direction)
        step = 1e-6
        ends = [session.run(y, {x: X + s * step * direction, n: 5}) for s in (1, -1)]
        np.testing.assert_allclose(found, (ends[0] - ends[1]) / (2 * step), rtol=1e-6)


@pytest.mark.parametrize("kernels", ["plain"], indirect=True)
def test_a_read_beyond_the_end_is_looked_for_in_its_turn(turns_of_bodies):  # noqa: F811
    with hf.Graph().as_default(), hf.Session() as session:
        n = hf.placeholder(hf.int32, [])
        y = recurrence(hf.constant(X), n, lambda x, i: x[i])
        for _ in range(3):
            session.run(y, {n: 6})
        turns_of_bodies.clear()
        with pytest.raises(hf.errors.InvalidArgumentError) as caught:
            session.run(y, {n: 8})
        assert sorted(turns_of_bodies.values()) == [1, 1]
        assert "slice index 6 of dimension 0 out of bounds" in str(caught.value)
        assert "(In turn 6 of the body of while_loop 'while'.)" in str(caught.value)


@pytest.mark.parametrize("kernels", ["plain"], indirect=True)
def test_the_gradient_of_reading_rows_is_linear_in_their_number():
    """No turn makes an array of the size of the whole."""
    with hf.Graph().as_default() as graph:
        x = hf.placeholder(hf.float64, [None, 3, 4])
        y = recurrence(x, hf.shape(x)[0], lambda x, i: x[i])
        (grad,) = hf.gradients(y, [x])
        (loop,) = [op for op in graph.get_operations() if op.type == "While" and "grad" in op.name]
        turn = loop.bodies[1]
        used = set()
        pending = [*turn.outputs, *turn.saved]
        while pending:
            op = pending.pop().op
            if op not in used and op.body is turn:
                used.add(op)
                pending += op.inputs
        assert "StridedSliceGrad" not in {op.type for op in used}
        assert grad.shape.as_list() == [None, 3, 4]
