"""What plans do, step by step, and what it costs: the report of `hf.explain`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context
from hybridflow._src.framework.storage import undone_on_error
from hybridflow._src.kernels.compiler import COMPILER
from hybridflow._src.plan.native import Native
from hybridflow._src.plan.nested import Nested
from hybridflow._src.plan.planning import observers
from hybridflow._src.plan.profile import Profile, profile
from hybridflow._src.plan.steps import Host
from hybridflow._src.plan.values import own
from hybridflow._src.runtime.function import Function
from hybridflow._src.runtime.session import Session
from hybridflow._src.runtime.step_stats import DeviceStepStats, StepStats
from hybridflow._src.runtime.step_view import StepView, steps_of
from hybridflow._src.runtime.trace import step_stats
from hybridflow._src.variables.initialization import (
    global_variables,
    local_variables,
    variables_initializer,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Group

    from hybridflow._src.kernels.kernel import Kernel
    from hybridflow._src.plan.instruction import Watch
    from hybridflow._src.plan.plan import Plan
    from hybridflow._src.plan.program import Program

# As long as compiling may take.
_SECONDS = 120.0
# So many profiled runs, of which the fastest counts.
_RUNS = 3
_NO_COMPILER = "kernels are not compiled here"
_HEADINGS = ("step", "time", "bytes", "what", "ops")
_COUNTS = {"step", "time", "bytes"}


class PlanView:
    """What one plan does.

    Attributes:
      name: the ops that it was made for, or what it is a body of.
      ops: the names of the graph's ops, in the order in which they run.
      passes: pairs of the name of a pass and the seconds that it took.
      is_native: whether a native program runs; if not, `problem` says why, where that is known.
      steps: a `StepView` for each step of the program, or each instruction of the interpreter.
      times: the seconds of each step in a profiled run, None for those that did not run. runs: how
        often the plan has run. seconds: how long the profiled run took, None if there was none.
      kernels: the kernels, each once.
      fallbacks: pairs of an op and the reason why its NumPy meaning runs inside the program.
      bytes: what all steps read and write, as far as that is known.
      memory: bytes of the plan's own memory; `memory_without_reuse`: if nothing were used twice.
      bodies: the plans of control flow bodies that run outside of the program; what runs inside is
        shown below its step.
    """

    def __init__(self, name: str, plan: Plan, program: Program | None, problem: str = "") -> None:
        self.name = name
        self.ops = tuple(dict.fromkeys(step.op.name for step in plan.instructions))
        self.passes = [*plan.passes, *(program.passes if program else ())]
        self.is_native = program is not None
        self.problem = "" if self.is_native else problem
        self.steps: list[StepView] = steps_of(plan, program)
        self.times: list[float | None] = [None] * len(self.steps)
        self.runs = 0
        self.seconds: float | None = None
        kernels = [step.kernel for step in self.steps if step.kernel is not None]
        # Some steps have one more, which adds up what threads have found.
        kernels += program.kernels.values() if program else ()
        self.kernels: list[Kernel] = list(dict.fromkeys(kernels))
        self.fallbacks = [(step.ops[0], step.why) for step in self.steps if step.why]
        self.bytes = sum(step.bytes or 0 for step in self.steps)
        self.memory = program.block.size if program else 0
        self.memory_without_reuse = program.block.total if program else 0
        self.bodies = [_view(f"a body of {name}", body) for body in _bodies_of(plan, program)]

    def add(self, found: Profile) -> None:
        """Takes the times of a profiled run."""
        times = found.times()
        self.times = [times.get(number) for number in range(len(self.steps))]
        self.seconds = found.seconds

    def summary(self) -> Iterator[str]:
        """The lines above the table of steps."""
        yield f"{self.name}: {_count(len(self.ops), 'op')}, {_count(len(self.steps), 'step')}" + (
            f", run {_count(self.runs, 'time')}" if self.runs else ""
        )
        yield "  passes: " + ", ".join(f"{name} {_time(s)}" for name, s in self.passes)
        if self.is_native:
            yield (
                f"  native: {_count(len(self.kernels), 'kernel')}, "
                f"{_count(len(self.fallbacks), 'fallback')}; {_size(self.bytes)} moved; memory "
                f"{_size(self.memory)} ({_size(self.memory_without_reuse)} without reuse)"
            )
        else:
            yield f"  interpreted{': ' if self.problem else ''}{self.problem}"
        if self.seconds is not None:
            steps = sum(seconds for seconds in self.times if seconds is not None)
            yield f"  profiled run: {_time(self.seconds)}, of which steps {_time(steps)}"
        elif self.is_native and self.runs:
            yield "  ready after the last run: all runs were interpreted"

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The table of steps, as text."""
        for number, (step, seconds) in enumerate(zip(self.steps, self.times, strict=True)):
            why = f"  ({step.why})" if step.why else ""
            yield (
                str(number),
                "" if seconds is None else _time(seconds),
                "" if step.bytes is None else _size(step.bytes),
                step.what,
                ", ".join(step.ops) + why,
            )
            yield from _rows_of_parts(step, 1)

    def sources(self) -> Iterator[str]:
        """The source text of each kernel, with a line above that says whose it is."""
        for kernel in self.kernels:
            steps = [str(i) for i, step in enumerate(self.steps) if step.kernel == kernel]
            where = f"of step{'s' if len(steps) > 1 else ''} {', '.join(steps)}" if steps else ""
            yield f"# kernel {kernel.label} {where}\n{kernel.source}"

    def __repr__(self) -> str:
        return f"<PlanView of {self.name}, {_count(len(self.steps), 'step')}>"


