"""A run of the suite as a table and as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from perf.suite.results import Row, rows

_COLORS = {
    "hybridflow": "#d1495b",
    "numpy": "#8d99ae",
    "numba": "#2b9348",
    "pytensor": "#a06cd5",
    "jax": "#3a86ff",
    "torch": "#f3722c",
    "tensorflow": "#ffb703",
}


def duration(seconds: float) -> str:
    """Seconds in the unit that fits, with three digits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def show(results: dict[str, Any], console: Console) -> None:
    """Prints times and ratios of each workload, then the targets."""
    machine = results["machine"]
    console.print(
        f"{machine['processor']}, {machine['cores']} cores, load {machine['load']}, "
        f"revision {machine['revision']}{' with changes' if machine['changed'] else ''}"
    )
    for row in rows(results):
        console.print(_times(row))
    console.print(_targets(results))


def _times(row: Row) -> Table:
    base = row.resolve(row.workload.base)
    table = Table(title=row.workload.name, title_justify="left", min_width=86)
    table.add_column("subject")
    for head in ("median", "best", f"to {base}", "quartiles"):
        table.add_column(head, justify="right")
    table.add_column("notes")
    for label in row.timed:
        times = row.times(label)
        cells = [duration(row.median(label)), duration(min(times)), "", ""]
        found = row.ratio(label, base) if base else None
        if found is not None and label != base:
            cells[2:] = [f"{found.middle:.3g}", f"{found.low:.3g} - {found.high:.3g}"]
        style = "bold" if label.startswith("hybridflow") else None
        table.add_row(label, *cells, _notes(row, label), style=style)
    for label, measured in row.subjects.items():
        if "failed" in measured:
            table.add_row(label, "", "", "", "", f"failed: {measured['failed'][:120]}")
    return table


def _notes(row: Row, label: str) -> str:
    measured = row.subjects[label]
    found = [f"fallbacks: {len(row.fallbacks[label])}"] if label in row.fallbacks else []
    if measured.get("facts", {}).get("imports numba") and label.startswith("hybridflow, warm"):
        found.append("imports numba")
    return ", ".join(found)


def _targets(results: dict[str, Any]) -> Table:
    table = Table(title="targets", title_justify="left")
    for head in ("workload", "what"):
        table.add_column(head)
    for head in ("found", "quartiles", "at most"):
        table.add_column(head, justify="right")
    table.add_column("")
    for row in rows(results):
        for verdict in row.verdicts():
            unit = f" {verdict.unit}"
            table.add_row(
                row.workload.name,
                verdict.text,
                f"{verdict.found:.3g}{unit}",
                f"{verdict.spread[0]:.3g} - {verdict.spread[1]:.3g}",
                f"{verdict.limit:.3g}{unit}",
                "[green]met[/]" if verdict.met else "[red]missed[/]",
            )
    return table


def draw(results: dict[str, Any], path: Path) -> None:
    """A picture: for each workload the times of all subjects as ratios to its base."""
    from matplotlib import pyplot
    from matplotlib.lines import Line2D

    found = [row for row in rows(results) if row.resolve(row.workload.base)]
    figure, axes = pyplot.subplots(figsize=(11, 1.5 + 0.36 * len(found)), layout="constrained")
    seen: dict[str, str] = {}
    for position, row in enumerate(found):
        base = row.resolve(row.workload.base)
        assert base is not None
        for label in row.timed:
            ratio = row.ratio(label, base)
            assert ratio is not None
            peer = label.split(":")[0].split(",")[0]
            seen[peer] = color = _COLORS[peer]
            ours = peer == "hybridflow"
            axes.plot([ratio.low, ratio.high], [position] * 2, color=color, lw=2, zorder=2)
            axes.plot(
                ratio.middle, position, "o" if ours else ".", color=color, ms=8, zorder=3 + ours
            )
    axes.axvline(1, color="black", lw=0.8)
    axes.set_xscale("log")
    axes.set_yticks(range(len(found)), [f"{r.workload.name}\n/ {r.workload.base}" for r in found])
    axes.tick_params(axis="y", labelsize=6)
    axes.invert_yaxis()
    axes.grid(axis="x", which="both", alpha=0.25)
    axes.set_xlabel("time as a ratio to the base of the row (median and quartiles over rounds)")
    handles = [
        Line2D([], [], color=seen[p], marker="o", ls="", label=p) for p in _COLORS if p in seen
    ]
    axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 1.04), ncols=len(seen))
    machine = results["machine"]
    figure.suptitle(f"{machine['processor']}, {machine['cores']} cores", fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    pyplot.close(figure)
