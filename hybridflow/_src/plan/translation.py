"""From the instructions of a plan to steps of native code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.dtypes import variant
from hybridflow._src.framework.op_def import ELEMENTWISE
from hybridflow._src.framework.storage import Storage
from hybridflow._src.plan import laying
from hybridflow._src.plan.arrays import Arrays
from hybridflow._src.plan.collectives import Begin, End
from hybridflow._src.plan.effects import effects_of
from hybridflow._src.plan.nested import Nested
from hybridflow._src.plan.passes import BY_TILES
from hybridflow._src.plan.steps import Opaque, Unsupported
from hybridflow._src.plan.values import FED, VARIABLE, Buffer, Stack, Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hybridflow._src.plan.instruction import Instruction
    from hybridflow._src.plan.notes import Notes
    from hybridflow._src.plan.plan import Plan

# So many instructions are lowered before other jobs have their turns.
_A_TURN = 500


class Translation:
    """Goes through the instructions of a plan and lowers each.

    Args:
      notes: for the plan, and those of bodies that have run, what a run gave.
      by_host: variables that are left to NumPy meanings. outside: instructions that are.
      threads: how many work on one large kernel. most: how many operations one may hold.

    Attributes:
      may_meet: whether its steps may wait for other ranks.
    """

    may_meet = False

    def __init__(
        self,
        plan: Plan,
        notes: Notes,
        by_host: set[Storage],
        outside: dict[int, str],
        threads: int,
        most: int,
    ) -> None:
        self._plan = plan
        self.notes = notes
        self._seen = notes[plan]
        self._by_host = by_host
        self._outside = outside
        self.lowering = Arrays(threads, most, plan.options.winograd_block)
        self.lowering.is_update = plan.writes
        self.lowering.by_tiles = BY_TILES not in plan.options.without
        self._slots: dict[int, Any] = {}
        self.feeds: list[Any] = []
        self.fetches: list[Any] = []
        self.host_storages: set[Storage] = set()
        # Variables that are read natively after a NumPy meaning was given them.
        self.unsafe: set[Storage] = set()
        self._last_use: dict[int, int] = {}
        # Of what an op gives, what nobody uses may be empty.
        self._used = {slot for step in plan.instructions for slot in step.inputs}
        self._used.update(plan.fetches)
        # The last use of each buffer, by any name.
        self._uses: dict[Buffer, int] = {}
        self._aliases: dict[Buffer, list[int]] = {}

    def turns(self) -> Iterator[float]:
        """Lowers everything, some of it in each turn of a job."""
        instructions = self._plan.instructions
        for position, step in enumerate(instructions):
            for slot in step.inputs:
                self._last_use[slot] = position
        for slot in self._plan.fetches:
            self._last_use[slot] = len(instructions)
        for index, slot in enumerate(self._plan.feeds):
            self.feeds.append(self._feed(index, slot))
        for position, step in enumerate(instructions):
            self._lower(position, step)
            if position % _A_TURN == _A_TURN - 1:
                yield 0.0
        self.fetches = [self._content(slot) for slot in self._plan.fetches]
        self._check_fetches()

    def _check_fetches(self) -> None:
        """Looks at what is given out."""
        self._leave_stacks(self.fetches)

    def _feed(self, index: int, slot: int) -> Any:
        note = self._seen[slot]
        if note.value is not None:
            self._slots[slot] = note.value
            return note.value
        if note.shape is None or note.dtype.kind not in "biuf":
            raise Unsupported("a feed that is no array of numbers")
        buffer = Buffer(FED, note.shape, note.dtype)
        buffer.index = index
        self._slots[slot] = Value.whole(buffer)
        return buffer

    def _content(self, slot: int) -> Any:
        """What lies in a buffer of the plan: a value, or an object as it is."""
        if slot not in self._slots:
            value = self._seen[slot].value
            if (
                isinstance(value, np.ndarray | np.generic)
                and np.asarray(value).dtype.kind in "biuf"
            ):
                value = self.lowering.constant(np.asarray(value))
            self._slots[slot] = value
        return self._slots[slot]

    def _lower(self, position: int, step: Instruction) -> None:
        if step.outputs and all(self._seen[slot].value is not None for slot in step.outputs):
            return
        self.lowering.op = step.op
        inputs = [self._content(slot) for slot in step.inputs]
        self.lowering.ending = {
            item.buffer
            for item in inputs
            if isinstance(item, Value) and self._uses.get(item.buffer, -1) <= position
        }
        self._snapshot(position, step, inputs)
        try:
            results = self._native(step, inputs)
        except Unsupported as problem:
            self._host(step, inputs, str(problem))
            return
        for slot, value in zip(step.outputs, results, strict=True):
            self._set(slot, value)

    def _set(self, slot: int, value: Any) -> None:
        self._slots[slot] = value
        if isinstance(value, Value):
            last = self._last_use.get(slot, -1)
            self._uses[value.buffer] = max(self._uses.get(value.buffer, -1), last)
        if isinstance(value, Value) and value.buffer.kind == VARIABLE:
            self._aliases.setdefault(value.buffer, []).append(slot)

    def _snapshot(self, position: int, step: Instruction, inputs: Sequence[Any]) -> None:
        """Copies what was read of variables that this step writes, where it is used afterwards."""
        if step.op.record.effect != "write" and not (step.op.bodies and effects_of(step.op).writes):
            return
        for item in inputs:
            buffer = self.lowering.current.get(item) if isinstance(item, Storage) else None
            if buffer is None:
                continue
            # Bodies read what they capture after they have written.
            until = position - bool(step.op.bodies)
            for slot in self._aliases.pop(buffer, ()):
                if self._last_use.get(slot, -1) > until:
                    self._slots[slot] = self.lowering.copied(self._slots[slot])

    def _native(self, step: Instruction, inputs: list[Any]) -> list[Any]:
        """The results of a step, lowered."""
        op_def = step.op.record
        if step.compute == Storage.read or op_def.effect is not None:
            self._check_storages(inputs)
        if id(step) in self._outside:
            raise Unsupported(self._outside[id(step)])
        if isinstance(step.compute, Begin | End):
            return self._collective(step.compute, inputs)
        if any(isinstance(item, Opaque) for item in inputs):
            raise Unsupported("an input that is no array")
        if any(map(self._is_empty, (*step.inputs, *self._used.intersection(step.outputs)))):
            raise Unsupported("empty arrays")
        results: Any
        if isinstance(step.compute, Nested):
            return self._nested(step, inputs)
        if op_def.name == "Identity" and step.op.outputs[0].dtype is variant:
            return inputs
        if not callable(op_def.native) and any(isinstance(item, Stack) for item in inputs):
            raise Unsupported("a stack")
        if step.compute == Storage.read:
            results = self.lowering.variable(inputs[0])
        elif op_def.native == ELEMENTWISE:
            results = self.lowering.elementwise(step.compute, *inputs, **step.attrs)
        elif op_def.native is None and op_def.aliases and not op_def.stateful:
            values, *rest = inputs
            known = [item.constant if isinstance(item, Value) else None for item in rest]
            if any(item is None for item in known):
                raise Unsupported("a view that depends on values")
            results = self.lowering.view(step.compute, values, *known, **step.attrs)
        elif callable(op_def.native):
            self.lowering.seen = [self._seen[slot].shape for slot in step.outputs]
            results = op_def.native(self.lowering, *inputs, **step.attrs)
        else:
            raise Unsupported(f"no kernel for {op_def.name}")
        results = results if isinstance(results, list | tuple) else [results]
        results = results[: len(step.outputs)]
        for slot, value in zip(step.outputs, results, strict=True):
            note = self._seen[slot]
            if isinstance(value, Stack):
                value.maker = value.maker or step
            elif not isinstance(value, Value):
                continue  # an array or gradient of a loop that has nothing in it
            elif value.shape != note.shape or value.dtype != note.dtype:
                raise Unsupported(f"{value} where {note.dtype} {note.shape} was seen")
        return results

    def _collective(self, compute: Begin | End, inputs: list[Any]) -> list[Any]:
        """What begins or ends a collective, lowered."""
        if isinstance(compute, Begin) and self.may_meet:
            return [laying.lay(self.lowering, compute, inputs)]
        if isinstance(inputs[0], laying.Laid):
            return laying.summed(self.lowering, inputs[0])
        raise Unsupported(laying.ELSEWHERE)

    def _is_empty(self, slot: int) -> bool:
        """Whether a buffer had no elements, of what is not always the same."""
        return slot in self._seen and 0 in (self._seen[slot].shape or ())

    def _nested(self, step: Instruction, inputs: list[Any]) -> list[Any]:
        """The results of an op with bodies, lowered."""
        raise Unsupported("an op with bodies")

    def _leave_stacks(self, items: Sequence[Any]) -> None:
        """Leaves to NumPy meanings who makes stacks that only they know."""
        for item in items:
            if isinstance(item, Stack) and item.maker is not None:
                self._outside[id(item.maker)] = "a stack that a NumPy meaning takes"

    def _check_storages(self, inputs: list[Any]) -> None:
        for item in inputs:
            if isinstance(item, Storage) and item in self._by_host:
                raise Unsupported(f"variable '{item.name}' is in the hands of NumPy meanings")

    def _host(self, step: Instruction, inputs: list[Any], why: str) -> None:
        self._leave_stacks(inputs)
        outputs: list[tuple[tuple[int, ...], Any] | None] = []
        for slot in step.outputs:
            shape, dtype, _ = self._seen[slot]
            # What has no elements may have some the next time.
            known = shape is not None and dtype.kind in "biuf" and 0 not in shape
            outputs.append((shape, dtype) if shape is not None and known else None)
        storages = [item for item in inputs if isinstance(item, Storage)]
        self.host_storages.update(storages)
        self.unsafe.update(s for s in storages if s in self.lowering.current)
        values = self.lowering.host(step, inputs, outputs, storages, why)
        for slot, value in zip(step.outputs, values, strict=True):
            self._slots[slot] = value
