"""Functions of a `GraphDef`'s library, taken apart like graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.formats.tensors import dtype_of
from hybridflow._src.graphs.op_list import definition, outputs_of, tensorflow_ops
from hybridflow._src.graphs.operations import record_of
from hybridflow._src.graphs.structure import Node, Ref, Structure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hybridflow._src.framework.dtypes import DType


def node_of(message: Any) -> Node:
    """A node of a graph.

    Raises:
      ValueError: if it names an input in no way that there is.
    """
    inputs: list[Ref] = []
    waits: list[str] = []
    for text in message.input:
        if text.startswith("^"):
            waits.append(text[1:])
            continue
        if waits:
            raise ValueError(
                f"Node {message.name!r}: control inputs must come after the others, not {text!r}."
            )
        name, colon, index = text.rpartition(":")
        if not colon:
            name, index = text, "0"
        if not index.isdecimal() or len(index) > 9 or ":" in name:
            raise ValueError(f"Node {message.name!r}: Cannot convert {text!r} to a tensor name.")
        inputs.append(Ref(name, int(index)))
    return Node(message.name, message.op, inputs, waits, message.attr, message.device)


class Function:
    """A function of a library.

    Attributes:
      name: its name.
      args: the names of its arguments.
      results: what it gives.
      structure: its nodes.
    """

    def __init__(self, message: Any, library: Mapping[str, Any]) -> None:
        signature = message.signature
        self.name = signature.name
        self.args = [arg.name for arg in signature.input_arg]
        self._kinds = [arg.type for arg in signature.input_arg]
        self._library = library
        self._messages = {node.name: node for node in message.node_def}
        nodes: dict[str, Node] = {}
        for node in message.node_def:
            inputs = [self._ref(text) for text in node.input if not text.startswith("^")]
            waits = [text[1:] for text in node.input if text.startswith("^")]
            waits = [name for name in waits if name not in self.args]
            if node.name in nodes or node.name in self.args:
                raise ValueError(f"Function {self.name!r} has two nodes {node.name!r}.")
            nodes[node.name] = Node(node.name, node.op, inputs, waits, node.attr, node.device)
        self.structure = Structure(nodes, self.args)
        self.results = []
        for arg in signature.output_arg:
            if arg.name not in message.ret:
                raise ValueError(f"Function {self.name!r} does not give its {arg.name!r}.")
            self.results.append(self._ref(message.ret[arg.name]))

    @property
    def dtypes(self) -> list[DType]:
        """The dtypes of its arguments.

        Raises:
          TypeError: if there is no such dtype here.
        """
        return [dtype_of(kind) for kind in self._kinds]

    def _ref(self, text: str) -> Ref:
        """The output that "argument", "node:output:position" or "node:output" names."""
        name, *rest = text.split(":")
        if not rest:
            return Ref(name, 0)
        node = self._messages.get(name)
        index = rest[1] if len(rest) > 1 else "0"
        if node is None or len(rest) > 2 or not index.isdecimal() or len(index) > 9:
            raise ValueError(f"Function {self.name!r}: {text!r} is no name of an input.")
        at = 0
        for output, count in self._outputs(node):
            if output == rest[0]:
                return Ref(name, at + int(index))
            at += count
        raise ValueError(f"Function {self.name!r}: node {name!r} has no output {rest[0]!r}.")

    def _outputs(self, node: Any) -> Sequence[tuple[str, int]]:
        """The outputs of a node by name, and how many tensors each stands for."""
        called = self._library.get(node.op)
        known = called.signature if called is not None else tensorflow_ops().get(node.op)
        if known is None:
            record = record_of(node.op)
            if record is None:
                raise ValueError(f"No op named {node.op} in defined operations.")
            known = definition(record)
        return outputs_of(node, known)
