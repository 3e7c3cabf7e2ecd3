"""The quick form, for every change: hybridflow against NumPy in one run, and counts.

Small problems; a few seconds each. Times are compared with NumPy's in the same run, both on one
thread, the best of all rounds with the best, and the limits leave room: twice what was measured and
more. Who misses a limit is measured again, up to three times in all. Beside times there are counts,
which are the same on every machine: how many native steps a plan has, and how many ops run by their
NumPy meaning.
"""

from __future__ import annotations

import argparse
from typing import Any

from rich.console import Console
from rich.table import Table

from perf.suite import peers
from perf.suite.report import duration
from perf.suite.turns import Suite, suite
from perf.workloads.table import QUICK, Quick

_ATTEMPTS = 3


def add_arguments(commands: Any) -> None:
    """Adds the command `quick`."""
    parser = commands.add_parser("quick", help="ratios to NumPy, and counts", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)


def _problems(made: Suite, row: Quick, rounds: int, table: Table) -> list[str]:
    """What is wrong with a row, in the end."""
    found: list[str] = []
    wanted = (row.subject, row.base)
    for attempt in range(_ATTEMPTS):
        measured = made.measure(row.workload, rounds, lambda label: label in wanted)
        failed = [m["failed"] for m in measured.values() if "failed" in m]
        if failed:
            return failed
        best, base = (min(measured[label]["seconds"]) for label in wanted)
        facts = measured[row.subject]["facts"]
        found = [f"does not run natively: {why}" for why in facts["fallbacks"]]
        if facts["native steps"] > row.steps:
            found.append(f"{facts['native steps']} native steps, at most {row.steps} are expected")
        if best > row.limit * base:
            found.append(f"takes {best / base:.2f} x NumPy's time, at most {row.limit} is expected")
        table.add_row(
            row.workload.name,
            row.subject,
            duration(best),
            duration(base),
            f"{best / base:.2f}",
            f"{row.limit:g}",
            str(facts["native steps"]),
            f"attempt {attempt + 1}" if found or attempt else "",
        )
        if not found or best <= row.limit * base:
            break
    return [f"{row.workload.name}, {row.subject}: {text}" for text in found]


def run(options: argparse.Namespace, console: Console) -> int:
    """Runs the quick form; gives 1 if something is wrong."""
    table = Table(title="hybridflow / NumPy, best of all rounds", title_justify="left")
    table.add_column("workload")
    table.add_column("subject")
    for head in ("hybridflow", "NumPy", "ratio", "limit", "steps"):
        table.add_column(head, justify="right")
    table.add_column("")
    problems: list[str] = []
    # A busy neighbour stops two threads for longer than one.
    found = [p._replace(environment=peers.ONE_THREAD) for p in peers.find(["hybridflow", "numpy"])]
    with suite(found, console.print) as made:
        for row in QUICK:
            problems += _problems(made, row, options.rounds, table)
    console.print(table)
    for problem in problems:
        console.print(f"[red]{problem}[/]")
    return int(bool(problems))
