"""What stands for gradients with respect to what the results do not depend on."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf

ZERO, NONE = hf.UnconnectedGradients.ZERO, hf.UnconnectedGradients.NONE


@pytest.mark.parametrize("setting", [ZERO, "zero"])
def test_zeros_of_the_sources_form(execution, setting):
    def function(x, y):
        v = hf.get_variable("v", initializer=np.array([1.0, 2.0]), use_resource=True)
        with hf.GradientTape() as tape:
            tape.watch([x, y])
            z = hf.reduce_sum(x * x)
        return tape.gradient(z, [x, y, v], unconnected_gradients=setting)

    x, y = np.array([3.0], np.float32), np.array([[np.inf, 1.0]])
    of_x, of_y, of_v = execution(function, x, y)
    assert of_x == [6.0]
    np.testing.assert_array_equal(of_y, np.zeros((1, 2)), strict=True)
    np.testing.assert_array_equal(of_v, np.zeros(2), strict=True)


def test_in_a_graph():
    with hf.Graph().as_default(), hf.Session() as session:
        x, y = hf.constant(3.0), hf.placeholder(hf.float32, [None])
        assert hf.gradients(x * x, [y]) == [None]
        assert hf.gradients(x * x, [y], unconnected_gradients=NONE) == [None]
        (zeros,) = hf.gradients(x * x, y, unconnected_gradients=ZERO)
        assert zeros.shape.as_list() == [None]
        assert session.run(zeros, {y: [1.0, np.nan]}).tolist() == [0.0, 0.0]


def test_none_is_the_default():
    with hf.eager_mode():
        x, y = hf.constant(3.0), hf.constant(2.0)
        with hf.GradientTape(persistent=True) as tape:
            tape.watch([x, y])
            z = x * x
        assert tape.gradient(z, y) is None
        assert tape.gradient(z, {"a": y}, unconnected_gradients="none") == {"a": None}


def test_another_setting():
    with hf.eager_mode():
        x = hf.constant(3.0)
        with hf.GradientTape() as tape:
            tape.watch(x)
            z = x * x
        with pytest.raises(ValueError, match="Unknown value for unconnected_gradients: 'zeros'"):
            tape.gradient(z, x, unconnected_gradients="zeros")
        assert tape.gradient(z, x).numpy() == 6.0
