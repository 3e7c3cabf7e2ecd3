"""Decompositions of matrices put together again, and those of matrices that are not finite."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from tests.execution import Execution

SHAPES = ((4, 3), (3, 4), (2, 3, 3))


def drawn(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape)
    return (x + 1j * rng.normal(size=shape) if np.dtype(dtype).kind == "c" else x).astype(dtype)


def adjoint(x: np.ndarray) -> np.ndarray:
    return np.conj(np.swapaxes(x, -1, -2))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
class TestDecompositions:
    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("full", [False, True])
    def test_svd(self, shape: Any, full: bool, dtype: Any, execution: Execution) -> None:
        x = drawn(shape, dtype)
        s, u, v = execution(lambda t: hf.svd(t, full_matrices=full), x)
        k = min(shape[-2:])
        assert u.shape[-1] == (shape[-2] if full else k)
        assert v.shape[-1] == (shape[-1] if full else k)
        np.testing.assert_allclose(u[..., :k] * s[..., None, :] @ adjoint(v[..., :k]), x, atol=1e-5)
        gram = adjoint(u) @ u
        identity = np.broadcast_to(np.eye(u.shape[-1]), gram.shape)
        np.testing.assert_allclose(gram, identity, atol=1e-5)
        alone = execution(lambda t: hf.svd(t, compute_uv=False), x)
        np.testing.assert_allclose(alone, s, 1e-5)

    def test_self_adjoint_eig(self, dtype: Any, execution: Execution) -> None:
        x = drawn((2, 3, 3), dtype)
        x = x + adjoint(x)
        e, v = execution(hf.self_adjoint_eig, x)
        np.testing.assert_allclose(v * e[..., None, :] @ adjoint(v), x, atol=1e-5)
        assert np.all(np.diff(e.real) >= 0)
        np.testing.assert_allclose(execution(hf.self_adjoint_eigvals, x), e, 1e-4)

    def test_qr(self, dtype: Any, execution: Execution) -> None:
        for shape in SHAPES:
            x = drawn(shape, dtype)
            q, r = execution(hf.qr, x)
            np.testing.assert_allclose(q @ r, x, atol=1e-5)

    def test_not_finite(self, dtype: Any, execution: Execution) -> None:
        """A matrix that is not finite gives NaN, and leaves the others in the batch alone."""
        x = np.stack([np.eye(2), np.eye(2), np.eye(2)]).astype(dtype)
        x[1, 0, 1] = x[1, 1, 0] = np.inf
        for parts in (execution(hf.svd, x), execution(hf.self_adjoint_eig, x)):
            for part in parts:
                assert np.isnan(part[1]).all()
                assert np.isfinite(part[[0, 2]]).all()


def test_self_adjoint_eig_reads_the_lower_triangle() -> None:
    with hf.eager_mode():
        e = hf.self_adjoint_eigvals(hf.constant([[1.0, 99.0], [0.0, 2.0]]))
    np.testing.assert_array_equal(e.numpy(), [1, 2])


def test_wrong_shapes() -> None:
    with hf.Graph().as_default():
        with pytest.raises(ValueError, match="at least rank 2"):
            hf.svd(hf.placeholder(hf.float32, [3]))
        with pytest.raises(ValueError, match="must be equal"):
            hf.self_adjoint_eig(hf.placeholder(hf.float32, [2, 3]))
        s, u, v = hf.svd(hf.placeholder(hf.float32, [None, 3, 2]))
        assert [t.shape.as_list() for t in (s, u, v)] == [[None, 2], [None, 3, 2], [None, 2, 2]]


def rebuilt_by_svd(x):
    s, u, v = hf.svd(x)
    return hf.matmul(u * hf.expand_dims(s, -2), v, adjoint_b=True)


def rebuilt_by_qr(x):
    q, r = hf.qr(x)
    return hf.matmul(q, r)


def rebuilt_by_eigenvectors(x):
    e, v = hf.self_adjoint_eig(x)
    return hf.matmul(v * hf.expand_dims(e, -2), v, adjoint_b=True)


def two_drawn(shape, dtype):
    """Two arrays of random numbers."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 2, *shape))
    return (x[0] + 1j * x[1]) if dtype is np.complex128 else x[0]


def gradient_of(function, x, w):
    with hf.Graph().as_default(), hf.Session() as session:
        tensor = hf.constant(x)
        return session.run(hf.gradients(function(tensor), tensor, w)[0])


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
@pytest.mark.parametrize("shape", [(3, 3), (4, 3), (3, 4), (2, 3, 2)])
@pytest.mark.parametrize("function", [rebuilt_by_svd, rebuilt_by_qr])
def test_gradient_of_what_is_put_together_again(function, shape, dtype):
    """It is the input, whatever the signs and phases of vectors: the gradient is the weights."""
    x, w = two_drawn(shape, dtype)
    np.testing.assert_allclose(gradient_of(function, x, w), w, 1e-8, 1e-8)


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_gradient_of_a_matrix_from_its_eigenvectors(dtype):
    x, w = two_drawn((3, 3), dtype)
    # Only the lower triangle is read, and stands for the upper one too.
    both = np.tril(w + np.conj(w.T))
    wanted = both - np.diag(np.diag(both)) / 2
    np.testing.assert_allclose(gradient_of(rebuilt_by_eigenvectors, x, w), wanted, 1e-8, 1e-8)


@pytest.mark.parametrize(
    "function",
    [
        hf.self_adjoint_eigvals,
        lambda x: hf.self_adjoint_eig(x)[0],
        lambda x: hf.svd(x)[0],
        lambda x: hf.svd(x, compute_uv=False),
    ],
)
def test_equal_values_have_a_gradient(function):
    grad = gradient_of(function, np.diag([2.0, 2.0, 0.0]), np.ones(3))
    np.testing.assert_allclose(np.abs(grad), np.eye(3), 1e-8, 1e-8)


def test_further_columns_have_none():
    for function in (hf.qr, lambda x, full_matrices: hf.svd(x, full_matrices)[1:]):
        with hf.Graph().as_default():
            x = hf.zeros([4, 2])
            with pytest.raises(NotImplementedError, match="Use full_matrices=False"):
                hf.gradients(function(x, full_matrices=True)[0], x)


@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (2, 4, 3)])
@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_a_single_further_column_has_a_gradient(shape, dtype):
    x, _ = two_drawn(shape, dtype)
    rng = np.random.default_rng(4)
    size = max(shape[-2:])
    weights = rng.normal(size=(*shape[:-2], size, size))

    def far(t):
        """Of the column's direction alone, whatever its sign."""
        _, u, v = hf.svd(t, full_matrices=True)
        last = (u if shape[-2] > shape[-1] else v)[..., -1:]
        return hf.real(hf.matmul(last, last, adjoint_b=True)) * weights

    with hf.Graph().as_default(), hf.Session() as session:
        t = hf.placeholder(hf.as_dtype(dtype), shape)
        total = hf.reduce_sum(far(t))
        (grad,) = hf.gradients(total, t)
        found = session.run(grad, {t: x})
        step = rng.normal(size=shape).astype(dtype)
        if dtype is np.complex128:
            step = step + 1j * rng.normal(size=shape)
        ahead, behind = (session.run(total, {t: x + 1e-6 * d}) for d in (step, -step))
    wanted = (ahead - behind) / 2e-6
    np.testing.assert_allclose(np.sum(np.real(np.conj(found) * step)), wanted, 1e-6, 1e-7)
