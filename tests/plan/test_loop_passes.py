"""What is done to native loops beside running them: each pass, and what there is without it."""

from __future__ import annotations

import contextlib
import functools
import re

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.plan import all_turns, layout, passes, program, sharing
from hybridflow._src.plan.steps import Loop
from tests import native
from tests.plan.looping import check, interpreted, natively, without
from tests.plan.sessions import plan_of

F = np.float32
ALL = passes.OF_LOOPS
# Each by itself; that one has tests of its own, and says nothing of what is no scalar.
SINGLE = [(name,) for name in ALL if name != passes.SCALARS_IN_REGISTERS]


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


@pytest.fixture
def shared(monkeypatch):
    """Threads share the least work."""
    monkeypatch.setattr(sharing, "WORTH_SHARING", 1)
    monkeypatch.setattr(sharing, "WORTH_WAKING", 1)
    monkeypatch.setattr(sharing, "CALL_WORK", 0)


def data(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(F)


def weights(*shape, name="w", seed=1):
    values = data(*shape, seed=seed) / 2
    return hf.get_variable(name, initializer=hf.constant(values), use_resource=True)


def loops_of(plan):
    (made,) = native.programs(plan)
    return [step for _, step in made.steps if isinstance(step, Loop)]


def labels(part):
    """The kernels of a part of a loop; products by any."""
    found = [re.sub("_[fi][0-9]+.*$", "", part.kernels[at].label) for at, _ in part.steps]
    return ["product" if label == "panels" else label for label in found]


def recurrence(x, n=None, joined=True):
    """A plain recurrent network over `[time, batch, inputs]`: its last state, and its weights."""
    x.set_shape([None, None, 3])
    w, b = weights(7, 4), weights(4, name="b", seed=2)
    times = hf.shape(x)[0] if n is None else n

    def turn(t, h):
        row = x[t]
        if joined:
            product = hf.matmul(hf.concat([row, h], 1), w)
        else:
            product = hf.matmul(row, w[:3]) + hf.matmul(h, w[3:])
        return t + 1, hf.tanh(hf.nn.bias_add(product, b))

    first = hf.zeros([hf.shape(x)[1], 4])
    _, h = hf.while_loop(lambda t, _: t < times, turn, [0, first])
    return h, [w, b]


CELLS = {
    "rnn": lambda: hf.nn.rnn_cell.BasicRNNCell(4),
    "gru": lambda: hf.nn.rnn_cell.GRUCell(4),
    "lstm": lambda: hf.nn.rnn_cell.BasicLSTMCell(4),
    "peepholes": lambda: hf.nn.rnn_cell.LSTMCell(4, use_peepholes=True, num_proj=5),
    "layers": lambda: hf.nn.rnn_cell.MultiRNNCell([hf.nn.rnn_cell.GRUCell(n) for n in (4, 3)]),
    "norm": lambda: hf.contrib.rnn.LayerNormBasicLSTMCell(4),
}


def network(cell, has_lengths=False):
    def build(x, *lengths):
        x.set_shape([None, None, 3])
        hf.set_random_seed(3)
        outputs, _ = hf.nn.dynamic_rnn(
            CELLS[cell](), x, lengths[0] if has_lengths else None, dtype=hf.float32
        )
        loss = hf.reduce_sum(hf.sin(outputs))
        return [outputs, *hf.gradients(loss, [x, *hf.trainable_variables()])]

    return build


X = [data(3, 5, 3), data(2, 20, 3), data(3, 1, 3)]


@pytest.mark.parametrize("left_out", [(), *SINGLE, ALL], ids=" and ".join)
@pytest.mark.parametrize("cell", CELLS)
def test_recurrent_networks(cell, left_out, shared):
    # All of them are needed for threads to share such loops, which are not native otherwise here.
    threads = 1 if left_out and left_out != ("invariants before loops",) else 2
    check(network(cell), [X[0]], [X[0]], config=without(*left_out, threads=threads))


@pytest.mark.parametrize("left_out", [(), ALL], ids=["all", "none"])
def test_lengths_and_other_shapes(left_out, shared):
    lengths = [np.array(n, np.int32) for n in ([5, 2, 0], [20, 19], [1, 0, 1])]
    runs = [pair for pair in zip(X, lengths, strict=True) for _ in range(3)]
    config = without(*left_out, threads=1 if left_out else 2)
    check(network("lstm", True), *runs, config=config)


@pytest.mark.parametrize("left_out", [(), *SINGLE, ALL], ids=" and ".join)
@pytest.mark.parametrize("joined", [True, False])
def test_second_derivatives(left_out, joined):
    def build(x):
        h, variables = recurrence(x, joined=joined)
        first = hf.gradients(hf.reduce_sum(h * h), [x, *variables])
        return [*first, *hf.gradients([hf.sin(g) for g in first], [x, *variables])]

    runs = [data(t, 2, 3, seed=t) for t in (4, 4, 1)]
    check(build, *[[x] for x in runs], config=without(*left_out))


def test_second_derivatives_of_what_loops_collect():
    def build(x):
        x.set_shape([None, None, 4])
        w = weights(4, 4)
        rows = hf.scan(lambda h, r: hf.tanh(hf.matmul(h, w)) * r + h, x, x[0])
        rows = hf.map_fn(lambda r: hf.sin(r) * r, rows)
        first = hf.gradients(hf.reduce_sum(rows * rows), [x, w])
        return [*first, *hf.gradients([hf.sin(g) for g in first], [x, w])]

    check(build, *[[data(n, 2, 4)] for n in (5, 5, 2)])


def test_a_loop_that_ends_early_or_takes_more_turns_than_ever():
    def build(x, n):
        h, variables = recurrence(x, n)
        return [h, *hf.gradients(h, [x, *variables])]

    x = data(40, 2, 3)
    check(build, *[(x, np.int32(n)) for n in (5, 0, 1, 40, 40, 3, 0, 40)])


def test_gradients_of_weights_are_products_after_the_loop():
    def build(x):
        h, variables = recurrence(x)
        return hf.gradients(h, variables)

    for config, there in ((None, False), (without("sums after loops"), True)):
        plan = check(build, [data(6, 2, 3)], config=config)
        _, backward = loops_of(plan)
        # What is carried: turn, state, and sums for weight and bias if they are.
        assert len(backward.variables) == (4 if there else 2)
        assert labels(backward.parts[1]).count("product") == (2 if there else 1)


def test_rows_are_used_where_they_lie():
    def build(x):
        h, variables = recurrence(x)
        return hf.gradients(h, variables)

    for config, there in ((None, False), (without("rows in place"), True)):
        plan = check(build, [data(6, 2, 3)], config=config)
        found = {name for loop in loops_of(plan) for name in labels(loop.parts[1])}
        assert ("push" in found) is there
        assert ("locate" in found) is not there


def test_products_of_rows_are_made_before_the_loop():
    def build(x):
        with hf.variable_scope("one"):
            one, _ = recurrence(x, joined=False)
        with hf.variable_scope("other"):
            other, _ = recurrence(hf.reverse(x, [0]))
        return [one, other]

    for config, count in ((None, 1), (without("products before loops"), 2)):
        plan = check(build, [data(6, 2, 3)], config=config)
        joined, separate = sorted(labels(loop.parts[1]).count("product") for loop in loops_of(plan))
        assert (joined, separate) == (1, count)


def test_products_of_rows_of_a_table_are_made_before_the_loop():
    for config, before in ((None, True), (without("products before loops"), False)):
        plan = check(decoder, [data(5, 3)], config=config)
        (made,), (loop,) = native.programs(plan), loops_of(plan)
        outside = [made.kernels[at].label for at, step in [*made.steps, *made.kept]]
        assert any(label.startswith(("product", "panels")) for label in outside) is before
        # The table's product is looked up then, and the table is not.
        assert labels(loop.parts[1]).count("gather_rows") == 1


def test_invariants_are_computed_before_the_loop():
    def build(x, y):
        def turn(t, h):
            return t + 1, hf.matmul(h, hf.transpose(hf.matmul(x, y) * 0.1))

        return [hf.while_loop(lambda t, _: t < 5, turn, [0, x])[1]]

    for config, count in ((None, 1), (without("invariants before loops"), 2)):
        plan = check(build, [data(3, 3), data(3, 3, seed=1)], config=config)
        (loop,) = loops_of(plan)
        assert labels(loop.parts[1]).count("product") == count


def test_weights_are_packed_once():
    def build(x):
        return [recurrence(x)[0]]

    for config, there in ((None, True), (without("weights packed once"), False)):
        plan = check(build, [data(6, 20, 3)], config=config)
        (loop,) = loops_of(plan)
        assert any("panels" in kernel.label for kernel in loop.parts[1].kernels.values()) is there


def test_weights_stay_packed_while_variables_stay():
    def build(x, by):
        outputs = decoder(x)
        w = hf.trainable_variables()[1]
        with hf.control_dependencies(outputs), hf.name_scope("change"):
            return outputs, w.assign_add(by * hf.ones_like(w))

    x, by = data(5, 3), 0.25
    wanted = []
    for is_native in (False, True):
        with contextlib.ExitStack() as stack:
            if not is_native:
                stack.enter_context(native.interpreter_alone())
            stack.enter_context(hf.Graph().as_default())
            session = stack.enter_context(hf.Session())
            given = hf.placeholder(hf.float32, [5, 3])
            outputs, change = build(given, by)
            session.run(hf.global_variables_initializer())
            found = []
            for turn in range(8):
                found.append(session.run(outputs, {given: x}))
                if turn > 3:
                    session.run(change.op, {given: x})
            if is_native:
                (made,) = native.programs(plan_of(session, outputs))
                assert made.kept
                assert not any("pack" in made.kernels[at].label for at, _ in made.steps)
                for got, want in zip(found, wanted, strict=True):
                    for one, other in zip(got, want, strict=True):
                        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
            wanted = found
    assert not all(np.array_equal(a, b) for a, b in zip(wanted[-1], wanted[-2], strict=True))


def test_threads_share_the_rows_of_a_batch(shared):
    for config, count in ((without(threads=2), 2), (without(passes.SHARED_ROWS, threads=1), 0)):
        plan = check(network("lstm"), [data(5, 4, 3)], config=config)
        assert [len(loop.shares) for loop in loops_of(plan)] == [count, count]


def test_threads_do_not_all_do_the_same(monkeypatch):
    # Less than all turns do together, and more than a step does.
    monkeypatch.setattr(sharing, "WORTH_SHARING", 1 << 11)
    monkeypatch.setattr(sharing, "CALL_WORK", 0)

    def build(x):
        h, variables = recurrence(x)
        return [h, *hf.gradients(h, [x, *variables])]

    # One row: there is nothing to share, though the gradient for `x` has several.
    for rows, count in ((1, 0), (3, 2)):
        plan = check(build, [data(20, rows, 3)], config=without(threads=2))
        assert [len(loop.shares) for loop in loops_of(plan)] == [count, count]


def elementwise(x):
    return [hf.while_loop(lambda i, _: i < 3, lambda i, a: (i + 1, hf.tanh(a) + x), [0, x])[1]]


def test_threads_share_elementwise_work(shared):
    plan = check(elementwise, [data(7)], [data(7, seed=1)], config=without(threads=3))
    (loop,) = loops_of(plan)
    assert loop.shares == (range(2), range(2, 4), range(4, 7))


def test_threads_share_no_turns_that_are_little_more_than_their_calls(monkeypatch):
    # Less than all turns do together, and more than a step does.
    monkeypatch.setattr(sharing, "WORTH_SHARING", 200)
    plan = check(elementwise, [data(7)], config=without(threads=2))
    assert [len(loop.shares) for loop in loops_of(plan)] == [0]


@pytest.mark.parametrize("kernels", ["plain", "compiled"], indirect=True)
def test_shared_loops_pause_and_go_on(shared, monkeypatch):
    monkeypatch.setattr(layout, "UNTIL_PAUSE", 0)
    monkeypatch.setattr(program, "UNTIL_PAUSE", 0)
    check(network("lstm"), *[[x] for x in X for _ in range(3)], config=without(threads=2))


@pytest.mark.parametrize("kernels", ["plain", "compiled"], indirect=True)
def test_shared_loops_that_fail(shared):
    with hf.Graph().as_default(), hf.Session(config=without(threads=2)) as session:
        x = hf.placeholder(hf.float32, [6, 4, 3])
        n = hf.placeholder(hf.int32, [])
        h, variables = recurrence(x, n)
        fetches = [h, *hf.gradients(h, variables)]
        session.run(hf.global_variables_initializer())
        feed = {x: data(6, 4, 3), n: 6}
        wanted = session.run(fetches, feed)
        for _ in range(3):
            session.run(fetches, feed)
            native.wait()
        with pytest.raises(hf.errors.InvalidArgumentError, match=r"index 6 of dimension 0|turn 6"):
            session.run(fetches, {**feed, n: 7})
        for got, want in zip(session.run(fetches, feed), wanted, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kernels", ["plain", "compiled"], indirect=True)
def test_shared_loops_of_other_numbers_of_turns(shared):
    def build(x, n):
        h, variables = recurrence(x, n)
        return [h, *hf.gradients(h, variables)]

    x = data(40, 4, 3)
    runs = [(x, np.int32(n)) for n in (5, 0, 1, 40, 40, 3, 0, 40)]
    check(build, *runs, config=without(threads=2))


def decoder(x, ends=None):
    """What a decoder with attention writes for each row of `[5, 3]`: in nine turns, or until
    `ends` says so of the turn and of rows that are done.
    """
    batch, width, places = 5, 3, 4
    memory = hf.expand_dims(x, 1) * weights(places, width)
    table, out = weights(6, width, name="t", seed=2), weights(2 * width, 6, name="v", seed=3)
    w = weights(2 * width, width, name="u", seed=4)

    def turn(t, number, h, done, lengths, *numbers):
        h = hf.tanh(hf.matmul(hf.concat([hf.gather(table, number), h], 1), w))
        scores = hf.squeeze(hf.matmul(memory, hf.expand_dims(h, 2)), 2)
        seen = hf.matmul(hf.expand_dims(hf.nn.softmax(scores), 1), memory)
        best = hf.matmul(hf.concat([h, hf.squeeze(seen, 1)], 1), out)
        number = hf.argmax(best, 1, output_type=hf.int32)
        # Each row is done in some turns, and in others not any more.
        done = hf.equal((number + t) % 4, 0)
        lengths += hf.cast(done, hf.int32)
        return t + 1, number, h, done, lengths, *[a.write(t, number) for a in numbers]

    zeros = hf.zeros([batch], hf.int32)
    numbers = [] if ends else [hf.TensorArray(hf.int32, 9, element_shape=[batch])]
    first = [0, zeros, hf.zeros([batch, width]), hf.zeros([batch], hf.bool), zeros, *numbers]
    goes_on = lambda t, number, h, done, *_: ends(t, done) if ends else t < 9  # noqa: E731
    t, number, h, _, lengths, *numbers = hf.while_loop(goes_on, turn, first)
    return [t, number, h, lengths, *[a.stack() for a in numbers]]


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_share_the_rows_of_a_decoder(shared, threads):
    plan = check(decoder, [data(5, 3)], [data(5, 3, seed=1)], config=without(threads=threads))
    assert [len(loop.shares) for loop in loops_of(plan)] == [threads]


ENDS = {
    "not all": lambda t, done: hf.logical_not(hf.reduce_all(done)),
    "any": lambda t, done: hf.reduce_any(hf.logical_not(done)),
    "not all, and": lambda t, done: hf.logical_and(t < 6, hf.logical_not(hf.reduce_all(done))),
    "any, or": lambda t, done: hf.logical_or(t < 3, hf.reduce_any(hf.logical_not(done))),
}


@pytest.mark.parametrize("ends", ENDS)
def test_loops_go_on_for_all_rows_as_long_as_for_some(shared, ends):
    def build(x):
        # In the end all rows are done.
        return decoder(x, lambda t, done: ENDS[ends](t, hf.logical_or(done, t > 40)))

    runs = [[data(5, 3, seed=seed)] for seed in range(5)]
    plan = check(build, *runs, config=without(threads=2))
    assert [loop.by_rows.end_together for loop in loops_of(plan)] == [True]


def test_loops_that_end_for_all_rows_with_the_first_are_not_shared(shared):
    for ends in (
        lambda t, done: hf.logical_and(t < 9, hf.logical_not(hf.reduce_any(done))),
        lambda t, done: hf.logical_and(t < 9, hf.reduce_all(hf.logical_not(done))),
        lambda t, done: hf.logical_or(t < 2, hf.reduce_any(done) & ~hf.reduce_all(done)),
    ):
        build = functools.partial(decoder, ends=ends)
        runs = [[data(5, 3)]] * 4
        found, plan = natively(build, runs, without(threads=2))
        for got, want in zip(found[-1], interpreted(build, runs)[-1], strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)
        assert not loops_of(plan)


def second_of(y, sources):
    """A value, its gradients, and those of their sines."""
    first = hf.gradients(hf.reduce_sum(y * y), sources)
    return [y, *first, *hf.gradients([hf.sin(g) for g in first], sources)]


def mapped_network(x):
    w, b = weights(3, 4), weights(4, name="b", seed=2)
    layer = lambda row: hf.nn.softmax(hf.nn.relu(hf.nn.bias_add(hf.matmul(row, w), b)))  # noqa: E731
    return second_of(hf.map_fn(layer, x), [x, w, b])


def mapped_vectors(x):
    """Sizes of one row that are those of all of them too; views, parts and reductions."""
    w = weights(3, 3)

    def parts(row):
        turned, first = hf.transpose(row), row[:1]
        joined = hf.concat([first * 2.0, hf.tile(first, [2, 1]) + row[1:, :1]], 0)
        columns = hf.reduce_max(row, 1, keep_dims=True) - hf.reduce_mean(row, 0)
        return (
            hf.matmul(w, turned)
            + hf.matmul(row, joined)
            + hf.stack([row[0], row[1], w[0]])
            + columns
        )

    x = x[:, :3] + hf.zeros([3, 3])
    return second_of(hf.map_fn(parts, x), [x, w])


def written_backwards(x):
    """An array that is written from its end on, sums, numbers of turns as values."""
    w = weights(3, 3)
    n = hf.shape(x)[0]

    def turn(t, array, total, count):
        row = hf.matmul(x[t], w) * hf.cast(t, hf.float32)
        return t - 1, array.write(n - 1 - t, row), total + hf.exp(row), count + 2 * t

    array = hf.TensorArray(hf.float32, n, element_shape=[3, 3])
    first = [n - 1, array, hf.ones([3, 3]), hf.constant(7)]
    t, array, total, count = hf.while_loop(lambda t, *_: t >= 0, turn, first)
    rows = array.stack()
    return [t, count, rows, *hf.gradients([rows * rows, total], [x, w])]


@pytest.mark.parametrize("build", [mapped_network, mapped_vectors, written_backwards])
def test_turns_that_do_not_need_each_other_are_done_at_once(build):
    runs = [[data(n, 3, 3, seed=n)] for n in (5, 2, 9, 1)]
    for left_out in ((), ("turns at once",)):
        plan = check(build, *runs, config=without(*left_out))
        assert bool(loops_of(plan)) is bool(left_out)


def test_turns_that_need_each_other_are_not_done_at_once():
    def build(x):
        n = hf.shape(x)[0]
        counted = lambda i, *_: i < n  # noqa: E731
        ends_early = lambda i, s: hf.logical_and(i < n, hf.reduce_sum(s) < 4.0)  # noqa: E731
        doubles = lambda i, k, s: (i + 1, 2 * k, s + x[i] * hf.cast(k, hf.float32))  # noqa: E731
        zeros = hf.zeros([3, 3])
        return [
            hf.while_loop(counted, lambda i, s: (i + 1, s * x[i]), [0, zeros + 1.0])[1],
            hf.while_loop(counted, lambda i, s: (i + 1, s + x[i] * s), [0, zeros + 1.0])[1],
            hf.while_loop(ends_early, lambda i, s: (i + 1, s + x[i] ** 2), [0, zeros])[1],
            hf.while_loop(counted, doubles, [0, 1, zeros])[2],
        ]

    plan = check(build, [data(5, 3, 3)], [data(9, 3, 3)])
    assert len(loops_of(plan)) == 4


def test_what_turns_draw_or_would_take_too_much_memory_for_is_not_done_at_once(monkeypatch):
    def drawn(x):
        rows = hf.map_fn(lambda row: row + hf.random_uniform([3, 3], seed=3), x)
        return [hf.reduce_max(hf.abs(rows[0] - x[0] - rows[1] + x[1])) > 0.0]

    with hf.Graph().as_default(), hf.Session() as session:
        (fetch,) = drawn(hf.constant(data(4, 3, 3)))
        for _ in range(4):
            assert session.run(fetch)
            native.wait()
    monkeypatch.setattr(all_turns, "_MOST_BYTES", 100)
    plan = check(lambda x: [hf.map_fn(hf.sin, x * 2.0)], [data(4, 3, 3)])
    assert len(loops_of(plan)) == 1


def test_rows_of_a_variable_that_is_written_afterwards():
    def build(x):
        v = weights(4, 3)
        rows = hf.map_fn(lambda i: v[i], hf.range(4), dtype=hf.float32)
        with hf.control_dependencies([rows]):
            new = v.assign_add(hf.ones([4, 3]))
        return [rows, hf.gradients(rows * x, v)[0] + 0.0 * new]

    check(build, [data(4, 3)], [data(4, 3, seed=1)])


def test_unknown_passes_are_refused():
    with pytest.raises(hf.errors.InvalidArgumentError, match="'rows in place'"):
        hf.Session(config=without("rows"))
