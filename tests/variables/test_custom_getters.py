"""Custom getters: what they are called with, how they nest, what they may return."""

from __future__ import annotations

from typing import Any

import pytest

import hybridflow as hf
from hybridflow._src.variables import scope_state
from tests.variables.modes import Mode, names

PASSED = (
    *("shape", "dtype", "initializer", "regularizer", "reuse", "trainable", "collections"),
    *("caching_device", "partitioner", "validate_shape", "use_resource", "constraint"),
)


def renaming(suffix: str, log: list[str] | None = None) -> Any:
    def custom_getter(getter: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        if log is not None:
            log.append(suffix)
        return getter(name + suffix, *args, **kwargs)

    return custom_getter


class TestCall:
    def test_arguments(self, mode: Mode) -> None:
        seen: dict[str, Any] = {}

        def custom_getter(getter: Any, *args: Any, **kwargs: Any) -> Any:
            assert args == ()
            seen.update(kwargs)
            return getter(**kwargs)

        ones, shape, projection = hf.ones_initializer(), [2], lambda v: v
        with hf.variable_scope("a", initializer=ones, constraint=projection):
            v = hf.get_variable("v", shape, trainable=False, custom_getter=custom_getter)
        assert set(seen) == {"name", *PASSED}
        assert seen["name"] == "a/v"
        assert seen["shape"] is shape
        assert (seen["dtype"], seen["initializer"]) == (hf.float32, ones)
        assert (seen["trainable"], seen["constraint"]) == (False, projection)
        assert seen["reuse"] == (hf.AUTO_REUSE if mode.eager else False)
        assert seen["use_resource"] is (True if mode.eager else None)
        assert v.name == "a/v:0"

    def test_the_first_parameter_may_have_any_name(self, mode: Mode) -> None:
        v = hf.get_variable("v", [1], custom_getter=lambda make, name, **kw: make(name, **kw))
        assert v.name == "v:0"

    def test_other_name(self, mode: Mode) -> None:
        v = hf.get_variable("v", [1], custom_getter=renaming("_x"))
        assert v.name == "v_x:0"

    def test_positional_arguments(self, mode: Mode) -> None:
        def custom_getter(
            getter: Any, name: str, shape: Any, dtype: Any, *_: Any, **__: Any
        ) -> Any:
            return getter(name, shape, dtype, hf.ones_initializer())

        v = hf.get_variable("v", [2], hf.float64, custom_getter=custom_getter)
        mode.start()
        assert mode.value(v).tolist() == [1.0, 1.0]

    def test_without_keywords_and_constraint(self, mode: Mode) -> None:
        """A getter of the time before constraints: the constraint still holds."""

        def custom_getter(
            getter: Any,
            name: str,
            shape: Any = None,
            dtype: Any = hf.float32,
            initializer: Any = None,
            regularizer: Any = None,
            reuse: Any = None,
            trainable: bool = True,
            collections: Any = None,
            caching_device: Any = None,
            partitioner: Any = None,
            validate_shape: bool = True,
            use_resource: Any = None,
        ) -> Any:
            return getter(
                name,
                shape,
                dtype,
                initializer,
                regularizer,
                reuse,
                trainable,
                collections,
                caching_device,
                partitioner,
                validate_shape,
                use_resource,
            )

        def projection(v: Any) -> Any:
            return v

        with hf.variable_scope("a", custom_getter=custom_getter, constraint=projection):
            assert hf.get_variable("v", [1]).constraint is projection
            with hf.variable_scope("b", custom_getter=custom_getter):
                assert hf.get_variable("v", [1]).constraint is projection

    def test_a_getter_may_drop_the_constraint(self, mode: Mode) -> None:
        def custom_getter(getter: Any, name: str, **kwargs: Any) -> Any:
            return getter(name, **{**kwargs, "constraint": None})

        v = hf.get_variable("v", [1], constraint=lambda v: v, custom_getter=custom_getter)
        assert v.constraint is None

    def test_wrong_arguments(self, mode: Mode) -> None:
        with pytest.raises(TypeError, match="surprise"):
            hf.get_variable(
                "v", [1], custom_getter=lambda getter, name, **kw: getter(name, surprise=1, **kw)
            )

    @pytest.mark.parametrize("how", ["call", "scope", "set"])
    def test_not_callable(self, mode: Mode, how: str) -> None:
        text = "Passed a custom_getter which is not callable: 3"
        with pytest.raises(ValueError, match=text):
            if how == "call":
                hf.get_variable("v", [1], custom_getter=3)
            elif how == "scope":
                with hf.variable_scope("a", custom_getter=3):
                    hf.get_variable("v", [1])
            else:
                with hf.variable_scope("a") as scope:
                    scope.set_custom_getter(3)
                    hf.get_variable("v", [1])

    def test_ops_stand_at_the_root(self, graph: hf.Graph) -> None:
        def doubled(getter: Any, name: str, *args: Any, **kwargs: Any) -> Any:
            return hf.multiply(2.0, getter(name, *args, **kwargs), name="doubled")

        with hf.variable_scope("a", custom_getter=doubled):
            assert hf.get_variable("v", [1]).name == "doubled:0"

    def test_objects_and_methods(self, mode: Mode) -> None:
        class Getter:
            def __call__(self, getter: Any, name: str, **kwargs: Any) -> Any:
                return self.named(getter, name, **kwargs)

            def named(self, getter: Any, name: str, shape: Any, **kwargs: Any) -> Any:
                return getter(name + "_x", shape, **kwargs)

        assert hf.get_variable("v", [1], custom_getter=Getter()).name == "v_x:0"
        assert hf.get_variable("w", [1], custom_getter=Getter().named).name == "w_x:0"


class TestNesting:
    def test_inner_first(self, mode: Mode) -> None:
        log: list[str] = []
        with hf.variable_scope("a", custom_getter=renaming("_outer", log)):
            with hf.variable_scope("b", custom_getter=renaming("_inner", log)):
                v = hf.get_variable("v", [1])
        assert log == ["_inner", "_outer"]
        assert v.name == "a/b/v_inner_outer:0"

    def test_three(self, mode: Mode) -> None:
        with hf.variable_scope("a", custom_getter=renaming("_1")):
            with hf.variable_scope("b", custom_getter=renaming("_2")):
                with hf.variable_scope("c", custom_getter=renaming("_3")):
                    assert hf.get_variable("v", [1]).name == "a/b/c/v_3_2_1:0"
                assert hf.get_variable("v", [1]).name == "a/b/v_2_1:0"

    def test_inherited(self, mode: Mode) -> None:
        with hf.variable_scope("a", custom_getter=renaming("_x")), hf.variable_scope("b"):
            assert hf.get_variable("v", [1]).name == "a/b/v_x:0"
        with hf.variable_scope("a"):
            assert hf.get_variable("w", [1]).name == "a/w:0"

    def test_a_getter_given_to_the_call_is_instead_of_that_of_the_scope(self, mode: Mode) -> None:
        with hf.variable_scope("a", custom_getter=renaming("_scope")):
            v = hf.get_variable("v", [1], custom_getter=renaming("_call"))
        assert v.name == "a/v_call:0"

    def test_of_a_scope_gone_back_to(self, mode: Mode) -> None:
        with hf.variable_scope("a", custom_getter=renaming("_1")) as scope:
            pass
        with hf.variable_scope("x", custom_getter=renaming("_other")):
            with hf.variable_scope(scope, custom_getter=renaming("_2")):
                assert hf.get_variable("v", [1]).name == "a/v_2_1:0"


class TestResults:
    def test_a_tensor(self, mode: Mode) -> None:
        def doubled(getter: Any, name: str, *args: Any, **kwargs: Any) -> Any:
            return 2.0 * getter(name, *args, **kwargs)

        with hf.variable_scope("a", custom_getter=doubled, initializer=hf.ones_initializer()):
            y = hf.get_variable("v", [2])
        mode.start()
        assert isinstance(y, hf.Tensor)
        assert mode.value(y).tolist() == [2.0, 2.0]

    def test_the_sum_of_two_variables(self, mode: Mode) -> None:
        def summed(getter: Any, name: str, *args: Any, **kwargs: Any) -> Any:
            first = getter(name + "/0", *args, **kwargs)
            second = getter(name + "/1", *args, **kwargs)
            return first + second

        ones = hf.ones_initializer()
        with hf.variable_scope("a", custom_getter=summed, initializer=ones) as scope:
            y = hf.get_variable("v", [2])
        with hf.variable_scope(scope, reuse=True):
            again = hf.get_variable("v", [2])
        mode.start()
        assert names(hf.global_variables()) == ["a/v/0:0", "a/v/1:0"]
        assert mode.value(y).tolist() == mode.value(again).tolist() == [2.0, 2.0]

    def test_anything(self, mode: Mode) -> None:
        thing = object()
        assert hf.get_variable("v", custom_getter=lambda getter, name, **kwargs: thing) is thing
        assert hf.global_variables() == []

    def test_reuse(self, mode: Mode) -> None:
        with hf.variable_scope("a", custom_getter=renaming("_x")) as scope:
            v = hf.get_variable("v", [1])
            scope.reuse_variables()
            assert hf.get_variable("v", [1]) is v

    def test_with_a_partitioner(self, mode: Mode) -> None:
        with hf.variable_scope(
            "a", custom_getter=renaming("_x"), partitioner=hf.fixed_size_partitioner(2)
        ):
            v = hf.get_variable("v", [4])
        assert names(v) == ["a/v_x/part_0:0", "a/v_x/part_1:0"]

    def test_other_kinds_of_variables(self, graph: hf.Graph) -> None:
        def resource(getter: Any, name: str, *args: Any, **kwargs: Any) -> Any:
            return getter(name, *args, **{**kwargs, "use_resource": True})

        assert isinstance(hf.get_variable("v", [1], custom_getter=resource), hf.ResourceVariable)

    def test_eagerly_a_getter_cannot_make_other_kinds(self, eager: hf.EagerVariableStore) -> None:
        def custom_getter(getter: Any, name: str, *args: Any, **kwargs: Any) -> Any:
            return getter(name, *args, **{**kwargs, "use_resource": False, "reuse": None})

        v = hf.get_variable("v", [1], custom_getter=custom_getter)
        assert isinstance(v, hf.ResourceVariable)
        assert hf.get_variable("v", [1], custom_getter=custom_getter) is v

    def test_local_variables(self, mode: Mode) -> None:
        with hf.variable_scope("a", custom_getter=renaming("_x")):
            v = hf.get_local_variable("v", [1])
        assert hf.local_variables() == [v]
        assert scope_state.current().store.variables == {"a/v_x": v}
