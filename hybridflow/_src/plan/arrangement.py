"""Steps as they will run: which are needed, which memory they take, how threads share them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.alignment import aligned_empty
from hybridflow._src.kernels import loops
from hybridflow._src.kernels.products import RESULT
from hybridflow._src.plan import in_bands, in_strips, sharing
from hybridflow._src.plan.groups import Group, GroupCall
from hybridflow._src.plan.joining import Bands
from hybridflow._src.plan.memory import new_block
from hybridflow._src.plan.passes import IN_BANDS, IN_STRIPS, KEPT_PACKED
from hybridflow._src.plan.steps import Call, Choice, Host, Loop
from hybridflow._src.plan.values import CONSTANT, MOVING, PLANNED, VARIABLE, Buffer, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from hybridflow._src.framework.storage import Storage
    from hybridflow._src.kernels.kernel import Kernel
    from hybridflow._src.plan.lowering import Lowering
    from hybridflow._src.plan.words import Calls, Words


class Arrangement:
    """The steps of a lowered plan, of those that are needed.

    Args:
      lowering: the steps. fetches: the value of each fetch, or an object to give as it is.
      elsewhere: buffers that have other memory.
      passes: those over layers that are done.

    Attributes:
      steps: with the position of each, but for `fixed`: those that are done once, before the first
        run; and `kept`: those that are done when a variable has changed.
      kernels, ops: of each step, by its position.
      threads: how many threads work on one large kernel.
      block: the memory.
    """

    def __init__(
        self,
        lowering: Lowering,
        fetches: Sequence[Any],
        elsewhere: Collection[Buffer] = (),
        passes: Collection[str] = (),
    ) -> None:
        self._fetches = list(fetches)
        self.steps: list[tuple[int, Any]] = []
        self.kernels: dict[Any, Kernel] = {}
        # By the position of a step and the number of its operand.
        self.partials: dict[int, dict[int, list[Buffer]]] = {}
        self.threads = lowering.threads
        self.ops = lowering.ops
        self._settle(lowering)
        taken = {value.buffer for value in fetches if isinstance(value, Value)}
        self.fixed = _fix(self.steps, taken.union(elsewhere))
        self.kept: list[tuple[int, Call]] = []
        if KEPT_PACKED in passes:
            self.kept = _keep(self.steps, taken.union(elsewhere), lowering.written)
        if IN_BANDS in passes:
            self.steps = in_bands.join(self.steps, self.threads)
        if IN_STRIPS in passes:
            self.steps = in_strips.join(self.steps, self.threads, taken.union(elsewhere))
        self._batches = sharing.batches(self.steps, self.threads, self.parts)
        self.block = new_block(b for b in self._planned() if b not in elsewhere)

    def _settle(self, lowering: Lowering) -> None:
        """Decides from the last step to the first what is needed."""
        end = len(lowering.steps)
        for fetch in self._fetches:
            if isinstance(fetch, Value):
                fetch.buffer.last = end
        for position in range(end - 1, -1, -1):
            step = lowering.steps[position]
            if step is None:
                continue
            if isinstance(step, Group):
                used = step.used(position)
                call = step.finish()
                if call is None:
                    continue
                self.steps.append((position, call))
                self.kernels[position] = call.kernel("group")
            elif isinstance(step, Call) and _is_unused(step, position):
                continue
            elif isinstance(step, Call | Loop | Choice):
                used = [value.buffer for value in step.reads]
                # What a row lies in is needed as long as the row.
                needed = max([b.last for b in step.writes if b.kind == MOVING], default=0)
                for buffer in used:
                    buffer.last = max(buffer.last, needed)
                self.steps.append((position, step))
                self.kernels[position] = step.kernel
                for number, inner in enumerate(step.parts):
                    if inner is not None:
                        found = inner.kernels.items()
                        self.kernels |= {(position, number, key): k for key, k in found}
            else:
                used = [value.buffer for value in step.inputs if isinstance(value, Value)]
                self.steps.append((position, step))
            for buffer in used:
                buffer.last = max(buffer.last, position)
        self.steps.reverse()

    def fixed_calls(self, words: Words) -> Calls:
        """The calls that compute constants, once and for all."""
        return [c for position, step in self.fixed for c in words.calls(self, position, step)]

    def kept_calls(self, words: Words) -> Calls:
        """The calls that are made when a variable has changed."""
        return [c for position, step in self.kept for c in words.calls(self, position, step)]

    def _planned(self) -> list[Buffer]:
        """The buffers that need memory, each with how long it is needed."""
        found: dict[Buffer, None] = {}
        for position, step in self.steps:
            if isinstance(step, Bands):
                before = len(found)
                for number, (at, member) in enumerate(step.members):
                    self._plan_step(found, at, member, len(step.shares), step.turns(number))
                    if number in step.sums:
                        whole = {RESULT: ("add", member.writes[0])}
                        found.update(self._add_partials(at, whole, len(step.shares)))
                found.update(dict.fromkeys(step.memory))
                for buffer in [*step.touched, *list(found)[before:]]:
                    # All that is done for any band is done where the first member was.
                    buffer.first = min(buffer.first, position)
                for buffer in step.own:
                    del found[buffer]
            else:
                parts = self.parts(step)
                self._plan_step(found, position, step, parts, parts)
        sharing.extend_lives(self._batches)
        return list(found)

    def _plan_step(
        self, found: dict[Buffer, None], position: int, step: Any, parts: int, turns: int
    ) -> None:
        """Finds the buffers that a step needs memory for, shared so and done in so many turns."""
        if isinstance(step, Host):
            return
        if isinstance(step, GroupCall):
            buffers = [place.buffer for place in step.places]
            step.scratch = [
                Buffer(PLANNED, (step.sizes[-1],), dtype, position)
                for dtype in step.nest.scratch
                for _ in range(parts)
            ]
            buffers += step.scratch
            if turns > 1:
                totals = {
                    t.operand: (t.ufunc, step.places[t.operand].buffer) for t in step.partial()
                }
                buffers += self._add_partials(position, totals, turns)
        else:
            buffers = list(step.writes)
        found.update((b, None) for b in buffers if b.kind == PLANNED and b.maker == position)

    def parts(self, step: Any) -> int:
        """Into how many ranges a step is divided."""
        if isinstance(step, Loop):
            return len(step.shares) or 1
        if isinstance(step, Bands):
            return len(step.shares)
        if self.threads == 1 or not isinstance(step, GroupCall | Call):
            return 1
        if step.work < sharing.WORTH_SHARING:
            return 1
        count = step.args[1] if isinstance(step, Call) else step.sizes[step.divided]
        return min(self.threads, count)

    def _add_partials(
        self, position: int, totals: dict[int, tuple[str, Buffer]], parts: int
    ) -> dict[Buffer, None]:
        """Memory for the totals of all parts but one, and the kernels that add them up.

        Args:
          totals: by their operands, each with the function that adds it up.
        """
        found: dict[Buffer, None] = {}
        for operand, (ufunc, whole) in totals.items():
            rest = [Buffer(PLANNED, whole.shape, whole.dtype, position) for _ in range(parts - 1)]
            self.partials.setdefault(position, {})[operand] = rest
            self.kernels[position, operand] = loops.combining(ufunc, whole.dtype)
            found.update(dict.fromkeys(rest))
        return found

    def singles(self) -> Iterator[tuple[int, Any]]:
        """The steps, and where they are joined their members."""
        for position, step in self.steps:
            yield from step.members if isinstance(step, Bands) else [(position, step)]

    @property
    def is_shared(self) -> bool:
        """Whether threads share some of it."""
        divided = (self.parts(step) > 1 for _, step in self.steps)
        return any(len(batch) > 1 for batch in self._batches) or any(divided)


def _is_unused(step: Call, position: int) -> bool:
    """Whether nothing needs what a call does, and nothing else writes there."""
    return not step.fallible and all(
        b.kind == PLANNED and b.first == b.maker == position and b.last <= position
        for b in step.writes
    )


def _fix(steps: list[tuple[int, Any]], taken: Collection[Buffer]) -> list[tuple[int, Call]]:
    """Takes those calls out that give the same in each run, since they read constants alone.

    What they write are constants from then on, but for buffers that are `taken`.
    """
    return _take_out(
        steps,
        taken,
        lambda step: all(value.buffer.kind == CONSTANT for value in step.reads),
    )


def _keep(
    steps: list[tuple[int, Any]], taken: Collection[Buffer], written: Collection[Storage]
) -> list[tuple[int, Call]]:
    """Takes those calls out that pack variables which this program does not write to.

    What they write are constants as long as these variables stay as they are.
    """
    return _take_out(
        steps,
        taken,
        lambda step: (
            step.packs
            and all(
                value.buffer.kind == CONSTANT
                or (value.buffer.kind == VARIABLE and value.buffer.storage not in written)
                for value in step.reads
            )
        ),
    )


def _take_out(
    steps: list[tuple[int, Any]], taken: Collection[Buffer], suits: Callable[[Call], bool]
) -> list[tuple[int, Call]]:
    """Takes those calls out that suit, and write nothing but buffers of their own."""
    found = []
    for position, step in steps:
        if not isinstance(step, Call) or step.fallible or not step.reads or not suits(step):
            continue
        own = (PLANNED, position, position)
        if any((b.kind, b.first, b.maker) != own or b in taken for b in step.writes):
            continue
        for buffer in step.writes:
            buffer.kind = CONSTANT
            buffer.array = aligned_empty(buffer.shape, buffer.dtype)
        found.append((position, step))
    positions = {position for position, _ in found}
    steps[:] = [item for item in steps if item[0] not in positions]
    return found
