"""The stack behind every scope."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridflow._src.framework.stack import Opener, Stack
from tests.interrupts import Interrupt


@pytest.fixture
def stack():
    return Stack("bottom", "test scope")


def test_a_scope_gives_its_item_and_pops_it(stack):
    assert stack.top == "bottom"
    with stack.scope("a") as a:
        assert (a, stack.top, len(stack), list(stack)) == ("a", "a", 1, ["bottom", "a"])
        with stack.scope("b", gives=5) as given:
            assert (given, stack.top) == (5, "b")
        assert stack.top == "a"
    assert (stack.top, len(stack)) == ("bottom", 0)


def test_a_scope_may_hold_none(stack):
    with stack.scope(None) as item:
        assert item is None
        assert stack.top is None
    assert stack.top == "bottom"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, GeneratorExit, SystemExit])
def test_any_exception_closes_scopes(stack, error):
    with pytest.raises(error), stack.scope("a"), stack.scope("b"):
        raise error
    assert (stack.top, len(stack)) == ("bottom", 0)


def test_the_same_item_may_be_opened_twice(stack):
    scope = stack.scope("a")
    with scope, scope:
        assert list(stack) == ["bottom", "a", "a"]
    assert list(stack) == ["bottom"]


def test_a_scope_closed_too_early_is_an_error_and_does_not_stay_open(stack):
    outer, inner = stack.scope("outer"), stack.scope("inner")
    outer.__enter__()
    inner.__enter__()
    with pytest.raises(RuntimeError, match="test scope was closed while scopes opened inside"):
        outer.__exit__(None, None, None)
    assert list(stack) == ["bottom", "inner"]
    inner.__exit__(None, None, None)
    assert list(stack) == ["bottom"]


def test_a_scope_closed_twice_is_an_error(stack):
    scope = stack.scope("a")
    with scope:
        pass
    with pytest.raises(RuntimeError, match="test scope was closed that is not open in this thread"):
        scope.__exit__(None, None, None)
    assert list(stack) == ["bottom"]


def test_the_bottom_is_never_popped(stack):
    stack.discard("bottom")
    assert stack.top == "bottom"


def test_discard_removes_the_innermost_wherever_it_lies(stack):
    a, b = object(), object()
    for item in (a, b, a):
        stack.push(item)
    stack.discard(a)
    assert list(stack) == ["bottom", a, b]
    stack.discard(a)
    assert list(stack) == ["bottom", b]
    stack.discard("not there")
    assert stack.top is b


# -- generators ------------------------------------------------------------------------------------


def held(stack, item):
    with stack.scope(item):
        yield stack.top
        yield stack.top


def test_a_generator_that_ends_in_order(stack):
    assert list(held(stack, "g")) == ["g", "g"]
    assert stack.top == "bottom"


def test_a_generator_left_behind_closes_its_scope_when_it_is_closed(stack):
    generator = held(stack, "g")
    assert next(generator) == "g"
    # Suspended, it still holds the scope: that is what a `with` around a `yield` means.
    assert stack.top == "g"
    generator.close()
    assert stack.top == "bottom"


def test_generators_closed_out_of_order_leave_nothing_open(stack):
    first, second = held(stack, "first"), held(stack, "second")
    next(first)
    next(second)
    with pytest.raises(RuntimeError, match="still open"):
        first.close()
    assert list(stack) == ["bottom", "second"]
    second.close()
    assert list(stack) == ["bottom"]


def test_a_generator_finished_in_another_thread_is_an_error_there(stack):
    generator = held(stack, "g")
    next(generator)
    errors = []

    def close():
        try:
            generator.close()
        except RuntimeError as error:
            errors.append(str(error))

    thread = threading.Thread(target=close)
    thread.start()
    thread.join()
    assert "closed in the thread that opened it" in errors[0]
    assert stack.top == "bottom"


# -- threads ---------------------------------------------------------------------------------------


def test_each_thread_has_its_own_items(stack):
    seen = {}
    meet = threading.Barrier(4)

    def work(name):
        before = stack.top
        with stack.scope(name):
            meet.wait()
            seen[name] = (before, stack.top, list(stack))
            meet.wait()
        seen[name] += (stack.top,)

    with stack.scope("main"):
        threads = [threading.Thread(target=work, args=(f"t{i}",)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert stack.top == "main"
    for name, what in seen.items():
        assert what == ("bottom", name, ["bottom", name], "bottom")


# -- any program -----------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(st.sampled_from(["push", "discard", "open", "close", "raise"]), st.integers(0, 9))
    )
)
def test_it_is_a_stack_whatever_happens(steps):
    stack = Stack("bottom", "scope")
    model = ["bottom"]
    scopes = {}
    for step, index in steps:
        item = object()
        if step == "push":
            stack.push(item)
            model.append(item)
        elif step == "open":
            scopes[item] = stack.scope(item)
            scopes[item].__enter__()
            model.append(item)
        elif step == "discard" and len(model) > 1:
            victim = model[1 + index % (len(model) - 1)]
            stack.discard(victim)
            scopes.pop(victim, None)
            model.remove(victim)
        elif step == "close" and scopes:
            victim = list(scopes)[index % len(scopes)]
            in_order = victim is model[-1]
            with contextlib.nullcontext() if in_order else pytest.raises(RuntimeError):
                scopes.pop(victim).__exit__(None, None, None)
            model.remove(victim)
        elif step == "raise":
            with pytest.raises(ZeroDivisionError), stack.scope(item):
                raise ZeroDivisionError
        assert list(stack) == model
        assert stack.top is model[-1]


# -- interrupts ------------------------------------------------------------------------------------


class Scoped(Opener):
    """Opens something on two stacks."""

    def __init__(self, *stacks):
        self.stacks = stacks

    def _open(self, opened):
        for stack in self.stacks:
            opened.push(stack, "scoped")


@pytest.mark.parametrize("again", [0, 1, 2])
def test_nothing_stays_open_whenever_an_interrupt_comes(stack, again):
    other = Stack("bottom", "another scope")
    moment, came = 0, True
    while came:
        moment += 1
        with Interrupt(moment, again) as interrupt:
            try:
                with stack.scope("outer"), Scoped(stack, other), other.scope("inner"):
                    pass
            except KeyboardInterrupt:
                interrupt.__exit__()
                # The traceback is alive here, with all that functions in it know.
                assert (list(stack), list(other)) == (["bottom"], ["bottom"]), moment
        came = interrupt.came
        assert (list(stack), list(other)) == (["bottom"], ["bottom"]), moment
    assert moment > 20


def test_an_interrupt_inside_is_no_mistake_in_nesting(stack):
    inner = stack.scope("by hand, and never left")

    def interrupted():
        with stack.scope("outer"):
            inner.__enter__()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(stack) == ["bottom"]


# -- without asserts -------------------------------------------------------------------------------

_PROGRAM = """
from hybridflow._src.framework.stack import Stack
stack = Stack("bottom", "scope")
try:
    with stack.scope("a"), stack.scope("b"):
        raise ValueError
except ValueError:
    pass
print(stack.top, len(stack))
outer, inner = stack.scope("outer"), stack.scope("inner")
outer.__enter__(), inner.__enter__()
try:
    outer.__exit__(None, None, None)
except RuntimeError:
    print("refused")
print(list(stack))

import hybridflow as hf
with hf.eager_mode():
    try:
        with hf.Graph().as_default(), hf.name_scope("a"), hf.device("/cpu:0"):
            with hf.control_dependencies([hf.no_op()]), hf.Session():
                raise ValueError
    except ValueError:
        pass
    print(hf.executing_eagerly(), hf.get_default_session())
print(hf.executing_eagerly(), hf.get_default_graph().get_name_scope() == "")
"""


@pytest.mark.parametrize("flags", [[], ["-O"], ["-OO"]])
def test_nothing_depends_on_assert(flags):
    run = subprocess.run(
        [sys.executable, *flags, "-c", _PROGRAM], capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines() == [
        "bottom 0",
        "refused",
        "['bottom', 'inner']",
        "True None",
        "False True",
    ]
