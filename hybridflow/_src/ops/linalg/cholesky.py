"""Cholesky decompositions, and what is solved by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.linalg.products import adjoint
from hybridflow._src.ops.linalg.systems import TYPES, matrix_triangular_solve, square_shape

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["cholesky", "cholesky_solve"]

_FAILED = (
    "Cholesky decomposition was not successful. The input might not be valid: a matrix is not "
    "positive definite."
)


def _cholesky(x: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.cholesky(x)
    except np.linalg.LinAlgError:
        raise InvalidArgumentError(None, None, _FAILED) from None


def _grad(op: Any, dy: Tensor) -> Any:
    """I. Murray, "Differentiation of the Cholesky decomposition" (2016), equation 10."""
    factor = op.outputs[0]
    inner = raw.MatrixBandPart(raw.BatchMatMul(factor, dy, adj_x=True, adj_y=False), -1, 0)
    inner = raw.MatrixSetDiag(inner, 0.5 * raw.MatrixDiagPart(inner))
    left = raw.MatrixTriangularSolve(factor, inner, lower=True, adjoint=True)
    both = raw.MatrixTriangularSolve(factor, adjoint(left), lower=True, adjoint=True)
    return 0.5 * (both + adjoint(both))


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.complex128):
        for shape in ((3, 3), (2, 3, 3), (0, 2, 2), (0, 0), (1, 1)):
            x: Any = rng.normal(size=shape)
            if np.dtype(dtype).kind == "c":
                x = x + 1j * rng.normal(size=shape)
            product = x @ np.conj(np.swapaxes(x, -1, -2))
            # The gradient is that of symmetric matrices, not of the triangle that is read.
            yield Sample((product + np.eye(shape[-1])).astype(dtype), differentiable=False)


_record = OpDef(
    "Cholesky",
    "input: T -> output: T",
    types=TYPES,
    shape=square_shape,
    compute=_cholesky,
    grad=_grad,
    samples=_samples,
)


def cholesky(input: Any, name: str | None = None) -> Tensor:
    """The Cholesky decompositions of positive definite matrices: `input = l adjoint(l)`.

    The gradient is that of symmetric (self-adjoint) matrices, and is one itself.

    Args:
      input: tensor `[..., n, n]` of float32, float64 or a complex dtype, of which only the lower
        triangles are read.
      name: name of the op.

    Returns: the lower triangular matrices l, of that shape and dtype.

    Raises:
      ValueError: if the matrices are not square.
      InvalidArgumentError: if one is not positive definite.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.cholesky([[4.0, 2.0], [2.0, 10.0]]).numpy().tolist())
    [[2.0, 0.0], [1.0, 3.0]]
    """
    return _record(input, name=name)


def cholesky_solve(chol: Any, rhs: Any, name: str | None = None) -> Tensor:
    """Solves `a x = rhs`, given the Cholesky decompositions of the matrices a.

    Args:
      chol: tensor `[..., n, n]`, such as `hf.cholesky(a)` gives it.
      rhs: tensor `[..., n, k]` of that dtype; the first dimensions equal those of `chol`.
      name: name of the op.

    Returns: the solutions x, of the shape and dtype of `rhs`.

    Raises:
      ValueError: if the shapes do not fit.
      InvalidArgumentError: if a matrix is singular.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     l = hf.cholesky([[4.0, 0.0], [0.0, 16.0]])
    ...     print(hf.cholesky_solve(l, [[4.0], [8.0]]).numpy().tolist())
    [[1.0], [0.5]]
    """
    with name_scope(name, "cholesky_solve", [chol, rhs]) as scope:
        factor = convert_to_tensor(chol, name="chol")
        y = matrix_triangular_solve(factor, rhs, adjoint=False, lower=True)
        return matrix_triangular_solve(factor, y, adjoint=True, lower=True, name=scope)
