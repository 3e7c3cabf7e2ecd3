"""Where the steps of a native program lie: memory, kernels, arguments."""

from __future__ import annotations

import weakref
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from hybridflow._src.framework.locks import new_lock
from hybridflow._src.kernels.crew import Crew, Shared
from hybridflow._src.plan import sharing
from hybridflow._src.plan.arrangement import Arrangement
from hybridflow._src.plan.effects import effects_of
from hybridflow._src.plan.joining import Bands
from hybridflow._src.plan.memory import LARGE, Handed
from hybridflow._src.plan.passes import OF_LAYERS
from hybridflow._src.plan.steps import Choice, Host, Loop, Unsupported
from hybridflow._src.plan.values import CONSTANT, PLANNED, VARIABLE, Buffer, Value
from hybridflow._src.plan.words import Calls, Words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from hybridflow._src.framework.storage import Storage
    from hybridflow._src.kernels.driver import Entry
    from hybridflow._src.kernels.kernel import Kernel
    from hybridflow._src.plan.lowering import Lowering
    from hybridflow._src.plan.notes import Notes

# So much work is done, as bytes that could be moved meanwhile, until loops pause for other threads
# and signals: some 20 milliseconds.
UNTIL_PAUSE = 1 << 28
# About how many bytes of Python objects describe a step, and what it was made from.
_A_STEP = 6 << 10


class SharedTurns(NamedTuple):
    """A loop whose rows threads share: a program for each.

    Attributes:
      lefts: where the work of each is counted that is left until it pauses. loops: the positions of
        its words. end_together: whether it goes on for all rows as long as it does for some.
    """

    shared: Shared
    lefts: list[int]
    loops: list[int]
    end_together: bool

    @property
    def programs(self) -> list[int]:
        """The programs."""
        return self.shared.programs


