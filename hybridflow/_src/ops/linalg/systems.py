"""Systems of linear equations, and inverses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.tensor_shape import merge
from hybridflow._src.kernels import blas
from hybridflow._src.ops import shape_rules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["matrix_inverse", "matrix_solve", "matrix_triangular_solve"]

TYPES = (dtypes.float32, dtypes.float64, dtypes.complex64, dtypes.complex128)

SINGULAR = "{what} is not invertible: a matrix is singular."
_BATCHES = (
    "matrix has shape {matrix} and rhs {rhs}: their dimensions but the last two must be equal. "
    "Repeat the smaller one by hf.tile."
)


def square_shape(attrs: dict[str, Any], x: Tensor) -> shape_rules.Dims:
    """The shape of square matrices."""
    dims = shape_rules.with_rank_at_least(x, 2)
    if dims is None:
        return None
    *batch, rows, columns = dims
    size = shape_rules.same_size(rows, columns)
    return (*batch, size, size)


def _solution_shape(attrs: dict[str, Any], matrix: Tensor, rhs: Tensor) -> shape_rules.Dims:
    dims, right = square_shape(attrs, matrix), shape_rules.with_rank_at_least(rhs, 2)
    if dims is None or right is None:
        return right
    batch = merge(dims[:-2], right[:-2])
    return (*(batch or ()), shape_rules.same_size(dims[-1], right[-2]), right[-1])


def _adjoint(x: np.ndarray) -> np.ndarray:
    return np.conj(np.swapaxes(x, -1, -2))


def _check_batches(matrix: np.ndarray, rhs: np.ndarray) -> None:
    if matrix.shape[:-2] != rhs.shape[:-2]:
        words = _BATCHES.format(matrix=matrix.shape, rhs=rhs.shape)
        raise InvalidArgumentError(None, None, words)


def _solved(matrix: np.ndarray, rhs: np.ndarray, what: str) -> np.ndarray:
    _check_batches(matrix, rhs)
    try:
        return np.linalg.solve(matrix, rhs)
    except np.linalg.LinAlgError:
        raise InvalidArgumentError(None, None, SINGULAR.format(what=what)) from None


def _regular(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Matrices that are far from singular."""
    x = rng.normal(size=shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.normal(size=shape)
    return (x + 3 * np.eye(shape[-1])).astype(dtype)


# -- MatrixInverse ---------------------------------------------------------------------------------


def _inverse(x: np.ndarray, adjoint: bool) -> np.ndarray:
    try:
        return np.linalg.inv(_adjoint(x) if adjoint else x)
    except np.linalg.LinAlgError:
        raise InvalidArgumentError(None, None, SINGULAR.format(what="Input")) from None


def _inverse_grad(op: Any, dy: Tensor) -> Any:
    inverse, adjoint = op.outputs[0], op.get_attr("adjoint")
    if adjoint:
        # Of y = adjoint(x^-1), whose adjoint is the inverse.
        inner = raw.BatchMatMul(inverse, dy, adj_x=False, adj_y=True)
        return -raw.BatchMatMul(inner, inverse, adj_x=False, adj_y=False)
    inner = raw.BatchMatMul(dy, inverse, adj_x=False, adj_y=True)
    return -raw.BatchMatMul(inverse, inner, adj_x=True, adj_y=False)


def _inverse_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.complex128):
        for shape in ((3, 3), (2, 3, 3), (0, 2, 2), (0, 0), (1, 1)):
            for adjoint in (False, True):
                yield Sample(_regular(rng, shape, dtype), adjoint=adjoint)
    yield Sample(_regular(rng, (64, 64), np.float64), differentiable=False)


_inverse_record = OpDef(
    "MatrixInverse",
    "input: T -> output: T",
    attrs={"adjoint": False},
    types=TYPES,
    shape=square_shape,
    compute=_inverse,
    grad=_inverse_grad,
    samples=_inverse_samples,
)


def matrix_inverse(input: Any, adjoint: bool = False, name: str | None = None) -> Tensor:
    """The inverses of square matrices. To solve equations use `matrix_solve`, which is more exact.

    Args:
      input: tensor `[..., n, n]` of float32, float64 or a complex dtype.
      adjoint: whether the matrices are transposed and conjugated first.
      name: name of the op.

    Returns: a tensor of that shape and dtype.

    Raises:
      ValueError: if the matrices are not square.
      InvalidArgumentError: if one is singular.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.matrix_inverse([[2.0, 0.0], [0.0, 4.0]]).numpy().tolist())
    [[0.5, 0.0], [0.0, 0.25]]
    """
    return _inverse_record(input, adjoint=adjoint, name=name)


# -- MatrixSolve -----------------------------------------------------------------------------------


def _solve(matrix: np.ndarray, rhs: np.ndarray, adjoint: bool) -> np.ndarray:
    return _solved(_adjoint(matrix) if adjoint else matrix, rhs, "Input matrix")


def _solve_grad(op: Any, dy: Tensor) -> tuple[Any, Any]:
    matrix, solution, adjoint = op.inputs[0], op.outputs[0], op.get_attr("adjoint")
    drhs = raw.MatrixSolve(matrix, dy, adjoint=not adjoint)
    return (lambda: _matrix_grad(solution, drhs, adjoint)), drhs


