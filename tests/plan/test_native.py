"""Native programs: what a run gives, keeps and leaves is what the interpreter would."""

from __future__ import annotations

import sys
import threading

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.kernels.compiler import COMPILER
from tests import native


@pytest.fixture(params=["compiled", "uncompiled"], autouse=True)
def kernels(request):
    """Each test runs with compiled kernels, and with kernels as Python functions."""
    if request.param == "compiled":
        yield request.param
        return
    with native.uncompiled_kernels():
        yield request.param


@pytest.fixture
def switch_often():
    """Python changes threads often."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def session():
    with hf.Graph().as_default(), hf.Session() as session:
        yield session


def plan_of(session, fetches):
    """The plan of the last runnable that fetches these."""
    wanted = fetches if isinstance(fetches, list) else [fetches]
    for runnable in reversed(session._runnables.values()):
        found = [*runnable.fetches.tensors, *runnable.fetches.operations]
        if all(item in found for item in wanted):
            return runnable.plan
    raise AssertionError("not run yet")


def run_native(session, fetches, feed_dict=None):
    """Runs until the program has taken over, and then once more."""
    for _ in range(2):
        session.run(fetches, feed_dict)
    native.wait()
    plan = plan_of(session, fetches)
    assert native.programs(plan), native.fallbacks(plan)
    return session.run(fetches, feed_dict)


X = np.linspace(-2, 2, 15, dtype=np.float32).reshape(3, 5)


class TestValues:
    def test_elementwise_work_and_reductions_are_one_kernel(self, session):
        x = hf.placeholder(hf.float32, [None, 5])
        y = hf.nn.softmax(hf.tanh(x) * 2.0 + 1.0)
        total = hf.reduce_sum(y * y)
        found = run_native(session, [y, total], {x: X})
        plan = plan_of(session, [y, total])
        assert not native.fallbacks(plan)
        assert len(native.programs(plan)[0].steps) == 1
        logits = np.tanh(X) * 2 + 1
        wanted = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        np.testing.assert_allclose(found[0], wanted, rtol=2e-6)
        np.testing.assert_allclose(found[1], (wanted**2).sum(), rtol=2e-6)

    def test_scalars_of_strings_are_fetched_as_bytes(self, session):
        """Constants and what host steps give are handed over like arrays of kernels."""
        joined = hf.string_join(["a", "b"])
        for fetches in (joined, [joined, hf.constant("c")]):
            before = session.run(fetches)
            assert repr(run_native(session, fetches)) == repr(before)
            assert "array" not in repr(before)

    def test_large_results_stay_though_only_a_view_is_left(self, session):
        x = hf.placeholder(hf.float32, [100, 100])
        y = x + 1.0
        rows = [run_native(session, y, {x: np.full((100, 100), 1.0, np.float32)})[3:]]
        rows += [
            session.run(y, {x: np.full((100, 100), float(n), np.float32)})[3:] for n in range(2, 8)
        ]
        for number, row in enumerate(rows, 1):
            assert (row == number + 1).all()

    @pytest.mark.parametrize(
        "value", [np.nan, np.inf, -np.inf, -0.0, 0.0, 1e-45, 3.4e38], ids=lambda v: f"{v}"
    )
    def test_special_values(self, session, value):
        x = hf.placeholder(hf.float32, [5])
        ys = [x + 1.0, x * x, -x, hf.maximum(x, 0.0), hf.minimum(x, 1.0), hf.exp(x), hf.sign(x)]
        ys += [hf.reduce_max(x), hf.reduce_sum(x), hf.nn.softmax(x), hf.sqrt(x), 1.0 / x]
        feed = {x: np.array([value, 1, value, 0.5, -3], np.float32)}
        expected = session.run(ys, feed)
        for found, wanted in zip(run_native(session, ys, feed), expected, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=3e-7)
            finite = np.isfinite(wanted) & (wanted != 0)
            assert (np.signbit(found) == np.signbit(wanted))[finite].all()

    @pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint8, np.bool_, np.float64])
    def test_dtypes(self, session, dtype):
        values = np.array([[0, 1, 2], [3, 250, 7]]).astype(dtype)
        x = hf.placeholder(values.dtype.name, [2, 3])
        y = hf.cast(x, hf.float32) + 1.0 if dtype is np.bool_ else x + x * x
        z = hf.reduce_any(x, 1) if dtype is np.bool_ else hf.reduce_max(x, 1)
        expected = session.run([y, z], {x: values})
        for found, wanted in zip(run_native(session, [y, z], {x: values}), expected, strict=True):
            np.testing.assert_array_equal(found, wanted, strict=True)

    def test_every_broadcast(self, session):
        shapes = [(2, 3, 4), (4,), (3, 1), (2, 1, 1), (1, 3, 4), ()]
        xs = [hf.placeholder(hf.float64, shape) for shape in shapes]
        rng = np.random.default_rng(0)
        feed = {x: rng.normal(size=s) for x, s in zip(xs, shapes, strict=True)}
        ys = [a * b + a for a in xs for b in xs]
        expected = session.run(ys, feed)
        for found, wanted in zip(run_native(session, ys, feed), expected, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-14)

    @pytest.mark.parametrize(
        "axis",
        [None, 0, 1, 2, 3, [0, 1], [1, 2], [2, 3], [0, 2], [1, 3], [0, 3], [0, 1, 3], [0, 2, 3]],
        ids=str,
    )
    @pytest.mark.parametrize("keepdims", [False, True])
    def test_reductions_over_any_axes(self, session, axis, keepdims):
        x = hf.placeholder(hf.float64, [2, 3, 4, 5])
        ys = [f(x * x, axis, keepdims) for f in (hf.reduce_sum, hf.reduce_max, hf.reduce_mean)]
        feed = {x: np.random.default_rng(1).normal(size=(2, 3, 4, 5))}
        expected = session.run(ys, feed)
        found = run_native(session, ys, feed)
        assert not native.fallbacks(plan_of(session, ys))
        for value, wanted in zip(found, expected, strict=True):
            np.testing.assert_allclose(value, wanted, rtol=1e-14)

    @pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int32, np.uint8])
    def test_reductions_over_middle_axes(self, session, dtype):
        x = hf.placeholder(np.dtype(dtype).name, [2, 3, 4])
        flags = hf.greater(x, hf.ones_like(x))
        ys = [f(x, 1) for f in (hf.reduce_sum, hf.reduce_max, hf.reduce_min, hf.reduce_prod)]
        ys += [hf.reduce_any(flags, 1), hf.reduce_all(flags, 1)]
        values = np.arange(24).reshape(2, 3, 4).astype(dtype)
        if values.dtype.kind == "f":
            values[0, 2, 1:] = [np.nan, np.inf, -0.0]
        expected = session.run(ys, {x: values})
        found = run_native(session, ys, {x: values})
        assert not native.fallbacks(plan_of(session, ys))
        for value, wanted in zip(found, expected, strict=True):
            np.testing.assert_array_equal(value, wanted, strict=True)

    def test_views_and_parts(self, session):
        x = hf.placeholder(hf.float32, [3, 5])
        turned = hf.transpose(x)
        ys = [
            turned + 1.0,
            hf.reshape(turned, [15]),
            x[::2, 1:4] * 2.0,
            x[::-1],
            hf.concat([x, x * 2.0], 1),
            hf.stack([x, -x], 1),
            hf.pad(x, [[1, 0], [0, 2]]),
            hf.unstack(x)[1],
            hf.split(x, 3)[2],
            hf.gradients(hf.reduce_sum(x[1:, 2] ** 2.0), x)[0],
            hf.one_hot([1, 0, 7], 3) + x[:, :3],
            hf.matmul(x, x, transpose_b=True),
            hf.matmul(turned, x),
            hf.gather(x, [2, 0, 2]),
        ]
        expected = session.run(ys, {x: X})
        found = run_native(session, ys, {x: X})
        assert not native.fallbacks(plan_of(session, ys))
        for value, wanted in zip(found, expected, strict=True):
            np.testing.assert_allclose(value, wanted, rtol=1e-6)

    def test_feeds_that_are_not_contiguous(self, session):
        x = hf.placeholder(hf.float32, [5, 3])
        y = x * 2.0
        run_native(session, y, {x: X.T.copy()})
        np.testing.assert_array_equal(session.run(y, {x: X.T}), X.T * 2)
        np.testing.assert_array_equal(session.run(y, {x: X.T.tolist()}), X.T * 2)

    def test_large_feeds_are_not_copied_or_written(self, session):
        x = hf.placeholder(hf.float32, [None])
        v = hf.get_variable("v", [100_000], initializer=hf.zeros_initializer())
        train = v.assign_add(x)
        session.run(hf.global_variables_initializer())
        values = np.ones(100_000, np.float32)
        values.flags.writeable = False
        run_native(session, train.op, {x: values})
        assert (values == 1).all()
        assert (session.run(v) == 3).all()


class TestShapes:
    def test_a_new_batch_size_needs_no_new_kernels(self, session):
        x = hf.placeholder(hf.float32, [None, 5])
        w = hf.constant(np.ones((5, 4), np.float32))
        y = hf.nn.log_softmax(hf.nn.relu(hf.matmul(x, w) + hf.constant([1.0, 2, 3, 4])))
        loss = hf.reduce_mean(y)
        grad = hf.gradients(loss, x)[0]
        for size in (3, 7, 1, 2):
            batch = np.resize(X, (size, 5))
            expected = session.run([loss, grad], {x: batch})
            found = run_native(session, [loss, grad], {x: batch})
            for value, wanted in zip(found, expected, strict=True):
                np.testing.assert_allclose(value, wanted, rtol=1e-5, atol=1e-7)
            if size == 3:
                before = COMPILER.compiled + COMPILER.loaded
        assert len(native.programs(plan_of(session, [loss, grad]))) == 4
        assert COMPILER.compiled + COMPILER.loaded == before

    def test_empty_arrays_are_left_to_the_interpreter(self, session):
        x = hf.placeholder(hf.float32, [None, 5])
        y = hf.reduce_max(x * 2.0, 0)
        for _ in range(3):
            assert (session.run(y, {x: np.zeros((0, 5))}) == -np.inf).all()
            native.wait()
        found = native.fallbacks(plan_of(session, y))
        assert found == ["Mul: empty arrays", "Max: an input that is no array"]

    @pytest.mark.parametrize("begins_empty", [True, False])
    def test_what_has_nothing_to_do_with_empty_arrays_runs_natively(self, session, begins_empty):
        x = hf.placeholder(hf.float32, [4])
        picked = hf.boolean_mask(x, x > 3.0)
        many = hf.tanh(x) * 2.0 + hf.cast(hf.size(picked), hf.float32)
        turns = hf.while_loop(lambda i, a: i < 5, lambda i, a: (i + 1, hf.tanh(a)), [0, many])[1]
        fetches = [turns, picked, hf.reduce_sum(picked * 2.0)]
        nothing, some = np.arange(4.0) - 2.0, np.arange(4.0) + 2.0
        runs = [nothing, some] if begins_empty else [some, nothing]
        for value in [runs[0], runs[0], *runs, *runs[::-1], *runs]:
            found = session.run(fetches, {x: value})
            native.wait()
            wanted = np.tanh(value) * 2.0 + (value > 3.0).sum()
            for _ in range(5):
                wanted = np.tanh(wanted)
            np.testing.assert_allclose(found[0], wanted, rtol=1e-5)
            np.testing.assert_array_equal(found[1], value[value > 3.0])
            assert found[2] == 2.0 * value[value > 3.0].sum()
        plan = plan_of(session, fetches)
        assert "While" not in {problem.partition(":")[0] for problem in native.fallbacks(plan)}
        (made,) = native.programs(plan)
        assert not made.is_outdated

    def test_a_shape_that_depends_on_values_may_change(self, session):
        x = hf.placeholder(hf.float32, [4])
        noise = hf.random_uniform([], seed=1)
        chosen = hf.boolean_mask(x, x > 0.0) * 2.0
        run_native(session, [chosen, noise], {x: [1, -1, 2, -2]})
        found = session.run([chosen, noise], {x: [1, 1, 2, 3]})
        np.testing.assert_array_equal(found[0], [2, 2, 4, 6])
        # The random op ran once in that run, although the program was given up in the middle.
        with hf.Session(graph=session.graph) as other:
            for _ in range(4):
                drawn = other.run(noise)
        assert found[1] == drawn


class TestVariables:
    def test_updates_are_in_place_and_what_was_fetched_stays(self, session):
        v = hf.get_variable("v", initializer=hf.constant(np.round(X)))
        other = hf.get_variable("other", initializer=hf.zeros([3, 5]))
        step = hf.group(v.assign_add(hf.ones([3, 5])))
        copy = other.assign(v)
        session.run(hf.global_variables_initializer())
        run_native(session, step)
        seen = session.run(v)
        session.run(copy)
        np.testing.assert_array_equal(seen, np.round(X) + 3)
        session.run(step)
        session.run(step)
        np.testing.assert_array_equal(seen, np.round(X) + 3)
        np.testing.assert_array_equal(session.run(other), np.round(X) + 3)
        np.testing.assert_array_equal(session.run(v), np.round(X) + 5)

    def test_a_read_gives_the_value_from_before_the_step(self, session):
        v = hf.get_variable("v", initializer=hf.constant([1.0, 2.0]), use_resource=True)
        before = v.read_value()
        doubled = before * 2.0
        with hf.control_dependencies([v.assign(doubled)]):
            after = v.read_value()
        session.run(hf.global_variables_initializer())
        expected = np.array([1.0, 2.0])
        for _ in range(5):
            found = session.run([before, doubled, after, before + after])
            wanted = [expected, expected * 2, expected * 2, expected * 3]
            for value, want in zip(found, wanted, strict=True):
                np.testing.assert_array_equal(value, want)
            expected = expected * 2
            native.wait()

    def test_values_set_from_outside_are_seen(self, session):
        v = hf.get_variable("v", initializer=hf.zeros([3]))
        step = v.assign_add([1.0, 1.0, 1.0]).op
        session.run(hf.global_variables_initializer())
        run_native(session, step)
        v.load(np.array([5, 6, 7], np.float32), session)
        session.run(step)
        np.testing.assert_array_equal(session.run(v), [6, 7, 8])

    @pytest.mark.parametrize("limit", [1e-3, 5.0, 1e3])
    @pytest.mark.parametrize("special", [2.0, -0.0, np.nan, np.inf])
    def test_columns_within_and_beyond_their_limit(self, session, limit, special):
        # Scales of 1 for all columns, for some, for none: a product with ones alone is spared.
        start = np.linspace(2, 6, 12).reshape(4, 3)
        start[1, 2] = special
        v = hf.get_variable("v", initializer=start)
        scale = hf.minimum(hf.reduce_max(hf.abs(v), 0), limit) / hf.reduce_max(hf.abs(v), 0)
        step = hf.assign(v, v * scale)
        session.run(v.initializer)
        expected = session.run(step)
        run_native(session, step)
        v.load(start, session)
        np.testing.assert_array_equal(session.run(step), expected)
        np.testing.assert_array_equal(np.signbit(session.run(v)), np.signbit(expected))

    def test_an_uninitialized_variable_is_an_error(self, session):
        v = hf.get_variable("v", initializer=hf.zeros([3]))
        step = v.assign_add([1.0, 1.0, 1.0]).op
        for _ in range(3):
            with pytest.raises(hf.errors.FailedPreconditionError, match="'v'"):
                session.run(step)
            native.wait()
        session.run(hf.global_variables_initializer())
        run_native(session, step)
        np.testing.assert_array_equal(session.run(v), [3, 3, 3])

    def test_a_bad_index_names_op_and_index_and_changes_nothing(self, session):
        v = hf.get_variable("v", initializer=hf.zeros([3, 2]))
        count = hf.get_variable("count", initializer=0)
        rows = hf.placeholder(hf.int32, [2])
        counted = count.assign_add(1)
        with hf.control_dependencies([counted]):
            step = hf.scatter_add(v, rows, hf.ones([2, 2])).op
        picked = hf.gather(v, rows, name="picked")
        session.run(hf.global_variables_initializer())
        run_native(session, step, {rows: [0, 2]})
        for bad in ([0, 3], [-1, 0]):
            with pytest.raises(hf.errors.InvalidArgumentError, match=r"indices\[[01]\] = (3|-1)"):
                session.run(step, {rows: bad})
        assert session.run(count) == 3
        np.testing.assert_array_equal(session.run(v)[:, 0], [3, 0, 3])
        run_native(session, picked, {rows: [0, 2]})
        with pytest.raises(hf.errors.InvalidArgumentError) as caught:
            session.run(picked, {rows: [0, 3]})
        assert caught.value.op is picked.op

    def test_a_failing_op_after_a_write_takes_it_back(self, session):
        v = hf.get_variable("v", initializer=hf.zeros([2]), use_resource=True)
        x = hf.placeholder(hf.float32, [2])
        with hf.control_dependencies([v.assign_add(x)]):
            checked = hf.Assert(hf.reduce_all(hf.is_finite(v.read_value())), ["bad"])
        session.run(hf.global_variables_initializer())
        run_native(session, checked, {x: [1, 1]})
        with pytest.raises(hf.errors.InvalidArgumentError, match="bad"):
            session.run(checked, {x: [np.nan, 1]})
        np.testing.assert_array_equal(session.run(v), [3, 3])
        session.run(checked, {x: [1, 1]})
        np.testing.assert_array_equal(session.run(v), [4, 4])

    def test_what_a_numpy_meaning_wrote_is_taken_back_too(self, session):
        count = hf.get_variable("count", initializer=0)
        x = hf.placeholder(hf.float32, [2])
        with hf.control_dependencies([hf.count_up_to(count, 100)]):
            checked = hf.Assert(hf.reduce_all(x > 0.0), ["bad"])
        session.run(hf.global_variables_initializer())
        run_native(session, checked, {x: [1, 1]})
        assert "CountUpTo" in str(native.fallbacks(plan_of(session, checked)))
        with pytest.raises(hf.errors.InvalidArgumentError, match="bad"):
            session.run(checked, {x: [-1, 1]})
        assert session.run(count) == 3

    def test_another_thread_reads_no_torn_value(self, session, kernels, switch_often):
        # A kernel runs for long enough that a reader that did not wait would meet it.
        size, steps = {"compiled": (1_000_000, 100), "uncompiled": (300, 30)}[kernels]
        v = hf.get_variable("v", [size], initializer=hf.zeros_initializer())
        step = v.assign_add(hf.ones([size])).op
        session.run(hf.global_variables_initializer())
        run_native(session, step)
        torn, stop = [], threading.Event()

        def watch():
            while not stop.is_set():
                value = session.run(v)
                if value.min() != value.max():
                    torn.append(value)

        watcher = threading.Thread(target=watch)
        watcher.start()
        for _ in range(steps):
            session.run(step)
        stop.set()
        watcher.join()
        assert not torn
        assert (session.run(v) == steps + 3).all()


class TestTraining:
    @pytest.mark.parametrize(
        "constraint", [None, hf.constraints.NonNeg(), hf.constraints.L2Ball(1)]
    )
    @pytest.mark.parametrize("use_locking", [False, True])
    def test_a_training_step_has_no_fallbacks(self, session, constraint, use_locking):
        x, y = hf.placeholder(hf.float32, [None, 5]), hf.placeholder(hf.int64, [None])
        w = hf.get_variable(
            "w", [5, 4], initializer=hf.glorot_uniform_initializer(1), constraint=constraint
        )
        b = hf.get_variable("b", [4], initializer=hf.zeros_initializer())
        logits = hf.nn.relu(hf.matmul(x, w) + b)
        losses = hf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
        loss = hf.reduce_mean(losses) + 0.1 * hf.nn.l2_loss(w)
        train = hf.train.GradientDescentOptimizer(0.1, use_locking=use_locking).minimize(loss)
        feed = {x: X, y: [0, 3, 1]}
        session.run(hf.global_variables_initializer())
        first = session.run(w)
        expected = [session.run([loss, train], feed)[0] for _ in range(6)]
        native.wait()
        w.load(first, session)
        b.load(np.zeros(4), session)
        found = [session.run([loss, train], feed)[0] for _ in range(6)]
        assert not native.fallbacks(plan_of(session, [loss, train]))
        np.testing.assert_allclose(found, expected, rtol=1e-5)

    def test_functions_run_natively_on_eager_variables(self):
        with hf.eager_mode(), hf.EagerVariableStore().as_default():
            v = hf.get_variable("v", initializer=hf.constant(X))

            @hf.function
            def step(x):
                v.assign_sub(x * 0.5)
                return hf.reduce_sum(v * v)

            values = v.numpy()
            for _ in range(5):
                found = step(hf.constant(X))
                values = values - X * np.float32(0.5)
                np.testing.assert_allclose(float(found), (values**2).sum(), rtol=1e-5)
                np.testing.assert_allclose(v.numpy(), values, rtol=1e-6)
                native.wait()
            (concrete,) = step._traces.popitem()[1]
            (plan,) = concrete._function._plans.values()
            assert native.programs(plan)
            assert not native.fallbacks(plan)
