"""Native programs: steps with addresses, run on the plan's own memory.

A program is made for one set of shapes of what is fed. It is run by one thread at a time.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy import ndarray

from hybridflow._src.framework.locks import mending
from hybridflow._src.framework.storage import is_journaled
from hybridflow._src.kernels import looping, pool
from hybridflow._src.kernels.driver import HEAD_WORDS, MISMATCH, NEXT, Feed, feed_table
from hybridflow._src.kernels.memory import ARRAYS_ARE_KNOWN, address_of
from hybridflow._src.plan.collectives import Begin, End
from hybridflow._src.plan.layout import UNTIL_PAUSE, Layout, SharedTurns
from hybridflow._src.plan.nested import Stopped, Turns
from hybridflow._src.plan.steps import Host, Opaque
from hybridflow._src.plan.values import (
    CONSTANT,
    FED,
    GIVEN,
    PLANNED,
    VARIABLE,
    Buffer,
    Changed,
    Value,
    own,
)
from hybridflow._src.ranks import job as jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hybridflow._src.framework.storage import Storage
    from hybridflow._src.kernels.crew import Crew
    from hybridflow._src.kernels.driver import Entry
    from hybridflow._src.kernels.kernel import Kernel

R = TypeVar("R")


class Program(Layout):
    """A layout that runs."""

    def link(self, addresses: dict[Kernel, int], entry: Entry, crew: Crew | None) -> None:
        super().link(addresses, entry, crew)
        # Whether a run has begun that has not come to its end: it would go on where it is.
        self._is_open = False
        # As of when filters are packed.
        self._packed = (-1, -1)
        self._begins = np.array(self._laid.begins, np.intp)
        self._find_quick(entry)

    # -- running -----------------------------------------------------------------------------------

    def run(self, feeds: Sequence[Any], interpret: Callable[[Host, list[Any]], list[Any]]) -> Any:
        """Runs the steps; the caller holds the locks of the variables.

        Returns: the fetched values, arrays of the caller's own, NumPy scalars for rank 0.

        Raises:
          Changed: if what it was made for is no longer so, or a kernel gave a status. Variables may
            have been written to.
        """
        if self.meeting is not None:
            self.meeting.prepare()
        self._bind_variables()
        self._pack()
        if self.guard is not None and self.written:
            self.guard.writes += 1
        arrays = self._arrays = dict(enumerate(feeds))
        for index, buffer in enumerate(self._feeds):
            if buffer is not None:
                array = arrays[index]
                if array.__class__ is not ndarray or not array.flags.carray:
                    array = arrays[index] = np.require(array, requirements=("C", "A"))
                self._bind(buffer, address_of(array))
        given: dict[Any, Any] = {buffer: self._hand(buffer) for buffer in self._handed}
        results: dict[Any, Any] = {}
        for block in self._blocks:
            block.begin()
        self._begin()
        try:
            mending(lambda: self._run_segments(interpret, given, results), self._complete)
        except Changed as changed:
            changed.given = {k: found for k, found in results.items() if k not in self.undone}
            raise
        self._is_open = False
        for block in self._blocks:
            block.check(self.ops)
        return [self._fetched(fetch, given) for fetch in self._fetches]

    def _run_segments(
        self,
        interpret: Callable[[Host, list[Any]], list[Any]],
        given: dict[Any, Any],
        results: dict[Any, Any],
    ) -> None:
        for kind, what in self._segments:
            if kind == "native":
                status = self._enter(what)
                while status:
                    try:
                        self._go_on(status)
                    except Changed:
                        self._keep_turns(what, given, results)
                        raise
                    status = self._enter(what)
            elif kind == "shared":
                pool.run(self._crew, what)
            elif kind == "turns":
                self._run_turns(what)
            else:
                compute = what.instruction.compute
                if isinstance(compute, Begin):  # it keeps none
                    inputs = [self._lent(v, given) for v in what.inputs]
                    if not compute.agree(inputs, self.threads if self.is_update else 0):
                        raise Changed("other ranks run it by the interpreter")
                else:
                    inputs = [self._fetched(v, given, array=True) for v in what.inputs]
                is_watched = isinstance(compute, End) and inputs[0].natively
                if is_watched:
                    inputs[0].natively = False
                outputs = results[id(what.instruction)] = interpret(what, inputs)
                if is_watched:
                    self._check_on_all_ranks(what, outputs)
                self._take(what, outputs, given)

    @staticmethod
    def _check_on_all_ranks(step: Host, outputs: Sequence[np.ndarray]) -> None:
        """Sees to it that all ranks go on natively with what came from them, or none.

        Raises:
          Changed: if on some it has other shapes than those that programs were made for.
        """
        pairs = zip(step.outputs, outputs, strict=True)
        fits = all(isinstance(to, Opaque) or to.shape == array.shape for to, array in pairs)
        if not jobs.here().all_fit(fits):
            raise Changed(f"{step.instruction.op.name} gave another shape")

    def _run_turns(self, turns: SharedTurns) -> None:
        """Runs a loop whose rows threads share.

        Raises:
          Changed: if one of them stopped.
        """
        words, shared = self._array, turns.shared
        marks = {p: (p - words.ctypes.data) // 8 + 1 for p in shared.programs}
        left_of = dict(zip(shared.programs, turns.lefts, strict=True))
        words[list(marks.values())] = 0
        for loop in turns.loops:
            words[[loop + looping.LEAST, loop + looping.WAITS]] = 0, turns.end_together
        waiting: set[int] = set()
        while open_ := [program for program in marks if not words[marks[program]]]:
            running = [program for program in open_ if program not in waiting]
            pool.run(self._crew, shared._replace(programs=running))
            for program in running:
                if not words[marks[program]] and words[left_of[program]] >= 0:
                    # It has not paused: what is it that it has stopped for?
                    status = self._enter(program)
                    if status & 255 == looping.WAITING:
                        waiting.add(program)
                    elif status:
                        self._go_on(status)
            if len(waiting) == len(marks):
                waiting = self._agree(turns)
            self._go_on(looping.PAUSED)

    def _agree(self, turns: SharedTurns) -> set[int]:
        """Has threads that would all end their loop do so, if they are in the same turn; else has
        those go on that are behind. Gives the others.
        """
        words = self._array
        numbers = [
            ctypes.c_int64.from_address(int(words[loop + looping.TURN])).value
            for loop in turns.loops
        ]
        last = max(numbers)
        are_equal = min(numbers) == last
        for loop in turns.loops:
            words[[loop + looping.LEAST, loop + looping.WAITS]] = last, not are_equal
        pairs = zip(turns.programs, numbers, strict=True)
        return {program for program, number in pairs if number == last and not are_equal}

    def _begin(self) -> None:
        """Has programs begin with their first calls."""
        if self._marks:
            self._array[self._marks] = 0
        if self._is_open:
            self._array[self._begins] = 0
        self._is_open = True

    def _go_on(self, status: int) -> None:
        """Does what a program has stopped for; it then goes on where it is.

        Raises:
          Changed: if that is something that only the interpreter can do.
        """
        what = status & 255
        is_meeting = self.meeting is not None and self.meeting.go_on(what)
        if what != looping.PAUSED and not is_meeting:
            is_news = what in (looping.UNKNOWN, looping.FULL)
            raise Changed("a kernel gave a status", is_news, is_news)
        self._array[self._laid.lefts] = UNTIL_PAUSE
        # What ran meanwhile may have taken arrays of variables as its own.
        self._bind_variables()

    def _keep_turns(self, program: int, given: dict[Any, Any], results: dict[Any, Any]) -> None:
        """Where a native program stopped in a loop, has the interpreter go on from that turn."""
        words = self._array
        at = (program - words.ctypes.data) // 8
        if not 0 <= at < words.size:  # a step by itself, which is traced
            return
        call = at + HEAD_WORDS + 2 * int(words[at + NEXT])
        loop = self._laid.loops.get((int(words[call + 1]) - words.ctypes.data) // 8)
        if loop is None or not loop.resumable:
            return
        turn = int(self.block.array(loop.turn))
        places = [v.odd if turn & 1 else v.even for v in loop.variables]
        memory = [given[p] if p in given else self.block.array(p) for p in places]
        results[id(loop.instruction)] = Stopped(
            turn,
            [array.copy() for array in memory],
            [Turns(self.block.array(stack)[:turn].copy()) for stack in loop.stacks],
        )

    def _complete(self) -> None:
        """Runs what is left of a step that was interrupted between two of its writes.

        All that may fail comes before the first of them: there is nothing of it left to run.
        """
        if self._array[self._marks].any():
            for program, mark in zip(self._writing, self._marks, strict=True):
                if not self._array[mark]:
                    self._enter(program)

    def occupied(self, function: Callable[..., R], *args: Any) -> R:
        """Calls a function that runs the program, which nobody else may run meanwhile."""
        self.running = True
        try:
            return function(*args)
        finally:
            try:
                self.running = False
            finally:
                pass

    def quick(self, feeds: Iterable[Any]) -> list[Any] | None:
        """`run` for programs that are native throughout, if the feeds are as they need them.

        Args:
          feeds: all of them, or as many as may have changed since the last run.

        Returns: the fetched values, or None if it does not apply.
        """
        if self._quick is None:
            return None
        feed, whole, fetches, lock, guard = self._quick
        feeds = tuple(feeds)
        # `holding`, without a call that the smallest steps would feel.
        try:
            lock.acquire()
            if self.running or is_journaled():
                return None
            # `occupied`, without a call too.
            self.running = True
            try:
                if self.meeting is not None:
                    self.meeting.prepare()
                if guard is not None:
                    if guard.epoch != self._epoch:
                        self._bind_variables()
                    if self._packing:
                        self._pack()
                    if self.written:
                        guard.writes += 1
                handed = {b: self._hand(b) for b in self._handed} if self._handed else None
                if self._is_open:
                    self._begin()
                self._is_open = True
                status = feed(feeds)
                while status:
                    if status == MISMATCH:
                        return None
                    self._go_on(status)
                    status = self._enter(whole)
                if not whole:
                    self._run_all()
                self._is_open = False
                if handed is not None:
                    return [
                        handed[a] if a.__class__ is Buffer else a.copy() if a.ndim else a[()]
                        for a in fetches
                    ]
                return [a.copy() if a.ndim else a[()] for a in fetches]
            except Changed:
                return None
            finally:
                try:
                    self.running = False
                finally:
                    pass
        finally:
            try:  # noqa: SIM105
                lock.release()
            except RuntimeError:
                pass

    def _run_all(self) -> None:
        """Runs the segments of a program that is native throughout.

        Raises:
          Changed: if a kernel failed.
        """
        self._begin()
        mending(self._run_native_segments, self._complete)

    def _run_native_segments(self) -> None:
        for kind, what in self._segments:
            if kind == "shared":
                pool.run(self._crew, what)
            elif kind == "turns":
                self._run_turns(what)
            else:
                status = self._enter(what)
                while status:
                    self._go_on(status)
                    status = self._enter(what)

    def _hand(self, buffer: Buffer) -> np.ndarray:
        """An array for a fetched value, bound to be written."""
        array = self._handed[buffer].take()
        self._bind(buffer, address_of(array))
        return array

    def _find_quick(self, entry: Entry) -> None:
        """Prepares `quick`, where it applies."""
        self._quick: Any = None
        if self.block.is_guarded or not ARRAYS_ARE_KNOWN:
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
        feeds = [
            Feed(given)
            if buffer is None
            else Feed(None, buffer.dtype, buffer.shape, self._words_of(buffer))
            for buffer, given in zip(self._feeds, self._given, strict=True)
        ]
        fetches = [
            v.buffer if v.buffer in self._handed else self.block.array(v.buffer).reshape(v.shape)
            for v in self._fetches
        ]
        kind, start = self._segments[0]
        # The address of the program, if there is one alone.
        whole = start if kind == "native" and len(self._segments) == 1 else 0
        self._table = feed_table(whole, feeds)
        self._quick = (entry.feeder(self._table), whole, fetches, self.lock, self.guard)

    def let_go(self) -> bool:
        """Forgets where the arrays of variables lie, unless it is running."""
        if not self.running:
            self._bound.clear()
            self._epoch = -1
        return not self.running

    def _bind_variables(self) -> None:
        if self.guard is None or (self.guard.epoch == self._epoch and not is_journaled()):
            return
        bound = self._bound
        for storage in self.written:
            storage.own()
        for storage in self.storages:
            if storage.version != bound.get(storage):
                self._bind_variable(storage)
        self._epoch = self.guard.epoch

    def _pack(self) -> None:
        """Packs filters anew, if a variable may have changed since they were."""
        if self._packing and self.guard is not None:
            now = self.guard.epoch, self.guard.writes
            if self._packed != now:
                self._enter(self._packing)
                self._packed = now

    def _bind_variable(self, storage: Storage) -> None:
        array: Any = storage._array
        for buffer in self._by_storage.get(storage, ()):
            if array is None or array.shape != buffer.shape or array.dtype != buffer.dtype:
                raise Changed(f"variable '{storage.name}' has another shape", of_shapes=True)
            if not array.flags.c_contiguous or not array.flags.aligned:
                array = storage.own()
            self._bind(buffer, address_of(array))
        # No reference: the variable has its array back once those who read it have let it go.
        self._bound[storage] = storage.version

    def _take(self, step: Host, outputs: Sequence[Any], given: dict[Any, Any]) -> None:
        """Puts what a NumPy meaning gave where the steps after it look for it."""
        for buffer, output in zip(step.outputs, outputs, strict=True):
            if isinstance(buffer, Opaque):
                given[buffer] = output
                continue
            array = output if output.__class__ is np.ndarray else np.asarray(output)
            if array.shape != buffer.shape or array.dtype != buffer.dtype:
                # Where there is nothing kernels have nothing to do: that asks for another program.
                is_news = 0 in array.shape
                raise Changed(f"{step.instruction.op.name} gave another shape", is_news, True)
            if not array.flags.c_contiguous:
                array = np.ascontiguousarray(array)
            given[buffer] = array
            self._bind(buffer, address_of(array))

    def _fetched(self, value: Any, given: dict[Any, Any], array: bool = False) -> Any:
        """A copy of a value."""
        if not isinstance(value, Value):
            known = self._lent(value, given)
            return known if array else own(known)
        if not array and value.buffer in self._handed:
            return given[value.buffer]
        memory = self._lent(value, given)
        return memory.copy() if array or memory.ndim else memory[()]

    def _lent(self, value: Any, given: dict[Any, Any]) -> Any:
        """A value where it lies."""
        if not isinstance(value, Value):
            return given[value] if isinstance(value, Opaque) else value
        buffer = value.buffer
        memory: Any
        if buffer in self._handed:
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
        if memory.strides == value.strides and memory.shape == value.shape and not value.offset:
            return memory
        if value.is_whole:
            return memory.reshape(value.shape)
        flat = memory.reshape(-1)[value.offset // memory.itemsize :]
        return np.lib.stride_tricks.as_strided(flat, value.shape, value.strides)
