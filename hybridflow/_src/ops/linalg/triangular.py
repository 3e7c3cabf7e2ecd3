"""Systems of equations with triangular matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops import shape_rules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor


def _shape(attrs: dict[str, Any], matrix: Tensor, rhs: Tensor) -> shape_rules.Dims:
    shape_rules.with_rank_at_least(matrix, 2)
    return shape_rules.with_rank_at_least(rhs, 2)


def _solve(matrix: np.ndarray, rhs: np.ndarray, lower: bool, adjoint: bool) -> Any:
    triangle = np.tril(matrix) if lower else np.triu(matrix)
    if adjoint:
        triangle = np.conj(np.swapaxes(triangle, -1, -2))
    try:
        return np.linalg.solve(triangle, rhs)
    except np.linalg.LinAlgError:
        raise InvalidArgumentError(None, None, "Input matrix is not invertible.") from None


def _grad(op: Any, dy: Tensor) -> tuple[Any, Any]:
    matrix, solution = op.inputs[0], op.outputs[0]
    lower, adjoint = op.get_attr("lower"), op.get_attr("adjoint")
    drhs = raw.MatrixTriangularSolve(matrix, dy, lower=lower, adjoint=not adjoint)
    factors = (solution, drhs) if adjoint else (drhs, solution)
    dmatrix = -raw.BatchMatMul(*factors, adj_x=False, adj_y=True)
    return raw.MatrixBandPart(dmatrix, *((-1, 0) if lower else (0, -1))), drhs


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.complex128):
        for batch in ((), (2,)):
            for flags in range(4):
                matrix = (rng.normal(size=(*batch, 3, 3)) + 3 * np.eye(3)).astype(dtype)
                rhs = rng.normal(size=(*batch, 3, 2)).astype(dtype)
                yield Sample(matrix, rhs, lower=bool(flags & 1), adjoint=bool(flags & 2))


OpDef(
    "MatrixTriangularSolve",
    "matrix: T, rhs: T -> output: T",
    attrs={"lower": True, "adjoint": False},
    types=(dtypes.float32, dtypes.float64, dtypes.complex64, dtypes.complex128),
    shape=_shape,
    compute=_solve,
    grad=_grad,
    samples=_samples,
)
