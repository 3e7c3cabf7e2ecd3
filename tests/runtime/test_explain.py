"""`hf.explain`: passes, steps, kernels, fallbacks, bytes, memory and times of a plan."""

from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

import hybridflow as hf
from hybridflow._src.runtime.report import Recording
from tests import native

X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)


@pytest.fixture
def graph():
    with hf.Graph().as_default() as graph:
        yield graph


def model():
    x = hf.placeholder(hf.float32, [None, 3], name="x")
    w = hf.get_variable("w", initializer=np.ones([3, 2], np.float32))
    y = hf.tanh(hf.matmul(x, w) + 1.0, name="y")
    loss = hf.reduce_sum(y * y, name="loss")
    return x, w, y, loss


def test_which_ops_go_into_which_kernel(graph):
    x, _, _, loss = model()
    (view,) = hf.explain(loss, {x: X}).plans
    assert view.is_native
    assert not view.problem
    assert [step.what for step in view.steps] == ["product_f32", "group"]
    assert [step.ops for step in view.steps] == [("MatMul",), ("add", "y", "mul", "loss")]
    assert view.ops == ("w", "w/read", "MatMul", "add", "y", "mul", "loss")
    assert [kernel.label for kernel in view.kernels] == ["product_f32", "group"]
    assert "def kernel(a):" in view.kernels[1].source
    assert view.fallbacks == []


def test_bytes_and_memory(graph):
    x = hf.placeholder(hf.float32, [None])
    array = np.ones(1000, np.float32)
    (view,) = hf.explain(hf.sqrt(x) + 1.0, {x: array}).plans
    assert [step.bytes for step in view.steps] == [8004]
    assert view.bytes == 8004
    assert view.memory == view.memory_without_reuse == 4032
    # A chain that cannot be fused uses memory again.
    matrix = hf.placeholder(hf.float32, [None, None])
    value = matrix
    for _ in range(6):
        value = hf.matmul(value, matrix)
    square = np.eye(16, dtype=np.float32)
    # Register tiles would have memory of their own.
    config = hf.ConfigProto()
    config.graph_options.optimizer_options.without_loop_passes = ["products by tiles"]
    with hf.Session(config=config) as session:
        (view,) = hf.explain(value, {matrix: square}, session).plans
    assert view.memory_without_reuse == 6 * 1024
    assert view.memory == 2 * 1024
    assert view.bytes == 6 * 3 * 1024


def test_bytes_of_updates_and_of_picked_rows(graph):
    table = hf.get_variable("table", initializer=np.zeros([1000, 8], np.float32))
    ids = hf.placeholder(hf.int64, [None])
    picked = hf.gather(table, ids)
    (view,) = hf.explain(picked, {ids: np.arange(5)}).plans
    assert [step.what for step in view.steps] == ["gather_rows_f32"]
    assert view.bytes == 5 * 8 + 2 * 5 * 32
    (view,) = hf.explain(table.assign_add(hf.ones_like(table)).op).plans
    assert view.bytes == 3 * 1000 * 32


def test_passes_and_times(graph):
    x, _, _, loss = model()
    (view,) = hf.explain(loss, {x: X}).plans
    names = [name for name, _ in view.passes]
    assert names == ["prune", "order", "instructions", "lower", "buffers", "kernels", "link"]
    assert all(0 < seconds < 60 for _, seconds in view.passes)
    assert len(view.times) == len(view.steps)
    assert all(seconds is not None and seconds > 0 for seconds in view.times)
    assert sum(view.times) < view.seconds


def test_fallbacks_are_counted_with_reasons(graph):
    x = hf.placeholder(hf.int32, [None])
    values, _ = hf.unique(x, name="distinct")
    found = hf.explain(values + 1, {x: [1, 2, 1]})
    (view,) = found.plans
    assert view.fallbacks == [("distinct", "no kernel for Unique")]
    assert found.fallbacks == 1
    assert "NumPy: Unique" in str(found)
    assert "(no kernel for Unique)" in str(found)


def test_nothing_of_the_session_changes(graph):
    x, w, _, loss = model()
    train = hf.train.MomentumOptimizer(0.1, 0.9).minimize(loss)
    with hf.Session() as session:
        session.run(hf.global_variables_initializer())
        session.run(train, {x: X})
        before = session.run(hf.global_variables())
        found = hf.explain([loss, train], {x: X})
        assert found.plans[0].is_native
        for one, other in zip(before, session.run(hf.global_variables()), strict=True):
            np.testing.assert_array_equal(one, other)
        # And the session goes on with the program that was made.
        session.run([loss, train], {x: X})
        assert (session.run(w) != before[0]).any()


def test_sessions(graph):
    x, w, _, loss = model()
    with hf.Session() as session:
        # The default session's variables have no values.
        with pytest.raises(hf.errors.FailedPreconditionError, match="w"):
            hf.explain(loss, {x: X})
        session.run(w.initializer)
        assert hf.explain(loss, {x: X}).plans[0].is_native
    # Without a session there is a new one.
    assert hf.explain(loss, {x: X}).plans[0].is_native
    other = hf.Session()
    other.run(w.initializer)
    assert hf.explain([loss], {x: X}, other).plans[0].name == "loss:0"


