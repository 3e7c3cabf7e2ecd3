"""`Layer`: variables, losses, updates, connections, copies; core layers in all executions.

Names, ops and values are those recorded from TensorFlow: tests/variables/test_recorded_names.
"""

from __future__ import annotations

import copy

import numpy as np
import pytest

import hybridflow as hf
from tests.execution import EXECUTIONS, Execution

X = np.array([[1.0, -2.0, 0.5], [3.0, 0.0, 2.0]], np.float32)
KERNEL = np.arange(6, dtype=np.float32).reshape(3, 2)


def dense(**kwargs):
    initializer = hf.constant_initializer(KERNEL)
    return hf.layers.Dense(2, kernel_initializer=initializer, **kwargs)


@pytest.fixture(params=["eager", "graph"])
def mode(request):
    if request.param == "eager":
        with hf.eager_mode(), hf.EagerVariableStore().as_default():
            yield request.param
    else:
        with hf.Graph().as_default():
            yield request.param


@pytest.mark.parametrize("execution", EXECUTIONS)
def test_dense(execution):
    layer = dense(activation=hf.nn.relu, name="layer") if execution == "function" else None

    def body(x):
        made = layer or dense(activation=hf.nn.relu)
        return made(x), made(hf.reshape(x, [2, 1, 3]))

    matrix, cube = Execution(execution)(body, X)
    np.testing.assert_allclose(matrix, np.maximum(X @ KERNEL, 0), rtol=1e-6)
    np.testing.assert_allclose(cube, matrix.reshape(2, 1, 2), rtol=1e-6)


@pytest.mark.parametrize("execution", EXECUTIONS)
def test_flatten_and_dropout(execution):
    def body(x):
        flat = hf.layers.flatten(hf.reshape(x, [2, 3, 1]))
        kept = hf.layers.dropout(x, 0.5, noise_shape=[None, 1], seed=1, training=True)
        return flat, kept, hf.layers.dropout(x, 0.5)

    flat, kept, same = Execution(execution)(body, X)
    np.testing.assert_array_equal(flat, X)
    np.testing.assert_array_equal(same, X)
    for row, found in zip(X, kept, strict=True):
        assert not found.any() or np.array_equal(found, 2 * row)


def test_dropout_by_a_tensor_that_says_whether_one_trains():
    with hf.Graph().as_default(), hf.Session() as session:
        training = hf.placeholder(hf.bool, [])
        y = hf.layers.dropout(hf.ones([100]), 0.25, training=training)
        assert set(session.run(y, {training: False})) == {1.0}
        assert set(session.run(y, {training: True})) == {0.0, np.float32(1 / 0.75)}
    with pytest.raises(TypeError, match="must be a Tensor, a Variable, or a Python bool"):
        hf.layers.dropout(hf.ones([2]), training="yes")


def test_a_layer_keeps_its_variables_between_calls(mode):
    layer = dense()
    layer(hf.constant(X))
    layer(hf.constant(X))
    assert [v.name for v in layer.variables] == ["dense/kernel:0", "dense/bias:0"]
    assert layer.count_params() == 8
    assert layer.trainable_weights == layer.weights
    assert layer.scope_name == "dense"
    assert layer.name == "dense_1"
    layer.trainable = False
    assert layer.trainable_variables == []
    assert layer.non_trainable_variables == [layer.kernel, layer.bias]
    other = hf.layers.Dense(2, name="dense")
    other(hf.constant(X))
    assert other.scope_name == "dense_1"


def test_an_eager_layer_is_trained():
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        layer = hf.layers.Dense(
            1,
            kernel_initializer=hf.constant_initializer(2.0),
            kernel_constraint="non_neg",
            kernel_regularizer=hf.keras.regularizers.l2(0.0),
        )
        step = hf.train.GradientDescentOptimizer(0.1)

        def loss():
            return hf.losses.mean_squared_error([[1.0], [0.0]], layer(hf.constant(X)))

        first = loss()
        for _ in range(50):
            step.minimize(loss)
        assert loss() < 0.5 * first
        assert (layer.kernel.numpy() >= 0).all()


def test_a_function_traces_a_layer_with_one_set_of_variables():
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        layer = dense()
        called = hf.function(layer)
        for rows in (X, X[:1], np.concatenate([X, X])):
            np.testing.assert_allclose(called(hf.constant(rows)), rows @ KERNEL, rtol=1e-6)
        assert len(layer.variables) == 2
        layer.bias.assign([1.0, 1.0])
        np.testing.assert_allclose(called(hf.constant(X)), X @ KERNEL + 1, rtol=1e-6)


