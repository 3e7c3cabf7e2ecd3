"""The native executor of a plan: which steps it has for which shapes, and when it takes over.

The interpreter runs first. When a plan runs a second time with feeds of the same shapes, the shapes
of all its values are noted; in the background its ops are lowered to steps, their kernels compiled
or loaded, and from then on the program runs instead. What it cannot run, the interpreter does.

Shapes that repeat get programs, and a plan keeps a bounded number of them: one that has not run for
long gives way to another, seldom enough that making programs never is most of the work.
"""

from __future__ import annotations

import copy
import importlib
import itertools
import os
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.locks import holding, new_lock
from hybridflow._src.framework.storage import Storage, taken_back, undone_on_error
from hybridflow._src.kernels.jobs import JOBS, is_deterministic, is_switched_off
from hybridflow._src.plan.determinism import Effects
from hybridflow._src.plan.recording import Recorder
from hybridflow._src.plan.values import Changed, own
from hybridflow._src.ranks import job as jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hybridflow._src.plan.instruction import Watch
    from hybridflow._src.plan.notes import Notes
    from hybridflow._src.plan.plan import Plan
    from hybridflow._src.plan.program import Program
    from hybridflow._src.plan.steps import Host

    # Runs a NumPy meaning inside a program.
    Interpret = Callable[[Host, list[Any]], list[Any]]

# What makes programs. It is imported for the first one, in the background: it takes a third of our
# own import.
_BUILDING = "hybridflow._src.plan.building"
_importing = new_lock()
# A plan has programs for so many shapes of feeds; for more of them, as many as the turns of a loop
# whose values grow have, where all together take few bytes. It knows that it has seen so many.
_MANY_PROGRAMS = 32
_MOST_PROGRAMS = 128
_FEW_BYTES = 1 << 26
_MOST_SEEN = 512
# With all programs made, one gives way to another after so many runs for which there was none.
_MISSES = 64
# So many programs are made for one run, where each run is to give the same bits.
_MOST_TRIALS = 3
# As long as making a program may take.
_SECONDS = 600.0
_NO_ROOM = "there are programs for {} other shapes of feeds, and these have not come often yet"


