"""Imports go one way, down the layers; heavy packages stay out of `import hybridflow`."""

from __future__ import annotations

import ast
import functools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "hybridflow"
# Low to high. "public" is hybridflow/*.py, which re-exports; the command line stands on it.
LAYERS = [
    "framework",
    "platform",
    "ranks",
    "kernels",
    "plan",
    "formats",
    "ops",
    "autodiff",
    "graphs",
    "variables",
    "runtime",
    "linear_operators",
    "distributions",
    "losses",
    "metrics",
    "layers",
    "recurrent",
    "seq2seq",
    "summary",
    "train",
    "data",
    "saved_model",
    "distributed",
    "testing",
    "public",
    "cli",
]
# A graph, its operations, tensors, bodies and scopes know of each other.
LARGEST_RING = {"framework": 8}
COMPILERS = {"numba", "llvmlite"}  # in kernels alone
ON_DEMAND = {
    "IPython",
    "PIL",
    "google",
    "google_crc32c",
    "matplotlib",
    "mpi4py",
    "rich",
    "traitlets",
}  # inside functions alone
NEVER = {"scipy"}  # no dependency of the package
HEAVY = COMPILERS | ON_DEMAND | NEVER


class Import(NamedTuple):
    """One module named by one import statement."""

    module: str  # the module whose statement it is
    target: str
    line: int
    in_function: bool
    for_types_only: bool

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}"


