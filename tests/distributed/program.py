"""What `test_ranks.py` runs on several ranks: checks, whose outcomes go to a file.

mpiexec -n 2 python -m tests.distributed.program OUTCOMES.json [STEPS]
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

import numpy as np
import pytest

import hybridflow as hf
from hybridflow import distributed as hvd
from hybridflow._src.ranks import job as jobs
from hybridflow._src.runtime.trace import Timeline
from tests.execution import EXECUTIONS, Execution

CHECKS = {}


def check(function):
    CHECKS[function.__name__] = function
    return function


def in_each(function):
    """A check in every execution."""
    for name in EXECUTIONS:
        CHECKS[f"{function.__name__}-{name}"] = lambda name=name: function(Execution(name))
    return function


def of_rank(rank, shape=(2, 3), dtype=np.float32):
    """Values that each rank can tell of each other."""
    values = np.random.default_rng(100 + rank).normal(size=shape) * 9
    return values.astype(dtype)


def of_all(**options):
    return [of_rank(rank, **options) for rank in range(hvd.size())]


def everywhere(value):
    """The same value, asked of all ranks by other means than those under test."""
    from mpi4py import MPI

    return MPI.COMM_WORLD.allgather(value)


def close(found, wanted, rtol=1e-5):
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=1e-6)


@check
def ranks():
    assert everywhere(hvd.rank()) == list(range(hvd.size()))
    assert (hvd.local_rank(), hvd.local_size()) == (hvd.rank(), hvd.size())
    assert hvd.mpi_threads_supported() in (True, False)
    assert hvd.is_initialized()


# ---- collectives ----


@in_each
def sums_and_means(run):
    mine, all_ = of_rank(hvd.rank()), of_all()
    mean, total = run(lambda x: [hvd.allreduce(x), hvd.allreduce(x, op=hvd.Sum)], mine)
    close(mean, np.mean(all_, 0))
    close(total, np.sum(all_, 0))
    close(run(lambda x: hvd.allreduce(x, average=False), mine), np.sum(all_, 0))
    assert len({value.tobytes() for value in everywhere(mean)}) == 1


@in_each
def dtypes(run):
    for dtype in (np.float64, np.float16, np.int32, np.int64, np.uint8, np.complex64):
        values = of_all(dtype=dtype)
        with np.errstate(all="ignore"):
            wanted = np.sum(values, 0, dtype=dtype)
        found = run(lambda x: hvd.allreduce(x, op=hvd.Sum), values[hvd.rank()])
        assert found.dtype == dtype
        close(found, wanted, rtol=2e-3 if dtype == np.float16 else 1e-5)
    whole = run(lambda x: hvd.allreduce(x), np.int32(3 * hvd.rank() + 1))
    assert whole == sum(3 * r + 1 for r in range(hvd.size())) // hvd.size()
    flags = run(hvd.allgather, np.array([hvd.rank() == 1, True]))
    assert flags.tolist() == [v for r in range(hvd.size()) for v in (r == 1, True)]


@in_each
def sums_of_ranks_that_share_no_memory(run):
    job = jobs.current()
    together, job.together = job.together, None
    try:
        found = run(lambda x: [hvd.allreduce(x), hvd.allreduce(x, op=hvd.Sum)], of_rank(hvd.rank()))
        halves = run(lambda x: hvd.allreduce(x), of_rank(hvd.rank(), dtype=np.float16))
    finally:
        job.together = together
    close(found[0], np.mean(of_all(), 0))
    close(found[1], np.sum(of_all(), 0))
    close(halves, np.mean(of_all(dtype=np.float16), 0), rtol=1e-2)


@check
def memory_that_ranks_share_grows_as_far_as_there_is_some():
    """Ranks of a machine with too little of it sum by MPI."""
    for dtype in (np.float32, np.int64):
        for size in (10, 5_000, 100_000, 7, 200_000):
            shared = jobs.current().together
            if shared is None:  # more ranks than share some
                continue
            least, arena = shared._least_refused, shared.arena
            shared.arena = 1000  # bytes: of the sizes here the smallest ones fit
            if size == 200_000:
                shared._least_refused = 0.0
            mine = np.arange(size, dtype=dtype) * (hvd.rank() + 1)
            with hf.eager_mode():
                found = hvd.allreduce(mine, op=hvd.Sum).numpy()
            shared._least_refused, shared.arena = least, arena
            factor = sum(range(1, hvd.size() + 1))
            close(found, np.arange(size, dtype=dtype) * factor)


@in_each
def half_precision_on_the_way(run):
    found = run(lambda x: hvd.allreduce(x, compression=hvd.Compression.fp16), of_rank(hvd.rank()))
    assert found.dtype == np.float32
    close(found, np.mean(of_all(), 0), rtol=1e-2)


@in_each
def rows_of_different_numbers(run):
    def rows(rank):
        return of_rank(rank, (2 * rank, 3))  # of the first rank none at all

    found = run(hvd.allgather, rows(hvd.rank()))
    np.testing.assert_array_equal(found, np.concatenate([rows(r) for r in range(hvd.size())]))


@in_each
def one_rank_for_all(run):
    for root in range(hvd.size()):
        for shape in ((2, 3), (), (0, 2)):
            found = run(lambda x, root=root: hvd.broadcast(x, root), of_rank(hvd.rank(), shape))
            np.testing.assert_array_equal(found, of_rank(root, shape))


def sent_rows(rank):
    """To rank r go rank + r rows, from each rank."""
    splits = [rank + r for r in range(hvd.size())]
    return of_rank(rank, (sum(splits), 2)), splits


def came_rows(rank):
    """What `sent_rows` brings to a rank."""
    found = []
    for other in range(hvd.size()):
        rows, splits = sent_rows(other)
        found.append(rows[sum(splits[:rank]) :][: splits[rank]])
    return found


@in_each
def rows_for_each_other(run):
    rank = hvd.rank()
    rows, splits = sent_rows(rank)
    found, counts = run(lambda x: list(hvd.alltoall(x, splits)), rows)
    np.testing.assert_array_equal(found, np.concatenate(came_rows(rank)))
    assert counts.tolist() == [len(rows) for rows in came_rows(rank)]
    # Each weighs what came by who it came to.
    (grad,) = run.gradient(lambda x: hvd.alltoall(x, splits)[0] * (rank + 1.0), rows)
    close(grad, np.repeat(np.arange(hvd.size()) + 1, splits)[:, None] * np.ones_like(rows))


@check
def rows_that_are_not_as_many_as_said():
    with hf.eager_mode():
        said = f"a number of rows for each of {hvd.size()} ranks, 3 in all"
        with pytest.raises(hf.errors.InvalidArgumentError, match=said):
            hvd.alltoall(np.zeros((3, 2)), [1] * hvd.size() + [1])
    jobs.current().owed = 0  # as it is for all of them, none has left the others


@in_each
def gradients(run):
    """The loss is the sum of all ranks' losses, each with weights of its own."""
    count, rank = hvd.size(), hvd.rank()
    mine = of_rank(rank)
    weights = [of_rank(50 + r) for r in range(count)]
    (found,) = run.gradient(lambda x: hvd.allreduce(x) * weights[rank], mine)
    close(found, np.mean(weights, 0))
    (found,) = run.gradient(lambda x: hvd.allreduce(x * x, op=hvd.Sum) * weights[rank], mine)
    close(found, np.sum(weights, 0) * 2 * mine)
    (found,) = run.gradient(lambda x: hvd.broadcast(x, 1) * weights[rank], mine)
    close(found, np.sum(weights, 0) if rank == 1 else np.zeros((2, 3)))
    rows = of_rank(rank, (rank + 1, 2))
    start, total = sum(range(rank + 1)), sum(range(count + 1))
    each = [of_rank(60 + r, (total, 2)) for r in range(count)]
    (found,) = run.gradient(lambda x: hvd.allgather(x) * each[rank], rows)
    close(found, np.sum(each, 0)[start : start + rank + 1])


