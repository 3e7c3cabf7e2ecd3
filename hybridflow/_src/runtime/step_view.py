"""The steps of a plan as people read them: which ops, by which kernel, how many bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hybridflow._src.kernels.loops import all_nodes
from hybridflow._src.plan.collectives import Begin, End
from hybridflow._src.plan.groups import GroupCall
from hybridflow._src.plan.joining import Bands
from hybridflow._src.plan.located import is_locating
from hybridflow._src.plan.steps import Call, Choice, Host, Loop
from hybridflow._src.plan.values import VARIABLE, Buffer, Value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.kernels.kernel import Kernel
    from hybridflow._src.plan.arrangement import Arrangement
    from hybridflow._src.plan.instruction import Instruction
    from hybridflow._src.plan.plan import Plan
    from hybridflow._src.plan.program import Program


# The words before the type of an op that no kernel computes.
BEGIN, WAIT = "begin", "wait"
_KINDS: dict[type, str] = {Begin: BEGIN, End: WAIT}


class StepView(NamedTuple):
    """A step of a native program, or an instruction that the interpreter runs.

    Attributes:
      what: the kernel's name, or the op's type with "NumPy: " before it; for what is done together
        with other ranks with "begin: " or "wait: ".
      ops: the names of the ops whose work it does.
      kernel: the kernel; None where a NumPy meaning runs, or several steps are joined.
      bytes: how much memory it reads and writes, each byte as often as that; of rows that are
        picked by indices, as many as there are indices. None where that is not known.
      why: why there is no kernel.
      parts: of a loop, a conditional or steps that are joined, what each part is called and its
        steps.
    """

    what: str
    ops: tuple[str, ...]
    kernel: Kernel | None
    bytes: int | None
    why: str
    parts: tuple[tuple[str, tuple[StepView, ...]], ...] = ()


def steps_of(plan: Plan, program: Program | None) -> list[StepView]:
    """The steps of a program or, without one, the instructions of a plan."""
    if program is None:
        return [_interpreted(step) for step in plan.instructions]
    return _views(program, program.steps)


def _views(steps: Arrangement, of: Iterable[tuple[int, Any]]) -> list[StepView]:
    found = []
    for position, step in of:
        if isinstance(step, Bands):
            members = tuple(_views(steps, step.members))
            joined = tuple(dict.fromkeys(op for view in members for op in view.ops))
            moved = sum(view.bytes or 0 for view in members)
            each = "strip" if step.rows else "band"
            found.append(StepView(f"{each}s", joined, None, moved, "", ((each, members),)))
            continue
        ops = _names(steps.ops.get(position, {}))
        if isinstance(step, Host):
            view = _interpreted(step.instruction)
            found.append(view._replace(bytes=_of_host(step), why=step.why))
            continue
        kernel = steps.kernels[position]
        size = None
        if isinstance(step, GroupCall):
            size = _of_group(step)
        elif isinstance(step, Call) and not is_locating(step):
            size = _of_call(step)
        parts = []
        if isinstance(step, Choice):
            parts = [(f"branch {n}", part) for n, part in enumerate(step.parts)]
        elif isinstance(step, Loop):
            # A loop in registers has none.
            parts = list(zip(("condition", "body"), step.parts, strict=False))
        views = tuple((name, tuple(_views(part, part.steps))) for name, part in parts if part)
        found.append(StepView(kernel.label, ops, kernel, size, "", views))
    return found


def _interpreted(step: Instruction) -> StepView:
    kind = _KINDS.get(step.compute.__class__, "NumPy")
    return StepView(f"{kind}: {step.op.type}", (step.op.name,), None, None, "")


def _names(ops: dict[Operation | None, None]) -> tuple[str, ...]:
    return tuple(op.name for op in ops if op is not None)


def _of_group(step: GroupCall) -> int:
    nest = step.nest
    roots = [s.node for s in nest.stores] + [t.node for t in nest.totals]
    loaded = {node.detail for node in all_nodes(roots) if node.op == "load"}
    stored = {s.operand for s in nest.stores} | {t.operand for t in nest.totals}
    sizes = step.sizes_of_places()
    return sum(size * ((i in loaded) + (i in stored)) for i, size in enumerate(sizes))


def _of_call(step: Call) -> int:
    indices = [v.size for v in step.reads if v.dtype.kind in "iu"]
    count = None if step.kernel.label.startswith("product") or not indices else indices[0]
    total = sum(_picked(v.shape, v.size * v.dtype.itemsize, count) for v in step.reads)
    for buffer in step.writes:
        if buffer not in step.private:
            total += _picked(buffer.shape, buffer.size, count if buffer.kind == VARIABLE else None)
    return total


def _picked(shape: tuple[int, ...], size: int, count: int | None) -> int:
    """The bytes of so many rows, or of all."""
    return size if count is None or not shape else min(size, count * (size // max(shape[0], 1)))


def _of_host(step: Host) -> int:
    values = [v.size * v.dtype.itemsize for v in step.inputs if isinstance(v, Value)]
    return sum(values) + sum(b.size for b in step.outputs if isinstance(b, Buffer))