class Native:
    """The programs of a plan.

    Attributes:
      programs: by the shapes of feeds. latest: the one that was made, or has run, last.
      problems: why there is no program for some shapes.
    """

    def __init__(self, plan: Plan) -> None:
        # The plan without its executor: both are gone, and work for them ends, with the last of
        # those who use it.
        self._plan = copy.copy(plan)
        self._plan.native = None
        self._process = os.getpid()
        # What was run once, the oldest first; and what a program was asked for.
        self._seen: dict[Any, None] = {}
        self._asked: dict[Any, None] = {}
        self._misses = 0
        self._changes = itertools.count(1)
        self.programs: dict[Any, Program] = {}
        self.latest: Program | None = None
        self.problems: dict[Any, str] = {}
        # Where each run is to give the same bits.
        self._effects = Effects(plan) if is_deterministic() else None

    def run(self, feeds: Sequence[Any]) -> list[Any] | None:
        """The fetched values, the caller's own, or None if the interpreter has to give them."""
        latest = self.latest
        if latest is not None:
            found = latest.quick(feeds)
            if found is not None:
                return found
        key = _key_of(feeds)
        if self._effects is not None:
            return holding(self._effects.lock_of(feeds), self._determined, key, feeds)
        program = self.programs.get(key)
        if program is None:
            return self._not_yet(key, feeds)
        # While another thread runs a program that touches no variables, the interpreter is there.
        if program.running and program.guard is None:
            return None
        return holding(program.lock, self._run, program, feeds)

    def _run(self, program: Program, feeds: Sequence[Any]) -> list[Any] | None:
        try:
            return self._run_program(program, feeds, _interpret)
        except Changed as changed:
            stopped = changed
        if not stopped.is_news or program.is_outdated:
            results = self._plan.interpret(feeds, given=stopped.given)
        else:
            results = self._learn(program, feeds, stopped)
        return [own(value) for value in results]

    def _run_program(
        self, program: Program, feeds: Sequence[Any], interpret: Interpret
    ) -> list[Any] | None:
        if program.running:  # by this thread itself, since it has the lock
            return None
        if self.latest is not program:
            self._take_over(program)
        if program.undoable:  # inside another one too, which goes on
            return program.occupied(undone_on_error, program.run, feeds, interpret)
        return program.occupied(program.run, feeds, interpret)

    def _learn(self, program: Program, feeds: Sequence[Any], stopped: Changed) -> list[Any]:
        """What the interpreter gives, and asks for a program that knows what it shows."""
        notes = dict(program.notes)
        recorder = Recorder(self._plan, feeds, notes)
        results = self._plan.interpret(feeds, recorder, stopped.given)
        key = _key_of(feeds)
        program.is_outdated = True
        self._ask(key, notes)
        return results

    def _take_over(self, program: Program) -> None:
        if self.latest is not None:
            self.latest.used = next(self._changes)
        program.used = next(self._changes)
        self.latest = program

    def add(self, key: Any, program: Program) -> None:
        """Takes a program for some shapes of feeds."""
        self.programs[key] = program
        self._take_over(program)

    def program_for(self, feeds: Sequence[Any]) -> Program | None:
        """The program for the shapes of these feeds, if there is one."""
        return self.programs.get(_key_of(feeds))

    def problem_for(self, feeds: Sequence[Any]) -> str:
        """Why there is none, as far as that is known."""
        key = _key_of(feeds)
        if key not in self._asked and self._is_full() and self._misses < _MISSES:
            return _NO_ROOM.format(len(self._asked))
        return self.problems.get(key, "")

    def interpret(self, feeds: Sequence[Any], watch: Watch) -> list[Any]:
        """What the interpreter gives, `watch` told of each instruction: a run like any other."""
        key = _key_of(feeds)
        if self._effects is not None:
            lock = self._effects.lock_of(feeds)
            results = holding(lock, self._determined, key, feeds, watch)
        else:
            results = None if key in self.programs else self._not_yet(key, feeds, watch)
        return self._plan.interpret(feeds, watch) if results is None else results

    # -- where each run is to give the same bits ---------------------------------------------------

    def _determined(
        self, key: Any, feeds: Sequence[Any], watch: Watch | None = None
    ) -> list[Any] | None:
        """`run`, by a program from the first run on; None if it is always the interpreter that has
        to give the results.

        What a program has to know a trial shows: a run of the interpreter, whose writes are taken
        back. What can be done only once the trial does, and the program is given its results.
        """
        assert self._effects is not None
        if self._effects.problem:
            self.problems[key] = self._effects.problem
        if key in self.problems:
            return None
        given: dict[int, Any] = {}
        notes: Notes = {}
        for _ in range(_MOST_TRIALS):
            if key not in self.programs or watch is not None:
                keeping = self._effects.keeping(given, watch)
                recorder = Recorder(self._plan, feeds, notes, keeping, is_trial=True)
                taken_back(self._plan.interpret, feeds, recorder, dict(given))
                watch = None
            if key not in self.programs:
                self._asked.pop(key, None)
                if self._is_full():
                    self._drop_one()
                self._asked[key] = None
                self._ask(key, notes)
            program = self.programs.get(key)
            if program is None:
                break
            interpret = self._effects.interpreting(given)
            try:
                return holding(program.lock, self._run_program, program, feeds, interpret)
            except Changed as changed:
                stopped = changed
            if not stopped.of_shapes:
                given.update(stopped.given)
                break
            given.update(self._effects.done(stopped.given))
            notes = dict(program.notes)
            self.programs.pop(key, None)
        return [own(value) for value in self._plan.interpret(feeds, given=given)]

    # -- from the second run on --------------------------------------------------------------------

    def _not_yet(
        self, key: Any, feeds: Sequence[Any], watch: Watch | None = None
    ) -> list[Any] | None:
        if self._process != os.getpid():  # what the parent was compiling comes to nothing here
            self._process = os.getpid()
            self._asked = dict.fromkeys([*self.programs, *self.problems])
        self._misses += 1
        if key in self._asked:
            return None
        if key not in self._seen:
            self._seen[key] = None
            if len(self._seen) > _MOST_SEEN:
                del self._seen[next(iter(self._seen))]
            return None
        if self._is_full() and not self._has_made_room():
            return None
        notes: Notes = {}
        try:
            self._asked[key] = None
            recorder = Recorder(self._plan, feeds, notes, watch)
            results = self._plan.interpret(feeds, seen=recorder)
            self._ask(key, notes)
        except BaseException:
            self._asked.pop(key, None)  # it counts once a program has been asked for
            raise
        return [own(value) for value in results]

    def _is_full(self) -> bool:
        """Whether there is no place for one more program."""
        count = len(self._asked)
        if not _MANY_PROGRAMS <= count < _MOST_PROGRAMS:
            return count >= _MOST_PROGRAMS
        # Those that are being made are about as large as those that are there.
        held = [program.held for program in self.programs.copy().values()]
        return sum(held) * count >= _FEW_BYTES * len(held)

    def _has_made_room(self) -> bool:
        """Drops the program that has not run for longest, or what could not be made, if one may."""
        if self._misses < _MISSES or not self._drop_one():
            return False
        self._misses = 0
        return True

    def _drop_one(self) -> bool:
        """Drops the program that has not run for longest, or what could not be made, if one is."""
        found = {
            key: program.used
            for key, program in self.programs.copy().items()
            if program is not self.latest
        }
        found.update(dict.fromkeys(self.problems.copy(), 0))
        if not found:
            return False
        key = min(found, key=lambda key: found[key])
        for known in (self.programs, self.problems, self._asked, self._seen):
            known.pop(key, None)
        return True

    def _ask(self, key: Any, notes: Notes) -> None:
        """Asks for a program, which is made in the background.

        Where each run is to give the same bits it is waited for. So it is where variables are
        written and there are other ranks: then all of them go over to native code in the same run,
        and their variables do not differ in last bits.
        """
        native = weakref.proxy(self)
        turns = _build(self._plan, native, key, notes)
        JOBS.submit(self, turns, lambda why: native.add_problem(key, why))
        if self._effects is not None or (self._plan.writes and jobs.has_others()):
            JOBS.wait(_SECONDS)

    def add_problem(self, key: Any, why: str) -> None:
        """Notes why there is no program for some shapes of feeds."""
        self.problems[key] = why


def _build(plan: Plan, native: Native, key: Any, notes: Notes) -> Iterator[float]:
    """Makes a program, as the turns of a job."""
    # A child must not be forked off in the middle of it: there it would never be imported.
    with _importing:
        building = importlib.import_module(_BUILDING)
    yield from building.build(plan, native, key, notes)


def _key_of(feeds: Sequence[Any]) -> Any:
    """What programs are looked up by."""
    return tuple([f.shape if f.__class__ is np.ndarray else _kind_of(f) for f in feeds])


def _kind_of(feed: Any) -> Any:
    """What a program was made for, of a feed that is no array."""
    if isinstance(feed, np.generic):
        return ()
    return feed if isinstance(feed, Storage) else feed.__class__


def native_of(plan: Plan) -> Native | None:
    """The native executor of a plan, unless kernels are not compiled at all."""
    return None if is_switched_off() else Native(plan)


def _interpret(step: Host, inputs: list[Any]) -> list[Any]:
    """Runs an op's NumPy meaning inside a program."""
    return list(step.instruction.results(inputs))
