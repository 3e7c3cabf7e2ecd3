"""Elements that a thread makes ahead."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections import deque
from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.data.ahead import Ahead
from hybridflow._src.data.grouping import Items
from hybridflow._src.data.passes import Derived, Pass, Source
from hybridflow._src.data.prefetching import Trial, _Prefetched
from hybridflow._src.data.resources import IteratorResource
from tests.interrupts import Interrupt


def test_the_last_result_comes_while_somebody_looks():
    """The thread gives its last result, and ends, right after none was found."""
    ahead = Ahead(lambda: None, 1)
    work = ahead._work

    class Late(deque[Any]):
        def __bool__(self) -> bool:
            if not work.ended:
                self.append(("last", None))
                work.ended = True
                return False
            return len(self) > 0

    work.start = work.wait = lambda: None
    work.results = Late()
    assert ahead.take() == "last"
    assert ahead.take() is None


def test_what_was_put_there_comes_before_the_end():
    ahead = Ahead(lambda: None, 2)
    ahead.put([1, 2], ended=True)
    assert [ahead.take() for _ in range(3)] == [1, 2, None]


def test_no_result_is_lost():
    for _ in range(300):
        numbers = iter(range(5))
        ahead = Ahead(lambda numbers=numbers: next(numbers, None), 2)
        assert [ahead.take() for _ in range(6)] == [0, 1, 2, 3, 4, None]


class _Numbers(Source):
    """Numbers, one by one."""

    types, shapes = [hf.int64], [hf.TensorShape([])]

    def __init__(self, stop: int) -> None:
        self._stop = stop

    def begin(self) -> Pass:
        return Items([(np.array(i),) for i in range(self._stop)], self.types, self.shapes).begin()


@pytest.mark.parametrize("again", [0, 1, 2, 3])
def test_no_interrupt_loses_an_element_that_was_made_ahead(again):
    moment, came = 0, True
    while came:
        moment += 1
        resource = IteratorResource(_Numbers.types, _Numbers.shapes)
        source = Derived(_Numbers(4), _Prefetched, 2)
        source.types, source.shapes = _Numbers.types, _Numbers.shapes
        resource.begin(source)
        found: list[int] = []

        def take(resource: IteratorResource = resource, found: list[int] = found) -> None:
            while True:
                # No moment comes between: the element is one or the other's.
                found += resource.next()

        with Interrupt(moment, again, "/hybridflow/_src/data/") as interrupt:
            for _ in range(3):
                with contextlib.suppress(KeyboardInterrupt, hf.errors.OutOfRangeError):
                    take()
        came = interrupt.came
        with contextlib.suppress(hf.errors.OutOfRangeError):
            take()
        assert found == [0, 1, 2, 3], moment
    assert moment > 20


def test_who_takes_and_who_makes_never_wait_for_each_other():
    """A thread that makes results, and one that takes them or makes them itself, in any order."""
    random = np.random.default_rng(1)

    def run() -> None:
        for _ in range(200):
            numbers = iter(range(6))
            ahead = Ahead(lambda numbers=numbers: next(numbers, None), int(random.integers(1, 4)))
            takes = random.random(7) < 0.6
            found.append([ahead.take() if is_taken else ahead.make() for is_taken in takes])

    found: list[list[Any]] = []
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(60)
    finally:
        sys.setswitchinterval(before)
    assert found == [[0, 1, 2, 3, 4, 5, None]] * 200


def test_the_quicker_way_is_found_and_looked_for_again():
    trial = Trial(tries=3, turns=10)
    seconds = {True: 1.0, False: 2.0}

    def gone(turns: int) -> list[bool]:
        nonlocal last
        ways = []
        for _ in range(turns):
            # One turn in a while takes long, whichever way.
            last = trial.way(seconds[last] + (50.0 if len(ways) % 5 == 4 else 0.0))
            ways.append(last)
        return ways

    last = True
    assert gone(12)[:11] == [True] * 5 + [False] * 6
    assert gone(9) == [True] * 9
    seconds = {True: 2.0, False: 1.0}
    gone(12)
    assert gone(8) == [False] * 8
