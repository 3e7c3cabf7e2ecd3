"""Control flow inside native programs: what it gives is what the interpreter gives."""

from __future__ import annotations

import re

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.plan import layout, program
from hybridflow._src.plan.plan import Plan
from hybridflow._src.plan.steps import Loop
from tests import native
from tests.plan.looping import check
from tests.plan.sessions import plan_of

F = np.float32
X = np.array([0.5, -1.5, 2.0], F)


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


def ints(*values):
    return [(X, np.int32(value)) for value in values]


def counting(n, x):
    return hf.while_loop(lambda i, a: i < n, lambda i, a: (i + 1, hf.tanh(a) + x), [0, x])


# -- one of several --------------------------------------------------------------------------------


def test_cond_runs_one_of_two_branches():
    def build(x):
        y = hf.cond(hf.reduce_sum(x) > 0.0, lambda: hf.tanh(x) * 2.0, lambda: -x)
        return [y * 3.0, *hf.gradients(y, [x])]

    # The second branch is not known when the program is made.
    check(build, [X], [-X], [X], [-X], [-X])


def test_branches_give_what_they_capture_and_constants():
    def build(x):
        two = hf.constant(np.ones(3, F))
        flag = hf.reduce_sum(x) > 0.0
        return list(hf.cond(flag, lambda: (x, two, two), lambda: (two, x, x)))

    check(build, [X], [-X], [X], [-X], [X])


def test_case_runs_the_first_that_is_true():
    def build(x, i):
        pairs = [(hf.equal(i, k), lambda k=k: x * float(k)) for k in range(3)]
        inner = hf.cond(i > 5, lambda: x, lambda: x + 1.0)
        return [hf.case(pairs, default=lambda: hf.cond(i > 5, lambda: inner, lambda: x - 1.0))]

    check(build, *ints(*[0, 1, 2, 4, 9, 4, 9] * 2))


def test_a_branch_that_fails_says_why():
    def build(x, i):
        return [hf.cond(i >= 0, lambda: hf.gather(x, i), lambda: 0.0)]

    with hf.Graph().as_default(), hf.Session() as session:
        i = hf.placeholder(hf.int32, [])
        y = build(hf.constant(X), i)
        for k in (0, 1, 2):
            session.run(y, {i: k})
            native.wait()
        with pytest.raises(hf.errors.InvalidArgumentError, match=r"5 is not in \[0, 3\)"):
            session.run(y, {i: 5})
        assert session.run(y, {i: 1}) == [X[1]]


# -- loops -----------------------------------------------------------------------------------------


def test_a_loop_takes_as_many_turns_as_its_condition_says():
    plan = check(lambda x, n: counting(n, x), *ints(5, 0, 1, 2, 3, 40, 0, 4))
    (made,) = native.programs(plan)
    assert any(isinstance(step, Loop) for _, step in made.steps)


def test_a_loop_of_no_turns_learns_of_its_body_later():
    check(lambda x, n: counting(n, x), *ints(0, 0, 3, 3, 4, 0))


def test_programs_of_several_shapes():
    runs = [(np.ones(k, F), np.int32(4)) for k in (3, 5, 3, 5, 3, 5, 7, 7, 7)]
    check(lambda x, n: counting(n, x), *runs)


@pytest.mark.parametrize("dtype", [np.float64, np.int32, np.int64, np.float16, np.uint8])
def test_dtypes(dtype):
    def build(x, n):
        return hf.while_loop(lambda i, a, b: i < n, lambda i, a, b: (i + 1, b, a + b), [0, x, x])

    check(build, *[(X.astype(dtype), np.int32(k)) for k in (3, 4, 7)])


def test_variables_of_a_loop_change_places_pass_through_and_become_constant():
    def build(x, n):
        def body(i, a, b, c, d, e):
            return i + 1, b, a, c, hf.zeros([3]), x

        first = [0, x, x * 2.0, x * 3.0, x * 4.0, x * 5.0]
        return list(hf.while_loop(lambda i, *_: i < n, body, first))

    check(build, *ints(3, 0, 1, 2, 3, 4, 5))


def test_one_value_for_two_variables():
    def build(x, n):
        def body(i, a, b):
            y = hf.tanh(a) - b
            return i + 1, y, y

        return list(hf.while_loop(lambda i, *_: i < n, body, [0, x, x]))

    check(build, *ints(3, 0, 1, 2, 3, 4, 5))