@check
def sizes_that_a_run_tells():
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder("float32", [None, 3])
        y = hvd.allreduce(x * 2.0, op=hvd.Sum) + hvd.allreduce(x)
        for rows in (1, 4, 4, 4, 0, 7):
            mean = np.mean(of_all(shape=(rows, 3)), 0)
            found = session.run(y, {x: of_rank(hvd.rank(), (rows, 3))})
            close(found, mean * (2 * hvd.size() + 1))


@in_each
def inside_of_control_flow(run):
    def program(x):
        total = hf.while_loop(
            lambda i, _: i < 3, lambda i, t: (i + 1, t + hvd.allreduce(x)), [0, hf.zeros_like(x)]
        )[1]
        first = hvd.allreduce(x, op=hvd.Sum)
        which = hf.reduce_sum(first) < 1e9
        return hf.cond(which, lambda: hvd.allreduce(total), lambda: total) + first

    mean = np.mean(of_all(), 0)
    close(run(program, of_rank(hvd.rank())), mean * 3 + mean * hvd.size())


@check
def sparse_gradients():
    count, rank = hvd.size(), hvd.rank()
    for dense in (False, True):
        with hf.Graph().as_default(), hf.Session() as session:
            table = hf.get_variable("table", initializer=np.zeros((count + 1, 2), np.float32))
            loss = hf.reduce_sum(hf.gather(table, [rank, count]) * (rank + 1.0))
            optimizer = hvd.DistributedOptimizer(
                hf.train.GradientDescentOptimizer(1.0), sparse_as_dense=dense
            )
            ((grad, _),) = optimizer.compute_gradients(loss)
            assert isinstance(grad, hf.IndexedSlices) != dense
            train = optimizer.apply_gradients([(grad, table)])
            session.run(hf.global_variables_initializer())
            session.run(train)
            wanted = np.zeros((count + 1, 2))
            for r in range(count):
                wanted[[r, count]] -= (r + 1) / count
            close(session.run(table), wanted)


