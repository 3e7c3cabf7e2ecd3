"""What a run of the suite found: kept as JSON, and asked for times, ratios and targets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from perf.suite.statistics import Ratio, ratio
from perf.workloads.table import SECONDS, TABLE, Target, Workload


class Verdict(NamedTuple):
    """How a target was met.

    Attributes:
      text: the target in words. found, limit: figures. unit: of both. spread: where quartiles lie.
    """

    text: str
    found: float
    limit: float
    unit: str
    spread: tuple[float, float]

    @property
    def met(self) -> bool:
        return self.found <= self.limit


class Row:
    """One workload with what was measured of it."""

    def __init__(self, workload: Workload, subjects: dict[str, Any]) -> None:
        self.workload = workload
        self.subjects = subjects

    def times(self, label: str) -> list[float]:
        """The seconds of each round."""
        return self.subjects[label]["seconds"]

    def median(self, label: str) -> float:
        return float(np.median(self.times(label)))

    @property
    def timed(self) -> list[str]:
        """The subjects that have times, the quickest first."""
        return sorted((s for s in self.subjects if self._has(s)), key=self.median)

    def _has(self, label: str) -> bool:
        return bool(self.subjects.get(label, {}).get("seconds"))

    def resolve(self, label: str) -> str | None:
        """A subject that has times; of a peer (`peer:`) the quickest."""
        if self._has(label):
            return label
        if not label.endswith(":"):
            return None
        return next((s for s in self.timed if s.startswith(label)), None)

    def ratio(self, label: str, base: str) -> Ratio | None:
        """How two subjects compare, if both have times."""
        one, other = self.resolve(label), self.resolve(base)
        if one is None or other is None:
            return None
        return ratio(self.times(one), self.times(other))

    def verdicts(self) -> Iterator[Verdict]:
        """How the targets were met, those for which there is all that is needed."""
        for target in self.workload.targets:
            found = self.ratio(target.subject, target.base)
            if found is not None:
                yield Verdict(
                    self._words(target), found.middle, target.limit, "x", (found.low, found.high)
                )
        for (name, label), limit in SECONDS.items():
            if name == self.workload.name and self._has(label):
                low, high = np.quantile(self.times(label), [0.25, 0.75])
                spread = float(low), float(high)
                yield Verdict(label, self.median(label), limit, "s", spread)

    def _words(self, target: Target) -> str:
        return f"{self.resolve(target.subject)} / {self.resolve(target.base)}"

    @property
    def fallbacks(self) -> dict[str, list[str]]:
        """By subject the ops that ran by their NumPy meaning."""
        found = {}
        for label, measured in self.subjects.items():
            fallbacks = measured.get("facts", {}).get("fallbacks")
            if fallbacks:
                found[label] = fallbacks
        return found


def rows(results: dict[str, Any]) -> list[Row]:
    """The rows of a run, in the order of the table."""
    known = {w.name: w for w in TABLE}
    return [Row(known[name], found) for name, found in results["workloads"].items()]


def store(results: dict[str, Any], path: Path) -> None:
    """Keeps a run, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(results, indent=1) + "\n")
    part.replace(path)


def load(path: Path) -> dict[str, Any]:
    """A run that was kept."""
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def select(patterns: Iterable[str]) -> list[Workload]:
    """The workloads whose names contain one of the patterns; all without any.

    Raises:
      ValueError: if there is none.
    """
    words = [pattern.lower() for pattern in patterns]
    found = [w for w in TABLE if not words or any(word in w.name.lower() for word in words)]
    if not found:
        raise ValueError(f"No workload has {' or '.join(patterns)} in its name.")
    return found
