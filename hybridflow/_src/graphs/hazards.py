"""What writes to variables wait for in files, so that reads come first there too.

A read that depends on no write gives here the value from before a run. TensorFlow knows no such
rule: it runs in any order what does not wait. So a write is told to wait for the readers of its
variable that run with it: those on which something depends that depends on the write too, and that
need to be fed nothing, and do nothing, that the write does not need.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.signature import takes_variable
from hybridflow._src.plan.effects import effects_of, source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hybridflow._src.framework.operation import Operation

# What has a state, but none that a run changes.
_HARMLESS = ("NoOp", "VarHandleOp", "VariableV2")


class Hazards:
    """The readers that writes have to wait for.

    Args:
      ops: the operations of a graph, in the order in which they were made.
    """

    def __init__(self, ops: Sequence[Operation]) -> None:
        self._ops = [op for op in ops if op.body is None]

    def before(self, op: Operation) -> list[Operation]:
        """What a write is to wait for, beside what it waits for anyway."""
        if op.body is not None or op.record.effect != "write":
            return []
        return self._found.get(op, [])

    @functools.cached_property
    def _found(self) -> dict[Operation, list[Operation]]:
        variables: dict[Operation, list[Operation]] = {}
        for op in self._ops:
            if op.record.effect == "write":
                for variable in effects_of(op).writes:
                    variables.setdefault(variable, []).append(op)
        readers = {v: list(dict.fromkeys(_readers(v))) for v in variables}
        everyone = list(dict.fromkeys([r for found in readers.values() for r in found]))
        bits = {reader: 1 << i for i, reader in enumerate(everyone)}
        needed = self._collected(lambda op: bits.get(op, 0))
        outside = [op for op in self._ops if _does_more(op)]
        numbers = {op: 1 << i for i, op in enumerate(outside)}
        sources = self._collected(lambda op: numbers.get(op, 0))
        ends = self._ends()
        found: dict[Operation, list[Operation]] = {}
        for variable, writes in variables.items():
            for write in writes:
                found.setdefault(write, []).extend(
                    reader
                    for reader in readers[variable]
                    if reader._id < write._id
                    and not needed[write] & bits[reader]
                    and ends[reader] & ends[write]
                    and not sources[reader] & ~sources[write]
                )
        return found

    def _collected(self, own: Callable[[Operation], int]) -> dict[Operation, int]:
        """For each operation the bits of all that it needs, and its own."""
        found: dict[Operation, int] = {}
        for op in self._ops:
            bits = own(op)
            for other in _needs(op):
                bits |= found.get(other, 0)
            found[op] = bits
        return found

    def _ends(self) -> dict[Operation, int]:
        """For each operation the bits of those that depend on it and on which nothing depends."""
        found = dict.fromkeys(self._ops, 0)
        used: set[Operation] = set()
        count = 0
        for op in reversed(self._ops):
            if op not in used:
                found[op] = 1 << count
                count += 1
            for other in _needs(op):
                used.add(other)
                if other in found:
                    found[other] |= found[op]
        return found


def _needs(op: Operation) -> Iterator[Operation]:
    yield from [tensor.op for tensor in op.inputs]
    yield from op.control_inputs


def _does_more(op: Operation) -> bool:
    """Whether an operation has to be fed, or does something beside what its outputs tell."""
    record = op.record
    if record.name == "Placeholder":
        return True
    return (record.stateful or record.effect == "write") and record.name not in _HARMLESS


def _readers(variable: Operation) -> Iterator[Operation]:
    """The operations that read a variable, or what shares its memory, when they run."""
    tensors = list(variable.outputs)
    is_resource = tensors[0].dtype is dtypes.resource
    seen = set(tensors)
    for tensor in tensors:
        for op in tensor._consumers or ():
            if op.body is not None or _is_written(op, variable):
                continue
            if is_resource or not (op.record.name == "Identity" or op.record.aliases):
                yield op
                continue
            new = [t for t in op.outputs if t not in seen]
            seen.update(new)
            tensors += new


def _is_written(op: Operation, variable: Operation) -> bool:
    """Whether an operation writes to a variable."""
    if op.record.effect != "write":
        return False
    return any(
        source_of(tensor) is variable
        for index, tensor in enumerate(op.inputs)
        if tensor.dtype is dtypes.resource or takes_variable(op.record.inputs, index)
    )
