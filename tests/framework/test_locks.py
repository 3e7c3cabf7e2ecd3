"""Critical sections: where locks are made, how they are taken, and how what failed is mended."""

from __future__ import annotations

import contextlib
import dis
import re
import sys
import threading
from pathlib import Path

import pytest

import hybridflow as hf
from hybridflow._src.framework import locks
from tests.interrupts import Interrupt, held_locks

SOURCES = sorted(Path(hf.__file__).parent.rglob("*.py"))
# What runs in threads of its own, where no interrupt comes.
BACKGROUND = {"jobs.py", "compiler.py", "native.py"}


def lines_with(pattern):
    """The names of files, and lines, that match."""
    return [
        (path.name, line.strip())
        for path in SOURCES
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(pattern, line)
    ]


def test_locks_are_made_in_one_place():
    found = lines_with(r"threading\.(R?Lock|Event|Condition|(Bounded)?Semaphore|Barrier)\(")
    # Before anything is imported; what waits for jobs, around a lock from there; and two of them: a
    # lock is an object of each, and part of a flag.
    assert {name for name, _ in found} == {"locks.py", "_deferred.py", "jobs.py"}
    assert len(found) == 4


def test_the_main_thread_takes_no_lock_by_a_with_statement():
    found = lines_with(r"^\s*with .*(\.lock|_lock|_importing|_loading|_changed|changed)\b")
    assert {name for name, _ in found} <= BACKGROUND


def test_scopes_are_no_generators():
    """A `with` statement holds a generator's scopes only as long as nothing interrupts its end."""
    found = {name for name, _ in lines_with(r"contextlib\.contextmanager")}
    # Which open none, but files, or give it to programs as Python's own.
    files = {"_deferred.py", "bundle_reader.py", "reader_state.py", "system_errors.py"}
    assert found <= files | {"decorators.py"}


@pytest.mark.skipif(sys.version_info < (3, 11), reason="handlers are found as the program runs")
def test_no_jump_back_of_mending_is_outside_of_its_handlers():
    """CPython leaves jumps back with a condition out of the table of handlers."""
    code = dis.Bytecode(locks.mending)
    jumps = [i.offset for i in code if i.opname.startswith("JUMP_BACKWARD")]
    assert jumps
    for jump in jumps:
        assert any(entry.start <= jump < entry.end for entry in code.exception_entries)


def test_holding_gives_what_the_function_gives():
    lock = locks.new_lock()
    assert locks.holding(lock, divmod, 7, 3) == (2, 1)
    with pytest.raises(ZeroDivisionError):
        locks.holding(lock, divmod, 7, 0)
    assert not held_locks()


def test_one_who_is_interrupted_while_it_waits_has_no_lock():
    lock, inside, done = locks.new_lock(), threading.Event(), threading.Event()

    class Waiting:
        """In place of a lock whose wait is interrupted."""

        def acquire(self):
            raise KeyboardInterrupt

        release = staticmethod(lock.release)

    def hold():
        lock.acquire()
        inside.set()
        done.wait()
        lock.release()

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait()
    with pytest.raises(KeyboardInterrupt):
        locks.holding(Waiting(), int)
    done.set()
    thread.join()
    assert lock.acquire(timeout=1)
    lock.release()


@pytest.mark.parametrize("again", range(6))
def test_what_failed_is_mended_whatever_interrupts(again):
    moment, came = 0, True
    while came:
        moment += 1
        state = []

        def work(state=state):
            state.append("begun")
            len(state)
            state.append("done")

        def mend(state=state):
            len(state)
            if state == ["begun"]:
                state.append("done")

        with (
            Interrupt(moment, again, where="test_locks.py") as interrupt,
            contextlib.suppress(KeyboardInterrupt),
        ):
            locks.mending(work, mend)
        came = interrupt.came
        assert state in ([], ["begun", "done"])
    assert moment > 3


def test_an_error_of_what_mends_shows_in_the_end(monkeypatch):
    monkeypatch.setattr(locks, "_MOST_INTERRUPTS", 3)

    def fail():
        raise ValueError("of mending")

    with pytest.raises(ValueError, match="of mending"):
        locks.mending(lambda: 1 / 0, fail)
