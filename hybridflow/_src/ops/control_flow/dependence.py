"""What gradients can reach inside bodies: so that none flow where nothing asked for them.

A zero gradient is not the same as none: 0 * inf is NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridflow._src.framework.op_def import not_differentiable
from hybridflow._src.ops.control_flow.bodies import differentiable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.body import Body
    from hybridflow._src.framework.tensor import Tensor

# What stands directly before a tensor on the way of its gradient, as far as it is known.
_Before = dict["Tensor", list["Tensor"]]


def reached(body: Body, targets: Iterable[Tensor], known: _Before | None = None) -> set[Tensor]:
    """The tensors, inside and captured, that the gradient of `targets` inside `body` can reach.

    From an input of a loop's body it goes on to the output that was this input in the turn before.
    """
    known = {} if known is None else known
    outputs = dict(zip(body.inputs, body.outputs, strict=False))
    found: set[Tensor] = set()
    pending = list(targets)
    while pending:
        tensor = pending.pop()
        if tensor in found or not differentiable(tensor):
            continue
        found.add(tensor)
        if tensor in outputs:
            pending.append(outputs[tensor])
        elif tensor.op.body is body:
            pending.extend(_before(tensor, known))
    return found


def _before(tensor: Tensor, known: _Before) -> list[Tensor]:
    before = known.get(tensor)
    if before is None:
        op = tensor.op
        if op.bodies:
            before = _through_bodies(tensor, known)
        else:
            before = [] if op.record.grad is not_differentiable else list(op.inputs)
        known[tensor] = before
    return before


def _through_bodies(tensor: Tensor, known: _Before) -> list[Tensor]:
    """The inputs of a control flow op that the gradient of one of its outputs can reach."""
    op = tensor.op
    before: list[Tensor] = []
    # Of a loop's bodies the last one gives its results, and has inputs; a branch has none.
    for body in op.bodies[-1:] if op.bodies[-1].inputs else op.bodies:
        index = tensor.value_index
        inside = (
            [body.outputs[index]]
            if index < len(body.outputs)
            else [t for t, outside in body.saved.items() if outside is tensor]
        )
        found = reached(body, inside, known)
        if body.inputs:  # a loop that does not turn gives its first values
            before += [t for t, y in zip(op.inputs, body.outputs, strict=False) if y in found]
        before += [t for t in body.captures if t in found]
    return before