def test_captured_values_views_and_variables():
    def build(x, n):
        w = hf.get_variable("w", [3], initializer=hf.constant_initializer(1.5), use_resource=True)
        turned = hf.transpose(hf.stack([x, x * 2.0]))

        def body(i, a):
            return i + 1, hf.tanh(a * w) + turned[:, 1] + hf.reduce_sum(turned[1:])

        return list(hf.while_loop(lambda i, a: (i < n) & (hf.reduce_sum(w) > 0.0), body, [0, x]))

    check(build, *ints(3, 0, 1, 2, 3))


@pytest.mark.parametrize("kernels", ["compiled", "guarded"], indirect=True)
def test_loops_in_loops_and_in_branches():
    def build(x, n):
        def body(i, a):
            _, b = hf.while_loop(
                lambda j, b: j < i, lambda j, b: (j + 1, hf.tanh(b) + a), [0, a * 0.5]
            )
            return i + 1, hf.cond(hf.reduce_sum(b) > 0.0, lambda: b - 1.0, lambda: b + 1.0)

        whole = hf.cond(n > 3, lambda: counting(n, x)[1], lambda: x)
        return [*hf.while_loop(lambda i, a: i < n, body, [0, x]), whole]

    check(build, *ints(5, 0, 1, 2, 6, 4))


def test_map_fn_scan_and_folds():
    def build(x):
        rows = hf.map_fn(lambda r: hf.cond(r > 0.0, lambda: r * r, lambda: -r), x)
        sums = hf.scan(lambda a, r: hf.tanh(a + r), x)
        left = hf.foldl(lambda a, r: a * 0.5 + r, x)
        right = hf.foldr(lambda a, r: a * 0.5 + r, x, hf.constant(1.0))
        return [rows, sums, left, right]

    check(build, [X], [-X], [X * 2])


def test_a_product_in_a_loop():
    def build(x, n):
        w = hf.reshape(hf.range(9.0) * 0.1, [3, 3])
        return hf.while_loop(
            lambda i, a: i < n, lambda i, a: (i + 1, hf.matmul(a, w)), [0, hf.expand_dims(x, 0)]
        )

    check(build, *ints(5, 0, 1, 2))


# -- gradients -------------------------------------------------------------------------------------


def test_gradients_of_loops_and_room_for_many_turns():
    def build(x, n):
        y = counting(n, x)[1]
        first = hf.gradients(y, [x])
        return [y, *first]

    check(build, *ints(5, 1, 3, 10, 40, 40, 7, 40))


@pytest.mark.parametrize("kernels", ["compiled", "guarded"], indirect=True)
def test_gradients_with_branches_and_captured_weights():
    def build(x, n):
        w = hf.get_variable("w", [3], initializer=hf.constant_initializer(0.7), use_resource=True)

        def body(i, a):
            b = hf.tanh(a * w)
            return i + 1, hf.cond(hf.reduce_sum(b) > 0.0, lambda: b * a, lambda: b - w)

        y = hf.while_loop(lambda i, a: i < n, body, [0, x])[1]
        return hf.gradients(y, [x, w])

    check(build, *ints(5, 1, 3, 6))


def test_what_is_the_same_in_all_turns_is_kept_once():
    def build(x, n):
        w = hf.get_variable("w", [3, 3], initializer=hf.ones_initializer(), use_resource=True)

        def body(i, a):
            inner = hf.cond(i > 1, lambda: hf.sin(a), lambda: a * x)
            return i + 1, hf.tanh(hf.matmul(inner, w)[:, ::-1] * x)

        y = hf.while_loop(lambda i, a: i < n, body, [0, hf.ones([2, 3])])[1]
        grads = hf.gradients(y, [w, x])
        update = w.assign_sub(0.1 * grads[0])
        with hf.control_dependencies([update]):
            return [y, *grads, w.read_value()]

    plan = check(build, *ints(5, 1, 3, 0, 6))
    (made, *_) = native.programs(plan)
    loop = next(step for _, step in made.steps if isinstance(step, Loop))
    assert (3, 3) not in [stack.shape[1:] for stack in loop.stacks]


