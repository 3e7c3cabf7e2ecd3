"""Gradients of tapes by plans: what the ordinary way gives, and a plan only for what is alike."""

from __future__ import annotations

import threading
import weakref

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.autodiff import tape_plan
from hybridflow._src.framework.op_def import OPS
from hybridflow._src.plan import frequent
from hybridflow._src.plan.frequent import Frequent
from tests import native
from tests.ops import table

OFTEN = tape_plan._OFTEN + 2


@pytest.fixture(autouse=True)
def plans(monkeypatch):
    """The plans that a test makes, by key."""
    found = Frequent(tape_plan._OFTEN, tape_plan._MOST_KEYS)
    monkeypatch.setattr(tape_plan, "_plans", found)
    with hf.eager_mode():
        yield found.known


def made(plans):
    """Of the plans, those that can run."""
    return [plan for plan in plans.values() if isinstance(plan, tape_plan._TapePlan)]


def arrays_of(grads):
    return [None if g is None else hf.convert_to_tensor(g).numpy() for g in grads]


def taken(function, xs, seeds=None):
    """The gradients of `function(*xs)` for `xs`, once."""
    with hf.GradientTape() as tape:
        tape.watch(list(xs))
        y = function(*xs)
    return arrays_of(tape.gradient(y, list(xs), seeds))


def again_and_again(function, *arrays, seeds=None):
    """The gradients as they are at first, interpreted by a plan, and run natively."""
    xs = [hf.constant(a) for a in arrays]
    runs = [taken(function, xs, seeds) for _ in range(OFTEN)]
    native.wait()
    return runs[0], runs[-1], taken(function, xs, seeds)


def assert_alike(runs, rtol=1e-6):
    first, *others = runs
    for grads in others:
        for grad, wanted in zip(grads, first, strict=True):
            assert (grad is None) == (wanted is None)
            if wanted is not None:
                assert grad.dtype == wanted.dtype
                np.testing.assert_allclose(grad, wanted, rtol=rtol, atol=rtol, strict=True)


# One of CTCLoss' outputs is its gradient, which is not differentiated again (`test_ctc`).
@pytest.mark.parametrize("name", sorted({*table.differentiable_ops()} - {"CTCLoss"}))
def test_every_op(name, monkeypatch):
    """The rows of the table: a plan gives what op by op gives (natively: `test_compiled`)."""
    monkeypatch.setattr(tape_plan._plans, "often", 1)
    for row in table.rows(OPS[name]):
        if not row.sample.differentiable:
            continue
        tensors = [hf.constant(a) for a in row.arrays]
        floats = [t for t in tensors if t.dtype.is_floating]

        def outputs(*_, row=row, tensors=tensors):
            found = table.listed(
                row.op(*table.like(row.sample.args, iter(tensors)), **row.sample.attrs)
            )
            return [t for t in found if t.dtype.is_floating]

        if not floats or not outputs():
            continue
        with native.interpreter_alone():
            runs = [taken(outputs, floats) for _ in range(3)]
        assert_alike(runs, 2e-3 if np.float16 in [t.dtype.as_numpy_dtype for t in floats] else 2e-6)


def small_network(x, w, b, v):
    hidden = hf.nn.relu(hf.matmul(x, w) + b)
    return hf.reduce_mean(hf.square(hf.tanh(hf.matmul(hidden, v)))) + 0.1 * hf.nn.l2_loss(w)


def test_a_network(plans):
    rng = np.random.default_rng(0)
    shapes = [(7, 5), (5, 11), (11,), (11, 3)]
    assert_alike(again_and_again(small_network, *[np.float32(rng.normal(size=s)) for s in shapes]))
    (plan,) = made(plans)
    assert plan._plan.native.latest is not None


def test_values_are_data(plans):
    """A plan gives the gradient at the point where it is asked."""
    for value in range(20):
        (grad,) = taken(lambda x: hf.reduce_sum(x * x * x), [hf.constant([float(value), 2.0])])
        np.testing.assert_allclose(grad, [3.0 * value**2, 12.0], rtol=1e-6)
    assert len(made(plans)) == 1


@pytest.mark.parametrize(
    "functions",
    [
        [lambda x: hf.reduce_sum(x, 0) ** 2, lambda x: hf.reduce_sum(x, 1) ** 2],
        [lambda x: hf.nn.leaky_relu(x, 0.25), lambda x: hf.nn.leaky_relu(x, 0.5)],
        [lambda x: x * 1.0 * x, lambda x: x * 3.0 * x],
        [lambda x: hf.gather(x, [0, 0]), lambda x: hf.gather(x, [1, 1])],
        [lambda x: hf.slice(x, [0, 0], [1, 2]), lambda x: hf.slice(x, [1, 1], [1, 2])],
        [lambda x: hf.transpose(x) @ x, lambda x: x @ hf.transpose(x)],
        [lambda x: hf.concat([x, 2 * x], 0) ** 2, lambda x: hf.concat([2 * x, x], 1) ** 2],
        [lambda x: (x - 1.0) * x, lambda x: (1.0 - x) * x],
    ],
)
def test_what_differs_has_plans_of_its_own(functions):
    x = np.arange(9.0, dtype=np.float32).reshape(3, 3) - 3
    first = [taken(f, [hf.constant(x)]) for f in functions]
    for _ in range(OFTEN):
        for function, wanted in zip(functions, first, strict=True):
            assert_alike([wanted, taken(function, [hf.constant(x)])])