@check
def a_transfer_is_under_way_while_the_backward_pass_goes_on():
    """Two buffers: the first one's gradients are there before those of the layers below."""
    size = 64
    os.environ["HOROVOD_FUSION_THRESHOLD"] = str(4 * size * size)
    with hf.Graph().as_default(), hf.Session() as session:
        h = x = hf.placeholder("float32", [8, size])
        for number in range(2):
            h = hf.tanh(h @ hf.get_variable(f"w{number}", [size, size]))
        optimizer = hvd.DistributedOptimizer(hf.train.GradientDescentOptimizer(0.1))
        train = optimizer.minimize(hf.reduce_sum(h))
        session.run(hf.global_variables_initializer())
        feeds = {x: of_rank(hvd.rank(), (8, size))}
        view = hf.explain(train, feeds, session)
        metadata = hf.RunMetadata()
        options = hf.RunOptions(trace_level=hf.RunOptions.FULL_TRACE)
        session.run(train, feeds, options=options, run_metadata=metadata)
    del os.environ["HOROVOD_FUSION_THRESHOLD"]
    (plan,) = view.plans
    kinds = [step.what.partition(":")[0] for step in plan.steps]
    products = [any("MatMul" in name for name in step.ops) for step in plan.steps]
    first, second = [i for i, kind in enumerate(kinds) if kind == "begin"]
    assert any(products[first:second])
    assert kinds.index("wait") > second
    text = Timeline(metadata.step_stats).generate_chrome_trace_format()
    events = json.loads(text)["traceEvents"]
    flights = [e for e in events if e.get("args", {}).get("kernel", "").startswith("in flight")]
    assert len(flights) == 2
    begun = min(flights, key=lambda e: e["ts"])
    end = begun["ts"] + begun["dur"]
    assert any("MatMul" in e["name"] and begun["ts"] <= e["ts"] < end for e in events)


