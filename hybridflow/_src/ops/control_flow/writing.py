"""How conditionals and loops are written to files: as TensorFlow's `If`, `Case` and `While`.

Their bodies become functions whose arguments are the op's inputs. What a body hands out for its
gradient is one more output: of the branches that lack it a `FakeParam`, and of a loop a list of
tensors that each turn appends to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.ops.control_flow.writing_lists import dtype_of, element_shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.body import Body
    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.tensor import Tensor


def write_if(nodes: Any, op: Operation) -> None:
    """Writes a `cond`."""
    then, otherwise = _branches(nodes, op, ("true", "false"))
    attrs = {"then_branch": then.attr, "else_branch": otherwise.attr}
    stateful = then.is_stateful or otherwise.is_stateful
    type_ = "If" if stateful else "StatelessIf"
    _choice(nodes, op, type_, nodes.input(op.inputs[0]), {"Tcond": dtypes.bool, **attrs})


def write_case(nodes: Any, op: Operation) -> None:
    """Writes a `case`."""
    branches = _branches(nodes, op, [f"branch_{i}" for i in range(len(op.bodies))])
    index = nodes.input(op.inputs[0])
    cast = nodes.add("Cast", f"{op.name}/index", [index], SrcT=dtypes.int64, DstT=dtypes.int32)
    _choice(nodes, op, "Case", nodes.output(cast), {"branches": [b.attr for b in branches]})


def _choice(nodes: Any, op: Operation, type_: str, chooser: str, attrs: dict[str, Any]) -> None:
    captures = op.inputs[1:]
    attrs["Tin"] = [dtype_of(t) for t in captures]
    attrs["Tout"] = [dtype_of(t) for t in op.outputs]
    attrs["output_shapes"] = [t.shape for t in op.outputs]
    nodes.node(op, type_, [chooser, *[nodes.input(t) for t in captures]], attrs)


def _branches(nodes: Any, op: Operation, names: Sequence[str]) -> list[Any]:
    found = []
    args = [(t, dtype_of(t)) for t in op.inputs[1:]]
    for body, name in zip(op.bodies, names, strict=True):
        function = nodes.function(body, f"{op.name}_{name}", args)
        inside = {outer: inner for inner, outer in body.saved.items()}
        results = [function.input(t) for t in body.outputs]
        for tensor in op.outputs[len(body.outputs) :]:
            if tensor in inside:
                results.append(function.input(inside[tensor]))
            else:
                form = {"dtype": dtype_of(tensor), "shape": tensor.shape}
                results.append(function.output(function.add("FakeParam", "unused", [], **form)))
        function.give([(r, dtype_of(t)) for r, t in zip(results, op.outputs, strict=True)])
        found.append(function)
    return found


def write_while(nodes: Any, op: Operation) -> None:
    """Writes a `while_loop`: its variables, the count of turns and the lists if they are used, and
    what its bodies capture, which stays as it is.
    """
    test, body = op.bodies
    count = len(body.inputs)
    saved = list(body.saved)
    number = op.outputs[count]
    handed_out = op.body is not None and number in op.body.saved
    counts = bool(saved or number._consumers or handed_out)
    captures = op.inputs[count:]
    inputs = [nodes.input(t) for t in op.inputs[:count]]
    kinds = [dtype_of(t) for t in body.inputs]
    shapes = [t.shape for t in op.outputs[:count]]
    if counts:
        zero = nodes.add(
            "Const", f"{op.name}/turns", [], dtype=dtypes.int32, value=np.array(0, np.int32)
        )
        inputs += [nodes.output(zero), *[_empty_list(nodes, op, t) for t in saved]]
        kinds += [dtypes.int32, *[dtypes.variant] * len(saved)]
        shapes += [t.shape for t in op.outputs[count:]]
    inputs += [nodes.input(t) for t in captures]
    kinds += [dtype_of(t) for t in captures]
    shapes += [t.shape for t in captures]
    extra = [None] * (len(kinds) - count - len(captures))

    def function(part: Body, name: str) -> Any:
        tensors = [*part.inputs, *extra, *captures]
        args = list(zip(tensors, kinds, strict=True))
        return nodes.function(part, f"{op.name}_{name}", args)

    condition = function(test, "cond")
    condition.give([(condition.input(test.outputs[0]), dtypes.bool)])
    step = function(body, "body")
    results = [step.input(t) for t in body.outputs]
    if counts:
        one = step.add("Const", "one", [], dtype=dtypes.int32, value=np.array(1, np.int32))
        turns = [step.args[count], step.output(one)]
        results.append(step.output(step.add("Add", "turns", turns, T=dtypes.int32)))
        for tensor, name in zip(saved, step.args[count + 1 :], strict=False):
            given = [name, step.input(tensor)]
            push = step.add("TensorListPushBack", "push", given, element_dtype=dtype_of(tensor))
            results.append(step.output(push))
    results += step.args[len(results) :]
    step.give(list(zip(results, kinds, strict=True)))
    stateful = condition.is_stateful or step.is_stateful
    attrs = {
        "T": kinds,
        "cond": condition.attr,
        "body": step.attr,
        "output_shapes": shapes,
    }
    nodes.node(op, "While" if stateful else "StatelessWhile", inputs, attrs, shapes)


def _empty_list(nodes: Any, op: Operation, tensor: Tensor) -> str:
    size = nodes.add(
        "Const", f"{op.name}/size", [], dtype=dtypes.int32, value=np.array(-1, np.int32)
    )
    inputs = [element_shape(nodes, op, tensor._dims), nodes.output(size)]
    form = {"element_dtype": dtype_of(tensor), "shape_type": dtypes.int32}
    return str(nodes.output(nodes.add("EmptyTensorList", f"{op.name}/list", inputs, **form)))
