"""Graphs from nodes: control flow of both of TensorFlow's forms becomes ours.

A `Region` is a graph, a function, or what of it stands in one branch or turn. What it needs is
built in it on demand, each thing after what it needs; a `cond` or a loop is one thing there, and
its branches are regions inside.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.late import late
from hybridflow._src.framework.registry import raw
from hybridflow._src.graphs import control_flow
from hybridflow._src.graphs.choices import Choices, choices
from hybridflow._src.graphs.composing import COMPOSED
from hybridflow._src.graphs.op_list import check_inputs
from hybridflow._src.graphs.operations import add_operation, record_of
from hybridflow._src.graphs.structure import Branch, Ref, Structure
from hybridflow._src.ops.control_flow.conditional import common_dims
from hybridflow._src.ops.control_flow.loops import NotInvariant, add_loop
from hybridflow._src.ops.control_flow.ordering import current_body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.graphs.builder import Builder
    from hybridflow._src.graphs.functions import Function
    from hybridflow._src.graphs.structure import Node, Place

_NO_NAME = re.compile(r"[^A-Za-z0-9_.\-/]")
_DEEPEST = 50  # functions inside functions
_GRAPH = 50  # a graph of its own takes as long as so many nodes
_POPS = ("StackPop", "StackPopV2")

# Outputs that only help some devices: without numbers here, for gradients that name them.
_FOR_DEVICES = frozenset([("FusedBatchNormV3", 5)])


class Region:
    """Nodes of one structure that stand in one place.

    Args:
      builder: what all regions share; kept as an attribute, as the next three are.
      structure: the nodes.
      prefix: what names begin with.
      place: the place.
      outer: the region around it, in the same structure.
      depth: how many functions are around it.

    Attributes:
      values: the tensors that there are.
      ops: the operations that there are, by the names of nodes.
      body: the body that it is in; None at the top.
      choices: the conditions of the structure.
    """

    def __init__(
        self,
        builder: Builder,
        structure: Structure,
        prefix: str,
        place: Place = (),
        outer: Region | None = None,
        depth: int = 0,
    ) -> None:
        if depth > _DEEPEST:
            raise ValueError(f"Functions call each other more than {_DEEPEST} deep.")
        self.builder = builder
        self.structure = structure
        self.prefix = prefix
        self.place = place
        self._outer = outer
        self._depth = depth
        self.body = current_body()
        self.values: dict[Ref, Tensor] = {}
        self.ops: dict[str, Operation] = {}
        # The nodes of branches here that are built, of those that may be built only once.
        self._popped: set[str] = set()
        self.choices: Choices = choices(structure) if outer is None else outer.choices

    # -- looking up --------------------------------------------------------------------------------

    def tensor(self, ref: Ref) -> Tensor:
        """A tensor that there is, in this region or around it.

        Raises:
          ValueError: if the node lacks that output.
        """
        ref = self.structure.source(ref)
        place = self.structure.place(ref)
        region = self
        while len(region.place) > len(place) and region._outer is not None:
            region = region._outer
        found = region.values.get(self._variable(ref))
        if found is None:
            node = self.structure.nodes.get(ref.node)
            if node is not None and (node.op, ref.output) in _FOR_DEVICES:
                return convert_to_tensor(np.zeros(0, np.float32))
            raise ValueError(
                f"Input tensor '{ref.node}:{ref.output}' not found: the node has no such output."
            )
        return found

    def _variable(self, ref: Ref) -> Ref:
        """A loop variable in its turn: of its `Switch` the output that goes on is the `Merge`."""
        node = self.structure.nodes.get(ref.node)
        if node is not None and node.op == "Switch":
            return node.inputs[0]
        return ref

    # -- order -------------------------------------------------------------------------------------

    def build(self, targets: Iterable[str]) -> None:
        """Builds nodes that stand here, and all that they need."""
        structure = self.structure
        pending = [(name, False) for name in reversed(list(targets))]
        begun: set[str] = set()
        while pending:
            name, ready = pending.pop()
            if self._is_there(name):
                continue
            if ready:
                self.builder.count()
                self._make(structure.nodes[name])
                continue
            node = structure.nodes.get(name)
            if node is None or structure.places[name] != self.place or self._is_given(node):
                continue
            key = self._key(node)
            if key in begun:
                continue
            begun.add(key)
            pending.append((name, True))
            pending += [(source, False) for source in self._needs(node)]

    def _is_there(self, name: str) -> bool:
        return name in self.ops or Ref(name, 0) in self.values

    def _is_given(self, node: Node) -> bool:
        """Whether a node only hands on what comes from elsewhere."""
        return node.op in ("Enter", "NextIteration") or (
            node.op == "Switch" and self.structure.is_loop_switch(node)
        )

    def _key(self, node: Node) -> str:
        """One name for all nodes that are built at once."""
        if node.op == "Exit":
            return self.structure.loop_of[node.name]
        return self.choices.merges[node.name][0] if node.op == "Merge" else node.name

    def _needs(self, node: Node) -> list[str]:
        """The nodes here that must be there before a node is built."""
        structure = self.structure
        if node.op == "Exit":
            loop = structure.loops[structure.loop_of[node.name]]
            waits = [Ref(name, 0) for names in loop.waits for name in names]
            inside = [*loop.following, loop.condition, *waits]
            return [*[ref.node for ref in loop.initial], *self._outside(inside)]
        if node.op == "Merge":
            merges = [structure.nodes[name] for name in self.choices.merges[node.name]]
            branch = structure.place(node.inputs[0])[-1]
            assert isinstance(branch, Branch)
            inside = [ref for merge in merges for ref in merge.inputs]
            inside += [Ref(name, 0) for name in self.choices.pushes_of(self.place, node.name)]
            return [branch.pred.node, *self._outside(inside)]
        found = [structure.source(ref).node for ref in node.inputs]
        for name in node.waits:
            source = structure.source(Ref(name, 0)).node
            place = structure.places.get(source, ())
            found.append(self.choices.holder(self.place, source, place))
        return found

    def _outside(self, refs: Sequence[Ref]) -> list[str]:
        """What regions further inside use of this one."""
        structure, depth = self.structure, len(self.place)
        found: dict[str, None] = {}
        seen: set[str] = set()
        pending = [ref.node for ref in refs]
        while pending:
            name = pending.pop()
            if name in seen or name not in structure.nodes:
                continue
            seen.add(name)
            node = structure.nodes[name]
            if len(structure.places[name]) <= depth:
                found[structure.source(Ref(name, 0)).node] = None
                continue
            pending += [*[ref.node for ref in node.inputs], *node.waits]
        return list(found)

    # -- building ----------------------------------------------------------------------------------

    def _make(self, node: Node) -> None:
        """Builds a node, or all that are built with it.

        Raises:
          ValueError: for whatever is wrong with it.
        """
        try:
            if node.op == "Merge":
                control_flow.bring_together(self, node)
            elif node.op == "Exit":
                control_flow.end_loop(self, self.structure.loops[self.structure.loop_of[node.name]])
            elif node.op == "Switch" or node.op == "LoopCond":
                self.values[Ref(node.name, 0)] = self.tensor(node.inputs[0])
            else:
                self._make_node(node)
        except Exception as error:  # whatever the rules of an op make of what a file holds
            if getattr(error, "_names_node", False):
                raise
            problem = ValueError(f"{_described(self.name(node), node.op, error)}{_given(node)}")
            problem._names_node = True  # type: ignore[attr-defined]
            raise problem from error

    def _waits(self, node: Node) -> list[Operation]:
        found = []
        for name in node.waits:
            source = self.structure.source(Ref(name, 0)).node
            region: Region | None = self
            while region is not None:
                op = region.ops.get(source)
                if op is not None:
                    if op.body is self.body or op.body is None or op.body.encloses(self.body):
                        found.append(op)
                    break
                region = region._outer
        return found

    def of_function(self, function: Function) -> Region:
        """A region for the nodes of a function that is called here."""
        # No name begins with an underscore, and functions may be called `<lambda>`.
        called = _NO_NAME.sub("_", function.name).lstrip("_")
        prefix = self.builder.name(self.prefix + called)
        return Region(self.builder, function.structure, prefix, depth=self._depth + 1)

    def name(self, node: Node) -> str:
        """The name for a node's operation."""
        return f"{self.prefix}{node.name}"

    def _make_node(self, node: Node) -> None:
        inputs = [self.tensor(ref) for ref in node.inputs]
        graph = self.builder.graph
        if node.waits or node.device:
            with graph.control_dependencies(self._waits(node)), graph.device(node.device or ""):
                outputs = self._outputs(node, inputs)
        else:
            outputs = self._outputs(node, inputs)
        for index, tensor in enumerate(outputs):
            self.values[Ref(node.name, index)] = tensor
        self.ops.setdefault(node.name, graph._ops[-1])

    def _outputs(self, node: Node, inputs: list[Tensor]) -> list[Tensor]:
        if node.op in _POPS and self._outer is not None and isinstance(self.place[-1], Branch):
            if node.name in self._outer._popped:
                raise ValueError(
                    "it is used by two conditions with one predicate: control flow of this form "
                    "cannot be imported"
                )
            self._outer._popped.add(node.name)
        if node.op in control_flow.IFS or node.op == "Case":
            return control_flow.choose(self, node, inputs)
        if node.op in control_flow.WHILES:
            return control_flow.repeat(self, node, inputs)
        if node.op in control_flow.CALLS or node.op in self.builder.library:
            results = control_flow.call(self, control_flow.called(self, node), inputs)
            return [self.identity(node, t, i) for i, t in enumerate(results)]
        composed = COMPOSED.get(node.op)
        if composed is not None:
            with self.builder.graph.name_scope(f"{self.name(node)}/parts"):
                found = composed(node.attr, inputs)
            if found is not None:
                return [self.identity(node, found)]
        return self._plain(node, inputs)

    def _plain(self, node: Node, inputs: list[Tensor]) -> list[Tensor]:
        record = record_of(node.op)
        if record is None:
            raise ValueError("this op does not exist here")
        check_inputs(node.op, node.attr, [tensor.dtype for tensor in inputs])
        name = self.builder.name(self.name(node))
        names = [f"{ref.node}:{ref.output}" for ref in node.inputs]
        graph = self.builder.graph
        op = add_operation(graph, record, inputs, node.attr, name, names, self._function_attr)
        self.ops[node.name] = op
        if "_class" in node.attr:
            # When all have their names.
            self.builder.colocated.append((op, functools.partial(self._colocated, node)))
        shapes = node.attr["_output_shapes"].list.shape if "_output_shapes" in node.attr else ()
        if len(shapes) == len(op.outputs):
            for tensor, shape in zip(op.outputs, shapes, strict=True):
                _sharpen(tensor, shape)
        return op.outputs

    def _colocated(self, node: Node) -> tuple[list[bytes], list[Operation]]:
        """What a node says that it stands beside, by the names that this has now."""
        found, beside = [], []
        for text in node.attr["_class"].list.s:
            name = text.decode("utf-8", "replace").removeprefix("loc:@")
            if name in self.ops:
                beside.append(self.ops[name])
                found.append(f"loc:@{self.ops[name].name}".encode())
            elif name in self.structure.nodes:
                # What stands further inside has no name here.
                if len(self.structure.places[name]) <= len(self.place):
                    found.append(text)
            elif self._depth:
                found.append(text)  # of a function: it may mean what is outside
            else:
                raise ValueError(
                    "Specified colocation to an op that does not exist during import: "
                    f"{name} in {node.name}"
                )
        return found, beside

    def _function_attr(self, name: str) -> Any:
        """A function of the library as an attribute of an op, with a graph of its own."""
        function = self.builder.function(name)
        self.builder.count(_GRAPH)

        def build(*args: Tensor) -> list[Tensor]:
            builder = self.builder.within(get_default_graph())
            region = Region(builder, Structure({}, ()), "", depth=self._depth)
            found = control_flow.call(region, function, args)
            builder.colocate()
            return found

        return late.function_attr(function.dtypes, build)

    def identity(self, node: Node, tensor: Tensor, index: int = 0) -> Tensor:
        """Gives an output of a node, made by another op, the node's name."""
        name = self.name(node) if index == 0 else f"{self.name(node)}/output_{index}"
        found = raw.Identity(tensor, name=self.builder.name(name))
        self.values[Ref(node.name, index)] = found
        self.ops.setdefault(node.name, found.op)
        return found

    # -- what stands inside ------------------------------------------------------------------------

    def inner(self, place: Place) -> Region:
        return Region(self.builder, self.structure, self.prefix, place, self, self._depth)

    def results(self, refs: Sequence[Ref]) -> list[Tensor]:
        """Builds tensors here, or takes them from around it."""
        self.build([self.structure.source(ref).node for ref in refs])
        return [self.tensor(ref) for ref in refs]

    def loop(
        self,
        condition: Callable[..., Tensor],
        step: Callable[..., list[Tensor]],
        initial: Sequence[Tensor],
        name: str,
    ) -> Operation:
        """Adds a loop; shapes that a turn changes are unknown to it, as far as it changes them."""
        graph = self.builder.graph
        dims = [t._dims for t in initial]
        mark = graph.mark()
        while True:
            try:
                with graph.name_scope(name):
                    return add_loop(condition, step, initial, dims, name)
            except NotInvariant as error:
                graph.forget(mark)
                dims = [
                    common_dims(d, leaves) for d, leaves in zip(dims, error.leaves, strict=True)
                ]


def _described(name: str, type_: str, error: Exception) -> str:
    """What an error says, with the node that it is about."""
    text = str(error)
    begin = f"Node {name!r} ({type_})"
    return text if text.startswith(begin) else f"{begin}: {text}"


def _given(node: Node) -> str:
    """Which inputs of a node are not those of the file, as text behind an error."""
    keys = [ref.node[1:] for ref in node.inputs if ref.node.startswith("\0")]
    told = ", ".join([f"input_map[{key!r}]" for key in keys])
    return f" (Of its inputs, {told} was given in place of what the graph has.)" if keys else ""


def _sharpen(tensor: Tensor, shape: Any) -> None:
    """Adds what a file knows of a shape, unless it contradicts what is known."""
    sizes = None if shape.unknown_rank else tuple([d.size for d in shape.dim])
    if sizes is None or (tensor._dims is not None and len(tensor._dims) != len(sizes)):
        return
    known = tensor._dims or (None,) * len(sizes)
    if all(d in (None, size) or size < 0 for d, size in zip(known, sizes, strict=True)):
        tensor.set_shape([d if size < 0 else size for d, size in zip(known, sizes, strict=True)])