def _matrix_grad(solution: Tensor, drhs: Tensor, adjoint: bool) -> Any:
    factors = (solution, drhs) if adjoint else (drhs, solution)
    return -raw.BatchMatMul(*factors, adj_x=False, adj_y=True)


def _solve_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.complex128):
        for batch in ((), (2,), (0,)):
            for adjoint in (False, True):
                rhs = rng.normal(size=(*batch, 3, 2)).astype(dtype)
                yield Sample(_regular(rng, (*batch, 3, 3), dtype), rhs, adjoint=adjoint)
    yield Sample(np.eye(3), np.zeros((3, 0)))


_solve_record = OpDef(
    "MatrixSolve",
    "matrix: T, rhs: T -> output: T",
    attrs={"adjoint": False},
    types=TYPES,
    shape=_solution_shape,
    compute=_solve,
    grad=_solve_grad,
    samples=_solve_samples,
)


def matrix_solve(matrix: Any, rhs: Any, adjoint: bool = False, name: str | None = None) -> Tensor:
    """Solves systems of linear equations: `matrix x = rhs`.

    Args:
      matrix: tensor `[..., n, n]` of float32, float64 or a complex dtype.
      rhs: tensor `[..., n, k]` of that dtype; the first dimensions equal those of `matrix`.
      adjoint: whether the matrices are transposed and conjugated first.
      name: name of the op.

    Returns: the solutions x, of the shape and dtype of `rhs`.

    Raises:
      ValueError: if the shapes do not fit.
      InvalidArgumentError: if a matrix is singular.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.matrix_solve([[2.0, 0.0], [0.0, 4.0]], [[3.0], [4.0]]).numpy().tolist())
    [[1.5], [1.0]]
    """
    return _solve_record(matrix, rhs, adjoint=adjoint, name=name)


# -- MatrixTriangularSolve -------------------------------------------------------------------------


def _triangular_solve(matrix: np.ndarray, rhs: np.ndarray, lower: bool, adjoint: bool) -> Any:
    """Substitution, which is exact for badly conditioned triangles where elimination is not.

    Higham, Accuracy and Stability of Numerical Algorithms, chapter 8.
    """
    _check_batches(matrix, rhs)
    if not np.diagonal(matrix, axis1=-2, axis2=-1).all():
        raise InvalidArgumentError(None, None, SINGULAR.format(what="Input matrix"))
    x = np.array(rhs, order="C")
    if not blas.solve_triangles(matrix, x, lower, adjoint):
        _substitute(_adjoint(matrix) if adjoint else matrix, x, lower != adjoint)
    return x


def _substitute(triangle: np.ndarray, x: np.ndarray, forward: bool) -> None:
    """The same, row by row."""
    n = triangle.shape[-1]
    for row in range(n) if forward else reversed(range(n)):
        known = slice(0, row) if forward else slice(row + 1, n)
        found = triangle[..., row : row + 1, known] @ x[..., known, :]
        x[..., row, :] -= found[..., 0, :]
        x[..., row, :] /= triangle[..., row, row, None]


def _triangular_grad(op: Any, dy: Tensor) -> tuple[Any, Any]:
    matrix, solution = op.inputs[0], op.outputs[0]
    lower, adjoint = op.get_attr("lower"), op.get_attr("adjoint")
    drhs = raw.MatrixTriangularSolve(matrix, dy, lower=lower, adjoint=not adjoint)
    bands = (-1, 0) if lower else (0, -1)
    return (lambda: raw.MatrixBandPart(_matrix_grad(solution, drhs, adjoint), *bands)), drhs


def _triangular_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.complex128):
        for batch in ((), (2,)):
            for flags in range(4):
                rhs = rng.normal(size=(*batch, 3, 2)).astype(dtype)
                matrix = _regular(rng, (*batch, 3, 3), dtype)
                yield Sample(matrix, rhs, lower=bool(flags & 1), adjoint=bool(flags & 2))


_triangular_record = OpDef(
    "MatrixTriangularSolve",
    "matrix: T, rhs: T -> output: T",
    attrs={"lower": True, "adjoint": False},
    types=TYPES,
    shape=_solution_shape,
    compute=_triangular_solve,
    grad=_triangular_grad,
    samples=_triangular_samples,
)


def matrix_triangular_solve(
    matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: str | None = None
) -> Tensor:
    """Solves systems of linear equations with triangular matrices: `matrix x = rhs`.

    Args:
      matrix: tensor `[..., n, n]` of float32, float64 or a complex dtype, of which only the one
        triangle is read.
      rhs: tensor `[..., n, k]` of that dtype; the first dimensions equal those of `matrix`.
      lower: whether the lower triangle is read, else the upper one.
      adjoint: whether the triangular matrices are transposed and conjugated.
      name: name of the op.

    Returns: the solutions x, of the shape and dtype of `rhs`.

    Raises:
      ValueError: if the shapes do not fit.
      InvalidArgumentError: if a matrix is singular.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.matrix_triangular_solve([[2.0, 9.0], [1.0, 3.0]], [[2.0], [4.0]])
    >>> print(x.numpy().tolist())
    [[1.0], [1.0]]
    """
    return _triangular_record(matrix, rhs, lower=lower, adjoint=adjoint, name=name)
