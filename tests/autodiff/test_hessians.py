"""Second derivatives as matrices."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf


def test_of_a_vector_and_a_matrix() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, 4)), rng.normal(size=(2, 3))
    with hf.Graph().as_default(), hf.Session() as session:
        x, y = hf.placeholder(hf.float64, [None]), hf.Variable(b)
        value = hf.reduce_sum(x * hf.tensordot(hf.constant(a), x, 1)) + hf.reduce_sum(y**3.0)
        session.run(y.initializer)
        for _ in range(3):
            of_x, of_y = session.run(hf.hessians(value, [x, y]), {x: np.ones(4)})
    np.testing.assert_allclose(of_x, a + a.T)
    np.testing.assert_allclose(of_y.reshape(6, 6), np.diag(6 * b.ravel()), atol=1e-12)
    assert of_y.shape == (2, 3, 2, 3)


def test_of_a_linear_function_is_zero() -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.constant([1.0, 2.0])
        (hessian,) = hf.hessians(hf.reduce_sum(3.0 * x), x)
        np.testing.assert_array_equal(session.run(hessian), np.zeros((2, 2)))


def test_of_what_does_not_depend() -> None:
    with hf.Graph().as_default(), pytest.raises(ValueError, match="does not depend"):
        hf.hessians(hf.constant(1.0), hf.constant(2.0))
