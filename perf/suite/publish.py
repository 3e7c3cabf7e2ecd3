"""A run reduced to what the site shows of it: medians, ratios, targets, and where they were found.

The page is docs/performance.md; docs/site/performance.py reads the file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from perf.suite.machine import ROOT
from perf.suite.results import Row, rows

FILE = ROOT / "docs" / "data" / "performance.json"


def reduced(results: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a run: nothing that tells of folders or names of machines."""
    machine = results["machine"]
    versions: dict[str, str] = {}
    for found in results["peers"].values():  # hybridflow's own come first
        versions = {**found, **versions}
    return {
        "date": machine["time"][:10],
        "revision": machine["revision"][:12] + (" with changes" if machine["changed"] else ""),
        "processor": machine["processor"],
        "cores": machine["cores"],
        "load": [round(machine[when][0], 1) for when in ("load", "load after")],
        "versions": versions,
        "workloads": {row.workload.name: _row(row) for row in rows(results) if row.timed},
    }


def _row(row: Row) -> dict[str, Any]:
    base = row.resolve(row.workload.base)
    subjects: dict[str, Any] = {}
    for label in row.timed:
        ratio = row.ratio(label, base) if base else None
        subjects[label] = {
            "seconds": _short(row.median(label)),
            "ratio": ratio and [_short(found) for found in (ratio.low, ratio.middle, ratio.high)],
        }
    targets = [
        {
            "what": verdict.text,
            "found": [_short(x) for x in (verdict.spread[0], verdict.found, verdict.spread[1])],
            "limit": _short(verdict.limit),
            "unit": verdict.unit,
            "met": verdict.met,
        }
        for verdict in row.verdicts()
    ]
    return {"base": base, "subjects": subjects, "targets": targets}


def _short(number: float) -> float:
    """Four digits, which is more than a run tells."""
    return float(f"{number:.4g}")


def publish(results: dict[str, Any], path: Path = FILE) -> None:
    """Writes the file, one workload a line."""
    kept = reduced(results)
    workloads = kept.pop("workloads")
    head = json.dumps(kept, indent=1).removesuffix("\n}")
    lines = ",\n".join(
        f"  {json.dumps(name)}: {json.dumps(found)}" for name, found in workloads.items()
    )
    path.write_text(f'{head},\n "workloads": {{\n{lines}\n }}\n}}\n', "utf-8")
