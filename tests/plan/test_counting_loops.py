"""Loops that count: the number of the turn is no variable of its own, nor is a condition asked
whose answer is known.
"""

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.plan import layout, program
from hybridflow._src.plan.steps import Loop
from tests import native
from tests.plan.looping import check, natively
from tests.plan.sessions import plan_of

X = np.array([0.5, -0.25, 1.5], np.float32)


@pytest.fixture(params=["plain", "compiled"], autouse=True)
def kernels(request):
    """Kernels as Python functions, and compiled."""
    if request.param == "compiled":
        yield
    else:
        with native.uncompiled_kernels():
            yield


def loop_of(plan):
    made = native.programs(plan)[-1]
    (loop,) = (step for _, step in made.steps if isinstance(step, Loop))
    return loop


def counted(build, *runs):
    """Holds native runs to the interpreter's; gives how many turns are known, and whether the loop
    counts for a variable.
    """
    loop = loop_of(check(build, *runs))
    return loop.least, any(v.even is loop.turns for v in loop.variables)


def turns(n, first=0, by=1, dtype=np.int32):
    def build(x, *fed):
        most = fed[0] if fed else n
        start = [hf.constant(first, dtype), x]
        return hf.while_loop(lambda i, a: i < most, lambda i, a: (i + by, hf.tanh(a) + x), start)

    return build


def test_a_known_number_of_turns_asks_no_condition():
    assert counted(turns(5), [X], [2 * X]) == (5, True)


def test_a_number_that_is_fed_does():
    runs = [(X, np.int32(n)) for n in (3, 7, 0, 1, 40)]
    assert counted(turns(None), *runs) == (0, True)


@pytest.mark.parametrize(
    ("first", "by", "dtype"), [(1, 1, np.int32), (0, 2, np.int32), (0, 1, np.int64)]
)
def test_other_counters_are_variables(first, by, dtype):
    least = len(range(first, 6, by))
    assert counted(turns(6, first, by, dtype), [X]) == (least, False)


def test_a_condition_of_values_is_asked_in_each_turn():
    def build(x):
        goes_on = lambda i, a: hf.logical_and(i < 9, hf.reduce_sum(a) < 4.0)  # noqa: E731
        return hf.while_loop(goes_on, lambda i, a: (i + 1, a + x), [0, x])

    assert counted(build, [X], [0.1 * X], [9 * X]) == (0, True)


def test_a_condition_that_checks_is_asked_in_each_turn():
    def build(x, most):
        def goes_on(i, a):
            with hf.control_dependencies([hf.Assert(hf.reduce_max(a) < most, ["large:", a])]):
                return hf.identity(i < 4)

        return hf.while_loop(goes_on, lambda i, a: (i + 1, a * 2.0), [0, x])

    with hf.Graph().as_default(), hf.Session() as session:
        x, most = hf.placeholder(hf.float32, [3]), hf.placeholder(hf.float32, [])
        y = build(x, most)[1]
        for _ in range(4):
            np.testing.assert_allclose(session.run(y, {x: X, most: 99.0}), 16 * X)
            native.wait()
        with pytest.raises(hf.errors.InvalidArgumentError, match="large:"):
            session.run(y, {x: X, most: 5.0})


def test_a_number_is_used_in_the_body_and_after_the_loop():
    def build(x, n):
        def body(i, a, before, rows):
            return (
                i + 1,
                a * hf.cast(i, hf.float32) + x,
                i,
                rows.write(i, a + hf.cast(i, hf.float32)),
            )

        rows = hf.TensorArray(hf.float32, 9, element_shape=[3])
        i, a, before, rows = hf.while_loop(lambda i, *_: i < n, body, [0, x, -1, rows])
        return [
            i,
            a,
            before,
            i * 2,
            rows.gather([0]),
            *hf.gradients(hf.reduce_sum(a * a), x),
        ]

    runs = [(X, np.int32(n)) for n in (4, 4, 1, 9)]
    check(build, *runs)


def test_loops_in_loops_count_anew():
    def build(x):
        def body(i, a):
            inner = lambda j, b: (j + 1, hf.tanh(b) + hf.cast(i + j, hf.float32))  # noqa: E731
            return i + 1, hf.while_loop(lambda j, _: j < i, inner, [0, a])[1] + x

        return hf.while_loop(lambda i, _: i < 5, body, [0, x])

    check(build, [X], [3 * X])


def test_a_loop_that_pauses_goes_on_counting(monkeypatch):
    monkeypatch.setattr(layout, "UNTIL_PAUSE", 0)
    monkeypatch.setattr(program, "UNTIL_PAUSE", 0)
    assert counted(turns(6), [X], [2 * X]) == (6, True)


def test_a_loop_that_fails_goes_on_from_the_turn_that_it_counted():
    def build(x, most):
        def body(i, a):
            with hf.control_dependencies([hf.Assert(i < most, ["too many:", i])]):
                return i + 1, hf.tanh(a) + x

        return hf.while_loop(lambda i, a: i < 8, body, [0, x])

    with hf.Graph().as_default(), hf.Session() as session:
        x, most = hf.placeholder(hf.float32, [3]), hf.placeholder(hf.int32, [])
        fetches = build(x, most)
        for _ in range(4):
            wanted = session.run(fetches, {x: X, most: 8})
            native.wait()
        assert loop_of(plan_of(session, fetches)).least == 8
        with pytest.raises(hf.errors.InvalidArgumentError, match=r"too many:\] \[5\]") as caught:
            session.run(fetches, {x: X, most: 5})
        assert "In turn 5 of the body" in str(caught.value)
        for got, want in zip(session.run(fetches, {x: X, most: 8}), wanted, strict=True):
            np.testing.assert_array_equal(got, want)


def test_more_turns_than_there_is_room_for_are_counted_on():
    def build(x, n):
        a = hf.while_loop(lambda i, a: i < n, lambda i, a: (i + 1, hf.tanh(a) + x), [0, x])[1]
        return [a, *hf.gradients(hf.reduce_sum(a), x)]

    runs = [(X, np.int32(n)) for n in (3, 3, 200, 5, 300)]
    every = [runs[0], *runs]
    found, _ = natively(build, every)
    for (x, n), (a, slope) in zip(every, found, strict=True):
        value, derivative = x, np.ones(3)
        for _ in range(n):
            derivative = derivative * (1 - np.tanh(value) ** 2) + 1
            value = np.tanh(value) + x
        np.testing.assert_allclose(a, value, rtol=1e-5)
        np.testing.assert_allclose(slope, derivative, rtol=1e-4)
