"""Threads: how many work on a kernel, forks, and interrupts at any moment."""

from __future__ import annotations

import ctypes
import os
import threading
from itertools import pairwise

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.framework import locks
from hybridflow._src.kernels import blas, pool
from hybridflow._src.plan import sharing
from tests import interrupts
from tests.kernels import processes
from tests.plan.looping import without
from tests.plan.sessions import program_of

# Python warns of forks in a process with threads.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
LARGE = 600_000


@pytest.fixture
def graph():
    with hf.Graph().as_default() as graph:
        yield graph


# -- how many threads ------------------------------------------------------------------------------


def parts(program):
    return [len(what.programs) for kind, what in program._segments if kind == "shared"]


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
def test_a_session_chooses(graph, threads):
    config = hf.ConfigProto(intra_op_parallelism_threads=threads)
    x = hf.placeholder(hf.float32, [None])
    y = hf.sqrt(x) * 2.0 + 1.0
    array = np.arange(LARGE, dtype=np.float32)
    with hf.Session(config=config) as session:
        program = program_of(session, y, {x: array})
        assert parts(program) == ([threads] if threads > 1 else [])
        np.testing.assert_array_equal(session.run(y, {x: array}), np.sqrt(array) * 2 + 1)


@pytest.mark.parametrize("chosen", [1, 4])
def test_the_process_chooses(graph, monkeypatch, chosen):
    monkeypatch.setattr(pool, "_size", chosen)
    x = hf.placeholder(hf.float32, [None])
    array = np.ones(LARGE, np.float32)
    with hf.Session() as session:
        assert parts(program_of(session, x + 1.0, {x: array})) == ([4] if chosen == 4 else [])


@pytest.mark.parametrize(
    ("value", "wanted"), [("3", 3), ("1", 1), ("0", None), ("-2", None), ("many", None), ("", None)]
)
def test_the_environment_chooses(monkeypatch, value, wanted):
    monkeypatch.setenv("HYBRIDFLOW_NUM_THREADS", value)
    assert pool._default_size() == (wanted or len(os.sched_getaffinity(0)))


def test_small_values_are_not_divided(graph):
    x = hf.placeholder(hf.float32, [None])
    with hf.Session(config=hf.ConfigProto(intra_op_parallelism_threads=4)) as session:
        assert parts(program_of(session, x + 1.0, {x: np.ones(1000, np.float32)})) == []


# -- steps side by side ----------------------------------------------------------------------------


@pytest.fixture
def share_from(monkeypatch):
    """Has threads share steps from so much work on, in all."""
    return lambda work: monkeypatch.setattr(sharing, "WORTH_SHARING", work)