@check
def steps_of_one_machine_are_native_throughout():
    size = 32
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder("float32", [8, size])
        ok = hf.placeholder_with_default(True, [])
        h = hf.tanh(x @ hf.get_variable("w", [size, size]))
        loss = hf.reduce_sum(h @ hf.get_variable("v", [size, 1]))
        optimizer = hvd.DistributedOptimizer(hf.train.AdamOptimizer(0.01))
        train, mean = optimizer.minimize(loss), hvd.allreduce(loss)
        with hf.control_dependencies([mean, hf.Assert(ok, ["not ok"])]):
            # What may fail after ranks have met is left to the interpreter, which begins nothing
            # twice.
            checked = hvd.allreduce(loss * 2.0)
        session.run(hf.global_variables_initializer())
        session.run(hvd.broadcast_global_variables(0))
        given = {x: of_rank(hvd.rank(), (8, size))}
        found = []
        for _ in range(6):
            found.append(session.run([mean, train], given)[0])
            close(session.run([mean, checked], given)[1], 2 * session.run(mean, given))
        assert len({float(value) for value in everywhere(found[-1])}) == 1
        view = hf.explain([mean, train], given, session)
    (plan,) = view.plans
    assert [step.what for step in plan.steps].count("begin: sum") in (0, 2)
    if jobs.current().together is not None and plan.is_native:
        assert not [step for step in plan.steps if step.why]
        assert [step.what for step in plan.steps].count("begin: sum") == 2


# ---- training ----

INPUTS = np.random.default_rng(5).normal(size=(24, 6)).astype(np.float32)
TARGETS = np.sin(INPUTS @ np.random.default_rng(6).normal(size=(6, 3))).astype(np.float32)


def batch(step, mine):
    """The rows of a step: of this rank, or of all of them together."""
    each = len(INPUTS) // 12
    count = hvd.size() * each
    rows = np.roll(np.arange(len(INPUTS)), -step * count)[:count]
    if mine:
        rows = rows[hvd.rank() * each :][:each]
    return INPUTS[rows], TARGETS[rows]


def trained(wrap, mine, steps):
    """Losses of a network with constraints, and what its variables and slots become."""
    with hf.Graph().as_default(), hf.Session() as session:
        # With the ranks wrapped up, each begins with values of its own.
        hf.set_random_seed(3 + (hvd.rank() if mine else 0))
        x, y = hf.placeholder("float32", [None, 6]), hf.placeholder("float32", [None, 3])
        w = hf.get_variable("w", [6, 8], constraint=hf.constraints.MaxNorm(1.5))
        b = hf.get_variable("b", [8], constraint=hf.constraints.NonNeg())
        out = hf.get_variable("out", [8, 3])
        loss = hf.reduce_mean(hf.squared_difference(hf.tanh(x @ w + b) @ out, y))
        step = hf.train.get_or_create_global_step()
        optimizer = wrap(hf.train.AdamOptimizer(0.01))
        train = optimizer.minimize(loss, global_step=step)
        session.run(hf.global_variables_initializer())
        if mine:
            session.run(hvd.broadcast_global_variables(0))
        losses = []
        for number in range(steps):
            inputs, targets = batch(number, mine)
            value, _ = session.run([loss, train], {x: inputs, y: targets})
            losses.append(value)
        return np.array(losses), session.run(hf.global_variables())


def digest(arrays):
    return hashlib.sha256(b"".join(np.asarray(a).tobytes() for a in arrays)).hexdigest()


