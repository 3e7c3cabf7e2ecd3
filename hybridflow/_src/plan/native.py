"""The native executor of a plan: which steps it has for which shapes, and when it takes over.

The interpreter runs first. When a plan runs a second time with feeds of the same shapes, the shapes
of all its values are noted; in the background its ops are lowered to steps, their kernels compiled
or loaded, and from then on the program runs instead. What it cannot run, the interpreter does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.framework.op_def import ELEMENTWISE, OF_SHAPES
from hybridflow._src.framework.storage import Storage, is_journaled, undone_on_error
from hybridflow._src.kernels import pool
from hybridflow._src.kernels.compiler import COMPILER, CompileError, available
from hybridflow._src.plan.lowering import Lowering
from hybridflow._src.plan.passes import Passes
from hybridflow._src.plan.program import Changed, Program
from hybridflow._src.plan.steps import Host, Opaque, Unsupported
from hybridflow._src.plan.values import FED, VARIABLE, Buffer, Value, own

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.plan.plan import Instruction, Plan, Watch

# A plan has programs for at most so many shapes of feeds.
_MOST_PROGRAMS = 32


class _Seen(NamedTuple):
    """What one run gave for a buffer: shape and dtype, or `value` where it is always the same."""

    shape: tuple[int, ...] | None
    dtype: Any
    value: Any


class Native:
    """The programs of a plan.

    Attributes:
      programs: by the shapes of feeds. latest: the one that was made, or has run, last.
      problems: why there is no program for some shapes.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._keys: dict[Any, int] = {}
        self._forks = COMPILER.forks
        self.programs: dict[Any, Program] = {}
        self.latest: Program | None = None
        self.problems: dict[Any, str] = {}

    def run(self, feeds: Sequence[Any]) -> list[Any] | None:
        """The fetched values, the caller's own, or None if the interpreter has to give them."""
        latest = self.latest
        if latest is not None:
            found = latest.quick(feeds)
            if found is not None:
                return found
        key = _key_of(feeds)
        program = self.programs.get(key)
        if program is None:
            return self._not_yet(key, feeds)
        # While another thread runs a program that touches no variables, the interpreter is there.
        if program.running and program.guard is None:
            return None
        with program.lock:
            # With the lock held, it is this thread itself that may be running it already.
            return None if program.running else self._run(program, feeds)

    def _run(self, program: Program, feeds: Sequence[Any]) -> list[Any] | None:
        self.latest = program
        program.running = True
        try:
            if program.written and not program.writes_last and not is_journaled():
                return undone_on_error(program.run, feeds, _interpret)
            return program.run(feeds, _interpret)
        except Changed as changed:
            given = changed.given
        finally:
            program.running = False
        return [own(value) for value in self._plan.interpret(feeds, given=given)]

    def program_for(self, feeds: Sequence[Any]) -> Program | None:
        """The program for the shapes of these feeds, if there is one."""
        return self.programs.get(_key_of(feeds))

    def problem_for(self, feeds: Sequence[Any]) -> str:
        """Why there is none, as far as that is known."""
        return self.problems.get(_key_of(feeds), "")

    def interpret(self, feeds: Sequence[Any], watch: Watch) -> list[Any]:
        """What the interpreter gives, `watch` told of each instruction: a run like any other."""
        key = _key_of(feeds)
        results = None if key in self.programs else self._not_yet(key, feeds, watch)
        return self._plan.interpret(feeds, watch) if results is None else results

    # -- from the second run on --------------------------------------------------------------------

    def _not_yet(
        self, key: Any, feeds: Sequence[Any], watch: Watch | None = None
    ) -> list[Any] | None:
        if self._forks != COMPILER.forks:  # what the parent was compiling comes to nothing here
            self._forks = COMPILER.forks
            self._keys.clear()
        if key in self.problems or len(self._keys) >= _MOST_PROGRAMS:
            return None
        count = self._keys[key] = self._keys.get(key, 0) + 1
        if count != 2:
            return None
        seen: dict[int, _Seen] = {}
        try:
            results = self._plan.interpret(feeds, seen=_Recorder(self._plan, feeds, seen, watch))
        except BaseException:
            self._keys[key] = 1  # it counts once it has run through
            raise
        COMPILER.submit(lambda: self._build(key, seen))
        return [own(value) for value in results]

    def _build(self, key: Any, seen: dict[int, _Seen]) -> None:
        """Makes the program; in the background."""
        passes = Passes()
        try:
            program = _program(self._plan, seen, passes)
            addresses = COMPILER.obtain(program.kernels.values())
            passes.done("kernels")
            program.link(addresses, COMPILER.enter())
            passes.done("link")
        except (Unsupported, CompileError, Changed) as problem:
            self.problems[key] = str(problem)
            return
        program.passes = passes
        self.programs[key] = self.latest = program