def test_regularization_losses(mode):
    layer = dense(kernel_regularizer="l2", bias_regularizer=lambda _: None)
    layer(hf.constant(X))
    layer(hf.constant(X))
    (loss,) = layer.losses
    (collected,) = hf.losses.get_regularization_losses()
    assert len(layer.get_losses_for(None)) == 1
    assert layer.get_losses_for(hf.constant(X)) == []
    if mode == "graph":
        assert loss is collected
        assert loss.name.startswith("dense/kernel/Regularizer/")
        return
    expected = 0.01 * (KERNEL**2).sum()
    np.testing.assert_allclose([loss, collected], expected, rtol=1e-6)
    layer.kernel.assign(KERNEL * 0)
    assert layer.losses[0].numpy() == 0
    with pytest.raises(RuntimeError, match="Pass a function"):
        layer.add_loss(hf.constant(1.0))
    with pytest.raises(ValueError, match="activity_regularizer"):
        dense(activity_regularizer=hf.reduce_sum)


class Counter(hf.layers.Layer):
    """Counts its calls."""

    def build(self, input_shape):
        self.count = self.add_weight("count", [], initializer="zeros", trainable=False)
        super().build(input_shape)

    def call(self, inputs, scope=None):
        self.add_update(self.count.assign_add(1.0), inputs)
        self.seen = scope.name
        return inputs


def test_updates(mode):
    layer = Counter()
    x = hf.constant(X)
    layer(x)
    layer(x)
    assert layer.seen == layer.scope_name == "counter"
    assert layer.non_trainable_weights == [layer.count]
    if mode == "eager":
        assert layer.count.numpy() == 2
        for ask in (lambda: layer.updates, lambda: layer.get_updates_for(x), lambda: layer.graph):
            with pytest.raises(RuntimeError, match="not supported in Eager mode"):
                ask()
        return
    assert layer.updates == layer.get_updates_for(x) == hf.get_collection("update_ops")
    assert layer.get_updates_for(None) == []
    assert layer.graph is hf.get_default_graph()
    with hf.Session() as session:
        session.run(hf.global_variables_initializer())
        session.run(layer.updates)
        assert session.run(layer.count) == 2


def test_inputs_that_do_not_fit(mode):
    layer = hf.layers.Dense(2)
    with pytest.raises(ValueError, match=r"expected min_ndim=2, found ndim=1.*\[3\]"):
        layer(hf.zeros([3]))
    layer(hf.zeros([1, 3]))
    with pytest.raises(ValueError, match=r"expected axis -1 .* to have value 3 .*\[1, 4\]"):
        layer(hf.zeros([1, 4]))
    with pytest.raises(ValueError, match=r"Layer dense_1 expects 1 inputs, but it received 2"):
        layer([hf.zeros([1, 3]), hf.zeros([1, 3])])
    plain = hf.layers.Layer(name="plain")
    x = hf.zeros([2, 3])
    for spec, message in (
        ({"ndim": 3}, "expected ndim=3, found ndim=2"),
        ({"max_ndim": 1}, "expected max_ndim=1, found ndim=2"),
        ({"shape": (None, 4)}, "expected shape="),
        ({"dtype": hf.int32}, "expected dtype="),
    ):
        plain.input_spec = hf.layers.InputSpec(**spec)
        with pytest.raises(ValueError, match=f"Input 0 of layer plain is .*: {message}"):
            plain(x)
    plain.input_spec = hf.layers.InputSpec(dtype=hf.float32, shape=(None, 3), axes={1: 3})
    assert plain(x) is not None


def test_what_a_layer_refuses():
    with hf.Graph().as_default():
        with pytest.raises(TypeError, match="not understood"):
            hf.layers.Layer(units=3)
        with pytest.raises(ValueError, match="has not been used yet"):
            hf.layers.Layer().scope_name  # noqa: B018
        with pytest.raises(ValueError, match="isn't built"):
            hf.layers.Dense(2).count_params()
        with pytest.raises(ValueError, match="last dimension of the inputs to `Dense`"):
            hf.layers.dense(hf.placeholder(hf.float32, [None, None]), 2)
        with pytest.raises(ValueError, match="its rank is undefined"):
            hf.layers.dense(hf.placeholder(hf.float32), 2)
        for make in (
            lambda: hf.layers.Dense(2, activation="relu"),
            lambda: hf.layers.Conv2D(2, 3, activation="relu"),
        ):
            with pytest.raises(TypeError, match=r"`activation` argument must be a.*'relu'"):
                make()
        hf.layers.dense(hf.zeros([1, 2]), 2, name="dense")
        with pytest.raises(ValueError, match="dense/kernel already exists"):
            hf.layers.dense(hf.zeros([1, 2]), 2, name="dense")
        layer = hf.layers.Dense(2)
    with hf.Graph().as_default(), pytest.raises(ValueError, match="Layer graph are not the same"):
        layer(hf.zeros([1, 2]))


def test_a_call_must_give_something(mode):
    class Nothing(hf.layers.Layer):
        def call(self, inputs):
            return None

    with pytest.raises(ValueError, match="not None"):
        Nothing()(hf.zeros([1]))


