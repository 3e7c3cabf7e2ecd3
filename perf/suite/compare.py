"""Compares two revisions of hybridflow and fails where the second is slower.

Three packages run in turns: the first revision, the same once more, and the second. What the first
two differ by is the noise of this machine at this time. Servers are started anew for each *block*
of rounds, since processes differ too: where memory lies, on which core they run.

In each round the logarithm of `second / sqrt(first * again)` is taken, and of `again / first`. Both
have a confidence interval of 99 % (a bootstrap over blocks and the rounds in them). A subject is
suspected if the lower end of the first interval is above 5 % (`--least`) and above what the
second interval reaches, on either side. Suspects are measured once more with twice the blocks;
who is suspected again is a regression.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from perf.suite import machine, results
from perf.suite.peers import Peer
from perf.suite.report import duration
from perf.suite.statistics import interval
from perf.suite.turns import suite
from perf.workloads.table import Workload

FIRST, AGAIN, SECOND = "first", "again", "second"
# By workload and variant, by package, by block: the seconds of the rounds.
Times = dict[tuple[str, str], dict[str, list[list[float]]]]


def add_arguments(commands: Any) -> None:
    """Adds the command `compare`."""
    parser = commands.add_parser("compare", help="compare two revisions", description=__doc__)
    parser.add_argument("base")
    parser.add_argument("head", nargs="?", default="HEAD")
    parser.add_argument("--workloads", nargs="*", default=[], help="parts of names; all without")
    parser.add_argument("--variants", nargs="*", default=[], help="such as graph; all without")
    parser.add_argument("--blocks", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--least", type=float, default=0.05, help="what is too little to matter")
    parser.add_argument("--small", action="store_true", help="small sizes")
    parser.add_argument("--out", type=Path, default=None, help="keep the times as JSON")


class Comparison(NamedTuple):
    """How the second revision compares with the first in one subject, as ratios of times.

    Attributes:
      ratio, low, high: the ratio and its confidence interval.
      noise: what two copies of the first revision may differ by, as a ratio above 1.
    """

    ratio: float
    low: float
    high: float
    noise: float

    def is_regression(self, least: float) -> bool:
        """Whether it is slower beyond the noise, by more than `least`."""
        return self.low > max(1 + least, self.noise)


def compared(blocks: dict[str, Sequence[Sequence[float]]]) -> Comparison:
    """Compares times, of each package a list of blocks of rounds."""
    logs = {name: [np.log(block) for block in found] for name, found in blocks.items()}
    triples = list(zip(logs[FIRST], logs[AGAIN], logs[SECOND], strict=True))
    changes = [second - (first + again) / 2 for first, again, second in triples]
    low, high = interval(changes)
    noise = interval([again - first for first, again, _ in triples])
    middle = float(np.median([np.median(block) for block in changes]))
    return Comparison(
        math.exp(middle), math.exp(low), math.exp(high), math.exp(max(-noise[0], noise[1], 0.0))
    )


# -- revisions -------------------------------------------------------------------------------------


@contextmanager
def _worktree(revision: str, folder: Path) -> Iterator[Path]:
    """A folder in which the package of a revision can be imported, and nothing else of it."""
    tree, site = folder / "tree", folder / "site"
    git = ["git", "-C", str(machine.ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(tree), revision], check=True)
    try:
        site.mkdir()
        (site / "hybridflow").symlink_to(tree / "hybridflow", target_is_directory=True)
        subprocess.run([sys.executable, "-m", "compileall", "-q", tree / "hybridflow"], check=True)
        yield site
    finally:
        subprocess.run([*git, "remove", "--force", str(tree)], check=True)


def _packages(base: Path, head: Path, cache: Path) -> list[Peer]:
    cache.mkdir(mode=0o700)
    return [
        Peer(
            label,
            "hybridflow",
            sys.executable,
            {"PYTHONPATH": str(site), "HYBRIDFLOW_CACHE_DIR": str(cache)},
        )
        for label, site in ((FIRST, base), (AGAIN, base), (SECOND, head))
    ]


# -- measuring -------------------------------------------------------------------------------------


def _collect(
    packages: Sequence[Peer],
    workloads: Sequence[Workload],
    wanted: Callable[[str, str], bool],
    options: argparse.Namespace,
    blocks: int,
    tell: Callable[[str], None],
) -> tuple[Times, list[str]]:
    """Times of all subjects `(workload, variant)` that are wanted; and what failed in the second
    revision but not in the first.
    """
    times: Times = defaultdict(lambda: defaultdict(list))
    failed = []
    for block in range(blocks):
        tell(f"block {block + 1} of {blocks}")
        # Who starts first is not always the same.
        with suite(packages[block % 3 :] + packages[: block % 3], tell) as made:
            for workload in workloads:
                found = made.measure(
                    workload,
                    options.rounds,
                    lambda label, w=workload: wanted(w.name, label.split(":")[1]),
                    options.small,
                )
                by_variant: dict[str, dict[str, Any]] = defaultdict(dict)
                for label, measured in found.items():
                    package, _, variant = label.partition(":")
                    by_variant[variant][package.split(",")[0]] = measured
                for variant, measured in by_variant.items():
                    states = [measured[p].get("seconds") for p in (FIRST, AGAIN, SECOND)]
                    if all(states):
                        for package, seconds in zip((FIRST, AGAIN, SECOND), states, strict=True):
                            times[workload.name, variant][package].append(seconds)
                    elif states[0] and states[1]:
                        failed.append(
                            f"{workload.name}, {variant}: {measured[SECOND].get('failed')}"
                        )
    return times, failed


def run(options: argparse.Namespace, console: Console) -> int:
    """Compares; gives 1 if there is a regression."""
    chosen = [w for w in results.select(options.workloads) if w.in_process]

    def wanted(name: str, variant: str) -> bool:
        return not options.variants or variant in options.variants

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name in ("base", "head"):
            (folder / name).mkdir()
        with (
            _worktree(options.base, folder / "base") as base,
            _worktree(options.head, folder / "head") as head,
        ):
            packages = _packages(base, head, folder / "cache")
            tell = console.print
            times, failed = _collect(packages, chosen, wanted, options, options.blocks, tell)
            found = {key: compared(blocks) for key, blocks in times.items()}
            suspects = [key for key, c in found.items() if c.is_regression(options.least)]
            console.print(_table(found, times, options.least))
            if suspects:
                console.print(f"{len(suspects)} suspected, measured again")
                names = {name for name, _ in suspects}
                times, more = _collect(
                    packages,
                    [w for w in chosen if w.name in names],
                    lambda name, variant: (name, variant) in suspects,
                    options,
                    2 * options.blocks,
                    tell,
                )
                failed += more
                found |= {key: compared(blocks) for key, blocks in times.items()}
                console.print(_table({key: found[key] for key in suspects}, times, options.least))
    regressions = [key for key in suspects if found[key].is_regression(options.least)]
    if options.out is not None:
        kept = {" / ".join(key): c._asdict() for key, c in found.items()}
        results.store({"machine": machine.facts(), "compared": kept, "failed": failed}, options.out)
    for name, variant in regressions:
        console.print(f"[red]regression[/]: {name}, {variant}: {found[name, variant].ratio:.2f} x")
    for text in failed:
        console.print(f"[red]failed[/]: {text}")
    if not regressions and not failed:
        console.print(f"no regression in {len(found)} subjects")
    return int(bool(regressions or failed))


def _table(found: dict[tuple[str, str], Comparison], times: Times, least: float) -> Table:
    table = Table(title="second revision / first", title_justify="left")
    table.add_column("workload")
    table.add_column("variant")
    for head in ("first", "ratio", "99 % interval", "noise"):
        table.add_column(head, justify="right")
    table.add_column("")
    for (name, variant), comparison in found.items():
        slower = comparison.is_regression(least)
        faster = comparison.high < min(1 - least, 1 / comparison.noise)
        table.add_row(
            name,
            variant,
            duration(float(np.median(np.concatenate(times[name, variant][FIRST])))),
            f"{comparison.ratio:.3f}",
            f"{comparison.low:.3f} - {comparison.high:.3f}",
            f"{comparison.noise:.3f}",
            "[red]slower[/]" if slower else "[green]faster[/]" if faster else "",
        )
    return table
