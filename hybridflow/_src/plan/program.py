"""Native programs: steps with addresses, run on the plan's own memory.

A program is made for one set of shapes of what is fed. It is run by one thread at a time.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from hybridflow._src.framework.locks import new_lock
from hybridflow._src.framework.storage import is_journaled
from hybridflow._src.kernels import loops, pool
from hybridflow._src.kernels.memory import address_of
from hybridflow._src.plan.groups import Group, GroupCall
from hybridflow._src.plan.lowering import Call, Host, Opaque, Unsupported
from hybridflow._src.plan.memory import LARGE, Handed, new_block
from hybridflow._src.plan.values import CONSTANT, FED, GIVEN, PLANNED, VARIABLE, Buffer, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hybridflow._src.framework.storage import Storage
    from hybridflow._src.kernels.kernel import Kernel
    from hybridflow._src.plan.lowering import Lowering

# Feeds up to this size are copied; of larger ones the address is taken.
_SMALL = 1 << 14
# Kernels that touch fewer bytes are not divided among threads.
_WORTH_DIVIDING = 1 << 20
# A step that was interrupted is completed although so many more interrupts come.
_MOST_INTERRUPTS = 1000


class Changed(Exception):
    """What a program was made for is no longer so: the plan's interpreter has to run.

    Attributes:
      given: what NumPy meanings gave before that, by the identity of their instruction.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.given: dict[int, list[Any]] = {}


