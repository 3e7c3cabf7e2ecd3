"""Templates: variables are made by the first call, and used again by all others."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

import hybridflow as hf
from tests.variables.modes import Mode, names


def scaled(x: Any, factor: float = 1.0) -> Any:
    w = hf.get_variable("w", [], initializer=hf.constant_initializer(3.0))
    return x * w * factor


class TestCalls:
    def test_variables_are_shared(self, mode: Mode) -> None:
        layer = hf.make_template("layer", scaled)
        results = [layer(1.0), layer(hf.constant(2.0)), layer(2.0, factor=2.0)]
        mode.start()
        assert [float(mode.value(y)) for y in results] == [3.0, 6.0, 12.0]
        assert names(layer.variables) == ["layer/w:0"]

    def test_arguments_given_beforehand(self, mode: Mode) -> None:
        layer = hf.make_template("layer", scaled, factor=2.0)
        y = layer(1.0)
        mode.start()
        assert mode.value(y) == 6.0

    def test_two_templates_have_their_own(self, mode: Mode) -> None:
        first, second = (hf.make_template("layer", scaled) for _ in range(2))
        first(1.0)
        second(1.0)
        assert names(first.variables + second.variables) == ["layer/w:0", "layer_1/w:0"]

    def test_named_where_first_called(self, mode: Mode) -> None:
        with hf.variable_scope("a"):
            layer = hf.make_template("layer", scaled)
        with hf.variable_scope("b"):
            layer(1.0)
        assert names(layer.variables) == ["b/layer/w:0"]

    def test_create_scope_now(self, mode: Mode) -> None:
        with hf.variable_scope("a"):
            layer = hf.make_template("layer", scaled, create_scope_now_=True)
        assert layer.variable_scope_name == "a/layer/"
        with hf.variable_scope("b"):
            layer(1.0)
        assert names(layer.variables) == ["a/layer/w:0"]

    def test_unique_name(self, graph: hf.Graph) -> None:
        hf.make_template("layer", scaled, unique_name_="mine")(1.0)
        again = hf.make_template("layer", scaled, unique_name_="mine")
        with pytest.raises(ValueError, match="Variable mine/w already exists"):
            again(1.0)

    def test_custom_getter(self, mode: Mode) -> None:
        def renamed(getter: Any, name: str, *args: Any, **kwargs: Any) -> Any:
            return getter(name + "_x", *args, **kwargs)

        for now in (False, True):
            layer = hf.make_template("layer", scaled, now, custom_getter_=renamed)
            layer(1.0)
            layer(1.0)
            assert names(layer.variables) == [f"layer{'_1' * now}/w_x:0"]

    def test_default_names_inside(self, mode: Mode) -> None:
        def two(x: Any) -> Any:
            for _ in range(2):
                with hf.variable_scope(None, "cell"):
                    x = scaled(x)
            return x

        layer = hf.make_template("layer", two)
        results = [layer(1.0), layer(1.0)]
        mode.start()
        assert names(layer.variables) == ["layer/cell/w:0", "layer/cell_1/w:0"]
        assert [float(mode.value(y)) for y in results] == [9.0, 9.0]

    def test_nested(self, mode: Mode) -> None:
        inner = hf.make_template("inner", scaled)
        outer = hf.make_template("outer", lambda x: inner(scaled(x)))
        results = [outer(1.0), outer(1.0)]
        mode.start()
        assert [float(mode.value(y)) for y in results] == [9.0, 9.0]
        assert inner.variables[0].name == "outer/inner/w:0"

    def test_updates_are_seen(self, mode: Mode) -> None:
        layer = hf.make_template("layer", scaled)
        layer(1.0)
        mode.start()
        mode.value(layer.variables[0].assign(5.0))
        assert mode.value(layer(1.0)) == 5.0

    def test_ops_in_name_scopes_of_their_own(self, graph: hf.Graph) -> None:
        layer = hf.make_template("layer", lambda: hf.no_op(name="done"))
        assert names([layer(), layer()]) == ["layer/done", "layer_1/done"]


class TestProperties:
    def test_before_the_first_call(self, mode: Mode) -> None:
        layer = hf.make_template("layer", scaled)
        assert (layer.name, layer.func) == ("layer", scaled)
        assert layer.variable_scope is layer.variable_scope_name is None
        assert layer.trainable_variables == layer.global_variables == layer.variables == []

    def test_lists(self, mode: Mode) -> None:
        def make() -> None:
            hf.get_variable("v", [1])
            hf.get_variable("w", [1], trainable=False)
            hf.get_local_variable("l", [1])

        hf.get_variable("other", [1])
        layer = hf.make_template("layer", make)
        layer()
        assert names(layer.trainable_variables) == ["layer/v:0"]
        assert names(layer.non_trainable_variables) == ["layer/w:0"]
        assert names(layer.global_variables) == ["layer/v:0", "layer/w:0"]
        assert names(layer.local_variables) == ["layer/l:0"]
        assert names(layer.variables) == ["layer/v:0", "layer/w:0", "layer/l:0"]
        assert layer.variable_scope.name == "layer"

    def test_deprecated(self, mode: Mode) -> None:
        layer = hf.make_template("layer", scaled, create_scope_now_=True)
        with pytest.warns(DeprecationWarning, match="var_scope property is deprecated"):
            assert layer.var_scope is layer.variable_scope


class TestErrors:
    def test_no_name(self) -> None:
        with pytest.raises(ValueError, match="name cannot be None"):
            hf.make_template(None, scaled)  # type: ignore[arg-type]

    def test_new_variables_in_a_later_call(self, mode: Mode) -> None:
        calls: list[int] = []

        def grows() -> Any:
            calls.append(1)
            return [hf.get_variable(f"v{i}", [1]) for i in range(len(calls))]

        layer = hf.make_template("layer", grows)
        layer()
        with pytest.raises(ValueError, match=r"does not exist|Trainable variable created when"):
            layer()

    def test_a_variable_for_each_call(self, mode: Mode) -> None:
        layer = hf.make_template("layer", lambda: hf.Variable(1.0, name="v"))
        kept = layer()
        with pytest.raises(ValueError, match=r"perhaps you used tf\.Variable when you meant"):
            layer()
        assert kept.trainable

    def test_variables_that_are_not_trainable_may_come(self, mode: Mode) -> None:
        layer = hf.make_template("layer", lambda: hf.Variable(1.0, trainable=False))
        assert layer() is not layer()

    def test_says_where_it_was_made(self, mode: Mode) -> None:
        def wrong() -> None:
            raise KeyError("no such thing")

        layer = hf.make_template("layer", wrong)  # made here
        for _ in range(2):
            with pytest.raises(KeyError, match="no such thing") as caught:
                layer()
            assert "originally defined at:" in str(caught.value)
            assert "made here" in str(caught.value)

    def test_a_failed_first_call_can_be_repeated(self, mode: Mode) -> None:
        fail = [True]

        def sometimes(x: Any) -> Any:
            if fail:
                fail.clear()
                raise KeyError
            return scaled(x)

        layer = hf.make_template("layer", sometimes)
        with pytest.raises(KeyError):
            layer(1.0)
        layer(1.0)
        layer(1.0)
        assert names(layer.variables) == ["layer/w:0"]


class TestEager:
    def test_the_template_keeps_its_variables(self, eager: hf.EagerVariableStore) -> None:
        layer = hf.make_template("layer", scaled)
        layer(1.0)
        assert eager.variables() == []
        gone = weakref.ref(layer.variables[0])
        assert gone() is not None
        del layer
        gc.collect()
        assert gone() is None

    def test_another_store_changes_nothing(self, eager: hf.EagerVariableStore) -> None:
        layer = hf.make_template("layer", scaled)
        layer(1.0)
        (w,) = layer.variables
        with hf.EagerVariableStore().as_default():
            layer(1.0)
        assert layer.variables == [w]

    def test_in_a_function(self, eager: hf.EagerVariableStore) -> None:
        layer = hf.make_template("layer", scaled)
        traced = hf.function(lambda x: layer(x))
        assert [float(traced(hf.constant(x))) for x in (1.0, 2.0)] == [3.0, 6.0]
        layer.variables[0].assign(1.0)
        assert float(traced(hf.constant(1.0))) == 1.0

    def test_first_called_in_a_function(self, eager: hf.EagerVariableStore) -> None:
        layer = hf.make_template("layer", scaled)
        assert float(hf.function(layer)(hf.constant(1.0))) == 3.0
        (v,) = layer.variables
        v.assign(5.0)
        assert float(layer(2.0)) == float(hf.function(layer)(hf.constant(2.0))) == 10.0
        assert layer.variables == [v]
        assert eager.variables() == []

    def test_one_that_is_made_anew_in_each_call_of_another(
        self, eager: hf.EagerVariableStore
    ) -> None:
        outer = hf.make_template("outer", lambda x: hf.make_template("inner", scaled)(x))
        outer(1.0)
        (w,) = outer.variables
        w.assign(5.0)
        assert float(outer(1.0)) == 5.0
        assert names(outer.variables) == ["outer/inner/w:0"]

    def test_the_same_within_another_one_and_alone(self, eager: hf.EagerVariableStore) -> None:
        inner = hf.make_template("inner", scaled)
        outer = hf.make_template("outer", lambda x: inner(x) + hf.get_variable("b", []))
        outer(1.0)
        (w,) = inner.variables
        w.assign(7.0)
        assert float(inner(1.0)) == 7.0
        assert len(outer.trainable_variables) == 1 + len(inner.trainable_variables)

    def test_collections_around_have_its_variables(self, eager: hf.EagerVariableStore) -> None:
        layer = hf.make_template("layer", scaled)
        layer(1.0)
        assert hf.trainable_variables() == layer.variables

    def test_gradients(self, eager: hf.EagerVariableStore) -> None:
        layer = hf.make_template("layer", scaled)
        with hf.GradientTape() as tape:
            y = layer(2.0)
        assert float(tape.gradient(y, layer.trainable_variables)[0]) == 2.0
