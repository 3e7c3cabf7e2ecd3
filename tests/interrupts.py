"""Interrupts for tests: at a moment that is chosen, or as signals at any; and what they must leave.

Python looks for signals where a function is entered and after one in C was called: that is where
`Interrupt` raises, and nowhere else, since no code can hold out against more.
"""

from __future__ import annotations

import gc
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import numpy as np

import hybridflow as hf
from hybridflow._src.cli.interrupts import Open
from hybridflow._src.framework import locks, storage
from tests.plan.sessions import program_of

_OURS = "/hybridflow/_src/"


class Interrupt:
    """Raises KeyboardInterrupt at the nth moment of what runs inside, and once more later.

    Not in what the garbage collector calls back; but where else Python drops it, that is no fault.

    Args:
      again: at which entry of a function after the first interrupt the second one comes, if at all.
      where: a part of the names of files in which they come.
    """

    def __init__(self, moment: int, again: int = 0, where: str = _OURS) -> None:
        self.left = moment
        self._again = again
        self._where = where

    @property
    def came(self) -> bool:
        return self.left <= 0

    def __enter__(self) -> Interrupt:
        self._before = sys.getprofile(), sys.gettrace(), sys.unraisablehook
        sys.unraisablehook = _drop
        gc.disable()
        if self._again:
            sys.settrace(self._second)
        sys.setprofile(self._first)
        return self

    def __exit__(self, *_: Any) -> None:
        sys.setprofile(self._before[0])
        sys.settrace(self._before[1])
        sys.unraisablehook = self._before[2]
        gc.enable()

    def _first(self, frame: Any, event: str, argument: Any) -> None:
        if event in ("call", "c_return") and self._where in frame.f_code.co_filename:
            self.left -= 1
            if self.left == 0:
                sys.setprofile(None)
                raise KeyboardInterrupt

    def _second(self, frame: Any, event: str, argument: Any) -> None:
        if self.came and self._where in frame.f_code.co_filename:
            self._again -= 1
            if self._again == 0:
                sys.settrace(None)
                raise KeyboardInterrupt


def _drop(dropped: Any) -> None:
    """In place of a message."""


@contextmanager
def signals(seed: int) -> Iterator[Callable[[Callable[[], Any], int], int]]:
    """Gives a function that calls another one again and again until signals interrupt it.

    It takes the number of signals, of which the first comes after a random while, the others
    closely behind, and gives how many of them raised something.
    """
    random = np.random.default_rng(seed)
    left, raised, looking = 0, 0, False

    def handle(number: int, frame: Any) -> None:
        nonlocal left, raised, looking
        if looking:  # a signal that comes while the one before is handled
            return
        looking = True
        while frame is not None and frame.f_code is not repeat.__code__:
            frame = frame.f_back
        looking = False
        if frame is None or not left:
            return
        left -= 1
        raised += 1
        raise KeyboardInterrupt

    def repeat(function: Callable[[], Any]) -> None:
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            function()

    def run(function: Callable[[], Any], count: int) -> int:
        nonlocal left, raised
        left, raised = count, 0
        gc.collect(0)
        gc.disable()  # Python drops what is raised while the collector calls back
        delay = 1e-6 + float(random.random()) * 3e-3
        signal.setitimer(signal.ITIMER_REAL, delay, 3e-5 if count > 1 else 0.0)
        with suppress(KeyboardInterrupt):
            repeat(function)
        signal.setitimer(signal.ITIMER_REAL, 0)
        gc.enable()
        return raised

    before = signal.signal(signal.SIGALRM, handle)
    try:
        yield run
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# -- what must be as it was ------------------------------------------------------------------------


class Before:
    """What was open before; nothing more may be after an interrupt."""

    def __init__(self) -> None:
        self._opened = Open()
        self._numpy = np.geterr()

    def check(self) -> None:
        """Fails if something is open, or held, that was not."""
        for stack, depth in self._opened._depths:
            assert len(stack) == depth, f"a {stack.what} is open: {list(stack)}"
        assert storage._journal.writes is None
        assert np.geterr() == self._numpy
        assert not held_locks()


def held_locks() -> list[Any]:
    """The locks that this thread has: others cannot take them."""
    found = []

    def look() -> None:
        for reference in locks._locks.copy():
            lock = reference()
            if lock is not None:
                if lock.acquire(timeout=10):  # the compiling thread has one now and then
                    lock.release()
                else:
                    found.append(lock)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return found


# -- kinds of steps --------------------------------------------------------------------------------