def test_gradients_of_scan_and_map_fn():
    def build(x):
        y = hf.scan(lambda a, r: hf.tanh(a + r) * r, x)
        z = hf.map_fn(lambda r: r * r, x)
        return hf.gradients(hf.reduce_sum(y * y) + hf.reduce_sum(z * z), [x])

    check(build, [X], [-X], [X * 2])


def test_gradients_of_loops_in_loops():
    def build(x, n):
        def body(i, a):
            inner = hf.while_loop(lambda j, b: j < i, lambda j, b: (j + 1, hf.tanh(b) + a), [0, a])
            return i + 1, inner[1] * 0.5

        y = hf.while_loop(lambda i, a: i < n, body, [0, x])[1]
        return [y, *hf.gradients(y, [x])]

    check(build, *ints(5, 1, 3, 4))


# -- what runs meanwhile ---------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch):
    """Loops pause after each turn."""
    monkeypatch.setattr(layout, "UNTIL_PAUSE", 0)
    monkeypatch.setattr(program, "UNTIL_PAUSE", 0)


@pytest.mark.usefixtures("impatient")
def test_a_loop_goes_on_where_it_paused():
    def build(x, n):
        def body(i, a):
            inner = hf.while_loop(lambda j, b: j < i, lambda j, b: (j + 1, hf.tanh(b) + a), [0, a])
            return i + 1, hf.cond(i > 2, lambda: inner[1], lambda: counting(i, inner[1])[1])

        y = hf.while_loop(lambda i, a: i < n, body, [0, x])[1]
        return [y, *hf.gradients(counting(n, x)[1], [x])]

    check(build, *ints(5, 1, 3, 4, 0))


@pytest.mark.usefixtures("impatient")
def test_a_run_that_was_interrupted_in_a_pause_leaves_nothing(monkeypatch):
    with hf.Graph().as_default(), hf.Session() as session:
        n = hf.placeholder(hf.int32, [])
        y = counting(n, hf.constant(X))[1]
        wanted = session.run(y, {n: 9})
        session.run(y, {n: 9})
        native.wait()
        pauses = []
        real = program.Program._go_on

        def interrupted(self, *args):
            pauses.append(None)
            if len(pauses) == 5:
                raise KeyboardInterrupt
            return real(self, *args)

        monkeypatch.setattr(program.Program, "_go_on", interrupted)
        with pytest.raises(KeyboardInterrupt):
            session.run(y, {n: 9})
        np.testing.assert_allclose(session.run(y, {n: 9}), wanted, rtol=1e-6)
        assert len(pauses) == 14


# -- what stays with NumPy -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "why"),
    [
        (
            lambda x, n: hf.while_loop(
                lambda i, a: i < n,
                lambda i, a: (i + 1, hf.concat([a, x], 0)),
                [0, x],
                shape_invariants=[hf.TensorShape([]), hf.TensorShape([None])],
            ),
            "While: a loop variable whose shape changes",
        ),
        (
            lambda x, n: hf.while_loop(
                lambda i, a: i < n, lambda i, a: (i + 1, hf.Print(a, [i], "turn") + x), [0, x]
            ),
            "While: Print inside: no kernel for Print",
        ),
        (
            lambda x, n: hf.while_loop(
                lambda i, a: i < n,
                lambda i, a: (i + 1, hf.reshape(hf.py_func(np.tanh, [a], hf.float32), [3])),
                [0, x],
            ),
            "While: PyFunc inside: no kernel for PyFunc",
        ),
    ],
)
def test_what_has_no_kernel_leaves_the_loop_to_numpy(build, why):
    check(lambda x, n: [*build(x, n), hf.tanh(x)], *ints(2, 3, 1), fallbacks=[why])


@pytest.mark.parametrize("kernels", ["compiled"], indirect=True)
def test_large_work_inside_is_shared_among_threads_outside():
    x = np.full((300, 300), 0.01, F)
    config = hf.ConfigProto(intra_op_parallelism_threads=2)

    def build(x):
        # Each column of the result is made of all rows.
        return hf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, hf.matmul(x, a)), [0, x])

    check(build, [x], fallbacks=["While: work that threads share"], config=config)


# -- errors and room -------------------------------------------------------------------------------


@pytest.fixture
def turns_of_bodies(monkeypatch):
    """How often each body was run from Python."""
    counts = {}
    real = Plan.run_silenced

    def run_silenced(plan, feeds, owned=False):
        if not owned:  # what a session asks for
            counts[plan] = counts.get(plan, 0) + 1
        return real(plan, feeds, owned)

    monkeypatch.setattr(Plan, "run_silenced", run_silenced)
    return counts