def _key_of(feeds: Sequence[Any]) -> Any:
    """What programs are looked up by."""
    return tuple([f.shape if f.__class__ is np.ndarray else _kind_of(f) for f in feeds])


def _kind_of(feed: Any) -> Any:
    """What a program was made for, of a feed that is no array."""
    if isinstance(feed, np.generic):
        return ()
    return feed if isinstance(feed, Storage) else feed.__class__


def native_of(plan: Plan) -> Native | None:
    """The native executor of a plan, if kernels are compiled at all."""
    return Native(plan) if available() else None


def _interpret(step: Host, inputs: list[Any]) -> list[Any]:
    """Runs an op's NumPy meaning inside a program."""
    return list(step.instruction.results(inputs))


class _Recorder:
    """Notes what a run gives for each buffer."""

    def __init__(
        self, plan: Plan, feeds: Sequence[Any], seen: dict[int, _Seen], watch: Watch | None
    ) -> None:
        self._seen = seen
        self._watch = watch
        for slot, value in enumerate(plan.template):
            if value is not None:
                seen[slot] = _Seen(None, None, value)
        for slot, value in zip(plan.feeds, feeds, strict=True):
            seen[slot] = _note(value, False)

    def __call__(self, step: Instruction, results: Sequence[Any]) -> None:
        if self._watch is not None:
            self._watch(step, results)
        op_def = step.op.op_def
        pure = op_def.compute is step.compute and not op_def.stateful and op_def.effect is None
        same = pure and (
            op_def.native == OF_SHAPES or all(self._seen[i].value is not None for i in step.inputs)
        )
        for slot, result in zip(step.outputs, results, strict=True):
            self._seen[slot] = _note(result, same or isinstance(result, Storage))


def _note(value: Any, same: bool) -> _Seen:
    if same or isinstance(value, Storage):
        return _Seen(None, None, value)
    if isinstance(value, np.ndarray | np.generic):
        return _Seen(value.shape, value.dtype, None)
    return _Seen(None, None, None)


# -- lowering a plan -------------------------------------------------------------------------------


def _program(plan: Plan, seen: dict[int, _Seen], passes: Passes) -> Program:
    """The program of a plan, for shapes that were seen.

    Raises:
      Unsupported: if it has nothing that kernels could do, or empty arrays.
    """
    if any(note.shape is not None and 0 in note.shape for note in seen.values()):
        raise Unsupported("empty arrays")
    by_host: set[Storage] = set()
    while True:
        made = _PlanLowering(plan, seen, by_host)
        made.run()
        passes.done("lower")
        clash = made.host_storages & (set(made.lowering.written) | made.unsafe)
        if clash <= by_host:
            program = Program(made.lowering, made.feeds, made.fetches)
            passes.done("buffers")
            return program
        by_host |= clash


class _PlanLowering:
    """Goes through the instructions of a plan and lowers each."""

    def __init__(self, plan: Plan, seen: dict[int, _Seen], by_host: set[Storage]) -> None:
        self._plan = plan
        self._seen = seen
        self._by_host = by_host
        self.lowering = Lowering(plan.threads or pool.size())
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

    def run(self) -> None:
        """Lowers everything."""
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
        if step.op.op_def.effect != "write":
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
        op_def = step.op.op_def
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