class Layout(Arrangement):
    """The steps of a lowered plan, ready to run.

    Args:
      lowering: the steps. feeds: the buffer of each fed array; an object that is no array as it is.
      fetches: the value of each fetch, or an object to give as it is.
      without: the passes over layers that are left out.

    Attributes:
      passes: what was done to make it, and the time that each took.
      notes: what it was made from. is_outdated: whether another one is being made, from more.
      fallbacks: the ops that run by their NumPy meaning, each with the reason.
      held: about how many bytes it takes, what describes its steps included.
    """

    def __init__(
        self,
        lowering: Lowering,
        feeds: Sequence[Any],
        fetches: Sequence[Any],
        without: Collection[str] = (),
    ) -> None:
        self._handed = _find_handed(fetches)
        super().__init__(lowering, fetches, self._handed, set(OF_LAYERS).difference(without))
        self._feeds = [b if isinstance(b, Buffer) else None for b in feeds]
        self._given = list(feeds)
        # Whether a thread, which holds the lock, is running it.
        self.running = False
        # When it last took over from another program of its plan, or another from it.
        self.used = 0
        found = [step for one in _within(self) for _, step in one.steps]
        self.held = self.block.size + _A_STEP * len(found)
        hosts = [step for step in found if isinstance(step, Host)]
        self.fallbacks = [(host.instruction.op.type, host.why) for host in hosts]
        self.storages = list(lowering.current)
        # What runs under a lock does so too where NumPy meanings do all of it.
        locked = [
            storage
            for host in hosts
            if host.instruction.locked is not None
            for storage in host.storages
        ]
        self.guard = next((storage.guard for storage in [*self.storages, *locked]), None)
        self.lock = new_lock() if self.guard is None else self.guard.lock
        if any(storage.guard is not self.guard for storage in self.storages):
            raise Unsupported("variables of several owners")
        self._epoch = -1
        self.passes: Sequence[tuple[str, float]] = ()
        self.notes: Notes = {}
        self.is_outdated = False
        self.meeting = lowering.meeting
        self.is_update = lowering.is_update
        self.written = list(lowering.written)
        first = lowering.first_write
        self.first_write = len(lowering.steps) if first is None else first
        self.writes_last = max(lowering.fallible, default=-1) < self.first_write
        # Host steps that write to variables too: what they did is undone with the rest.
        instructions = [host.instruction for host in hosts]
        self.undone = {id(step) for step in instructions if effects_of(step.op).writes}
        # Whether a run that fails may have written to variables before that.
        self.undoable = bool(self.undone) or (bool(self.written) and not self.writes_last)

    def link(self, addresses: dict[Kernel, int], entry: Entry, crew: Crew | None) -> None:
        """Puts in the addresses of kernels, and of buffers as far as they are known.

        Threads share what they do as a crew, which is there if they do.
        """
        self._enter = entry.enter
        self._crew = crew or Crew(entry.enter)
        self._laid = words = Words(addresses)
        self._segments: list[tuple[str, Any]] = []
        programs: list[Calls] = []
        # The programs from the first write on.
        writing: dict[int, None] = {}
        for batch, comes in zip(self._batches, self._from(), strict=True):
            position, step = batch[0]
            if isinstance(step, Host):
                self._segments.append(("host", step))
                continue
            if isinstance(step, Bands):
                pieces = []
                side_by_side = words.bands(self, position, step)
            else:
                pieces = [words.calls(self, *item) for item in batch]
                side_by_side = [[call] for call in pieces[0]]
            if len(batch) > 1:
                sizes = [step.work for _, step in batch]
                side_by_side = [
                    [call for number in share for call in pieces[number]]
                    for share in sharing.shares(sizes, self.threads)
                ]
            if isinstance(step, Loop) and step.shares:
                numbers = list(range(len(programs), len(programs) + len(side_by_side)))
                programs += side_by_side
                loops = [start for _, start in pieces[0]]
                lefts = [words.left_of[start] for start in loops]
                together = step.by_rows is not None and step.by_rows.end_together
                is_large = step.work * step.most >= sharing.WORTH_WAKING
                turns = SharedTurns(Shared(numbers, is_large), lefts, loops, together)
                self._segments.append(("turns", turns))
            elif len(side_by_side) > 1:
                numbers = list(range(len(programs), len(programs) + len(side_by_side)))
                programs += side_by_side
                work = sum(step.work for _, step in batch)
                shared = Shared(list(numbers), work >= sharing.WORTH_WAKING)
                self._segments.append(("shared", shared))
                combining = words.combining(self, position, step)
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
                if isinstance(step, Bands):
                    programs[numbers[0]] += words.combining(self, position, step)
            if comes >= self.first_write and self.writes_last:
                writing.update(dict.fromkeys(numbers))
        fixed = [call for one in _within(self) for call in one.fixed_calls(words)]
        self._fix([*programs, self.kept_calls(words), fixed], list(writing))

    def _from(self) -> list[int]:
        """For each batch the last of its positions, or the least of what comes after it: some steps
        stand before others that they came after.
        """
        found: list[int] = []
        for batch in reversed(self._batches):
            found.append(min([batch[-1][0], *found[-1:]]))
        return found[::-1]

    def _fix(self, programs: list[Calls], writing: list[int]) -> None:
        """Makes memory of the words, and the constants that the last program computes.

        The one before it computes what is kept as long as variables stay as they are.
        """
        words = self._laid
        starts = [words.program(calls) for calls in programs]
        self.owners = words.owners
        self._array = words.array()
        self._array[words.lefts] = UNTIL_PAUSE
        base = self._array.ctypes.data
        at = [base + 8 * start for start in starts]
        # Where an interrupt could come between writes: their programs, and where their marks are.
        parted = writing if len(writing) > 1 else []
        self._writing, self._marks = [at[n] for n in parted], [starts[n] + 1 for n in parted]
        self._segments = [
            (kind, _placed(what, at)) if kind != "host" else (kind, what)
            for kind, what in self._segments
        ]
        self._places = words.places
        for buffer in self._places:
            if buffer.kind == PLANNED and buffer not in self._handed:
                self._bind(buffer, words.block_of.get(buffer, self.block).address(buffer))
            elif buffer.kind == CONSTANT:
                assert buffer.array is not None
                self._bind(buffer, buffer.array.ctypes.data)
        self._blocks = [self.block, *words.blocks]
        self._bound: dict[Storage, int] = {}
        if self.guard is not None:
            holders = self.guard.holders
            holders.add(weakref.ref(self, holders.discard))
        self._by_storage: dict[Storage, list[Buffer]] = {}
        for buffer in self._places:
            if buffer.kind == VARIABLE:
                assert buffer.storage is not None
                self._by_storage.setdefault(buffer.storage, []).append(buffer)
        self._packing = at[-2] if self.kept else 0
        self._enter(at[-1])

    def _bind(self, buffer: Buffer, address: int) -> None:
        for word, offset in self._places.get(buffer, ()):
            self._array[word] = address + offset

    def _words_of(self, buffer: Buffer) -> list[tuple[int, int]]:
        """The addresses of the words that take a buffer's, and what is added to it."""
        base = self._array.ctypes.data
        return [(base + 8 * word, offset) for word, offset in self._places.get(buffer, ())]


def _find_handed(fetches: Sequence[Any]) -> dict[Buffer, Handed]:
    """The large fetched values, each in memory of its own, that are not fetched twice."""
    values = [v for v in fetches if isinstance(v, Value)]
    times = Counter(value.buffer for value in values)
    found = {}
    for value in values:
        buffer = value.buffer
        once = times[buffer] == 1
        if buffer.kind == PLANNED and buffer.size >= LARGE and value.is_whole and once:
            found[buffer] = Handed(value.shape, buffer.dtype)
    return found


def _within(arrangement: Arrangement) -> Iterator[Arrangement]:
    """It, and the parts inside it."""
    yield arrangement
    for _, step in arrangement.steps:
        if isinstance(step, Choice | Loop):
            for part in step.parts:
                if part is not None:
                    yield from _within(part)


def _placed(what: Any, at: list[int]) -> Any:
    """Programs by their addresses, where there were numbers."""
    if isinstance(what, SharedTurns):
        return what._replace(shared=_placed(what.shared, at))
    if isinstance(what, Shared):
        return what._replace(programs=[at[number] for number in what.programs])
    return at[what]
