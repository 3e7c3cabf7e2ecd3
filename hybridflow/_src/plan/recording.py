"""What a run of the interpreter shows of values, for a program to be made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.op_def import OF_SHAPES
from hybridflow._src.framework.storage import Storage
from hybridflow._src.plan.instruction import Watch
from hybridflow._src.plan.nested import Nested, run_body
from hybridflow._src.plan.notes import Seen

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from hybridflow._src.plan.instruction import Instruction
    from hybridflow._src.plan.nested import RunBody
    from hybridflow._src.plan.notes import Notes


class Recorder(Watch):
    """Notes what a run of a plan gives for each buffer, and what bodies in it do that have not run
    before.

    Args:
      same: the positions of feeds that are always the same.
      is_trial: whether all that bodies do is interpreted.
    """

    def __init__(
        self,
        plan: Any,
        feeds: Sequence[Any],
        notes: Notes,
        watch: Watch | None = None,
        same: Collection[int] = (),
        is_trial: bool = False,
    ) -> None:
        self._notes = notes
        self._is_trial = is_trial
        self._watch = watch
        self._seen = seen = notes[plan] = {}
        for slot, value in enumerate(plan.template):
            if value is not None:
                seen[slot] = Seen(None, None, value)
        for position, (slot, value) in enumerate(zip(plan.feeds, feeds, strict=True)):
            seen[slot] = _note(value, position in same)

    def __call__(self, step: Instruction, results: Sequence[Any]) -> None:
        if self._watch is not None:
            self._watch(step, results)
        op_def = step.op.record
        pure = op_def.compute is step.compute and not op_def.stateful and op_def.effect is None
        given = [self._seen[i] for i in step.inputs]
        # What has no elements may have some the next time.
        shapes_stay = op_def.native == OF_SHAPES and not any(0 in (s.shape or ()) for s in given)
        same = pure and (shapes_stay or all(s.value is not None for s in given))
        for slot, result in zip(step.outputs, results, strict=True):
            self._seen[slot] = _note(result, same or isinstance(result, Storage))

    def inside(self, step: Instruction) -> RunBody:
        nested = step.compute
        assert isinstance(nested, Nested)
        same: dict[Any, set[int]] = {}
        for plan, captures in nested.parts:
            before = len(plan.feeds) - len(captures)
            slots = enumerate([step.inputs[nested.first + i] for i in captures])
            known = {before + i for i, slot in slots if self._seen[slot].value is not None}
            same[plan] = known

        def run(plan: Any, feeds: list[Any], given: Mapping[int, Any] | None) -> list[Any]:
            if self._has_seen(plan):
                if self._is_trial:
                    return _interpreted(plan, feeds, given)
                return run_body(plan, feeds, given)
            recorder = Recorder(plan, feeds, self._notes, None, same[plan], self._is_trial)
            return plan.interpret(feeds, recorder, given)

        return run

    def _has_seen(self, plan: Any) -> bool:
        """Whether a body has run, and all that are in it."""
        return plan in self._notes and all(map(self._has_seen, plan.bodies))


class _Interpreted(Watch):
    """Has the bodies of bodies interpreted too."""

    def __call__(self, step: Instruction, results: Sequence[Any]) -> None:
        pass

    def inside(self, step: Instruction) -> RunBody:
        return _interpreted


def _interpreted(plan: Any, feeds: list[Any], given: Mapping[int, Any] | None) -> list[Any]:
    """Interprets a body, and those in it."""
    return plan.interpret(plan.ready(feeds), _Interpreted(), given)


def _note(value: Any, same: bool) -> Seen:
    if same or isinstance(value, Storage):
        return Seen(None, None, value)
    if isinstance(value, np.ndarray | np.generic):
        return Seen(value.shape, value.dtype, None)
    return Seen(None, None, None)
