"""Steps that are joined: each does a part of what it does, then the next one its own, in turns.

What lies between them stays in a core's cache, and threads that have turns of their own wait for
each other but once. `in_bands` joins what goes over images, `in_strips` what goes over rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hybridflow._src.plan.groups import GroupCall
from hybridflow._src.plan.steps import Call, Host
from hybridflow._src.plan.values import MOVING, PLANNED, Buffer, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# What is done before the others, though it came later, writes so much at most.
_LITTLE = 4 << 20


class Turn(NamedTuple):
    """What a step does at a time.

    Attributes:
      member: its number. first, last: its range. marks: the first and the last of the marks that
        it looks at. rows: those that all do at that time; none where they do not go over rows.
    """

    member: int
    first: int
    last: int
    marks: tuple[int, int] = (0, 0)
    rows: range = range(0)


class Bands(NamedTuple):
    """A step that consists of others, which take turns.

    Attributes:
      members: the steps, with their positions. shares: for each thread its turns, in order.
      before: steps that now stand before it, with the positions that they had.
      rows: how many rows members go over, each by itself; 0 if they go over something else.
      sums: the numbers of products that add something up over the rows.
      own: for buffers that nothing else uses, where the rows of a turn lie in memory that each
        thread has of its own. memory: that of each.
    """

    members: tuple[tuple[int, Any], ...]
    shares: tuple[tuple[Turn, ...], ...]
    before: tuple[tuple[int, Any], ...] = ()
    rows: int = 0
    sums: frozenset[int] = frozenset()
    own: Mapping[Buffer, int] = {}
    memory: tuple[Buffer, ...] = ()

    def turns(self, member: int) -> int:
        """How many turns a member has."""
        return sum(turn.member == member for turns in self.shares for turn in turns)

    @property
    def work(self) -> int:
        return sum(step.work for _, step in self.members)

    @property
    def touched(self) -> list[Buffer]:
        """All buffers that it reads or writes, or what now stands before it."""
        found = list(self.memory)
        for _, step in (*self.members, *self.before):
            found += touched(step)
        return found


class Member:
    """A step that may be joined with others, or stand before or behind them.

    Attributes:
      reads, writes: what it touches: buffers, and variables as such.
      count: its range, if it may be joined.
      even: the buffers that it takes in order, part by part as its range goes on.
    """

    def __init__(self, position: int, step: Call | GroupCall) -> None:
        self.position, self.step = position, step
        self.count = 0
        self.even: set[Buffer] = set()
        self.reads: set[Any]
        self.writes: set[Any]
        if isinstance(step, GroupCall):
            self._written = written_by(step)
            self.reads = set(map(key_of, touched(step)))
            self.writes = set(map(key_of, self._written))
        else:
            self._written = list(step.writes)
            self.reads = {key_of(value.buffer) for value in step.reads}
            self.writes = set(map(key_of, step.writes))

    @property
    def touches(self) -> set[Any]:
        return self.reads | self.writes

    @property
    def is_little(self) -> bool:
        """Whether it may as well be done earlier, as filters are packed."""
        is_fallible = isinstance(self.step, Call) and self.step.fallible
        return not is_fallible and self.is_planned and sum(b.size for b in self._written) <= _LITTLE

    @property
    def is_planned(self) -> bool:
        """Whether it writes nothing but the plan's own memory."""
        return all(buffer.kind == PLANNED for buffer in self._written)


class Chain:
    """Steps that may be joined, the first of which is given.

    Attributes:
      members: these. before: steps that come before them, though they came after the first.
    """

    def __init__(self, first: Member) -> None:
        self.members = [first]
        self.before: list[Member] = []
        # What the members write, and all that they touch.
        self._made = set(first.writes)
        self._touched = first.touches
        # What those do that come behind.
        self._later_reads: set[Any] = set()
        self._later_writes: set[Any] = set()

    def skip(self, member: Member) -> None:
        """Puts a step before the members or, if it has to or better had, behind them."""
        if (
            member.is_little
            and not member.reads & self._made
            and not member.writes & self._touched
            and self._may_pass(member)
        ):
            self.before.append(member)
            return
        self._later_reads |= member.reads
        self._later_writes |= member.writes

    def _may_pass(self, member: Member) -> bool:
        """Whether a step may come before those that come behind."""
        reads, writes = self._later_reads, self._later_writes
        return not (member.reads & writes or member.writes & (reads | writes))

    def may_join(self, member: Member) -> bool:
        """Whether a step may take turns with those that are there."""
        if not self._may_pass(member):
            return False
        if not all(self._is_in_turn(member, key) for key in member.reads & self._made):
            return False
        for key in member.writes & self._touched:
            users = [m for m in self.members if key in m.touches]
            if not all(key in m.even for m in (member, *users)):
                return False
        return True

    def _is_in_turn(self, member: Member, key: Any) -> bool:
        """Whether what members have written by some turn is all that another one reads then."""
        return all(
            key in other.even and key in member.even
            for other in self.members
            if key in other.writes and not self._is_apart(other, member, key)
        )

    def _is_apart(self, other: Member, member: Member, key: Any) -> bool:
        """Whether one writes for another one what they agree on otherwise."""
        return False

    def append(self, member: Member) -> None:
        """Adds a step."""
        self.members.append(member)
        self._made |= member.writes
        self._touched |= member.touches


def key_of(buffer: Buffer) -> Any:
    """What stands for a buffer: of a variable itself, in all its states."""
    return buffer.storage or buffer


def touched(step: Any) -> list[Buffer]:
    """All buffers that a step reads or writes."""
    if isinstance(step, GroupCall):
        return [*[place.buffer for place in step.places], *step.scratch]
    if isinstance(step, Bands):
        return step.touched
    if isinstance(step, Host):
        items = (*step.inputs, *step.outputs)
        values = [item.buffer for item in items if isinstance(item, Value)]
        return [*values, *[item for item in items if isinstance(item, Buffer)]]
    return [*[value.buffer for value in step.reads], *step.writes]


def written_by(step: GroupCall) -> list[Buffer]:
    """The buffers that a group writes to, totals among them."""
    operands = {s.operand for s in step.nest.stores} | {t.operand for t in step.nest.totals}
    return [step.places[operand].buffer for operand in operands]


def is_joinable(step: Any) -> bool:
    """Whether a step may be joined, or others that are joined may pass it."""
    if not isinstance(step, Call | GroupCall):
        return False
    plain = (int, float, Value)
    if isinstance(step, Call) and not all(isinstance(arg, plain) for arg in step.args):
        return False
    return all(buffer.kind != MOVING for buffer in touched(step))


def of_positions(members: Iterable[Member]) -> tuple[tuple[int, Any], ...]:
    """Steps with their positions."""
    return tuple((member.position, member.step) for member in members)
