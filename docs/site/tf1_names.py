"""What hybridflow has of TensorFlow 1.x's public names: the tables of a page, from the names."""

from __future__ import annotations

import inspect
import json
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from hybridflow._src.cli.shim import finder
from hybridflow._src.cli.shim.names import find
from hybridflow._src.cli.shim.table import MODULES

NAMES = Path(__file__).parents[1] / "data" / "tf1_names.json"


class Difference(NamedTuple):
    """Parameters of a function that TensorFlow has and hybridflow lacks, or the other way round."""

    name: str
    lacking: list[str]
    more: list[str]


class Module(NamedTuple):
    """A public module of TensorFlow.

    Attributes:
      path: as programs write it.
      present: its names that hybridflow has.
      missing: the others.
      differences: of functions that are present.
    """

    path: str
    present: list[str]
    missing: list[str]
    differences: list[Difference]


def _find(path: str, name: str) -> tuple[Any] | None:
    """What a name of a module is under `hybridflow run`, in a tuple; None if it is missing."""
    place = "tensorflow" + path.removeprefix("tf")
    return find(place, name) if place in MODULES else None


def _difference(name: str, signature: str, value: Any) -> Difference | None:
    theirs = re.findall(r"(?:^\(|, )\**(\w+)(?==|,|\)$)", signature)
    parameters = inspect.signature(value).parameters
    lacking = [parameter for parameter in theirs if parameter not in parameters]
    more = [parameter for parameter in parameters if parameter not in theirs]
    return Difference(name, lacking, more) if lacking or more else None


@cache
def modules() -> list[Module]:
    """All public modules of TensorFlow."""
    finder.install()
    found = []
    for path, names in json.loads(NAMES.read_text("utf-8")).items():
        listed = sorted([*names["functions"], *names["others"]], key=str.lower)
        values = {name: value for name in listed if (value := _find(path, name))}
        differences = [
            _difference(name, names["functions"][name], value)
            for name, (value,) in values.items()
            if name in names["functions"]
        ]
        found.append(
            Module(
                path,
                list(values),
                [name for name in listed if name not in values],
                [difference for difference in differences if difference],
            )
        )
    return found


def overview() -> str:
    """Which of TensorFlow's modules, with those inside, are here in full, in part, or not yet."""
    counts: dict[str, list[int]] = {}
    for module in modules():
        count = counts.setdefault(".".join(module.path.split(".")[:2]), [0, 0])
        count[0] += len(module.present)
        count[1] += len(module.missing)
    here: dict[str, list[str]] = {"in full": [], "in part": [], "not yet": []}
    for path, (present, missing) in counts.items():
        if present or missing:
            here["not yet" if not present else "in part" if missing else "in full"].append(path)
    lines = ["| | modules of TensorFlow 1.4 |", "|---|---|"]
    lines += [f"| {state} | {_code(paths)} |" for state, paths in here.items()]
    return "\n".join(lines) + "\n"


def _code(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def summary() -> str:
    """The modules that are there at least in part, with counts; then the others."""
    here = [module for module in modules() if module.present]
    lines = ["| module | names | here | missing |", "|---|--:|--:|--:|"]
    for module in here:
        total = len(module.present) + len(module.missing)
        row = f"`{module.path}`", total, len(module.present), len(module.missing)
        lines.append("| {} | {} | {} | {} |".format(*row))
    absent = [m.path for m in modules() if not m.present and m.missing]
    tops = sorted({".".join(path.split(".")[:2]) for path in absent} - {m.path for m in here})
    inner = [path for path in absent if ".".join(path.split(".")[:2]) not in tops]
    lines += [
        "",
        f"Modules of which nothing is there: {_code(tops)}; of modules above, {_code(inner)}.",
    ]
    return "\n".join(lines) + "\n"


def missing() -> str:
    """The missing names of modules that are there, each module's folded away."""
    parts = [
        f":::{{dropdown}} `{module.path}`: {len(module.missing)} missing\n"
        f"{_code(module.missing)}\n:::\n"
        for module in modules()
        if module.present and module.missing
    ]
    return "\n".join(parts)


def different() -> str:
    """The functions whose parameters differ."""
    lines = ["| function | lacks | has more |", "|---|---|---|"]
    for module in modules():
        for name, lacking, more in module.differences:
            lines.append(f"| `{module.path}.{name}` | {_code(lacking)} | {_code(more)} |")
    return "\n".join(lines) + "\n"


def write(folder: Path) -> None:
    """Writes the parts of the page."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in (overview, summary, missing, different):
        (folder / f"tf1_{part.__name__}.md").write_text(part(), "utf-8")