def test_errors_are_those_of_a_run(graph):
    x, _, _, loss = model()
    with pytest.raises(hf.errors.InvalidArgumentError, match="feed a value for placeholder"):
        hf.explain(loss)
    with pytest.raises(TypeError, match="Fetch argument"):
        hf.explain(3.5, {x: X})


def test_without_a_compiler(graph, monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    x, _, _, loss = model()
    (view,) = hf.explain(loss, {x: X}).plans
    assert not view.is_native
    assert view.problem == "kernels are not compiled here"
    assert [step.ops[0] for step in view.steps][-2:] == ["mul", "loss"]
    assert all(seconds > 0 for seconds in view.times)
    assert view.kernels == []
    assert "interpreted: kernels are not compiled here" in str(hf.explain(loss, {x: X}))


def test_why_there_is_no_program(graph):
    x = hf.placeholder(hf.string, [None])
    (view,) = hf.explain(hf.identity(x), {x: ["a", "b"]}).plans
    assert not view.is_native
    assert view.problem == "a feed that is no array of numbers"


def test_bodies(graph):
    x = hf.placeholder(hf.float32, [])
    y = hf.cond(x > 0.0, lambda: hf.exp(x) * 2.0, lambda: -x)
    (view,) = hf.explain(y, {x: 1.0}).plans
    # One branch has run, which is a part of the program.
    (choice,) = [step for step in view.steps if step.what == "choice"]
    ((name, steps),) = choice.parts
    assert name == "branch 0"
    assert any("Exp" in op for step in steps for op in step.ops)
    assert not view.bodies
    assert not view.fallbacks
    assert "  branch 0: group" in str(hf.explain(y, {x: 1.0}))


def test_bodies_outside(graph):
    x = hf.placeholder(hf.float32, [])
    y = hf.cond(x > 0.0, lambda: hf.py_func(np.exp, [x], hf.float32), lambda: -x)
    (view,) = hf.explain(y, {x: 1.0}).plans
    assert [why for _, why in view.fallbacks] == ["PyFunc inside: no kernel for PyFunc"]
    assert any("PyFunc" in op for body in view.bodies for op in body.ops)
    assert "a body of" in str(hf.explain(y, {x: 1.0}))


def test_loops(graph):
    x = hf.placeholder(hf.float32, [])
    y = hf.while_loop(
        lambda a: a < 100.0, lambda a: hf.cond(a > 9.0, lambda: a * a, lambda: a + x), [x]
    )
    (view,) = hf.explain(y, {x: 2.0}).plans
    (loop,) = [step for step in view.steps if step.what == "loop"]
    assert [name for name, _ in loop.parts] == ["condition", "body"]
    text = str(hf.explain(y, {x: 2.0}))
    assert "  body: choice" in text
    assert "    branch 1: group" in text


def test_functions():
    @hf.function
    def f(x):
        return hf.reduce_sum(hf.tanh(x) * 2.0)

    with hf.eager_mode():
        assert hf.explain(f).plans == []
        for _ in range(3):
            f(hf.constant([1.0, 2.0]))
            native.wait()
        (view,) = hf.explain(f).plans
    assert view.name == "f(float32 (2,))"
    assert view.is_native
    assert view.steps[0].ops == ("Tanh", "mul", "Sum")


def test_the_text(graph):
    x, _, _, loss = model()
    found = hf.explain(loss, {x: X}, source=True)
    text = str(found)
    assert repr(found) == text
    assert text.startswith("loss:0: 7 ops, 2 steps")
    assert "passes: prune" in text
    assert "2 kernels, 0 fallbacks; " in text
    assert "# kernel group of step 1\ndef kernel(a):" in text
    assert "def kernel" not in str(hf.explain(loss, {x: X}))
    console = Console(record=True, width=120, file=io.StringIO())
    console.print(found)
    shown = console.export_text()
    assert "add, y, mul, loss" in shown
    assert "def kernel(a):" in shown


def test_a_recording(graph):
    x, _, _, loss = model()
    train = hf.train.GradientDescentOptimizer(0.1).minimize(loss)
    recording = Recording()
    with recording, hf.Session() as session:
        session.run(hf.global_variables_initializer())
        losses = []
        for number in range(8):
            losses.append(session.run([loss, train], {x: X})[0])
            if number == 1:
                native.wait()
    first, second = recording.explanation().plans
    step, init = (first, second) if first.runs == 8 else (second, first)
    assert (step.runs, init.runs) == (8, 1)
    assert step.is_native
    assert step.name == "loss, GradientDescent"
    assert all(seconds is not None for seconds in (*step.times, *init.times))
    assert not init.is_native
    # What was recorded ran as ever.
    with hf.Session() as session:
        session.run(hf.global_variables_initializer())
        plain = [session.run([loss, train], {x: X})[0] for _ in range(8)]
    np.testing.assert_allclose(losses, plain, rtol=1e-6)
    assert losses == sorted(losses, reverse=True)
    assert len(recording.explanation().plans) == 2


def test_a_program_that_is_ready_after_the_last_run(graph):
    x, _, _, loss = model()
    recording = Recording()
    with recording, hf.Session() as session:
        session.run(hf.global_variables_initializer())
        for _ in range(2):
            session.run(loss, {x: X})
    (view,) = [view for view in recording.explanation().plans if view.name == "loss"]
    assert view.is_native
    assert "ready after the last run: all runs were interpreted" in list(view.summary())[-1]
    assert view.times == [None] * len(view.steps)
