"""Which programs are asked for, how many are kept, and what is said where there is none."""

from __future__ import annotations

import weakref

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.plan import building
from hybridflow._src.plan import native as executor
from tests import native
from tests.kernels import processes
from tests.plan.sessions import plan_of

MANY, MOST = 8, 32


class Sizes:
    """A graph that is fed arrays of different sizes."""

    def __init__(self, session):
        self.session = session
        self.x = hf.placeholder(hf.float32, [None])
        self.y = hf.reduce_sum(self.x * 2.0)

    def run(self, *sizes):
        for size in sizes:
            array = np.ones(size, np.float32)
            assert self.session.run(self.y, {self.x: array}) == 2.0 * size

    @property
    def native(self):
        return plan_of(self.session, self.y).native

    @property
    def known(self):
        """The sizes that have programs."""
        return {shape[0] for (shape,) in self.native.programs}


@pytest.fixture
def compiled():
    with hf.Graph().as_default(), hf.Session() as session:
        yield Sizes(session)


@pytest.fixture
def sizes(compiled, monkeypatch):
    """Kernels are Python functions: what is tested is which programs there are, of fewer."""
    monkeypatch.setattr(executor, "_MANY_PROGRAMS", MANY)
    monkeypatch.setattr(executor, "_MOST_PROGRAMS", MOST)
    with native.uncompiled_kernels():
        yield compiled


def test_sizes_that_come_once_take_no_place(sizes):
    sizes.run(*range(1, 3 * MOST))
    assert not sizes.known
    sizes.run(1000, 1000)
    assert sizes.known == {1000}
    sizes.run(7)
    assert sizes.known == {7, 1000}


def test_so_many_programs_at_most_and_the_rest_is_interpreted(sizes):
    for _ in range(3):
        sizes.run(*range(1, MOST + 10))
    assert len(sizes.known) == MOST
    assert len(sizes.native._seen) <= executor._MOST_SEEN


def test_large_programs_are_fewer(sizes, monkeypatch):
    sizes.run(*range(1, 5), *range(1, 5))
    held = [program.held for program in sizes.native.programs.values()]
    monkeypatch.setattr(executor, "_FEW_BYTES", MANY * max(held) // 2)
    for _ in range(2):
        sizes.run(*range(1, MANY + 10))
    assert len(sizes.known) == MANY


def test_what_was_seen_is_forgotten_in_the_end(sizes):
    sizes.run(*range(1, executor._MOST_SEEN + 100))
    assert len(sizes.native._seen) == executor._MOST_SEEN
    sizes.run(1)
    assert not sizes.known
    sizes.run(1)
    assert sizes.known == {1}


def test_the_program_that_has_not_run_for_longest_gives_way(sizes):
    sizes.run(*range(1, MOST + 1), *range(1, MOST + 1))
    assert len(sizes.known) == MOST
    # The first one runs on and on, beside what comes and goes.
    for _ in range(2 * executor._MISSES):
        sizes.run(1, 1, 5000)
    assert {1, 5000} <= sizes.known
    assert 2 not in sizes.known
    assert len(sizes.known) == MOST


def test_more_sizes_than_places_make_few_programs(sizes, monkeypatch):
    made = []
    real = building.build

    def build(plan, owner, key, seen):
        made.append(key)
        return real(plan, owner, key, seen)

    monkeypatch.setattr(building, "build", build)
    rounds, count = 20, MOST + 8
    for _ in range(rounds):
        sizes.run(*range(1, count + 1))
    assert MOST < len(made) <= MOST + rounds * count // executor._MISSES


def test_it_is_said_that_there_is_no_place(sizes):
    sizes.run(*range(1, MOST + 1), *range(1, MOST + 1), 998, 998)
    assert 998 in sizes.known
    found = hf.explain(sizes.y, {sizes.x: np.ones(999, np.float32)}, session=sizes.session)
    assert f"programs for {MOST} other shapes of feeds" in str(found)


def test_a_job_that_fails_is_explained_and_prints_nothing(compiled, monkeypatch, capfd):
    def build(*_):
        yield 0.0
        raise KeyError("a defect")

    monkeypatch.setattr(building, "build", build)
    compiled.run(3, 3)
    native.wait()
    compiled.run(3)
    found = str(hf.explain(compiled.y, {compiled.x: np.ones(3)}, session=compiled.session))
    assert "the compile job failed: KeyError: 'a defect' (test_asking.py, line" in found
    assert capfd.readouterr() == ("", "")


def test_what_makes_programs_is_imported_in_the_background():
    program = """
    import threading
    BUILDING = "hybridflow._src.plan.building"
    importers = []

    class Finder:
        def find_spec(name, path=None, target=None):
            if name == BUILDING:
                importers.append(threading.current_thread())

    import sys, numpy as np, hybridflow as hf
    sys.meta_path.insert(0, Finder)
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32, [None])
        y = hf.tanh(x) * 2.0
        session.run(y, {x: [1.0]})
        assert BUILDING not in sys.modules
        session.run(y, {x: [1.0]})
        from hybridflow._src.kernels.jobs import JOBS
        assert JOBS.wait(60)
    assert BUILDING in sys.modules
    (importer,) = importers
    assert importer is not threading.main_thread()
    """
    assert processes.finished(processes.started(program)) == ""


def test_nothing_is_made_for_a_session_that_is_closed():
    """A plan, its executor and what was asked for end with whoever runs it."""
    with hf.Graph().as_default(), hf.Session() as session:
        total = hf.reduce_sum(hf.ones([3]) * hf.placeholder(hf.float32, [3], name="x"))
        session.run(total, {"x:0": [1, 2, 3]})
        (runnable,) = session._runnables.values()
        executor = weakref.ref(runnable.plan.native)
        assert executor() is not None
        del runnable
    assert executor() is None
