"""The threads that share the work of kernels."""

from __future__ import annotations

import contextlib
import sys
import threading
import time

import numpy as np
import pytest

from hybridflow._src.kernels import pool
from hybridflow._src.kernels.compiler import COMPILER
from hybridflow._src.kernels.crew import Crew, Shared
from hybridflow._src.kernels.jobs import JOBS
from hybridflow._src.kernels.kernel import Kernel
from tests import native


class Interrupted(BaseException):
    """Raised at any moment, as KeyboardInterrupt is."""


@contextlib.contextmanager
def interrupted(moment):
    """Python looks for signals where a function is entered: here the nth of the pool's."""
    left = moment

    def trace(frame, event, argument):
        nonlocal left
        if frame.f_code.co_filename == pool.__file__ and frame.f_code is not pool.run.__code__:
            left -= 1
            if not left:
                raise Interrupted

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    except Interrupted:
        pass
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("moment", range(1, 13))
def test_nothing_runs_after_an_interrupt(monkeypatch, moment):
    monkeypatch.setattr(pool, "_pool", pool._Pool())
    begun, ended = [], []

    def enter(program):
        begun.append(program)
        time.sleep(0.01 * program)  # the helpers' take longer
        ended.append(program)
        return 0

    with interrupted(moment):
        pool.run(Crew(enter), Shared([1, 2, 3], True))
    found = [*begun], [*ended]
    time.sleep(0.05)
    assert found == (begun, ended)
    assert sorted(begun) == sorted(ended)


COUNT = Kernel(
    """
def kernel(a):
    for _ in range(word(a, 1)):
        set_word(a, 0, word(a, 0) + 1)
    return 0
""",
    "count",
)


@pytest.fixture(scope="module")
def native_crew():
    """The crew of native code, and the address of a kernel that counts."""
    found = []

    def job():
        found.extend((COMPILER.crew(), COMPILER.obtain([COUNT])[COUNT]))
        yield 0.0

    JOBS.submit(JOBS, job(), pytest.fail)
    native.wait()
    return found


class Counters:
    """Programs that count in words of their own."""

    def __init__(self, count, address, turns):
        self.words = np.array([[1, 0, 0, address, 0, 0, turns]] * count, np.int64)
        self.words[:, 4] = [row.ctypes.data + 40 for row in self.words]
        self.programs = [row.ctypes.data for row in self.words]

    def found(self):
        return set(self.words[:, 5].tolist())


@pytest.mark.parametrize("is_large", [True, False])
@pytest.mark.parametrize("turns", [1, 20_000])
def test_each_program_runs_once(native_crew, is_large, turns):
    crew, address = native_crew
    counters = Counters(3, address, turns)
    shared = Shared(counters.programs, is_large)
    for number in range(1, 301):
        pool.run(crew, shared)
        assert counters.found() == {number * turns}
        assert (counters.words[:, 1] == 1).all()
        counters.words[:, 1] = 0
        if number % 7 == 0:  # long enough for the helpers to fall asleep, or nearly so
            time.sleep(0.0002 * (number % 5))


def test_threads_that_share_at_once(native_crew):
    crew, address = native_crew
    counters = [Counters(2, address, 50) for _ in range(6)]

    def work(own):
        for _ in range(400):
            pool.run(crew, Shared(own.programs, True))

    threads = [threading.Thread(target=work, args=[own]) for own in counters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert all(own.found() == {400 * 50} for own in counters)


@pytest.mark.parametrize("moment", range(1, 9))
def test_what_was_not_begun_before_an_interrupt_never_is(monkeypatch, native_crew, moment):
    crew, address = native_crew
    monkeypatch.setattr(pool, "_pool", pool._Pool())
    counters = Counters(4, address, 1)
    with interrupted(moment):
        pool.run(crew, Shared(counters.programs, True))
    kept = counters.words.copy()
    assert counters.found() <= {0, 1}
    others = Counters(4, address, 1)
    for _ in range(50):
        pool.run(crew, Shared(others.programs, True))
    np.testing.assert_array_equal(counters.words, kept)
    assert others.found() == {50}
