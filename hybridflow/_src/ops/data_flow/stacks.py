"""TensorFlow 1's stacks, on which the loops of files keep values for the loops of their gradients.

Each run makes a stack anew. These ops have no public functions.
"""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, no_gradient


class _Stack:
    """Values, the last one on top."""

    __slots__ = ("items", "most", "name")

    def __init__(self, most: int, name: str) -> None:
        self.items: list[Any] = []
        self.most = most
        self.name = name

    def push(self, value: Any) -> None:
        if 0 <= self.most <= len(self.items):
            raise InvalidArgumentError(
                None, None, f"Stack[{self.name}] overflowed its max_size ({self.most})"
            )
        self.items.append(value)

    def pop(self) -> Any:
        if not self.items:
            raise InvalidArgumentError(
                None, None, f"Stack[{self.name}] is empty when calling Pop()."
            )
        return self.items.pop()


def _push(handle: _Stack, elem: Any, swap_memory: bool) -> Any:
    handle.push(elem)
    return elem


OpDef(
    "StackV2",
    "max_size: int32 -> handle: resource",
    attrs={"elem_type": REQUIRED, "stack_name": ""},
    shape=lambda attrs, max_size: (2,),
    compute=lambda max_size, elem_type, stack_name: _Stack(int(max_size), stack_name),
    grad=no_gradient,
    stateful=True,
)
OpDef(
    "StackPushV2",
    "handle: resource, elem: T -> output: T",
    attrs={"swap_memory": False},
    shape=lambda attrs, handle, elem: elem._dims,
    compute=_push,
    grad=no_gradient,
    stateful=True,
    aliases=True,
)
OpDef(
    "StackPopV2",
    "handle: resource -> elem: elem_type",
    attrs={"elem_type": REQUIRED},
    shape=lambda attrs, handle: None,
    compute=lambda handle, elem_type: handle.pop(),
    grad=no_gradient,
    stateful=True,
)
OpDef(
    "StackCloseV2",
    "handle: resource ->",
    shape=lambda attrs, handle: [],
    compute=lambda handle: (),
    grad=no_gradient,
    stateful=True,
)
