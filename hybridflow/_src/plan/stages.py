"""What a plan does first: ops that may wait for other threads.

While one waits, no lock may be held: those whom it waits for may need the same variables. So ops
that wait, and what they need, run before the rest of a plan, which is then fed with what they gave.
All that can begin together does: of two, one may wait for the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hybridflow._src.framework.dtypes import resource
from hybridflow._src.framework.waiting import Later, Waiting, Waits, finish, on_behalf_of
from hybridflow._src.plan.effects import effects_of, is_reference
from hybridflow._src.plan.instruction import explained
from hybridflow._src.plan.nested import as_arrays
from hybridflow._src.plan.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.plan.instruction import Instruction, Watch


def may_wait(op: Operation) -> bool:
    """Tells whether an op may wait for other threads, itself or in its bodies."""
    if op.bodies:
        return any(may_wait(inner) for body in op.bodies for inner in body.operations)
    return isinstance(op.record.compute, Waiting)


class Split(NamedTuple):
    """The ops of a plan, in parts that run one after the other.

    Attributes:
      before: what the waiting ones need, and what may end the run without them.
      waiting: those that wait for none of their like.
      needed: what the waiting ones use, and what they must wait for.
      kept: what comes before, or the waiting ones give, and is used by what comes after.
    """

    before: list[Operation]
    waiting: list[Operation]
    needed: list[Tensor]
    controls: list[Operation]
    kept: list[Tensor]


def split(ops: Sequence[Operation], tensors: Iterable[Tensor], fed: frozenset[Tensor]) -> Any:
    """How a plan begins that has ops which wait; None where it has none.

    Args:
      ops: all that it needs, in the order in which they were made.
      tensors: what it gives. fed: what it is given.
    """
    if not any(may_wait(op) for op in ops):
        return None
    members = set(ops)
    behind: set[Operation] = set()
    waiting: list[Operation] = []
    for op in ops:
        if not behind.isdisjoint(_sources(op, members, fed)):
            behind.add(op)
        elif may_wait(op):
            waiting.append(op)
            behind.add(op)
    controls = [c for op in waiting for c in op.controls if c in members]
    controls = list(dict.fromkeys([*controls, *_ending(ops, behind)]))
    before: set[Operation] = set()
    pending = [*controls, *[s for op in waiting for s in _sources(op, members, fed)]]
    while pending:
        op = pending.pop()
        if op not in before:
            before.add(op)
            pending.extend(_sources(op, members, fed))
    early = before.union(waiting)
    used = dict.fromkeys(t for op in ops if op not in early for t in op.inputs)
    used.update(dict.fromkeys(tensors))
    needed = [t for op in waiting for t in _values_for(op, fed)]
    return Split(
        [op for op in ops if op in before],
        waiting,
        list(dict.fromkeys(needed)),
        controls,
        [t for t in used if t.op in early and t not in fed and _is_value(t)],
    )


def _ending(ops: Sequence[Operation], behind: set[Operation]) -> list[Operation]:
    """Those that may end the run, so that it had better not wait: in TensorFlow they run meanwhile.

    None of those `behind` what waits, and none whose variable others use: they are given its value
    from before the run.
    """
    found = [op for op in ops if op.record.name == "CountUpTo" and op not in behind]
    return [
        op
        for op in found
        if not any(
            effects_of(op).writes & (effects_of(other).reads | effects_of(other).writes)
            for other in ops
            if other is not op
        )
    ]


def _sources(op: Operation, members: set[Operation], fed: frozenset[Tensor]) -> list[Operation]:
    """What an op takes from or waits for."""
    found = [t.op for t in op.inputs if t not in fed]
    found.extend(op.controls)
    return [source for source in found if source in members]


def _values_for(op: Operation, fed: frozenset[Tensor]) -> Iterator[Tensor]:
    """The values that an op uses, and those of which its handles are made."""
    for tensor in op.inputs:
        if _is_value(tensor):
            if tensor not in fed:
                yield tensor
        elif tensor not in fed:
            yield from _values_for(tensor.op, fed)


def _is_value(tensor: Tensor) -> bool:
    """Whether a tensor can be given from one part to the next: no handle, no variable."""
    return tensor._dtype is not resource and not is_reference(tensor)


class WaitingPlan(Plan):
    """The ops that wait, with what gives them handles; interpreted."""

    __slots__ = ()

    def _interpret(
        self, feeds: Sequence[Any], seen: Watch | None, given: Mapping[int, Any]
    ) -> list[Any]:
        buffers = self.template.copy()
        for slot, value in zip(self.feeds, feeds, strict=True):
            buffers[slot] = value
        waiting = []
        for step in self.instructions:
            if may_wait(step.op):
                waiting.append(step)
            else:
                _store(step, buffers, step.results([buffers[i] for i in step.inputs]))
        steps = [_Step(step, [buffers[i] for i in step.inputs]) for step in waiting]
        for step, results in zip(waiting, finish(steps), strict=True):
            _store(step, buffers, results)
        return [buffers[slot] for slot in self.fetches]


def _store(step: Instruction, buffers: list[Any], results: Sequence[Any]) -> None:
    for slot, value in zip(step.outputs, results, strict=True):
        buffers[slot] = value


class _Step:
    """A step that waits for others."""

    def __init__(self, step: Instruction, inputs: list[Any]) -> None:
        self._step = step
        self._inputs = inputs
        self._attempt: Any = None

    def begin(self) -> None:
        """Has it stand in line."""
        compute = self._step.compute
        if isinstance(compute, Waiting):
            self._attempt = self._explaining(compute.begin, *self._inputs, **self._step.attrs)
        else:
            self._attempt = Later(compute, *self._inputs)

    def wait(self) -> Sequence[Any]:
        """What it gives for each output."""
        result = self._explaining(self._attempt.wait)
        outputs = self._step.outputs
        if len(outputs) == 1 and result.__class__ is not tuple and result.__class__ is not list:
            return (result,)
        return result if outputs else ()

    def cancel(self, error: Exception | None) -> None:
        """Has it wait no longer."""
        if self._attempt is not None:
            self._attempt.cancel(error)

    def _explaining(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            problem = explained(error, self._step.op, self._inputs)
            if problem is error:
                raise
            raise problem from error


class Stage:
    """What runs before the rest of a plan.

    Args:
      before: gives what the waiting ops need, and what is kept of that; None if it is nothing.
      needed: how many there are of the former.
      waiting: gives what is kept of what they give. It is fed as the plan is, and with the former.
      chosen: which of all that is there, in this order, the rest of the plan is fed with.
      waits: on whose behalf they wait.
      then: what runs next, before the rest of the plan.
    """

    def __init__(
        self,
        before: Plan | None,
        needed: int,
        waiting: Plan,
        chosen: Sequence[int],
        waits: Waits,
        then: Callable[[Sequence[Any]], Sequence[Any]] | None,
    ) -> None:
        self.before = before
        self.waiting = waiting
        self._needed = needed
        self._chosen = chosen
        self._waits = waits
        self._then = then

    def run(self, feeds: Sequence[Any]) -> Sequence[Any]:
        """What the rest of the plan is fed with."""
        values = [] if self.before is None else as_arrays(self.before.run_silenced(feeds))
        given = [*feeds, *values[: self._needed]]
        results = on_behalf_of(self._waits, self.waiting.interpret, given)
        there = [*feeds, *values, *results]
        chosen = [there[i] for i in self._chosen]
        return chosen if self._then is None else self._then(chosen)