@check
def the_same_variables_after_many_steps():
    steps = int(sys.argv[2]) if len(sys.argv) > 2 else 150
    losses, variables = trained(hvd.DistributedOptimizer, True, steps)
    assert len(variables) == 12  # with Adam's slots and powers, and the step
    assert len(set(everywhere(digest(variables)))) == 1
    alone, _ = trained(lambda optimizer: optimizer, False, steps)
    close(np.mean(everywhere(losses), 0), alone, rtol=1e-5)
    assert np.mean(everywhere(losses), 0)[-1] < 0.5 * losses[0]


def sizes_that_differ(kind):
    """Trains on batches whose sizes ranks choose for themselves, so that now and then some run a
    step by the interpreter and others natively; gives digests of all variables after each step.
    """
    rng, found = np.random.default_rng(hvd.rank()), []
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder("float32", [None, 40])
        w = hf.get_variable("w", [40, 30], constraint=hf.constraints.MaxNorm(0.5, axis=1))
        table = hf.get_variable("table", [9, 30])
        rows = hvd.allgather(x) if kind == "gathered" else x
        # Of another number on each rank, while rows are under way.
        different, _ = hf.unique(hf.cast(x[0] * 2, hf.int32))
        h = rows @ w
        if kind == "sparse":
            h += hf.gather(table, hf.cast(x[:, 0] * 4 + 4, hf.int32))
        optimizer = hvd.DistributedOptimizer(hf.train.AdamOptimizer(0.01))
        loss = hf.reduce_mean(hf.squared_difference(h, 1.0))
        loss += 0.0 * hf.cast(hf.reduce_sum(different), hf.float32)
        pairs = optimizer.compute_gradients(loss)
        pairs = [(grad, variable) for grad, variable in pairs if grad is not None]
        grads, _ = hf.clip_by_global_norm([grad for grad, _ in pairs], 0.1)
        train = optimizer.apply_gradients(list(zip(grads, [v for _, v in pairs], strict=True)))
        session.run(hf.global_variables_initializer())
        session.run(hvd.broadcast_global_variables(0))
        for _ in range(30):
            size = 1 + int(rng.integers(2 + 5 * (hvd.rank() % 2)))
            session.run([train, loss], {x: rng.uniform(-1, 1, (size, 40))})
            found.append(digest(session.run(hf.global_variables())))
    return found


@check
def the_same_variables_after_batches_of_different_sizes():
    for kind in ("dense", "sparse", "gathered"):
        found = everywhere(sizes_that_differ(kind))
        assert len(set(map(tuple, found))) == 1, kind


@check
def any_optimizer():
    for optimizer in (
        hf.train.MomentumOptimizer(0.1, 0.9),
        hf.train.AdagradOptimizer(0.1),
        hf.train.RMSPropOptimizer(0.01),
        hf.train.FtrlOptimizer(0.1),
    ):
        losses, variables = trained(lambda _, o=optimizer: hvd.DistributedOptimizer(o), True, 20)
        assert len(set(everywhere(digest(variables)))) == 1
        alone, _ = trained(lambda _, o=optimizer: o, False, 20)
        close(np.mean(everywhere(losses), 0), alone, rtol=1e-4)


@check
def tapes():
    for wrap in (lambda f: f, hf.function):
        with hf.eager_mode(), hf.EagerVariableStore().as_default():
            w = hf.get_variable("w", initializer=of_rank(hvd.rank(), (6, 3)))
            b = hf.get_variable("b", initializer=np.zeros(3, np.float32))
            hvd.broadcast_variables([w, b], root_rank=1)
            np.testing.assert_array_equal(w.numpy(), of_rank(1, (6, 3)))
            optimizer = hf.train.MomentumOptimizer(0.01, 0.9)

            def grads(inputs, targets, w=w, b=b):
                with hf.GradientTape() as tape:
                    loss = hf.reduce_mean(hf.squared_difference(inputs @ w + b, targets))
                tape = hvd.DistributedGradientTape(tape)
                return tape.gradient(loss, [w, b])

            compute = wrap(grads)
            for step in range(12):
                mine = [hf.constant(a) for a in batch(step, True)]
                all_ = [hf.constant(a) for a in batch(step, False)]
                with hf.GradientTape() as tape:
                    loss = hf.reduce_mean(hf.squared_difference(all_[0] @ w + b, all_[1]))
                found = compute(*mine)
                for one, other in zip(found, tape.gradient(loss, [w, b]), strict=True):
                    close(one.numpy(), other.numpy(), rtol=1e-4)
                optimizer.apply_gradients(list(zip(found, [w, b], strict=True)))
            assert len(set(everywhere(digest([w.numpy(), b.numpy()])))) == 1


