"""Control flow of both of TensorFlow's forms, as our conditionals and loops.

Nodes may call functions of the library, or stand among the others as `Switch`, `Merge` and `Exit`.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.op_def import OPS
from hybridflow._src.framework.registry import raw
from hybridflow._src.graphs.structure import Branch, Ref
from hybridflow._src.ops.control_flow.conditional import add_choice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.graphs.building import Region
    from hybridflow._src.graphs.functions import Function
    from hybridflow._src.graphs.structure import Loop, Node

IFS = ("If", "StatelessIf")
WHILES = ("While", "StatelessWhile")
CALLS = ("PartitionedCall", "StatefulPartitionedCall")


# -- functions -------------------------------------------------------------------------------------


def called(region: Region, node: Node) -> Function:
    """The function that a node calls."""
    if node.op in region.builder.library:
        return region.builder.function(node.op)
    return region.builder.function(node.attr["f"].func.name)


def call(region: Region, function: Function, inputs: Sequence[Tensor]) -> list[Tensor]:
    """What a function gives, its nodes built here."""
    if len(inputs) != len(function.args):
        raise ValueError(
            f"Function {function.name!r} takes {len(function.args)} arguments, not {len(inputs)}."
        )
    inside = region.of_function(function)
    for name, tensor in zip(function.args, inputs, strict=True):
        inside.values[Ref(name, 0)] = tensor
    wanted = [function.structure.source(ref).node for ref in function.results]
    effects = [name for name, node in function.structure.nodes.items() if _has_effect(node)]
    inside.build([*wanted, *effects])
    graph = region.builder.graph
    done = [inside.ops[name] for name in effects if name in inside.ops]
    results = [inside.tensor(ref) for ref in function.results]
    if not done:
        return results
    with graph.control_dependencies(done):
        return [raw.Identity(t) for t in results]


def choose(region: Region, node: Node, inputs: Sequence[Tensor]) -> list[Tensor]:
    """What an `If` or `Case` gives."""
    chooser, *captures = inputs
    if node.op == "Case":
        names = [f.name for f in node.attr["branches"].list.func]
        record, chooser = OPS["Case"], _index(chooser, len(names))
    else:
        names = [node.attr[key].func.name for key in ("then_branch", "else_branch")]
        record, chooser = OPS["If"], _truth(chooser)
    name = region.builder.name(region.name(node))
    functions = [
        (
            f"branch {called!r} of {region.name(node)!r}",
            functools.partial(call, region, region.builder.function(called), captures),
        )
        for called in names
    ]
    with region.builder.graph.name_scope(name):
        return list(add_choice(record, chooser, functions, name).outputs)


def repeat(region: Region, node: Node, inputs: Sequence[Tensor]) -> list[Tensor]:
    """What a `While` gives; what no turn changes is no variable of the loop."""
    condition = region.builder.function(node.attr["cond"].func.name)
    body = region.builder.function(node.attr["body"].func.name)
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
        results = call(region, body, all_of(variables))
        return [results[i] for i in changing]

    def test(*variables: Tensor) -> Tensor:
        return _truth(call(region, condition, all_of(variables))[0])

    # The loop can have the node's name if its outputs have the same places.
    aligned = changing == list(range(len(changing)))
    wanted = region.name(node) if aligned else f"{region.name(node)}/While"
    outputs: list[Tensor] = list(inputs)
    if changing:
        initial = [inputs[i] for i in changing]
        op = region.loop(test, step, initial, region.builder.name(wanted))
        for i, tensor in zip(changing, op.outputs, strict=False):
            outputs[i] = tensor
    if aligned and changing:
        return outputs
    return [region.identity(node, tensor, i) for i, tensor in enumerate(outputs)]


def _has_effect(node: Node) -> bool:
    """Whether a node of a function has to run though nothing uses it."""
    if node.op in ("If", "While", "StatefulPartitionedCall"):
        return True
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


# -- nodes among the others ------------------------------------------------------------------------


def bring_together(region: Region, node: Node) -> None:
    """Builds a `Merge`, and those of the same `cond`."""
    structure = region.structure
    merges = [structure.nodes[name] for name in region.choices.merges[node.name]]
    first = structure.place(node.inputs[0])[-1]
    assert isinstance(first, Branch)
    pred = region.tensor(first.pred)
    pushes = region.choices.pushes_of(region.place, node.name)

    def branch(taken: int) -> list[Any]:
        inner = region.inner((*region.place, Branch(first.pred, taken)))
        refs = []
        for merge in merges:
            ends = [structure.place(ref)[-1].taken for ref in merge.inputs]  # type: ignore[union-attr]
            refs.append(merge.inputs[ends.index(taken)])
        results = inner.results(refs)
        if pushes:
            _push(inner)
        return results

    name = region.name(node)
    functions = [
        (f"{'true' if taken else 'false'} branch of {name!r}", functools.partial(branch, taken))
        for taken in (1, 0)
    ]
    graph = region.builder.graph
    helper = region.builder.name(f"{name.rpartition('/')[0] or name}/If")
    with graph.name_scope(helper):
        op = add_choice(OPS["If"], pred, functions, helper)
    region.ops.update(dict.fromkeys(pushes, op))
    for merge, tensor in zip(merges, op.outputs, strict=False):
        region.identity(merge, tensor)
        ends = [structure.place(ref)[-1].taken for ref in merge.inputs]  # type: ignore[union-attr]
        position = raw.Cast(pred, DstT=dtypes.int32)
        region.values[Ref(merge.name, 1)] = position if ends == [0, 1] else 1 - position


def _push(region: Region) -> None:
    """Builds what is pushed to stacks in this branch, which no result of it needs."""
    assert region.body is not None
    for place, names in region.choices.pushes.items():
        if place[: len(region.place)] == region.place:
            held = [region.choices.holder(region.place, name, place) for name in names]
            region.build(held)
            region.body.effects += dict.fromkeys([region.ops[name] for name in names])


def end_loop(region: Region, loop: Loop) -> None:
    """Builds a loop."""
    structure = region.structure
    place = structure.places[loop.merges[0]]
    initial = [region.tensor(ref) for ref in loop.initial]

    def turn_of(*variables: Tensor) -> Region:
        inner = region.inner(place)
        for name, tensor in zip(loop.merges, variables, strict=True):
            inner.values[Ref(name, 0)] = tensor
            inner.ops[name] = tensor.op
        return inner

    def condition(*variables: Tensor) -> Tensor:
        return turn_of(*variables).results([loop.condition])[0]

    def step(*variables: Tensor) -> list[Tensor]:
        inner = turn_of(*variables)
        results = inner.results(loop.following)
        for index, waits in enumerate(loop.waits):
            if waits:
                inner.build(waits)
                ops = [inner.ops[name] for name in waits if name in inner.ops]
                with region.builder.graph.control_dependencies(ops):
                    results[index] = raw.Identity(results[index])
        return results

    scope = loop.name.rpartition("/")[0] or loop.name
    name = region.builder.name(f"{region.prefix}{scope}/While")
    if name in region.builder.loops:  # it is around this one
        name = region.builder.name(f"{region.prefix}{loop.name}/While")
    region.builder.loops.add(name)
    op = region.loop(condition, step, initial, name)
    for exit_, index in loop.exits:
        region.identity(structure.nodes[exit_], op.outputs[index])
