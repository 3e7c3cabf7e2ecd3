"""Ctrl-C at any moment of a step: nothing stays open, and variables are as before or after it."""

from __future__ import annotations

import contextlib
import gc
import signal
import sys
import time

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.cli.interrupts import Open, Watch
from hybridflow._src.framework import context, storage
from hybridflow._src.framework.locks import new_lock
from hybridflow._src.kernels.compiler import Compiler
from hybridflow._src.kernels.jobs import Jobs
from hybridflow._src.plan import building, native

OPTIMIZERS = {
    "sgd": lambda: hf.train.GradientDescentOptimizer(0.5),
    "adam": lambda: hf.train.AdamOptimizer(0.5),
}


@pytest.fixture(autouse=True)
def locks_of_its_own(monkeypatch):
    """Locks of these tests alone for their variables and for what compiles their plans.

    `Interrupt` also raises where no signal is looked for: between the body of a `with` and the
    release of its lock, which is then held for ever.
    """
    monkeypatch.setattr(storage, "_eager_guard", storage.Guard())
    monkeypatch.setattr(native, "_importing", new_lock())
    jobs, compiler = Jobs(), Compiler()
    monkeypatch.setattr(native, "JOBS", jobs)
    monkeypatch.setattr(building, "COMPILER", compiler)
    yield
    assert jobs.wait(120)
    compiler.end_worker()


class Interrupt:
    """Raises KeyboardInterrupt at the nth line of hybridflow that runs, as a signal may.

    Not in what the garbage collector calls back, where Python would drop it.
    """

    def __init__(self, moment):
        self.left = moment

    def __enter__(self):
        gc.disable()
        sys.settrace(self.trace)

    def __exit__(self, *_):
        sys.settrace(None)
        gc.enable()

    def trace(self, frame, event, argument):
        if "/hybridflow/_src/" not in frame.f_code.co_filename:
            return None
        if event == "line":
            self.left -= 1
            if self.left == 0:
                sys.settrace(None)
                raise KeyboardInterrupt
        return self.trace


def step(optimizer):
    """What a training loop does again and again, with all kinds of scopes open."""
    with hf.variable_scope("deep"), hf.name_scope("deeper"), hf.GradientTape() as tape:
        a = hf.get_variable("a", [2], initializer=hf.ones_initializer())
        b = hf.get_variable("b", [2], initializer=hf.ones_initializer(), constraint=hf.abs)
        with hf.control_dependencies([]), hf.device("/cpu:0"):
            loss = hf.reduce_sum(hf.square(a) + hf.square(b))
    optimizer.apply_gradients(zip(tape.gradient(loss, [a, b]), [a, b], strict=True))


def values(optimizer):
    variables = [*hf.global_variables(), *optimizer.variables()]
    return {v.name: v.numpy().tolist() for v in variables}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_interrupted_at_any_line(name):
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        optimizer = OPTIMIZERS[name]()
        step(optimizer)
        opened = Open()
        depths = dict(opened._depths)
        numpy_state = np.geterr()
        moment, interrupted = 0, True
        while interrupted:
            moment += 3
            before = values(optimizer)
            try:
                with Interrupt(moment):
                    step(optimizer)
                interrupted = False
            except KeyboardInterrupt:
                opened.restore()
            after = values(optimizer)
            # All variables have taken the step, or none of them.
            changed = {n for n in before if before[n] != after[n]}
            assert changed in (set(), set(before)), moment
            assert {stack: len(stack) for stack in depths} == depths
            assert hf.get_variable_scope().name == ""
            assert np.geterr() == numpy_state
            assert storage._journal.writes is None
        assert moment > 500


def test_making_variables_interrupted_at_any_line():
    with hf.eager_mode():
        moment, interrupted = 0, True
        while interrupted:
            moment += 3
            with hf.EagerVariableStore().as_default():
                opened = Open()
                try:
                    with Interrupt(moment), hf.variable_scope("a"):
                        hf.get_variable("v", [2], regularizer=hf.nn.l2_loss)
                    interrupted = False
                except KeyboardInterrupt:
                    opened.restore()
                with hf.variable_scope("a"):
                    v = hf.get_variable("v", [2], regularizer=hf.nn.l2_loss)
                    assert v.name == "a/v:0"
                    assert hf.get_variable("v", [2]) is v
                assert hf.trainable_variables() == [v]
                assert len(hf.get_collection(hf.GraphKeys.REGULARIZATION_LOSSES)) == 1
        assert moment > 200


@pytest.mark.parametrize("interrupted", [True, False])
def test_a_watched_input(interrupted):
    """One that was interrupted, though its own code went on, leaves nothing open."""
    before = signal.getsignal(signal.SIGINT)
    watch = Watch()
    watch.begin()
    if interrupted:
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    context.tapes.push(("left open",))
    watch.end()
    left = len(context.tapes)
    context.tapes.cut(0)
    assert left == (0 if interrupted else 1)
    assert signal.getsignal(signal.SIGINT) is before


class Interrupting:
    """An object that gets a Ctrl-C while it is taken apart, where Python drops all errors."""

    def __del__(self):
        signal.raise_signal(signal.SIGINT)


def test_an_interrupt_that_python_drops_comes_again():
    def loop():
        Interrupting()
        until = time.monotonic() + 60.0
        while time.monotonic() < until:
            pass

    before = sys.unraisablehook
    watch = Watch()
    watch.begin()
    with pytest.raises(KeyboardInterrupt):
        loop()
    watch.end()
    assert sys.unraisablehook is before


def test_in_graph_mode():
    graph = hf.Graph()
    with graph.as_default():
        opened = Open()
        graph._scope.push(graph._scope.top.named("left"))
        context.modes.push(context.Mode(True, None))
        opened.restore()
        assert not hf.executing_eagerly()
        assert hf.constant(1.0).op.name == "Const"


@pytest.mark.skipif(
    sys.version_info >= (3, 13), reason="a lock stays held where a trace, no signal, interrupts"
)
def test_a_plan_interrupted_at_any_line_is_compiled_all_the_same():
    """Its second run is where kernels are asked for, in the background."""
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32, [None])
        moment, interrupted = 0, True
        while interrupted:
            moment += 1
            y = hf.tanh(x) + float(moment)
            session.run(y, {x: [1.0]})
            opened = Open()
            try:
                with Interrupt(moment):
                    session.run(y, {x: [1.0]})
                interrupted = False
            except KeyboardInterrupt:
                opened.restore()
                session.run(y, {x: [1.0]})
            assert native.JOBS.wait(120)
            (plan,) = {r.plan for r in session._runnables.values() if r.fetches.tensors == [y]}
            assert plan.native.programs, moment
        assert moment > 100
