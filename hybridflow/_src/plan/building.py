"""Makes native programs: lowers the instructions of a plan and has their kernels made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.kernels import pool
from hybridflow._src.kernels.compiler import COMPILER
from hybridflow._src.kernels.jobs import is_deterministic
from hybridflow._src.kernels.worker_process import CompileError
from hybridflow._src.plan.collectives import Begin
from hybridflow._src.plan.groups import MOST_NODES, GroupCall
from hybridflow._src.plan.nesting import Nesting
from hybridflow._src.plan.passes import Passes
from hybridflow._src.plan.program import Program
from hybridflow._src.plan.steps import Unsupported
from hybridflow._src.plan.values import Changed

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from hybridflow._src.framework.storage import Storage
    from hybridflow._src.plan.lowering import Lowering
    from hybridflow._src.plan.native import Native
    from hybridflow._src.plan.notes import Notes
    from hybridflow._src.plan.plan import Plan

# Numba takes about two milliseconds for a line. Where a plan's kernels that are not there yet have
# more lines than this, they are made for one op each, if those have fewer. It may be three times as
# many where so many bytes for each line are moved in a run: there large kernels save time.
_MOST_LINES = 3000
_BYTES_A_LINE = 1 << 16


def build(plan: Plan, native: Native, key: Any, notes: Notes) -> Iterator[float]:
    """Makes the program of a plan for shapes that were seen, as the turns of a job."""
    passes = Passes()
    try:
        program = yield from _program(plan, notes, passes)
        kernels = dict.fromkeys([*program.kernels.values(), *COMPILER.needed(program.is_shared)])
        yield from COMPILER.make(kernels)
        passes.done("kernels")
        program.link(
            COMPILER.obtain(kernels),
            COMPILER.entry(),
            COMPILER.crew() if program.is_shared else None,
        )
        passes.done("link")
    except (Unsupported, CompileError, Changed) as problem:
        native.add_problem(key, str(problem))
        return
    program.passes, program.notes = passes, notes
    native.add(key, program)


def _program(plan: Plan, notes: Notes, passes: Passes) -> Generator[float, None, Program]:
    """The program of a plan, for shapes that were seen, with what compiles in bounded time.

    Raises:
      Unsupported: if it is fed what kernels cannot take.
    """
    fused = yield from _program_of(plan, notes, MOST_NODES, passes)
    lines = _lines(fused)
    if lines <= _most_lines(fused):
        return fused
    # An op to a kernel: there are fewer kernels than kinds of groups, for many steps each.
    plain = yield from _program_of(plan, notes, 1, passes)
    return plain if _lines(plain) < lines else fused


def _too_late(plan: Plan, lowering: Lowering) -> dict[int, str]:
    """What begins collectives, if steps may fail after ranks have met: the interpreter, which would
    run then, knows only of collectives that NumPy meanings have begun.
    """
    if not lowering.meetings:
        return {}
    others = set(lowering.fallible).difference(lowering.meetings)
    if max(others, default=-1) < lowering.meetings[0]:
        return {}
    begins = [step for step in plan.instructions if isinstance(step.compute, Begin)]
    return {id(step): "what comes after it may fail" for step in begins}


def _lines(program: Program) -> int:
    """How many lines have to be compiled for a program.

    Where each run is to give the same bits, those of all kernels: which are in the cache is chance.
    """
    kernels = program.kernels.values()
    return sum(k.lines for k in (kernels if is_deterministic() else COMPILER.missing(kernels)))


def _most_lines(program: Program) -> int:
    """How many lines may be compiled for a program."""
    moved = sum(step.bytes for _, step in program.singles() if isinstance(step, GroupCall))
    return min(_MOST_LINES + moved // _BYTES_A_LINE, 3 * _MOST_LINES)


def _program_of(
    plan: Plan, notes: Notes, most: int, passes: Passes
) -> Generator[float, None, Program]:
    """A program whose kernels hold at most so many operations, before the last op of each."""
    by_host: set[Storage] = set()
    outside: dict[int, str] = {}
    while True:
        left = len(outside)
        made = Nesting(plan, notes, by_host, outside, plan.options.threads or pool.size(), most)
        yield from made.turns()
        passes.done("lower")
        outside.update(_too_late(plan, made.lowering))
        clash = made.host_storages & (set(made.lowering.written) | made.unsafe)
        if clash <= by_host and len(outside) == left:
            program = Program(made.lowering, made.feeds, made.fetches, plan.options.without)
            passes.done("buffers")
            return program
        by_host |= clash
