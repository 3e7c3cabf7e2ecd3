"""What builds the site: docstrings as reStructuredText, and the pages of the reference."""

from __future__ import annotations

import ast
import doctest
import importlib
import importlib.util
import re
import sys
from pathlib import Path

import pytest

import hybridflow as hf
from hybridflow._src.cli.shim.names import find
from hybridflow._src.cli.shim.table import MODULES

SITE = Path(__file__).parents[1] / "docs" / "site"


def load(name):
    spec = importlib.util.spec_from_file_location(name, SITE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


captions = load("captions")
docstrings = load("docstrings")
performance = load("performance")
sys.modules["performance"] = performance  # by that name it is imported when the site is built
tf1_names = sys.modules["tf1_names"] = load("tf1_names")
readme = load("readme")
reference = load("reference")


@pytest.mark.parametrize("module", [captions, docstrings, performance])
def test_the_examples_of_the_converters(module):
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0


def test_every_program_that_fails_stands_under_its_mode():
    page = (SITE.parent / "errors.md").read_text("utf-8")
    shown = captions.captioned(page)
    assert shown.count(":caption: in ") == page.count("```python ") > 40
    assert "```python " not in shown


DOCSTRING = """\
One line with `code_*` and *marks*.

    set      {w : |w| <= radius}
    problem  min |y - w|

Args:
  a, b: two
    of them.
  *names: `Tensor`s.
  many, names,
    in, lines: as said: so.
Returns: a pair:
  x_ and y.

Raises:
  ValueError (when called): never.

- one
- two

>>> 1 + 1
2"""

WANTED = r"""
One line with `code_*` and \*marks\*.

.. code-block:: text

    set      {w : |w| <= radius}
    problem  min |y - w|

:Args:
   - ``a``, ``b``: two of them.
   - ``*names``: `Tensor`\ s.
   - ``many``, ``names``, ``in``, ``lines``: as said: so.

:Returns: a pair: x\_ and y.

:Raises:
   - ``ValueError`` (when called): never.

- one
- two

>>> 1 + 1
2"""


def test_a_docstring():
    assert docstrings.to_rst(DOCSTRING.split("\n")) == WANTED[1:].split("\n")


def docstrings_of_the_package():
    for path in sorted(Path(hf.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
                yield path, node.name, ast.get_docstring(node)


def test_every_docstring_can_be_shown():
    for path, name, text in docstrings_of_the_package():
        try:
            docstrings.to_rst(text.split("\n"))
        except ValueError as error:
            raise AssertionError(f"{name} in {path}: {error}") from error


@pytest.fixture(scope="module")
def pages():
    return reference.pages()


def test_every_public_name_is_described(pages):
    text = "\n".join(pages.values())
    described = re.findall(r"^\.\. (?:auto|py:)(?:function|class|data):: ([\w.]+)", text, re.M)
    assert len(set(described)) == len(described)
    for module in reference.MODULES:
        for name in importlib.import_module(module).__all__:
            value = getattr(importlib.import_module(module), name)
            if name != "__version__" and not isinstance(value, type(reference)):
                assert f"{module}.{name}" in described


def test_a_reference_leads_to_a_description(pages):
    text = "\n".join(pages.values())
    described = re.findall(r"^\.\. auto(?:function|class):: ([\w.]+)", text, re.M)
    referred = re.findall(r"The same as :py:obj:`([\w.]+)`", text)
    assert len(referred) > 20
    assert set(referred) <= set(described)
    assert "hybridflow.errors.OpError" in referred


def test_every_page_is_in_the_table_of_contents(pages):
    page = (SITE.parent / "reference.md").read_text("utf-8")
    listed = re.findall(r"^generated/reference/(.+)$", page, re.M)
    assert sorted(listed) == sorted(pages)
    modules = {m for m in reference.MODULES if m != "hybridflow"}
    assert {f"hybridflow.{page}" for page in pages} >= modules


def test_the_table_of_constraints():
    table = reference.classes("hybridflow.constraints")
    assert "{py:obj}`L1Ball <hybridflow.constraints.L1Ball>` | Vectors whose" in table


def test_the_figures_of_the_run_that_was_kept():
    rows = performance.rows()
    assert rows
    medians, subjects = performance.medians(), performance.subjects()
    for row in rows:
        assert f"| {row.name} |" in medians
        assert f"**{row.name}**\n" in subjects
    assert performance.targets().count(" met |") + performance.targets().count("**missed**") == sum(
        len(row.targets) for row in rows
    )
    assert re.match(r"Measured on 20\d\d-\d\d-\d\d, revision `[0-9a-f]{12}", performance.machine())


def test_a_missed_target_says_why():
    missed = [line for line in performance.targets().splitlines() if "**missed**" in line]
    assert missed
    for line in missed:
        assert re.search(r"\*\*missed\*\*: \w+ \w+", line)


def test_the_headlines_are_five_rows_with_all_libraries():
    head, _, *rows = performance.headlines().splitlines()
    assert head.count("|") == 8
    assert len(rows) == 5
    for row in rows:
        assert re.search(r"\*\*[\d.]+ [mu]s\*\* \|( [\d.]+ x \|){5}$", row)


def test_the_readme_shows_the_tables_as_they_are():
    text = readme.README.read_text("utf-8")
    assert text == readme.current(text), "write it anew: python docs/site/readme.py"


def test_what_the_page_says_is_missing_is_missing():
    page = (SITE.parent / "tf1.md").read_text("utf-8")
    said = re.search(r"does not run yet if it needs (.*?)\. Only", page, re.S)[1]
    names = re.findall(r"`tf\.([\w.]+)`", said)
    assert names
    for name in names:
        module, _, last = f"tensorflow.{name}".rpartition(".")
        found = find(module, last) if module in MODULES else None
        assert found is None, f"tf.{name} is there now"


def test_a_row_of_figures():
    labels = {"numba:traffic": 1.0, "hybridflow, 1 thread:run": 2.0, "hybridflow:run": 3.0}
    labels |= {"jax:": 4.0, "hybridflow:callable": 5.0}
    subjects = [performance.Subject(label, time, None) for label, time in labels.items()]
    row = performance.Row("row", None, subjects, [])
    assert [subject.label for subject in row.quickest()] == ["hybridflow:run", "jax:"]
    assert performance._cell(row, "hybridflow") == "**3 s**"
    assert performance._cell(row, "jax") == "4 s"
    assert performance._cell(row, "torch") == ""
