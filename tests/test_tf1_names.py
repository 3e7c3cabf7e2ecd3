"""The tables of what hybridflow has of TensorFlow's names, which docs/site/tf1_names.py makes."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

import hybridflow as hf
from hybridflow._src.cli.check import names_used

DOCS = Path(__file__).parents[1] / "docs"
# Modules that are no part of what hybridflow means to have, and quantized ops.
ELSEWHERE = ("tf.keras", "tf.estimator", "tf.feature_column", "tf.profiler")
ELSEWHERE += ("tf.resource_loader", "tf.sysconfig")
# What is still to come. This list only becomes shorter.
TO_COME = {
    "tf.train": {
        *("sdca_fprint", "sdca_optimizer", "sdca_shrink_l1"),
    },
}


@pytest.fixture(scope="module")
def tables():
    spec = importlib.util.spec_from_file_location("tf1_names", DOCS / "site" / "tf1_names.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def modules(tables):
    return {module.path: module for module in tables.modules()}


def test_every_name_is_here_or_missing(tables):
    record = json.loads((DOCS / "data" / "tf1_names.json").read_text("utf-8"))
    found = modules(tables)
    assert set(found) == set(record)
    for path, names in record.items():
        listed = sorted([*names["functions"], *names["others"]])
        assert sorted([*found[path].present, *found[path].missing]) == listed


def test_every_public_name_is_here(tables):
    """All names of TensorFlow 1.4 outside a few modules, but those that are listed above."""
    for path, module in modules(tables).items():
        if not path.startswith(ELSEWHERE):
            missing = {name for name in module.missing if not name.startswith("quantized_")}
            assert missing <= TO_COME.get(path, set()), path


def test_here_is_what_a_program_finds(tables):
    root = modules(tables)["tf"]
    assert {"matmul", "get_variable", "Session", "float32"} <= set(root.present)
    assert set(root.missing) & set(hf.__all__) == set()
    assert set(modules(tables)["tf.train"].present) <= set(hf.train.__all__)


def test_it_agrees_with_check(tables):
    import ast

    for module in tables.modules():
        if "." in module.path and module.present:
            lines = [f"{module.path}.{name}" for name in [*module.present, *module.missing]]
            uses = names_used(ast.parse("\n".join(["import tensorflow as tf", *lines])))
            missing = {use.path.rpartition(".")[2] for use in uses if not use.present}
            assert missing == set(module.missing), module.path


def test_parameters_that_differ(tables):
    def function(x, axis=None, extra=0):
        return x, axis, extra

    difference = tables._difference("f", "(x, axis=None, keep_dims=(1, 2), name=None)", function)
    assert difference == ("f", ["keep_dims", "name"], ["extra"])
    assert tables._difference("f", "(x, axis=None, extra=None)", function) is None
    assert tables._difference("f", "(*args, **kwargs)", lambda *args, **kwargs: None) is None


def test_the_tables_have_a_row_for_each(tables):
    here = [module for module in tables.modules() if module.present]
    assert tables.summary().count("\n| `") == len(here)
    assert tables.missing().count(":::{dropdown}") == sum(bool(m.missing) for m in here)
