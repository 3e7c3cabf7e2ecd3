"""What TensorFlow 1.4's page on `tf.variable_scope` promises, sentence by sentence."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import hybridflow as hf
import hybridflow as tf
from tests.variables.modes import Mode


class TestExamples:
    """The page's examples, as they stand there."""

    def test_create(self, mode: Mode) -> None:
        with tf.variable_scope("foo"):
            with tf.variable_scope("bar"):
                v = tf.get_variable("v", [1])
                assert v.name == "foo/bar/v:0"

    def test_auto_reuse(self, mode: Mode) -> None:
        def foo():
            with tf.variable_scope("foo", reuse=tf.AUTO_REUSE):
                v = tf.get_variable("v", [1])
            return v

        v1 = foo()  # Creates v.
        v2 = foo()  # Gets the same, existing v.
        assert v1 == v2

    def test_reuse_true(self, mode: Mode) -> None:
        with tf.variable_scope("foo"):
            v = tf.get_variable("v", [1])
        with tf.variable_scope("foo", reuse=True):
            v1 = tf.get_variable("v", [1])
        assert v1 == v

    def test_captured_scope(self, mode: Mode) -> None:
        with tf.variable_scope("foo") as scope:
            v = tf.get_variable("v", [1])
            scope.reuse_variables()
            v1 = tf.get_variable("v", [1])
        assert v1 == v

    def test_existing_in_a_non_reusing_scope(self, graph: hf.Graph) -> None:
        with tf.variable_scope("foo"):
            v = tf.get_variable("v", [1])
            with pytest.raises(ValueError, match="v already exists"):
                v1 = tf.get_variable("v", [1])
                assert v1 == v

    def test_missing_in_reuse_mode(self, graph: hf.Graph) -> None:
        with tf.variable_scope("foo", reuse=True):
            with pytest.raises(ValueError, match="v does not exist"):
                tf.get_variable("v", [1])

    def test_eager_never_refuses(self, eager: hf.EagerVariableStore) -> None:
        with tf.variable_scope("foo"):
            v = tf.get_variable("v", [1])
            assert tf.get_variable("v", [1]) is v
        with tf.variable_scope("foo", reuse=True):
            assert tf.get_variable("v", [1]) is v
            assert tf.get_variable("new", [1]).name == "foo/new:0"


