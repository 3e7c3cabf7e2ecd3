"""Every scope there is: closed after exceptions, by generators, per thread, and under `python -O`.

This file is also the program that `python -O` runs (see the end): it checks without `assert`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import pytest

import hybridflow as hf
from hybridflow._src.framework import context, scopes

ROOT = Path(hf.__file__).resolve().parent.parent


GRAPH: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "variable_scope": lambda: hf.variable_scope("a", reuse=True, dtype=hf.float64),
    "variable_scope of an object": lambda: hf.variable_scope(hf.get_variable_scope(), reuse=True),
    "variable_scope by default name": lambda: hf.variable_scope(None, "a"),
    "variable_scope of another graph": lambda: hf.variable_scope("a", values=[elsewhere()]),
    "variable_scope without names": lambda: hf.variable_scope("a", auxiliary_name_scope=False),
    "variable_op_scope": lambda: hf.variable_op_scope([], "a"),
    "name_scope": lambda: hf.name_scope("a"),
    "name_scope of values": lambda: hf.name_scope(None, "a", [elsewhere()]),
    "Graph.name_scope": lambda: hf.get_default_graph().name_scope("a"),
    "device": lambda: hf.device("/cpu:0"),
    "device function": lambda: hf.device(lambda op: "/cpu:0"),
    "control_dependencies": lambda: hf.control_dependencies([hf.no_op()]),
    "control_dependencies of none": lambda: hf.control_dependencies(None),
    "colocate_with": lambda: hf.colocate_with(hf.no_op()),
    "Graph.as_default": lambda: hf.Graph().as_default(),
    "Session": lambda: hf.Session(),
    "Session.as_default": lambda: hf.Session().as_default(),
    "eager_mode": lambda: hf.eager_mode(),
    "graph_mode": lambda: hf.graph_mode(),
    "EagerVariableStore": lambda: hf.EagerVariableStore().as_default(),
}
EAGER: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "variable_scope": lambda: hf.variable_scope("a", reuse=True, dtype=hf.float64),
    "variable_scope of an object": lambda: hf.variable_scope(hf.get_variable_scope()),
    "variable_scope by default name": lambda: hf.variable_scope(None, "a"),
    "variable_op_scope": lambda: hf.variable_op_scope([], "a"),
    "name_scope": lambda: hf.name_scope("a"),
    "device": lambda: hf.device("/cpu:0"),
    "Graph.as_default": lambda: hf.Graph().as_default(),
    "eager_mode": lambda: hf.eager_mode(),
    "graph_mode": lambda: hf.graph_mode(),
    "EagerVariableStore": lambda: hf.EagerVariableStore().as_default(),
    "GradientTape": lambda: hf.GradientTape(),
}
SCOPES = [("graph", name) for name in GRAPH] + [("eager", name) for name in EAGER]


def elsewhere() -> Any:
    with hf.Graph().as_default():
        return hf.constant(1.0)


def state() -> list[Any]:
    """All that is open in this thread. Names that were handed out are no part of it."""
    graph = hf.get_default_graph()
    return [
        context.modes.top,
        graph,
        graph._scope.top,
        context.sessions.top,
        context.eager_collections.top,
        context.tapes.top,
        hf.get_variable_scope(),
        scopes.current_name_scope(),
        scopes.current_device(),
    ]


def same(before: list[Any], after: list[Any]) -> bool:
    return all(a is b or a == b for a, b in zip(before, after, strict=True))


class Failed(Exception):
    pass


def in_mode(mode: str) -> AbstractContextManager[Any]:
    return hf.eager_mode() if mode == "eager" else hf.Graph().as_default()


def scope_of(mode: str, name: str) -> AbstractContextManager[Any]:
    return (EAGER if mode == "eager" else GRAPH)[name]()


# -- checks: each gives what is wrong, or "" -------------------------------------------------------


def changes(mode: str, name: str) -> str:
    """The scope is visible inside (so that the other checks check something)."""
    before = state()
    with scope_of(mode, name):
        inside = state()
    quiet = ("eager_mode", "graph_mode", "control_dependencies of none")
    return "" if name in quiet or not same(before, inside) else "changes nothing"


def closes(mode: str, name: str) -> str:
    """Left normally, by an exception, and nested in itself."""
    scope = scope_of(mode, name)
    before = state()
    for fails in (False, True):
        try:
            with scope if not fails else scope_of(mode, name):
                with scope_of(mode, name):
                    if fails:
                        raise Failed
        except Failed:
            pass
        if not same(before, state()):
            return "stays open after an exception" if fails else "stays open"
    return ""


def in_a_generator(mode: str, name: str) -> str:
    """Closed with the generator that holds it open."""

    def generator() -> Iterator[None]:
        with scope_of(mode, name):
            yield
            yield

    scope_of(mode, name)  # makes what it needs
    before = state()
    for _ in generator():
        pass
    if not same(before, state()):
        return "stays open after its generator"
    left = generator()
    next(left)
    left.close()
    if not same(before, state()):
        return "stays open after its generator was closed"
    left = generator()
    next(left)
    with suppress(Failed):
        left.throw(Failed)
    return "" if same(before, state()) else "stays open after its generator failed"


def of_one_thread(mode: str, name: str) -> str:
    """Another thread does not see it."""
    with ThreadPoolExecutor(1) as pool:

        def theirs() -> list[Any]:
            with in_mode(mode):
                return state()[3:7]

        before = pool.submit(theirs).result()
        with scope_of(mode, name):
            inside = pool.submit(theirs).result()
        plain = pool.submit(lambda: (context.modes.top, context.tapes.top)).result()
    if plain[0] is not context.PROCESS or plain[1]:
        return "is seen by another thread"
    ignored = 3 if mode == "graph" else 4  # a graph's root scope is another for another graph
    return "" if same(before[:ignored], inside[:ignored]) else "is seen by another thread"


CHECKS = [changes, closes, in_a_generator, of_one_thread]


def problem(check: Callable[[str, str], str], mode: str, name: str) -> str:
    with in_mode(mode):
        wrong = check(mode, name)
    return f"{mode}: {name} {wrong}" if wrong else ""


@pytest.mark.filterwarnings("ignore:tf.variable_op_scope:DeprecationWarning")
@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize(("mode", "name"), SCOPES)
def test_scope(mode: str, name: str, check: Callable[[str, str], str]) -> None:
    assert problem(check, mode, name) == ""


@pytest.mark.parametrize("flag", ["-O", "-OO"])
def test_optimized_python(flag: str) -> None:
    run = subprocess.run(
        [sys.executable, flag, "-W", "ignore", __file__],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert run.stdout.split("\n") == [f"{len(SCOPES) * len(CHECKS)} checks", ""]


def test_the_checks_find_what_stays_open(graph: hf.Graph) -> None:
    """Also the checks are checked."""

    class Forgetful:
        def __enter__(self) -> None:
            self.scope = hf.variable_scope("a")
            self.scope.__enter__()

        def __exit__(self, *exc: Any) -> None:
            pass

    GRAPH["forgetful"] = Forgetful
    try:
        for check in (closes, in_a_generator):
            assert "stays open" in problem(check, "graph", "forgetful")
    finally:
        del GRAPH["forgetful"]


if __name__ == "__main__":
    found = [problem(check, *scope) for check in CHECKS for scope in SCOPES]
    print(f"{len(found)} checks", *filter(None, found), sep="\n")