def test_connections():
    with hf.Graph().as_default():
        x = hf.layers.Input([3])
        y = hf.layers.Input([3], batch_size=5, dtype=hf.float64)
        layer = hf.layers.Dense(2)
        with pytest.raises(AttributeError, match="is not connected"):
            layer.input  # noqa: B018
        with pytest.raises(RuntimeError, match="has never been called"):
            layer.get_output_at(0)
        first = layer(x)
        assert layer.input is x
        assert layer.output is first
        assert (layer.input_shape, layer.output_shape) == ((None, 3), (None, 2))
        second = hf.layers.Layer()(y)
        assert second is not y
        assert second.shape.as_list() == [5, 3]
        drop = hf.layers.Dropout()
        drop(first)
        assert layer.outbound_nodes == drop.inbound_nodes
        assert drop.inbound_nodes[0].inbound_layers == [layer]
        with pytest.raises(ValueError, match="has only 1 inbound nodes"):
            layer.get_input_shape_at(1)
        layer(hf.layers.Input([3], batch_size=2))
        assert layer.get_output_shape_at(1) == (2, 2)
        with pytest.raises(AttributeError, match='notion of "input shape" is ill-defined'):
            layer.input_shape  # noqa: B018
        with pytest.raises(hf.errors.UnimplementedError, match="sparse"):
            hf.layers.Input([3], sparse=True)
    with hf.eager_mode(), pytest.raises(RuntimeError, match="not supported in Eager mode"):
        hf.layers.Input([3])


def test_a_deep_copy_shares_variables_but_no_lists(mode):
    layer = dense(kernel_regularizer="l2")
    layer.notes = {"a": [1]}
    layer(hf.constant(X))
    copied = copy.deepcopy(layer)
    assert copied.kernel is layer.kernel
    copied.notes["a"].append(2)
    copied.add_variable("bias", [2])
    assert layer.notes == {"a": [1]}
    assert layer.weights == [layer.kernel, layer.bias]
    assert copied.scope_name == layer.scope_name
    with_inputs = hf.layers.Dense(3)
    assert copy.deepcopy(with_inputs).units == 3


def test_names_made_of_classes():
    class HTTPServer2Go(hf.layers.Layer):
        pass

    class _Hidden(hf.layers.Layer):
        pass

    with hf.Graph().as_default():
        assert HTTPServer2Go().name == "http_server2_go_1"
        assert _Hidden().name == "private__hidden_1"
        assert hf.layers.Dense(1).name == "dense_1"
        assert hf.layers.Dense(1).name == "dense_2"


def test_structures_go_in_and_out(mode):
    class Both(hf.layers.Layer):
        def build(self, shapes):
            self.shapes = [shape.as_list() for shape in shapes]
            super().build(shapes)

        def call(self, inputs):
            return {"sum": inputs["a"] + inputs["b"]}

    layer = Both()
    result = layer({"a": hf.ones([2]), "b": np.ones([2], np.float32)})
    assert result["sum"].shape.as_list() == [2]
    assert layer.shapes == [[2], [2]]


def test_a_scope_without_trained_variables(mode):
    def getter(getter, name, *args, **kwargs):
        kwargs["trainable"] = False
        return getter(name, *args, **kwargs)

    with hf.variable_scope("frozen", custom_getter=getter):
        layer = dense()
        layer(hf.constant(X))
    assert layer.trainable_weights == []
    assert len(layer.non_trainable_weights) == 2


@pytest.mark.parametrize("mode", [hf.eager_mode, hf.graph_mode])
def test_dense_on_whole_numbers(mode):
    with hf.Graph().as_default(), mode(), hf.EagerVariableStore().as_default():
        inputs = hf.constant([[1, 2]])
        with pytest.raises(TypeError, match=r"`Dense`.*int32.*`hf.to_float\(inputs\)`"):
            hf.layers.dense(inputs, 3)


def test_a_regularized_layer_that_a_function_builds():
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        layer = hf.layers.Dense(1, kernel_regularizer=hf.l2_regularizer(1.0))
        hf.function(layer)(hf.ones([1, 2]))
        wanted = np.sum(layer.kernel.numpy() ** 2) / 2
        np.testing.assert_allclose(hf.losses.get_regularization_loss().numpy(), wanted, rtol=1e-6)


def test_arguments_that_are_no_such_thing():
    x = np.ones([1, 4, 4, 2], np.float32)
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        for rate in (1.5, -0.1, "0.5"):
            with pytest.raises(ValueError, match="`rate` of a dropout"):
                hf.layers.dropout(x, rate, training=True)
        with pytest.raises(TypeError, match=r"regularizer of 'kernel' .* Received: 0.1"):
            hf.layers.dense(x, 2, kernel_regularizer=0.1)
        assert hf.global_variables() == []
        with pytest.raises(ValueError, match="`filters` argument must be at least 1"):
            hf.layers.conv2d(x, 0, 3)
        for size in (0, (3, 0), -1):
            with pytest.raises(ValueError, match=r"`kernel_size` .* one is less than 1"):
                hf.layers.conv2d(x, 4, size)
        with pytest.raises(ValueError, match=r"`strides` .* one is less than 1"):
            hf.layers.max_pooling2d(x, 2, 0)
        assert hf.layers.conv2d(x, 4, np.int64(3)).shape == (1, 2, 2, 4)
