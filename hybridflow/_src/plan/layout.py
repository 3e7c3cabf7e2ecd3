"""Where the steps of a native program lie: what is needed, memory, kernels, arguments."""

from __future__ import annotations

import math
import struct
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.locks import new_lock
from hybridflow._src.kernels import loops
from hybridflow._src.kernels.crew import Crew, Shared
from hybridflow._src.plan import sharing
from hybridflow._src.plan.effects import effects_of
from hybridflow._src.plan.groups import Group, GroupCall
from hybridflow._src.plan.memory import LARGE, Handed, new_block
from hybridflow._src.plan.steps import Call, Host, Unsupported
from hybridflow._src.plan.values import CONSTANT, PLANNED, VARIABLE, Buffer, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.storage import Storage
    from hybridflow._src.kernels.driver import Entry
    from hybridflow._src.kernels.kernel import Kernel
    from hybridflow._src.plan.lowering import Lowering


class Layout:
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
        # When it last took over from another program of its plan, or another from it.
        self.used = 0
        self._fetches = list(fetches)
        self.steps: list[tuple[int, GroupCall | Call | Host]] = []
        self.kernels: dict[Any, Kernel] = {}
        # By the position of a step and the number of its operand.
        self._partials: dict[int, dict[int, list[Buffer]]] = {}
        # The ops that run by their NumPy meaning, each with the reason.
        self.fallbacks = [
            (step.instruction.op.type, step.why)
            for step in lowering.steps
            if isinstance(step, Host)
        ]
        self.storages = list(lowering.current)
        # What runs under a lock does so too where NumPy meanings do all of it.
        locked = [
            storage
            for step in lowering.steps
            if isinstance(step, Host) and step.instruction.locked is not None
            for storage in step.storages
        ]
        self.guard = next((storage.guard for storage in [*self.storages, *locked]), None)
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
        # Whether a run that fails may have written to variables before that.
        self.undoable = bool(self.written) and not self.writes_last
        self.undoable |= any(
            isinstance(step, Host) and bool(effects_of(step.instruction.op).writes)
            for step in lowering.steps
        )
        self._settle(lowering)
        self._batches = sharing.batches(self.steps, self.threads, self._parts)
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
        times = Counter(value.buffer for value in values)
        found = {}
        for value in values:
            buffer = value.buffer
            once = times[buffer] == 1
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
        sharing.extend_lives(self._batches)
        return [buffer for buffer in found if buffer not in self._handed]

    def _parts(self, step: GroupCall | Call) -> int:
        """Into how many ranges a step is divided."""
        if self.threads == 1 or step.work < sharing.WORTH_SHARING:
            return 1
        count = step.args[1] if isinstance(step, Call) else step.sizes[step.divided]
        return min(self.threads, count)

    def _add_partials(self, position: int, step: GroupCall, parts: int) -> list[Buffer]:
        """Memory for the totals of the parts after the first, and the kernels that add them up."""
        found = []
        for total in step.partial():
            whole = step.places[total.operand].buffer
            rest = [Buffer(PLANNED, whole.shape, whole.dtype, position) for _ in range(parts - 1)]
            self._partials.setdefault(position, {})[total.operand] = rest
            self.kernels[position, total.operand] = loops.combining(total.ufunc, whole.dtype)
            found += rest
        return found

    # -- words -----------------------------------------------------------------------------------

    @property
    def is_shared(self) -> bool:
        """Whether threads share some of it."""
        divided = (s for _, s in self.steps if not isinstance(s, Host) and self._parts(s) > 1)
        return any(len(batch) > 1 for batch in self._batches) or any(divided)

    def link(self, addresses: dict[Kernel, int], entry: Entry, crew: Crew | None) -> None:
        """Puts in the addresses of kernels, and of buffers as far as they are known.

        Threads share what they do as a crew, which is there if they do.
        """
        self._enter = entry.enter
        self._crew = crew or Crew(entry.enter)
        self._words: list[int] = []
        self._places: dict[Buffer, list[tuple[int, int]]] = {}
        self._segments: list[tuple[str, Any]] = []
        programs: list[list[tuple[int, int]]] = []
        # The position of the step that each arguments' first word belongs to.
        self.owners: dict[int, int] = {}
        # The programs from the first write on.
        writing: dict[int, None] = {}
        for batch in self._batches:
            position, step = batch[0]
            if isinstance(step, Host):
                self._segments.append(("host", step))
                continue
            pieces = [self._calls(*item, addresses) for item in batch]
            if len(batch) > 1:
                sizes = [step.work for _, step in batch]
                side_by_side = [
                    [call for number in share for call in pieces[number]]
                    for share in sharing.shares(sizes, self.threads)
                ]
            else:
                side_by_side = [[call] for call in pieces[0]]
            if len(side_by_side) > 1:
                numbers = list(range(len(programs), len(programs) + len(side_by_side)))
                programs += side_by_side
                work = sum(step.work for _, step in batch)
                shared = Shared(list(numbers), work >= sharing.WORTH_WAKING)
                self._segments.append(("shared", shared))
                combining = self._combining(position, step, addresses)
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
                programs[numbers[0]] += side_by_side[0]
            if batch[-1][0] >= self.first_write and self.writes_last:
                writing.update(dict.fromkeys(numbers))
        self._fix(programs, list(writing))

    def _calls(
        self, position: int, step: GroupCall | Call, addresses: dict[Kernel, int]
    ) -> list[tuple[int, int]]:
        """The calls of a step, one for each range, as address of the kernel and first argument."""
        starts = (
            self._group_words(position, step)
            if isinstance(step, GroupCall)
            else self._call_words(step)
        )
        self.owners.update(dict.fromkeys(starts, position))
        return [(addresses[self.kernels[position]], start) for start in starts]

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
            (kind, _placed(what, at)) if kind != "host" else (kind, what)
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

    def _bind(self, buffer: Buffer, address: int) -> None:
        for word, offset in self._places.get(buffer, ()):
            self._array[word] = address + offset

    def _words_of(self, buffer: Buffer) -> list[tuple[int, int]]:
        """The addresses of the words that take a buffer's, and what is added to it."""
        base = self._array.ctypes.data
        return [(base + 8 * word, offset) for word, offset in self._places.get(buffer, ())]

    def _address_word(self, buffer: Buffer, offset: int) -> None:
        self._places.setdefault(buffer, []).append((len(self._words), offset))
        self._words.append(0)

    def _combining(
        self, position: int, step: GroupCall | Call, addresses: dict[Kernel, int]
    ) -> list[tuple[int, int]]:
        """Calls that add up the parts of the totals of a step."""
        calls = []
        for operand, rest in self._partials.get(position, {}).items():
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
                    rest = self._partials.get(position, {}).get(operand) if part else None
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
                    own = part * (arg.buffer.size // self.threads)
                    offset = own if arg.buffer in step.private else arg.offset
                    self._address_word(arg.buffer, offset)
                elif isinstance(arg, float):
                    self._words.append(struct.unpack("<q", struct.pack("<d", arg))[0])
                else:
                    self._words.append(int(arg))
        return starts


def _placed(what: int | Shared, at: list[int]) -> int | Shared:
    """Programs by their addresses, where there were numbers."""
    if isinstance(what, Shared):
        return what._replace(programs=[at[number] for number in what.programs])
    return at[what]
