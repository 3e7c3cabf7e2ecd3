"""Other inputs for operations that a graph has already."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from hybridflow._src.framework.operation import Operation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hybridflow._src.framework.graph import Graph
    from hybridflow._src.framework.tensor import Tensor

_INSIDE = (
    "{op!r} cannot get {tensor} as an input: what stands inside of conditionals and loops, and "
    "what these take from outside, is not edited."
)


class Rewiring:
    """Changes of what operations of a graph use and wait for, made all at once by `apply`.

    Args:
      graph: the graph.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._inputs: dict[Operation, list[Tensor]] = {}
        self._controls: dict[Operation, tuple[Operation, ...]] = {}

    def use(self, op: Operation, index: int, tensor: Tensor) -> None:
        """Has an operation use a tensor as one of its inputs.

        Raises:
          ValueError: if the graph is another one or is finalized, or one of them belongs to a
            conditional or loop. TypeError: if the dtypes differ.
        """
        inputs = self._inputs.setdefault(op, list(op.inputs))
        old = inputs[index]
        if tensor.graph is not self._graph or op.graph is not self._graph:
            raise ValueError(f"{tensor} and {op!r} must be of the graph that is edited.")
        if old.dtype.base_dtype != tensor.dtype.base_dtype:
            raise TypeError(
                f"Input {index} of {op!r} is of dtype {old.dtype.name}; {tensor} does not fit."
            )
        captured = any(old in body.captures for body in op.bodies)
        if captured or op.body is not None or tensor.op.body is not None:
            raise ValueError(_INSIDE.format(op=op, tensor=tensor))
        inputs[index] = tensor

    def wait(self, op: Operation, controls: Iterable[Operation]) -> None:
        """Has an operation wait for others, and for no more than these."""
        self._controls[op] = tuple(dict.fromkeys(controls))

    def apply(self) -> None:
        """Makes the changes.

        Raises:
          RuntimeError: if the graph is finalized. ValueError: if an operation would need itself;
            then nothing is changed.
        """
        self._graph._check_not_finalized()
        before = {op: op.inputs for op in self._inputs}
        controls = {op: op.controls for op in self._controls}
        _set(self._inputs, self._controls)
        if not _order(self._graph, [*before, *controls]):
            _set(before, controls)
            names = ", ".join(sorted({op.name for op in (*before, *controls)})[:5])
            raise ValueError(f"An operation would need its own result, among these: {names}.")
        for keeper in list(self._graph.keepers):
            keeper.graph_was_edited()


def _set(
    inputs: Mapping[Operation, Sequence[Tensor]], controls: dict[Operation, tuple[Operation, ...]]
) -> None:
    for op, tensors in inputs.items():
        for tensor in op.inputs:
            if tensor._consumers is not None:
                tensor._consumers.remove(op)
        op.inputs = tuple(tensors)
        for tensor in tensors:
            if tensor._consumers is None:
                tensor._consumers = []
            tensor._consumers.append(op)
    for op, waits in controls.items():
        op.controls = waits


def _before(op: Operation) -> set[Operation]:
    return {tensor.op for tensor in op.inputs} | set(op.controls)


def _order(graph: Graph, changed: Iterable[Operation]) -> bool:
    """Numbers operations so that what one needs comes before it; False if that cannot be.

    Nothing is done where it is so already, as it is where copies are made of what is there.
    """
    if all(other._id < op._id for op in changed for other in _before(op)):
        return True
    ops = graph._ops
    waiting: dict[Operation, int] = {}
    followers: dict[Operation, list[Operation]] = {}
    ready = []
    for op in ops:
        before = _before(op)
        if op.bodies:  # What its bodies hold comes before it, as when it was made.
            before.update(inner for body in op.bodies for inner in body.operations)
        waiting[op] = len(before)
        for other in before:
            followers.setdefault(other, []).append(op)
        if not before:
            ready.append((op._id, op))
    heapq.heapify(ready)
    ordered = []
    while ready:
        op = heapq.heappop(ready)[1]
        ordered.append(op)
        for follower in followers.get(op, ()):
            waiting[follower] -= 1
            if not waiting[follower]:
                heapq.heappush(ready, (follower._id, follower))
    if len(ordered) < len(ops):
        return False
    ops[:] = ordered
    for number, op in enumerate(ordered, 1):
        op._id = number
    return True
