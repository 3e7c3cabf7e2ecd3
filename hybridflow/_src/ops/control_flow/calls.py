"""Calls of functions in graphs: one op that does what the ops of the function do.

A call has a body of its own, and a plan runs that in the place of the call. In files it is a node
whose op type is the function's name, and the function stands in the library.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.body import Body
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.late import late
from hybridflow._src.framework.op_def import ZERO, OpDef
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.ops.control_flow import bodies
from hybridflow._src.ops.control_flow.ordering import current_body

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.tensor import Tensor

# What has a state, and need not run where nothing uses it.
_IDLE = ("NoOp", "VarHandleOp", "VariableV2")


def add_call(
    called: str,
    function: Callable[..., Sequence[Any]],
    args: Sequence[Tensor],
    scope: str,
    gradient: Callable[..., Any] | None = None,
    resolve: Callable[[Tensor], Tensor | None] | None = None,
) -> Operation:
    """Adds a call, named as the name scope in which it is.

    Args:
      called: the name of the function in the library of a file.
      function: called once, with a tensor inside for each of `args`; gives tensors.
      args: tensors.
      scope: the name scope, with a slash at the end.
      gradient: what `tf.gradients` calls for the op, instead of going through the function.
      resolve: see `Body`.
    """
    body = Body(f"function '{called}' of call '{scope.rstrip('/')}'", current_body())
    body.resolve = resolve
    with get_default_graph().body_scope(body):
        body.inputs = [
            raw.Placeholder(dtype=t.dtype.base_dtype, shape=TensorShape.of(t._dims), name="arg")
            for t in args
        ]
        body.outputs = [bodies.yielded(t) for t in function(*body.inputs)]  # type: ignore[misc]
    body.effects += [op for op in body.operations if _must_run(op) and op not in body.effects]
    kinds = [t.dtype.base_dtype for t in body.outputs]
    attrs = {"Tout": kinds, "called": called, "gradient": gradient}
    return bodies.add_op(_op, (body,), args, attrs, scope, kinds, [t._dims for t in body.outputs])


def _must_run(op: Operation) -> bool:
    record = op.record
    if op.type in _IDLE or op.body is None:
        return False
    if op.bodies:
        return any(_must_run(inner) for body in op.bodies for inner in body.operations)
    return record.effect == "write" or (record.stateful and record.compute is not None)


def _grad(op: Operation, *dys: Any) -> Sequence[Any]:
    """What the function's own gradient gives, or a call of the gradient of its body."""
    (body,) = op.bodies
    count = len(body.outputs)
    own = op.attrs["gradient"]
    if own is not None:
        outputs = zip(op.outputs[:count], dys, strict=False)
        given = [raw.ZerosLike(t) if dy is None else dy for t, dy in outputs]
        found = own(op, *given)
        return found if isinstance(found, (list, tuple)) else [found]
    inside = [*body.inputs, *op.inputs[len(body.inputs) :]]
    places = [place for place, t in enumerate(op.inputs) if bodies.differentiable(t)]
    given = [*dys[:count], *[dys[t.value_index] for t in body.saved.values()]]
    pairs = zip([*body.outputs, *body.saved], given, strict=True)
    flowing = [(y, dy) for y, dy in pairs if dy is not None]
    reached: list[int] = []

    def gradient() -> list[Any]:
        ys, grad_ys = zip(*flowing, strict=True)
        sources = [inside[place] for place in places]
        outside = [*body.inputs, *body.captures]
        grads = late.gradients(ys, sources, grad_ys, stop_gradients=outside)
        found = [(place, bodies.dense(g)) for place, g in zip(places, grads, strict=True)]
        reached.extend(place for place, g in found if g is not None)
        return [g for _, g in found if g is not None]

    grads: list[Any] = [ZERO if place in places else None for place in range(len(op.inputs))]
    if flowing:
        with name_scope("Call_grad") as scope:
            resolve = functools.partial(_save, op, body)
            call = add_call(f"{op.attrs['called']}_grad", gradient, [], scope, resolve=resolve)
        for place, tensor in zip(reached, call.outputs, strict=False):
            grads[place] = tensor
    return grads


def _save(op: Operation, body: Body, tensor: Tensor) -> Tensor | None:
    """Hands a tensor of the body out, for the gradient."""
    known = bodies.same_always(body, tensor)
    if known is not None:
        return known
    if tensor in body.inputs:
        return op.inputs[body.inputs.index(tensor)]
    return bodies.save(op, body, tensor, tensor.dtype.base_dtype, tensor._dims)


def _write(nodes: Any, op: Operation) -> None:
    """Writes a call as a node of the function's name."""
    (body,) = op.bodies
    tensors = [*body.inputs, *op.inputs[len(body.inputs) :]]
    args = [(t, t.dtype.base_dtype) for t in tensors]
    function = nodes.function(body, op.attrs["called"], args, f"{op.name}/")
    results = [*body.outputs, *body.saved]
    function.give([(function.input(t), t.dtype.base_dtype) for t in results])
    name = function.shared()
    nodes.node(op, name, [nodes.input(t) for t in op.inputs], {})


_op = OpDef(
    "Call",
    "inputs: ... -> outputs: N*Tout",
    attrs={"Tout": (), "called": "", "gradient": None},
    shape=lambda attrs, *_: [],
    grad=_grad,
    effect="call",
    written=_write,
)