def reading(n, table):
    """A loop that reads a row in each turn."""
    return hf.while_loop(
        lambda i, a: i < n, lambda i, a: (i + 1, a + hf.gather(table, i)), [0, hf.constant(0.0)]
    )


def test_an_error_in_a_turn_names_it_and_is_looked_for_there(turns_of_bodies):
    with hf.Graph().as_default(), hf.Session() as session:
        n = hf.placeholder(hf.int32, [])
        y = reading(n, hf.constant(np.arange(20, dtype=F)))[1]
        for _ in range(3):
            assert session.run(y, {n: 15}) == 105
            native.wait()
        turns_of_bodies.clear()
        with pytest.raises(hf.errors.InvalidArgumentError) as caught:
            session.run(y, {n: 30})
        # The condition and the body, once each.
        assert sorted(turns_of_bodies.values()) == [1, 1]
        message = str(caught.value)
        assert "20 is not in [0, 20)" in message
        assert "(In turn 20 of the body of while_loop 'while'.)" in message
        assert "hf.gather(table, i)" in message
        assert session.run(y, {n: 15}) == 105


def test_turns_beyond_the_room_are_interpreted_once(turns_of_bodies):
    with hf.Graph().as_default(), hf.Session() as session:
        n = hf.placeholder(hf.int32, [])
        x = hf.constant(X)
        y = hf.gradients(counting(n, x)[1], [x])
        for _ in range(3):
            session.run(y, {n: 5})
            native.wait()
        turns_of_bodies.clear()
        session.run(y, {n: 40})
        native.wait()
        # Of the loop there are those from the 16th on; its gradient runs as a whole.
        assert sorted(turns_of_bodies.values()) == [24, 25, 40, 41]
        turns_of_bodies.clear()
        session.run(y, {n: 60})
        assert not turns_of_bodies


def test_the_interpreter_names_the_turn_of_each_loop():
    def body(i, a):
        table = hf.constant(np.arange(4, dtype=F))
        return i + 1, a + reading(i, table)[1]

    with native.interpreter_alone(), hf.Graph().as_default(), hf.Session() as session:
        y = hf.while_loop(lambda i, a: i < 9, body, [0, hf.constant(0.0)])[1]
        with pytest.raises(hf.errors.InvalidArgumentError) as caught:
            session.run(y)
        turns = re.findall(r"In turn (\d+) of", caught.value.message)
        assert turns == ["4", "5"]


def test_what_is_asserted_is_checked_in_each_turn(turns_of_bodies):
    """An error says the turn and the line; what was written before is undone, and what Python was
    called for is not called again.
    """
    calls = []

    def called(x):
        calls.append(x)
        return x

    with hf.Graph().as_default(), hf.Session() as session:
        x, most = hf.placeholder(hf.float32, [3]), hf.placeholder(hf.int32, [])
        start = hf.reshape(hf.py_func(called, [x], hf.float32), [3])
        count = hf.get_variable("count", initializer=0.0, use_resource=True)

        def body(i, a):
            with hf.control_dependencies([hf.Assert(i < most, ["too many:", i])]):
                return i + 1, hf.tanh(a)

        with hf.control_dependencies([count.assign_add(1.0)]):
            y = hf.while_loop(lambda i, a: i < 6, body, [0, start])[1]
        session.run(hf.global_variables_initializer())
        for _ in range(3):
            wanted = session.run(y, {x: X, most: 6})
            native.wait()
        assert native.fallbacks(plan_of(session, y)) == ["PyFunc: no kernel for PyFunc"]
        turns_of_bodies.clear()
        with pytest.raises(hf.errors.InvalidArgumentError) as caught:
            session.run(y, {x: X, most: 4})
        assert "too many:] [4]" in str(caught.value)
        assert "(In turn 4 of the body of while_loop 'while'.)" in str(caught.value)
        assert "hf.Assert(i < most" in str(caught.value)
        assert sorted(turns_of_bodies.values()) == [1, 1]
        assert len(calls) == 4
        assert session.run(count) == 3.0
        np.testing.assert_array_equal(session.run(y, {x: X, most: 6}), wanted)
