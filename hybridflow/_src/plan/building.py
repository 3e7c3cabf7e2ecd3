"""Makes native programs: lowers the instructions of a plan and has their kernels made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.op_def import ELEMENTWISE
from hybridflow._src.framework.storage import Storage
from hybridflow._src.kernels import pool
from hybridflow._src.kernels.compiler import COMPILER
from hybridflow._src.kernels.worker_process import CompileError
from hybridflow._src.plan.groups import MOST_NODES, GroupCall
from hybridflow._src.plan.lowering import Lowering
from hybridflow._src.plan.passes import Passes
from hybridflow._src.plan.program import Program
from hybridflow._src.plan.steps import Opaque, Unsupported
from hybridflow._src.plan.values import FED, VARIABLE, Buffer, Changed, Value

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from hybridflow._src.plan.instruction import Instruction
    from hybridflow._src.plan.native import Native, Seen
    from hybridflow._src.plan.plan import Plan

# Numba takes about two milliseconds for a line. Where a plan's kernels that are not there yet have
# more lines than this, they are made for one op each, if those have fewer. It may be three times as
# many where so many bytes for each line are moved in a run: there large kernels save time.
_MOST_LINES = 3000
_BYTES_A_LINE = 1 << 16
# So many instructions are lowered before other jobs have their turns.
_A_TURN = 500


def build(plan: Plan, native: Native, key: Any, seen: dict[int, Seen]) -> Iterator[float]:
    """Makes the program of a plan for shapes that were seen, as the turns of a job."""
    passes = Passes()
    try:
        program = yield from _program(plan, seen, passes)
        kernels = dict.fromkeys([*program.kernels.values(), *COMPILER.needed(program.is_shared)])
        yield from COMPILER.make(kernels)
        passes.done("kernels")
        program.link(
            COMPILER.obtain(kernels),
            COMPILER.entry(),
            COMPILER.crew() if program.is_shared else None,
        )
        passes.done("link")
    except (Unsupported, CompileError, Changed) as problem:
        native.add_problem(key, str(problem))
        return
    program.passes = passes
    native.add(key, program)


def _program(plan: Plan, seen: dict[int, Seen], passes: Passes) -> Generator[float, None, Program]:
    """The program of a plan, for shapes that were seen, with what compiles in bounded time.

    Raises:
      Unsupported: if it has nothing that kernels could do, or empty arrays.
    """
    # What an op gives that nobody uses may be empty.
    used = {slot for step in plan.instructions for slot in step.inputs}
    used.update(plan.feeds, plan.fetches)
    if any(0 in (seen[slot].shape or ()) for slot in used if slot in seen):
        raise Unsupported("empty arrays")
    fused = yield from _program_of(plan, seen, MOST_NODES, passes)
    lines = _lines(fused)
    if lines <= _most_lines(fused):
        return fused
    # An op to a kernel: there are fewer kernels than kinds of groups, for many steps each.
    plain = yield from _program_of(plan, seen, 1, passes)
    return plain if _lines(plain) < lines else fused


def _lines(program: Program) -> int:
    """How many lines have to be compiled for a program."""
    return sum(kernel.lines for kernel in COMPILER.missing(program.kernels.values()))


def _most_lines(program: Program) -> int:
    """How many lines may be compiled for a program."""
    moved = sum(step.bytes for _, step in program.steps if isinstance(step, GroupCall))
    return min(_MOST_LINES + moved // _BYTES_A_LINE, 3 * _MOST_LINES)


def _program_of(
    plan: Plan, seen: dict[int, Seen], most: int, passes: Passes
) -> Generator[float, None, Program]:
    """A program whose kernels hold at most so many operations, before the last op of each."""
    by_host: set[Storage] = set()
    while True:
        made = _PlanLowering(plan, seen, by_host, most)
        yield from made.turns()
        passes.done("lower")
        clash = made.host_storages & (set(made.lowering.written) | made.unsafe)
        if clash <= by_host:
            program = Program(made.lowering, made.feeds, made.fetches)
            passes.done("buffers")
            return program
        by_host |= clash


class _PlanLowering:
    """Goes through the instructions of a plan and lowers each."""

    def __init__(self, plan: Plan, seen: dict[int, Seen], by_host: set[Storage], most: int) -> None:
        self._plan = plan
        self._seen = seen
        self._by_host = by_host
        self.lowering = Lowering(plan.threads or pool.size(), most)
        self._slots: dict[int, Any] = {}
        self.feeds: list[Any] = []
        self.fetches: list[Any] = []
        self.host_storages: set[Storage] = set()
        # Variables that are read natively after a NumPy meaning was given them.
        self.unsafe: set[Storage] = set()
        self._last_use: dict[int, int] = {}
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
        if step.op.record.effect != "write":
            return
        for item in inputs:
            buffer = self.lowering.current.get(item) if isinstance(item, Storage) else None
            if buffer is None:
                continue
            for slot in self._aliases.pop(buffer, ()):
                if self._last_use.get(slot, -1) > position:
                    self._slots[slot] = self.lowering.copy(self._slots[slot])

    def _native(self, step: Instruction, inputs: list[Any]) -> list[Any]:
        """The results of a step, lowered."""
        op_def = step.op.record
        if step.compute == Storage.read or op_def.effect is not None:
            self._check_storages(inputs)
        if any(isinstance(item, Opaque) for item in inputs):
            raise Unsupported("an input that is no array")
        results: Any
        if step.compute == Storage.read:
            results = self.lowering.variable(inputs[0])
        elif op_def.native == ELEMENTWISE:
            results = self.lowering.elementwise(step.compute, *inputs, **step.attrs)
        elif op_def.native is None and op_def.aliases:
            values, *rest = inputs
            known = [item.constant if isinstance(item, Value) else None for item in rest]
            if any(item is None for item in known):
                raise Unsupported("a view that depends on values")
            results = self.lowering.view(step.compute, values, *known, **step.attrs)
        elif callable(op_def.native):
            results = op_def.native(self.lowering, *inputs, **step.attrs)
        else:
            raise Unsupported(f"no kernel for {op_def.name}")
        results = results if isinstance(results, list | tuple) else [results]
        results = results[: len(step.outputs)]
        for slot, value in zip(step.outputs, results, strict=True):
            note = self._seen[slot]
            if value.shape != note.shape or value.dtype != note.dtype:
                raise Unsupported(f"{value} where {note.dtype} {note.shape} was seen")
        return results

    def _check_storages(self, inputs: list[Any]) -> None:
        for item in inputs:
            if isinstance(item, Storage) and item in self._by_host:
                raise Unsupported(f"variable '{item.name}' is in the hands of NumPy meanings")

    def _host(self, step: Instruction, inputs: list[Any], why: str) -> None:
        outputs: list[tuple[tuple[int, ...], Any] | None] = []
        for slot in step.outputs:
            shape, dtype, _ = self._seen[slot]
            known = shape is not None and dtype.kind in "biuf"
            outputs.append((shape, dtype) if shape is not None and known else None)
        storages = [item for item in inputs if isinstance(item, Storage)]
        self.host_storages.update(storages)
        self.unsafe.update(s for s in storages if s in self.lowering.current)
        values = self.lowering.host(step, inputs, outputs, storages, why)
        for slot, value in zip(step.outputs, values, strict=True):
            self._slots[slot] = value
