"""The figures of a run of `scripts/bench`, which `scripts/bench publish` has kept, as tables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

DATA = Path(__file__).parents[1] / "data" / "performance.json"
# What is measured, in the order of columns, by the names of the suite.
LIBRARIES = {
    "hybridflow": "hybridflow",
    "numpy": "NumPy",
    "numba": "Numba",
    "pytensor": "PyTensor",
    "jax": "JAX",
    "torch": "PyTorch",
    "tensorflow": "TensorFlow",
}


# What the page and the README lead with: the workload, and what it stands for.
HEADLINES = {
    "MLP step, batch 32, 784-128-10": "a training step of a small network",
    "linear regression step, 17 samples": "a step so small that overhead is all",
    "Adam + row max-norm, 4096 x 2560": "Adam with a constraint, 10 M weights",
    "eager Adam step, 10 variables of 100 x 100": "an eager optimizer step",
    "import": "`import`",
}
# Why targets are missed: what is measured, what it is compared with, and a few words.
_WHY = (
    ("tanh|exp|log|relu", "numpy", "NumPy has AVX-512 code for it; ours is portable"),
    ("1,000 steps", "interpreted", "compiling takes one of two cores meanwhile"),
    ("", "traffic", "two threads compute longer than they move bytes"),
)


class Subject(NamedTuple):
    """What did the work of a row, and how long it took.

    Attributes:
      label: `library:variant`, or `library, start:variant`.
      seconds: the median. ratio: to the row's base: lower quartile, median, upper quartile.
    """

    label: str
    seconds: float
    ratio: tuple[float, float, float] | None

    @property
    def library(self) -> str:
        """By the suite's name."""
        return self.label.partition(":")[0].partition(",")[0]

    @property
    def start(self) -> str:
        """How its process began or was held, such as "cold"; empty if in no special way."""
        return self.label.partition(":")[0].partition(", ")[2]


class Row(NamedTuple):
    """One workload: its subjects, the quickest first, and its targets as they were kept."""

    name: str
    base: str | None
    subjects: list[Subject]
    targets: list[dict[str, Any]]

    def quickest(self) -> list[Subject]:
        """The quickest variant of each library, and of each way to start.

        Without those held to one thread, and without `traffic`, which does no work.
        """
        found: dict[tuple[str, str], Subject] = {}
        for subject in self.subjects:
            if subject.start != "1 thread" and not subject.label.endswith(":traffic"):
                found.setdefault((subject.library, subject.start), subject)
        return list(found.values())


@cache
def run() -> dict[str, Any]:
    """What was kept of the run."""
    found: dict[str, Any] = json.loads(DATA.read_text("utf-8"))
    return found


def rows() -> list[Row]:
    """The workloads of the run."""
    return [
        Row(
            name,
            found["base"],
            [
                Subject(label, kept["seconds"], kept["ratio"])
                for label, kept in found["subjects"].items()
            ],
            found["targets"],
        )
        for name, found in run()["workloads"].items()
    ]


def duration(seconds: float) -> str:
    """Seconds in the unit that fits, with three digits.

    >>> duration(0.01234), duration(2.5e-6)
    ('12.3 ms', '2.5 us')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def machine() -> str:
    """Where and when it was measured."""
    found = run()
    versions = dict(found["versions"])
    python = versions.pop("python")
    libraries = ", ".join(f"{name} {version}" for name, version in versions.items())
    before, after = found["load"]
    return (
        f"Measured on {found['date']}, revision `{found['revision']}`: {found['processor']}, "
        f"{found['cores']} cores, load {before} before and {after} after; Python {python}, "
        f"{libraries}."
    )


def medians() -> str:
    """The table of all rows, folded away: the medians of each library's quickest variant."""
    measured = {subject.library for row in rows() for subject in row.quickest()}
    libraries = [library for library in LIBRARIES if library in measured]
    heads = [LIBRARIES[library] for library in libraries]
    table = _table(
        ["workload", *heads],
        "l" + "r" * len(heads),
        ([row.name, *(_cell(row, library) for library in libraries)] for row in rows()),
    )
    return (
        f":::{{dropdown}} Medians of the quickest variants, the best of a row in bold\n{table}:::\n"
    )


