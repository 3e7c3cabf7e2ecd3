"""The words of a native program: programs in memory, and the arguments of kernels.

Those of the parts inside a program stand among its own. What a part calls a buffer has its address
from the program around it, by its *name* there.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.kernels import looping
from hybridflow._src.kernels.driver import HEAD_WORDS, NEXT
from hybridflow._src.plan.groups import GroupCall
from hybridflow._src.plan.steps import Call, Choice, Loop
from hybridflow._src.plan.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hybridflow._src.kernels.kernel import Kernel
    from hybridflow._src.plan.arrangement import Arrangement
    from hybridflow._src.plan.memory import Block
    from hybridflow._src.plan.values import Buffer

# Calls of kernels: the address of each and the position of its first argument.
Calls = list[tuple[int, int]]
# The word that all parts share: the work that is left until loops pause.
LEFT = 0


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
      loops: by the positions of their words.
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

    def _address(self, buffer: Buffer, offset: int = 0) -> None:
        buffer = self._names.get(buffer, buffer)
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

    def array(self) -> np.ndarray:
        """The words in memory, addresses of words among them."""
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
            starts = [self._loop(step)]
        else:
            starts = self._call(within, step)
        self.owners.update(dict.fromkeys(starts, position))
        return [(self._addresses[within.kernels[position]], start) for start in starts]

    def combining(self, within: Arrangement, position: int, step: Any) -> Calls:
        """Calls that add up the parts of the totals of a step."""
        calls = []
        for operand, rest in within.partials.get(position, {}).items():
            whole = step.places[operand].buffer
            for part in rest:
                address = self._addresses[within.kernels[position, operand]]
                self.owners[len(self.words)] = position
                calls.append((address, len(self.words)))
                self.words += [0, 1, 0, math.prod(whole.shape)]
                for buffer in (whole, part):
                    self._address(buffer)
                    self.words.append(0)
        return calls

    def _group(self, within: Arrangement, position: int, step: GroupCall) -> list[int]:
        starts = []
        parts = within.parts(step)
        sizes = step.sizes
        for part in range(parts):
            starts.append(len(self.words))
            ranges = [(0, sizes[-2]), (0, sizes[-1])]
            if parts > 1:
                count = sizes[step.divided]
                ranges[step.divided] = (count * part // parts, count * (part + 1) // parts)
            for first, last in ranges:
                self.words += [first, last]
            self.words += sizes[:-2]
            scratch = iter(step.scratch[part::parts])
            for operand, spec in enumerate(step.nest.operands):
                if operand < len(step.places):
                    place, strides = step.places[operand], step.strides[operand]
                    rest = within.partials.get(position, {}).get(operand) if part else None
                    self._address(rest[part - 1] if rest else place.buffer, place.offset)
                    self.words += strides[:-1]
                    if spec.columns == "g":
                        self.words.append(strides[-1] // spec.dtype.itemsize)
                else:
                    self._address(next(scratch))
                    self.words += [0] * (len(sizes) - 1)
        return starts

    def _call(self, within: Arrangement, step: Call) -> list[int]:
        starts = []
        parts = within.parts(step)
        for part in range(parts):
            starts.append(len(self.words))
            args = list(step.args)
            if parts > 1:
                count = args[1]
                args[:2] = [count * part // parts, count * (part + 1) // parts]
            for arg in args:
                if isinstance(arg, Value):
                    own = part * (arg.buffer.size // within.threads)
                    offset = own if arg.buffer in step.private else arg.offset
                    self._address(arg.buffer, offset)
                elif isinstance(arg, float):
                    self.words.append(struct.unpack("<q", struct.pack("<d", arg))[0])
                else:
                    self.words.append(int(arg))
        return starts

    # -- parts -------------------------------------------------------------------------------------

    def _part(self, part: Arrangement | None, names: Mapping[Buffer, Buffer]) -> int | None:
        """The position of the program of a part, for what its buffers are called in this one."""
        if part is None:
            return None
        outer = self._names
        self._names = {inside: outer.get(name, name) for inside, name in names.items()}
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

    def _loop(self, step: Loop) -> int:
        condition, body = step.parts
        turns = [(self._part(condition, n), self._part(body, n)) for n in step.names]
        start = len(self.words)
        self.loops[start] = step
        self.words += [len(step.variables), looping.NOTHING]
        self.begins.append(start + 1)
        self._pointer(LEFT)
        self.words.append(step.work)
        self._address(step.turn)
        self._address(step.turns)
        for (test, turn), names in zip(turns, step.names, strict=True):
            self._program_word(test)
            flag = names.get(step.flag.buffer, step.flag.buffer)
            self._address(flag, step.flag.offset)
            self._program_word(turn)
        for first, even, odd in step.variables:
            self._address(first.buffer, first.offset)
            self._address(even)
            self._address(odd)
            self.words.append(even.size)
        return start
