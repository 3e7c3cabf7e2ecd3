"""`get_variable`: every argument and every error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from tests.variables.modes import Mode, names


def reusing(reuse: Any = True) -> hf.variable_scope:
    """The current scope, reusing."""
    return hf.variable_scope(hf.get_variable_scope(), reuse=reuse)


class TestShape:
    @pytest.mark.parametrize(
        "shape",
        [[2, 3], (2, 3), hf.TensorShape([2, 3]), np.array([2, 3]), [hf.Dimension(2), 3]],
        ids=["list", "tuple", "TensorShape", "array", "Dimension"],
    )
    def test_forms(self, mode: Mode, shape: Any) -> None:
        v = hf.get_variable("v", shape)
        mode.start()
        assert v.shape.as_list() == [2, 3]
        assert mode.value(v).shape == (2, 3)

    def test_scalar_and_vector(self, mode: Mode) -> None:
        assert hf.get_variable("s", []).shape.as_list() == []
        assert hf.get_variable("e", [0, 2]).shape.as_list() == [0, 2]
        assert hf.get_variable("n", 3).shape.as_list() == [3]

    @pytest.mark.parametrize("shape", [None, [None, 2], hf.TensorShape(None)])
    def test_unknown(self, mode: Mode, shape: Any) -> None:
        text = r"Shape of a new variable \(a/v\) must be fully defined, but instead was"
        with hf.variable_scope("a"), pytest.raises(ValueError, match=text):
            hf.get_variable("v", shape)

    def test_unknown_is_enough_to_get(self, mode: Mode) -> None:
        v = hf.get_variable("v", [2, 3])
        with reusing():
            for shape in (None, [None, 3], [2, None], [2, 3]):
                assert hf.get_variable("v", shape) is v

    def test_another_one(self, mode: Mode) -> None:
        hf.get_variable("v", [2])
        text = r"Trying to share variable v, but specified shape \(3,\) and found shape \(2,\)"
        with reusing(), pytest.raises(ValueError, match=text):
            hf.get_variable("v", [3])

    def test_of_an_initializer_that_gives_another(self, mode: Mode) -> None:
        text = r"initial value of variable 'v' has shape \(3,\), but shape \(2,\) was asked for"
        with pytest.raises(ValueError, match=text):
            hf.get_variable("v", [2], initializer=lambda shape, dtype: hf.zeros([3], dtype))


class TestDtype:
    @pytest.mark.parametrize("dtype", [hf.float64, "float64", np.float64, np.dtype("float64")])
    def test_forms(self, mode: Mode, dtype: Any) -> None:
        assert hf.get_variable("v", [1], dtype).dtype.base_dtype == hf.float64

    def test_reference_dtypes_are_taken(self, graph: hf.Graph) -> None:
        v = hf.get_variable("v", [1], hf.float64)
        assert hf.get_variable("w", [1], v.dtype).dtype == v.dtype

    def test_defaults(self, mode: Mode) -> None:
        assert hf.get_variable("v", [1]).dtype.base_dtype == hf.float32

    @pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "uint8", "bool", "float16"])
    def test_default_initializers(self, mode: Mode, dtype: str) -> None:
        v = hf.get_variable("v", [2, 2], dtype)
        mode.start()
        value = mode.value(v)
        assert value.dtype == dtype
        assert dtype == "float16" or not value.any()

    @pytest.mark.parametrize("dtype", [hf.string, hf.complex64])
    def test_without_default_initializer(self, mode: Mode, dtype: hf.DType) -> None:
        with pytest.raises(ValueError, match=r"An initializer for variable v of .* is required"):
            hf.get_variable("v", [1], dtype)

    def test_another_one(self, mode: Mode) -> None:
        hf.get_variable("v", [2])
        text = "Trying to share variable v, but specified dtype int32 and found dtype float32"
        with reusing(), pytest.raises(ValueError, match=text):
            hf.get_variable("v", [2], hf.int32)

    def test_of_a_value_that_has_another(self, mode: Mode) -> None:
        text = "Initializer type '.*float32.*' and explicit dtype '.*int32.*' don't match"
        with pytest.raises(ValueError, match=text):
            hf.get_variable("v", dtype=hf.int32, initializer=hf.constant([1.0]))

    def test_wrong(self, mode: Mode) -> None:
        with pytest.raises(TypeError):
            hf.get_variable("v", [1], "no such dtype")


class TestInitializer:
    @pytest.mark.parametrize(
        "value",
        [
            lambda: hf.constant([1.0, 2.0]),
            lambda: np.array([1.0, 2.0], np.float32),
            lambda: [1.0, 2.0],
            lambda: (1.0, 2.0),
            lambda: [hf.constant(1.0), 2.0],
        ],
        ids=["tensor", "array", "list", "tuple", "list with a tensor"],
    )
    def test_value(self, mode: Mode, value: Any) -> None:
        v = hf.get_variable("v", initializer=value())
        mode.start()
        assert v.dtype.base_dtype == hf.float32
        assert v.shape.as_list() == [2]
        assert mode.value(v).tolist() == [1.0, 2.0]

    def test_number(self, mode: Mode) -> None:
        v, n = hf.get_variable("v", initializer=2.5), hf.get_variable("n", initializer=7)
        mode.start()
        assert (mode.value(v), mode.value(n)) == (2.5, 7)
        assert n.dtype.base_dtype == hf.int32

    def test_variable(self, mode: Mode) -> None:
        v = hf.get_variable("v", initializer=[1.0, 2.0])
        w = hf.get_variable("w", initializer=v)
        mode.start()
        assert w is not v
        assert mode.value(w).tolist() == [1.0, 2.0]

    def test_value_with_a_shape(self, mode: Mode) -> None:
        for _ in range(2):
            with (
                reusing(hf.AUTO_REUSE),
                pytest.raises(
                    ValueError, match="If initializer is a constant, do not specify shape"
                ),
            ):
                hf.get_variable("v", [2], initializer=hf.constant([1.0, 2.0]))

    def test_value_of_an_existing_variable(self, mode: Mode) -> None:
        v = hf.get_variable("v", initializer=[1.0, 2.0])
        n = hf.get_variable("n", initializer=np.array(3))
        with reusing():
            assert hf.get_variable("v", initializer=[5.0, 6.0]) is v
            assert hf.get_variable("n", initializer=np.array(4)) is n
            assert hf.get_variable("n", dtype=hf.int64) is n
            with pytest.raises(ValueError, match=r"specified shape \(3,\) and found shape \(2,\)"):
                hf.get_variable("v", initializer=[5.0, 6.0, 7.0])
            with pytest.raises(ValueError, match="specified dtype int64 and found dtype float32"):
                hf.get_variable("v", initializer=np.array([5, 6]))
        mode.start()
        assert mode.value(v).tolist() == [1.0, 2.0]

    @pytest.mark.parametrize(
        "initializer",
        [
            hf.ones_initializer(),
            hf.ones_initializer,
            lambda shape, dtype, partition_info: hf.ones(shape, dtype),
            lambda shape, dtype: hf.ones(shape, dtype),
            lambda shape, **kwargs: hf.ones(shape, kwargs["dtype"]),
            lambda shape, dtype: np.ones(shape, dtype.as_numpy_dtype),
        ],
        ids=["object", "class", "all arguments", "two", "keywords", "array"],
    )
    def test_function(self, mode: Mode, initializer: Any) -> None:
        v = hf.get_variable("v", [2], hf.float64, initializer)
        mode.start()
        assert mode.value(v).tolist() == [1.0, 1.0]

    def test_function_gets_sizes_and_dtype(self, mode: Mode) -> None:
        seen = []

        def initializer(shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
            seen.append((shape, dtype, partition_info))
            return hf.zeros(shape, dtype)

        hf.get_variable("v", hf.TensorShape([2, 3]), hf.float64, initializer)
        assert seen == [([2, 3], hf.float64, None)]

    def test_function_of_wrong_arguments(self, mode: Mode) -> None:
        with pytest.raises(TypeError):
            hf.get_variable("v", [2], initializer=lambda: 1.0)

    def test_function_that_gives_another_dtype(self, mode: Mode) -> None:
        with pytest.raises(ValueError, match="float64"):
            hf.get_variable("v", [2], hf.float64, lambda shape, dtype: hf.zeros(shape))

    def test_default_is_glorot_uniform(self, mode: Mode) -> None:
        v = hf.get_variable("v", [100, 50])
        mode.start()
        value, limit = mode.value(v), np.sqrt(6 / 150)
        assert np.abs(value).max() <= limit
        assert value.std() == pytest.approx(limit / np.sqrt(3), rel=0.05)


class TestReuse:
    def test_auto(self, mode: Mode) -> None:
        with reusing(hf.AUTO_REUSE):
            v = hf.get_variable("v", [1])
            assert hf.get_variable("v", [1]) is v

    def test_exists(self, graph: hf.Graph) -> None:
        hf.get_variable("v", [1])  # here it is made
        with pytest.raises(ValueError, match="Variable v already exists, disallowed") as caught:
            hf.get_variable("v", [1])
        assert "Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope?" in str(
            caught.value
        )
        assert "Originally defined at:" in str(caught.value)
        assert __file__ in str(caught.value)
        assert "here it is made" in str(caught.value)

    def test_missing(self, graph: hf.Graph) -> None:
        text = (
            r"Variable a/v does not exist, or was not created with tf.get_variable\(\). Did you "
            "mean to set reuse=tf.AUTO_REUSE in VarScope"
        )
        with hf.variable_scope("a", reuse=True), pytest.raises(ValueError, match=text):
            hf.get_variable("v", [1])

    def test_a_variable_made_otherwise_is_not_found(self, graph: hf.Graph) -> None:
        hf.Variable([1.0], name="v")
        with reusing(), pytest.raises(ValueError, match="does not exist"):
            hf.get_variable("v", [1])
        assert hf.get_variable("v", [1]).name == "v_1:0"


class TestName:
    @pytest.mark.parametrize("name", ["", "/v", "a b", "_v", "v:0"])
    def test_illegal(self, mode: Mode, name: str) -> None:
        with pytest.raises(ValueError, match="is not a valid"):
            hf.get_variable(name, [1])
        assert hf.global_variables() == []

    def test_wrong_type(self, mode: Mode) -> None:
        with pytest.raises(TypeError):
            hf.get_variable(3, [1])

    def test_slashes(self, mode: Mode) -> None:
        assert hf.get_variable("a/b/v", [1]).name == "a/b/v:0"


class TestCollections:
    def test_default(self, mode: Mode) -> None:
        v = hf.get_variable("v", [1])
        assert hf.global_variables() == [v]
        assert hf.trainable_variables() == [v]
        assert hf.local_variables() == []
        assert v.trainable

    def test_not_trainable(self, mode: Mode) -> None:
        v = hf.get_variable("v", [1], trainable=False)
        assert hf.global_variables() == [v]
        assert hf.trainable_variables() == []
        assert not v.trainable

    @pytest.mark.parametrize("kind", [list, tuple, set])
    def test_given(self, mode: Mode, kind: Any) -> None:
        v = hf.get_variable("v", [1], collections=kind(["mine", hf.GraphKeys.WEIGHTS]))
        assert hf.get_collection("mine") == [v]
        assert hf.get_collection(hf.GraphKeys.WEIGHTS) == [v]
        assert hf.global_variables() == []
        assert hf.trainable_variables() == [v]

    def test_given_trainable_once(self, mode: Mode) -> None:
        v = hf.get_variable("v", [1], collections=[hf.GraphKeys.TRAINABLE_VARIABLES])
        assert hf.trainable_variables() == [v]

    def test_none(self, mode: Mode) -> None:
        v = hf.get_variable("v", [1], trainable=False, collections=[])
        assert hf.global_variables() == []
        with reusing():
            assert hf.get_variable("v", [1]) is v

    def test_wrong_type(self, mode: Mode) -> None:
        with pytest.raises(ValueError, match=r"must be a list, tuple, or set\. Got mine of type"):
            hf.get_variable("v", [1], collections="mine")

    def test_getting_again_joins_nothing(self, mode: Mode) -> None:
        v = hf.get_variable("v", [1])
        with reusing():
            hf.get_variable("v", [1], collections=["mine"])
        assert hf.get_collection("mine") == []
        assert hf.global_variables() == [v]

    def test_by_scope(self, mode: Mode) -> None:
        with hf.variable_scope("a"):
            v = hf.get_variable("v", [1])
        hf.get_variable("w", [1])
        assert hf.global_variables("a") == [v]
        assert hf.trainable_variables("a/") == [v]
        assert hf.get_collection(hf.GraphKeys.GLOBAL_VARIABLES, ".*v") == [v]

    def test_model_and_moving_average_variables(self, mode: Mode) -> None:
        keys = [hf.GraphKeys.MODEL_VARIABLES, hf.GraphKeys.MOVING_AVERAGE_VARIABLES]
        v = hf.get_variable("v", [1], collections=keys)
        assert hf.model_variables() == [v]
        assert hf.moving_average_variables() == [v]


class TestLocalVariables:
    def test_joins_local_variables_alone(self, mode: Mode) -> None:
        v = hf.get_local_variable("v", [1], initializer=hf.ones_initializer())
        assert hf.local_variables() == [v]
        assert hf.global_variables() + hf.trainable_variables() == []
        mode.start()
        assert mode.value(v).tolist() == [1.0]

    def test_trainable_is_ignored(self, mode: Mode) -> None:
        v = hf.get_local_variable("v", [1], trainable=True)
        assert hf.trainable_variables() == []
        assert not v.trainable

    def test_given_collections_are_not_changed(self, mode: Mode) -> None:
        mine = ["mine"]
        v = hf.get_local_variable("v", [1], collections=mine)
        assert mine == ["mine"]
        assert hf.get_collection("mine") == hf.local_variables() == [v]

    def test_scopes_and_reuse(self, mode: Mode) -> None:
        with hf.variable_scope("a", reuse=hf.AUTO_REUSE):
            v = hf.get_local_variable("v", [1])
            assert hf.get_local_variable("v", [1]) is v
        assert v.name == "a/v:0"


class TestRegularizer:
    @staticmethod
    def losses() -> list[Any]:
        return hf.get_collection(hf.GraphKeys.REGULARIZATION_LOSSES)

    @staticmethod
    def penalty(v: Any) -> Any:
        return hf.reduce_sum(v * v)

    def test_once(self, mode: Mode) -> None:
        ones = hf.ones_initializer()
        hf.get_variable("v", [2], initializer=ones, regularizer=self.penalty)
        with reusing():
            hf.get_variable("v", [2], initializer=ones, regularizer=self.penalty)
        (loss,) = self.losses()
        mode.start()
        assert mode.value(loss) == 2.0

    def test_of_the_scope(self, mode: Mode) -> None:
        ones = hf.ones_initializer()
        with hf.variable_scope("a", regularizer=self.penalty, initializer=ones):
            hf.get_variable("v", [2])
            with hf.variable_scope("b"):
                hf.get_variable("v", [3])
            hf.get_variable("w", [4], regularizer=hf.no_regularizer)
        mode.start()
        assert [float(mode.value(loss)) for loss in self.losses()] == [2.0, 3.0]

    def test_current_values(self, mode: Mode) -> None:
        """Eagerly a loss is computed when it is asked for; in a graph, when it runs."""
        v = hf.get_variable("v", initializer=[1.0, 1.0], regularizer=self.penalty)
        mode.start()
        mode.value(v.assign([2.0, 3.0]))
        assert mode.value(self.losses()[0]) == 13.0

    def test_gradient(self, eager: hf.EagerVariableStore) -> None:
        v = hf.get_variable("v", initializer=[1.0, 2.0], regularizer=self.penalty)
        with hf.GradientTape() as tape:
            loss = hf.add_n(self.losses())
        assert tape.gradient(loss, v).numpy().tolist() == [2.0, 4.0]

    def test_none_is_no_loss(self, mode: Mode) -> None:
        hf.get_variable("v", [1], regularizer=lambda v: None)
        assert self.losses() == []

    def test_name_and_place(self, graph: hf.Graph) -> None:
        with hf.variable_scope("a"), hf.name_scope("n"):
            hf.get_variable("v", [1], regularizer=lambda v: hf.multiply(2.0, v, name="loss"))
        (loss,) = self.losses()
        assert loss.name == "a/v/Regularizer/loss:0"
        assert loss.op.colocation_groups() == [b"loc:@a/v"]

    def test_by_scope(self, mode: Mode) -> None:
        with hf.variable_scope("a", regularizer=self.penalty) as scope:
            hf.get_variable("v", [1])
        hf.get_variable("v", [1], regularizer=self.penalty)
        assert len(scope.get_collection(hf.GraphKeys.REGULARIZATION_LOSSES)) == 1
        assert len(self.losses()) == 2

    @pytest.mark.parametrize("wrong", [3, 0.1, "l2", hf.contrib.layers.l2_regularizer])
    def test_wrong(self, mode: Mode, wrong: Any) -> None:
        with pytest.raises(TypeError, match=r"`regularizer` argument must be a callable.*'v'"):
            hf.get_variable("v", [1], regularizer=wrong)
        assert not self.losses()
        assert hf.get_variable("v", [2]).shape == [2]


class TestCachingDevice:
    """Accepted in eager mode, where it has no effect."""

    @pytest.mark.parametrize("use_resource", [False, True])
    def test_string(self, graph: hf.Graph, use_resource: bool) -> None:
        v = hf.get_variable("v", [1], caching_device="/job:a", use_resource=use_resource)
        w = hf.get_variable("w", [1], use_resource=use_resource)
        assert v.value().device == "/job:a"
        assert v.device == w.value().device == ""
        assert v.value() is v.value()

    def test_of_the_scope(self, graph: hf.Graph) -> None:
        with hf.variable_scope("a", caching_device="/job:a"):
            assert hf.get_variable("v", [1]).value().device == "/job:a"
            with hf.variable_scope("b", caching_device="/job:b"):
                assert hf.get_variable("v", [1]).value().device == "/job:b"
            v = hf.get_variable("w", [1], caching_device="/cpu:0")
            assert v.value().device == "/device:CPU:0"

    def test_function(self, graph: hf.Graph) -> None:
        with hf.device("/job:ps"):
            v = hf.get_variable("v", [1], caching_device=lambda op: "/job:worker")
        assert (v.device, v.value().device) == ("/job:ps", "/job:worker")

    def test_none_stands_beside_the_variable(self, graph: hf.Graph) -> None:
        with hf.device("/job:ps"):
            v = hf.get_variable("v", [1])
        assert v.value().device == "/job:ps"
        assert v.value().op.colocation_groups() == [b"loc:@v"]

    @pytest.mark.parametrize("use_resource", [False, True])
    def test_values(self, graph: hf.Graph, use_resource: bool) -> None:
        with hf.variable_scope("a", caching_device="/cpu:0", use_resource=use_resource):
            v = hf.get_variable("v", initializer=[1.0])
        with hf.Session() as session:
            session.run(v.initializer)
            assert session.run(v + 1.0).tolist() == [2.0]

    def test_eager(self, eager: hf.EagerVariableStore) -> None:
        with hf.variable_scope("a", caching_device="/job:a") as scope:
            v = hf.get_variable("v", initializer=[1.0])
            scope.set_caching_device(lambda op: "/job:b")
            w = hf.get_variable("w", initializer=[1.0])
        assert (v + w).numpy().tolist() == [2.0]


class TestUseResource:
    @pytest.mark.parametrize("scope", [None, False, True])
    @pytest.mark.parametrize("call", [None, False, True])
    def test_call_over_scope(self, mode: Mode, scope: Any, call: Any) -> None:
        with hf.variable_scope("a", use_resource=scope):
            v = hf.get_variable("v", [1], use_resource=call)
        wanted = mode.eager or bool(scope if call is None else call)
        assert isinstance(v, hf.ResourceVariable) == wanted
        assert isinstance(v, hf.Variable)

    def test_set(self, graph: hf.Graph) -> None:
        with hf.variable_scope("a") as scope:
            scope.set_use_resource(True)
            assert isinstance(hf.get_variable("v", [1]), hf.ResourceVariable)


class TestConstraint:
    def test_kept_not_applied(self, mode: Mode) -> None:
        def project(value: Any) -> Any:
            return hf.minimum(value, 1.0)

        v = hf.get_variable("v", initializer=[3.0], constraint=project)
        mode.start()
        assert v.constraint is project
        mode.value(v.assign([5.0]))
        assert mode.value(v).tolist() == [5.0]

    def test_wrong(self, mode: Mode) -> None:
        with pytest.raises(ValueError, match=r"`constraint` argument must be a callable.*'v'"):
            hf.get_variable("v", [1], constraint=3)
        with pytest.raises(ValueError, match=r"must be a callable, got <class .*NonNeg'>"):
            hf.get_variable("v", [1], constraint=hf.constraints.NonNeg)


class TestValidateShape:
    def test_unknown(self, graph: hf.Graph) -> None:
        x = hf.placeholder(hf.float32)
        with pytest.raises(ValueError, match="initial_value must have a shape specified"):
            hf.get_variable("w", initializer=x)
        v = hf.get_variable("v", initializer=x, validate_shape=False)
        assert v.shape.ndims is None
        with hf.Session() as session:
            for value in ([1.0], [2.0, 3.0]):
                session.run(v.initializer, {x: value})
                assert session.run(v).tolist() == value

    def test_may_change(self, mode: Mode) -> None:
        v = hf.get_variable("v", initializer=[1.0], validate_shape=False)
        mode.start()
        mode.value(hf.assign(v, [1.0, 2.0], validate_shape=False))
        assert mode.value(v).tolist() == [1.0, 2.0]
        with reusing():
            assert hf.get_variable("v", [7]) is v


class TestLifting:
    """Initializers are no part of the control flow in which a variable is first asked for."""

    @staticmethod
    def variable(name: str = "v") -> Any:
        return hf.get_variable(name, [], initializer=hf.constant_initializer(3.0))

    def test_cond(self, mode: Mode) -> None:
        x = hf.constant(2.0)
        y = hf.cond(x > 1.0, lambda: self.variable() * x, lambda: self.variable("w") + x)
        mode.start()
        assert mode.value(y) == 6.0
        if not mode.eager:
            assert mode.value(hf.global_variables()[1]) == 3.0

    def test_while_loop(self, mode: Mode) -> None:
        def body(i: Any, total: Any) -> Any:
            with hf.variable_scope("loop", reuse=hf.AUTO_REUSE):
                return i + 1, total + self.variable()

        _, total = hf.while_loop(lambda i, _: i < 4, body, [hf.constant(0), hf.constant(0.0)])
        mode.start()
        assert mode.value(total) == 12.0
        assert names(hf.global_variables()) == ["loop/v:0"]

    def test_map_fn(self, mode: Mode) -> None:
        with hf.variable_scope("map", reuse=hf.AUTO_REUSE):
            y = hf.map_fn(lambda x: x * self.variable(), hf.constant([1.0, 2.0]))
        mode.start()
        assert mode.value(y).tolist() == [3.0, 6.0]

    def test_control_dependencies(self, graph: hf.Graph) -> None:
        with hf.control_dependencies([hf.no_op(name="late")]):
            v = self.variable()
        made = [v.op, v.initializer, v.initial_value.op, v.value().op]
        assert [op.control_inputs for op in made] == [[]] * 4

    def test_a_tensor_of_a_branch_cannot_be_lifted(self, graph: hf.Graph) -> None:
        def branch() -> Any:
            return hf.Variable(hf.constant(1.0) + 1.0) + 1.0

        with pytest.raises(ValueError, match=r"from inside a control-flow.*use a lambda"):
            hf.cond(hf.constant(True), branch, lambda: hf.constant(1.0))

    def test_a_function_of_a_branch_can(self, graph: hf.Graph) -> None:
        def branch() -> Any:
            return hf.Variable(lambda: hf.constant(1.0) + 1.0) + 1.0

        y = hf.cond(hf.constant(True), branch, lambda: hf.constant(1.0))
        with hf.Session() as session:
            session.run(hf.global_variables_initializer())
            assert session.run(y) == 3.0

    def test_function(self, eager: hf.EagerVariableStore) -> None:
        @hf.function
        def scaled(x: Any) -> Any:
            with hf.variable_scope("f"), hf.name_scope("n"):
                return x * self.variable()

        with hf.name_scope("outside"):
            assert float(scaled(hf.constant(2.0))) == 6.0
        (v,) = eager.variables()
        assert v.name == "f/v:0"
        v.assign(5.0)
        assert float(scaled(hf.constant(2.0))) == 10.0
        with hf.variable_scope("f"):
            assert self.variable() is v

    def test_function_in_the_store_of_the_process(self) -> None:
        with hf.eager_mode():
            hf.reset_default_graph()
            traced = hf.function(lambda x: x * self.variable("only_here"))
            assert float(traced(hf.constant(2.0))) == 6.0
            v = self.variable("only_here")
            assert isinstance(v, hf.ResourceVariable)
            assert v.numpy() == 3.0
            hf.reset_default_graph()
