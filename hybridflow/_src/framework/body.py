"""Bodies: the parts of a graph that a control flow op runs: a branch of `cond`, a turn of a loop.

The ops of a body live in the same graph as everything else, with ordinary names; each knows its
body. Tensors from outside that a body uses are its *captures*; they become inputs of the control
flow op. A body that computes the gradient of another may also use tensors from inside that other
one: `resolve` then has the forward op hand them out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridflow._src.framework.tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.graph_scope import ControlInputs
    from hybridflow._src.framework.operation import Operation

OUTSIDE = (
    "{element} was made inside the {owner}, and has a value only there. Return it from that "
    "function and use what `cond` or `while_loop` returns."
)
# As TensorFlow says it, in graphs that are built from functions too.
_OUTSIDE = "Cannot use '{name}' as input to '{user}' because '{name}' is in {what}. " + OUTSIDE
_KINDS = {"while_loop": "a while loop", "cond": "a cond"}


class Body:
    """A part of a graph with its own inputs and outputs.

    Attributes:
      what: how messages name it, such as "true branch of cond".
      outer: the enclosing body, or None at the top level of the graph.
      inputs: placeholders in the body that receive the loop variables.
      outputs: what the body yields; set once it is built.
      captures: tensors from outside that are used inside, in order of first use.
      control_captures: operations outside that ops inside were told to wait for, each with the
        scopes that said so.
      operations: the ops inside.
      saved: tensors inside that the body also hands out, for its gradient, and what each is
        outside.
      effects: ops inside which must run for what they do (filled only in a function's graph).
      resolve: gives a substitute for a tensor inside another, finished body, or None.
    """

    __slots__ = (
        "captures",
        "control_captures",
        "effects",
        "inputs",
        "operations",
        "outer",
        "outputs",
        "resolve",
        "saved",
        "what",
    )

    def __init__(self, what: str, outer: Body | None) -> None:
        self.what = what
        self.outer = outer
        self.inputs: list[Tensor] = []
        self.outputs: list[Tensor] = []
        self.captures: dict[Tensor, None] = {}
        self.control_captures: dict[Operation, list[ControlInputs]] = {}
        self.operations: list[Operation] = []
        self.saved: dict[Tensor, Tensor] = {}
        self.effects: list[Operation] = []
        self.resolve: Callable[[Tensor], Tensor | None] | None = None

    def awaited(self) -> list[Operation]:
        """The operations outside that the body waits for: those for which something waits that it
        needs, for its outputs or its effects.
        """
        if not self.control_captures:
            return []
        needed = {t.op for t in self.outputs} | set(self.effects)
        pending = list(needed)
        for op in pending:
            for other in (*[t.op for t in op.inputs], *op.controls):
                if other.body is self and other not in needed:
                    needed.add(other)
                    pending.append(other)
        return [
            op
            for op, scopes in self.control_captures.items()
            if not all(needed.isdisjoint(scope.members) for scope in scopes)
        ]

    def encloses(self, body: Body | None) -> bool:
        """Tells whether `body` is this one or lies inside it."""
        while body is not None:
            if body is self:
                return True
            body = body.outer
        return False


def admit(tensor: Tensor, body: Body | None, user: str) -> Tensor:
    """The tensor to use for `tensor` inside `body`; notes it as a capture if it is from outside.

    Raises:
      ValueError: if `tensor` belongs to a body that does not enclose `body`.
    """
    owner = tensor.op.body
    if owner is body:
        return tensor
    if owner is None or owner.encloses(body):
        inner = body
        while inner is not owner and inner is not None:
            inner.captures[tensor] = None
            inner = inner.outer
        return tensor
    inner = body
    while inner is not None:
        if inner.resolve is not None:
            substitute = inner.resolve(tensor)
            if substitute is not None:
                return admit(substitute, body, user)
        inner = inner.outer
    raise ValueError(
        _OUTSIDE.format(
            name=tensor.op.name,
            user=user.rstrip("/"),
            what=next((text for word, text in _KINDS.items() if word in owner.what), owner.what),
            element=tensor,
            owner=owner.what,
        )
    )
