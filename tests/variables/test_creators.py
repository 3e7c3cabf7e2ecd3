"""`variable_creator_scope`: who makes variables, in which order, and which of them."""

from __future__ import annotations

from typing import Any

import pytest

import hybridflow as hf
from hybridflow._src.framework.context import variable_creators
from tests.variables.modes import Mode, names


def suffixed(suffix: str, seen: list[dict[str, Any]] | None = None) -> Any:
    def creator(next_creator: Any, **kwargs: Any) -> Any:
        if seen is not None:
            seen.append(dict(kwargs))
        kwargs["name"] = f"{kwargs['name']}{suffix}"
        return next_creator(**kwargs)

    return creator


def test_what_is_told(mode: Mode) -> None:
    seen: list[dict[str, Any]] = []
    with hf.variable_creator_scope(suffixed("_x", seen)):
        v = hf.Variable([1.0, 2.0], False, name="v")
        w = hf.get_variable("w", [3], dtype=hf.float64, trainable=False)
    assert names([v, w]) == ["v_x:0", "w_x:0"]
    assert [list(each) for each in seen] == [list(seen[0])] * 2
    assert set(seen[0]) == {
        *("initial_value", "trainable", "collections", "validate_shape", "caching_device"),
        *("name", "variable_def", "dtype", "expected_shape", "import_scope", "constraint"),
        *("use_resource", "synchronization", "aggregation", "shape"),
    }
    assert seen[0]["initial_value"] == [1.0, 2.0]
    assert (seen[0]["trainable"], seen[1]["trainable"]) == (False, False)
    assert (seen[1]["name"], seen[1]["dtype"]) == ("w", hf.float64)
    assert hf.trainable_variables() == []
    mode.start()
    assert mode.value(v).tolist() == [1.0, 2.0]


def test_the_innermost_is_asked_first(mode: Mode) -> None:
    outer = hf.variable_creator_scope(suffixed("_outer"))
    with outer:
        with hf.variable_creator_scope(suffixed("_inner")):
            assert hf.Variable(1.0, name="v").name == "v_inner_outer:0"
        assert hf.Variable(1.0, name="w").name == "w_outer:0"
        with outer:
            assert hf.Variable(1.0, name="x").name == "x_outer_outer:0"
    assert hf.Variable(1.0, name="y").name == "y:0"


def test_layers_and_parts_are_made_so(mode: Mode) -> None:
    with hf.variable_creator_scope(suffixed("_x")):
        hf.layers.dense(hf.zeros([2, 3]), 4, name="layer")
        parts = hf.get_variable("cut", [4], partitioner=hf.fixed_size_partitioner(2))
    made = names(hf.global_variables())
    assert made == ["layer/kernel_x:0", "layer/bias_x:0", "cut/part_0_x:0", "cut/part_1_x:0"]
    assert names(list(parts)) == made[2:]


def test_another_one_in_its_place(mode: Mode) -> None:
    known = hf.Variable(3.0, name="known")
    with hf.variable_creator_scope(lambda next_creator, **_: known):
        assert hf.Variable(1.0) is known
        assert hf.get_variable("v", []) is known
    with hf.variable_scope("", reuse=True):
        assert hf.get_variable("v", []) is known


def test_classes_that_are_named_are_made(mode: Mode) -> None:
    with hf.variable_creator_scope(suffixed("_x")):
        assert hf.ResourceVariable(1.0, name="v").name == "v:0"


def test_kinds_may_be_chosen(graph: hf.Graph) -> None:
    def as_resource(next_creator: Any, **kwargs: Any) -> Any:
        kwargs["use_resource"] = True
        return next_creator(**kwargs)

    with hf.variable_creator_scope(as_resource):
        assert isinstance(hf.Variable(1.0), hf.ResourceVariable)
        assert isinstance(hf.get_variable("v", []), hf.ResourceVariable)


def test_inside_a_function_that_is_traced(eager: Any) -> None:
    @hf.function
    def made(x: Any) -> Any:
        return hf.get_variable("v", [], initializer=hf.ones_initializer()) + x

    with hf.variable_creator_scope(suffixed("_x")):
        assert made(hf.constant(2.0)).numpy() == 3.0
    assert list(names(hf.global_variables())) == ["v_x:0"]


def test_an_error_leaves_nothing_open(mode: Mode) -> None:
    def fails(next_creator: Any, **kwargs: Any) -> Any:
        raise KeyError("no variable today")

    with (
        pytest.raises(KeyError, match="no variable today"),
        hf.variable_creator_scope(fails),
    ):
        hf.get_variable("v", [])
    assert variable_creators.top == ()
    assert hf.get_variable("v", []).name == "v:0"


def test_wrong_arguments(mode: Mode) -> None:
    with pytest.raises(TypeError, match=r"must be a function of `next_creator`.* Got 'zeros'"):
        hf.variable_creator_scope("zeros")  # type: ignore[arg-type]
    with hf.variable_creator_scope(suffixed("_x")):
        with pytest.raises(TypeError, match="multiple values for argument 'trainable'"):
            hf.Variable(1.0, True, trainable=False)  # type: ignore[misc]
        with pytest.raises(TypeError, match=r"takes 15 arguments.* got 16"):
            hf.Variable(*[None] * 16)  # type: ignore[arg-type]
