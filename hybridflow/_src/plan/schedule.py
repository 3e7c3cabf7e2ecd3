"""In which order ops run.

Ops run in the order in which they were made (which respects every dependency), except for
variables:

- A read that depends on no write of its variable gives the value from before the step. It runs
  before all writes, whatever else it was told to wait for: waiting could not change what it reads.
- Everything else that can run before a write does so too.
- A read of a variable kept by reference is no copy in TensorFlow: who uses it after a write sees
  what was written. `late_readers` finds those who depend on a write; the others get the value from
  before.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from hybridflow._src.plan.effects import Effects, effects_of, is_pure_read, snapshot_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.tensor import Tensor


def order(ops: list[Operation], fed: frozenset[Tensor]) -> list[Operation]:
    """`ops`, given in the order they were made, in the order in which they are to run: themselves
    if nothing is written.
    """
    effects = {
        op: found
        for op in ops
        if op.record.effect is not None
        or op.bodies
        or any(t._dtype.is_ref_dtype for t in op.inputs)
        if (found := effects_of(op)) != (frozenset(), frozenset())
    }
    if not any(found.writes for found in effects.values()):
        return ops
    first = _reads_before_writes(ops, effects, fed)
    done = set(first)
    for op in first:
        done.update(t.op for t in op.inputs)
    prologue = [op for op in ops if op in done]
    rest = [op for op in ops if op not in done]
    return prologue + _defer_writes(rest, effects, fed, _waited_for(prologue, done))


def late_readers(ops: Sequence[Operation], fed: frozenset[Tensor]) -> dict[Operation, set[Tensor]]:
    """The ops that depend on a write of a variable kept by reference, and use a read of it that
    does not; with these reads.

    Args:
      ops: in the order in which they were made.
      fed: tensors whose values are given.
    """
    written = _Written(fed)
    found: dict[Operation, set[Tensor]] = {}
    for op in ops:
        before = written.add(op, effects_of(op).writes if _may_write(op) else ())
        if not before:
            continue
        for tensor in op.inputs:
            source = None if tensor in fed else snapshot_of(tensor)
            if source is not None:
                bit = written.bit(source)
                if before & bit and not written.masks.get(tensor.op, 0) & bit:
                    found.setdefault(op, set()).add(tensor)
    return found


def _may_write(op: Operation) -> bool:
    return op.record.effect == "write" or bool(op.bodies)


class _Written:
    """Which variables are written by an op or by what it depends on, as bits.

    Attributes:
      masks: of the ops added so far, where there are any.
    """

    def __init__(self, fed: frozenset[Tensor]) -> None:
        self._fed = fed
        self._bits: dict[Operation, int] = {}
        self.masks: dict[Operation, int] = {}

    def add(self, op: Operation, writes: Iterable[Operation]) -> int:
        """Adds an op, and the variables that it writes; gives the mask of what it depends on."""
        masks = self.masks
        before = 0
        for tensor in op.inputs:
            if tensor not in self._fed:
                before |= masks.get(tensor.op, 0)
        for control in op.controls:
            before |= masks.get(control, 0)
        mask = before
        for variable in writes:
            mask |= self._bits.setdefault(variable, 1 << len(self._bits))
        if mask:
            masks[op] = mask
        return before

    def bit(self, variable: Operation) -> int:
        """The bit of a variable; 0 if nothing has written it so far."""
        return self._bits.get(variable, 0)


def _waited_for(prologue: list[Operation], done: set[Operation]) -> dict[Operation, set[Operation]]:
    """What ops that run first, whatever they were told to wait for, were told to wait for.

    What comes after such an op has to wait for that in its place.
    """
    found: dict[Operation, set[Operation]] = {}
    for op in prologue:
        waits: set[Operation] = set()
        for other in (*op.controls, *[t.op for t in op.inputs]):
            if other in done:
                waits |= found.get(other, set())
            else:
                waits.add(other)
        if waits:
            found[op] = waits
    return found


def _reads_before_writes(
    ops: list[Operation], effects: dict[Operation, Effects], fed: frozenset[Tensor]
) -> list[Operation]:
    """The pure reads that no write of their variable comes before."""
    written = _Written(fed)
    reads = []
    for op in ops:
        found = effects.get(op)
        before = written.add(op, () if found is None else found.writes)
        if found is not None and is_pure_read(op) and not found.writes:
            (key,) = found.reads
            # The handle itself must be there at the start; it is, unless an op computes it.
            if not before & written.bit(key) and not op.inputs[0].op.inputs:
                reads.append(op)
    return reads


def _defer_writes(
    ops: list[Operation],
    effects: dict[Operation, Effects],
    fed: frozenset[Tensor],
    waited_for: dict[Operation, set[Operation]],
) -> list[Operation]:
    """A topological order of `ops` in which a write runs only when nothing else can."""
    members = set(ops)
    waiting: dict[Operation, int] = {}
    followers: dict[Operation, list[Operation]] = {}
    ready: list[tuple[bool, int, Operation]] = []

    def push(op: Operation) -> None:
        found = effects.get(op)
        heapq.heappush(ready, (found is not None and bool(found.writes), op._id, op))

    for op in ops:
        before = {t.op for t in op.inputs if t not in fed}
        before.update(op.controls)
        for other in before & waited_for.keys():
            before |= waited_for[other]
        before &= members
        waiting[op] = len(before)
        for other in before:
            followers.setdefault(other, []).append(op)
        if not before:
            push(op)
    result = []
    while ready:
        op = heapq.heappop(ready)[2]
        result.append(op)
        for follower in followers.get(op, ()):
            waiting[follower] -= 1
            if not waiting[follower]:
                push(follower)
    return result
