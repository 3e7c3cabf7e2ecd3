"""Runs the table of workloads: see `perf/README.md`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from perf.suite import compare, machine, peers, publish, quick, report, results
from perf.suite.turns import Suite, suite

_FOLDER = machine.ROOT / "perf" / "results"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run the table")
    _add_choice(run)
    run.add_argument("--peers", nargs="*", default=[], choices=list(peers.MODULES))
    run.add_argument(
        "--python", action="append", default=[], help="a Python that has other peers; repeatable"
    )
    run.add_argument("--out", type=Path, default=_FOLDER / "latest.json")
    run.add_argument("--check", action="store_true", help="small sizes, and no times")
    run.add_argument("--small", action="store_true", help="small sizes")
    run.add_argument("--targets", action="store_true", help="fail where a target is missed")
    for name, words in (
        ("report", "show a run that was kept"),
        ("publish", f"write what the site shows of it: {publish.FILE.relative_to(machine.ROOT)}"),
    ):
        command = commands.add_parser(name, help=words)
        command.add_argument("results", type=Path, nargs="?", default=_FOLDER / "latest.json")
    compare.add_arguments(commands)
    quick.add_arguments(commands)
    return parser


def _add_choice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("workloads", nargs="*", help="parts of names; all without")
    parser.add_argument("--rounds", type=int, default=15)


def _run(options: argparse.Namespace, console: Console) -> int:
    rounds = 0 if options.check else options.rounds
    found = peers.find(options.peers, options.python)
    console.print("peers:", ", ".join(f"{peer.label} ({peer.python})" for peer in found))
    serial = [peers.one_thread(p) for p in found if p.label in ("hybridflow", "numpy", "numba")]
    chosen = results.select(options.workloads)
    kept: dict[str, Any] = {"machine": machine.facts(), "workloads": {}}
    with suite([*found, *serial], console.print) as made:
        kept["peers"] = {label: server.versions for label, server in made.servers.items()}
        for workload in chosen:
            measured = _measured(made, workload, rounds, options)
            kept["workloads"][workload.name] = measured
            states = [f"{s} {'FAILED' if 'failed' in m else 'ok'}" for s, m in measured.items()]
            console.print(
                f"{workload.name}: {', '.join(states)}"
                if options.check
                else f"{workload.name}: measured"
            )
            if rounds:
                results.store(kept, options.out)
    kept["machine"]["load after"] = machine.facts()["load"]
    failed = [m for found in kept["workloads"].values() for m in found.values() if "failed" in m]
    if rounds:
        results.store(kept, options.out)
        report.show(kept, console)
        _draw(kept, options.out, console)
    missed = (
        [v for row in results.rows(kept) for v in row.verdicts() if not v.met] if rounds else []
    )
    return int(bool(failed) or (options.targets and bool(missed)))


def _measured(made: Suite, workload: Any, rounds: int, options: argparse.Namespace) -> Any:
    return made.measure(workload, rounds, _only(workload), options.check or options.small)


def _only(workload: Any) -> Callable[[str], bool]:
    """Peers with one thread run only where a target asks for them."""
    named = {label.split(":")[0] for t in workload.targets for label in (t.subject, t.base)}
    return lambda label: "1 thread" not in label or label.split(":")[0] in named


def _draw(kept: dict[str, Any], path: Path, console: Console) -> None:
    picture = path.with_suffix(".png")
    try:
        report.draw(kept, picture)
    except ImportError as error:
        console.print(f"no picture: {error} (it comes with the extra 'plots')")
        return
    console.print(f"results: {path}, picture: {picture}")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; gives the exit status."""
    options = _parser().parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 130)
    if options.command == "run":
        return _run(options, console)
    if options.command == "report":
        kept = results.load(options.results)
        report.show(kept, console)
        _draw(kept, options.results, console)
        return 0
    if options.command == "publish":
        publish.publish(results.load(options.results))
        console.print(f"written: {publish.FILE}")
        return 0
    if options.command == "compare":
        return compare.run(options, console)
    return quick.run(options, console)


if __name__ == "__main__":
    sys.exit(main())
