"""Interrupts of any kind of step: nothing stays open or held, and no step is half done."""

from __future__ import annotations

import contextlib
import os

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.framework import locks
from tests import interrupts
from tests.interrupts import KINDS, Before, Interrupt
from tests.kernels import processes

# Python warns of forks in a process with threads.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
# At about so many moments a step is interrupted.
_MOST = 300


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]()


def interrupted(kind, moment, again=0):
    """Takes a step that is interrupted; tells whether it was."""
    before, count = Before(), kind.count()
    with Interrupt(moment, again) as interrupt:
        try:
            kind.step()
        except KeyboardInterrupt:
            interrupt.__exit__()
            # Here too, where the traceback holds what was open.
            before.check()
    before.check()
    # A step that ended before the interrupt came to light counts.
    assert kind.count() - count in ((0, 1) if interrupt.came else (1, 0))
    return interrupt.came


def moments_of(kind):
    """How many moments a step has at which it can be interrupted."""
    with Interrupt(10**9) as interrupt:
        kind.step()
    return 10**9 - interrupt.left


def test_at_any_moment(kind):
    stride = max(1, moments_of(kind) // _MOST)
    moment = 1
    while interrupted(kind, moment):
        moment += stride
    assert moment > 5


@pytest.mark.parametrize("again", [1, 2, 3, 5, 8])
def test_twice(kind, again):
    """The second interrupt comes while what the first one broke off is put right."""
    stride = max(1, moments_of(kind) // 40)
    moment = 1
    while interrupted(kind, moment, again):
        moment += stride


def test_a_lock_is_given_back_at_any_moment():
    lock = locks.new_lock()

    def section():
        locks.holding(lock, locks.holding, lock, int)

    moment, came = 0, True
    while came:
        moment += 1
        with Interrupt(moment) as interrupt, contextlib.suppress(KeyboardInterrupt):
            section()
        came = interrupt.came
        assert not interrupts.held_locks(), moment
    assert moment > 5


FORKS = """
import os, warnings
from hybridflow._src.framework import locks
from tests import interrupts

warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of forks beside threads
own = [locks.new_lock() for _ in range(5)]
moment, came = 0, True
while came:
    moment += 1
    with interrupts.Interrupt(moment, where="framework/locks.py") as interrupt:
        child = os.fork()
        if not child:
            interrupt.__exit__()
            os._exit(0 if all(lock.acquire(timeout=1) for lock in own) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, moment
    came = interrupt.came
    assert not interrupts.held_locks(), moment
print(moment)
"""


def test_a_fork_gives_all_locks_back():
    # In a process of its own: there is a moment for each lock that the process has.
    assert int(processes.finished(processes.started(FORKS))) > 10


STORM = """
import sys
sys.unraisablehook = id  # one in C: no signal comes while it runs
from tests import interrupts

kind = interrupts.KINDS[NAME]()
before, raised = interrupts.Before(), 0
with interrupts.signals(SEED) as run:
    for number in range(COUNT):
        raised += run(kind.step, 1 + number % 4) > 0
        kind.count()
        if number % 20 == 0:
            before.check()
    before.check()
print(raised)
"""


@pytest.mark.parametrize("name", KINDS)
def test_a_storm_of_signals(name):
    """`HYBRIDFLOW_STRESS=10000` has it blow so long."""
    count = int(os.environ.get("HYBRIDFLOW_STRESS", "150"))
    program = f"NAME, SEED, COUNT = {name!r}, {os.getpid()}, {count}\n" + STORM
    found = processes.finished(processes.started(program), 60 + count)
    assert int(found) > 0.9 * count


def test_results_of_a_step_after_an_interrupt():
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32, [None])
        y = x * 2.0
        with Interrupt(3), contextlib.suppress(KeyboardInterrupt):
            session.run(y, {x: [1.0]})
        np.testing.assert_array_equal(session.run(y, {x: [1.0]}), [2.0])
