"""Bijectors of matrices, of shapes, and of what has two arguments."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf

D = hf.contrib.distributions
B = D.bijectors
TRIL = np.array([[[1.5, 0.0, 0.0], [0.5, 2.0, 0.0], [-1.0, 0.25, 0.5]]] * 2)
TRIL[1, 2, 2] = 3.0
LOWER = np.tril_indices(3)


def lower(x):
    """The numbers of lower triangles, row by row."""
    return hf.stack([x[..., i, j] for i, j in zip(*LOWER, strict=True)], -1)


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (B.CholeskyOuterProduct, TRIL @ TRIL.swapaxes(1, 2)),
        (B.MatrixInverseTriL, np.linalg.inv(TRIL)),
        (lambda: B.TransformDiagonal(B.Exp()), None),
        (lambda: B.TransformDiagonal(B.AffineScalar(scale=np.array([2.0, 3.0, 4.0]))), None),
    ],
    ids=["outer", "inverse", "diagonal", "diagonal by constants"],
)
def test_volumes_of_triangles(make, wanted):
    """Lower triangles have six numbers, by which those of the values are differentiated."""
    with hf.Graph().as_default(), hf.Session() as session:
        each, x = make(), hf.constant(TRIL)
        y = each.forward(x)
        rows = [lower(hf.gradients(lower(y)[:, i], x)[0]) for i in range(6)]
        again = hf.identity(y)
        found = session.run(
            [
                hf.stack(rows, 1),
                each.forward_log_det_jacobian(x, event_ndims=2),
                each.inverse_log_det_jacobian(again, event_ndims=2),
                each.inverse(again),
                y,
            ]
        )
    jacobian, forward, inverse, back, value = found
    volumes = np.log(np.abs(np.linalg.det(jacobian)))
    np.testing.assert_allclose(forward, volumes, 1e-10)
    np.testing.assert_allclose(inverse, -volumes, 1e-10)
    np.testing.assert_allclose(back, TRIL, 1e-10, 1e-12)
    if wanted is not None:
        np.testing.assert_allclose(value, wanted, 1e-10, 1e-12)


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("n", [0, 1, 2, 3, 5])
def test_triangles_of_vectors(execution, upper, n):
    size = n * (n + 1) // 2
    x = np.arange(1.0, 2 * size + 1).reshape(2, size)

    def both(x):
        filled = D.fill_triangular(x, upper)
        return filled, D.fill_triangular_inverse(filled, upper)

    filled, back = execution(both, x)
    assert filled.shape == (2, n, n)
    np.testing.assert_array_equal(back, x)
    kept = np.triu(filled) if upper else np.tril(filled)
    np.testing.assert_array_equal(filled, kept)
    np.testing.assert_array_equal(np.sort(filled[0][filled[0] != 0]), x[0])


def test_triangles_as_tensorflow_fills_them(execution):
    """What TensorFlow 1.15.5 gives."""
    x = np.arange(1.0, 7.0)
    found = execution(lambda x: [D.fill_triangular(x), D.fill_triangular(x, upper=True)], x)
    assert found[0].tolist() == [[4, 0, 0], [6, 5, 0], [3, 2, 1]]
    assert found[1].tolist() == [[1, 2, 3], [0, 5, 6], [0, 0, 4]]


def test_triangles_of_sizes_that_a_run_tells():
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32)
        filled = D.fill_triangular(x)
        back = D.fill_triangular_inverse(filled)
        fill = B.FillTriangular()
        shape = fill.forward_event_shape_tensor(hf.shape(x))
        again = fill.inverse_event_shape_tensor(hf.shape(filled))
        value = np.arange(20.0, dtype=np.float32).reshape(2, 10)
        found = session.run([filled, back, shape, again], {x: value})
    assert found[0].shape == (2, 4, 4)
    np.testing.assert_array_equal(found[1], value)
    assert (found[2].tolist(), found[3].tolist()) == ([2, 4, 4], [2, 10])
    with pytest.raises(ValueError, match=r"shape \(4\) does not correspond to a triangular"):
        D.fill_triangular([1.0, 2.0, 3.0, 4.0])


def test_scales(execution):
    x = np.array([[0.5, -1.0, 2.0], [0.0, 3.0, -30.0]])

    def tell(x):
        scale = B.ScaleTriL(diag_shift=np.float64(1e-5))
        y = scale.forward(x)
        back = hf.identity(y)
        return [
            y,
            scale.inverse(back),
            scale.forward_log_det_jacobian(x, event_ndims=1),
            scale.forward_log_det_jacobian(x),
            scale.inverse_log_det_jacobian(back, event_ndims=2),
        ]

    y, back, forward, by_default, inverse = execution(tell, x)
    diagonal = np.log1p(np.exp(x[:, [2, 0]])) + 1e-5
    np.testing.assert_allclose(y[:, [0, 1], [0, 1]], diagonal, 1e-10)
    np.testing.assert_array_equal(y[:, 0, 1], 0.0)
    np.testing.assert_allclose(y[:, 1, 0], x[:, 1])
    np.testing.assert_allclose(back, x, 1e-6)
    wanted = -np.log1p(np.exp(-x[:, [2, 0]])).sum(1)
    np.testing.assert_allclose(forward, wanted, 1e-10)
    np.testing.assert_allclose(by_default, wanted, 1e-10)
    np.testing.assert_allclose(inverse, -wanted, 1e-6)


def test_events_in_another_shape(execution):
    x = np.arange(24.0).reshape(2, 12)

    def tell(x):
        reshape = B.Reshape([3, -1], [12])
        y = reshape.forward(x)
        return [
            y,
            reshape.inverse(hf.identity(y)),
            reshape.forward_log_det_jacobian(x, event_ndims=1),
            reshape.forward_event_shape_tensor([7, 12]),
            reshape.inverse_event_shape_tensor([7, 3, 4]),
        ]

    y, back, change, after, before = execution(tell, x)
    np.testing.assert_array_equal(y, x.reshape(2, 3, 4))
    np.testing.assert_array_equal(back, x)
    assert change == 0
    assert (after.tolist(), before.tolist()) == ([7, 3, 4], [7, 12])


def test_shapes_of_events_that_fit_and_that_do_not():
    reshape = B.Reshape([3, -1], [12])
    assert reshape.forward_event_shape([None, 12]).as_list() == [None, 3, 4]
    assert reshape.inverse_event_shape([5, 3, 4]).as_list() == [5, 12]
    assert B.Reshape([], [1]).forward_event_shape([4, 1]).as_list() == [4]
    with pytest.raises(ValueError, match="sizes do not match"):
        B.Reshape([5], [4])
    with pytest.raises(ValueError, match="one may be -1"):
        B.Reshape([-1, -1])
    with hf.Graph().as_default(), hf.Session() as session:
        with pytest.raises(ValueError, match=r"Expected events of shape \[12\]"):
            reshape.forward(hf.zeros([2, 6]))
        x = hf.placeholder(hf.float32)
        assert session.run(reshape.forward(x), {x: np.zeros([2, 12])}).shape == (2, 3, 4)
        normal = D.MultivariateNormalDiag(hf.zeros([12]))
        drawn = D.TransformedDistribution(normal, reshape).sample(5, seed=1)
        assert drawn.shape.as_list() == [5, 3, 4]


def test_absolute_values(execution):
    def tell(y):
        absolute = B.AbsoluteValue(validate_args=True)
        made = D.TransformedDistribution(D.Normal(np.float64(0.5), np.float64(1.0)), absolute)
        return [
            *absolute.inverse(y),
            *absolute.inverse_log_det_jacobian(y, event_ndims=0),
            made.log_prob(y),
            absolute.forward(-y),
        ]

    y = np.array([0.5, 2.0])
    below, above, *zeros, density, forward = execution(tell, y)
    np.testing.assert_array_equal(below, -y)
    np.testing.assert_array_equal(above, y)
    np.testing.assert_array_equal(forward, y)
    assert zeros == [0.0, 0.0]
    # What TensorFlow 1.15.5 gives.
    np.testing.assert_allclose(density, [-0.44486153, -1.9170105], 1e-6)


def test_what_has_two_arguments_lacks():
    with hf.eager_mode():
        absolute = B.AbsoluteValue(validate_args=True)
        with pytest.raises(hf.errors.InvalidArgumentError, match="Argument y was negative"):
            absolute.inverse([-1.0])
        with pytest.raises(NotImplementedError, match="forward_log_det_jacobian"):
            absolute.forward_log_det_jacobian(1.0, event_ndims=0)
        made = D.TransformedDistribution(D.Normal(0.0, 1.0), absolute)
        for method in ("cdf", "quantile", "log_survival_function"):
            with pytest.raises(NotImplementedError, match=f"{method} is not implemented"):
                getattr(made, method)(0.5)
        for method in ("mean", "entropy"):
            with pytest.raises(NotImplementedError):
                getattr(made, method)()


def test_parameters_that_are_refused():
    with hf.eager_mode():
        for make in (
            lambda: B.Gumbel(scale=-1.0, validate_args=True),
            lambda: B.Kumaraswamy(0.0, 1.0, validate_args=True),
            lambda: B.SinhArcsinh(tailweight=0.0, validate_args=True),
            lambda: B.Gumbel(validate_args=True).inverse(1.5),
            lambda: B.Kumaraswamy(1.0, 1.0, validate_args=True).forward(-0.5),
        ):
            with pytest.raises(hf.errors.InvalidArgumentError):
                make()
        with pytest.raises(ValueError, match="needs both"):
            B.Kumaraswamy(1.0)
        with pytest.raises(ValueError, match="float32 for Tensor with dtype float64"):
            B.Gumbel(hf.constant(1.0), hf.constant(1.0, hf.float64))


def test_numbers_far_out(execution):
    def tell(x):
        skew = B.SinhArcsinh(np.float32(1.0), np.float32(0.5))
        return [skew.forward(x), skew.forward_log_det_jacobian(x, event_ndims=0)]

    y, change = execution(tell, np.float32([1e30, -1e30]))
    wanted = np.sinh((np.arcsinh(np.array([1e30, -1e30])) + 1.0) * 0.5)
    np.testing.assert_allclose(y, wanted, 1e-4)
    slopes = np.cosh((np.arcsinh(np.array([1e30, -1e30])) + 1.0) * 0.5) * 0.5 / 1e30
    np.testing.assert_allclose(change, np.log(slopes), 1e-5)


def test_events_of_too_few_dimensions():
    with hf.eager_mode(), pytest.raises(ValueError, match="must be at least 1, got 0"):
        B.FillTriangular().forward_log_det_jacobian(np.ones(6), 0)
