"""Flags: raised by one thread, seen by all, whatever interrupts them."""

from __future__ import annotations

import contextlib
import os
import threading
import time

import pytest

from hybridflow._src.framework.locks import Flag
from tests.interrupts import Interrupt


def test_all_who_wait_are_woken():
    flag, woken = Flag(), []
    threads = [threading.Thread(target=lambda: woken.append(flag.wait(60))) for _ in range(5)]
    for thread in threads:
        thread.start()
    time.sleep(0.02)
    assert not woken
    flag.set()
    for thread in threads:
        thread.join()
    assert woken == [True] * 5
    assert flag.wait()
    assert flag.wait(0)


def test_a_wait_ends():
    flag = Flag()
    start = time.monotonic()
    assert not flag.wait(0.03)
    assert time.monotonic() - start >= 0.03
    assert not flag.wait(-1)
    flag.set()
    flag.set()
    flag.clear()
    assert not flag.is_set()
    assert not flag.wait(0.01)
    flag.set()
    assert flag.wait(1e300)


def test_it_turns_many_times():
    """A flag that is raised and lowered again and again leaves nobody waiting in the end."""
    flag, ended = Flag(), []

    def wait():
        for _ in range(200):
            flag.wait(0.001)
        ended.append(flag.wait(60))

    threads = [threading.Thread(target=wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(500):
        flag.set()
        flag.clear()
    flag.set()
    for thread in threads:
        thread.join(60)
    assert ended == [True] * 3


def test_interrupts_leave_it_as_it_is():
    moment, came = 0, True
    while came:
        moment += 1
        flag = Flag()

        def work(flag=flag):
            flag.wait(0.0)
            flag.set()
            flag.wait()
            flag.clear()
            flag.wait(0.0)
            flag.set()

        with Interrupt(moment, 1) as interrupt, contextlib.suppress(KeyboardInterrupt):
            work()
        came = interrupt.came
        seen = []
        flag.set()
        thread = threading.Thread(target=lambda flag=flag, seen=seen: seen.append(flag.wait(10)))
        thread.start()
        thread.join(20)
        assert seen == [True], moment
        flag.clear()
        assert not flag.wait(0)
    assert moment > 10


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_child_has_a_flag_of_its_own():
    flag = Flag()
    waiting = threading.Thread(target=flag.wait, args=(60,))
    waiting.start()
    child = os.fork()
    if not child:
        flag.set()
        os._exit(0 if flag.wait(1) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert not flag.is_set()
    flag.set()
    waiting.join()
