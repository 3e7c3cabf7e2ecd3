"""Under `TF_DETERMINISTIC_OPS` each run gives the same bits, whatever ran before it, and when."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.kernels.jobs import is_deterministic
from tests import native
from tests.plan.sessions import plan_of

ROOT = Path(hf.__file__).parents[1]


@pytest.fixture(autouse=True)
def deterministic(monkeypatch):
    monkeypatch.setenv("TF_DETERMINISTIC_OPS", "1")
    with hf.Graph().as_default():
        hf.set_random_seed(3)
        yield


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1", True), ("true", True), ("TRUE", True), ("0", False), ("false", False), ("", False)],
)
def test_how_it_is_switched_on(monkeypatch, value, expected):
    monkeypatch.setenv("TF_DETERMINISTIC_OPS", value)
    assert is_deterministic() is expected


# -- steps from a state ----------------------------------------------------------------------------


def layers():
    x = hf.placeholder(hf.float32, [None, 16])
    h = hf.layers.dense(hf.layers.dense(x, 24, hf.nn.tanh), 24, hf.nn.selu)
    loss = hf.reduce_logsumexp(h) + hf.reduce_mean(hf.nn.moments(h, [0])[1])
    return loss, hf.train.AdamOptimizer(0.01), lambda rng: {x: rng.standard_normal((20, 16))}


def images():
    x = hf.placeholder(hf.float32, [None, 10, 10, 3])
    h = hf.layers.conv2d(x, 16, 3, padding="same", activation=hf.nn.relu)
    h = hf.layers.max_pooling2d(hf.layers.batch_normalization(h, training=True), 2, 2)
    h = hf.layers.conv2d(h, 32, 3, activation=hf.nn.elu)
    loss = hf.reduce_mean(hf.square(hf.layers.dense(hf.layers.flatten(h), 5) - 1.0))

    def feed(rng):
        return {x: rng.standard_normal((rng.choice([6, 11]), 10, 10, 3))}

    return loss, hf.train.MomentumOptimizer(0.01, 0.9), feed


def sequences():
    x = hf.placeholder(hf.float32, [None, None, 6])
    n = hf.placeholder(hf.int32, [None])
    _, state = hf.nn.dynamic_rnn(hf.nn.rnn_cell.GRUCell(8), x, n, dtype=hf.float32)
    loss = hf.reduce_mean(hf.square(state - 1.0))

    def feed(rng):
        longest = int(rng.integers(2, 6))
        return {
            x: rng.standard_normal((4, longest, 6)),
            n: rng.integers(1, longest + 1, 4),
        }

    return loss, hf.train.RMSPropOptimizer(0.01), feed


def sizes():
    """Values tell how large some tensors are."""
    ids = hf.placeholder(hf.int64, [None])
    table = hf.get_variable("table", [30, 8])
    unique, index = hf.unique(ids)
    rows = hf.gather(hf.tanh(hf.nn.embedding_lookup(table, unique)), index)
    kept = hf.boolean_mask(rows, hf.reduce_sum(rows, 1) > 0)
    loss = hf.reduce_sum(hf.exp(kept)) + hf.reduce_mean(hf.square(rows))
    return loss, hf.train.AdagradOptimizer(0.1), lambda rng: {ids: rng.integers(0, 30, 12)}


def turns():
    """Values tell how many turns a loop has, and which branch each takes."""
    x = hf.placeholder(hf.float32, [4, 6])
    w, b = hf.get_variable("w", [6, 6]), hf.get_variable("b", [6])

    def body(i, h):
        return i + 1, hf.cond(
            hf.reduce_sum(h) > 0,
            lambda: hf.tanh(hf.matmul(h, w) + b),
            lambda: hf.sin(hf.matmul(h, w) - b),
        )

    _, h = hf.while_loop(
        lambda i, h: hf.logical_and(i < 9, hf.reduce_max(hf.abs(h)) > 0.3), body, [0, x]
    )
    loss = hf.reduce_mean(hf.square(h - 1.0))
    return loss, hf.train.FtrlOptimizer(0.1), lambda rng: {x: rng.standard_normal((4, 6))}


@pytest.mark.parametrize("model", [layers, images, sequences, sizes, turns])
def test_a_step_depends_on_its_state_alone(model):
    """Whether steps ran before it in the session or not, and what else is fetched."""
    loss, optimizer, feed = model()
    train = optimizer.minimize(loss)
    summary = hf.summary.scalar("loss", loss)
    variables = hf.global_variables()
    initializer = hf.global_variables_initializer()
    states, losses = [], []
    with hf.Session() as session:
        session.run(initializer)
        states.append(session.run(variables))
        for number in range(5):
            feeds = feed(np.random.default_rng(number))
            losses.append(session.run([loss, train], feeds)[0])
            states.append(session.run(variables))
        plan = plan_of(session, [loss, train])
        assert native.programs(plan)
        assert not plan.native.problems
    for number in range(5):
        feeds = feed(np.random.default_rng(number))
        with hf.Session() as session:
            for variable, value in zip(variables, states[number], strict=True):
                variable.load(value, session)
            found = session.run([loss, train, summary][: 2 + number % 2], feeds)[0]
            assert found.tobytes() == losses[number].tobytes()
            for mine, right in zip(session.run(variables), states[number + 1], strict=True):
                assert mine.tobytes() == right.tobytes()


def test_a_step_whose_ops_are_timed_is_like_others():
    loss, optimizer, feed = layers()
    fetches = [loss, optimizer.minimize(loss)]
    variables = hf.global_variables()
    initializer = hf.global_variables_initializer()
    feeds = feed(np.random.default_rng(0))
    found = []
    for timed in (False, True):
        options = hf.RunOptions(trace_level=hf.RunOptions.FULL_TRACE) if timed else None
        with hf.Session() as session:
            session.run(initializer)
            if found:
                for variable, value in zip(variables, found[0], strict=True):
                    variable.load(value, session)
            else:
                found.append(session.run(variables))
            for _ in range(2):
                session.run(fetches, feeds, options, hf.RunMetadata() if timed else None)
            found.append(session.run(variables))
    for mine, right in zip(*found[1:], strict=True):
        assert mine.tobytes() == right.tobytes()


# -- what is done once -----------------------------------------------------------------------------


def test_updates_happen_once_in_a_run():
    v = hf.get_variable("v", initializer=[1.0, 2.0])
    w = hf.get_variable("w", initializer=3, use_resource=True)
    fetches = [v.assign_add([1.0, 1.0]), w.assign_add(1)]
    with hf.Session() as session:
        session.run(hf.global_variables_initializer())
        for number in range(1, 4):
            found = session.run(fetches)
            assert found[0].tolist() == [1.0 + number, 2.0 + number]
            assert found[1] == 3 + number
            assert session.run([v, w])[1] == 3 + number


def test_random_numbers_are_drawn_once_in_a_run(monkeypatch):
    fetches = [hf.tanh(hf.random_normal([50], seed=1)), hf.random_uniform([3], seed=2) * 2.0]

    def drawn():
        with hf.Session() as session:
            found = [session.run(fetches) for _ in range(4)]
            programs = native.programs(plan_of(session, fetches)) if is_deterministic() else []
        return found, programs

    found, programs = drawn()
    assert programs
    monkeypatch.delenv("TF_DETERMINISTIC_OPS")
    for mine, right in zip(found, drawn()[0], strict=True):
        np.testing.assert_allclose(mine[0], right[0], rtol=1e-6)
        np.testing.assert_allclose(mine[1], right[1], rtol=1e-6)


def test_queues_and_functions_of_users_are_asked_once_in_a_run():
    calls = []

    def called():
        calls.append(len(calls))
        return np.float32(len(calls))

    queue = hf.train.string_input_producer(["a", "b", "c", "d"], shuffle=False)
    fetches = [hf.tanh(hf.py_func(called, [], hf.float32)), queue.dequeue()]
    with hf.Session() as session:
        coordinator = hf.train.Coordinator()
        threads = hf.train.start_queue_runners(session, coordinator)
        names = [session.run(fetches)[1] for _ in range(4)]
        coordinator.request_stop()
        coordinator.join(threads)
    assert names == [b"a", b"b", b"c", b"d"]
    assert calls == [0, 1, 2, 3]


def _printed(x):
    return hf.Print(x, [x], "seen: ")


def _called(x):
    return hf.py_func(lambda x: x * 2, [x], hf.float32)


def _printed_in_a_branch(x):
    return hf.cond(x > -1.0, lambda: _printed(x), lambda: x)


@pytest.mark.parametrize("act", [_printed, _called, _printed_in_a_branch])
def test_what_is_told_of_results_is_told_once(capfd, act):
    """The step is interpreted then, which `explain` tells."""
    x = hf.placeholder(hf.float32, [8])
    fetch = act(hf.reduce_sum(hf.tanh(x)))
    with hf.Session() as session:
        found = [session.run(fetch, {x: np.ones(8)}) for _ in range(3)]
        plan = plan_of(session, fetch)
    assert len(set(found)) == 1
    assert not plan.native.programs
    (problem,) = plan.native.problems.values()
    assert "has an effect that cannot be undone" in problem
    assert capfd.readouterr().err.count("seen: ") == (0 if act is _called else 3)


def test_checks_may_be_made_twice():
    x = hf.placeholder(hf.float32, [None])
    y = hf.tanh(x)
    with hf.control_dependencies([hf.assert_less(y, 2.0)]):
        z = hf.check_numerics(hf.reduce_sum(y) / hf.reduce_min(x), "z")
    with hf.Session() as session:
        session.run(z, {x: [1.0, 2.0]})
        assert native.programs(plan_of(session, z))
        with pytest.raises(hf.errors.InvalidArgumentError, match="z"):
            session.run(z, {x: [1.0, 0.0]})


def test_an_error_leaves_variables_as_they_were():
    v = hf.get_variable("v", initializer=[1.0, 2.0], use_resource=True)
    i = hf.placeholder(hf.int32, [1])
    with hf.control_dependencies([v.assign_add([1.0, 1.0])]):
        row = hf.gather(v.read_value(), i)
    with hf.Session() as session:
        session.run(v.initializer)
        for _ in range(2):
            with pytest.raises(hf.errors.InvalidArgumentError, match=r"5"):
                session.run(row, {i: [5]})
            assert session.run(v).tolist() == [1.0, 2.0]
        assert session.run(row, {i: [1]}).tolist() == [3.0]
        with pytest.raises(hf.errors.InvalidArgumentError, match=r"5"):
            session.run(row, {i: [5]})
        assert session.run(v).tolist() == [2.0, 3.0]


def test_more_shapes_than_there_are_programs(monkeypatch):
    from hybridflow._src.plan import native as executor

    monkeypatch.setattr(executor, "_MOST_PROGRAMS", 3)
    monkeypatch.setattr(executor, "_MANY_PROGRAMS", 3)
    x = hf.placeholder(hf.float32, [None])
    y = hf.reduce_sum(hf.tanh(x))
    numbers = np.linspace(0.1, 2.0, 40, dtype=np.float32)
    with hf.Session() as session:
        first, second = [[session.run(y, {x: numbers[:n]}) for n in range(20, 30)] for _ in "12"]
        assert len(plan_of(session, y).native.programs) <= 3
    assert first == second


# -- eager mode ------------------------------------------------------------------------------------


def _eager_run(steps):
    """The weights after some steps, those of each step by everything that is new."""
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        rng = np.random.default_rng(0)
        w = hf.get_variable("w", initializer=rng.standard_normal((3, 3, 16, 32)) / 9)
        v = hf.get_variable("v", initializer=rng.standard_normal((32, 4)))

        def made():
            @hf.function
            def loss(y, v):
                return hf.reduce_logsumexp(hf.matmul(hf.reduce_mean(hf.tanh(y), [1, 2]), v))

            return loss, hf.train.AdagradOptimizer(0.1, name="a")

        loss, optimizer = made()
        for number in range(steps):
            if steps == 1 or number == 0:
                loss, optimizer = made()
            x = hf.constant(np.random.default_rng(number).standard_normal((4, 12, 12, 16)))
            with hf.GradientTape() as tape:
                y = hf.nn.conv2d(x, w, [1, 1, 1, 1], "SAME")
                found = loss(y, v)
            grads = tape.gradient(found, [w, v])
            optimizer.apply_gradients(zip(grads, [w, v], strict=True))
            yield w.numpy(), v.numpy(), found.numpy()


def test_eager_steps_do_not_change_when_kernels_are_ready():
    first, second = [[np.concatenate([a.ravel() for a in s]) for s in _eager_run(5)] for _ in "12"]
    for mine, right in zip(first, second, strict=True):
        assert mine.tobytes() == right.tobytes()


# -- processes -------------------------------------------------------------------------------------


PROGRAM = """
import zlib
import numpy as np
import hybridflow as hf

hf.set_random_seed(1)
x = hf.placeholder(hf.float32, [None, 8])
h = hf.layers.dense(hf.layers.dense(x, 16, hf.nn.tanh), 4)
loss = hf.reduce_logsumexp(h)
train = hf.train.AdamOptimizer(0.01).minimize(loss)
data = np.linspace(-1, 1, 80, dtype=np.float32).reshape(10, 8)
with hf.Session() as session:
    session.run(hf.global_variables_initializer())
    for _ in range(30):
        session.run(train, {x: data})
    for value in session.run(hf.trainable_variables()):
        print(zlib.crc32(value.tobytes()))
"""


def test_processes_with_and_without_kept_kernels_agree(tmp_path, monkeypatch):
    cache = tmp_path / "kernels"
    cache.mkdir(mode=0o700)
    monkeypatch.setenv("HYBRIDFLOW_CACHE_DIR", str(cache))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    found = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    assert len(list(cache.rglob("*"))) > 3
    assert found[0] == found[1] != ""
