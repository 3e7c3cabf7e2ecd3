"""The graph that a function is traced into: what it captures, and effects in program order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.eager_tensor import EagerTensor
from hybridflow._src.framework.graph import Graph
from hybridflow._src.framework.graph_inputs import add_input
from hybridflow._src.framework.locks import new_lock
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.plan.effects import source_of

if TYPE_CHECKING:
    from hybridflow._src.framework.body import Body
    from hybridflow._src.framework.op_def import OpDef
    from hybridflow._src.framework.operation import Operation


class _Order:
    """For one body: who last wrote each variable, who read it since, and the last other effect."""

    __slots__ = ("other", "readers", "writer")

    def __init__(self) -> None:
        self.writer: dict[Operation, Operation] = {}
        self.readers: dict[Operation, list[Operation]] = {}
        self.other: Operation | None = None


class FuncGraph(Graph):
    """A graph being built from a Python function that eager code calls.

    Eager tensors and variables that the function uses from outside become inputs: `captures`.
    Reads and writes of a variable, prints, checks and calls of Python functions happen in the
    order of the program. Variables made inside are eager variables of the store that is current
    outside.

    A gradient of the function is built into the same graph, but runs later: as a program of its
    own (`begin`), with an order of its own among its effects.

    Attributes:
      captures: the placeholder for each captured tensor.
      effects: ops of the program being built that must run whether or not an output needs them.
      building: held by the thread that builds a program.
    """

    building_function = _building_function = True
    # Functions called from a graph are built into that graph, so what is outside is eager mode.
    outer_graph: Graph | None = None

    def __init__(self) -> None:
        super().__init__()
        outside = context.eager_collections.top
        self._collections = outside._collections
        self.extensions = outside.extensions
        self.captures: dict[EagerTensor, Tensor] = {}
        self.building = new_lock()
        self.begin()

    def begin(self) -> None:
        """Starts another program: what was built before has run when it runs."""
        self.first = self.version
        self.effects: list[Operation] = []
        self._orders: dict[Body | None, _Order] = {}

    def capture(self, tensor: Tensor, user: str) -> Tensor:
        if not isinstance(tensor, EagerTensor):
            return super().capture(tensor, user)
        inside = self.captures.get(tensor)
        if inside is None:
            with self.control_dependencies(None):
                inside = self.captures[tensor] = add_input(self, tensor, tensor._dims, "capture")
        return inside

    # -- effects in program order ------------------------------------------------------------------

    def _in_program_order(
        self,
        controls: tuple[Operation, ...],
        op_def: OpDef,
        inputs: tuple[Tensor, ...],
        bodies: tuple[Body, ...],
    ) -> tuple[Operation, ...]:
        waits = dict.fromkeys([op for op in controls if op._id > self.first])
        order = self._orders.get(self._scope.top.body)
        if order is not None and _has_effect(op_def):
            keys, writes, other = _what(op_def, inputs, bodies)
            for key in keys:
                if key in order.writer:
                    waits[order.writer[key]] = None
                if writes:
                    waits.update(dict.fromkeys(order.readers.get(key, ())))
            if other and order.other is not None:
                waits[order.other] = None
        return tuple(waits)

    def _note_effect(self, op: Operation) -> None:
        op_def = op.record
        if not _has_effect(op_def):
            return
        order = self._orders.setdefault(op.body, _Order())
        keys, writes, other = _what(op_def, op.inputs, op.bodies)
        for key in keys:
            if writes:
                order.writer[key] = op
                order.readers[key] = []
            else:
                order.readers.setdefault(key, []).append(op)
        if other:
            order.other = op
        if writes or (op_def.stateful and not op.bodies):
            (self.effects if op.body is None else op.body.effects).append(op)


def _has_effect(op_def: OpDef) -> bool:
    return op_def.stateful or op_def.effect is not None


def _what(
    op_def: OpDef, inputs: tuple[Tensor, ...], bodies: tuple[Body, ...]
) -> tuple[set[Operation], bool, bool]:
    """The variables that an op touches, whether it may write them, and whether it has another
    effect.
    """
    keys = {source_of(t) for t in inputs if t.dtype is dtypes.resource}
    if bodies:
        # A control flow op may do anything, if anything inside does something.
        effects = any(body.effects for body in bodies)
        return keys, effects, effects
    # Kernels with a state of their own (random numbers) need no order.
    return keys, op_def.effect == "write", op_def.effect is None and op_def.compute is not None
