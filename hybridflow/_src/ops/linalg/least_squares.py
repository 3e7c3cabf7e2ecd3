"""Least squares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.tensor_shape import merge
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.control_flow.conditional import cond
from hybridflow._src.ops.families import conj
from hybridflow._src.ops.linalg.products import adjoint
from hybridflow._src.ops.linalg.systems import TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["matrix_solve_ls"]

_DEFICIENT = (
    "Input matrix was rank deficient or ill-conditioned. Try setting fast=False or provide a "
    "larger l2_regularizer > 0."
)


def _shape(attrs: dict[str, Any], matrix: Tensor, rhs: Tensor, _: Tensor) -> shape_rules.Dims:
    left = shape_rules.with_rank_at_least(matrix, 2)
    right = shape_rules.with_rank_at_least(rhs, 2)
    if left is None or right is None:
        return None
    shape_rules.same_size(left[-2], right[-2])
    batch = merge(left[:-2], right[:-2])
    return (*(batch or ()), left[-1], right[-1])


def _adjoint(x: np.ndarray) -> np.ndarray:
    return np.conj(np.swapaxes(x, -1, -2))


def _solve(matrix: np.ndarray, rhs: np.ndarray, l2_regularizer: np.ndarray, fast: bool) -> Any:
    if matrix.shape[:-1] != rhs.shape[:-1]:
        words = f"matrix has shape {matrix.shape}, rhs {rhs.shape}: all but the last must be equal."
        raise InvalidArgumentError(None, None, words)
    if l2_regularizer < 0:
        raise InvalidArgumentError(
            None, None, f"l2_regularizer must be >= 0, got {l2_regularizer}."
        )
    rows, columns = matrix.shape[-2:]
    if not min(rows, columns):
        return np.zeros((*matrix.shape[:-2], columns, rhs.shape[-1]), matrix.dtype)
    if not fast:
        return (np.linalg.pinv(matrix) @ rhs).astype(matrix.dtype, copy=False)
    weight = np.asarray(l2_regularizer, matrix.real.dtype) * np.eye(min(rows, columns))
    weight = weight.astype(matrix.dtype)
    other = _adjoint(matrix)
    # A Cholesky decomposition tells more surely than LU that a product is singular.
    try:
        if rows >= columns:
            return _by_cholesky(other @ matrix + weight, other @ rhs)
        return other @ _by_cholesky(matrix @ other + weight, rhs)
    except np.linalg.LinAlgError:
        raise InvalidArgumentError(None, None, _DEFICIENT) from None


def _by_cholesky(gram: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    factor = np.linalg.cholesky(gram)
    pivots = np.square(np.abs(np.diagonal(factor, axis1=-2, axis2=-1)))
    near = pivots.shape[-1] * np.finfo(pivots.dtype).eps
    # By rounding alone a singular matrix may have a factor.
    if np.any(pivots.min(axis=-1) <= near * pivots.max(axis=-1)):
        raise np.linalg.LinAlgError
    return np.linalg.solve(_adjoint(factor), np.linalg.solve(factor, rhs))


def _product(x: Any, y: Any, adj_x: bool = False, adj_y: bool = False) -> Any:
    return raw.BatchMatMul(x, y, adj_x=adj_x, adj_y=adj_y)


def _grad(op: Any, dy: Tensor) -> Any:
    """Of x = p rhs, where p is the (regularised) inverse.

    G. Golub and V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares
    problems whose variables separate" (1973), equation 4.12; with a regulariser the derivative of
    the normal equations.
    """
    matrix = op.inputs[0]
    if not op.get_attr("fast"):
        return _pseudo_inverse_grads(op, dy)
    dims = matrix._dims
    if dims is not None and None not in dims[-2:]:
        return _tall_grads(op, dy) if dims[-2] >= dims[-1] else _wide_grads(op, dy)
    shape = raw.Shape(matrix)
    is_tall = raw.GreaterEqual(shape[-2], shape[-1])
    return cond(is_tall, lambda: _tall_grads(op, dy), lambda: _wide_grads(op, dy))


def _of_regularizer(x: Any, y: Any) -> Any:
    """Minus the inner product, in float64."""
    product = raw.Mul(x, conj(y))
    axes = raw.Range(0, raw.Rank(product), 1)
    return -raw.Cast(raw.Sum(product, axes), DstT=dtypes.float64)


def _gram(matrix: Any, l2_regularizer: Any, tall: bool) -> Any:
    gram = _product(matrix, matrix, adj_x=tall, adj_y=not tall)
    weight = raw.Cast(l2_regularizer, DstT=matrix.dtype)
    return raw.MatrixSetDiag(gram, raw.MatrixDiagPart(gram) + weight)


def _tall_grads(op: Any, dy: Any) -> list[Any]:
    """Of x = (a* a + l)^-1 a* rhs."""
    matrix, rhs, l2_regularizer = op.inputs
    x = op.outputs[0]
    inner = raw.MatrixSolve(_gram(matrix, l2_regularizer, True), dy, adjoint=False)
    drhs = _product(matrix, inner)
    rest = rhs - _product(matrix, x)
    dmatrix = _product(rest, inner, adj_y=True) - _product(drhs, x, adj_y=True)
    return [dmatrix, drhs, _of_regularizer(x, inner)]


def _wide_grads(op: Any, dy: Any) -> list[Any]:
    """Of x = a* (a a* + l)^-1 rhs."""
    matrix, rhs, l2_regularizer = op.inputs
    gram = _gram(matrix, l2_regularizer, False)
    inner = raw.MatrixSolve(gram, rhs, adjoint=False)
    drhs = raw.MatrixSolve(gram, _product(matrix, dy), adjoint=False)
    both = _product(drhs, inner, adj_y=True)
    dmatrix = _product(inner, dy, adj_y=True) - _product(both + adjoint(both), matrix)
    return [dmatrix, drhs, _of_regularizer(inner, drhs)]


def _pseudo_inverse_grads(op: Any, dy: Any) -> list[Any]:
    matrix, rhs, zero = op.inputs
    x = op.outputs[0]

    def solve(a: Any, b: Any) -> Any:
        return raw.MatrixSolveLs(a, b, zero, fast=False)

    drhs = solve(adjoint(matrix), dy)
    outside = rhs - _product(matrix, x)
    beside = dy - solve(matrix, _product(matrix, dy))
    return [
        _product(outside, solve(matrix, drhs), adj_y=True)
        + _product(solve(adjoint(matrix), x), beside, adj_y=True)
        - _product(drhs, x, adj_y=True),
        drhs,
        None,
    ]


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.complex128):
        for shape in ((4, 2), (2, 4), (3, 3), (2, 4, 2), (0, 3, 2)):
            x = rng.normal(size=shape)
            if np.dtype(dtype).kind == "c":
                x = x + 1j * rng.normal(size=shape)
            x = (x + 2 * np.eye(*shape[-2:])).astype(dtype)
            rhs = rng.normal(size=(*shape[:-1], 2)).astype(dtype)
            # No regulariser is negative, so nothing can be said on both sides of 0.
            yield Sample(x, rhs, np.array(0.0), differentiable=False)
            for l2, fast in ((0.1, True), (0.7, True), (0.2, False)):
                yield Sample(x, rhs, np.array(l2), fast=fast)
    for shape in ((0, 3), (3, 0)):
        yield Sample(np.zeros(shape), np.zeros((shape[0], 2)), np.array(0.1))


_record = OpDef(
    "MatrixSolveLs",
    "matrix: T, rhs: T, l2_regularizer: double -> output: T",
    attrs={"fast": True},
    types=TYPES,
    shape=_shape,
    compute=_solve,
    grad=_grad,
    samples=_samples,
)


def matrix_solve_ls(
    matrix: Any, rhs: Any, l2_regularizer: Any = 0.0, fast: bool = True, name: str | None = None
) -> Tensor:
    """Solves linear least squares problems.

    For `m >= n` the result is the x that minimises `|matrix x - rhs|^2 + l2_regularizer |x|^2`; for
    `m < n` the shortest x with `matrix x = rhs`, and with a regulariser again the minimum.

    Args:
      matrix: tensor `[..., m, n]` of float32, float64 or a complex dtype.
      rhs: tensor `[..., m, k]` of that dtype; the first dimensions equal those of `matrix`.
      l2_regularizer: a number >= 0, used if `fast`.
      fast: whether to solve the normal equations by a Cholesky decomposition, which squares the
        condition number and needs full rank; else a singular value decomposition gives the
        shortest solution for any rank.
      name: name of the op.

    Returns: a tensor `[..., n, k]` of that dtype.

    Raises:
      ValueError: if the shapes do not fit.
      InvalidArgumentError: if `fast` and the normal equations are singular, or the regulariser is
        negative.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.matrix_solve_ls([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]], [[1.0], [3.0], [5.0]])
    >>> print(x.numpy().round(4).tolist())
    [[1.0], [2.0]]
    """
    l2_regularizer = convert_to_tensor(l2_regularizer, dtypes.float64, name="l2_regularizer")
    return _record(matrix, rhs, l2_regularizer, fast=fast, name=name)
