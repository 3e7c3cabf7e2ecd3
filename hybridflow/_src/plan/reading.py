"""Reading the instructions of a body: which make what, and what they are about."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from hybridflow._src.plan.instruction import Instruction
    from hybridflow._src.plan.notes import Notes
    from hybridflow._src.plan.plan import Plan


class Reading:
    """The instructions of a plan, by what they give.

    Args:
      notes: what a run gave.

    Attributes:
      uses: how often each buffer is an input of an instruction, or fetched.
    """

    def __init__(self, plan: Plan, notes: Notes) -> None:
        self.plan = plan
        self.seen = notes[plan]
        self._makers = {slot: step for step in plan.instructions for slot in step.outputs}
        self.uses = Counter(slot for step in plan.instructions for slot in step.inputs)
        self.uses.update(plan.fetches)

    def maker(self, slot: int) -> Instruction | None:
        """What gives a buffer; None for a feed or a constant."""
        return self._makers.get(slot)

    def source(self, slot: int) -> int:
        """The buffer that a buffer is a copy of."""
        maker = self._makers.get(slot)
        while maker is not None and maker.op.type == "Identity":
            (slot,) = maker.inputs
            maker = self._makers.get(slot)
        return slot

    def passed_on(self, slot: int) -> list[Instruction]:
        """The instructions by which a buffer is a copy of its source."""
        found = []
        maker = self._makers.get(slot)
        while maker is not None and maker.op.type == "Identity":
            found.append(maker)
            maker = self._makers.get(maker.inputs[0])
        return found

    def made_by(self, slot: int, *types: str) -> Instruction | None:
        """What gives the source of a buffer, if it is of one of these types."""
        maker = self._makers.get(self.source(slot))
        return maker if maker is not None and maker.op.type in types else None

    def known(self, slot: int) -> np.ndarray | None:
        """The value of a buffer that is always the same."""
        value = self.seen[self.source(slot)].value
        return np.asarray(value) if isinstance(value, np.ndarray | np.generic) else None

    def shape(self, slot: int) -> tuple[int, ...] | None:
        """The shape that a buffer had."""
        note = self.seen[slot]
        return np.shape(note.value) if isinstance(note.value, np.ndarray) else note.shape


def counts_down(condition: Reading, body: Reading, index: int) -> bool:
    """Whether a loop variable is the number of turns that are left."""
    (flag,) = condition.plan.fetches
    test = condition.made_by(flag, "Greater")
    if test is None or condition.source(test.inputs[0]) != condition.plan.feeds[index]:
        return False
    bound = condition.known(test.inputs[1])
    step = body.made_by(body.plan.fetches[index], "Sub")
    if bound is None or bound != 0 or step is None:
        return False
    less = body.known(step.inputs[1])
    is_own = body.source(step.inputs[0]) == body.plan.feeds[index]
    return is_own and less is not None and bool(less == 1)


def is_any_of(condition: Reading, slot: int) -> bool:
    """Whether a flag of a condition is set if it is for some part of what it is about.

    So are `any(x)` and `not all(x)`, and what is the same for all parts beside one of them.
    """
    maker = condition.maker(condition.source(slot))
    if maker is None:
        return True
    kind = maker.op.type
    if kind in ("LogicalAnd", "LogicalOr"):
        asking = sum(_asks(condition, each) for each in maker.inputs)
        return (kind == "LogicalOr" or asking < 2) and all(
            is_any_of(condition, each) for each in maker.inputs
        )
    if kind == "LogicalNot":
        maker = condition.made_by(maker.inputs[0], "All")
    elif kind != "Any":
        maker = None
    return not any(_asks(condition, each) for each in (maker.inputs if maker else [slot]))


def _asks(condition: Reading, slot: int) -> bool:
    """Whether a buffer tells of all parts of something."""
    pending = [slot]
    while pending:
        maker = condition.maker(pending.pop())
        if maker is not None:
            if maker.op.type in ("All", "Any"):
                return True
            pending += maker.inputs
    return False
