"""Graphs and operations as messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.formats import messages
from hybridflow._src.formats.tensors import LARGEST
from hybridflow._src.framework.late import late
from hybridflow._src.graphs.hazards import Hazards
from hybridflow._src.graphs.nodes import Nodes
from hybridflow._src.graphs.op_list import definition

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.graph import Graph
    from hybridflow._src.framework.operation import Operation

__all__ = [
    "GRAPH_DEF_VERSION",
    "GRAPH_DEF_VERSION_MIN_CONSUMER",
    "GRAPH_DEF_VERSION_MIN_PRODUCER",
]

# The version of TensorFlow 1.4's graphs, and the oldest readers and writers that they allow.
GRAPH_DEF_VERSION = 24
GRAPH_DEF_VERSION_MIN_CONSUMER = 0
GRAPH_DEF_VERSION_MIN_PRODUCER = 0

_TOO_LARGE = (
    "GraphDef cannot be larger than 2GB. The largest nodes are {names}: feed such arrays through "
    "a placeholder, or keep them in variables that are fed when they get their first values."
)


def graph_def(graph: Graph, from_version: int | None = None, add_shapes: bool = False) -> Any:
    """A graph as a `GraphDef`, less the operations that it had at `from_version`."""
    return graph_def_of(graph, graph.get_operations()[from_version or 0 :], add_shapes)


def graph_def_of(graph: Graph, ops: Iterable[Operation], add_shapes: bool = False) -> Any:
    """Some operations of a graph as a `GraphDef`; those in bodies come with their owners."""
    found = messages.GraphDef()
    found.versions.producer = GRAPH_DEF_VERSION
    functions: dict[str, Any] = {}
    hazards = Hazards(graph.get_operations())
    nodes = Nodes(found.node, functions, graph._by_name, add_shapes, hazards)
    for op in ops:
        if op.body is None:
            nodes.write(op)
    if functions:
        found.library.function.extend(functions.values())
    if found.ByteSize() >= LARGEST:
        large = sorted(found.node, key=lambda node: -node.ByteSize())[:3]
        names = ", ".join([f"{node.name} ({node.ByteSize():,} bytes)" for node in large])
        raise ValueError(_TOO_LARGE.format(names=names))
    return found


def node_def(op: Operation) -> Any:
    """The node of an operation, without the nodes that help it."""
    nodes = messages.GraphDef().node
    Nodes(nodes, {}, ()).write(op)
    return nodes[-1]


late.graph_def = graph_def
late.node_def = node_def
late.op_def = definition