def test_attributes_tell():
    assert frequent.plain(0.0) != frequent.plain(-0.0)
    assert frequent.plain({"a": [1, 2]}) == frequent.plain({"a": (1, 2)})
    assert frequent.plain({"a": hf.float32}) != frequent.plain({"a": hf.float64})
    unknown = {"a": lambda: None}
    assert frequent.plain(unknown) != frequent.plain(unknown)


def test_shapes_and_dtypes_tell():
    def f(x):
        return hf.reduce_mean(x * x)

    for _ in range(OFTEN):
        for dtype in (np.float32, np.float64):
            for size in (1, 3, 8):
                (grad,) = taken(f, [hf.constant(np.ones(size, dtype))])
                np.testing.assert_allclose(grad, np.full(size, 2 / size, dtype), strict=True)


def test_labels_are_data(plans):
    """Integers that differ from batch to batch need no plan each."""
    logits = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
    for turn in range(4 * OFTEN):
        labels = [(turn + i * i) % 3 for i in range(4)]

        def loss(x, labels=labels):
            return hf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=x)

        (grad,) = taken(loss, [hf.constant(logits)])
        odds = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        np.testing.assert_allclose(grad, odds - np.eye(3)[labels], rtol=1e-5, atol=1e-6)
    assert len(plans) == 1


def test_what_is_watched_tells():
    def run(watched):
        x, y = hf.constant(2.0), hf.constant(5.0)
        with hf.GradientTape() as tape:
            tape.watch([x, y][:watched])
            z = x * x * y
        return arrays_of(tape.gradient(z, [x, y]))

    for _ in range(OFTEN):
        assert run(1) == [20.0, None]
        assert run(2) == [20.0, 4.0]


def test_given_gradients_and_several_targets():
    def run(seeds):
        x = hf.constant([1.0, 2.0])
        with hf.GradientTape() as tape:
            tape.watch(x)
            y, z = x * x, 3.0 * x
        return tape.gradient([y, z], x, seeds).numpy().tolist()

    for turn in range(OFTEN):
        assert run(None) == [5.0, 7.0]
        assert run([hf.constant([float(turn), 1.0]), None]) == [2.0 * turn + 3, 7.0]


def test_rows_of_variables():
    table_of_rows = hf.Variable(np.arange(12.0, dtype=np.float32).reshape(4, 3))
    for turn in range(2 * OFTEN):
        rows = [turn % 4, 1, 1]
        with hf.GradientTape() as tape:
            loss = hf.reduce_sum(hf.square(hf.nn.embedding_lookup(table_of_rows, rows)))
        grad = tape.gradient(loss, table_of_rows)
        assert isinstance(grad, hf.IndexedSlices)
        wanted = np.zeros((4, 3), np.float32)
        np.add.at(wanted, rows, 2 * table_of_rows.numpy()[rows])
        np.testing.assert_allclose(hf.convert_to_tensor(grad).numpy(), wanted)


def test_models_of_one_form_share_a_plan(plans):
    for scale in range(1, OFTEN + 4):
        w = hf.Variable([[float(scale)], [2.0]])
        with hf.GradientTape() as tape:
            loss = hf.reduce_sum(hf.matmul([[1.0, 3.0]], w) ** 2)
        grad = tape.gradient(loss, w).numpy()
        np.testing.assert_allclose(grad, (2.0 * (scale + 6)) * np.array([[1.0], [3.0]]))
    assert len(made(plans)) == 1


def test_what_runs_users_code_is_asked_each_time(plans):
    calls = []

    @hf.custom_gradient
    def mine(x):
        return x * 2.0, lambda dy: calls.append(1) or dy * 7.0

    for _ in range(2 * OFTEN):
        (grad,) = taken(lambda x: hf.cond(x > 0, lambda: mine(x), lambda: x), [hf.constant(1.0)])
        assert grad == 7.0
    assert len(calls) == 2 * OFTEN
    assert not plans


def test_derivatives_of_derivatives():
    for _ in range(2 * OFTEN):
        x = hf.constant(3.0)
        with hf.GradientTape() as outer:
            outer.watch(x)
            with hf.GradientTape() as inner:
                inner.watch(x)
                y = x * x * x
            dy = inner.gradient(y, x)
        assert float(outer.gradient(dy, x)) == 18.0


def test_a_missing_gradient_is_an_error_each_time():
    x = hf.constant(np.ones((3, 2), np.float32))
    for _ in range(OFTEN):
        with pytest.raises(NotImplementedError, match="full_matrices"):
            taken(lambda x: hf.qr(x, full_matrices=True), [x])


def test_nothing_recorded_is_kept_alive(plans):
    x = hf.constant(np.ones(1000, np.float32))
    for _ in range(OFTEN):
        with hf.GradientTape() as tape:
            tape.watch(x)
            y = x * x
            kept = weakref.ref(y._a)
            y = hf.reduce_sum(y * y)
        tape.gradient(y, x)
        del y, tape
    assert kept() is None


def test_a_bounded_number_of_keys(plans):
    for size in range(1, tape_plan._MOST_KEYS + 20):
        taken(lambda x: x * x, [hf.constant(np.ones(size, np.float32))])
    assert len(plans) <= tape_plan._MOST_KEYS


def test_threads_share_plans(plans):
    errors = []

    def work(seed):
        try:
            with hf.eager_mode():
                for turn in range(60):
                    x = hf.constant([float(seed), float(turn)])
                    (grad,) = taken(lambda x: hf.reduce_sum(x * x), [x])
                    np.testing.assert_array_equal(grad, 2 * x.numpy())
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(plans) == 1
