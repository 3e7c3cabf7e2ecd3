"""Plans: a part of a graph as a flat list of instructions over numbered buffers."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import fp
from hybridflow._src.framework.locks import holding
from hybridflow._src.framework.storage import is_journaled, undone_on_error
from hybridflow._src.plan.effects import effects_of
from hybridflow._src.plan.nested import Stopped
from hybridflow._src.plan.values import handed_over, own

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hybridflow._src.plan.instruction import Instruction, Watch
    from hybridflow._src.plan.native import Native
    from hybridflow._src.plan.options import Options
    from hybridflow._src.plan.passes import Passes


class Plan:
    """What `Session.run` executes: built once for given fetches and feeds, run any number of times.

    Attributes:
      instructions: in the order in which they run.
      feeds: the buffer of each fed tensor.
      fetches: the buffer of each fetched tensor.
      native: the native executor, which takes over from the interpreter; set by who makes the plan,
        None where there is none.
      options: how it runs.
      bodies: the plans of control flow bodies inside.
      first: runs ops that may wait for other threads, while no lock is held; None where there are
        none. It is fed as `run` is, and the plan itself with what it gives.
      passes: what was done to make it, and the time that each took.
      writes: whether it writes to variables.
    """

    __slots__ = (
        "_stretches",
        "bodies",
        "feeds",
        "fetches",
        "first",
        "instructions",
        "native",
        "options",
        "passes",
        "template",
        "writes",
    )

    def __init__(
        self,
        instructions: list[Instruction],
        template: list[Any],
        feeds: list[int],
        fetches: list[int],
        options: Options,
        bodies: Sequence[Plan],
        passes: Passes,
    ) -> None:
        self.instructions = instructions
        self.options = options
        self.bodies = tuple(bodies)
        self.passes = passes
        self.feeds = feeds
        self.fetches = fetches
        # The buffers at the start of a run: constants are there, all else is None.
        self.template = template
        # The instructions by the lock under which they run.
        self._stretches = [
            (lock, list(steps)) for lock, steps in groupby(instructions, lambda step: step.locked)
        ]
        self.writes = any(effects_of(step.op).writes for step in instructions)
        self.native: Native | None = None
        self.first: Callable[[Sequence[Any]], Sequence[Any]] | None = None

    def run(self, feeds: Sequence[Any], owned: bool = False) -> list[Any]:
        """Runs the plan and gives the fetched values: arrays that nobody may write to, or if
        `owned` the caller's own.

        If it fails, variables have the values from before.

        Raises:
          OpError: of the class that fits what went wrong, with the op that failed.
        """
        # `fp.quietly`, without a call.
        status = fp.state()
        try:
            fp.silence()
            return self.run_silenced(feeds, owned)
        finally:
            try:
                fp.restore(status)
            finally:
                pass

    def quick(self, feeds: Sequence[Any]) -> list[Any] | None:
        """`run` by the native program that ran last, if it can take these feeds.

        Args:
          feeds: all of them, or the first ones; the others are as they were.
        """
        native = self.native
        program = None if native is None or self.first is not None else native.latest
        return None if program is None else program.quick(feeds)

    def run_silenced(self, feeds: Sequence[Any], owned: bool = False) -> list[Any]:
        """`run` for one who has silenced floating-point status: a body inside another plan."""
        if self.first is not None:
            if owned and not self.instructions:
                return handed_over(self.interpret(self.first(feeds)))
            feeds = self.first(feeds)
        if self.native is not None:
            results = self.native.run(feeds)
            if results is not None:
                return results
        results = self.interpret(feeds)
        return [own(value) for value in results] if owned else results

    def ready(self, feeds: Sequence[Any]) -> Sequence[Any]:
        """Runs what comes first; gives what the plan itself is fed with."""
        return feeds if self.first is None else self.first(feeds)

    def interpret(
        self,
        feeds: Sequence[Any],
        seen: Watch | None = None,
        given: Mapping[int, Any] | None = None,
    ) -> list[Any]:
        """Runs the instructions one by one.

        Args:
          feeds: as `ready` gives them.
          seen: told what each gave.
          given: what some gave already, by their identity; for a loop, where it stopped.
        """
        if self.writes and not is_journaled():
            return undone_on_error(self._interpret, feeds, seen, given or {})
        return self._interpret(feeds, seen, given or {})

    def _interpret(
        self,
        feeds: Sequence[Any],
        seen: Watch | None,
        given: Mapping[int, Any],
    ) -> list[Any]:
        buffers = self.template.copy()
        for slot, value in zip(self.feeds, feeds, strict=True):
            buffers[slot] = value
        for locked, steps in self._stretches:
            if locked is None:
                _run_steps(steps, buffers, seen, given)
            else:
                holding(buffers[locked].lock, _run_steps, steps, buffers, seen, given)
        return [buffers[slot] for slot in self.fetches]


def _run_steps(
    steps: Sequence[Instruction],
    buffers: list[Any],
    seen: Watch | None,
    given: Mapping[int, Any],
) -> None:
    """Runs instructions that follow each other."""
    for step in steps:
        results = given.get(id(step)) if given else None
        if results is None or results.__class__ is Stopped:
            results = step.results([buffers[i] for i in step.inputs], seen, given)
        for slot, value in zip(step.outputs, results, strict=True):
            buffers[slot] = value
        if seen is not None:
            seen(step, results)
        for slot in step.release:
            buffers[slot] = None
