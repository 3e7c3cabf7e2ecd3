"""The words of a native program: programs in memory, and the arguments of kernels.

Those of the parts inside a program stand among its own. What a part calls a buffer has its address
from the program around it, by its *name* there.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.kernels import looping
from hybridflow._src.kernels.driver import HEAD_WORDS, NEXT
from hybridflow._src.kernels.products import RESULT
from hybridflow._src.plan.by_rows import cut_call
from hybridflow._src.plan.groups import GroupCall
from hybridflow._src.plan.joining import Bands
from hybridflow._src.plan.located import Rows, is_locating
from hybridflow._src.plan.memory import new_block
from hybridflow._src.plan.products import cut, cut_sum
from hybridflow._src.plan.steps import ByRows, Call, Choice, Loop
from hybridflow._src.plan.values import MOVING, Buffer, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hybridflow._src.kernels.kernel import Kernel
    from hybridflow._src.plan.arrangement import Arrangement
    from hybridflow._src.plan.in_registers import InRegisters
    from hybridflow._src.plan.memory import Block

# Calls of kernels: the address of each and the position of its first argument.
Calls = list[tuple[int, int]]
# The word that all parts share: the work that is left until loops pause.
LEFT = 0


class _Share(NamedTuple):
    """What one of the threads that share a loop does.

    Attributes:
      rows: those that it computes. private: for what belongs to no row memory of its own.
    """

    by_rows: ByRows
    rows: range
    private: dict[Buffer, Buffer]

    @property
    def of(self) -> int:
        """How many rows there are in all."""
        return self.by_rows.rows

    def is_cut(self, variable: int) -> bool:
        """Whether a loop variable consists of rows."""
        return self.by_rows.variables[variable]

    def range_of(self, step: Any) -> tuple[int, tuple[int, int]] | None:
        """Of which loop of a step which part is done; None if it is done for all rows."""
        cut = self.by_rows.cuts.get(id(step))
        if cut is None:
            return None
        return cut.loop, (cut.each * self.rows.start, cut.each * self.rows.stop)


class Words:
    """Words as they are added, by the positions at which they will lie.

    Args:
      addresses: of the kernels.

    Attributes:
      words: with 0 where addresses of memory come. places: for each buffer the positions of words
        that take its address, and what is added to it. pointers: for positions of words that take
        the address of another word, the position of that.
      begins: the words that say where programs and loops begin.
      owners: for the first argument of each call the position of its step.
      blocks: the memory of parts. block_of: whose memory a buffer of a part lies in.
      loops: by the positions of their words; left_of: where for each the work is counted that is
        left until it pauses. lefts: all words that do.
    """

    def __init__(self, addresses: Mapping[Kernel, int]) -> None:
        self._addresses = addresses
        self.words = [0]
        self.places: dict[Buffer, list[tuple[int, int]]] = {}
        self.pointers: dict[int, int] = {}
        self.begins: list[int] = []
        self.owners: dict[int, int] = {}
        self.blocks: list[Block] = []
        self.block_of: dict[Buffer, Block] = {}
        self.loops: dict[int, Loop] = {}
        self._names: Mapping[Buffer, Buffer] = {}
        # In which memory of a thread's own buffers lie, and what is added to its address.
        self._own: Mapping[Buffer, tuple[Buffer, int]] = {}
        self.lefts = [LEFT]
        self.left_of: dict[int, int] = {}
        self._share: _Share | None = None
        # For the words that take the address of a table the rows in it, and what each is a row of.
        self._tables: dict[int, list[tuple[Buffer, Buffer, int, int]]] = {}

    def _address(self, buffer: Buffer, offset: int = 0) -> None:
        buffer = self._names.get(buffer, buffer)
        if buffer in self._own:
            buffer, more = self._own[buffer]
            offset += more
        self.places.setdefault(buffer, []).append((len(self.words), offset))
        self.words.append(0)

    def _pointer(self, position: int) -> None:
        self.pointers[len(self.words)] = position
        self.words.append(0)

    def program(self, calls: Calls) -> int:
        """The position of a program that makes calls."""
        start = len(self.words)
        self.begins.append(start + NEXT)
        self.words += [len(calls), *[0] * (HEAD_WORDS - 1)]
        for address, first in calls:
            self.words.append(address)
            self._pointer(first)
        return start

    def _table(self, rows: Rows) -> None:
        """The address of a table, which is there when it is known which words are about rows."""
        called = self._names.get
        self._tables[len(self.words)] = [
            (called(row, row), called(of.buffer, of.buffer), of.offset, of.strides[0])
            for row, of in rows
        ]
        self.words.append(0)

    def _put_tables(self) -> None:
        self._names = {}
        # Rows of rows are located after these, and use their words.
        for position, rows in reversed(self._tables.items()):
            self.pointers[position] = start = len(self.words)
            self.words.append(0)
            for row, of, offset, apart in rows:
                for word, added in self.places.pop(row, ()):
                    self._pointer(word)
                    self._address(of, offset + added)
                    self.words.append(apart)
                    self.words[start] += 1

    def array(self) -> np.ndarray:
        """The words in memory, addresses of words among them."""
        self._put_tables()
        array = np.array(self.words, np.int64)
        for position, to in self.pointers.items():
            array[position] = array.ctypes.data + 8 * to
        return array

    # -- calls -------------------------------------------------------------------------------------

    def calls(self, within: Arrangement, position: int, step: Any) -> Calls:
        """The calls of a step, one for each range."""
        starts: list[int]
        if isinstance(step, GroupCall):
            starts = self._group(within, position, step)
        elif isinstance(step, Choice):
            starts = [self._choice(step)]
        elif isinstance(step, Loop):
            how = step.in_registers
            if how is not None:
                starts = [self._loop_in_registers(step, how)]
            else:
                starts = self._shares(step) if step.shares else [self._loop(step)]
        else:
            starts = self._call(within, step)
        self.owners.update(dict.fromkeys(starts, position))
        return [(self._addresses[within.kernels[position]], start) for start in starts]

    def combining(self, within: Arrangement, position: int, step: Any) -> Calls:
        """Calls that add up the parts of the totals of a step."""
        if isinstance(step, Bands):
            calls = [c for item in step.members for c in self.combining(within, *item)]
            self.owners.update((start, position) for _, start in calls)
            return calls
        calls = []
        for operand, rest in within.partials.get(position, {}).items():
            whole = (step.places if isinstance(step, GroupCall) else step.args)[operand].buffer
            for part in rest:
                address = self._addresses[within.kernels[position, operand]]
                self.owners[len(self.words)] = position
                calls.append((address, len(self.words)))
                self.words += [0, 1, 0, math.prod(whole.shape)]
                for buffer in (whole, part):
                    self._address(buffer)
                    self.words.append(0)
        return calls

    def bands(self, within: Arrangement, position: int, step: Bands) -> list[Calls]:
        """The calls of steps that take turns, for each thread."""
        found = []
        # How many turns each has had.
        had = [0] * len(step.members)
        for part, turns in enumerate(step.shares):
            calls = []
            # The numbers of those sums that have something of this thread.
            begun: set[int] = set()
            rows = range(0)
            for turn in turns:
                at, member = step.members[turn.member]
                range_ = turn.first, turn.last
                if turn.rows != rows:
                    rows = turn.rows
                    self._own = _own(step, part, rows)
                if isinstance(member, GroupCall):
                    scratch = member.scratch[part :: len(step.shares)]
                    buffers = self._operands(within, at, member, had[turn.member])
                    start = self._one_group(member, buffers, scratch, range_)
                elif turn.member in step.sums:
                    result = [member.writes[0], *within.partials[at][RESULT]][part]
                    args = cut_sum(member, turn.rows, result, turn.member in begun)
                    begun.add(turn.member)
                    start = self._one_call(within, member._replace(args=args), part)
                elif turn.rows:
                    args = cut(member, turn.rows, step.rows)
                    start = self._one_call(within, member._replace(args=args), part)
                else:
                    start = self._one_call(within, member, part, range_, turn.marks)
                had[turn.member] += 1
                self.owners[start] = position
                calls.append((self._addresses[within.kernels[at]], start))
            found.append(calls)
            self._own = {}
        return found

    def _group(self, within: Arrangement, position: int, step: GroupCall) -> list[int]:
        starts = []
        parts = within.parts(step)
        count = step.sizes[step.divided]
        for part in range(parts):
            buffers = self._operands(within, position, step, part)
            range_ = (count * part // parts, count * (part + 1) // parts)
            starts.append(self._one_group(step, buffers, step.scratch[part::parts], range_))
        return starts

    @staticmethod
    def _operands(within: Arrangement, position: int, step: GroupCall, part: int) -> list[Buffer]:
        """The operands of a group in one of several parts, of which each has totals of its own."""
        buffers = [place.buffer for place in step.places]
        if part:
            for operand, rest in within.partials.get(position, {}).items():
                buffers[operand] = rest[part - 1]
        return buffers

    def _one_group(
        self,
        step: GroupCall,
        buffers: Sequence[Buffer],
        scratch: Iterable[Buffer],
        range_: tuple[int, int],
    ) -> int:
        """The words of a group for a part of the loop that is divided."""
        start = len(self.words)
        sizes = step.sizes
        ranges = [(0, sizes[-2]), (0, sizes[-1])]
        ranges[step.divided] = range_
        cut = None if self._share is None else self._share.range_of(step)
        if cut is not None:
            ranges[cut[0]] = cut[1]
        for first, last in ranges:
            self.words += [first, last]
        self.words += sizes[:-2]
        rest = iter(scratch)
        for operand, spec in enumerate(step.nest.operands):
            if operand < len(step.places):
                strides = step.strides[operand]
                self._address(buffers[operand], step.places[operand].offset)
                self.words += strides[:-1]
                if spec.columns == "g":
                    self.words.append(strides[-1] // spec.dtype.itemsize)
            else:
                self._address(next(rest))
                self.words += [0] * (len(sizes) - 1)
        return start

    def _call(self, within: Arrangement, step: Call) -> list[int]:
        parts = within.parts(step)
        if parts == 1:
            return [self._one_call(within, step, 0)]
        count = step.args[1]
        return [
            self._one_call(within, step, p, (count * p // parts, count * (p + 1) // parts))
            for p in range(parts)
        ]

    def _one_call(
        self,
        within: Arrangement,
        step: Call,
        part: int,
        range_: tuple[int, int] | None = None,
        marks: tuple[int, int] | None = None,
    ) -> int:
        """The words of a call, for a part of its range; of its marks it may look at some."""
        start = len(self.words)
        args = list(step.args)
        if self._share is not None and self._share.range_of(step) is not None:
            args = cut_call(step, self._share.rows, self._share.of)
        if range_ is not None:
            args[:2] = range_
        if step.marks is not None and marks is not None:
            at = next(
                i for i, a in enumerate(args) if isinstance(a, Value) and a.buffer is step.marks
            )
            first, last = marks
            args[at] = Value(step.marks, (last - first,), (4,), 4 * first)
            args[at + 1] = last - first
        for arg in args:
            if isinstance(arg, Value):
                own = part * (arg.buffer.size // within.threads)
                offset = own if arg.buffer in step.private else arg.offset
                self._address(arg.buffer, offset)
            elif isinstance(arg, Rows):
                self._table(arg)
            elif isinstance(arg, float):
                self.words.append(struct.unpack("<q", struct.pack("<d", arg))[0])
            else:
                self.words.append(int(arg))
        return start

    # -- parts -------------------------------------------------------------------------------------

    def _part(self, part: Arrangement | None, names: Mapping[Buffer, Buffer]) -> int | None:
        """The position of the program of a part, for what its buffers are called in this one."""
        if part is None:
            return None
        outer = self._names
        called = {inside: outer.get(name, name) for inside, name in names.items()}
        for _, step in part.steps:
            if isinstance(step, Call) and is_locating(step):
                # Where a row lies is another thing for each place where the part runs.
                called.update((b, Buffer(MOVING, b.shape, b.dtype)) for b in step.writes)
        self._names = called
        owners = self.owners
        self.owners = {}
        if part.block not in self.blocks:
            self.blocks.append(part.block)
            self.block_of.update(dict.fromkeys(part.block.buffers, part.block))
        calls = [c for position, step in part.steps for c in self.calls(part, position, step)]
        self._names, self.owners = outer, owners
        return self.program(calls)

    def _program_word(self, position: int | None) -> None:
        if position is None:
            self.words.append(0)
        else:
            self._pointer(position)

    def _choice(self, step: Choice) -> int:
        programs = [self._part(*item) for item in zip(step.parts, step.names, strict=True)]
        start = len(self.words)
        self._address(step.chooser.buffer, step.chooser.offset)
        self.words.append(len(programs))
        for program in programs:
            self._program_word(program)
        return start

    def _loop_in_registers(self, step: Loop, how: InRegisters) -> int:
        start = len(self.words)
        self.loops[start] = step
        self.left_of[start] = LEFT
        self.words.append(0)
        self.begins.append(start)
        self._pointer(LEFT)
        self.words.append(how.work)
        for buffer in (step.turn, step.turns):
            self._address(buffer)
        for first, place, _ in step.variables:
            self._address(first.buffer, first.offset)
            self._address(place)
        called, _ = step.names
        for buffer, offset in how.reads:
            self._address(called.get(buffer, buffer), offset)
        return start

    def _loop(self, step: Loop, share: _Share | None = None) -> int:
        condition, body = step.parts
        private = {} if share is None else share.private
        before, self._share = self._share, share
        turns = []
        for names in step.names:
            own = {inside: private.get(name, name) for inside, name in names.items()}
            turns.append([self._part(part, {**private, **own}) for part in (condition, body)])
        self._share = before
        left = LEFT
        if share is not None:
            left = len(self.words)
            self.lefts.append(left)
            self.words.append(0)
        start = len(self.words)
        self.loops[start] = step
        self.left_of[start] = left
        self.words += [len(step.variables), looping.NOTHING]
        self.begins.append(start + 1)
        self._pointer(left)
        self.words.append(step.work)
        for buffer in (step.turn, step.turns):
            self._address(private.get(buffer, buffer))
        self.words += [step.least, 0]
        for (test, turn), names in zip(turns, step.names, strict=True):
            self._program_word(test)
            flag = names.get(step.flag.buffer, step.flag.buffer)
            self._address(private.get(flag, flag), step.flag.offset)
            self._program_word(turn)
        for number, (first, even, odd) in enumerate(step.variables):
            offset, size = 0, even.size
            if share is not None and share.is_cut(number):
                offset, size = (
                    even.size // share.of * n for n in (share.rows.start, len(share.rows))
                )
            self._address(first.buffer, first.offset + offset)
            for place in (even, odd):
                self._address(private.get(place, place), offset)
            self.words.append(size)
        return start

    def _shares(self, step: Loop) -> list[int]:
        """A loop for the rows of each thread."""
        assert step.by_rows is not None
        starts = []
        for number, rows in enumerate(step.shares):
            share = _Share(step.by_rows, rows, self._private(step) if number else {})
            starts.append(self._loop(step, share))
        return starts

    def _private(self, step: Loop) -> dict[Buffer, Buffer]:
        """For what a thread computes for itself memory of its own."""
        assert step.by_rows is not None
        whole = [
            buffer
            for variable, is_cut in zip(step.variables, step.by_rows.variables, strict=True)
            if not is_cut
            for buffer in (variable.even, variable.odd)
            if buffer not in step.by_rows.columns
        ]
        private: dict[Buffer, Buffer] = {}
        for buffers in (
            [step.turn, step.turns, *whole],
            *[part.block.buffers for part in step.parts],
        ):
            found = {buffer: buffer.again() for buffer in dict.fromkeys(buffers)}
            block = new_block(found.values())
            self.blocks.append(block)
            self.block_of.update(dict.fromkeys(found.values(), block))
            private.update(found)
        return private


def _own(step: Bands, part: int, rows: range) -> dict[Buffer, tuple[Buffer, int]]:
    """Where buffers would begin in a thread's own memory, for some rows to lie in it."""
    return {
        buffer: (step.memory[part], at - buffer.size // step.rows * rows.start)
        for buffer, at in step.own.items()
    }
