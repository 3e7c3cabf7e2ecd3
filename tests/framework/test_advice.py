"""What errors say to write instead: it exists, and it works."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.framework import advice
from hybridflow._src.framework.eager_tensor import EagerTensor

ROOT = Path(hf.__file__).parent
_NAME = re.compile(r"\bhf\.([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)")


def texts():
    """The strings of the package that are no docstrings, with their files."""
    for path in sorted(ROOT.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        docstrings = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            if node.body and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
            if is_text and id(node) not in docstrings:
                yield path.relative_to(ROOT), node.value


def test_every_name_of_ours_in_a_text_exists():
    found = {(path, name) for path, text in texts() for name in _NAME.findall(text)}
    assert len(found) > 60
    for path, name in sorted(found):
        try:
            functools.reduce(getattr, name.split("."), hf)
        except AttributeError:
            pytest.fail(f"{path} names hf.{name}, which does not exist")


# What the texts leave open.
GIVEN = {
    "axes": [0],
    "axis": 0,
    "b": [[1.0], [2.0]],
    "dtype": hf.float64,
    "high": 1.0,
    "indices": [0],
    "k": 1,
    "low": 0.0,
    "multiples": [1, 2],
    "perm": [1, 0],
    "shape": [4],
}


@pytest.mark.parametrize("name", advice._INSTEAD)
@pytest.mark.parametrize("mode", ["eager", "graph"])
def test_what_stands_for_an_attribute(name, mode):
    with hf.Graph().as_default(), hf.Session() as session:
        mode_scope = hf.eager_mode() if mode == "eager" else hf.graph_mode()
        with mode_scope, hf.EagerVariableStore().as_default():
            for t in (hf.constant(np.eye(2) > 0), hf.ones([2, 2]), hf.get_variable("v", [2, 2])):
                if mode == "eager" and name == "ndim" and not isinstance(t, hf.Variable):
                    assert t.ndim == 2
                    continue
                with pytest.raises(AttributeError, match=f"has no attribute {name!r}: wr") as told:
                    getattr(t, name)
                code = re.search("write `(.*)`", str(told.value))[1]
                if "`" in code or (t.dtype == hf.bool) != (name in ("all", "any")):
                    continue  # two ways, tried elsewhere; or not of this dtype
                if name == "item":
                    t = hf.reduce_sum(t)
                if mode == "graph":
                    session.run(hf.global_variables_initializer())
                eval(code, {"hf": hf, "t": t, "session": session, **GIVEN})


def test_an_unknown_attribute_is_left_to_python():
    with hf.eager_mode(), pytest.raises(AttributeError) as told:
        _ = hf.ones([2]).shpe
    assert str(told.value) == "'EagerTensor' object has no attribute 'shpe'"
    assert told.value.name == "shpe"
    assert told.value.obj is not None


@pytest.mark.parametrize("kind", [hf.Tensor, EagerTensor, hf.Variable])
def test_advice_costs_other_attributes_nothing(kind):
    """A class with `__getattr__` has all its attributes looked up in a slower way."""
    assert not hasattr(kind, "__getattr__")


def test_what_is_advised_on_is_not_listed():
    with hf.eager_mode():
        t = hf.ones([2])
        assert "shape" in dir(t)
        assert "ndim" in dir(t)
        assert "item" not in dir(t)
        assert not hasattr(hf.Tensor, "item")


@pytest.mark.parametrize(
    ("first", "second", "converted", "to"),
    [
        ("float32", "int32", "y", "float32"),
        ("int32", "float32", "x", "float32"),
        ("float32", "float64", "x", "float64"),
        ("int64", "int32", "y", "int64"),
        ("uint8", "int8", "x", "int8"),
        ("complex64", "float64", "y", "complex64"),
    ],
)
def test_a_cast_is_suggested_towards_what_keeps_more(first, second, converted, to):
    x, y = (hf.as_dtype(name).as_numpy_dtype(1) for name in (first, second))
    with hf.eager_mode(), pytest.raises(TypeError) as told:
        hf.add(hf.constant(x), hf.constant(y))
    assert str(told.value).endswith(
        f"Nothing is converted unasked: `hf.cast({converted}, hf.{to})` converts '{converted}'."
    )


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: hf.sqrt(hf.constant(4)), "`hf.cast(x, hf.float32)` converts it"),
        (lambda: hf.constant([1]) & hf.constant([1]), "`hf.cast(x, hf.bool)` converts it"),
        (lambda: hf.sqrt(hf.constant("a")), "complex64, float16, float32, float64"),
        (lambda: hf.reduce_sum([1.0], 5), "with 1 dimension(s): expected one in [-1, 1)"),
        (lambda: hf.ones([2]) + None, "A Python function without `return` gives None."),
    ],
)
def test_what_is_wanted_is_said(call, said):
    with hf.eager_mode(), pytest.raises((TypeError, ValueError, hf.errors.OpError)) as told:
        call()
    assert said in str(told.value)


@pytest.mark.parametrize(
    ("operator", "method"), [("+", "assign_add"), ("-", "assign_sub"), ("*", "assign"), ("/", "as")]
)
def test_a_variable_is_not_replaced_by_a_tensor(operator, method):
    program = f"v {operator}= 1.0"
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        v = hf.get_variable("v", initializer=2.0)
        with pytest.raises(RuntimeError, match=rf"v\.{method}"):
            exec(program, {"v": v})
        assert v.numpy() == 2.0
    # TensorFlow 1.4's graphs make a tensor of it.
    with hf.Graph().as_default(), hf.Session() as session:
        names = {"v": hf.get_variable("v", initializer=2.0)}
        session.run(hf.global_variables_initializer())
        exec(program, names)
        assert session.run(names["v"]) == eval(f"2.0 {operator} 1.0")
