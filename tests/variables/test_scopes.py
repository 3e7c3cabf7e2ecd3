"""`variable_scope` and `VariableScope`: names, properties, what is inherited, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.variables import scope_state
from hybridflow._src.variables.scope_names import ScopeCounts
from tests.variables.modes import Mode, names


class TestNames:
    def test_nested(self, mode: Mode) -> None:
        with hf.variable_scope("a"), hf.variable_scope("b/c"):
            assert hf.get_variable("v", [1]).name == "a/b/c/v:0"
        assert hf.get_variable("d/v", [1]).name == "d/v:0"

    def test_name_scopes_do_not_count(self, mode: Mode) -> None:
        with hf.name_scope("n"), hf.variable_scope("a"), hf.name_scope("m"):
            assert hf.get_variable("v", [1]).name == "a/v:0"

    def test_reopened_by_name(self, graph: hf.Graph) -> None:
        with hf.variable_scope("a"):
            hf.get_variable("v", [1])
        with hf.variable_scope("a") as again:
            assert hf.get_variable("w", [1]).name == "a/w:0"
            assert hf.no_op().name == "a_1/NoOp"
        assert again.original_name_scope == "a_1/"

    def test_reopened_by_object_from_elsewhere(self, graph: hf.Graph) -> None:
        with hf.variable_scope("a"), hf.variable_scope("b") as scope:
            pass
        with hf.variable_scope("x"), hf.variable_scope(scope) as again:
            assert again.name == "a/b"
            assert again is not scope
            assert hf.get_variable("v", [1]).name == "a/b/v:0"
            assert hf.no_op().name == "x/b/NoOp"
            assert again.original_name_scope == "a/b/"
            with hf.variable_scope("c"):
                assert hf.get_variable("v", [1]).name == "a/b/c/v:0"
            assert hf.get_variable_scope() is again
        assert hf.get_variable_scope().name == ""

    def test_original_name_scope_opens_the_first_name_scope(self, graph: hf.Graph) -> None:
        with hf.variable_scope("a") as scope:
            pass
        with hf.variable_scope("a"), hf.name_scope(scope.original_name_scope):
            assert hf.no_op().name == "a/NoOp"

    def test_root_scope_reopened(self, mode: Mode) -> None:
        root = hf.get_variable_scope()
        with hf.variable_scope("a"), hf.variable_scope(root) as again:
            assert again.name == ""
            assert hf.get_variable("v", [1]).name == "v:0"
            if not mode.eager:
                assert hf.no_op().name == "a/NoOp"

    def test_entered_twice(self, graph: hf.Graph) -> None:
        scope = hf.variable_scope("a")
        with scope as first:
            pass
        with scope as second:
            assert hf.no_op().name == "a_1/NoOp"
        assert (first.name, second.name, first is second) == ("a", "a", False)

    def test_nested_in_itself(self, mode: Mode) -> None:
        scope = hf.variable_scope("a")
        with scope:
            with scope as inner:
                assert inner.name == "a/a"
            assert hf.get_variable_scope().name == "a"
        assert hf.get_variable_scope().name == ""

    def test_default_names_count_names_opened_otherwise(self, mode: Mode) -> None:
        with hf.variable_scope("cell"):
            pass
        with hf.variable_scope(None, "cell") as scope:
            assert scope.name == "cell_1"

    def test_default_names_start_again_when_a_scope_is_opened_again(self, mode: Mode) -> None:
        def twice() -> list[str]:
            with hf.variable_scope("net"):
                return [self._default("cell"), self._default("cell")]

        assert twice() == ["net/cell", "net/cell_1"]
        assert twice() == ["net/cell", "net/cell_1"]

    def test_counts_inside_a_scope_gone_back_to_are_forgotten(self, mode: Mode) -> None:
        with hf.variable_scope("net") as scope:
            self._default("cell")
            for _ in range(2):
                with hf.variable_scope(scope):
                    assert self._default("cell") == "net/cell_1"
            assert self._default("cell") == "net/cell_1"

    @staticmethod
    def _default(name: str) -> str:
        with hf.variable_scope(None, name) as scope:
            return scope.name

    def test_an_empty_name_opens_no_name_scope(self, graph: hf.Graph) -> None:
        with hf.variable_scope("") as scope:
            assert (scope.name, scope.original_name_scope) == ("", "")
            assert hf.no_op().name == "NoOp"

    @pytest.mark.parametrize("name", ["/a", "/", "a b", "_a", "a:0", "a\\b"])
    def test_illegal_names(self, mode: Mode, name: str) -> None:
        with pytest.raises(ValueError, match="is not a valid scope name"):
            with hf.variable_scope(name):
                pass
        with pytest.raises(ValueError, match="is not a valid scope name"):
            with hf.variable_scope(None, name):
                pass
        assert hf.get_variable_scope().name == ""

    def test_auxiliary_name_scope(self, graph: hf.Graph) -> None:
        with hf.variable_scope("a", auxiliary_name_scope=False) as scope:
            assert hf.no_op().name == "NoOp"
            assert hf.get_variable("v", [1]).name == "a/v:0"
            assert scope.original_name_scope == ""
        with hf.name_scope("n"), hf.variable_scope(scope, auxiliary_name_scope=False):
            assert hf.no_op().name == "n/NoOp"
        with hf.name_scope("m"), hf.variable_scope("b", auxiliary_name_scope=False) as inner:
            assert inner.original_name_scope == "m/"

    def test_variable_op_scope(self, mode: Mode) -> None:
        with pytest.warns(DeprecationWarning, match="variable_scope") as caught:
            with hf.variable_op_scope([], "a", reuse=hf.AUTO_REUSE) as scope:
                assert scope.name == "a"
        assert len(caught) == 1
        assert caught[0].filename == __file__
        with (
            pytest.warns(DeprecationWarning, match="deprecated"),
            hf.variable_op_scope([], None, "a") as scope,
        ):
            assert scope.name == "a_1"


DEFAULTS: dict[str, Any] = {
    "initializer": hf.ones_initializer(),
    "regularizer": lambda v: None,
    "caching_device": "/cpu:0",
    "partitioner": hf.fixed_size_partitioner(1),
    "dtype": hf.float64,
    "constraint": lambda v: v,
    "use_resource": True,
}


class TestProperties:
    def test_of_the_root(self, mode: Mode) -> None:
        scope = hf.get_variable_scope()
        assert (scope.name, scope.original_name_scope, scope.dtype) == ("", "", hf.float32)
        assert scope.reuse == (hf.AUTO_REUSE if mode.eager else False)
        assert scope.use_resource is (True if mode.eager else None)
        for field in ("initializer", "regularizer", "caching_device", "partitioner"):
            assert getattr(scope, field) is None
        assert scope.custom_getter is None
        assert scope.constraint is None

    @pytest.mark.parametrize("field", sorted(DEFAULTS))
    def test_given_inherited_overridden_restored(self, mode: Mode, field: str) -> None:
        first, second = DEFAULTS[field], {"dtype": hf.int32}.get(field, DEFAULTS[field])
        before = getattr(hf.get_variable_scope(), field)
        with hf.variable_scope("a", **{field: first}) as outer:
            assert getattr(outer, field) is first
            with hf.variable_scope("b") as inner:
                assert getattr(inner, field) is first
            with hf.variable_scope("c", **{field: second}) as inner:
                assert getattr(inner, field) is second
        assert getattr(hf.get_variable_scope(), field) is before
        with hf.variable_scope(outer) as again:
            assert getattr(again, field) is first
        with hf.variable_scope(outer, **{field: second}) as again:
            assert getattr(again, field) is second

    @pytest.mark.parametrize("field", sorted(DEFAULTS))
    def test_set(self, mode: Mode, field: str) -> None:
        with hf.variable_scope("a") as scope:
            getattr(scope, f"set_{field}")(DEFAULTS[field])
            assert getattr(scope, field) is DEFAULTS[field]
            with hf.variable_scope("b") as inner:
                assert getattr(inner, field) is DEFAULTS[field]

    def test_set_custom_getter(self, mode: Mode) -> None:
        with hf.variable_scope("a") as scope:
            scope.set_custom_getter(lambda getter, name, *args, **kwargs: name)
            assert hf.get_variable("v", [1]) == "a/v"

    def test_eager_needs_resources(self, eager: hf.EagerVariableStore) -> None:
        with hf.variable_scope("a", use_resource=False) as scope:
            assert scope.use_resource is True
            with pytest.raises(
                ValueError, match="In eager mode, use_resource cannot be set to fal"
            ):
                scope.set_use_resource(False)

    def test_defaults_reach_variables(self, mode: Mode) -> None:
        def project(value: Any) -> Any:
            return value

        options = {"initializer": hf.ones_initializer(), "dtype": hf.float64, "constraint": project}
        with hf.variable_scope("a", **options):
            with hf.variable_scope("b"):
                v = hf.get_variable("v", [2])
                w = hf.get_variable("w", [2], hf.float32, hf.zeros_initializer(), constraint=abs)
        mode.start()
        assert (v.dtype.base_dtype, w.dtype.base_dtype) == (hf.float64, hf.float32)
        assert (mode.value(v).tolist(), mode.value(w).tolist()) == ([1.0, 1.0], [0.0, 0.0])
        assert (v.constraint, w.constraint) == (project, abs)

    def test_reuse(self, graph: hf.Graph) -> None:
        with hf.variable_scope("a", reuse=True) as a:
            assert a.reuse is True
            with hf.variable_scope("b", reuse=False) as b:
                assert b.reuse is True
            with hf.variable_scope("b", reuse=hf.AUTO_REUSE) as b:
                assert b.reuse is hf.AUTO_REUSE
                with hf.variable_scope("c") as c:
                    assert c.reuse is hf.AUTO_REUSE
        with hf.variable_scope("d") as d:
            assert not d.reuse
        with hf.variable_scope("a", reuse=True), hf.variable_scope(d) as again:
            assert not again.reuse
        with hf.variable_scope(d, reuse=True) as again:
            assert again.reuse is True
        assert not hf.get_variable_scope().reuse

    def test_reuse_variables(self, graph: hf.Graph) -> None:
        with hf.variable_scope("a") as scope:
            v = hf.get_variable("v", [1])
            scope.reuse_variables()
            assert scope.reuse is True
            with hf.variable_scope("b"), pytest.raises(ValueError, match="does not exist"):
                hf.get_variable("v", [1])
            assert hf.get_variable("v", [1]) is v
        with hf.variable_scope("a"), pytest.raises(ValueError, match="already exists"):
            hf.get_variable("v", [1])

    def test_auto_reuse_is_an_enum(self) -> None:
        assert hf.AUTO_REUSE.name == "AUTO_REUSE"
        assert type(hf.AUTO_REUSE)["AUTO_REUSE"] is hf.AUTO_REUSE
        assert hf.AUTO_REUSE != True  # noqa: E712

    def test_get_variable_of_a_scope(self, mode: Mode) -> None:
        with hf.variable_scope("a") as scope:
            v = hf.get_variable("v", [1])
        store = scope_state.current().store
        assert scope.get_variable(store, "v", [1], reuse=True) is v
        assert scope.get_variable(store, "w", [1]).name == "a/w:0"

    def test_collections(self, mode: Mode) -> None:
        with hf.variable_scope("a") as scope:
            hf.get_variable("v", [1])
            hf.get_variable("w", [1], trainable=False)
            hf.get_local_variable("l", [1])
            with hf.variable_scope("b"):
                hf.get_variable("v", [1])
        with hf.variable_scope("ab"):
            hf.get_variable("v", [1])
        assert names(scope.global_variables()) == ["a/v:0", "a/w:0", "a/b/v:0"]
        assert names(scope.trainable_variables()) == ["a/v:0", "a/b/v:0"]
        assert names(scope.local_variables()) == ["a/l:0"]
        assert scope.get_collection(hf.GraphKeys.LOCAL_VARIABLES) == scope.local_variables()
        assert len(hf.get_variable_scope().global_variables()) == 4

    def test_constructor(self, mode: Mode) -> None:
        scope = hf.VariableScope(True, "made", initializer=hf.ones_initializer())
        assert scope.reuse is (hf.AUTO_REUSE if mode.eager else True)
        with hf.variable_scope(scope, reuse=hf.AUTO_REUSE):
            v = hf.get_variable("v", [1])
        mode.start()
        assert v.name == "made/v:0"
        assert mode.value(v).tolist() == [1.0]

    @pytest.mark.parametrize(
        ("arguments", "error", "text"),
        [
            ({"reuse": "yes"}, ValueError, "reuse parameter must be True or False or None"),
            ({"reuse": 1}, ValueError, "reuse parameter must be True or False or None"),
            ({"reuse": None, "name": 3}, TypeError, "name and name_scope must be strings, got 3"),
            ({"reuse": None, "name_scope": None}, TypeError, "must be strings"),
            ({"reuse": None, "custom_getter": 3}, ValueError, "custom_getter which is not callabl"),
            ({}, TypeError, "reuse"),
        ],
    )
    def test_constructor_checks(
        self, mode: Mode, arguments: dict[str, Any], error: Any, text: str
    ) -> None:
        with pytest.raises(error, match=text):
            hf.VariableScope(**arguments)

    def test_values_may_be_anything_without_a_graph(self, mode: Mode) -> None:
        with hf.variable_scope("a", values=[1.0, "x", None]) as scope:
            assert scope.name == "a"


class TestErrors:
    @pytest.mark.parametrize("name", [3, 1.5, ["a"], b"a", object()])
    def test_wrong_name(self, mode: Mode, name: Any) -> None:
        with pytest.raises(TypeError, match="name_or_scope must be a string or VariableScope"):
            with hf.variable_scope(name):
                pass
        with pytest.raises(TypeError):
            with hf.variable_scope(None, default_name=name):
                pass

    @pytest.mark.parametrize("reuse", ["yes", 1, 0, 2.0, []])
    def test_wrong_reuse(self, mode: Mode, reuse: Any) -> None:
        with pytest.raises(ValueError, match="The reuse parameter must be True or False or None"):
            hf.variable_scope("a", reuse=reuse)

    @pytest.mark.parametrize("reuse", [True, hf.AUTO_REUSE])
    def test_reuse_without_a_name(self, mode: Mode, reuse: Any) -> None:
        with pytest.raises(ValueError, match="reuse=True cannot be used without a name_or_scope"):
            with hf.variable_scope(None, "a", reuse=reuse):
                pass

    def test_wrong_auxiliary_name_scope(self, mode: Mode) -> None:
        with pytest.raises(TypeError, match="auxiliary_name_scope must be `True` or `False`"):
            hf.variable_scope("a", auxiliary_name_scope=1)  # type: ignore[arg-type]

    def test_wrong_custom_getter(self, mode: Mode) -> None:
        with pytest.raises(ValueError, match="custom_getter which is not callable: 3"):
            with hf.variable_scope("a", custom_getter=3):
                hf.get_variable("v", [1])

    def test_wrong_values(self, mode: Mode) -> None:
        with pytest.raises(TypeError):
            hf.variable_scope("a", values=3)

    @pytest.mark.parametrize(
        ("option", "value", "error"),
        [
            ("dtype", "no such dtype", TypeError),
            ("regularizer", 3, TypeError),
            ("partitioner", 3, ValueError),
            ("constraint", 3, ValueError),
            ("initializer", object(), (TypeError, ValueError)),
        ],
    )
    def test_wrong_defaults(self, mode: Mode, option: str, value: Any, error: Any) -> None:
        with pytest.raises(error):
            with hf.variable_scope("a", **{option: value}):
                hf.get_variable("v", [2])
        assert hf.get_variable_scope().name == ""

    def test_of_another_graph(self) -> None:
        with hf.Graph().as_default():
            with hf.variable_scope("a") as scope:
                hf.get_variable("v", [1])
        with hf.Graph().as_default(), hf.variable_scope(scope) as again:
            assert again.name == "a"
            assert hf.get_variable("v", [1]).graph is hf.get_default_graph()


class TestCounts:
    """The rule of default names, against one that looks through all names each time."""

    def test_against_a_plain_list(self, graph: hf.Graph) -> None:
        random = np.random.default_rng(0)
        counts = ScopeCounts()
        opened: dict[str, int] = {}
        undo: list[tuple[int, dict[str, int]]] = []
        for _ in range(3000):
            outer = random.choice(["", "a", "b", "a/c"])
            name = random.choice(["x", "y", "x_1", "d/x"])
            action = random.integers(20)
            if action == 0:
                counts.forget_inside(outer)
                inside = f"{outer}/" if outer else ""
                opened = {k: v for k, v in opened.items() if not k.startswith(inside)}
            elif action == 1 and len(undo) < 3:
                undo.append((counts.mark(), dict(opened)))
            elif action == 2 and undo:
                mark, opened = undo.pop()
                counts.undo(mark)
            else:
                wanted, index = name, 0
                while opened.get(f"{outer}/{wanted}" if outer else wanted):
                    index += 1
                    wanted = f"{name}_{index}"
                assert counts.unique(outer, name) == wanted
                full_name = f"{outer}/{wanted}" if outer else wanted
                counts.open(full_name)
                opened[full_name] = opened.get(full_name, 0) + 1
