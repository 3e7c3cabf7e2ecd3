"""A run of a plan in which each step is timed: of its native program, or of the interpreter."""

from __future__ import annotations

import copy
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.framework import fp
from hybridflow._src.framework.locks import holding
from hybridflow._src.framework.storage import undone_on_error
from hybridflow._src.kernels.crew import Crew
from hybridflow._src.kernels.driver import HEAD_WORDS
from hybridflow._src.plan.instruction import Watch
from hybridflow._src.plan.steps import Host
from hybridflow._src.plan.values import Changed, own

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hybridflow._src.plan.instruction import Instruction
    from hybridflow._src.plan.plan import Plan
    from hybridflow._src.plan.program import Program


class Timing(NamedTuple):
    """One stretch of work.

    Attributes:
      step: its number among the program's steps, or the plan's instructions.
      start, seconds: when it began, on the clock of `time.perf_counter`, and how long it took.
      thread: the thread's name.
    """

    step: int
    start: float
    seconds: float
    thread: str


class Profile:
    """What one run did.

    Attributes:
      program: the native program that ran, or None if the interpreter did.
      timings: in the order in which the stretches ended; a step that was divided among threads has
        several.
      start, seconds: of the whole run. at: the time of day when it began, in seconds.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.program: Program | None = None
        self.timings: list[Timing] = []
        self.at = time.time()
        self.start = time.perf_counter()
        self.seconds = 0.0

    def times(self) -> dict[int, float]:
        """How long each step took: from the first of its stretches to begin to the last to end."""
        found: dict[int, tuple[float, float]] = {}
        for step, start, seconds, _ in self.timings:
            first, last = found.get(step, (start, start + seconds))
            found[step] = (min(first, start), max(last, start + seconds))
        return {step: last - first for step, (first, last) in found.items()}


def profile(plan: Plan, feeds: Sequence[Any]) -> tuple[list[Any], Profile]:
    """Runs a plan as `Plan.run` does, and says what it did; the values are the caller's own.

    Raises:
      OpError: of the class that fits what went wrong, with the op that failed.
    """
    found = Profile(plan)
    results = fp.quietly(_run, found, feeds)
    found.seconds = time.perf_counter() - found.start
    return results, found


def _run(found: Profile, feeds: Sequence[Any]) -> list[Any]:
    native = found.plan.native
    program = None if native is None else native.program_for(feeds)
    given: Mapping[int, Sequence[Any]] | None = None
    if program is not None:
        try:
            results = holding(program.lock, _run_program, found, program, feeds)
            if results is not None:
                return results
        except Changed as changed:
            given = changed.given
            found.timings.clear()
    watch = _Watch(found)
    if native is None or given is not None:
        results = found.plan.interpret(feeds, watch, given)
    else:
        results = native.interpret(feeds, watch)
    return [own(value) for value in results]


def _run_program(found: Profile, program: Program, feeds: Sequence[Any]) -> list[Any] | None:
    if program.running:  # by this thread itself, since it has the lock
        return None
    return program.occupied(_run_native, found, program, feeds)


class _Watch(Watch):
    """Times instructions: each begins where the one before it ends."""

    def __init__(self, found: Profile) -> None:
        self._timings = found.timings
        self._numbers = {id(step): i for i, step in enumerate(found.plan.instructions)}
        self._thread = threading.current_thread().name
        self._last = time.perf_counter()

    def __call__(self, step: Instruction, results: Sequence[Any]) -> None:
        now = time.perf_counter()
        number = self._numbers[id(step)]
        self._timings.append(Timing(number, self._last, now - self._last, self._thread))
        self._last = time.perf_counter()


def _run_native(found: Profile, program: Program, feeds: Sequence[Any]) -> list[Any]:
    timings = found.timings

    def timed(step: int, function: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = function()
        end = time.perf_counter()
        timings.append(Timing(step, start, end - start, threading.current_thread().name))
        return result

    def interpret(step: Host, inputs: list[Any]) -> list[Any]:
        return list(timed(numbers[id(step)], lambda: step.instruction.results(inputs)))

    numbers = {id(step): i for i, (_, step) in enumerate(program.steps)}
    stepped = _stepped(program, timed)
    if program.undoable:
        results = undone_on_error(stepped.run, feeds, interpret)
    else:
        results = stepped.run(feeds, interpret)
    found.program = program
    return results


def _stepped(program: Program, timed: Callable[[int, Callable[[], Any]], Any]) -> Program:
    """A program on the same memory in which each call is a piece of its own, and timed."""
    numbers = {position: i for i, (position, _) in enumerate(program.steps)}
    words, base = program._array, program._array.ctypes.data
    # The step of each native program, by its address.
    step_at: dict[int, int] = {}
    singles: list[np.ndarray] = []
    pieces: list[tuple[str, Any]] = []
    for kind, what in program._segments:
        if kind == "host":
            pieces.append((kind, what))
            continue
        made = []
        programs = [what] if kind == "native" else what.programs
        for address in programs:
            first = (address - base) // 8
            for call in range(int(words[first])):
                function, args = words[first + HEAD_WORDS + 2 * call :][:2].tolist()
                single = np.array((1, 0, 0, function, args), np.int64)
                singles.append(single)
                made.append(single.ctypes.data)
                step_at[made[-1]] = numbers[program.owners[(args - base) // 8]]
        if kind == "shared" and len(made) == len(programs):
            pieces.append((kind, what._replace(programs=made)))
        else:  # steps that run side by side are timed one by one
            pieces += [("native", address) for address in made]

    def enter(address: int, alive: Any = singles) -> int:
        status: int = timed(step_at[address], lambda: program._enter(address))
        return status

    stepped = copy.copy(program)
    stepped._enter = enter
    stepped._crew = Crew(enter)
    stepped._segments = pieces
    stepped._writing, stepped._marks = [], []
    return stepped
