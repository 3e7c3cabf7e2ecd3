"""`tensorflow.python.ops.linalg.linear_operator_util`: systems whose batches broadcast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.broadcasting import broadcast_to
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.shape_ops import broadcast_dynamic_shape, shape
from hybridflow._src.ops.linalg.systems import matrix_solve, matrix_triangular_solve

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["matrix_solve_with_broadcast", "matrix_triangular_solve_with_broadcast"]


def _broadcast(matrix: Any, rhs: Any) -> tuple[Tensor, Tensor]:
    """Both with the dimensions of batches that they have together."""
    tensors = convert_to_tensor(matrix, name="matrix"), convert_to_tensor(rhs, name="rhs")
    ranks = [tensor.shape.ndims for tensor in tensors]
    batches = [
        tensor.shape.as_list()[:-2] if rank else None
        for tensor, rank in zip(tensors, ranks, strict=True)
    ]
    if batches[0] == batches[1] and batches[0] is not None and None not in batches[0]:
        return tensors
    sizes = [shape(tensor) for tensor in tensors]
    batch = broadcast_dynamic_shape(sizes[0][:-2], sizes[1][:-2])
    first, second = [
        broadcast_to(tensor, concat([batch, size[-2:]], 0))
        for tensor, size in zip(tensors, sizes, strict=True)
    ]
    return first, second


def matrix_triangular_solve_with_broadcast(
    matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: str | None = None
) -> Tensor:
    """`tf.matrix_triangular_solve` of `[..., n, n]` and `[..., n, k]` whose batches broadcast."""
    with name_scope(name, "MatrixTriangularSolve", [matrix, rhs]):
        return matrix_triangular_solve(*_broadcast(matrix, rhs), lower=lower, adjoint=adjoint)


def matrix_solve_with_broadcast(
    matrix: Any, rhs: Any, adjoint: bool = False, name: str | None = None
) -> Tensor:
    """`tf.matrix_solve` of `[..., n, n]` and `[..., n, k]` whose batches broadcast."""
    with name_scope(name, "MatrixSolveWithBroadcast", [matrix, rhs]):
        return matrix_solve(*_broadcast(matrix, rhs), adjoint=adjoint)