def _rows_of_parts(step: StepView, depth: int) -> Iterator[tuple[str, ...]]:
    """The steps inside a loop or conditional, as text."""
    for name, steps in step.parts:
        for inner in steps:
            size = "" if inner.bytes is None else _size(inner.bytes)
            yield "", "", size, f"{'  ' * depth}{name}: {inner.what}", ", ".join(inner.ops)
            yield from _rows_of_parts(inner, depth + 1)


def _bodies_of(plan: Plan, program: Program | None) -> Sequence[Plan]:
    """The plans of bodies that are not parts of the program."""
    if program is None:
        return plan.bodies
    left = [step.instruction.compute for _, step in program.steps if isinstance(step, Host)]
    return [part.plan for nested in left if isinstance(nested, Nested) for part in nested.parts]


def _view(name: str, plan: Plan) -> PlanView:
    """What is known of a plan without running it."""
    native = plan.native
    if isinstance(native, _Watched):
        return native.view(name)
    program = None if native is None else native.latest
    problems = [_NO_COMPILER] if native is None else list(native.problems.values())
    return PlanView(name, plan, program, problems[0] if problems else "")


class Explanation:
    """What plans do, for people as text and for programs as fields.

    Attributes:
      plans: a `PlanView` for each plan. source: whether the text shows the kernels' source.
    """

    def __init__(self, plans: Sequence[PlanView], source: bool = False) -> None:
        self.plans = list(plans)
        self.source = source

    @property
    def fallbacks(self) -> int:
        """How many ops inside native programs run by their NumPy meaning."""
        return sum(len(view.fallbacks) for view in self._all())

    def _all(self) -> Iterator[PlanView]:
        pending = self.plans[::-1]
        while pending:
            view = pending.pop()
            yield view
            pending += view.bodies[::-1]

    def __str__(self) -> str:
        lines = []
        for view in self._all():
            lines += [*view.summary(), *_aligned([_HEADINGS, *view.rows()]), ""]
            if self.source:
                lines += view.sources()
        return "\n".join(lines).rstrip()

    __repr__ = __str__

    def __rich__(self) -> Group:
        from rich.console import Group
        from rich.syntax import Syntax
        from rich.table import Table
        from rich.text import Text

        parts: list[Any] = []
        for view in self._all():
            first, *rest = view.summary()
            parts += [Text(first, style="bold"), *map(Text, rest)]
            table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
            for heading in _HEADINGS:
                table.add_column(heading, justify="right" if heading in _COUNTS else "left")
            fallbacks = {str(n) for n, step in enumerate(view.steps) if step.why}
            for row in view.rows():
                table.add_row(*map(Text, row), style="yellow" if row[0] in fallbacks else None)
            parts += [table, Text()]
            if self.source:
                parts += [Syntax(text, "python") for text in view.sources()]
        return Group(*parts)


def explain(fetches: Any, feed_dict: Any, session: Any, source: bool) -> Explanation:
    """See `hf.explain`."""
    if isinstance(fetches, Function):
        return Explanation([_view(name, plan) for name, plan in fetches.plans()], source)
    session = session or context.sessions.top
    if session is None:
        with Session() as new:
            new.run(variables_initializer([*global_variables(), *local_variables()]))
            return explain(fetches, feed_dict, new, source)
    runnable, feeds = session.prepared(fetches, feed_dict)
    fetched = [*runnable.fetches.tensors, *runnable.fetches.operations]
    plan = runnable.plan
    feeds = plan.ready(feeds)

    def rehearse() -> None:
        for _ in range(_RUNS):
            if _is_settled(plan, feeds):
                break
            profile(plan, feeds)
            COMPILER.wait(_SECONDS)
        raise _Rehearsed(min((profile(plan, feeds)[1] for _ in range(_RUNS)), key=_seconds_of))

    try:
        undone_on_error(rehearse)
    except _Rehearsed as done:
        found = done.profile
    problem = _NO_COMPILER if plan.native is None else plan.native.problem_for(feeds)
    view = PlanView(", ".join(item.name for item in fetched), plan, found.program, problem)
    view.add(found)
    return Explanation([view], source)