class Program:
    """The steps of a lowered plan, ready to run.

    Args:
      lowering: the steps. feeds: the buffer of each fed array; an object that is no array as it is.
      fetches: the value of each fetch, or an object to give as it is.

    Attributes:
      steps: with the position of each. kernels, ops: of each step, by its position.
      passes: what was done to make it, and the time that each took.
      threads: how many threads work on one large kernel.
    """

    def __init__(self, lowering: Lowering, feeds: Sequence[Any], fetches: Sequence[Any]) -> None:
        self._feeds = [b if isinstance(b, Buffer) else None for b in feeds]
        self._given = list(feeds)
        # Whether a thread, which holds the lock, is running it.
        self.running = False
        self._fetches = list(fetches)
        self.steps: list[tuple[int, GroupCall | Call | Host]] = []
        self.kernels: dict[Any, Kernel] = {}
        self._partials: dict[tuple[int, int], list[Buffer]] = {}
        # The ops that run by their NumPy meaning, each with the reason.
        self.fallbacks = [
            (step.instruction.op.type, step.why)
            for step in lowering.steps
            if isinstance(step, Host)
        ]
        self.storages = list(lowering.current)
        self.guard = self.storages[0].guard if self.storages else None
        self.lock = new_lock() if self.guard is None else self.guard.lock
        if any(storage.guard is not self.guard for storage in self.storages):
            raise Unsupported("variables of several owners")
        self._epoch = -1
        self.threads = lowering.threads
        self.ops = lowering.ops
        self.passes: Sequence[tuple[str, float]] = ()
        self.written = list(lowering.written)
        self.first_write = min(lowering.written.values(), default=len(lowering.steps))
        self.writes_last = max(lowering.fallible, default=-1) < self.first_write
        self._settle(lowering)
        self._handed = self._find_handed()
        self.block = new_block(self._planned())

    # -- which steps, which buffers ------------------------------------------------------------

    def _settle(self, lowering: Lowering) -> None:
        """Decides from the last step to the first what is needed."""
        end = len(lowering.steps)
        for fetch in self._fetches:
            if isinstance(fetch, Value):
                fetch.buffer.last = end
        for position in range(end - 1, -1, -1):
            step = lowering.steps[position]
            if step is None:
                continue
            if isinstance(step, Group):
                used = step.used(position)
                call = step.finish()
                if call is None:
                    continue
                self.steps.append((position, call))
                self.kernels[position] = call.kernel("group")
            elif isinstance(step, Call):
                used = [value.buffer for value in step.reads]
                self.steps.append((position, step))
                self.kernels[position] = step.kernel
            else:
                used = [value.buffer for value in step.inputs if isinstance(value, Value)]
                self.steps.append((position, step))
            for buffer in used:
                buffer.last = max(buffer.last, position)
        self.steps.reverse()

    def _find_handed(self) -> dict[Buffer, Handed]:
        """The large fetched values, each in memory of its own, that are not fetched twice."""
        values = [v for v in self._fetches if isinstance(v, Value)]
        found = {}
        for value in values:
            buffer = value.buffer
            once = sum(other.buffer is buffer for other in values) == 1
            if buffer.kind == PLANNED and buffer.size >= LARGE and value.is_whole and once:
                found[buffer] = Handed(value.shape, buffer.dtype)
        return found

    def _planned(self) -> list[Buffer]:
        """The buffers that need memory, each with how long it is needed."""
        found: dict[Buffer, None] = {}
        for position, step in self.steps:
            if isinstance(step, GroupCall):
                buffers = [place.buffer for place in step.places]
                parts = self._parts(step)
                step.scratch = [
                    Buffer(PLANNED, (step.sizes[-1],), dtype, position)
                    for dtype in step.nest.scratch
                    for _ in range(parts)
                ]
                buffers += step.scratch
                if parts > 1:
                    buffers += self._add_partials(position, step, parts)
            elif isinstance(step, Call):
                buffers = list(step.writes)
            else:
                continue
            found.update((b, None) for b in buffers if b.kind == PLANNED and b.maker == position)
        return [buffer for buffer in found if buffer not in self._handed]

    def _parts(self, step: GroupCall | Call) -> int:
        """Into how many ranges a step is divided."""
        if isinstance(step, Call):
            if not step.divisible or sum(b.size for b in step.writes) < _WORTH_DIVIDING // 8:
                return 1
            return min(self.threads, step.args[1])
        if self.threads == 1 or step.bytes < _WORTH_DIVIDING:
            return 1
        return min(self.threads, step.sizes[step.divided])

    def _add_partials(self, position: int, step: GroupCall, parts: int) -> list[Buffer]:
        """Memory for the totals of the parts after the first, and the kernels that add them up."""
        found = []
        for total in step.partial():
            whole = step.places[total.operand].buffer
            rest = [Buffer(PLANNED, whole.shape, whole.dtype, position) for _ in range(parts - 1)]
            self._partials[position, total.operand] = rest
            self.kernels[position, total.operand] = loops.combining(total.ufunc, whole.dtype)
            found += rest
        return found

    # -- words -----------------------------------------------------------------------------------

    def link(self, addresses: dict[Kernel, int], enter: Callable[[int], int]) -> None:
        """Puts in the addresses of kernels, and of buffers as far as they are known."""
        self._enter = enter
        self._words: list[int] = []
        self._places: dict[Buffer, list[tuple[int, int]]] = {}
        self._segments: list[tuple[str, Any]] = []
        programs: list[list[tuple[int, int]]] = []
        # The position of the step that each arguments' first word belongs to.
        self.owners: dict[int, int] = {}
        # The programs from the first write on.
        writing: dict[int, None] = {}
        for position, step in self.steps:
            if isinstance(step, Host):
                self._segments.append(("host", step))
                continue
            address = addresses[self.kernels[position]]
            starts = (
                self._group_words(position, step)
                if isinstance(step, GroupCall)
                else self._call_words(step)
            )
            self.owners.update(dict.fromkeys(starts, position))
            if len(starts) > 1:
                numbers = []
                for start in starts:
                    numbers.append(len(programs))
                    programs.append([(address, start)])
                self._segments.append(("divided", list(numbers)))
                combining = self._combining(position, addresses)
                self.owners.update((start, position) for _, start in combining)
                if combining:
                    numbers.append(len(programs))
                    self._segments.append(("native", len(programs)))
                    programs.append(combining)
            else:
                if not self._segments or self._segments[-1][0] != "native":
                    self._segments.append(("native", len(programs)))
                    programs.append([])
                numbers = [self._segments[-1][1]]
                programs[numbers[0]].append((address, starts[0]))
            if position >= self.first_write and self.writes_last:
                writing.update(dict.fromkeys(numbers))
        self._fix(programs, list(writing))

    def _fix(self, programs: list[list[tuple[int, int]]], writing: list[int]) -> None:
        starts = []
        for calls in programs:
            starts.append(len(self._words))
            self._words += [len(calls), 0]
            for address, _ in calls:
                self._words += [address, 0]
        self._array = np.array(self._words, np.int64)
        base = self._array.ctypes.data
        for calls, start in zip(programs, starts, strict=True):
            for number, (_, args) in enumerate(calls):
                self._array[start + 3 + 2 * number] = base + 8 * args
        at = [base + 8 * start for start in starts]
        # Where an interrupt could come between writes: their programs, and where their marks are.
        parted = writing if len(writing) > 1 else []
        self._writing, self._marks = [at[n] for n in parted], [starts[n] + 1 for n in parted]
        self._segments = [
            (kind, at[what] if kind == "native" else [at[n] for n in what])
            if kind != "host"
            else (kind, what)
            for kind, what in self._segments
        ]
        for buffer in self._places:
            if buffer.kind == PLANNED and buffer not in self._handed:
                self._bind(buffer, self.block.address(buffer))
            elif buffer.kind == CONSTANT:
                assert buffer.array is not None
                self._bind(buffer, buffer.array.ctypes.data)
        self._bound: dict[Storage, np.ndarray] = {}
        self._by_storage: dict[Storage, list[Buffer]] = {}
        for buffer in self._places:
            if buffer.kind == VARIABLE:
                assert buffer.storage is not None
                self._by_storage.setdefault(buffer.storage, []).append(buffer)
        self._slots = {
            index: self._own_slot(buffer)
            for index, buffer in enumerate(self._feeds)
            if buffer is not None and buffer.size <= _SMALL
        }
        self._find_quick()

    def _own_slot(self, buffer: Buffer) -> np.ndarray:
        slot = np.empty(buffer.shape, buffer.dtype)
        self._bind(buffer, slot.ctypes.data)
        return slot

    def _bind(self, buffer: Buffer, address: int) -> None:
        for word, offset in self._places.get(buffer, ()):
            self._array[word] = address + offset

    def _word(self, value: int) -> None:
        self._words.append(value)

    def _address_word(self, buffer: Buffer, offset: int) -> None:
        self._places.setdefault(buffer, []).append((len(self._words), offset))
        self._words.append(0)

    def _combining(self, position: int, addresses: dict[Kernel, int]) -> list[tuple[int, int]]:
        """Calls that add up the parts of the totals of a step."""
        calls = []
        for (owner, operand), rest in self._partials.items():
            if owner != position:
                continue
            step = next(s for p, s in self.steps if p == position)
            assert isinstance(step, GroupCall)
            whole = step.places[operand].buffer
            for part in rest:
                calls.append((addresses[self.kernels[position, operand]], len(self._words)))
                self._words += [0, 1, 0, math.prod(whole.shape)]
                for buffer in (whole, part):
                    self._address_word(buffer, 0)
                    self._words.append(0)
        return calls

    def _group_words(self, position: int, step: GroupCall) -> list[int]:
        starts = []
        parts = self._parts(step)
        sizes = step.sizes
        for part in range(parts):
            starts.append(len(self._words))
            ranges = [(0, sizes[-2]), (0, sizes[-1])]
            if parts > 1:
                count = sizes[step.divided]
                ranges[step.divided] = (count * part // parts, count * (part + 1) // parts)
            for first, last in ranges:
                self._words += [first, last]
            self._words += sizes[:-2]
            scratch = iter(step.scratch[part::parts])
            for operand, spec in enumerate(step.nest.operands):
                if operand < len(step.places):
                    place, strides = step.places[operand], step.strides[operand]
                    rest = self._partials.get((position, operand)) if part else None
                    self._address_word(rest[part - 1] if rest else place.buffer, place.offset)
                    self._words += strides[:-1]
                    if spec.columns == "g":
                        self._words.append(strides[-1] // spec.dtype.itemsize)
                else:
                    self._address_word(next(scratch), 0)
                    self._words += [0] * (len(sizes) - 1)
        return starts

    def _call_words(self, step: Call) -> list[int]:
        starts = []
        parts = self._parts(step)
        for part in range(parts):
            starts.append(len(self._words))
            args = list(step.args)
            if parts > 1:
                count = args[1]
                args[:2] = [count * part // parts, count * (part + 1) // parts]
            for arg in args:
                if isinstance(arg, Value):
                    self._address_word(arg.buffer, arg.offset)
                elif isinstance(arg, float):
                    self._words.append(struct.unpack("<q", struct.pack("<d", arg))[0])
                else:
                    self._words.append(int(arg))
        return starts

    # -- running -----------------------------------------------------------------------------------

    def run(self, feeds: Sequence[Any], interpret: Callable[[Host, list[Any]], list[Any]]) -> Any:
        """Runs the steps; the caller holds the locks of the variables.

        Returns: the fetched values, arrays of the caller's own, NumPy scalars for rank 0.

        Raises:
          Changed: if what it was made for is no longer so, or a kernel gave a status. Variables may
            have been written to.
        """
        self._bind_variables()
        arrays = self._arrays = dict(enumerate(feeds))
        for index, slot in self._slots.items():
            slot[...] = feeds[index]
        for index, buffer in enumerate(self._feeds):
            if buffer is not None and index not in self._slots:
                array = arrays[index]
                if not array.flags.carray:
                    array = arrays[index] = np.require(array, requirements=("C", "A"))
                self._bind(buffer, address_of(array))
        given: dict[Any, Any] = {buffer: self._hand(buffer) for buffer in self._handed}
        results: dict[Any, list[Any]] = {}
        enter = self._enter
        self.block.begin()
        if self._marks:
            self._array[self._marks] = 0
        try:
            for kind, what in self._segments:
                if kind == "native":
                    if enter(what):
                        raise Changed("a kernel gave a status")
                elif kind == "divided":
                    pool.run(enter, what)
                else:
                    inputs = [self._fetched(v, given, array=True) for v in what.inputs]
                    outputs = results[id(what.instruction)] = interpret(what, inputs)
                    self._take(what, outputs, given)
        except Changed as changed:
            changed.given = results
            raise
        except BaseException:
            self._complete()
            raise
        self.block.check(self.ops)
        return [self._fetched(fetch, given) for fetch in self._fetches]

    def _complete(self) -> None:
        """Runs what is left of a step that was interrupted between two of its writes."""
        if not self._array[self._marks].any():
            return
        for _ in range(_MOST_INTERRUPTS):
            try:
                for program, mark in zip(self._writing, self._marks, strict=True):
                    if not self._array[mark]:
                        self._enter(program)
                return
            except BaseException:  # another interrupt: the first one is raised in the end
                continue

    def quick(self, feeds: Iterable[Any]) -> list[Any] | None:
        """`run` for programs that are native throughout, if the feeds are as they need them.

        Args:
          feeds: all of them, or as many as may have changed since the last run.

        Returns: the fetched values, or None if it does not apply.
        """
        if self._quick is None:
            return None
        slots, fetches, start, enter, lock, guard = self._quick
        with lock:
            if self.running or is_journaled():
                return None
            self.running = True
            try:
                for value, (slot, shape, dtype, buffer) in zip(feeds, slots, strict=False):
                    if dtype is None:
                        if value is not slot:
                            return None
                        continue
                    if (
                        value.__class__ is not ndarray
                        or value.shape != shape
                        or value.dtype is not dtype
                    ):
                        return None
                    if slot is not None:
                        slot[...] = value
                    elif value.flags.carray or (value.flags.c_contiguous and value.flags.aligned):
                        self._bind(buffer, address_of(value))
                    else:
                        return None
                if guard is not None and guard.epoch != self._epoch:
                    self._bind_variables()
                handed = {b: self._hand(b) for b in self._handed} if self._handed else None
                if start is not None:
                    if enter(start):
                        return None
                elif not self._run_all():
                    return None
                if handed is not None:
                    return [
                        handed[a] if a.__class__ is Buffer else a.copy() if a.ndim else a[()]
                        for a in fetches
                    ]
                return [a.copy() if a.ndim else a[()] for a in fetches]
            except Changed:
                return None
            finally:
                self.running = False

    def _run_all(self) -> bool:
        """Runs the segments of a program that is native throughout; whether no kernel failed."""
        if self._marks:
            self._array[self._marks] = 0
        try:
            for kind, what in self._segments:
                if kind == "divided":
                    pool.run(self._enter, what)
                elif self._enter(what):
                    return False
        except BaseException:
            self._complete()
            raise
        return True

    def _hand(self, buffer: Buffer) -> np.ndarray:
        """An array for a fetched value, bound to be written."""
        array = self._handed[buffer].take()
        self._bind(buffer, address_of(array))
        return array

    def _find_quick(self) -> None:
        """Prepares `quick`, where it applies."""
        self._quick: Any = None
        if self.block.is_guarded:
            return
        kinds = [
            v.buffer.kind if isinstance(v, Value) and v.is_whole else "" for v in self._fetches
        ]
        if not self._segments or not self.writes_last:
            return
        if any(kind == "host" for kind, _ in self._segments):
            return
        if any(kind != PLANNED for kind in kinds):
            return
        slots: list[Any] = []
        for index, (buffer, given) in enumerate(zip(self._feeds, self._given, strict=True)):
            if buffer is None:
                slots.append((given, None, None, None))
            else:
                slots.append((self._slots.get(index), buffer.shape, buffer.dtype, buffer))
        fetches = [
            v.buffer if v.buffer in self._handed else self.block.array(v.buffer).reshape(v.shape)
            for v in self._fetches
        ]
        kind, start = self._segments[0]
        start = start if kind == "native" and len(self._segments) == 1 else None
        self._quick = (slots, fetches, start, self._enter, self.lock, self.guard)

    def _bind_variables(self) -> None:
        if self.guard is None or (self.guard.epoch == self._epoch and not is_journaled()):
            return
        bound = self._bound
        for storage in self.written:
            array = storage.own()
            if array is not bound.get(storage):
                self._bind_variable(storage, array)
        for storage in self.storages:
            array = storage._array
            if array is not bound.get(storage):
                self._bind_variable(storage, array)
        self._epoch = self.guard.epoch

    def _bind_variable(self, storage: Storage, array: Any) -> None:
        for buffer in self._by_storage.get(storage, ()):
            if array is None or array.shape != buffer.shape or array.dtype != buffer.dtype:
                raise Changed(f"variable '{storage.name}' has another shape")
            if not array.flags.c_contiguous or not array.flags.aligned:
                array = storage.own()
            self._bind(buffer, address_of(array))
        self._bound[storage] = array

    def _take(self, step: Host, outputs: Sequence[Any], given: dict[Any, Any]) -> None:
        """Puts what a NumPy meaning gave where the steps after it look for it."""
        for buffer, output in zip(step.outputs, outputs, strict=True):
            if isinstance(buffer, Opaque):
                given[buffer] = output
                continue
            array = np.asarray(output)
            if array.shape != buffer.shape or array.dtype != buffer.dtype:
                raise Changed(f"{step.instruction.op.name} gave another shape")
            array = np.ascontiguousarray(array)
            given[buffer] = array
            self._bind(buffer, address_of(array))

    def _fetched(self, value: Any, given: dict[Any, Any], array: bool = False) -> Any:
        """A copy of a value."""
        if isinstance(value, Opaque):
            return given[value]
        if not isinstance(value, Value):
            return value
        buffer = value.buffer
        memory: Any
        if buffer in self._handed:
            if not array:
                return given[buffer]
            memory = given[buffer]
        elif buffer.kind == PLANNED:
            memory = self.block.array(buffer)
        elif buffer.kind == CONSTANT:
            memory = buffer.array
        elif buffer.kind == VARIABLE:
            assert buffer.storage is not None
            memory = buffer.storage._array
        elif buffer.kind == FED:
            memory = self._arrays[buffer.index]
        else:
            assert buffer.kind == GIVEN
            memory = given[buffer]
        if value.is_whole:
            memory = memory.reshape(value.shape)
        else:
            flat = memory.reshape(-1)[value.offset // memory.itemsize :]
            memory = np.lib.stride_tricks.as_strided(flat, value.shape, value.strides)
        return memory.copy() if array or memory.ndim else memory[()]
