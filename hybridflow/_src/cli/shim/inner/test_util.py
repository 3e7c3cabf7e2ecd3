"""`tensorflow.python.framework.test_util`: what tests of programs import."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.context import eager_mode, graph_mode
from hybridflow._src.framework.graph import Graph
from hybridflow._src.testing.case import TestCase as TensorFlowTestCase
from hybridflow._src.testing.graph_difference import assert_equal_graph_def
from hybridflow._src.variables.eager_store import EagerVariableStore

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "TensorFlowTestCase",
    "assert_equal_graph_def",
    "get_node_def_from_graph",
    "deprecated_graph_mode_only",
    "run_all_in_graph_and_eager_modes",
    "run_deprecated_v1",
    "run_in_graph_and_eager_modes",
    "run_v1_only",
]


def get_node_def_from_graph(node_name: str, graph_def: Any) -> Any:
    """The node of a `GraphDef` that has a name, or None."""
    return next((node for node in graph_def.node if node.name == node_name), None)


def run_deprecated_v1(func: Any = None) -> Any:
    """Has a test run as in TensorFlow 1, which all do here."""
    return func if func is not None else lambda method: method


def run_v1_only(reason: str, func: Any = None) -> Any:
    """Has a test run under TensorFlow 1 alone, which this is."""
    return run_deprecated_v1(func)


def run_all_in_graph_and_eager_modes(cls: Any) -> Any:
    """Has all tests of a class run in both modes, as `run_in_graph_and_eager_modes` does."""
    for name in dir(cls):
        method = getattr(cls, name)
        if name.startswith("test") and name != "test_session" and callable(method):
            setattr(cls, name, run_in_graph_and_eager_modes(method))
    return cls


def deprecated_graph_mode_only(func: Any = None) -> Any:
    """Has a method of a test, or all of a class, run in graph mode."""

    def decorated(method: Any) -> Any:
        if isinstance(method, type):
            for name in dir(method):
                if name.startswith("test") and name != "test_session":
                    setattr(method, name, decorated(getattr(method, name)))
            return method

        @functools.wraps(method)
        def in_graph(*args: Any, **kwargs: Any) -> Any:
            with graph_mode():
                return method(*args, **kwargs)

        return in_graph

    return decorated if func is None else decorated(func)


def run_in_graph_and_eager_modes(
    func: Any = None,
    graph: Any = None,
    config: Any = None,
    use_gpu: bool = False,
    force_gpu: bool = False,
    reset_test: bool = True,
    assert_no_eager_garbage: bool = False,
) -> Any:
    """Has a method of a test run in a graph, inside `test_session`, and then eagerly.

    Args:
      func: the method; without it a decorator is given.
      graph, config: of the session. use_gpu, force_gpu: not used.
      reset_test: whether `tearDown` and `setUp` are called in between.
      assert_no_eager_garbage: not used.
    """

    def decorated(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def both(self: Any, *args: Any, **kwargs: Any) -> None:
            with graph_mode(), self.test_session(graph=graph, config=config):
                method(self, *args, **kwargs)
            if reset_test:
                self.tearDown()
                self.setUp()
            with (graph or Graph()).as_default(), eager_mode(), EagerVariableStore().as_default():
                method(self, *args, **kwargs)

        return both

    return decorated if func is None else decorated(func)
