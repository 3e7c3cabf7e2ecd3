"""The tables of `docs`: the tests that they name are there, and no name is left out of them."""

from __future__ import annotations

import ast
import functools
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import hybridflow as hf
from hybridflow._src.variables.template import Template

ROOT = Path(hf.__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "variables.md"
TEXT = PAGE.read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    for line in TEXT.split("\n")
    if line.startswith("| ") and not line.startswith("|---")
]
HEADS = [
    [cell.strip() for cell in before.split("|")[1:-1]]
    for before, line in zip(TEXT.split("\n"), TEXT.split("\n")[1:], strict=False)
    if line.startswith("|---")
]
IDS = sorted(set(re.findall(r"`((?:\w+/)*test_\w+\.py(?:::\w+)+)`", TEXT)))
# All that is written as code on the page.
NAMED = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", TEXT))))


@functools.cache
def definitions(path: Path) -> set[str]:
    """The tests of a file, as pytest names them."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found.update(
                f"{node.name}::{item.name}"
                for item in node.body
                if isinstance(item, ast.FunctionDef)
            )
    return {name for name in found if name.split("::")[-1].startswith("test")}


def test_there_are_tables() -> None:
    assert len(ROWS) > 200
    assert len(IDS) > 200


@pytest.mark.parametrize("ident", IDS)
def test_a_test_that_is_named_exists(ident: str) -> None:
    file, _, name = ident.partition("::")
    assert name in definitions(ROOT / "tests" / file)


def test_every_row_names_a_test() -> None:
    for row in ROWS:
        if row not in HEADS:
            assert len(row) in (2, 4), row
            assert re.fullmatch(r"(`[\w/]+\.py(::\w+)*`( |$))+", row[-1]), row
            assert row[0] != "", row


def parameters(function: Any) -> set[str]:
    kinds = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    found = inspect.signature(function).parameters.values()
    return {p.name for p in found if p.kind in kinds} - {"self"}


def members(cls: type) -> set[str]:
    """What is there: `hasattr` is false of what only says that it is lacking."""
    return {name for name in vars(cls) if not name.startswith("_") and hasattr(cls, name)}


FUNCTIONS = [
    hf.variable_scope,
    hf.VariableScope,
    hf.get_variable,
    hf.Variable,
    hf.create_partitioned_variables,
    hf.fixed_size_partitioner,
    hf.variable_axis_size_partitioner,
    hf.min_max_variable_partitioner,
    hf.make_template,
    *(
        getattr(hf.contrib.layers, name)
        for name in hf.contrib.layers.__all__
        if "regulariz" in name
    ),
    *(
        getattr(hf.train, name)
        for name in hf.train.__all__
        if name.endswith("Optimizer") and not name.startswith("Sync")
    ),
    *(getattr(hf.contrib.opt, name) for name in hf.contrib.opt.__all__),
    hf.train.Optimizer.minimize,
    hf.train.Optimizer.compute_gradients,
    hf.train.Optimizer.apply_gradients,
    hf.train.ExponentialMovingAverage,
]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__qualname__)
def test_every_argument_is_listed(function: Any) -> None:
    assert parameters(function) - NAMED == set()


CLASSES = [
    hf.VariableScope,
    hf.Variable,
    hf.ResourceVariable,
    hf.Variable.eager_class,
    hf.PartitionedVariable,
    hf.EagerVariableStore,
    Template,
    hf.train.Optimizer,
    hf.train.ExponentialMovingAverage,
]
# How the kinds of variables know of each other.
INTERNAL = {"eager_class", "resource_class", "GATE_NONE", "GATE_OP", "GATE_GRAPH"}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_member_is_listed(cls: type) -> None:
    assert members(cls) - NAMED - INTERNAL == set()


def test_every_public_name_is_listed() -> None:
    constraints = {name for name in hf.constraints.__all__ if name[0].isupper()}
    from_variables = {
        name
        for name in hf.__all__
        if "._src.variables" in str(getattr(getattr(hf, name), "__module__", ""))
    }
    # What saves, and sessions with hooks, have pages of their own; graphs are not rewritten;
    # linear models are trained by ops that take weights and give their changes.
    train = {
        name
        for name in hf.train.__all__
        if not re.search(
            r"\._src\.(train\.(saving|sessions|hooks|cluster|input|sync_replicas|quantize_training)|ops\.linear_models|summary|graphs|formats)|^None$",
            str(getattr(hf.train, name).__module__),
        )
    } - {"Optimizer"}
    # Classes that are public by two names stand in the tables by TF's.
    assert (constraints | from_variables | train) - NAMED - {"identity_initializer"} == set()


def test_the_examples_of_the_page_stand_as_they_are() -> None:
    """Lines of TensorFlow's page, without the prompts they have here."""
    shown = re.sub(r"^(>>>|\.\.\.) ?", "", TEXT, flags=re.MULTILINE)
    for example in EXAMPLES:
        assert example in shown


EXAMPLES = [
    'with tf.variable_scope("foo"):\n    with tf.variable_scope("bar"):\n'
    '     v = tf.get_variable("v", [1])\n     assert v.name == "foo/bar/v:0"\n',
    'def foo():\n    with tf.variable_scope("foo", reuse=tf.AUTO_REUSE):\n'
    '        v = tf.get_variable("v", [1])\n    return v\n',
    "v1 = foo()  # Creates v.\nv2 = foo()  # Gets the same, existing v.\nassert v1 == v2\n",
    'with tf.variable_scope("foo"):\n        v = tf.get_variable("v", [1])\n'
    'with tf.variable_scope("foo", reuse=True):\n        v1 = tf.get_variable("v", [1])\n'
    "assert v1 == v\n",
    'with tf.variable_scope("foo") as scope:\n    v = tf.get_variable("v", [1])\n'
    '    scope.reuse_variables()\n    v1 = tf.get_variable("v", [1])\nassert v1 == v\n',
    'with tf.variable_scope("foo"):\n    v = tf.get_variable("v", [1])\n'
    '    v1 = tf.get_variable("v", [1])\n    # Raises ValueError("... v already exists ...").\n',
    'with tf.variable_scope("foo", reuse=True):\n    v = tf.get_variable("v", [1])\n'
    '    # Raises ValueError("... v does not exists ...").\n',
]
