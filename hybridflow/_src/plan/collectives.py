"""Collectives in a plan: each begins as soon as its inputs are there, and ends when its results are
needed, so that the rest of the step runs meanwhile.

All ranks make the same plan of the same graph, so they come in the same order everywhere. That it
is the same plan is agreed on before the first of them, in each run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.ranks import job as jobs
from hybridflow._src.ranks.collective import Collective
from hybridflow._src.ranks.roll import Roll

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np

    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.ranks.transfers import Transfer


def is_collective(op: Operation) -> bool:
    """Tells whether other ranks take part in an op."""
    return isinstance(op.record.compute, Collective)


def _has_inside(op: Operation) -> bool:
    """Whether there are collectives in what an op runs."""
    inner = [op for body in op.bodies for op in body.operations]
    return any(is_collective(op) or _has_inside(op) for op in inner)


class Begin:
    """What a plan does to begin a collective. It keeps no array that it is given.

    Args:
      op: its op.
      roll: what all ranks agree on before: what comes until the plan's end, nothing where that has
        been done; None if only its arrays tell.
      place: where in the memory that ranks of a machine share its inputs are laid; None unless all
        that come are sums.
    """

    def __init__(self, op: Operation, roll: Roll | None = None, place: int | None = None) -> None:
        self.op = op
        self.roll = roll
        self.place = place
        self._attrs = attributes(op)
        self._is_agreed = self._natively = False

    def agree(self, arrays: Sequence[np.ndarray], threads: int) -> bool:
        """Agrees on what is next, before it is called: see `Job.agree`."""
        if self.roll is None:
            compute: Any = self.op.record.compute
            self._is_agreed = compute.agree(self.op.name, arrays, self._attrs, threads)
            self._natively = self._is_agreed and threads > 0
        else:
            self._is_agreed = not self.roll.lines or jobs.here().agree(self.roll, threads)
        return self._is_agreed

    def __call__(self, *arrays: np.ndarray) -> Transfer:
        """Begins it."""
        if not self._is_agreed:
            self.agree(arrays, threads=0)
        natively, self._is_agreed, self._natively = self._natively, False, False
        compute: Any = self.op.record.compute
        transfer: Transfer = compute.begin(*arrays, **self._attrs)
        transfer.natively = natively
        return transfer


class End:
    """What a plan does where the results of a collective are needed."""

    def __init__(self, op: Operation) -> None:
        self.op = op

    def __call__(self, transfer: Transfer) -> list[np.ndarray]:
        """Waits for it."""
        found = transfer.wait()
        if transfer.natively:  # and here it is not any more
            jobs.here().all_fit(False)
        return found


def attributes(op: Operation) -> dict[str, Any]:
    """Those that the op record knows."""
    return {key: value for key, value in op.attrs.items() if key in op.record.defaults}


def arranged(ops: Sequence[Operation], kept: Iterable[Tensor], fed: frozenset[Tensor]) -> Any:
    """The ops of a plan with collectives begun early and ended late; `ops` itself without any.

    Args:
      ops: in the order in which they would run. kept: what the plan gives. fed: what it is given.
    """
    if not any(map(is_collective, ops)) or jobs.here().size == 1:
        return ops
    ordered = _early(ops, {t.op for t in kept}, fed)
    return list(_split(ordered, _begins(ordered), fed))


def _before(op: Operation, fed: frozenset[Tensor]) -> set[Operation]:
    return {*[t.op for t in op.inputs if t not in fed], *op.controls}


def _early(
    ops: Sequence[Operation], kept: set[Operation], fed: frozenset[Tensor]
) -> list[Operation]:
    """Collectives, and what nothing else uses, right behind what they need."""
    members = set(ops)
    users: dict[Operation, list[Operation]] = {}
    for op in ops:
        for other in _before(op, fed):
            users.setdefault(other, []).append(op)
    moving: set[Operation] = set()
    for op in reversed(ops):
        record = op.record
        alone = op not in kept and not op.bodies and not record.stateful and record.effect is None
        used = users.get(op, ())
        if is_collective(op) or (alone and used and moving.issuperset(used)):
            moving.add(op)
    missing = {op: len(_before(op, fed) & members) for op in moving}
    result: list[Operation] = []

    def place(op: Operation) -> None:
        pending = [op]
        while pending:
            op = pending.pop()
            result.append(op)
            ready = []
            for user in users.get(op, ()):
                if user in missing:
                    missing[user] -= 1
                    if not missing[user]:
                        ready.append(user)
            pending.extend(reversed(ready))

    first = [op for op in ops if missing.get(op) == 0]
    for op in first:
        place(op)
    for op in ops:
        if op not in moving:
            place(op)
    return result


def _begins(ops: Sequence[Operation]) -> dict[Operation, Begin]:
    """How each of the collectives begins."""
    found = [op for op in ops if is_collective(op)]
    lines = [_lines(op) for op in found]
    # Which ones come in between, or of what sizes, values tell; these may be such that some ranks
    # go on by the interpreter.
    free = any(op.record.compute.free_rows for op in found)  # type: ignore[union-attr]
    if free or None in lines or any(map(_has_inside, ops)):
        return {op: Begin(op) for op in found}
    said = [line for each in lines for line in each or ()]
    rooms = list(map(_room, found))
    roll = Roll(said, len(found), sum(rooms))
    add = all(op.record.compute.adds for op in found)  # type: ignore[union-attr]
    begins, taken = {}, 0
    for op, room in zip(found, rooms, strict=True):
        begins[op] = Begin(op, roll, taken if add else None)
        roll, taken = Roll((), 0), taken + room
    return begins


def _room(op: Operation) -> int:
    compute: Any = op.record.compute
    needed: int = compute.room(op.inputs[0].dtype.size, [t._dims for t in op.inputs])
    return needed


def _lines(op: Operation) -> list[str] | None:
    """What is said of a collective when the roll is called; None if only its arrays tell."""
    compute: Any = op.record.compute
    shapes = [t._dims for t in op.inputs]
    if None in shapes:
        return None
    lines: list[str] | None = compute.lines(op.name, op.inputs[0].dtype, shapes, attributes(op))
    return lines


def _split(
    ops: Sequence[Operation], begins: dict[Operation, Begin], fed: frozenset[Tensor]
) -> Iterator[Any]:
    begun: dict[Operation, None] = {}
    for op in ops:
        for other in list(begun):
            if other in _before(op, fed):
                del begun[other]
                yield End(other)
        if op in begins:
            begun[op] = None
            yield begins[op]
        else:
            yield op
    for other in begun:
        yield End(other)
