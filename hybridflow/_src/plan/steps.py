"""Steps of native code, and values that need none: constants, views, variables.

A step stands after all that it needs. There are groups of elementwise work, calls of kernels, and
calls of NumPy meanings where there is no kernel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.kernels import looping
from hybridflow._src.kernels.memory import SHORT_NAMES
from hybridflow._src.plan.groups import MOST_NODES, Group
from hybridflow._src.plan.values import CONSTANT, GIVEN, PLANNED, VARIABLE, Buffer, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.storage import Storage
    from hybridflow._src.kernels.kernel import Kernel
    from hybridflow._src.plan.in_registers import InRegisters
    from hybridflow._src.plan.instruction import Instruction
    from hybridflow._src.plan.meeting import Meeting


class Unsupported(Exception):
    """There is no kernel for this; the NumPy meaning has to run."""


class Call(NamedTuple):
    """A step that calls a kernel: its arguments are words, or values whose addresses they are.

    `fallible`: it may give a status. `divisible`: the first two arguments are a range that can be
    divided. `work`: how much can be, as bytes that could be moved meanwhile. `private`: memory of
    which each thread has a part, an equal one. `images`: over how many images, or rows of a first
    axis, the range goes evenly: the part of a range that ends where an image does, of all `even`
    buffers has read and written the images up to there, and no others. `marks`: it does nothing
    unless one of these is set. `packs`: what it writes may as well be kept from run to run, as long
    as what it reads stays the same.
    """

    kernel: Kernel
    args: tuple[Any, ...]
    reads: tuple[Value, ...]
    writes: tuple[Buffer, ...]
    fallible: bool
    divisible: bool
    work: int = 0
    private: tuple[Buffer, ...] = ()
    images: int = 0
    even: tuple[Buffer, ...] = ()
    marks: Buffer | None = None
    packs: bool = False

    @property
    def parts(self) -> tuple[Any, ...]:
        """None: see `Loop`."""
        return ()


class Choice(NamedTuple):
    """A step that runs one of several parts of the program.

    Attributes:
      chooser: the number of the part, an int64. parts: arrangements; None for one that has never
        run.
      names: what memory that buffers of parts have in the program around them.
      writes: what the parts have in common, and write to.
    """

    chooser: Value
    parts: tuple[Any, ...]
    names: tuple[dict[Buffer, Buffer], ...]
    reads: tuple[Value, ...]
    writes: tuple[Buffer, ...]

    @property
    def kernel(self) -> Kernel:
        return looping.CHOICE


class LoopVariable(NamedTuple):
    """Where a loop variable lies: its first value, before even turns and before odd ones."""

    first: Value
    even: Buffer
    odd: Buffer


class Cut(NamedTuple):
    """How the work of a step is cut into rows of the batch.

    Attributes:
      loop: of a group, the loop that goes over the rows: -2 or -1. each: how often for each row.
    """

    loop: int
    each: int


class ByRows(NamedTuple):
    """How a loop is shared.

    Attributes:
      rows: how many rows there are. cuts: of steps that are done for some of them, by identity.
      variables: for each loop variable whether it consists of rows. columns: those of which each
        element does, to which each thread writes its part. end_together: whether it goes on for all
        rows as long as it does for some.
    """

    rows: int
    cuts: dict[int, Cut]
    variables: tuple[bool, ...]
    columns: frozenset[Buffer]
    end_together: bool


class Loop(NamedTuple):
    """A step that runs two parts in turns, a condition and a body, until the condition fails.

    Attributes:
      instruction: what it does. parts: arrangements; None for a body that has never run.
      names: what memory buffers of the parts have in the program around it, in even turns and in
        odd ones. flag: what the condition gives.
      turn: where the number of the turn lies, an int64. turns: where their number is put, an int32.
      stacks: what each turn adds to. resumable: whether the interpreter can go on from any of
        its turns: all that it has are arrays, and those that are added.
      work: how much is done in a turn, as bytes that could be moved meanwhile.
      shares: the rows of each thread, where threads share them; by_rows: how.
      most: how many turns there were at most. least: how many there are whatever the values are.
      in_registers: where one kernel runs all turns, how; it has no parts then.
    """

    instruction: Instruction
    parts: tuple[Any, ...]
    names: tuple[dict[Buffer, Buffer], dict[Buffer, Buffer]]
    flag: Value
    variables: tuple[LoopVariable, ...]
    turn: Buffer
    turns: Buffer
    stacks: tuple[Buffer, ...]
    resumable: bool
    work: int
    reads: tuple[Value, ...]
    writes: tuple[Buffer, ...]
    most: int
    shares: tuple[range, ...] = ()
    by_rows: ByRows | None = None
    in_registers: InRegisters | None = None
    least: int = 0

    @property
    def kernel(self) -> Kernel:
        return looping.LOOP if self.in_registers is None else self.in_registers.kernel


class Opaque:
    """What a NumPy meaning gave and kernels cannot take: no array of numbers."""


class Host(NamedTuple):
    """A step that calls an op's NumPy meaning; `why` says what is missing for a kernel.

    Inputs are values, `Opaque`s, or objects as they are; outputs are buffers or `Opaque`s.
    """

    instruction: Instruction
    inputs: tuple[Any, ...]
    outputs: tuple[Buffer | Opaque, ...]
    storages: tuple[Storage, ...]
    why: str


Step = Group | Call | Host | Choice | Loop


class Steps:
    """Steps, as they are added.

    Args:
      threads: how many threads work on one large kernel.
      most: how many operations one kernel may hold, before the last op that it takes.

    Attributes:
      steps: in the order in which they run.
      op: the one that steps are added for. ops: those that went into each step, by its position.
      storages: the variables that are read or written, each with the memory that it is known by.
      written: those that are written, each with the last step that does so.
      first_write: the first step that writes to one, if there is any.
      is_update: whether the plan writes to variables.
      fallible: those that may fail. meetings: of these, those that wait for other ranks; meeting:
        what that asks of the job.
    """

    def __init__(self, threads: int, most: int = MOST_NODES) -> None:
        self.threads = threads
        self.most = most
        self.op: Operation | None = None
        self.ops: dict[int, dict[Operation | None, None]] = {}
        self.steps: list[Step | None] = []
        self.current: dict[Storage, Buffer] = {}
        self.written: dict[Storage, int] = {}
        self.first_write: int | None = None
        self._readers: dict[Storage, int] = {}
        self.fallible: list[int] = []
        self.is_update = False
        self.meeting: Meeting | None = None
        self.meetings: list[int] = []
        # Buffers that no later op uses; and those that a step reads.
        self.ending: set[Buffer] = set()
        self._used: set[Buffer] = set()
        self._scalars: dict[Any, Value] = {}

    # -- values ------------------------------------------------------------------------------------

    def constant(self, array: Any) -> Value:
        """A value that is known."""
        array = np.asarray(array, order="C")
        if array.size == 1:
            key = (array.dtype, array.shape, array.tobytes())
            known = self._scalars.get(key)
            if known is None:
                known = self._scalars[key] = self._constant(array)
            return known
        return self._constant(array)

    def _constant(self, array: np.ndarray) -> Value:
        buffer = Buffer(CONSTANT, array.shape, array.dtype)
        buffer.array = array
        return Value.whole(buffer)

    def known(self, value: Value) -> np.ndarray:
        """The array of a value that is known.

        Raises:
          Unsupported: if it is not.
        """
        array = value.constant
        if array is None:
            raise Unsupported("a value that only a run tells")
        return array

    @staticmethod
    def unsupported(why: str) -> Unsupported:
        """The error to raise where there is no kernel."""
        return Unsupported(why)

    def full(self, shape: tuple[int, ...], value: Any, dtype: np.dtype) -> Value:
        """A value repeated over a shape, without memory for each of them."""
        scalar = self.constant(np.asarray(value, dtype).reshape(()))
        return self.broadcast(scalar, shape)

    def broadcast(self, value: Value, shape: tuple[int, ...]) -> Value:
        """A value repeated over a larger shape.

        Raises:
          Unsupported: if it does not fit.
        """
        found = value.broadcast_to(tuple(shape))
        if found is None:
            raise Unsupported(f"{value.shape} to {shape}")
        return found

    def memory(self, shape: tuple[int, ...], dtype: Any) -> Value:
        """Memory for what the next call writes."""
        return Value.whole(Buffer(PLANNED, tuple(shape), np.dtype(dtype), len(self.steps)))

    # -- variables ---------------------------------------------------------------------------------

    def variable(self, storage: Storage) -> Value:
        """The value of a variable as it is now."""
        buffer = self.current.get(storage)
        if buffer is None:
            array = storage._array
            if array is None or array.dtype not in SHORT_NAMES:
                raise Unsupported(f"the value of variable '{storage.name}'")
            buffer = Buffer(VARIABLE, array.shape, array.dtype)
            buffer.storage = storage
            self.current[storage] = buffer
        return Value.whole(buffer)

    def _note_reads(self, values: Sequence[Value], position: int) -> None:
        self.ops.setdefault(position, {})[self.op] = None
        for value in values:
            self._used.add(value.buffer)
            storage = value.buffer.storage
            if storage is not None:
                self._readers[storage] = max(self._readers.get(storage, -1), position)

    def _earliest(self, values: Sequence[Value]) -> int:
        """The position before which the values are not there."""
        return max([value.buffer.maker for value in values], default=-1)

    def after_uses(self, storages: Sequence[Storage]) -> int:
        """The position before which variables are still read or written."""
        found = [self._readers.get(s, -1) for s in storages]
        return max([*found, *[self.written.get(s, -1) for s in storages]], default=-1)

    def _next(self, storage: Storage, position: int) -> Buffer:
        """The memory of a variable after a write by the step at a position."""
        before = self.current[storage]
        buffer = Buffer(VARIABLE, before.shape, before.dtype, position)
        buffer.storage = storage
        self.current[storage] = buffer
        self.written[storage] = position
        if self.first_write is None or position < self.first_write:
            self.first_write = position
        return buffer

    def written_by_call(self, storage: Storage) -> Value:
        """The memory of a variable that the next call writes to; all uses so far come before it."""
        self.variable(storage)
        return Value.whole(self._next(storage, len(self.steps)))

    # -- calls -------------------------------------------------------------------------------------

    def call(
        self,
        kernel: Kernel,
        args: Sequence[Any],
        *,
        reads: Sequence[Value],
        writes: Sequence[Value],
        fallible: bool = False,
        divisible: bool = False,
        work: int | None = None,
        private: Sequence[Value] = (),
        even: Sequence[Value] = (),
        marks: Value | None = None,
        packs: bool = False,
    ) -> None:
        """Adds a call of a kernel: `args` are integers, floats, or values of reads and writes.

        A call that adds to what other calls have written names it among its reads too. Values of
        `private` are memory for as many parts as there are threads. The work that can be divided
        is as much as to move eight times what is written, unless it is given. What `even`, `marks`
        and `packs` mean: see `Call`; of `even` values the first axis counts.
        """
        position = len(self.steps)
        self._note_reads(reads, position)
        written = tuple(v.buffer for v in (*writes, *private))
        before = {value.buffer for value in reads}
        for buffer in written:
            buffer.maker = position
            if buffer not in before:
                buffer.first = position
        if divisible and work is None:
            work = 8 * sum(buffer.size for buffer in written)
        if fallible:
            self.fallible.append(position)
        self.steps.append(
            Call(
                kernel,
                tuple(args),
                tuple(reads),
                written,
                fallible,
                divisible,
                work or 0,
                tuple(v.buffer for v in private),
                *_images(even, [*reads, *writes]),
                None if marks is None else marks.buffer,
                packs,
            )
        )

    def nested(
        self, step: Choice | Loop, storages: Iterable[Storage], written: Iterable[Storage]
    ) -> None:
        """Adds a step that runs parts of the program, which use variables and write to some."""
        position = len(self.steps)
        self._note_reads([*step.reads, *map(self.variable, storages)], position)
        before = {value.buffer for value in step.reads}
        for buffer in step.writes:
            buffer.maker = buffer.last = position
            if buffer not in before:
                buffer.first = position
        self.fallible.append(position)
        self.steps.append(step)
        for storage in written:
            self._next(storage, position)

    def host(
        self,
        instruction: Instruction,
        inputs: Sequence[Any],
        outputs: Sequence[tuple[tuple[int, ...], np.dtype] | None],
        storages: Sequence[Storage],
        why: str,
    ) -> list[Value | Opaque]:
        """Adds a call of an op's NumPy meaning; outputs are shapes and dtypes, where known."""
        position = len(self.steps)
        self._note_reads([v for v in inputs if isinstance(v, Value)], position)
        found = [Opaque() if o is None else Buffer(GIVEN, *o, position) for o in outputs]
        self.fallible.append(position)
        self.steps.append(Host(instruction, tuple(inputs), tuple(found), tuple(storages), why))
        return [item if isinstance(item, Opaque) else Value.whole(item) for item in found]


def _images(even: Sequence[Value], all_: Sequence[Value]) -> tuple[int, tuple[Buffer, ...]]:
    """How many images there are, and the buffers that consist of so many, one after the other,
    and are not touched in another way too.
    """
    counts = {value.shape[0] for value in even}
    if len(counts) != 1:
        return 0, ()
    (count,) = counts
    others = {value.buffer for value in all_ if value not in even}
    return count, tuple(
        value.buffer
        for value in even
        if value.strides[0] * count == value.buffer.size
        and value.offset < value.strides[0]
        and value.buffer not in others
    )