def calls(program):
    """How many calls each of the programs has that run side by side."""
    words, base = program._array, program._array.ctypes.data
    shared = [what.programs for kind, what in program._segments if kind == "shared"]
    return [[int(words[(address - base) // 8]) for address in what] for what in shared]


def test_many_small_updates_are_shared_out(graph, share_from):
    share_from(200_000)
    rng = np.random.default_rng(0)
    starts = [rng.normal(size=(3 + i, 1000)).astype(np.float32) for i in range(9)]
    variables = [hf.get_variable(f"v{i}", initializer=s) for i, s in enumerate(starts)]
    optimizer = hf.train.MomentumOptimizer(0.5, 0.9)
    train = optimizer.apply_gradients([(hf.ones(v.shape), v) for v in variables])
    with hf.Session(config=hf.ConfigProto(intra_op_parallelism_threads=3)) as session:
        session.run(hf.global_variables_initializer())
        (found,) = calls(program_of(session, train))
        assert len(found) == 3
        assert min(found) >= 1
        for start, value in zip(starts, session.run(variables), strict=True):
            # Two steps of 0.5 at a velocity of 1 and then 1.9.
            np.testing.assert_allclose(start - value, 0.5 * (1 + 1.9), rtol=1e-5)


def test_steps_that_need_each_other_are_not_shared_out(graph, share_from):
    share_from(80_000)
    v = hf.get_variable("v", initializer=np.zeros(5000, np.float32), use_resource=True)
    x = hf.placeholder(hf.float32, [5000])
    with hf.control_dependencies([v.assign_add(x)]):
        added = v.read_value()
        scaled = v.assign(added * hf.reduce_sum(added))
    with hf.control_dependencies([scaled]):
        last = v.read_value() + 1.0
    feed = {x: np.ones(5000, np.float32)}
    with hf.Session(config=hf.ConfigProto(intra_op_parallelism_threads=2)) as session:
        session.run(v.initializer)
        assert not calls(program_of(session, last, feed))
        session.run(v.initializer)
        np.testing.assert_array_equal(session.run(last, feed), np.full(5000, 5001.0))


def test_steps_side_by_side_share_no_memory(graph, share_from):
    share_from(800)
    # One after the other, results would lie where values lay that are done with.
    xs = [hf.placeholder(hf.float32, [n, n]) for n in range(60, 40, -4)]
    products = [hf.matmul(x, x) for x in xs]
    with hf.control_dependencies(products):
        rows = [hf.exp(product[:1] * 0.01) for product in products]
    with hf.control_dependencies(rows):
        results = [hf.matmul(row, x) for row, x in zip(rows, xs, strict=True)]
    config = hf.ConfigProto(intra_op_parallelism_threads=2)
    feed = {x: np.eye(*x.shape.as_list(), dtype=np.float32) for x in xs}
    with hf.Session(config=config) as session:
        wanted = session.run(results, feed)
        program = program_of(session, results, feed)
        assert calls(program)
        for batch in program._batches:
            buffers = {p.buffer for _, step in batch if len(batch) > 1 for p in step.places}
            planned = [b for b in buffers if b.kind == "planned"]
            lies = sorted((program.block.address(b), b.size) for b in planned)
            for (address, size), (following, _) in pairwise(lies):
                assert address + size <= following
        for found, value in zip(session.run(results, feed), wanted, strict=True):
            np.testing.assert_allclose(found, value, rtol=1e-6)


# -- matrix products -------------------------------------------------------------------------------


@pytest.fixture
def counted(monkeypatch):
    """Counts in place of BLAS' functions that tell and set its number of threads."""
    state = {"threads": 7, "set": []}

    @ctypes.CFUNCTYPE(ctypes.c_int)
    def tell():
        return state["threads"]

    @ctypes.CFUNCTYPE(None, ctypes.c_int)
    def put(number):
        state["threads"] = number
        state["set"].append(number)

    addresses = tuple(ctypes.cast(f, ctypes.c_void_p).value for f in (tell, put))
    library = blas.find()
    assert library is not None
    monkeypatch.setattr(blas, "find", lambda: library._replace(threads=addresses))
    # What is kept of the real functions, and then of these.
    blas._thread_functions.cache_clear()
    yield state
    blas._thread_functions.cache_clear()
    del tell, put


@pytest.mark.parametrize("size", [20, 300])
@pytest.mark.parametrize("threads", [1, 4])
def test_products_run_on_one_thread_of_blas(graph, counted, size, threads):
    x = hf.placeholder(hf.float32, [None, None])
    y = hf.matmul(x, x)
    array = np.eye(size, dtype=np.float32) * 3
    with hf.Session(config=without("products by tiles", threads=threads)) as session:
        program = program_of(session, y, {x: array})
        counted["set"].clear()
        np.testing.assert_array_equal(session.run(y, {x: array}), array @ array)
    shared = [len(what.programs) for kind, what in program._segments if kind == "shared"]
    # Ours share what is large.
    assert shared == ([4] if size == 300 and threads == 4 else [])
    # Set to one, and put back; who finds one leaves it.
    assert set(counted["set"]) == {1, 7}
    assert counted["set"].count(1) <= sum(shared) + 1
    assert counted["threads"] == 7


def test_the_number_of_threads_of_blas_stays(graph):
    library = blas.find()
    assert library is not None
    if not library.threads[0]:
        pytest.skip("this BLAS does not tell its number of threads")
    tell = ctypes.CFUNCTYPE(ctypes.c_int)(library.threads[0])
    before = tell()
    x = hf.placeholder(hf.float32, [None, None])
    y = hf.matmul(hf.matmul(x, x), x)
    feed = {x: np.eye(64, dtype=np.float32)}
    with hf.Session(graph=graph, config=without("products by tiles")) as session:
        program_of(session, y, feed)
        done = []

        def work():
            for _ in range(200):
                session.run(y, feed)
            done.append(1)

        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert len(done) == 4
    assert tell() == before


# -- forks -----------------------------------------------------------------------------------------

STRESS = """
import os, random, sys, threading, time
import numpy as np
import hybridflow as hf
from hybridflow._src.kernels.compiler import COMPILER

THREADS, STEPS, CHILDREN, CHILD_SECONDS = 8, 40, 6, 60


def build():
    variables = [
        hf.get_variable(name, initializer=np.zeros(size, np.float32), use_resource=True)
        for name, size in [("a", 64), ("b", 300_000), ("c", 300_000)]
    ]
    x = hf.placeholder(hf.float32, [])
    noise = hf.random_uniform([8], seed=1)
    train = hf.group(*[v.assign_add(hf.zeros_like(v) + x) for v in variables])
    return variables, x, noise, train


def child(session, variables, x, noise, train):
    before = session.run(variables)
    for array in before:
        assert (array == array[0]).all(), "a torn value"
    for _ in range(3):
        session.run([train, noise], {x: 1.0})
    assert COMPILER.wait(30)
    session.run([train, noise], {x: 1.0})
    for old, new in zip(before, session.run(variables)):
        assert (new == old + 4).all(), "a lost step"
    session.run(variables[0] * 2.0)  # a plan of the child's own


def wait_for(pid):
    until = time.monotonic() + CHILD_SECONDS
    while time.monotonic() < until:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    return "a child hangs"


def round_of(number):
    random.seed(number)
    with hf.Graph().as_default(), hf.Session() as session:
        variables, x, noise, train = parts = build()
        session.run(hf.global_variables_initializer())
        errors = []

        def work():
            try:
                for _ in range(STEPS):
                    session.run([train, noise], {x: 1.0})
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=work) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        children = []
        for _ in range(CHILDREN):
            time.sleep(random.random() * 0.02)
            pid = os.fork()
            if not pid:
                code = 1
                try:
                    child(session, *parts)
                    code = 0
                except BaseException:
                    import traceback
                    traceback.print_exc()
                finally:
                    sys.stderr.flush()
                    os._exit(code)
            children.append(pid)
        for thread in threads:
            thread.join()
        codes = [wait_for(pid) for pid in children]
        assert not errors, errors
        assert codes == [0] * CHILDREN, codes
        for array in session.run(variables):
            assert (array == THREADS * STEPS).all(), array
        native = [r.plan.native for r in session._runnables.values() if r.plan.native]
        return any(n.programs for n in native)


import warnings
warnings.simplefilter("ignore", DeprecationWarning)
print(sum(round_of(number) for number in range(FIRST, LAST)))
"""


def test_eight_threads_step_one_session_while_children_are_forked():
    """`HYBRIDFLOW_STRESS=100` has it done a hundred times."""
    rounds = int(os.environ.get("HYBRIDFLOW_STRESS", "3"))
    # What happens once a process happens often too.
    for first in range(0, rounds, 4):
        program = f"FIRST, LAST = {first}, {min(first + 4, rounds)}\n" + STRESS
        assert int(processes.finished(processes.started(program))) >= 1


@pytest.mark.parametrize("pause", [0.0, 0.2, 1.0])
def test_a_fork_while_kernels_are_compiled(pause):
    program = processes.TRAIN + (
        "import os, time\n"
        "losses(session, 1); step(session)\n"
        f"time.sleep({pause})\n"
        "child = os.fork()\n"
        "found = losses(session, 6)\n"
        "if child:\n"
        "    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0\n"
        "    assert COMPILER.wait(60)\n"
        "else:\n"
        "    assert len(plan_of(session).native.programs) == 1\n"
        "    assert found == sorted(found, reverse=True)\n"
        "    os._exit(0)\n"
        "step(session)\n"
        "report(session, found)\n"
    )
    program = "import warnings; warnings.simplefilter('ignore', DeprecationWarning)\n" + program
    found = processes.run(program, HYBRIDFLOW_CACHE_DIR="/dev/null")
    assert found["programs"] == 1
    assert found["losses"] == sorted(found["losses"], reverse=True)


def test_a_child_has_a_pool_of_its_own(graph):
    x = hf.placeholder(hf.float32, [None])
    y = hf.sqrt(x)
    array = np.arange(LARGE, dtype=np.float32)
    with hf.Session(config=hf.ConfigProto(intra_op_parallelism_threads=3)) as session:
        program = program_of(session, y, {x: array})
        session.run(y, {x: array})
        assert parts(program) == [3]
        child = os.fork()
        if not child:
            good = not pool._pool._helpers and np.array_equal(
                session.run(y, {x: array}), np.sqrt(array)
            )
            os._exit(0 if good and len(pool._pool._helpers) == 2 else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_lock_that_is_not_given_back_does_not_hold_up_a_child(graph, monkeypatch):
    monkeypatch.setattr(locks, "_SECONDS", 0.2)
    lock = locks.new_lock()
    inside, done = threading.Event(), threading.Event()

    def hold():
        with lock:
            inside.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait()
    child = os.fork()
    if not child:
        os._exit(0 if lock.acquire(timeout=1) else 1)
    done.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert lock.acquire(timeout=1)
    lock.release()


# -- interrupts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [10, LARGE])
@pytest.mark.parametrize("checked", [False, True])
def test_an_interrupt_leaves_no_step_half_done(graph, size, checked):
    variables = [
        hf.get_variable(name, initializer=np.zeros(size, np.float32), use_resource=True)
        for name in "abcd"
    ]
    x = hf.placeholder(hf.float32, [])
    train = hf.group(*[v.assign_add(hf.zeros_like(v) + x) for v in variables])
    if checked:  # a step that may fail after it has written: it is undone
        with hf.control_dependencies([variables[0].assign_add(hf.zeros_like(variables[0]) + x)]):
            check = hf.Assert(x > 0.0, [x])
        train = hf.group(train, check)
    config = hf.ConfigProto(intra_op_parallelism_threads=2)
    with hf.Session(config=config) as session:
        session.run(hf.global_variables_initializer())
        program_of(session, train, {x: 1.0})
        firsts = hf.stack([v[:3] for v in variables])
        lasts = hf.stack([v[-3:] for v in variables])
        with interrupts.signals(0) as run:
            for number in range(200):
                run(lambda: session.run(train, {x: np.float32(1)}), 1 + number % 3)
                first, last = session.run([firsts, lasts])
                assert (first == last).all()
                rest = first[1:]
                assert (rest == rest[0, 0]).all()
                assert (first[0] == first[1, 0] * (2 if checked else 1)).all()
        # All locks are free: another thread can go on.
        thread = threading.Thread(target=lambda: session.run(train, {x: np.float32(1)}))
        thread.start()
        thread.join(20)
        assert not thread.is_alive()
        before = rest[0, 0]
        np.testing.assert_array_equal(session.run(lasts)[1:], before + 1)