class TestSentences:
    def test_values_are_validated_to_be_of_one_graph(self) -> None:
        with tf.Graph().as_default():
            a = tf.constant(1.0)
        with tf.Graph().as_default():
            b = tf.constant(2.0)
            with pytest.raises(ValueError, match="must be from the same graph as"):
                tf.variable_scope("foo", values=[a, b])

    def test_that_graph_becomes_the_default(self) -> None:
        with tf.Graph().as_default() as inner:
            a = tf.constant(1.0)
        with tf.Graph().as_default() as outer:
            with tf.variable_scope("foo", values=[a]):
                assert tf.get_default_graph() is inner
                v = tf.get_variable("v", [1])
            assert tf.get_default_graph() is outer
            assert v.graph is inner
            assert tf.get_variable_scope().name == ""

    def test_pushes_a_name_scope_and_a_variable_scope(self, graph: hf.Graph) -> None:
        with tf.variable_scope("foo"):
            assert tf.get_variable_scope().name == "foo"
            assert tf.constant(1.0).op.name == "foo/Const"

    def test_a_name_is_used_as_it_is(self, mode: Mode) -> None:
        for _ in range(2):
            with tf.variable_scope("foo", default_name="bar") as scope:
                assert scope.name == "foo"

    def test_without_a_name_the_default_name_is_made_unique(self, mode: Mode) -> None:
        found = []
        for _ in range(3):
            with tf.variable_scope(None, default_name="foo") as scope:
                found.append(scope.name)
        assert found == ["foo", "foo_1", "foo_2"]

    def test_in_the_same_scope_only(self, mode: Mode) -> None:
        with tf.variable_scope("a"), tf.variable_scope(None, "foo") as first:
            pass
        with tf.variable_scope("b"), tf.variable_scope(None, "foo") as second:
            pass
        assert (first.name, second.name) == ("a/foo", "b/foo")

    def test_one_of_both_names_is_needed(self, mode: Mode) -> None:
        with pytest.raises(TypeError, match="If default_name is None then name_or_scope is requir"):
            tf.variable_scope(None)

    def test_reuse_is_inherited(self, graph: hf.Graph) -> None:
        with tf.variable_scope("foo"), tf.variable_scope("bar"):
            v = tf.get_variable("v", [1])
        with tf.variable_scope("foo", reuse=True):
            with tf.variable_scope("bar") as scope:
                assert scope.reuse is True
                assert tf.get_variable("v", [1]) is v

    @pytest.mark.parametrize("reuse", [None, False])
    def test_false_is_the_same_as_none(self, graph: hf.Graph, reuse: bool | None) -> None:
        with tf.variable_scope("foo"):
            v = tf.get_variable("v", [1])
        with tf.variable_scope("foo", reuse=reuse), pytest.raises(ValueError, match="already exis"):
            tf.get_variable("v", [1])
        with tf.variable_scope("foo", reuse=True) as outer:
            with tf.variable_scope(outer, reuse=reuse):
                assert tf.get_variable("v", [1]) is v

    def test_reuse_does_not_name_other_ops(self, graph: hf.Graph) -> None:
        found = []
        for reuse in (None, True):
            with tf.variable_scope("foo", reuse=reuse):
                v = tf.get_variable("v", [1])
                found.append(tf.multiply(v, v, name="mult").op.name)
        assert found == ["foo/mult", "foo_1/mult"]

    def test_signature(self) -> None:
        promised = [
            *("name_or_scope", "default_name", "values", "initializer", "regularizer"),
            *("caching_device", "partitioner", "custom_getter", "reuse", "dtype", "use_resource"),
            "constraint",
        ]
        parameters = list(inspect.signature(tf.variable_scope.__init__).parameters.values())[1:]
        assert [p.name for p in parameters[: len(promised)]] == promised
        assert all(p.default is None for p in parameters[1 : len(promised)])

    def test_returns_a_scope_that_can_be_captured_and_used_again(self, mode: Mode) -> None:
        with tf.variable_scope("foo") as scope:
            v = tf.get_variable("v", [1])
        assert isinstance(scope, tf.VariableScope)
        with tf.variable_scope("elsewhere"), tf.variable_scope(scope, reuse=True):
            assert tf.get_variable("v", [1]) is v

    def test_use_resource(self, mode: Mode) -> None:
        for use_resource in (None, False, True):
            with tf.variable_scope(f"foo{use_resource}", use_resource=use_resource):
                v = tf.get_variable("v", [1])
            assert isinstance(v, tf.ResourceVariable) == (mode.eager or use_resource is True)

    def test_dtype(self, mode: Mode) -> None:
        with tf.variable_scope("foo", dtype=tf.float64) as scope:
            assert tf.get_variable("v", [1]).dtype.base_dtype == tf.float64
            with tf.variable_scope("bar"):
                assert tf.get_variable("v", [1]).dtype.base_dtype == tf.float64
        with tf.variable_scope(scope, dtype=tf.int32):
            assert tf.get_variable("i", [1]).dtype.base_dtype == tf.int32

    def test_constraint(self, mode: Mode) -> None:
        def project(value: Any) -> Any:
            return tf.maximum(value, 0.0)

        with tf.variable_scope("foo", constraint=project):
            assert tf.get_variable("v", [1]).constraint is project
            with tf.variable_scope("bar"):
                v = tf.get_variable("v", initializer=tf.constant([1.0, 3.0]))
        mode.start()
        train = tf.train.GradientDescentOptimizer(2.0).apply_gradients(
            [(tf.constant([1.0] * 2), v)]
        )
        mode.value(train)
        assert mode.value(v).tolist() == [0.0, 1.0]
