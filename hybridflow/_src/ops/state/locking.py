"""Ops that run while a variable is locked: nobody else can write to it in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context
from hybridflow._src.framework.body import Body
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.locks import holding
from hybridflow._src.framework.op_def import OpDef, not_differentiable
from hybridflow._src.ops.control_flow import bodies
from hybridflow._src.ops.control_flow.ordering import current_body

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["locked"]


def _write(nodes: Any, op: Any) -> None:
    """Writes what is done under the lock, without it: no op of TensorFlow's holds one."""
    (body,) = op.bodies
    nodes.inline(body)
    nodes.node(op, "NoOp", [f"^{done.name}" for done in body.effects], {})


_op = OpDef(
    "Locked",
    "variable: &T, captures: ... ->",
    shape=lambda attrs, *_: [],
    grad=not_differentiable,
    effect="lock",
    written=_write,
)


def locked(variable: Any, function: Callable[[], Any], name: str | None = None) -> Any:
    """Runs what `function` does to `variable` as one step that no other write can come between.

    Args:
      variable: a `Variable`.
      function: makes the ops; in graph mode the one it returns is what has to run.
      name: name of the op.

    Returns: in graph mode the `Operation` that does it all; in eager mode None.
    """
    if context.modes.top.eager:
        holding(variable.handle._a.lock, function)
        return None
    handle = convert_to_tensor(variable.handle)
    body = Body(f"locked update of variable '{variable.name}'", current_body())
    last = bodies.build(body, function)
    if last not in body.effects:
        body.effects.append(last)
    return bodies.add_op(_op, (body,), [handle], {}, name or "Locked", [], [])