class Kind(NamedTuple):
    """A step that adds one to each of its variables, and what gives their values."""

    step: Callable[[], Any]
    values: Callable[[], list[Any]]

    def count(self) -> float:
        """How many steps were taken; fails if one was taken in part."""
        values = np.concatenate([np.ravel(value) for value in self.values()])
        assert (values == values[0]).all(), f"half a step: {np.unique(values, return_counts=True)}"
        return float(values[0])


_LARGE = 150_000


def _in_graph(size: int, run: Callable[[hf.Session, Any, Any], Callable[[], Any]]) -> Kind:
    with hf.Graph().as_default() as graph:
        variables = [
            hf.get_variable(name, initializer=np.zeros(size, np.float32), use_resource=True)
            for name in "abcd"
        ]
        x = hf.placeholder(hf.float32, [])
        train = hf.group(*[v.assign_add(hf.zeros_like(v) + x) for v in variables])
        session = hf.Session(graph=graph, config=hf.ConfigProto(intra_op_parallelism_threads=2))
        session.run(hf.global_variables_initializer())
        step = run(session, train, x)
        ends = [hf.concat([v[:3], v[-3:]], 0) for v in variables]
        session.run(ends)
        session.run(hf.global_variables_initializer())
    return Kind(step, lambda: session.run(ends))


def _run(session: hf.Session, train: Any, x: Any) -> Callable[[], Any]:
    feed = {x: np.float32(1)}
    program_of(session, train, feed)
    return lambda: session.run(train, feed)


def _run_interpreted(session: hf.Session, train: Any, x: Any) -> Callable[[], Any]:
    feed = {x: np.float32(1)}
    session.run(train, feed)
    for runnable in session._runnables.values():
        runnable.plan.native = None
    return lambda: session.run(train, feed)


def _call(session: hf.Session, train: Any, x: Any) -> Callable[[], Any]:
    _run(session, train, x)
    function = session.make_callable(train, [x])
    for _ in range(3):
        function(np.float32(1))
    assert hf_compiler().wait(120)
    return lambda: function(np.float32(1))


def hf_compiler() -> Any:
    """What compiles kernels."""
    from hybridflow._src.kernels.compiler import COMPILER

    return COMPILER


def _function() -> Kind:
    with hf.eager_mode():
        variables = [hf.Variable(np.zeros(5, np.float32)) for _ in range(3)]

        @hf.function
        def add(x: Any) -> Any:
            for v in variables:
                v.assign_add(hf.zeros_like(v) + x)
            return variables[0] * 1.0

        one = hf.constant(1.0)

    def step() -> None:
        with hf.eager_mode():
            add(one)

    for _ in range(4):
        step()
        assert hf_compiler().wait(120)
    return Kind(step, lambda: [v.numpy() for v in variables])


def _optimizer(again: bool) -> Kind:
    with hf.eager_mode():
        variables = [hf.Variable(np.zeros(5, np.float32)) for _ in range(3)]
        optimizer = hf.train.GradientDescentOptimizer(-1.0)

    def step() -> None:
        with hf.eager_mode():
            with hf.GradientTape() as tape, hf.name_scope("loss"):
                loss = hf.add_n([hf.reduce_sum(v) for v in variables])
            taker = optimizer if again else hf.train.GradientDescentOptimizer(-1.0)
            taker.apply_gradients(list(zip(tape.gradient(loss, variables), variables, strict=True)))

    for _ in range(4):
        step()
        assert hf_compiler().wait(120)
    return Kind(step, lambda: [v.numpy() for v in variables])


def _building() -> Kind:
    def step() -> None:
        with hf.Graph().as_default(), hf.Session(), hf.variable_scope("a", "b"):
            v = hf.get_variable("v", [4], initializer=hf.zeros_initializer())
            with hf.name_scope("c"), hf.device("/cpu:0"), hf.control_dependencies([v.op]):
                loss = hf.reduce_sum(v * 2.0)
            hf.train.AdamOptimizer().minimize(loss)

    step()
    return Kind(step, lambda: [np.zeros(1)])


KINDS: dict[str, Callable[[], Kind]] = {
    "native": lambda: _in_graph(10, _run),
    "native, parts shared by threads": lambda: _in_graph(_LARGE, _run),
    "interpreted": lambda: _in_graph(10, _run_interpreted),
    "callable": lambda: _in_graph(10, _call),
    "function": _function,
    "eager tape": lambda: _optimizer(False),
    "eager optimizer": lambda: _optimizer(True),
    "scopes": _building,
}
