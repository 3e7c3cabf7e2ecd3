"""Gradients that are zero whatever the values: zeros as in TensorFlow, computed by none."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from tests.execution import gradient_of


def second(function):
    """The gradient of the gradient of a function of one tensor."""
    return lambda x: gradient_of(lambda x: gradient_of(function, [x])[0], [x])[0]


X = np.array([[-0.9, 0.7], [6.5, 0.1]], np.float32)
IMAGE = np.arange(16.0, dtype=np.float32).reshape(1, 4, 4, 1)


@pytest.mark.parametrize(
    ("function", "x"),
    [
        (hf.nn.relu, X),
        (hf.nn.relu6, X),
        (lambda x: hf.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "VALID"), IMAGE),
    ],
    ids=["relu", "relu6", "max_pool"],
)
def test_second_derivatives_of_piecewise_linear_functions(execution, function, x):
    np.testing.assert_array_equal(execution(second(function), x), np.zeros_like(x), strict=True)


def test_what_lies_before_is_given_zeros_too(execution):
    def slope(x, w):
        return gradient_of(lambda x: hf.nn.relu(hf.matmul(x, w) - 100.0), [x])[0]

    def of_x(x):
        return gradient_of(lambda x: slope(x * 2.0, hf.constant(X)), [x])[0]

    np.testing.assert_array_equal(execution(of_x, X), np.zeros_like(X), strict=True)


def test_zeros_are_no_factors(execution):
    """The derivative of the root is infinite here, and 0 * inf would be NaN."""

    def slope(x):
        return gradient_of(hf.nn.relu, [hf.sqrt(x)])[0]

    assert execution(lambda x: gradient_of(slope, [x])[0], np.float32(0.0)) == 0


def test_a_variable_that_is_reached_by_zeros_alone(execution):
    def f(x):
        v = hf.get_variable("v", initializer=[1.0, -2.0], use_resource=True)
        return gradient_of(lambda v: gradient_of(hf.nn.relu, [v * 1.0])[0], [v])[0]

    assert execution(f, X).tolist() == [0, 0]


def test_a_loop_variable_whose_path_is_stopped():
    """What TensorFlow 1.4, 1.15 and 2.21 give."""
    with hf.Graph().as_default(), hf.Session() as session:
        x, y = hf.constant(3.0), hf.constant(2.0)

        def body(x, y):
            stopped = hf.stop_gradient(hf.square(y))
            return hf.square(x) + stopped, stopped

        last, _ = hf.while_loop(lambda x, y: x < 100.0, body, [x, y])
        assert session.run(hf.gradients(last, [x, y])) == [156, 0]


def test_no_dependence_is_still_none(execution):
    def f(x):
        return gradient_of(lambda x: hf.floor(x) + hf.stop_gradient(x), [x])

    assert execution(f, X) == [None]
