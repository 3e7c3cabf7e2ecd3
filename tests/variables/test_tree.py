"""`hf.variables()`: the tree of scopes in a terminal and in a notebook."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

import hybridflow as hf


@pytest.fixture(params=["eager", "graph"])
def tree(request):
    """A few variables in scopes, in both modes."""
    mode = hf.eager_mode() if request.param == "eager" else hf.Graph().as_default()
    with mode, hf.EagerVariableStore().as_default():
        with hf.variable_scope("net"):
            with hf.variable_scope("first"):
                hf.get_variable("w", [300, 2], constraint=hf.constraints.MaxNorm(1.0))
                hf.get_variable("b", [2], hf.float64, trainable=False)
            hf.get_variable("first/w/Momentum", [2])
        kept = hf.Variable(1, name="count", trainable=False)
        yield hf.variables()
        del kept


WANTED = """\
name               shape      dtype       size   trainable   constraint
count              ()         int32        4 B   no
net
└── first
    ├── b          (2,)       float64     16 B   no
    └── w          (300, 2)   float32   2.4 KB   yes         MaxNorm
        └── Momentum   (2,)       float32      8 B   yes

4 variables  605 elements  2.4 KB; 2 trainable (602 elements)"""


def words(text):
    return [line.split() for line in text.splitlines()]


def test_in_a_terminal(tree):
    assert words(repr(tree)) == words(WANTED)
    assert len(tree) == 4
    names = ["count", "net/first/b", "net/first/w", "net/first/w/Momentum"]
    assert [v.name for v in tree] == [f"{name}:0" for name in names]


def test_by_rich(tree):
    console = Console(file=io.StringIO(), width=100)
    console.print(tree)
    assert words(console.file.getvalue()) == words(WANTED)[:-2]


def test_in_a_notebook(tree):
    shown = tree._repr_html_()
    assert shown.startswith("<table ")
    assert shown.count("<tr>") == 7
    assert "<b>net</b>" in shown
    assert re.search("<td style='text-align:left;[^']*'>MaxNorm</td>", shown)
    assert re.search("<td style='text-align:right;[^']*'>\\d+ B</td>", shown)
    assert "605 elements" in shown


def test_one_scope_alone():
    with hf.Graph().as_default():
        for name in ("a/v", "ab/v"):
            hf.get_variable(name, [1], constraint=lambda v: v)
        assert [v.name for v in hf.variables("a")] == ["a/v:0"]
        assert [v.name for v in hf.variables("a/")] == ["a/v:0"]
        assert "&lt;lambda&gt;" in hf.variables("a")._repr_html_()


def test_no_variables_and_unknown_shapes():
    with hf.Graph().as_default():
        shown = "0 variables  0 elements  0 B; 0 trainable (0 elements)"
        assert repr(hf.variables()) == shown
        hf.Variable(hf.placeholder(hf.float32), validate_shape=False, name="v")
        assert words(repr(hf.variables()))[1] == ["v", "<unknown>", "float32", "?", "yes"]


def test_parts_and_local_variables():
    with hf.Graph().as_default():
        hf.get_variable("v", [4, 2], partitioner=hf.fixed_size_partitioner(2))
        hf.get_local_variable("w", [1])
        assert [v.name for v in hf.variables()] == ["v/part_0:0", "v/part_1:0", "w:0"]
