"""Graphs from nodes: control flow of both of TensorFlow's forms becomes ours.

A `Region` is a graph, a function, or what of it stands in one branch or turn. What it needs is
built in it on demand, each thing after what it needs; a `cond` or a loop is one thing there, and
its branches are regions inside.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.op_def import OPS
from hybridflow._src.framework.registry import raw
from hybridflow._src.graphs.functions import Function
from hybridflow._src.graphs.operations import add_operation, record_of
from hybridflow._src.graphs.structure import Branch, Ref
from hybridflow._src.ops.control_flow.conditional import add_choice, common_dims
from hybridflow._src.ops.control_flow.loops import NotInvariant, add_loop
from hybridflow._src.ops.control_flow.ordering import current_body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from hybridflow._src.framework.graph import Graph
    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.graphs.structure import Loop, Node, Place, Structure

# Functions inside functions, and nodes in all: what a file may ask for.
_DEEPEST, _MOST_NODES = 50, 2_000_000
IFS = ("If", "StatelessIf")
WHILES = ("While", "StatelessWhile")
CALLS = ("PartitionedCall", "StatefulPartitionedCall")


class Builder:
    """What the regions of one import share.

    Args:
      graph: the graph, which is the default one.
      library: the functions of the file, by name.

    Attributes:
      colocated: operations that stand beside others, and what tells these.
    """

    def __init__(self, graph: Graph, library: Mapping[str, Any]) -> None:
        self.graph = graph
        self.library = library
        self._functions: dict[str, Function] = {}
        self._left = _MOST_NODES
        self.colocated: list[tuple[Operation, Callable[[], Any]]] = []

    def colocate(self) -> None:
        """Notes on the operations what they stand beside: they are on its device.

        Raises:
          ValueError: if that does not exist.
        """
        for op, find in self.colocated:
            names, beside = find()
            op.attrs = {**op.attrs, "_class": sorted(names)}
            op.device = next((other.device for other in beside if other.device), op.device)

    def function(self, name: str) -> Function:
        """A function of the library.

        Raises:
          ValueError: if there is none of this name, or it is damaged.
        """
        found = self._functions.get(name)
        if found is None:
            if name not in self.library:
                raise ValueError(f"The graph has no function {name!r} in its library.")
            found = self._functions[name] = Function(self.library[name], self.library)
        return found

    def name(self, wanted: str) -> str:
        """A name for an op, made unique, as `add_op` takes it whatever name scope is open."""
        graph = self.graph
        if wanted in graph._names_in_use:
            with graph.name_scope(None):
                wanted = graph.unique_name(wanted)
        return f"{wanted}/"

    def count(self) -> None:
        """Counts a node.

        Raises:
          ValueError: if there are too many: functions that call each other can ask for any number.
        """
        self._left -= 1
        if self._left < 0:
            raise ValueError(f"The functions of the graph make more than {_MOST_NODES} nodes.")


class Region:
    """Nodes of one structure that stand in one place.

    Args:
      builder: what all regions share.
      structure: the nodes.
      prefix: what names begin with.
      place: the place.
      outer: the region around it, in the same structure.
      depth: how many functions are around it.

    Attributes:
      values: the tensors that there are.
      ops: the operations that there are, by the names of nodes.
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
        self._builder = builder
        self._structure = structure
        self._prefix = prefix
        self._place = place
        self._outer = outer
        self._depth = depth
        self._body = current_body()
        self.values: dict[Ref, Tensor] = {}
        self.ops: dict[str, Operation] = {}
        self._choices: dict[str, list[str]] = {} if outer is None else outer._choices
        if outer is None:
            self._group_merges()

    # -- looking up --------------------------------------------------------------------------------

    def tensor(self, ref: Ref) -> Tensor:
        """A tensor that there is, in this region or around it.

        Raises:
          ValueError: if the node lacks that output.
        """
        ref = self._structure.source(ref)
        place = self._structure.place(ref)
        region = self
        while len(region._place) > len(place) and region._outer is not None:
            region = region._outer
        found = region.values.get(self._variable(ref))
        if found is None:
            raise ValueError(
                f"Input tensor '{ref.node}:{ref.output}' not found: the node has no such output."
            )
        return found

    def _variable(self, ref: Ref) -> Ref:
        """A loop variable in its turn: of its `Switch` the output that goes on is the `Merge`."""
        node = self._structure.nodes.get(ref.node)
        if node is not None and node.op == "Switch":
            return node.inputs[0]
        return ref

    # -- order -------------------------------------------------------------------------------------

    def build(self, targets: Iterable[str]) -> None:
        """Builds nodes that stand here, and all that they need."""
        structure = self._structure
        pending = [(name, False) for name in reversed(list(targets))]
        begun: set[str] = set()
        while pending:
            name, ready = pending.pop()
            if self._is_there(name):
                continue
            if ready:
                self._builder.count()
                self._make(structure.nodes[name])
                continue
            node = structure.nodes.get(name)
            if node is None or structure.places[name] != self._place or self._is_given(node):
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
            node.op == "Switch" and self._structure.is_loop_switch(node)
        )

    def _key(self, node: Node) -> str:
        """One name for all nodes that are built at once."""
        if node.op == "Exit":
            return self._structure.loop_of[node.name]
        return self._choices[node.name][0] if node.op == "Merge" else node.name

    def _needs(self, node: Node) -> list[str]:
        """The nodes here that must be there before a node is built."""
        structure = self._structure
        if node.op == "Exit":
            loop = structure.loops[structure.loop_of[node.name]]
            inside = [*loop.following, loop.condition]
            return [*[ref.node for ref in loop.initial], *self._outside(inside)]
        if node.op == "Merge":
            merges = [structure.nodes[name] for name in self._choices[node.name]]
            branch = structure.place(node.inputs[0])[-1]
            assert isinstance(branch, Branch)
            return [branch.pred.node, *self._outside([r for m in merges for r in m.inputs])]
        return [structure.source(ref).node for ref in node.inputs] + [
            structure.source(Ref(name, 0)).node for name in node.waits
        ]

    def _outside(self, refs: Sequence[Ref]) -> list[str]:
        """What regions further inside use of this one."""
        structure, depth = self._structure, len(self._place)
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

    def _group_merges(self) -> None:
        """Finds the `Merge`s of each `cond`: those of one predicate that do not use each other."""
        structure = self._structure
        groups: dict[tuple[Place, Ref], list[list[str]]] = {}
        budget = _MOST_NODES
        for name in structure.places:
            node = structure.nodes[name]
            if node.op != "Merge" or name in structure.loop_of:
                continue
            branch = structure.place(node.inputs[0])[-1]
            assert isinstance(branch, Branch)
            known = groups.setdefault((structure.places[name], branch.pred), [])
            if known:
                used = self._upstream(node, budget)
                budget -= len(used)
            if known and used.isdisjoint(known[-1]):
                known[-1].append(name)
            else:
                known.append([name])
        for merges in groups.values():
            for merged in merges:
                self._choices.update(dict.fromkeys(merged, merged))

    def _upstream(self, node: Node, most: int) -> set[str]:
        """All nodes that one uses."""
        seen: set[str] = set()
        pending = [node]
        while pending:
            for name in self._structure.sources(pending.pop()):
                if name not in seen and name in self._structure.nodes:
                    seen.add(name)
                    pending.append(self._structure.nodes[name])
            if len(seen) > most:
                raise ValueError("The conditions of the graph are too entangled to be imported.")
        return seen

    # -- building ----------------------------------------------------------------------------------

    def _make(self, node: Node) -> None:
        """Builds a node, or all that are built with it.

        Raises:
          ValueError: for whatever is wrong with it.
        """
        try:
            if node.op == "Merge":
                self._make_choice(node)
            elif node.op == "Exit":
                self._make_loop(self._structure.loops[self._structure.loop_of[node.name]])
            elif node.op == "Switch" or node.op == "LoopCond":
                self.values[Ref(node.name, 0)] = self.tensor(node.inputs[0])
            else:
                self._make_node(node)
        except _NodeError:
            raise
        except Exception as error:  # whatever the rules of an op make of what a file holds
            raise _NodeError(f"Node {self._name(node)!r} ({node.op}): {error}") from error

    def _waits(self, node: Node) -> list[Operation]:
        found = []
        for name in node.waits:
            source = self._structure.source(Ref(name, 0)).node
            region: Region | None = self
            while region is not None:
                op = region.ops.get(source)
                if op is not None:
                    if op.body is self._body or op.body is None or op.body.encloses(self._body):
                        found.append(op)
                    break
                region = region._outer
        return found

    def _name(self, node: Node) -> str:
        return f"{self._prefix}{node.name}"

    def _make_node(self, node: Node) -> None:
        inputs = [self.tensor(ref) for ref in node.inputs]
        graph = self._builder.graph
        if node.waits or node.device:
            with graph.control_dependencies(self._waits(node)), graph.device(node.device or ""):
                outputs = self._outputs(node, inputs)
        else:
            outputs = self._outputs(node, inputs)
        for index, tensor in enumerate(outputs):
            self.values[Ref(node.name, index)] = tensor
        self.ops.setdefault(node.name, graph._ops[-1])

    def _outputs(self, node: Node, inputs: list[Tensor]) -> list[Tensor]:
        if node.op in IFS or node.op == "Case":
            return self._call_choice(node, inputs)
        if node.op in WHILES:
            return self._call_loop(node, inputs)
        if node.op in CALLS or node.op in self._builder.library:
            results = self._call(self._called(node), inputs)
            return [self._identity(node, t, i) for i, t in enumerate(results)]
        return self._plain(node, inputs)

    def _plain(self, node: Node, inputs: list[Tensor]) -> list[Tensor]:
        record = record_of(node.op)
        if record is None:
            raise ValueError("this op does not exist here")
        name = self._builder.name(self._name(node))
        names = [f"{ref.node}:{ref.output}" for ref in node.inputs]
        op = add_operation(self._builder.graph, record, inputs, node.attr, name, names)
        self.ops[node.name] = op
        if "_class" in node.attr:
            # When all have their names.
            self._builder.colocated.append((op, functools.partial(self._colocated, node)))
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
            elif name in self._structure.nodes or self._depth:
                found.append(text)  # inside a branch, or of a function: it may mean what is outside
            else:
                raise ValueError(
                    "Specified colocation to an op that does not exist during import: "
                    f"{name} in {node.name}"
                )
        return found, beside

    def _identity(self, node: Node, tensor: Tensor, index: int = 0) -> Tensor:
        """Gives an output of a node, made by another op, the node's name."""
        name = self._name(node) if index == 0 else f"{self._name(node)}/output_{index}"
        found = raw.Identity(tensor, name=self._builder.name(name))
        self.values[Ref(node.name, index)] = found
        self.ops.setdefault(node.name, found.op)
        return found

    # -- TensorFlow 1's control flow ---------------------------------------------------------------

    def _inner(self, place: Place) -> Region:
        return Region(self._builder, self._structure, self._prefix, place, self, self._depth)

    def _results(self, region: Region, refs: Sequence[Ref]) -> list[Tensor]:
        """Builds tensors in a region, or takes them from around it."""
        region.build([self._structure.source(ref).node for ref in refs])
        return [region.tensor(ref) for ref in refs]

    def _make_choice(self, node: Node) -> None:
        structure = self._structure
        merges = [structure.nodes[name] for name in self._choices[node.name]]
        first = structure.place(node.inputs[0])[-1]
        assert isinstance(first, Branch)
        pred = self.tensor(first.pred)

        def branch(taken: int) -> list[Any]:
            region = self._inner((*self._place, Branch(first.pred, taken)))
            refs = []
            for merge in merges:
                ends = [structure.place(ref)[-1].taken for ref in merge.inputs]  # type: ignore[union-attr]
                refs.append(merge.inputs[ends.index(taken)])
            return self._results(region, refs)

        name = self._name(node)
        functions = [
            (f"{'true' if taken else 'false'} branch of {name!r}", functools.partial(branch, taken))
            for taken in (1, 0)
        ]
        graph = self._builder.graph
        helper = self._builder.name(f"{name.rpartition('/')[0] or name}/If")
        with graph.name_scope(helper):
            op = add_choice(OPS["If"], pred, functions, helper)
        for merge, tensor in zip(merges, op.outputs, strict=False):
            self._identity(merge, tensor)
            ends = [structure.place(ref)[-1].taken for ref in merge.inputs]  # type: ignore[union-attr]
            position = raw.Cast(pred, DstT=dtypes.int32)
            self.values[Ref(merge.name, 1)] = position if ends == [0, 1] else 1 - position

    def _make_loop(self, loop: Loop) -> None:
        structure = self._structure
        place = structure.places[loop.merges[0]]
        initial = [self.tensor(ref) for ref in loop.initial]

        def turn(refs: Sequence[Ref], *variables: Tensor) -> list[Tensor]:
            region = self._inner(place)
            for name, tensor in zip(loop.merges, variables, strict=True):
                region.values[Ref(name, 0)] = tensor
                region.ops[name] = tensor.op
            return self._results(region, refs)

        def condition(*variables: Tensor) -> Tensor:
            return turn([loop.condition], *variables)[0]

        step = functools.partial(turn, loop.following)
        name = self._builder.name(
            f"{self._prefix}{loop.name.rpartition('/')[0] or loop.name}/While"
        )
        op = self._loop(condition, step, initial, name)
        for exit_, index in loop.exits:
            self._identity(structure.nodes[exit_], op.outputs[index])

    def _loop(
        self,
        condition: Callable[..., Tensor],
        step: Callable[..., list[Tensor]],
        initial: Sequence[Tensor],
        name: str,
    ) -> Operation:
        """Adds a loop; shapes that a turn changes are unknown to it, as far as it changes them."""
        graph = self._builder.graph
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

    # -- control flow by functions -----------------------------------------------------------------

    def _called(self, node: Node) -> Function:
        if node.op in self._builder.library:
            return self._builder.function(node.op)
        return self._builder.function(node.attr["f"].func.name)

    def _call(self, function: Function, inputs: Sequence[Tensor]) -> list[Tensor]:
        """What a function gives, its nodes built here."""
        if len(inputs) != len(function.args):
            raise ValueError(
                f"Function {function.name!r} takes {len(function.args)} arguments, not "
                f"{len(inputs)}."
            )
        prefix = self._builder.name(self._prefix + function.name)
        region = Region(self._builder, function.structure, prefix, depth=self._depth + 1)
        for name, tensor in zip(function.args, inputs, strict=True):
            region.values[Ref(name, 0)] = tensor
        wanted = [function.structure.source(ref).node for ref in function.results]
        effects = [name for name, node in function.structure.nodes.items() if _has_effect(node)]
        region.build([*wanted, *effects])
        graph = self._builder.graph
        done = [region.ops[name] for name in effects if name in region.ops]
        results = [region.tensor(ref) for ref in function.results]
        if not done:
            return results
        with graph.control_dependencies(done):
            return [raw.Identity(t) for t in results]

    def _call_choice(self, node: Node, inputs: Sequence[Tensor]) -> list[Tensor]:
        chooser, *captures = inputs
        if node.op == "Case":
            names = [f.name for f in node.attr["branches"].list.func]
            record, chooser = OPS["Case"], _index(chooser, len(names))
        else:
            names = [node.attr[key].func.name for key in ("then_branch", "else_branch")]
            record, chooser = OPS["If"], _truth(chooser)
        name = self._builder.name(self._name(node))
        functions = [
            (
                f"branch {called!r} of {self._name(node)!r}",
                functools.partial(self._call, self._builder.function(called), captures),
            )
            for called in names
        ]
        with self._builder.graph.name_scope(name):
            return list(add_choice(record, chooser, functions, name).outputs)

    def _call_loop(self, node: Node, inputs: Sequence[Tensor]) -> list[Tensor]:
        condition = self._builder.function(node.attr["cond"].func.name)
        body = self._builder.function(node.attr["body"].func.name)
        if not len(inputs) == len(condition.args) == len(body.args) == len(body.results):
            raise ValueError("its functions do not take as many values as it has.")
        constant = _unchanged(body)
        changing = [i for i in range(len(inputs)) if i not in constant]

        def all_of(variables: Sequence[Tensor]) -> list[Tensor]:
            found = list(inputs)
            for i, tensor in zip(changing, variables, strict=True):
                found[i] = tensor
            return found

        def step(*variables: Tensor) -> list[Tensor]:
            results = self._call(body, all_of(variables))
            return [results[i] for i in changing]

        def test(*variables: Tensor) -> Tensor:
            return _truth(self._call(condition, all_of(variables))[0])

        # The loop can have the node's name if its outputs have the same places.
        aligned = changing == list(range(len(changing)))
        wanted = self._name(node) if aligned else f"{self._name(node)}/While"
        outputs: list[Tensor] = list(inputs)
        if changing:
            initial = [inputs[i] for i in changing]
            op = self._loop(test, step, initial, self._builder.name(wanted))
            for i, tensor in zip(changing, op.outputs, strict=False):
                outputs[i] = tensor
        if aligned and changing:
            return outputs
        return [self._identity(node, tensor, i) for i, tensor in enumerate(outputs)]


