"""Keras' layers and activations, as libraries of TensorFlow 1 use them."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from tests.execution import EXECUTIONS, Execution

X = np.array([[1.0, -2.0, 0.5], [3.0, 0.0, -4.0]], np.float32)
KERNEL = np.arange(6, dtype=np.float32).reshape(3, 2)
activations = hf.keras.activations

# Their formulas in NumPy.
FORMULAS = {
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "exponential": np.exp,
    "hard_sigmoid": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "swish": lambda x: x / (1 + np.exp(-x)),
    "tanh": np.tanh,
}


@pytest.mark.parametrize("execution", EXECUTIONS)
def test_activations(execution):
    names = sorted(FORMULAS)
    found = Execution(execution)(lambda x: [activations.get(n)(x) for n in names], X)
    for name, value in zip(names, found, strict=True):
        np.testing.assert_allclose(value, FORMULAS[name](X), rtol=2e-6, atol=1e-7, err_msg=name)
    assert {*names, "selu"} == {*activations.__all__} - {"get", "serialize"}


def test_names_of_activations():
    for name in (*FORMULAS, "selu"):
        assert activations.serialize(activations.get(name)) == name
    assert activations.get(None) is activations.linear
    assert activations.get(abs) is abs
    for wrong in ("rely", 3):
        with pytest.raises(ValueError, match=f"Unknown activation function: {wrong!r}"):
            activations.get(wrong)
    with pytest.raises(ValueError, match="Cannot serialize"):
        activations.serialize(abs)


def test_dense_takes_names_and_keeps_its_losses():
    with hf.Graph().as_default(), hf.Session() as sess:
        layer = hf.keras.layers.Dense(
            2,
            "relu",
            kernel_initializer=hf.constant_initializer(KERNEL),
            kernel_regularizer="l2",
            kernel_constraint="non_neg",
        )
        y = layer(hf.constant(X))
        assert [v.name for v in layer.variables] == ["dense/kernel:0", "dense/bias:0"]
        (loss,) = layer.losses
        assert hf.get_collection(hf.GraphKeys.REGULARIZATION_LOSSES) == []
        sess.run(hf.global_variables_initializer())
        np.testing.assert_allclose(sess.run(y), np.maximum(X @ KERNEL, 0))
        np.testing.assert_allclose(sess.run(loss), 0.01 * np.square(KERNEL).sum(), rtol=1e-6)
        # The losses of `hf.layers` do join the collection, as before.
        hf.layers.Dense(2, kernel_regularizer="l2")(y)
        assert len(hf.get_collection(hf.GraphKeys.REGULARIZATION_LOSSES)) == 1
    with pytest.raises(ValueError, match="Unknown activation function: 'rely'"):
        hf.keras.layers.Dense(2, "rely")


def test_floatx():
    backend = hf.keras.backend
    backend.set_floatx("float64")
    try:
        assert backend.floatx() == "float64"
        with pytest.raises(ValueError, match="Unknown floatx type: 'int32'"):
            backend.set_floatx("int32")
        assert backend.floatx() == "float64"
    finally:
        backend.set_floatx("float32")


class TestLambda:
    def test_calls_its_function(self, execution):
        def called(x):
            return hf.keras.layers.Lambda(lambda x, by: x * by, arguments={"by": 3.0})(x)

        assert execution(called, np.array([1.0, 2.0])).tolist() == [3, 6]

    def test_mask(self, execution):
        def called(x):
            return hf.keras.layers.Lambda(lambda x, mask: x * mask, mask=0.5)(x)

        assert execution(called, np.array([2.0])).tolist() == [1]

    def test_shapes(self):
        layer = hf.keras.layers.Lambda
        assert layer(abs, output_shape=(3,)).compute_output_shape((5, 2)).as_list() == [5, 3]
        turned = layer(abs, output_shape=lambda dims: dims[::-1])
        assert turned.compute_output_shape((5, 2)).as_list() == [2, 5]
        with pytest.raises(NotImplementedError, match="output_shape"):
            layer(abs).compute_output_shape((5, 2))


def test_objects_of_a_program_by_name():
    utils = hf.keras.utils
    utils.get_custom_objects()["Twos"] = lambda: hf.keras.initializers.Constant(2.0)
    try:
        assert hf.keras.initializers.get("Twos").get_config()["value"] == 2.0
    finally:
        del utils.get_custom_objects()["Twos"]
    with pytest.raises(ValueError, match="Twos"):
        hf.keras.initializers.get("Twos")
    config = utils.serialize_keras_object(hf.keras.initializers.Constant(2.0))
    known = {"Constant": hf.keras.initializers.Constant}
    assert utils.deserialize_keras_object(config, known).get_config()["value"] == 2.0
    with pytest.raises(ValueError, match="Unknown thing"):
        utils.deserialize_keras_object("nothing", printable_module_name="thing")
