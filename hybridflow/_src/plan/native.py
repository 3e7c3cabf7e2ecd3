"""The native executor of a plan: which steps it has for which shapes, and when it takes over.

The interpreter runs first. When a plan runs a second time with feeds of the same shapes, the shapes
of all its values are noted; in the background its ops are lowered to steps, their kernels compiled
or loaded, and from then on the program runs instead. What it cannot run, the interpreter does.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.framework.locks import new_lock
from hybridflow._src.framework.op_def import OF_SHAPES
from hybridflow._src.framework.storage import Storage, is_journaled, undone_on_error
from hybridflow._src.plan.values import Changed, own

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.plan.plan import Instruction, Plan, Watch
    from hybridflow._src.plan.program import Program
    from hybridflow._src.plan.steps import Host

# What makes programs. It is imported with the first one: it takes a third of our own import.
_BUILDING = "hybridflow._src.plan.building"
_importing = new_lock()
# A plan has programs for at most so many shapes of feeds.
_MOST_PROGRAMS = 32


class Seen(NamedTuple):
    """What one run gave for a buffer: shape and dtype, or `value` where it is always the same."""

    shape: tuple[int, ...] | None
    dtype: Any
    value: Any


class Native:
    """The programs of a plan.

    Attributes:
      programs: by the shapes of feeds. latest: the one that was made, or has run, last.
      problems: why there is no program for some shapes.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._keys: dict[Any, int] = {}
        self._process = os.getpid()
        self.programs: dict[Any, Program] = {}
        self.latest: Program | None = None
        self.problems: dict[Any, str] = {}

    def run(self, feeds: Sequence[Any]) -> list[Any] | None:
        """The fetched values, the caller's own, or None if the interpreter has to give them."""
        latest = self.latest
        if latest is not None:
            found = latest.quick(feeds)
            if found is not None:
                return found
        key = _key_of(feeds)
        program = self.programs.get(key)
        if program is None:
            return self._not_yet(key, feeds)
        # While another thread runs a program that touches no variables, the interpreter is there.
        if program.running and program.guard is None:
            return None
        with program.lock:
            # With the lock held, it is this thread itself that may be running it already.
            return None if program.running else self._run(program, feeds)

    def _run(self, program: Program, feeds: Sequence[Any]) -> list[Any] | None:
        self.latest = program
        program.running = True
        try:
            if program.undoable and not is_journaled():
                return undone_on_error(program.run, feeds, _interpret)
            return program.run(feeds, _interpret)
        except Changed as changed:
            given = changed.given
        finally:
            program.running = False
        return [own(value) for value in self._plan.interpret(feeds, given=given)]

    def program_for(self, feeds: Sequence[Any]) -> Program | None:
        """The program for the shapes of these feeds, if there is one."""
        return self.programs.get(_key_of(feeds))

    def problem_for(self, feeds: Sequence[Any]) -> str:
        """Why there is none, as far as that is known."""
        return self.problems.get(_key_of(feeds), "")

    def interpret(self, feeds: Sequence[Any], watch: Watch) -> list[Any]:
        """What the interpreter gives, `watch` told of each instruction: a run like any other."""
        key = _key_of(feeds)
        results = None if key in self.programs else self._not_yet(key, feeds, watch)
        return self._plan.interpret(feeds, watch) if results is None else results

    # -- from the second run on --------------------------------------------------------------------

    def _not_yet(
        self, key: Any, feeds: Sequence[Any], watch: Watch | None = None
    ) -> list[Any] | None:
        if self._process != os.getpid():  # what the parent was compiling comes to nothing here
            self._process = os.getpid()
            self._keys.clear()
        if key in self.problems or len(self._keys) >= _MOST_PROGRAMS:
            return None
        count = self._keys.get(key, 0) + 1
        if count != 2:
            self._keys[key] = count
            return None
        seen: dict[int, Seen] = {}
        try:
            self._keys[key] = count
            results = self._plan.interpret(feeds, seen=_Recorder(self._plan, feeds, seen, watch))
            # A child must not be forked off in the middle of it: there it would never be imported.
            with _importing:
                building = importlib.import_module(_BUILDING)
            building.submit(self._plan, self, key, seen)
        except BaseException:
            self._keys[key] = 1  # it counts once a program has been asked for
            raise
        return [own(value) for value in results]


def _key_of(feeds: Sequence[Any]) -> Any:
    """What programs are looked up by."""
    return tuple([f.shape if f.__class__ is np.ndarray else _kind_of(f) for f in feeds])


def _kind_of(feed: Any) -> Any:
    """What a program was made for, of a feed that is no array."""
    if isinstance(feed, np.generic):
        return ()
    return feed if isinstance(feed, Storage) else feed.__class__


def native_of(plan: Plan) -> Native | None:
    """The native executor of a plan, unless kernels are not compiled at all.

    They are not under `NUMBA_DISABLE_JIT`, and without a Python to run the compile worker.
    """
    switched_off = os.environ.get("NUMBA_DISABLE_JIT", "").strip("0")
    return Native(plan) if sys.executable and not switched_off else None


def _interpret(step: Host, inputs: list[Any]) -> list[Any]:
    """Runs an op's NumPy meaning inside a program."""
    return list(step.instruction.results(inputs))


class _Recorder:
    """Notes what a run gives for each buffer."""

    def __init__(
        self, plan: Plan, feeds: Sequence[Any], seen: dict[int, Seen], watch: Watch | None
    ) -> None:
        self._seen = seen
        self._watch = watch
        for slot, value in enumerate(plan.template):
            if value is not None:
                seen[slot] = Seen(None, None, value)
        for slot, value in zip(plan.feeds, feeds, strict=True):
            seen[slot] = _note(value, False)

    def __call__(self, step: Instruction, results: Sequence[Any]) -> None:
        if self._watch is not None:
            self._watch(step, results)
        op_def = step.op.op_def
        pure = op_def.compute is step.compute and not op_def.stateful and op_def.effect is None
        same = pure and (
            op_def.native == OF_SHAPES or all(self._seen[i].value is not None for i in step.inputs)
        )
        for slot, result in zip(step.outputs, results, strict=True):
            self._seen[slot] = _note(result, same or isinstance(result, Storage))


def _note(value: Any, same: bool) -> Seen:
    if same or isinstance(value, Storage):
        return Seen(None, None, value)
    if isinstance(value, np.ndarray | np.generic):
        return Seen(value.shape, value.dtype, None)
    return Seen(None, None, None)