def _cell(row: Row, library: str) -> str:
    """The times of one library; the best of the row in bold."""
    best = min(subject.seconds for subject in row.quickest())
    times = []
    for subject in row.quickest():
        if subject.library == library:
            time = duration(subject.seconds)
            time = f"**{time}**" if subject.seconds == best else time
            times.append(f"{subject.start} {time}".strip())
    return "<br>".join(times)


def headlines() -> str:
    """The rows that matter: hybridflow's best time, and how many times longer others take."""
    libraries = [library for library in LIBRARIES if library not in ("hybridflow", "numba")]
    named = {row.name: row for row in rows()}
    return _table(
        ["", "hybridflow", *(LIBRARIES[library] for library in libraries)],
        "l" + "r" * (1 + len(libraries)),
        ([what, *_beside(named[name], libraries)] for name, what in HEADLINES.items()),
    )


def _beside(row: Row, libraries: list[str]) -> list[str]:
    """Our time, where kernels are there from earlier runs; then those of others, as multiples."""
    best: dict[str, float] = {}
    for subject in row.quickest():
        if subject.start in ("", "warm"):
            best.setdefault(subject.library, subject.seconds)
    ours = best["hybridflow"]
    return [
        f"**{duration(ours)}**",
        *(_times(best[library] / ours) if library in best else "" for library in libraries),
    ]


def _times(ratio: float) -> str:
    return f"{ratio:.0f} x" if ratio >= 10.0 else f"{ratio:.1f} x"


def why_missed(workload: str, target: dict[str, Any]) -> str:
    """Why a target is missed, in a few words."""
    low, _, high = target["found"]
    if low <= target["limit"] <= high:
        return "within the spread"
    base = target["what"].partition(" / ")[2]
    return next(why for kind, to, why in _WHY if re.search(kind, workload) and to in base)


def targets() -> str:
    """How many targets are met; and their table, folded away."""
    found = [target["met"] for row in rows() for target in row.targets]
    title = f"Targets: {sum(found)} of {len(found)} met"
    table = _table(
        ["workload", "what", "found", "quartiles", "at most", ""],
        "llrrrl",
        (
            [
                row.name,
                f"`{target['what']}`",
                _amount(target["found"][1], target["unit"]),
                " to ".join(_amount(target["found"][at], target["unit"]) for at in (0, 2)),
                _amount(target["limit"], target["unit"]),
                "met" if target["met"] else f"**missed**: {why_missed(row.name, target)}",
            ]
            for row in rows()
            for target in row.targets
        ),
    )
    return f":::{{dropdown}} {title}\n{table}:::\n"


def _amount(value: float, unit: str) -> str:
    """A time, or a ratio."""
    return duration(value) if unit == "s" else f"{value:.3g} x"


def subjects() -> str:
    """A table for each row with all its subjects, folded away."""
    tables = "\n".join(f"**{row.name}**\n\n{_subjects_of(row)}" for row in rows())
    return f":::{{dropdown}} All subjects of all workloads\n{tables}:::\n"


def _subjects_of(row: Row) -> str:
    return _table(
        ["subject", "median", f"to {_label(row.base)}", "quartiles"],
        "lrrr",
        (
            [
                _label(subject.label),
                duration(subject.seconds),
                f"{subject.ratio[1]:.3g}" if subject.ratio else "",
                f"{subject.ratio[0]:.3g} to {subject.ratio[2]:.3g}" if subject.ratio else "",
            ]
            for subject in row.subjects
        ),
    )


def _label(label: str | None) -> str:
    return f"`{label.removesuffix(':')}`" if label else "nothing"


def _table(heads: list[str], sides: str, cells: Iterable[list[str]]) -> str:
    lines = [heads, ["--:" if side == "r" else "---" for side in sides], *cells]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def write(folder: Path) -> None:
    """Writes the parts of the page."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in (machine, headlines, medians, targets, subjects):
        (folder / f"performance_{part.__name__}.md").write_text(part(), "utf-8")
