"""Linear equations, inverses, factors, determinants: derivatives, refused matrices, shapes."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.kernels import blas
from tests.execution import Execution, gradient_of

RNG = np.random.default_rng(0)
WEIGHTS = RNG.normal(size=(2, 3, 3))
SQUARE = RNG.normal(size=(2, 3, 3)) + 2 * np.eye(3)
POSITIVE = SQUARE @ np.swapaxes(SQUARE, -1, -2) + np.eye(3)


def numeric(f: Any, x: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """The gradient of a function that gives a number, by central differences."""
    grad = np.zeros_like(x)
    for place in np.ndindex(*x.shape):
        moved = np.zeros_like(x)
        moved[place] = step
        grad[place] = (f(x + moved) - f(x - moved)) / (2 * step)
    return grad


def weighted_factor(x: Any) -> Any:
    """A number made of the Cholesky factors of a symmetric matrix, made of any matrix."""
    symmetric = 0.5 * (x + hf.matrix_transpose(x))
    return hf.reduce_sum(hf.cholesky(symmetric) * hf.constant(WEIGHTS))


def slope(x: Any) -> Any:
    (grad,) = gradient_of(weighted_factor, [x])
    return hf.reduce_sum(grad * hf.constant(WEIGHTS[::-1]))


@pytest.mark.parametrize("function", [weighted_factor, slope])
def test_derivatives_of_cholesky(function: Any, execution: Execution) -> None:
    wanted = numeric(lambda x: float(execution(function, x)), POSITIVE)
    np.testing.assert_allclose(execution.gradient(function, POSITIVE)[0], wanted, 1e-5, 1e-6)


def test_the_gradient_of_cholesky_is_symmetric(execution: Execution) -> None:
    (grad,) = execution.gradient(hf.cholesky, POSITIVE)
    np.testing.assert_allclose(grad, np.swapaxes(grad, -1, -2), 1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("size", [1, 2, 17, 100])
def test_large_matrices(size: int, dtype: Any, execution: Execution) -> None:
    x = RNG.normal(size=(2, size, size)) + 1j * RNG.normal(size=(2, size, size))
    x = (x if np.dtype(dtype).kind == "c" else x.real).astype(dtype)
    x += 2 * np.sqrt(size).astype(dtype) * np.eye(size, dtype=dtype)
    near = 100 * size * np.finfo(dtype).eps
    rhs = x[..., :2]
    both = np.broadcast_to(np.eye(size), x.shape)
    np.testing.assert_allclose(x @ execution(hf.matrix_inverse, x), both, 0, near)
    np.testing.assert_allclose(execution(hf.matrix_solve, x, rhs), both[..., :2], 0, near)
    lower = execution(hf.matrix_triangular_solve, x, rhs)
    np.testing.assert_allclose(np.tril(x) @ lower, rhs, near, near)
    sign, logarithm = execution(hf.linalg.slogdet, x)
    for got, wanted in zip((sign, logarithm), np.linalg.slogdet(x), strict=True):
        np.testing.assert_allclose(got, wanted, near, near)


@pytest.mark.parametrize("with_blas", [True, False], ids=["blas", "rows"])
@pytest.mark.parametrize("adjoint", [False, True])
@pytest.mark.parametrize("lower", [False, True])
def test_badly_conditioned_triangles(
    lower: bool, adjoint: bool, with_blas: bool, execution: Execution, monkeypatch: Any
) -> None:
    """Substitution stays exact where elimination, which exchanges rows, would not."""
    if not with_blas:
        monkeypatch.setattr(blas, "_solver", lambda char: None)
    size = 50
    x = np.random.default_rng(1).uniform(-1, 1, (2, size, size))
    rhs = np.random.default_rng(2).uniform(-1, 1, (2, size, 3))

    def solve(a: Any, b: Any) -> Any:
        return hf.matrix_triangular_solve(a, b, lower=lower, adjoint=adjoint)

    got = execution(solve, x, rhs)
    triangles = (np.tril if lower else np.triu)(x)
    for triangle, right, found in zip(triangles, rhs, got, strict=True):
        full = [[Fraction(v) for v in row] for row in (triangle.T if adjoint else triangle)]
        assert np.linalg.cond(triangle) > 1e8
        rows = range(size) if lower != adjoint else reversed(range(size))
        wanted = np.zeros((size, 3))
        solved: dict[int, list[Fraction]] = {}
        for i in rows:
            solved[i] = [
                (Fraction(right[i, k]) - sum(full[i][j] * solved[j][k] for j in solved))
                / full[i][i]
                for k in range(3)
            ]
            wanted[i] = [float(v) for v in solved[i]]
        # The bound of its errors, component by component: theorem 8.5 of Higham's.
        inverse = np.abs(np.linalg.inv(np.float64(full)))
        bound = inverse @ np.abs(np.float64(full)) @ np.abs(wanted)
        assert (np.abs(found - wanted) <= 4 * size * np.finfo(np.float64).eps * bound).all()


def test_triangles_of_any_kind(execution: Execution) -> None:
    x = np.array([[2.0 + 1j, 9.0], [1j, 3.0]], np.complex64)
    rhs = np.array([[2.0, 1.0], [4.0, 1j]], np.complex64)
    for lower in (False, True):
        triangle = (np.tril if lower else np.triu)(x)
        for adjoint in (False, True):
            got = execution(
                lambda a, b, flags=(lower, adjoint): hf.matrix_triangular_solve(a, b, *flags),
                x,
                rhs,
            )
            used = triangle.conj().T if adjoint else triangle
            np.testing.assert_allclose(used @ got, rhs, 1e-5, 1e-5)
    empty = execution(hf.matrix_triangular_solve, np.ones((0, 2, 2)), np.ones((0, 2, 1)))
    assert empty.shape == (0, 2, 1)
    turned = np.asfortranarray(np.tril(np.ones((3, 3))))
    got = execution(hf.matrix_triangular_solve, turned, np.ones((3, 2))[:, ::-1])
    np.testing.assert_array_equal(got, [[1, 1], [0, 0], [0, 0]])


def test_least_squares_of_any_rank(execution: Execution) -> None:
    """The slow way gives the shortest solution, as the pseudo-inverse does."""
    x = RNG.normal(size=(5, 2)) @ RNG.normal(size=(2, 4))
    rhs = RNG.normal(size=(5, 3))
    got = execution(lambda a, b: hf.matrix_solve_ls(a, b, fast=False), x, rhs)
    np.testing.assert_allclose(got, np.linalg.pinv(x) @ rhs, 1e-8, 1e-8)


def test_gradients_of_least_squares_of_unknown_shape() -> None:
    for shape in ((4, 2), (2, 4)):
        x, rhs = RNG.normal(size=shape), RNG.normal(size=(shape[0], 3))
        grads = []
        for known in (shape, (None, None)):
            with hf.Graph().as_default(), hf.Session() as session:
                a, b = hf.placeholder(hf.float64, known), hf.placeholder(hf.float64, [None, 3])
                y = hf.matrix_solve_ls(a, b, l2_regularizer=0.3)
                grads.append(session.run(hf.gradients(y, [a, b]), {a: x, b: rhs}))
        for got, wanted in zip(*grads, strict=True):
            np.testing.assert_allclose(got, wanted, 1e-12)


class TestExponential:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_rotations(self, dtype: Any, execution: Execution) -> None:
        """The exponential of a skew matrix turns, also by many turns, which need squaring."""
        angles = np.array([0.0, 1e-4, 1.0, 100.0])
        x = angles[:, None, None] * np.array([[0.0, -1.0], [1.0, 0.0]])
        c, s = np.cos(angles), np.sin(angles)
        wanted = np.moveaxis(np.array([[c, -s], [s, c]]), -1, 0)
        near = 500 * np.finfo(dtype).eps
        got = execution(hf.linalg.expm, x.astype(dtype))
        np.testing.assert_allclose(got, wanted, 0, near)

    def test_what_is_not_finite(self, execution: Execution) -> None:
        x = np.stack([np.eye(2), np.full((2, 2), np.nan), 1e6 * np.eye(2), -1e6 * np.eye(2)])
        got = execution(hf.linalg.expm, x)
        np.testing.assert_allclose(got[0], np.e * np.eye(2), 1e-12, 1e-12)
        assert np.isnan(got[1]).all()
        assert not np.isfinite(np.diag(got[2])).any()
        np.testing.assert_array_equal(np.diag(got[3]), [0, 0])


SINGULAR = np.stack([np.eye(2), np.ones((2, 2))])


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (hf.matrix_inverse, "Input is not invertible"),
        (lambda x: hf.matrix_solve(x, x), "Input matrix is not invertible"),
        (lambda x: hf.matrix_triangular_solve(x - 1.0, x), "Input matrix is not invertible"),
        (lambda x: hf.cholesky(x - 2.0), "Cholesky decomposition was not successful"),
        (lambda x: hf.matrix_solve_ls(x, x), "rank deficient"),
        (lambda x: hf.matrix_solve_ls(x, x, l2_regularizer=-1.0), "must be >= 0"),
        (lambda x: hf.matrix_solve(x, hf.ones([1, 2, 2], hf.float64)), "compatible|must be equal"),
    ],
)
def test_refused(function: Any, words: str, execution: Execution) -> None:
    with pytest.raises((hf.errors.InvalidArgumentError, ValueError), match=words):
        execution(function, SINGULAR)


def test_wrong_shapes() -> None:
    with hf.Graph().as_default():
        for function in (hf.matrix_inverse, hf.cholesky, hf.matrix_determinant, hf.linalg.expm):
            with pytest.raises(ValueError, match="must be equal"):
                function(hf.placeholder(hf.float32, [2, 3]))
            with pytest.raises(ValueError, match="at least rank 2"):
                function(hf.placeholder(hf.float32, [3]))
        with pytest.raises(ValueError, match="must be equal"):
            hf.matrix_solve(hf.zeros([2, 2]), hf.zeros([3, 1]))
        assert hf.matrix_determinant(hf.placeholder(hf.float32, [None, 3, 3])).shape.ndims == 1
        assert hf.matrix_solve_ls(hf.zeros([5, 3]), hf.zeros([5, 2])).shape.as_list() == [3, 2]


def test_tensordot_over_axes_that_a_run_tells(execution):
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 3, 4)), rng.normal(size=(4, 5, 3))

    def run(a, b, axes):
        return hf.tensordot(a, b, axes), hf.tensordot(a, b, [axes[0, :1], axes[1, :1]])

    both, one = execution(run, a, b, np.array([[1, -1], [2, 0]], np.int32))
    np.testing.assert_allclose(both, np.tensordot(a, b, [[1, 2], [2, 0]]))
    np.testing.assert_allclose(one, np.tensordot(a, b, [[1], [2]]))
    with hf.Graph().as_default(), pytest.raises(ValueError, match="length 2"):
        hf.tensordot(a, b, hf.placeholder(hf.int32, [3]))