def modules_of(root: Path) -> dict[str, Path]:
    """The package's modules by dotted name."""
    found = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def targets(node: ast.AST, module: str, is_package: bool, known: dict[str, Path]) -> list[str]:
    """What an import statement names: submodules where they exist, else the module given."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = node.module or ""
    if node.level:
        above = module.split(".")
        above = above[: len(above) - node.level + (1 if is_package else 0)]
        base = ".".join([*above, base] if base else above)
    return [f"{base}.{a.name}" if f"{base}.{a.name}" in known else base for a in node.names]


def imports_of(module: str, path: Path, known: dict[str, Path]) -> Iterator[Import]:
    """Every import in a file, wherever it stands."""

    def walk(node: ast.AST, in_function: bool, types_only: bool) -> Iterator[Import]:
        for target in targets(node, module, path.stem == "__init__", known):
            yield Import(module, target, node.lineno, in_function, types_only)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.body:
                yield from walk(child, in_function, True)
            for child in node.orelse:
                yield from walk(child, in_function, types_only)
            return
        inside = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            yield from walk(child, in_function or inside, types_only)

    yield from walk(ast.parse(path.read_text(encoding="utf-8")), False, False)


def all_imports(root: Path) -> list[Import]:
    """Every import of every module of the package under `root`."""
    known = modules_of(root)
    assert known, f"no package {PACKAGE} under {root}"
    return [i for module, path in known.items() for i in imports_of(module, path, known)]


def is_ours(target: str) -> bool:
    return target.split(".")[0] == PACKAGE


def layer_of(module: str) -> str:
    """The layer of a module, or "" for the package `_src` itself."""
    parts = module.split(".")
    if parts[1:2] == ["__main__"]:
        return "cli"
    if parts[1:2] != ["_src"]:
        return "public"
    return parts[2] if len(parts) > 2 else ""


def upward(root: Path) -> list[str]:
    """Imports of a higher layer, and modules that stand in no layer."""
    problems = [
        f"{module} stands in no layer"
        for module in modules_of(root)
        if layer_of(module) not in ["", *LAYERS]
    ]
    for i in all_imports(root):
        if is_ours(i.target) and {layer_of(i.module), layer_of(i.target)} <= set(LAYERS):
            low, high = layer_of(i.module), layer_of(i.target)
            if LAYERS.index(high) > LAYERS.index(low):
                problems.append(f"{i}: from {low} up to {high}")
    return problems


def in_functions(root: Path) -> list[str]:
    """Imports of the own package inside functions."""
    return [str(i) for i in all_imports(root) if is_ours(i.target) and i.in_function]


def misplaced(root: Path) -> list[str]:
    """Heavy packages imported where they may not be."""
    problems = []
    for i in all_imports(root):
        package = i.target.split(".")[0]
        outside_kernels = layer_of(i.module) != "kernels"
        eagerly = not i.in_function and not i.for_types_only
        if (
            package in NEVER
            or (package in COMPILERS and outside_kernels)
            or (package in ON_DEMAND and eagerly)
        ):
            problems.append(str(i))
    return problems


def cycles(root: Path) -> list[str]:
    """Circles of imports made while modules load, each as `a -> b -> a`."""
    edges: dict[str, list[str]] = {}
    for i in all_imports(root):
        if is_ours(i.target) and not i.in_function and not i.for_types_only:
            edges.setdefault(i.module, []).append(i.target)
    found: list[str] = []
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> None:
        if module in path:
            found.append(" -> ".join([*path[path.index(module) :], module]))
        elif module not in done:
            for target in edges.get(module, []):
                visit(target, [*path, module])
            done.add(module)

    for module in edges:
        visit(module, [])
    return found


def rings(root: Path) -> list[str]:
    """Rings of files, imports for types counted, that are larger than they need be."""
    edges: dict[str, set[str]] = {}
    for i in all_imports(root):
        if is_ours(i.target):
            edges.setdefault(i.module, set()).add(i.target)

    def reached(start: str) -> set[str]:
        found: set[str] = set()
        pending = [start]
        while pending:
            new = edges.get(pending.pop(), set()) - found
            found |= new
            pending += new
        return found

    ends = {module: reached(module) for module in edges}
    found = {
        frozenset(other for other in ends[module] if module in ends.get(other, ()))
        for module in edges
        if module in ends[module]
    }
    return [
        ", ".join(sorted(ring))
        for ring in found
        if len(ring) > LARGEST_RING.get(layer_of(min(ring)), 2)
    ]


def heavy_modules_loaded(root: Path) -> list[str]:
    """The heavy packages that `import hybridflow`, found under `root`, loads in a new process."""
    program = (
        f"import json, sys, {PACKAGE}; "
        f"print(json.dumps([{PACKAGE}.__file__, sorted({HEAVY!r} & set(sys.modules))]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    where, loaded = json.loads(run.stdout)
    assert Path(where).resolve().parent == (root / PACKAGE).resolve()
    return loaded


# ---- the package itself ----


def test_hybridflow_keeps_all_rules(monkeypatch):
    """In one test, since its files are read for all of them."""
    monkeypatch.setitem(globals(), "all_imports", functools.cache(all_imports))
    rules = [upward, in_functions, misplaced, cycles, rings]
    broken = {rule.__name__: rule(ROOT) for rule in rules}
    assert not any(broken.values()), broken


def test_importing_hybridflow_loads_nothing_heavy():
    assert heavy_modules_loaded(ROOT) == []


# ---- each rule finds what it is there to find ----


@pytest.fixture
def tree(tmp_path):
    """Writes a package of given files, `_src/` understood, and returns its root."""

    def write(**files: str) -> Path:
        sources = {"../__init__": "", "__init__": ""}
        sources.update({name.replace("__", "/"): text for name, text in files.items()})
        for name, text in sources.items():
            path = tmp_path / PACKAGE / "_src" / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            (path.parent / "__init__.py").touch()
            path.write_text(text)
        return tmp_path

    return write


GOOD = """
from __future__ import annotations
from typing import TYPE_CHECKING
import numpy as np
from hybridflow._src.framework import a
if TYPE_CHECKING:
    from hybridflow._src.ops import d
def f():
    import rich
