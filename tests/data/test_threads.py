"""Elements made ahead: a bounded number, in order; errors, interrupts, forks, ends."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from tests.data.running import elements, listed

D = hf.data.Dataset


def counting(made: list[int], stop: int = 1000) -> Any:
    def numbers() -> Any:
        for i in range(stop):
            made.append(i)
            yield i

    return D.from_generator(numbers, hf.int64, [])


def settled(made: list[int]) -> int:
    """How many were made once no more are."""
    count = -1
    while count != len(made):
        count = len(made)
        time.sleep(0.05)
    return count


def test_no_more_is_made_than_the_buffer_holds():
    made: list[int] = []
    with hf.eager_mode():
        iterator = iter(counting(made).prefetch(3))
        assert not made
        for taken in range(1, 5):
            next(iterator)
            assert settled(made) in (taken + 3, taken + 4)


def test_threads_end_with_what_they_serve():
    made: list[int] = []
    with hf.eager_mode():
        iterator = iter(counting(made).prefetch(3))
        next(iterator)
        count = settled(made)
        work = weakref.ref(iterator._pass._ahead._work)
        del iterator
        gc.collect()
        deadline = time.monotonic() + 5
        while work() is not None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert work() is None
        assert len(made) == count


def test_errors_come_in_their_turn_and_elements_go_on():
    def fails(x: Any) -> Any:
        if x == 2:
            raise ValueError("two")
        return x

    with hf.eager_mode():
        data = D.range(5).map(lambda x: hf.py_func(fails, [x], hf.int64)).prefetch(4)
        iterator = iter(data)
        assert [int(next(iterator)), int(next(iterator))] == [0, 1]
        with pytest.raises(hf.errors.InvalidArgumentError, match="two"):
            next(iterator)
        assert [int(x) for x in iterator] == [3, 4]


@pytest.mark.parametrize("sloppy", [False, True])
def test_interleaved_threads_give_everything(sloppy):
    def make() -> Any:
        return D.range(20).apply(
            hf.contrib.data.parallel_interleave(
                lambda x: D.range(x * 100, x * 100 + 50), 4, 3, sloppy=sloppy
            )
        )

    found = listed(elements("eager", make))
    assert sorted(found) == [x * 100 + i for x in range(20) for i in range(50)]
    if not sloppy:
        plain = lambda: D.range(20).interleave(  # noqa: E731
            lambda x: D.range(x * 100, x * 100 + 50), 4, 3
        )
        assert found == listed(elements("eager", plain))


def test_sloppy_interleaving_passes_over_who_is_slow():
    gate = threading.Event()

    def slow(x: Any) -> Any:
        if x == 0:
            gate.wait(10)
        return x

    with hf.eager_mode():
        data = D.range(2).apply(
            hf.contrib.data.sloppy_interleave(
                lambda x: D.from_tensors(x).map(lambda y: hf.py_func(slow, [y], hf.int64)), 2
            )
        )
        iterator = iter(data)
        first = int(next(iterator))
        gate.set()
        assert [first, int(next(iterator))] == [1, 0]


def test_parallel_calls_run_at_once():
    together = threading.Barrier(2, timeout=20)

    def meet(x: Any) -> Any:
        time.sleep(0.001)
        if x >= 20:
            together.wait()
        return x

    with hf.eager_mode():
        data = D.range(30).map(lambda x: hf.py_func(meet, [x], hf.int64), 2)
        assert [int(x) for x in data] == list(range(30))


def _run(program: str) -> Any:
    """Runs a program in a process of its own."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_an_interrupt_leaves_an_iterator_that_goes_on():
    program = """
import signal, time, threading, os
import hybridflow as hf
def slow(x):
    time.sleep(0.2)
    return x
with hf.Graph().as_default(), hf.Session() as session:
    data = hf.data.Dataset.range(5).map(lambda x: hf.py_func(slow, [x], hf.int64)).prefetch(2)
    x = data.make_one_shot_iterator().get_next()
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    found = []
    try:
        while True:
            found.append(int(session.run(x)))
    except KeyboardInterrupt:
        pass
    try:
        while True:
            found.append(int(session.run(x)))
    except hf.errors.OutOfRangeError:
        pass
    print(found)
"""
    run = _run(program)
    assert run.stdout == "[0, 1, 2, 3, 4]\n", run.stderr


def test_the_process_ends_while_threads_work():
    program = """
import hybridflow as hf
with hf.eager_mode():
    data = hf.data.Dataset.range(10**9).map(lambda x: x * x).prefetch(5)
    iterator = iter(data)
    print(int(next(iterator)))
"""
    run = _run(program)
    assert (run.returncode, run.stdout) == (0, "0\n"), run.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
@pytest.mark.parametrize("kind", ["prefetch", "parallel"])
def test_a_child_goes_on_where_its_parent_was(kind):
    def slow(x: Any) -> Any:
        time.sleep(0.001)
        return x

    with hf.eager_mode():
        data = D.range(60).map(
            lambda x: hf.py_func(slow, [x], hf.int64), 3 if kind == "parallel" else None
        )
        iterator = iter(data.prefetch(4) if kind == "prefetch" else data)
        head = [int(next(iterator)) for _ in range(30)]
        read, write = os.pipe()
        child = os.fork()
        if not child:
            signal.alarm(20)
            try:
                rest = [int(x) for x in iterator]
                os.write(write, repr(rest).encode())
            finally:
                os._exit(0)
        os.close(write)
        mine = [int(x) for x in iterator]
        with os.fdopen(read) as pipe:
            theirs = pipe.read()
        os.waitpid(child, 0)
        assert head + mine == list(range(60))
        assert theirs == repr(mine)


def test_prefetching_while_a_program_holds_its_variables():
    """The function of a dataset reads a variable that the step which waits for it writes."""
    with hf.Graph().as_default(), hf.Session() as session:
        v = hf.get_variable("v", [3], initializer=hf.zeros_initializer(), use_resource=True)
        data = D.range(400).map(lambda x: hf.reduce_sum(v) * 0.0 + hf.cast(x, hf.float32))
        iterator = data.prefetch(1).make_initializable_iterator()
        step = v.assign_add(hf.fill([3], iterator.get_next()))
        session.run(v.initializer)
        session.run(iterator.initializer)
        for _ in range(400):
            session.run(step.op)
        np.testing.assert_allclose(session.run(v), [79800.0] * 3)


def test_random_numbers_of_several_threads_are_drawn_in_turn(monkeypatch):
    monkeypatch.setenv("TF_DETERMINISTIC_OPS", "1")

    def noisy(x: Any) -> Any:
        # The first calls are slow: later ones would draw before them.
        delayed = hf.py_func(lambda v: (time.sleep(0.02 / (1 + v)), v)[1], [x], hf.int64)
        with hf.control_dependencies([delayed]):
            return hf.random_uniform([], seed=3)

    def drawn(calls: int) -> list[Any]:
        with hf.Graph().as_default(), hf.Session() as session:
            hf.set_random_seed(7)
            iterator = D.range(24).map(noisy, calls).make_initializable_iterator()
            value = iterator.get_next()
            session.run(iterator.initializer)
            return [session.run(value) for _ in range(24)]

    assert drawn(4) == drawn(4) == drawn(1)
