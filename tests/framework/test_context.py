"""Modes: switching, nesting, threads."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hybridflow as hf
from hybridflow._src.framework import context

SCOPES = {
    "eager": (hf.eager_mode, True),
    "graph": (hf.graph_mode, False),
    "as_default": (lambda: hf.Graph().as_default(), False),
    "session": (lambda: hf.Session(graph=hf.Graph()), False),
}


def test_graph_mode_is_the_default():
    assert not hf.executing_eagerly()
    assert hf.in_graph_mode()
    assert not hf.in_eager_mode()


@pytest.mark.parametrize("outer", SCOPES)
@pytest.mark.parametrize("inner", SCOPES)
def test_modes_nest_either_way(outer, inner):
    open_outer, eager_outside = SCOPES[outer]
    open_inner, eager_inside = SCOPES[inner]
    with open_outer():
        assert hf.executing_eagerly() == hf.in_eager_mode() == eager_outside
        with open_inner():
            assert hf.executing_eagerly() == eager_inside
            assert hf.in_graph_mode() == (not eager_inside)
        assert hf.executing_eagerly() == eager_outside
    assert not hf.executing_eagerly()


@given(st.lists(st.sampled_from(sorted(SCOPES)), max_size=6), st.booleans())
def test_any_nesting_is_undone_by_its_end_or_an_exception(names, fails):
    def enter(rest):
        if not rest:
            if fails:
                raise ZeroDivisionError
            return
        opens, eager = SCOPES[rest[0]]
        before = (hf.executing_eagerly(), hf.get_default_graph())
        try:
            with opens():
                assert hf.executing_eagerly() == eager
                enter(rest[1:])
        finally:
            assert (hf.executing_eagerly(), hf.get_default_graph()) == before

    if fails:
        with pytest.raises(ZeroDivisionError):
            enter(names)
    else:
        enter(names)
    assert len(context.modes) == 0


def test_the_default_graph_is_the_innermost_named_one():
    g, h = hf.Graph(), hf.Graph()
    outside = hf.get_default_graph()
    with g.as_default() as given_graph:
        assert given_graph is g
        with hf.eager_mode():
            # Eager mode does not forget the graph around it.
            with hf.graph_mode():
                assert hf.get_default_graph() is g
            with h.as_default(), hf.eager_mode(), hf.graph_mode():
                assert hf.get_default_graph() is h
            assert hf.get_default_graph() is g
    assert hf.get_default_graph() is outside


def test_the_mode_of_values_follows_the_scope():
    with hf.eager_mode():
        x = hf.constant(1.0)
        assert isinstance(x, hf.EagerTensor)
        with hf.Graph().as_default():
            y = hf.constant(1.0)
            assert type(y) is hf.Tensor
    with hf.Graph().as_default() as g:
        z = hf.constant(1.0)
        assert z.graph is g


def test_the_mode_belongs_to_the_thread():
    seen = {}
    meet = threading.Barrier(3)

    def work(name):
        opens, _ = SCOPES[name]
        seen[name] = [hf.executing_eagerly()]
        with opens():
            meet.wait()
            seen[name].append(hf.executing_eagerly())
            meet.wait()
        seen[name].append(hf.executing_eagerly())

    with hf.eager_mode():
        threads = [threading.Thread(target=work, args=(n,)) for n in ("eager", "graph", "session")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    # A new thread starts in the mode of the process, not in that of its parent.
    assert seen == {
        "eager": [False, True, False],
        "graph": [False, False, False],
        "session": [False, False, False],
    }


def test_reset_default_graph():
    with hf.graph_mode():
        hf.reset_default_graph()
        first = hf.get_default_graph()
        hf.constant(1.0)
        hf.reset_default_graph()
        assert hf.get_default_graph() is not first
        assert hf.get_default_graph().get_operations() == []
    with (
        hf.Graph().as_default(),
        pytest.raises(AssertionError, match="Do not use tf"),
    ):
        hf.reset_default_graph()


def test_threads_make_the_default_graph_once():
    for _ in range(20):
        hf.reset_default_graph()
        meet = threading.Barrier(4)
        found = []

        def look(meet=meet, found=found):
            meet.wait()
            found.append(hf.get_default_graph())

        threads = [threading.Thread(target=look) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(map(id, found))) == 1


def run(program):
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", "import hybridflow as hf, threading\n" + program],
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout.split(), result.stderr


def test_enable_eager_execution_sets_the_process():
    out, err = run(
        """
hf.enable_eager_execution()
hf.enable_eager_execution(config=hf.ConfigProto(), device_policy=None, execution_mode=None)
print(hf.executing_eagerly(), (hf.constant(1) + 1).numpy())
thread = threading.Thread(target=lambda: print(hf.executing_eagerly()))
thread.start()
thread.join()
with hf.Graph().as_default(), hf.Session() as sess:
    print(hf.executing_eagerly(), sess.run(hf.constant(5)))
print(hf.executing_eagerly())
hf.reset_default_graph()
with hf.graph_mode():
    print(hf.executing_eagerly())
"""
    )
    assert (out, err) == (["True", "2", "True", "False", "5", "True", "False"], "")


def test_enable_eager_execution_comes_first():
    out, err = run(
        """
with hf.eager_mode():
    hf.constant(1)
hf.constant(1)
try:
    hf.enable_eager_execution()
except ValueError as error:
    print("startup" in str(error), "1 operations" in str(error), hf.executing_eagerly())
hf.reset_default_graph()
hf.enable_eager_execution()
print(hf.executing_eagerly())
"""
    )
    assert (out, err) == (["True", "True", "False", "True"], "")


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"config": 2}, TypeError, "config must be a tf.ConfigProto, but got <class 'int'>"),
        (
            {"device_policy": hf.ConfigProto()},
            ValueError,
            "device_policy must be one of tf.contrib",
        ),
        ({"device_policy": 4}, ValueError, "DEVICE_PLACEMENT_SILENT_FOR_INT32, but got 4"),
        ({"execution_mode": 7}, ValueError, "must be one of tf.contrib.eager.SYNC"),
    ],
)
def test_enable_eager_execution_says_what_it_takes(arguments, error, text):
    with pytest.raises(error, match=text):
        hf.enable_eager_execution(**arguments)
    assert not hf.executing_eagerly()


def test_enable_eager_execution_leaves_open_scopes_alone():
    out, err = run(
        """
with hf.graph_mode():
    hf.enable_eager_execution()
    print(hf.executing_eagerly())
print(hf.executing_eagerly())
"""
    )
    assert (out, err) == (["False", "True"], "")
