"""What keeps the variable system readable: sizes, and where the state of scopes lies."""

from __future__ import annotations

import ast
import inspect
import io
import re
import tokenize
from pathlib import Path
from typing import Any

import pytest

import hybridflow as hf
from hybridflow._src.framework.stack import Stack
from hybridflow._src.variables import getting, scope_state, store

FOLDER = Path(scope_state.__file__).resolve().parent
MODULES = sorted(FOLDER.rglob("*.py"))
LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def docstring_lines(tree: ast.AST) -> set[int]:
    found: set[int] = set()
    for node in ast.walk(tree):
        kinds = ast.Module, ast.ClassDef, ast.FunctionDef
        if isinstance(node, kinds) and ast.get_docstring(node) is not None:
            found.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return found


def lines_of_code(source: str) -> int:
    """Lines that hold more than comments, blanks and docstrings."""
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in LAYOUT:
            code.update(range(token.start[0], token.end[0] + 1))
    return len(code - docstring_lines(ast.parse(source)))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_a_module_can_be_held(path: Path) -> None:
    assert lines_of_code(path.read_text(encoding="utf-8")) <= 400


def test_lines_of_code() -> None:
    assert lines_of_code('"""Text.\n\nMore.\n"""\n# note\n\nx = [\n    1,\n]\n') == 3


@pytest.mark.parametrize(
    "function",
    [
        getting.get_variable,
        hf.VariableScope.get_variable,
        store.VariableStore.get,
        store.VariableStore.get_single,
        store.VariableStore._make,
    ],
    ids=lambda function: function.__qualname__,
)
def test_get_variable_reads_in_a_screen(function: Any) -> None:
    assert lines_of_code(inspect.cleandoc("\n" + inspect.getsource(function))) <= 50


def test_scope_state_is_one_record_on_one_stack() -> None:
    """All that a scope changes is a `VariableScope` on the stack of its graph, or of eager mode."""
    for mode in (hf.Graph().as_default(), hf.eager_mode()):
        with mode, hf.EagerVariableStore().as_default():
            state = scope_state.current()
            assert scope_state.ScopeState.__slots__ == ("scopes", "store")
            assert type(state.scopes) is Stack
            depth = len(state.scopes)
            with hf.variable_scope("a", dtype=hf.float64, reuse=hf.AUTO_REUSE) as scope:
                assert len(state.scopes) == depth + 1
                assert state.scopes.top is scope is hf.get_variable_scope()
                assert type(scope).__slots__
                assert not hasattr(scope, "__dict__")
            assert len(state.scopes) == depth


def test_stacks_of_scopes_are_found_in_one_module() -> None:
    for path in MODULES:
        makes_stacks = re.search(r"\bStack\(", path.read_text(encoding="utf-8"))
        assert not makes_stacks or path.name == "scope_state.py"
