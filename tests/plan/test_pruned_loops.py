"""Of a loop or a choice no more runs than what is fetched needs: interpreted and natively."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.plan.nested import Repeating
from tests import native
from tests.plan.looping import check
from tests.plan.sessions import plan_of

F = np.float32
X = np.array([0.5, -1.5, 2.0], F)


@pytest.fixture(autouse=True)
def kernels():
    with native.uncompiled_kernels():
        yield


def runs_natively(session: Any, fetches: Any, feed: Any) -> list[Any]:
    for _ in range(3):
        session.run(fetches, feed)
        native.wait()
    values: list[Any] = session.run(fetches, feed)
    plan = plan_of(session, fetches)
    assert native.programs(plan)
    assert native.fallbacks(plan) == []
    return values


def test_loop_variables_that_nothing_needs_do_not_run() -> None:
    calls = []

    def call(array: Any) -> Any:
        calls.append(array)
        return array

    with hf.Graph().as_default(), hf.Session() as session:
        x, n = hf.placeholder(hf.float32, [3]), hf.placeholder(hf.int32, [])
        lost = hf.get_variable("lost", [3], initializer=hf.ones_initializer())

        def body(i: Any, total: Any, dead: Any, behind: Any) -> Any:
            (called,) = hf.py_func(call, [dead + lost], [hf.float32])
            called.set_shape([3])
            return i + 1, hf.tanh(total) + x, called, behind + dead

        first = [0, x, lost * 2.0, x]
        _, total, _, behind = hf.while_loop(lambda i, *_: i < n, body, first)
        feed = {x: X, n: 3}
        want = X
        for _ in range(3):
            want = np.tanh(want) + X
        got, slope = runs_natively(session, [total, *hf.gradients(total, x)], feed)
        np.testing.assert_allclose(got, want, rtol=1e-5)
        assert slope.shape == (3,)
        assert not calls
        with pytest.raises(hf.errors.FailedPreconditionError, match="lost"):
            session.run(behind, feed)
        session.run(hf.global_variables_initializer())
        np.testing.assert_allclose(session.run(behind, feed), X + 2.0 + 3.0 + 4.0, rtol=1e-6)
        assert len(calls) == 3


def test_results_of_branches_that_nothing_needs_do_not_run() -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32, [3])
        lost = hf.get_variable("lost", [3], initializer=hf.ones_initializer())
        y, other = hf.cond(
            hf.reduce_sum(x) > 0.0,
            lambda: (x * 2.0, hf.cond(x[0] > 0.0, lambda: lost, lambda: x)),
            lambda: (-x, lost * x),
        )
        for sign in (1, -1):
            got, slope = runs_natively(session, [y, *hf.gradients(y, x)], {x: sign * X})
            np.testing.assert_allclose(got, 2 * X if sign == 1 else X)
            np.testing.assert_allclose(slope, [2] * 3 if sign == 1 else [-1] * 3)
            with pytest.raises(hf.errors.FailedPreconditionError, match="lost"):
                session.run([y, other], {x: sign * X})


def test_what_a_gradient_keeps_is_kept_for_the_gradient_alone() -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32, [3])
        _, y = hf.while_loop(lambda i, _: i < 4, lambda i, a: (i + 1, hf.tanh(a)), [0, x])
        (slope,) = hf.gradients(y, x)

        def saved(*fetches: Any) -> list[int]:
            session.run(list(fetches), {x: X})
            steps = plan_of(session, list(fetches)).instructions
            return [s.compute.saved for s in steps if isinstance(s.compute, Repeating)]

        assert saved(y) == [0]
        assert saved(slope) == [1, 0]


@pytest.mark.parametrize("seed", range(6))
def test_each_result_alone_is_what_it_is_among_all(seed: int) -> None:
    """Loop variables that depend on some of the others, in loops and branches inside each other."""
    rng = np.random.default_rng(seed)
    count = 5
    uses = rng.random([2, count, count]) < 0.3
    asks = int(rng.integers(count))

    def turn(values: Any, which: int) -> list[Any]:
        return [
            hf.tanh(hf.add_n([v, *[u for u, used in zip(values, row, strict=True) if used]]))
            for v, row in zip(values, uses[which], strict=True)
        ]

    def build(x: Any, n: Any) -> list[Any]:
        def inner(values: Any) -> list[Any]:
            _, *found = hf.while_loop(
                lambda j, *_: j < 2, lambda j, *v: [j + 1, *turn(v, 1)], [0, *values]
            )
            return list(found)

        def body(i: Any, *values: Any) -> list[Any]:
            low = hf.reduce_sum(values[asks]) < 0.0
            return [i + 1, *hf.cond(low, lambda: inner(values), lambda: turn(values, 0))]

        first = [x * (k + 1.0) for k in range(count)]
        _, *values = hf.while_loop(
            lambda i, *v: hf.logical_and(i < n, hf.reduce_sum(v[asks]) < 50.0), body, [0, *first]
        )
        return values

    runs = [(sign * X, np.int32(k)) for sign in (1, -1) for k in (3, 0, 2)]
    with native.interpreter_alone(), hf.Graph().as_default(), hf.Session() as session:
        x, n = hf.placeholder(hf.float32, [None]), hf.placeholder(hf.int32, [])
        values = build(x, n)
        slopes = [hf.gradients(v, x)[0] for v in values]
        for array, turns in runs:
            feed = {x: array, n: turns}
            whole = session.run([*values, *slopes], feed)
            for fetch, want in zip([*values, *slopes], whole, strict=True):
                np.testing.assert_array_equal(session.run(fetch, feed), want)
    for place in range(0, count, 2):
        check(lambda x, n, place=place: [build(x, n)[place]], *runs)


def test_parts_see_what_was_written_before_them_as_the_whole_does() -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        v = hf.get_variable("v", initializer=1.0)
        with hf.control_dependencies([v.assign(5.0)]):
            _, y, z = hf.while_loop(
                lambda i, *_: i < 1, lambda i, y, z: (i + 1, y + v, z + 1.0), [0, v + 0.0, 0.0]
            )
            low, high = hf.cond(y > -1.0, lambda: (v + 0.0, v * 2.0), lambda: (v, v))
        for part, whole in ((y, [y, z]), (low, [low, high]), (high, [high, low])):
            found = []
            for fetches in (part, whole):
                session.run(hf.global_variables_initializer())
                found.append(session.run(fetches))
            assert found[0] == found[1][0]
