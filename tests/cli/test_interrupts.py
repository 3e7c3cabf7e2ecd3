"""Ctrl-C at any moment of a step: nothing stays open, and variables are as before or after it."""

from __future__ import annotations

import contextlib
import signal
import sys
import time

import pytest

import hybridflow as hf
from hybridflow._src.cli.interrupts import Open, Watch
from hybridflow._src.framework import context
from hybridflow._src.plan import native
from tests.interrupts import Before, Interrupt

OPTIMIZERS = {
    "sgd": lambda: hf.train.GradientDescentOptimizer(0.5),
    "adam": lambda: hf.train.AdamOptimizer(0.5),
}


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
def test_a_step_interrupted_at_any_moment(name):
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        optimizer = OPTIMIZERS[name]()
        step(optimizer)
        moment, came = 0, True
        while came:
            moment += 3
            opened, before = Before(), values(optimizer)
            with Interrupt(moment) as interrupt, contextlib.suppress(KeyboardInterrupt):
                step(optimizer)
            came = interrupt.came
            opened.check()
            after = values(optimizer)
            # All variables have taken the step, or none of them.
            changed = {n for n in before if before[n] != after[n]}
            assert changed in (set(), set(before)), moment
            assert hf.get_variable_scope().name == ""
        assert moment > 500


def test_making_variables_interrupted_at_any_moment():
    with hf.eager_mode():
        moment, came = 0, True
        while came:
            moment += 3
            with hf.EagerVariableStore().as_default():
                opened = Before()
                with (
                    Interrupt(moment) as interrupt,
                    contextlib.suppress(KeyboardInterrupt),
                    hf.variable_scope("a"),
                ):
                    hf.get_variable("v", [2], regularizer=hf.nn.l2_loss)
                came = interrupt.came
                opened.check()
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


@pytest.fixture(autouse=True)
def sigint():
    """A Ctrl-C interrupts, also where the tests run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


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


def test_a_plan_interrupted_at_any_moment_is_compiled_all_the_same():
    """Its second run is where kernels are asked for, in the background."""
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32, [None])
        moment, came = 0, True
        while came:
            moment += 1
            y = hf.tanh(x) + float(moment)
            session.run(y, {x: [1.0]})
            opened = Before()
            with Interrupt(moment) as interrupt, contextlib.suppress(KeyboardInterrupt):
                session.run(y, {x: [1.0]})
            came = interrupt.came
            opened.check()
            session.run(y, {x: [1.0]})
            assert native.JOBS.wait(120)
            (plan,) = {r.plan for r in session._runnables.values() if r.fetches.tensors == [y]}
            assert plan.native.programs, moment
        assert moment > 50
