"""`hybridflow run --check`: which names of TensorFlow a program uses, without running it."""

from __future__ import annotations

import ast
import inspect
import sys
from typing import TYPE_CHECKING, NamedTuple

from hybridflow._src.cli.program import Unreadable
from hybridflow._src.cli.shim import finder
from hybridflow._src.cli.shim.names import find, nearest, offered, shown
from hybridflow._src.cli.shim.table import MODULES, ROOTS

if TYPE_CHECKING:
    from hybridflow._src.cli.program import Program


class Use(NamedTuple):
    """A name of TensorFlow in a script.

    Attributes:
      path: its full path, from "tensorflow" on.
      lines: where it is used.
      present: whether hybridflow has it.
      is_object: whether it is there and no module, so that what follows is no name of TensorFlow.
      nearest: if it is missing, the name most like it that is there, as programs write it; or None.
    """

    path: str
    lines: list[int]
    present: bool
    is_object: bool = False
    nearest: str | None = None


def check(program: Program) -> int:
    """Prints the names that a program uses, those that are missing last.

    Returns: the exit status: 0 if all are there, else 1.

    A program that cannot be read or parsed gives 2.
    """
    try:
        tree = ast.parse(program.source(), program.name)
    except Unreadable as error:
        print(f"hybridflow: {error}", file=sys.stderr)
        return 2
    except (SyntaxError, ValueError) as error:
        print(f"hybridflow: {program.name} is no Python 3: {error}", file=sys.stderr)
        return 2
    uses = sorted(names_used(tree), key=lambda use: not use.present)
    width = max((len(shown(use.path)) for use in uses), default=0)
    for use in uses:
        line = "line " if len(use.lines) == 1 else "lines "
        line += ", ".join(map(str, use.lines))
        near = f"  (nearest: {use.nearest})" if use.nearest else ""
        state = "present" if use.present else "MISSING"
        print(f"{state}  {shown(use.path):{width}}  {line}{near}")
    missing = sum(not use.present for use in uses)
    what = "one name" if len(uses) == 1 else f"{len(uses)} names"
    print(f"{program.name} uses {what} of TensorFlow; {missing or 'none'} missing.")
    return 1 if missing else 0


def names_used(tree: ast.Module) -> list[Use]:
    """The names of TensorFlow in a program, by path."""
    finder.install()
    found = _Names()
    # Aliases first: a function may use a module that is imported below it.
    for node in ast.walk(tree):
        found.bind(node)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            found.bind_assigned(node)
    found.visit(tree)
    lines: dict[str, set[int]] = {}
    for path, places in found.lines.items():
        lines.setdefault(_use(path, []).path, set()).update(places)
    return [_use(path, sorted(places)) for path, places in sorted(lines.items())]


def _use(path: str, lines: list[int]) -> Use:
    """What `path` is. Nothing is run for it: attributes of objects are not looked at."""
    module, *rest = path.split(".")
    value: object = None
    for index, name in enumerate(rest):
        if isinstance(value, type):
            if not hasattr(value, name):
                return Use(path, lines, present=False)
            value = inspect.getattr_static(value, name, None)
            continue
        if value is not None:
            return Use(".".join(path.split(".")[: index + 1]), lines, True, is_object=True)
        found = find(module, name)
        if found is None:
            near = nearest(module, ".".join(rest[index:]))
            return Use(path, lines, present=False, nearest=near)
        if f"{module}.{name}" in MODULES:
            module = f"{module}.{name}"
        else:
            value = found[0]
    return Use(path, lines, True, is_object=value is not None)


class _Names(ast.NodeVisitor):
    """Collects the dotted names that begin at an import of TensorFlow."""

    def __init__(self) -> None:
        # What each name of the script stands for; those that `import *` brings, apart: which of
        # them are used is seen where they are.
        self.aliases: dict[str, str] = {}
        self.starred: dict[str, str] = {}
        self.lines: dict[str, set[int]] = {}

    def bind(self, node: ast.AST) -> None:
        """Notes what an import binds."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                if _is_ours(alias.name):
                    root = alias.name.partition(".")[0]
                    self.aliases[alias.asname or root] = alias.name if alias.asname else root
        elif isinstance(node, ast.ImportFrom) and not node.level and _is_ours(node.module):
            for alias in node.names:
                if alias.name != "*":
                    self.aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                elif node.module in MODULES:
                    self.starred.update({n: f"{node.module}.{n}" for n in offered(node.module)})

    def bind_assigned(self, node: ast.Assign) -> None:
        """Notes `layers = tf.layers`: a module under another name."""
        path = self._path(node.value)
        target = node.targets[0]
        if path and isinstance(target, ast.Name) and not _use(path, []).is_object:
            self.aliases.setdefault(target.id, path)

    def _path(self, node: ast.AST) -> str | None:
        if isinstance(node, ast.Name):
            return self.aliases.get(node.id) or self.starred.get(node.id)
        if isinstance(node, ast.Attribute):
            base = self._path(node.value)
            return base and f"{base}.{node.attr}"
        return None

    def _note(self, path: str, line: int) -> None:
        self.lines.setdefault(path, set()).add(line)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level or not _is_ours(node.module):
            return
        for alias in node.names:
            if alias.name != "*" and f"{node.module}.{alias.name}" not in MODULES:
                self._note(f"{node.module}.{alias.name}", node.lineno)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if _is_ours(alias.name) and alias.name not in MODULES:
                self._note(alias.name, node.lineno)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load) and node.id in self.starred:
            self._note(self.starred[node.id], node.lineno)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        path = self._path(node)
        if path is None:
            self.generic_visit(node)
        else:
            self._note(path, node.lineno)


def _is_ours(module: str | None) -> bool:
    return module is not None and module.partition(".")[0] in ROOTS
