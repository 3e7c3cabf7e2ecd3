"""Loops whose condition and body compute scalars alone: one kernel runs all of their turns, and
keeps in registers what goes from one turn to the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hybridflow._src.kernels.expression import Node, own_cost
from hybridflow._src.kernels.loops import all_nodes
from hybridflow._src.kernels.memory import SHORT_NAMES
from hybridflow._src.kernels.registers import loop_of_scalars
from hybridflow._src.plan.groups import GroupCall
from hybridflow._src.plan.values import CONSTANT, OUTER, VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from hybridflow._src.kernels.kernel import Kernel
    from hybridflow._src.plan.values import Buffer, Value

# What an operation takes, as bytes that could be moved meanwhile: each waits for the one before.
_OPERATION_WORK = 16
# Larger ones take long to compile, and gain little.
_MOST_OPERATIONS = 256
# What a turn reads that is the same in all of them.
_SAME = (CONSTANT, OUTER, VARIABLE)


class InRegisters(NamedTuple):
    """How one kernel runs all turns of a loop.

    Attributes:
      reads: where it reads what is no loop variable: a buffer of a part, and how far behind its
        start.
      work: how much is done in a turn, as bytes that could be moved meanwhile.
    """

    kernel: Kernel
    reads: tuple[tuple[Buffer, int], ...]
    work: int


class Part(NamedTuple):
    """A condition, or a body.

    Attributes:
      steps: what it does, with positions. given: the loop variables before it. gives: the flag, or
        the loop variables after it.
    """

    steps: Sequence[tuple[int, Any]]
    given: Sequence[Value]
    gives: Sequence[Value]


def in_registers(condition: Part, body: Part) -> InRegisters | None:
    """How one kernel runs all turns of a loop; None if there is more in it than scalars."""
    if any(value.size != 1 for value in body.given):  # one may just pass through
        return None
    variables = [Node("load", (), value.dtype) for value in body.given]
    reading = _Reading()
    try:
        (goes_on,) = reading.part(condition, variables)
        new = reading.part(body, variables)
    except _MoreThanScalars:
        return None
    done = [node for node in all_nodes([goes_on, *new]) if node.args]
    if len(done) > _MOST_OPERATIONS:
        return None
    work = _OPERATION_WORK * (1 + sum(own_cost(node.op) for node in done))
    kernel = loop_of_scalars([*variables, *reading.found.values()], goes_on, new)
    return InRegisters(kernel, tuple(reading.found), work)


class _MoreThanScalars(Exception):
    """A part does what such a kernel has no words for."""


class _Reading:
    """What parts compute, as nodes.

    Attributes:
      found: what they read that is no loop variable.
    """

    def __init__(self) -> None:
        self.found: dict[tuple[Buffer, int], Node] = {}

    def part(self, part: Part, variables: Sequence[Node]) -> list[Node]:
        """What a part gives, computed from loop variables.

        Raises:
          _MoreThanScalars: if that is no scalar, or the part does something else besides.
        """
        made = dict(zip((value.buffer for value in part.given), variables, strict=True))
        for _, step in part.steps:
            if not isinstance(step, GroupCall) or any(size != 1 for size in step.sizes):
                raise _MoreThanScalars
            self._group(step, made)
        return [self._content(v.buffer, v.offset, v.dtype, made) for v in part.gives]

    def _group(self, step: GroupCall, made: dict[Buffer, Node]) -> None:
        nest = step.nest
        if nest.totals or nest.scratch:
            raise _MoreThanScalars
        known: dict[Node, Node] = {}
        for node in all_nodes([store.node for store in nest.stores]):
            if node.op == "load":
                place = step.places[node.detail]
                known[node] = self._content(place.buffer, place.offset, node.dtype, made)
            elif node.op in ("reduce", "column"):
                raise _MoreThanScalars
            else:
                args = tuple(known[arg] for arg in node.args)
                known[node] = Node(node.op, args, node.dtype, node.detail)
        for store in nest.stores:
            place = step.places[store.operand]
            if place.offset or place.buffer.size != place.buffer.dtype.itemsize:
                raise _MoreThanScalars
            made[place.buffer] = known[store.node]

    def _content(
        self, buffer: Buffer, offset: int, dtype: np.dtype, made: Mapping[Buffer, Node]
    ) -> Node:
        """What lies in a buffer of a part."""
        if buffer in made:
            return made[buffer]
        if buffer.kind not in _SAME or dtype not in SHORT_NAMES:
            raise _MoreThanScalars
        return self.found.setdefault((buffer, offset), Node("load", (), dtype))
