"""Bodies that write to variables, in native programs: what the interpreter does, in its order."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.plan import layout, passes, program
from tests import native
from tests.plan.looping import check, without

F = np.float32
X = np.array([0.5, -1.5, 2.0], F)
RUNS = [(X, np.int32(n)) for n in (3, 4, 1, 0, 6)]


@pytest.fixture(params=["plain", "guarded"], autouse=True)
def kernels(request, monkeypatch):
    """Kernels as Python functions, also with zones around memory."""
    if request.param == "guarded":
        monkeypatch.setenv("HYBRIDFLOW_CHECK_BOUNDS", "1")
    with native.uncompiled_kernels():
        yield


@pytest.fixture(params=[True, False], ids=["resource", "reference"])
def variable(request):
    """Makes a variable of three elements."""

    def make(name="w", value=1.0):
        start = hf.constant_initializer(value)
        return hf.get_variable(name, [3], initializer=start, use_resource=request.param)

    return make


def after(write):
    """The value of a variable after a write."""
    return hf.control_dependencies([write])


def turns(n, body, *first):
    return hf.while_loop(lambda i, *_: i < n, lambda i, *v: (i + 1, *body(i, *v)), [0, *first])


@pytest.mark.parametrize("left_out", [(), passes.OF_LOOPS], ids=["all", "none"])
def test_values_before_and_after_a_write(variable, left_out):
    def build(x, n):
        w = variable()
        start = w + 0.0  # read before the loop

        def body(i, a, b):
            old = hf.identity(w) * x
            with hf.control_dependencies([old]), after(hf.assign_add(w, hf.tanh(a) + start)):
                new = hf.identity(w)
            return new + old, b + old * start

        found = turns(n, body, x, x)
        with hf.control_dependencies([found[1]]):
            return [*found, hf.identity(w), start]

    check(build, *RUNS, config=without(*left_out))


def test_products_with_a_matrix_that_changes():
    def build(x, n):
        w = hf.get_variable("m", initializer=np.eye(3, dtype=F), use_resource=True)

        def body(i, a):
            product = hf.matmul(a, hf.transpose(w.read_value()) * 0.5)
            with after(w.assign_add(hf.matmul(a, product, transpose_a=True) * 0.1)):
                return [hf.tanh(product)]

        found = turns(n, body, hf.expand_dims(x, 0))
        with hf.control_dependencies([found[1]]):
            return [*found, w.read_value()]

    check(build, *RUNS)


def test_branches_that_write(variable):
    def build(x, n):
        w, v = variable(), variable("v", 2.0)
        seen = hf.identity(w)

        def one():
            with after(hf.assign(w, x * seen)):
                return hf.identity(w) + v

        def other():
            with after(hf.assign_sub(v, x)):
                return hf.identity(seen)

        outside = hf.cond(n > 3, one, other)

        def body(i, a):
            return [hf.cond(hf.equal(i % 2, 0), one, other) + a]

        with hf.control_dependencies([outside]):
            found = turns(n, body, x)
        with hf.control_dependencies([found[1]]):
            return [outside, *found, hf.identity(w), hf.identity(v)]

    check(build, *RUNS)


def test_loops_inside_loops_that_write(variable):
    def build(x, n):
        w = variable()

        def inner(i, a):
            with after(hf.assign(w, hf.tanh(w + a))):
                return [a + w]

        def body(i, a):
            found = turns(i, inner, a)[1]
            with after(hf.assign_add(w, found)):
                return [found * hf.identity(w)]

        found = turns(n, body, x)
        with hf.control_dependencies([found[1]]):
            return [*found, hf.identity(w)]

    check(build, *RUNS)


def test_gradients_of_what_each_turn_read():
    def build(x, n):
        w = hf.get_variable("w", initializer=X, use_resource=True)

        def body(i, a):
            value = w.read_value()
            with hf.control_dependencies([value]), after(w.assign_add(a)):
                return [hf.sin(a * value) + x * w]

        y = turns(n, body, x)[1]
        return [y, *hf.gradients(y, [x])]

    check(build, *RUNS)


def test_training_inside_a_loop():
    def build(x, n):
        w = hf.get_variable("w", initializer=X, use_resource=True)
        optimizer = hf.train.MomentumOptimizer(0.1, 0.9)

        def body(i, loss):
            error = hf.reduce_sum(hf.square(w * x - 1.0))
            with after(optimizer.minimize(error, var_list=[w])):
                return [hf.identity(error)]

        # The slots are made before the loop.
        optimizer.minimize(hf.reduce_sum(w * 1.0), var_list=[w])
        found = turns(n, body, 0.0)
        with hf.control_dependencies([found[1]]):
            return [*found, w.read_value()]

    check(build, *RUNS)


@pytest.fixture
def impatient(monkeypatch):
    """Loops pause after each turn."""
    monkeypatch.setattr(layout, "UNTIL_PAUSE", 0)
    monkeypatch.setattr(program, "UNTIL_PAUSE", 0)


def summing(table, n):
    """A loop that adds a row of a table to a variable in each turn."""
    w = hf.get_variable("w", [], initializer=hf.zeros_initializer(), use_resource=True)

    def body(i, a):
        with after(w.assign_add(1.0)), after(w.assign_add(hf.gather(table, i))):
            return [w.read_value()]

    return w, turns(n, body, 0.0)[1]


@pytest.mark.usefixtures("impatient")
def test_an_error_or_an_interrupt_undoes_what_was_written(monkeypatch):
    with hf.Graph().as_default(), hf.Session() as session:
        n = hf.placeholder(hf.int32, [])
        w, y = summing(hf.constant(X), n)
        session.run(w.initializer)
        for _ in range(3):
            before = session.run(y, {n: 3})
        with pytest.raises(hf.errors.InvalidArgumentError, match="In turn 3 of the body"):
            session.run(y, {n: 5})
        assert session.run(w) == before
        pauses = []

        def interrupted(self, *args):
            pauses.append(None)
            if len(pauses) == 2:
                raise KeyboardInterrupt
            return real(self, *args)

        real = program.Program._go_on
        with monkeypatch.context() as patch:
            patch.setattr(program.Program, "_go_on", interrupted)
            with pytest.raises(KeyboardInterrupt):
                session.run(y, {n: 3})
        assert session.run(w) == before
        assert session.run(y, {n: 3}) == before + 4.0