@check
def eager_optimizers():
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        v = hf.get_variable("v", initializer=np.ones(4, np.float32))
        optimizer = hvd.DistributedOptimizer(hf.train.GradientDescentOptimizer(0.5))
        for _ in range(4):
            optimizer.minimize(lambda: hf.reduce_sum(v * (hvd.rank() + 1.0)))
        close(v.numpy(), 1 - 4 * 0.5 * (hvd.size() + 1) / 2)


@check
def a_monitored_session_begins_with_the_values_of_one_rank():
    with hf.Graph().as_default():
        v = hf.get_variable("v", initializer=of_rank(hvd.rank()))
        hook = hvd.BroadcastGlobalVariablesHook(hvd.size() - 1)
        with hf.train.MonitoredTrainingSession(hooks=[hook]) as session:
            np.testing.assert_array_equal(session.run(v), of_rank(hvd.size() - 1))


# ---- tables of which each rank has some rows ----

ROWS, WIDTH = 26, 3
TABLE = np.random.default_rng(7).normal(size=(ROWS, WIDTH)).astype(np.float32)


def trained_table(partitioner, optimizer, mine, steps=12):
    """Trains rows of a table, and a bias; gives a session, what is in it, and losses."""
    graph = hf.Graph()
    with graph.as_default():
        table = hf.get_variable(
            "table",
            initializer=TABLE,
            partitioner=partitioner,
            constraint=lambda rows: hf.clip_by_norm(rows, 1.5, axes=[1]),
            regularizer=hf.contrib.layers.l2_regularizer(0.01),
        )
        bias = hf.get_variable("bias", [WIDTH], initializer=hf.zeros_initializer())
        ids, targets = hf.placeholder("int64", [None, 2]), hf.placeholder("float32", [None, WIDTH])
        found = hf.reduce_sum(hf.nn.embedding_lookup(table, ids), 1) + bias
        loss = hf.reduce_mean(hf.squared_difference(found, targets))
        loss += hf.losses.get_regularization_loss()
        train = optimizer.minimize(loss)
        saver = hf.train.Saver()
        session = hf.Session(graph=graph)
        session.run(hf.global_variables_initializer())
        rng, losses = np.random.default_rng(8), []
        for _ in range(steps):
            each = (
                rng.integers(0, ROWS, (hvd.size(), 4, 2)),
                rng.normal(size=(hvd.size(), 4, WIDTH)),
            )
            chosen = [a[hvd.rank()] if mine else a.reshape(-1, a.shape[-1]) for a in each]
            losses.append(session.run([loss, train], {ids: chosen[0], targets: chosen[1]})[0])
        return session, saver, table, bias, np.array(losses)


