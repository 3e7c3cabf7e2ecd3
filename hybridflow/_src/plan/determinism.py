"""What a run may do twice, where each run is to give the same bits (`TF_DETERMINISTIC_OPS`).

Interpreted and native steps differ in last bits, and when a kernel is ready is chance. So a program
is made for the first run already: the interpreter shows sizes in a trial, which is undone, and the
program runs then. Updates of variables are undone. What draws random numbers, reads files or takes
from queues is done once, in the trial, and the program is given what it gave. That serves where
what it was given is the same bits in the trial and in the program. Where it is not, as for what is
printed of a loss, the plan is interpreted, always.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.locks import new_lock
from hybridflow._src.framework.op_def import OF_SHAPES
from hybridflow._src.framework.storage import Storage
from hybridflow._src.plan.instruction import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.plan.instruction import Instruction
    from hybridflow._src.plan.steps import Host

_PROBLEM = (
    "under TF_DETERMINISTIC_OPS, since '{}' ({}) has an effect that cannot be undone, and is given "
    "what was computed"
)


class Effects:
    """What instructions of a plan do beside computing and writing to variables.

    Attributes:
      problem: why the plan has to be interpreted; empty if it need not be.
    """

    def __init__(self, plan: Any) -> None:
        self.problem = ""
        self._lock: Any = None
        # The instructions that are done once.
        self._once: set[int] = set()
        self._look(plan)

    def _look(self, plan: Any) -> None:
        # Buffers that have the same bits however they are computed.
        exact = {slot for slot, value in enumerate(plan.template) if value is not None}
        exact.update(plan.feeds)
        is_written = False
        for step in plan.instructions:
            op = step.op
            is_exact = exact.issuperset(step.inputs)
            if step.compute == Storage.read or op.record.effect == "read":
                is_exact &= not is_written
            elif op.record.effect == "write":
                is_written, is_exact = True, False
            elif _acts(op):
                if op.bodies or not is_exact:
                    self.problem = _PROBLEM.format(op.name, op.type)
                    return
                self._once.add(id(step))
                if op.record.name in ("VariableV2", "VarHandleOp"):
                    self._lock = step.compute().lock
            elif op.bodies:
                is_written |= plan.writes
                is_exact = False
            else:
                is_exact &= _keeps_bits(op)
            if is_exact:
                exact.update(step.outputs)

    def lock_of(self, feeds: Sequence[Any]) -> Any:
        """The lock that is held while the plan runs: that of its variables, if it has any."""
        if self._lock is None:
            locks = [feed.lock for feed in feeds if isinstance(feed, Storage)]
            if locks:
                return locks[0]
            self._lock = new_lock()
        return self._lock

    def done(self, given: Mapping[int, Any]) -> dict[int, Any]:
        """Of what instructions gave, by their identity, what must not be done again."""
        return {step: results for step, results in given.items() if step in self._once}

    def keeping(self, given: dict[int, Any], watch: Watch | None) -> Watch:
        """Adds to `given` what is done once, as it is done; tells another one of everything."""
        return _Keeping(self._once, given, watch)

    @staticmethod
    def interpreting(given: Mapping[int, Any]) -> Callable[[Host, list[Any]], list[Any]]:
        """Runs NumPy meanings in a program, but for what has been done."""

        def interpret(step: Host, inputs: list[Any]) -> list[Any]:
            known = given.get(id(step.instruction))
            return list(step.instruction.results(inputs) if known is None else known)

        return interpret


class _Keeping(Watch):
    def __init__(self, once: set[int], given: dict[int, Any], watch: Watch | None) -> None:
        self._once = once
        self._given = given
        self._watch = watch

    def __call__(self, step: Instruction, results: Sequence[Any]) -> None:
        if id(step) in self._once:
            self._given[id(step)] = results
        if self._watch is not None:
            self._watch(step, results)


def _acts(op: Operation) -> bool:
    """Whether an op does something that cannot be undone, itself or in its bodies."""
    if op.bodies:
        return any(_acts(inner) for body in op.bodies for inner in body.operations)
    return op.record.stateful and not op.record.only_checks and op.record.effect is None


def _keeps_bits(op: Operation) -> bool:
    """Whether what an op gives for the same bits is the same bits in kernels."""
    record = op.record
    if record.aliases or record.native == OF_SHAPES:
        return True
    return not any(t.dtype.is_floating or t.dtype.is_complex for t in op.outputs)
