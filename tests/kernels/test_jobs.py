"""The thread that works in the background: turns, pauses, defects."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import pytest

from hybridflow._src.kernels import jobs
from hybridflow._src.kernels.jobs import Jobs
from tests.interrupts import Interrupt, held_locks


@pytest.fixture
def subject():
    return Jobs()


def job(found, name, turns, pause=0.0):
    for number in range(turns):
        found.append((name, number))
        yield pause


def test_jobs_take_turns(subject):
    found, start = [], threading.Event()

    def first():
        start.wait(10)
        yield 0.0

    subject.submit(subject, first(), pytest.fail)
    for name in "ab":
        subject.submit(subject, job(found, name, 3), pytest.fail)
    start.set()
    assert subject.wait(10)
    assert found == [(name, number) for number in range(3) for name in "ab"]


def test_a_job_that_pauses_is_waited_for_and_holds_up_nobody(subject):
    found = []
    subject.submit(subject, job(found, "pauses", 2, 0.2), pytest.fail)
    subject.submit(subject, job(found, "goes on", 5), pytest.fail)
    assert subject.wait(10)
    assert [name for name, _ in found] == ["pauses", *["goes on"] * 5, "pauses"]


def test_a_defect_is_told_to_whoever_asked_and_to_nobody_else(subject, caplog, capfd):
    told, found = [], []

    def bad():
        yield 0.0
        yield 1 // 0

    subject.submit(subject, bad(), told.append)
    subject.submit(subject, job(found, "good", 3), pytest.fail)
    assert subject.wait(10)
    assert len(found) == 3
    (why,) = told
    assert "ZeroDivisionError" in why
    assert "test_jobs.py, line" in why
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


def test_no_thread_for_jobs(subject, monkeypatch):
    def refuse(function, arguments):
        raise RuntimeError("can't start new thread")

    found = []
    monkeypatch.setattr("_thread.start_new_thread", refuse)
    subject.submit(subject, job(found, "first", 1), pytest.fail)
    assert subject.wait(10)
    monkeypatch.undo()
    subject.submit(subject, job(found, "second", 1), pytest.fail)
    assert subject.wait(10)
    assert found == [("second", 0)]


def test_a_wait_that_is_interrupted_gives_the_lock_back(subject):
    """Also where the interrupt comes in Python's own condition."""
    done = threading.Event()

    def waiting():
        done.wait(60)
        yield 0.0

    subject.submit(subject, waiting(), pytest.fail)
    moment, came = 0, True
    while came:
        moment += 1
        with Interrupt(moment, where="/threading.py") as interrupt, suppress(KeyboardInterrupt):
            assert not subject.wait(0.001)
        came = interrupt.came
        assert not held_locks(), moment
    done.set()
    assert subject.wait(10)
    assert moment > 10


def test_it_is_told_once_that_there_is_nothing_to_do(subject, monkeypatch):
    monkeypatch.setattr(jobs, "_IDLE_SECONDS", 0.01)
    calls = []
    subject.idle = lambda: calls.append(1)
    for count in (1, 2):
        subject.submit(subject, job([], "", 1), pytest.fail)
        assert subject.wait(10)
        until = time.monotonic() + 10
        while len(calls) < count and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.05)
        assert len(calls) == count


def test_a_job_is_given_up_with_its_owner(subject):
    class Owner:
        pass

    found, start, owner = [], threading.Event(), Owner()

    def first():
        start.wait(10)
        yield 0.0

    subject.submit(subject, first(), pytest.fail)
    subject.submit(owner, job(found, "dropped", 3), pytest.fail)
    subject.submit(subject, job(found, "kept", 3), pytest.fail)
    del owner
    start.set()
    assert subject.wait(10)
    assert [name for name, _ in found] == ["kept"] * 3
