"""Where names of variables and scopes are completed."""

from __future__ import annotations

import pytest

import hybridflow as hf
from hybridflow._src.cli.completion import completions

VARIABLES = ["a/b/v", "a/w", "c"]
SCOPES = ["a", "a/b"]


@pytest.fixture(autouse=True)
def variables():
    with hf.Graph().as_default():
        for name in VARIABLES:
            hf.get_variable(name, [1])
        yield


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("hf.get_variable('", ("", VARIABLES)),
        ("v = get_variable( name = \"a/", ("a/", ["a/b/v", "a/w"])),
        ("hf.get_local_variable('c", ("c", ["c"])),
        ("with hf.variable_scope('", ("", SCOPES)),
        ("with tf.variable_scope(name_or_scope='a/", ("a/", ["a/b"])),
        ("hf.variables('x", ("x", [])),
        ("hf.trainable_variables(scope=\"a", ("a", SCOPES)),
        ("x = 1\nhf.get_variable('c", ("c", ["c"])),
        ("hf.get_variable('c')", None),
        ("hf.get_variable(", None),
        ("hf.get_variable('c', 'd", None),
        ("print('a", None),
        ("", None),
    ],
)  # fmt: skip
def test_completions(line, found):
    assert completions(line) == found