class _NodeError(ValueError):
    """An error that names its node already."""


def _has_effect(node: Node) -> bool:
    """Whether a node of a function has to run though nothing uses it."""
    record = OPS.get(node.op)
    return (
        record is not None
        and (record.effect == "write" or (record.stateful and record.compute is not None))
        and node.op not in ("NoOp",)
    )


def _unchanged(body: Function) -> set[int]:
    """The arguments of a loop's body that it gives back as they are."""
    found = set()
    for index, (name, ref) in enumerate(zip(body.args, body.results, strict=True)):
        node = body.structure.nodes.get(ref.node)
        while node is not None and node.op == "Identity" and not node.waits:
            ref = node.inputs[0]
            node = body.structure.nodes.get(ref.node)
        if ref == (name, 0):
            found.add(index)
    return found


def _truth(tensor: Tensor) -> Tensor:
    """A predicate as a bool: a number is true unless it is 0, text unless it is empty."""
    if tensor.dtype.base_dtype.is_bool:
        return tensor
    return raw.NotEqual(tensor, raw.ZerosLike(tensor))


def _index(tensor: Tensor, count: int) -> Tensor:
    """The branch that an index chooses: the last one where it is out of range."""
    index = raw.Cast(tensor, DstT=dtypes.int64)
    outside = raw.LogicalOr(raw.Less(index, 0), raw.GreaterEqual(index, count))
    return raw.Select(outside, raw.Add(raw.ZerosLike(index), count - 1), index)


def _sharpen(tensor: Tensor, shape: Any) -> None:
    """Adds what a file knows of a shape, unless it contradicts what is known."""
    sizes = None if shape.unknown_rank else tuple([d.size for d in shape.dim])
    if sizes is None or (tensor._dims is not None and len(tensor._dims) != len(sizes)):
        return
    known = tensor._dims or (None,) * len(sizes)
    if all(d in (None, size) or size < 0 for d, size in zip(known, sizes, strict=True)):
        tensor.set_shape([d if size < 0 else size for d, size in zip(known, sizes, strict=True)])