"""


def test_a_good_tree_passes(tree):
    root = tree(framework__a="", ops__c=GOOD, ops__d="from hybridflow._src.ops import c")
    for rule in (upward, in_functions, misplaced, cycles, rings):
        assert rule(root) == []
    assert heavy_modules_loaded(root) == []


@pytest.mark.parametrize(
    "line",
    [
        "from hybridflow._src.ops import math",
        "from hybridflow._src.ops.math import add",
        "import hybridflow._src.ops.math",
        "from ..ops import math",
        "import hybridflow as hf",
        "def f():\n    from hybridflow._src.ops import math",
        "import typing\nif typing.TYPE_CHECKING:\n    from hybridflow._src.ops import math",
        "try:\n    from hybridflow._src import ops\nexcept ImportError:\n    pass",
    ],
)
def test_an_upward_import_is_found(tree, line):
    (problem,) = upward(tree(plan__passes=line, ops__math=""))
    assert problem.startswith("hybridflow._src.plan.passes:")
    assert "from plan up to" in problem


def test_only_the_command_line_may_stand_on_the_public_names(tree):
    root = tree(cli__main="import hybridflow", train__x="")
    (root / PACKAGE / "__main__.py").write_text("from hybridflow._src.cli.main import main")
    (root / PACKAGE / "nn.py").write_text("from hybridflow._src.train import x")
    assert upward(root) == []
    (root / PACKAGE / "nn.py").write_text("from hybridflow._src.cli import main")
    (problem,) = upward(root)
    assert "from public up to cli" in problem


def test_a_module_in_no_layer_is_found(tree):
    assert upward(tree(misc__x="")) == [
        "hybridflow._src.misc stands in no layer",
        "hybridflow._src.misc.x stands in no layer",
    ]


@pytest.mark.parametrize(
    "code",
    [
        "def f():\n    from hybridflow._src.framework import b",
        "class C:\n    async def f(self):\n        import hybridflow._src.framework.b",
        "def f():\n    from . import b",
    ],
)
def test_an_import_inside_a_function_is_found(tree, code):
    (problem,) = in_functions(tree(framework__a=code, framework__b=""))
    assert problem.endswith("imports hybridflow._src.framework.b")


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ("ops__a", "import numba"),
        ("ops__a", "def f():\n    from llvmlite import binding"),
        ("framework__a", "from numba.core import types"),
        ("cli__a", "from rich.table import Table"),
        ("cli__a", "try:\n    import matplotlib.pyplot\nexcept ImportError:\n    pass"),
        ("kernels__a", "import rich"),
        ("kernels__a", "def f():\n    import scipy.special"),
    ],
)
def test_a_misplaced_heavy_import_is_found(tree, where, code):
    assert len(misplaced(tree(**{where: code}))) == 1


def test_compilers_belong_in_kernels(tree):
    root = tree(kernels__a="import numba\ndef f():\n    import llvmlite.binding")
    assert misplaced(root) == []


def test_a_cycle_is_found(tree):
    root = tree(
        ops__a="from hybridflow._src.ops import b",
        ops__b="from hybridflow._src.ops.c import f",
        ops__c="import hybridflow._src.ops.a",
        ops__d="from hybridflow._src.ops import a",
    )
    (cycle,) = cycles(root)
    assert cycle == " -> ".join(f"hybridflow._src.ops.{m}" for m in "abca")


def test_a_large_ring_is_found(tree):
    types = (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from hybridflow._src.ops import "
    )
    pair = {"ops__a": f"{types}b", "ops__b": "from hybridflow._src.ops import a"}
    assert rings(tree(**pair)) == []
    (ring,) = rings(tree(**{**pair, "ops__a": f"{types}c", "ops__c": f"{types}b"}))
    assert ring == ", ".join(f"hybridflow._src.ops.{m}" for m in "abc")


def test_a_heavy_import_in_the_running_program_is_found(tree):
    root = tree(train__a="import rich")
    (root / PACKAGE / "__init__.py").write_text("from hybridflow._src.train import a")
    assert heavy_modules_loaded(root) == ["rich"]


def test_an_empty_folder_is_no_package(tmp_path):
    with pytest.raises(AssertionError, match="no package hybridflow"):
        upward(tmp_path)