@check
def tables_train_as_whole_ones_do():
    for optimizer in (
        hf.train.GradientDescentOptimizer(0.5),
        hf.train.MomentumOptimizer(0.1, 0.9),
        hf.train.AdamOptimizer(0.05),
    ):
        sharded = hvd.sharded_variable_partitioner()
        session, _, table, bias, losses = trained_table(
            sharded, hvd.DistributedOptimizer(optimizer), True
        )
        whole, _, wanted, other, alone = trained_table(None, optimizer, False)
        (part,) = table
        assert part.shape.as_list()[0] <= -(-ROWS // hvd.size())
        with session.graph.as_default():
            close(session.run(hf.convert_to_tensor(table)), whole.run(wanted), rtol=1e-4)
        close(session.run(bias), whole.run(other), rtol=1e-4)
        close(np.mean(everywhere(losses), 0), alone, rtol=1e-5)


def clipped_table(partitioner, optimizer, mine, tape):
    """Trains a table and a bias by gradients that are clipped by the norm over all of them; gives
    the norms, and the table at the end. A whole table's gradient is taken as one tensor.
    """
    rng, norms = np.random.default_rng(9), []
    with hf.EagerVariableStore().as_default() if tape else hf.Graph().as_default():
        table = hf.get_variable("table", initializer=TABLE, partitioner=partitioner)
        bias = hf.get_variable("bias", initializer=np.zeros(WIDTH, np.float32))
        variables = [*([table] if partitioner is None else table), bias]

        def loss(ids):
            found = hf.reduce_sum(hf.nn.embedding_lookup(table, ids), 1)
            return hf.reduce_mean(hf.squared_difference(found + bias, 1.0))

        def update(pairs):
            grads = [grad if mine else hf.convert_to_tensor(grad) for grad, _ in pairs]
            grads, norm = hf.clip_by_global_norm(grads, 0.2)
            again = hf.global_norm(grads)
            train = optimizer.apply_gradients(zip(grads, variables, strict=True))
            return train, norm, again

        each = [rng.integers(0, ROWS, (hvd.size(), 4, 2)) for _ in range(6)]
        each = [ids[hvd.rank()] if mine else ids.reshape(-1, 2) for ids in each]
        if tape:
            for ids in each:
                with hvd.DistributedGradientTape(hf.GradientTape()) as recorded:
                    value = loss(hf.constant(ids))
                grads = recorded.gradient(value, variables)
                _, norm, again = update(zip(grads, variables, strict=True))
                norms.append([norm.numpy(), again.numpy()])
            return np.array(norms), np.asarray(table)
        ids = hf.placeholder("int64", [None, 2])
        train, *both = update(optimizer.compute_gradients(loss(ids), variables))
        with hf.Session() as session:
            session.run(hf.global_variables_initializer())
            norms = [session.run([*both, train], {ids: given})[:2] for given in each]
            return np.array(norms), session.run(hf.convert_to_tensor(table))


@check
def norms_over_gradients_of_tables():
    sharded, plain = hvd.sharded_variable_partitioner(), hf.train.GradientDescentOptimizer(3.0)
    wanted, whole = clipped_table(None, plain, False, False)
    assert wanted[:, 0].min() > 0.2
    close(wanted[:, 1], 0.2)
    with hf.eager_mode():
        found = [clipped_table(sharded, plain, True, True)]
    found.append(clipped_table(sharded, hvd.DistributedOptimizer(plain), True, False))
    for norms, table in found:
        close(norms, wanted)
        close(table, whole, rtol=1e-4)
        assert len(set(everywhere(digest([norms, table])))) == 1


@check
def tables_in_checkpoints():
    """All ranks save into one, which is like any other."""
    from mpi4py import MPI

    folder = MPI.COMM_WORLD.bcast(tempfile.mkdtemp() if hvd.rank() == 0 else None)
    sharded = hvd.sharded_variable_partitioner()
    adam = hf.train.AdamOptimizer(0.05)
    session, saver, table, _, _ = trained_table(sharded, hvd.DistributedOptimizer(adam), True)
    path = saver.save(session, f"{folder}/model", global_step=12)
    assert sorted(os.listdir(folder))[0] == "checkpoint"
    assert not [name for name in os.listdir(folder) if "temp" in name]
    assert hf.train.latest_checkpoint(folder) == path
    with session.graph.as_default():
        wanted = session.run(hf.convert_to_tensor(table))
    np.testing.assert_array_equal(hf.train.load_variable(path, "table"), wanted)
    shapes = dict(hf.train.list_variables(path))
    assert shapes["table/Adam"] == [ROWS, WIDTH]
    assert shapes["bias"] == [WIDTH]
    # Another program's whole table, and then again in parts.
    whole, other, *_ = trained_table(None, adam, False, steps=1)
    other.restore(whole, path)
    np.testing.assert_array_equal(whole.run("table:0"), wanted)
    again, saver, table, _, _ = trained_table(
        sharded, hvd.DistributedOptimizer(adam), True, steps=1
    )
    saver.restore(again, path)
    with again.graph.as_default():
        np.testing.assert_array_equal(again.run(hf.convert_to_tensor(table)), wanted)
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        table = hf.get_variable("table", [ROWS, WIDTH], partitioner=sharded)
        eager = hf.train.Saver(list(table))
        eager.restore(None, path)
        np.testing.assert_array_equal(np.asarray(table), wanted)
        eager.restore(None, eager.save(None, f"{folder}/eager"))
        np.testing.assert_array_equal(np.asarray(table), wanted)
    MPI.COMM_WORLD.Barrier()
    if hvd.rank() == 0:
        shutil.rmtree(folder)


@in_each
def rows_of_tables(run):
    with hf.EagerVariableStore().as_default():
        rng = np.random.default_rng(hvd.rank())
        for shape in ((5,), (2, 3), (), (0,)):
            ids = rng.integers(0, ROWS, shape)

            def program(ids):
                with hf.variable_scope("", reuse=hf.AUTO_REUSE):
                    table = hf.get_variable(
                        "table",
                        initializer=TABLE,
                        partitioner=hvd.sharded_variable_partitioner(),
                    )
                return hf.nn.embedding_lookup(table, ids)

            np.testing.assert_array_equal(run(program, ids), TABLE[ids])


@check
def tables_begin_as_those_in_parts_do():
    """All ranks draw the numbers that one process draws, and other variables those of theirs."""
    found = []
    for eager in (False, True):
        for partitioner in (
            hvd.sharded_variable_partitioner(),
            hf.fixed_size_partitioner(hvd.size()),
        ):
            with contextlib.ExitStack() as stack:
                if eager:
                    stack.enter_context(hf.eager_mode())
                    stack.enter_context(hf.EagerVariableStore().as_default())
                else:
                    stack.enter_context(hf.Graph().as_default())
                hf.set_random_seed(4)
                table = hf.get_variable("table", [ROWS, WIDTH], partitioner=partitioner)
                other = hf.get_variable("other", [3])
                if eager:
                    found.append((np.asarray(table), other.numpy()))
                else:
                    session = stack.enter_context(hf.Session())
                    session.run(hf.global_variables_initializer())
                    found.append(session.run([hf.convert_to_tensor(table), other]))
        for one, two in zip(*found[-2:], strict=True):
            np.testing.assert_array_equal(one, two)


@check
def ids_that_no_table_has():
    """Told on the rank that asks, before anything has been sent."""
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        table = hf.get_variable(
            "table", initializer=TABLE, partitioner=hvd.sharded_variable_partitioner()
        )
        for bad in (-1, ROWS):
            said = f"no such row of table 'table', which has {ROWS}"
            with pytest.raises(hf.errors.InvalidArgumentError, match=said):
                hf.nn.embedding_lookup(table, [3, bad])
        with pytest.raises(ValueError, match="has no row for each of"):
            hf.get_variable("small", [1, 4], partitioner=hvd.sharded_variable_partitioner())


def main():
    hvd.init()
    outcomes = {}
    for name, function in CHECKS.items():
        try:
            function()
            outcomes[name] = ""
        except Exception:
            outcomes[name] = f"rank {hvd.rank()}: {traceback.format_exc()}"
        outcomes[name] = "".join(everywhere(outcomes[name]))
    if hvd.rank() == 0:
        Path(sys.argv[1]).write_text(json.dumps(outcomes))


if __name__ == "__main__":
    main()
