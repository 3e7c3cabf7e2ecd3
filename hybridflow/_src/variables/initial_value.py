"""Initial values: their shapes, and how those that depend on other variables come in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.tensor_shape import TensorShape

if TYPE_CHECKING:
    from hybridflow._src.framework.graph import Graph
    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.tensor import Tensor

_KEY = "variables by op"
_UNKNOWN_SHAPE = (
    "initial_value must have a shape specified: {value}. Give it a static shape with `set_shape`, "
    "or pass validate_shape=False."
)
_OTHER_SHAPE = (
    "The initial value of variable '{name}' has shape {got}, but shape {wanted} was asked for."
)
_VARIABLES = frozenset(("VarHandleOp", "VariableV2"))


def register(graph: Graph, variable: Any) -> None:
    """Notes which variable an op of a graph makes."""
    graph.extensions.setdefault(_KEY, {})[variable.op] = variable


def registered(graph: Graph) -> dict[Operation, Any]:
    """The variables of a graph by the ops that make them."""
    return graph.extensions.get(_KEY, {})


def initial_expression(value: Tensor, name: str) -> Tensor:
    """`value`, or if it depends on variables a copy of it in which they are initialized.

    Where the expression reads a variable, the copy has `initialized_value()`: so variables can be
    initialized in one run in any order. Reads inside conditionals and loops are left as they are.

    Args:
      value: the initial value of a variable.
      name: the name of that variable.
    """
    ops = _upstream(value)
    if ops is None:
        return value
    graph = value.graph
    variables = registered(graph)
    initialized: dict[Operation, Tensor] = {}
    copies: dict[Tensor, Tensor] = {}

    def of_variable(handle: Tensor) -> Tensor:
        variable = variables.get(handle.op)
        if variable is None:
            return handle
        if handle.op not in initialized:
            initialized[handle.op] = variable.initialized_value()
        return initialized[handle.op]

    for op in sorted(ops, key=lambda op: op._id):
        if op.record.name == "ReadVariableOp":
            copy = of_variable(op.inputs[0])
            if copy is not op.inputs[0]:
                copies[op.outputs[0]] = copy
        elif op.record.effect is None and not op.bodies:
            inputs = tuple(
                [of_variable(t) if t._dtype.is_ref_dtype else copies.get(t, t) for t in op.inputs]
            )
            if inputs != op.inputs:
                copies.update(zip(op.outputs, _copy(graph, op, inputs, name), strict=True))
    return copies.get(value, value)


def _upstream(value: Tensor) -> list[Operation] | None:
    """The ops that `value` is computed by, if variables are among them."""
    depends = False
    ops = [value.op]
    seen = {value.op}
    for op in ops:
        if op.record.name in _VARIABLES:
            depends = True
        for tensor in op.inputs:
            if tensor.op not in seen:
                seen.add(tensor.op)
                ops.append(tensor.op)
    return ops if depends else None


def _copy(graph: Graph, op: Operation, inputs: tuple[Tensor, ...], name: str) -> list[Tensor]:
    return graph.add_op(
        op.record,
        inputs,
        op.attrs,
        f"{op.name}_{name}",
        [t._dtype for t in op.outputs],
        [t._dims for t in op.outputs],
    ).outputs


def check_initial(initial: Tensor, scope: str, validate_shape: bool, expected: Any) -> None:
    """Checks the shape of an initial value.

    Raises:
      ValueError: if it is not known, or another one than expected.
    """
    if not validate_shape:
        return
    dims = initial._dims
    if dims is None or None in dims:
        raise ValueError(_UNKNOWN_SHAPE.format(value=initial))
    if expected is not None and not initial.shape.is_compatible_with(expected):
        wanted = TensorShape(expected)
        name = scope.rstrip("/")
        raise ValueError(_OTHER_SHAPE.format(name=name, got=initial.shape, wanted=wanted))