class _Rehearsed(Exception):
    """Ends a rehearsal, so that what it wrote is taken back."""

    def __init__(self, profile: Profile) -> None:
        super().__init__()
        self.profile = profile


def _seconds_of(found: Profile) -> float:
    return found.seconds


def _is_settled(plan: Plan, feeds: Sequence[Any]) -> bool:
    """Whether more runs change nothing of how it runs."""
    native = plan.native
    return native is None or bool(native.program_for(feeds) or native.problem_for(feeds))


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows as lines of text, in columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if heading in _COUNTS else cell.ljust(width)
            for cell, width, heading in zip(row, widths, _HEADINGS, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _time(seconds: float) -> str:
    for factor, unit in ((1, "s"), (1e3, "ms")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def _size(count: float) -> str:
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"


class Recording:
    """Watches the plans that are made while it is on: of the first runs, some are profiled."""

    def __init__(self) -> None:
        self._watched: list[_Watched] = []

    def __enter__(self) -> Recording:
        observers.append(self._add)
        return self

    def __exit__(self, *_: Any) -> None:
        observers.remove(self._add)

    def _add(self, plan: Plan) -> None:
        self._watched.append(_Watched(plan))

    def step_stats(self) -> StepStats:
        """What the profiled runs did and when, as one run in TensorFlow's form."""
        profiles = [profile for watched in self._watched for profile in watched.profiles()]
        found: list[Any] = [step_stats(profile) for profile in profiles]
        devices = [device for stats in found for device in stats.dev_stats]
        nodes = [node for device in devices for node in device.node_stats]
        nodes.sort(key=lambda node: node.all_start_micros)
        names = [device.device for device in devices[:1]]
        return StepStats(
            dev_stats=[DeviceStepStats(device=name, node_stats=nodes) for name in names]
        )

    def explanation(self, source: bool = False) -> Explanation:
        """What the plans that ran do; those that took longest come first."""
        COMPILER.wait(_SECONDS)
        inner = {id(body) for watched in self._watched for body in watched.plan.bodies}
        ran = [w for w in self._watched if w.runs and id(w.plan) not in inner]
        ran.sort(key=lambda w: w.seconds, reverse=True)
        return Explanation([watched.view(_name_of(watched.plan)) for watched in ran], source)


def _name_of(plan: Plan) -> str:
    """The ops whose results a plan gives, and the one that runs last."""
    makers = {slot: step.op.name for step in plan.instructions for slot in step.outputs}
    names = [makers[slot] for slot in plan.fetches if slot in makers]
    if plan.instructions:
        names.append(plan.instructions[-1].op.name)
    return ", ".join(dict.fromkeys(names)) or "constants"


class _Watched(Native):
    """A native executor that counts and profiles the runs of its plan."""

    def __init__(self, plan: Plan) -> None:
        self._compiles = plan.native is not None
        super().__init__(plan)
        self.plan = plan
        # Of runs of the interpreter, and of runs of a program.
        self._profiles: dict[bool, list[Profile]] = {False: [], True: []}
        self.runs = 0
        self.seconds = 0.0
        plan.native = self

    @property
    def latest(self) -> Program | None:
        """None: there is no way round `run`."""
        return None

    @latest.setter
    def latest(self, program: Program | None) -> None:
        pass

    def run(self, feeds: Sequence[Any]) -> list[Any]:
        self.runs += 1
        profiles = self._profiles[self.program_for(feeds) is not None]
        if len(profiles) < _RUNS:
            results, found = profile(self.plan, feeds)
            profiles.append(found)
            self.seconds += found.seconds
            return results
        start = time.perf_counter()
        given = super().run(feeds)
        results = [own(value) for value in self.plan.interpret(feeds)] if given is None else given
        self.seconds += time.perf_counter() - start
        return results

    def _not_yet(
        self, key: Any, feeds: Sequence[Any], watch: Watch | None = None
    ) -> list[Any] | None:
        return super()._not_yet(key, feeds, watch) if self._compiles else None

    def profiles(self) -> list[Profile]:
        """The profiles of the first runs of the interpreter and of programs."""
        return [*self._profiles[False], *self._profiles[True]]

    def view(self, name: str) -> PlanView:
        """What was found."""
        found = [p for p in self._profiles[True] if p.program] or self._profiles[False]
        program = next(reversed(self.programs.values()), None)
        best = min(found, key=_seconds_of, default=None)
        if best is not None and best.program is not None:
            program = best.program
        problem = next(iter(self.problems.values()), "")
        if not self._compiles:
            problem = _NO_COMPILER
        view = PlanView(name, self.plan, program, problem)
        if best is not None and best.program is program:
            view.add(best)
        view.runs = self.runs
        return view
