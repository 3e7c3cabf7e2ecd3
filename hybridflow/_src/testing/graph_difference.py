"""Graphs as messages, compared."""

from __future__ import annotations

from typing import Any

__all__ = ["assert_equal_graph_def"]


def _node(node: Any, checkpoint_v2: bool) -> Any:
    copy = type(node)()
    copy.CopyFrom(node)
    # Shapes that were inferred do not belong to what a node is.
    copy.attr.pop("_output_shapes", None)
    # Control inputs have no order.
    data = [name for name in copy.input if not name.startswith("^")]
    control = sorted(name for name in copy.input if name.startswith("^"))
    del copy.input[:]
    copy.input.extend(data + control)
    if checkpoint_v2 and copy.op == "Const" and b"_temp_" in copy.attr["value"].SerializeToString():
        # The names of temporary files of checkpoints are drawn at random.
        copy.attr.pop("value", None)
    return copy


def assert_equal_graph_def(actual: Any, expected: Any, checkpoint_v2: bool = False) -> None:
    """Raises unless two graphs have the same nodes, in whatever order.

    Args:
      actual, expected: `GraphDef`s.
      checkpoint_v2: whether random names of temporary files are ignored.

    Raises:
      TypeError: if one is no `GraphDef`.
      AssertionError: if the graphs differ; the text names the first node that does.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default() as graph:
    ...     _ = hf.constant(1.0, name="x")
    >>> hf.test.assert_equal_graph_def(graph.as_graph_def(), graph.as_graph_def())
    """
    for which, graph in (("actual", actual), ("expected", expected)):
        if type(graph).__name__ != "GraphDef":
            got = type(graph).__name__
            raise TypeError(f"Expected GraphDef for {which}, got {got}. Use graph.as_graph_def().")
    nodes = [{node.name: node for node in graph.node} for graph in (actual, expected)]
    for name in sorted(set(nodes[0]) ^ set(nodes[1])):
        where = "actual" if name in nodes[0] else "expected"
        raise AssertionError(f"The node {name!r} is in the {where} graph alone.")
    for name, node in nodes[0].items():
        pair = [_node(n, checkpoint_v2) for n in (node, nodes[1][name])]
        if pair[0] != pair[1]:
            raise AssertionError(f"The nodes {name!r} differ:\n{pair[0]}\nexpected:\n{pair[1]}")
