"""What bodies of loops and branches do besides computing: prints, checks, calls of Python."""

import numpy as np
import pytest

import hybridflow as hf
from tests import native
from tests.execution import Execution

# Runs of a graph: from the third one on what can is done by its program.
RUNS = 4


def runs(execution: Execution, function, *arrays):
    """What a function gives, again and again; a graph runs in one session."""
    if execution.name != "graph":
        return [execution(function, *arrays) for _ in range(RUNS)]
    with hf.Graph().as_default(), hf.Session() as session:
        feeds = [hf.placeholder(np.asarray(a).dtype.name, np.shape(a)) for a in arrays]
        found = function(*feeds)
        values = []
        for _ in range(RUNS):
            values.append(session.run(found, dict(zip(feeds, arrays, strict=True))))
            native.wait()
        return values


def test_a_loop_prints_once_in_each_turn_and_in_their_order(execution, capsys):
    def body(i, a):
        a = hf.cond(
            hf.equal(i % 2, 0),
            lambda: hf.Print(a, [i, a], "even: "),
            lambda: hf.Print(a, [i, a], "odd: "),
        )
        return i + 1, a * 2.0

    def function(x):
        return hf.while_loop(lambda i, a: i < 4, body, [0, x])[1]

    assert runs(execution, function, np.float32(1.0)) == [16.0] * RUNS
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["even: [0][1.0]", "odd: [1][2.0]", "even: [2][4.0]", "odd: [3][8.0]"] * RUNS


def test_a_branch_that_is_not_taken_prints_nothing(execution, capsys):
    def function(x):
        return hf.cond(
            x > 0.0, lambda: hf.Print(x, [x], "yes: "), lambda: hf.Print(-x, [x], "no: ")
        )

    assert runs(execution, function, np.float32(2.0)) == [2.0] * RUNS
    assert runs(execution, function, np.float32(-3.0)) == [3.0] * RUNS
    assert capsys.readouterr().err.splitlines() == ["yes: [2.0]"] * RUNS + ["no: [-3.0]"] * RUNS


def test_a_loop_calls_python_once_in_each_turn_and_in_their_order(execution):
    seen = []

    def step(i, state):
        seen.append(int(i))
        return (0.5 * state + np.float32(i)).astype(np.float32), np.bool_(i == 3)

    def body(i, state, done, rows):
        rows = rows.write(i, state)
        state, done = hf.py_func(step, [i, state], [hf.float32, hf.bool])
        return i + 1, hf.reshape(state, [2]), hf.reshape(done, []), rows

    def function(x):
        rows = hf.TensorArray(hf.float32, 0, dynamic_size=True, element_shape=[2])
        first = [0, x, hf.constant(False), rows]
        i, state, _, rows = hf.while_loop(lambda i, s, d, r: hf.logical_not(d), body, first)
        return i, state, rows.stack()

    x = np.float32([1.0, -1.0])
    states = [x]
    for i in range(4):
        states.append(0.5 * states[-1] + np.float32(i))
    for i, state, rows in runs(execution, function, x):
        assert i == 4
        np.testing.assert_allclose(state, states[-1])
        np.testing.assert_allclose(rows, states[:-1])
    assert seen == [0, 1, 2, 3] * RUNS


@pytest.mark.parametrize("inside", [False, True])
def test_a_check_that_fails_in_a_turn_ends_the_loop_there(execution, inside, capsys):
    def check(i, a, most):
        with hf.control_dependencies([hf.Assert(a < most, ["too large:", a])]):
            return hf.Print(a * 2.0, [i], "turn ")

    def body(i, a, most):
        if inside:
            return i + 1, hf.cond(i >= 0, lambda: check(i, a, most), lambda: a), most
        return i + 1, check(i, a, most), most

    def function(x, most):
        return hf.while_loop(lambda i, *_: i < 6, body, [0, x, most])[1]

    assert runs(execution, function, np.float32(1.0), np.float32(99.0)) == [64.0] * RUNS
    capsys.readouterr()
    with pytest.raises(hf.errors.InvalidArgumentError, match=r"too large:\] \[8.0\]") as caught:
        runs(execution, function, np.float32(1.0), np.float32(8.0))
    assert capsys.readouterr().err.splitlines() == ["turn [0]", "turn [1]", "turn [2]"]
    if execution.name != "eager":
        assert "turn 3 of the body of while_loop" in str(caught.value)


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_in_a_turn_ends_the_loop_and_the_next_run_begins_anew(execution, raised):
    calls = []

    def called(i):
        calls.append(int(i))
        if len(calls) == 3:
            raise raised
        return np.float32(i)

    def body(i, a):
        return i + 1, a + hf.reshape(hf.py_func(called, [i], hf.float32), [])

    def function(x):
        return hf.while_loop(lambda i, a: i < 4, body, [0, x])[1]

    with hf.Graph().as_default(), hf.Session() as session:
        if execution.name == "graph":
            x = hf.placeholder(hf.float32, [])
            y = function(x)
            run = lambda: session.run(y, {x: 1.0})  # noqa: E731
        else:
            run = lambda: execution(function, np.float32(1.0))  # noqa: E731
        with pytest.raises(raised):
            run()
        for _ in range(RUNS):
            assert run() == 7.0
            native.wait()
    assert calls == [0, 1, 2, *[0, 1, 2, 3] * RUNS]
