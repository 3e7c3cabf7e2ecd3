"""Operators that are given as matrices: `LinearOperatorFullMatrix`, and a triangular one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.linear_operators.base import LinearOperator, with_one_batch
from hybridflow._src.ops.arrays.diagonal import matrix_band_part, matrix_diag_part
from hybridflow._src.ops.checks.comparing import assert_less
from hybridflow._src.ops.linalg.products import adjoint as adjoint_of
from hybridflow._src.ops.linalg.products import matmul
from hybridflow._src.ops.linalg.systems import matrix_triangular_solve
from hybridflow._src.ops.math.elementwise import abs
from hybridflow._src.ops.math.exponential import log
from hybridflow._src.ops.math.reductions import reduce_prod, reduce_sum

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.framework.tensor_shape import TensorShape

__all__ = ["LinearOperatorFullMatrix", "LinearOperatorLowerTriangular"]


class LinearOperatorFullMatrix(LinearOperator):
    """A matrix as it is.

    Args:
      matrix: tensor `[..., m, n]`.
      is_non_singular, is_self_adjoint, is_positive_definite, is_square: see `LinearOperator`.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.linalg.LinearOperatorFullMatrix([[1.0, 2.0], [0.0, 4.0]])
    ...     print(x.matvec([1.0, 1.0]).numpy(), x.determinant().numpy())
    [3. 4.] 4.0
    """

    def __init__(
        self,
        matrix: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorFullMatrix",
    ) -> None:
        with name_scope(name, values=[matrix]):
            self._matrix = self._made(convert_to_tensor(matrix, name="matrix"))
        super().__init__(
            self._matrix.dtype,
            [self._matrix],
            is_non_singular,
            is_self_adjoint,
            is_positive_definite,
            is_square,
            name,
        )

    def _made(self, matrix: Tensor) -> Tensor:
        rank = matrix.shape.ndims
        if rank is not None and rank < 2:
            raise ValueError(f"Argument matrix must have at least 2 dimensions.  Found: {matrix}")
        return matrix

    def _shape(self) -> TensorShape:
        return self._matrix.shape

    def _shape_tensor(self) -> Tensor:
        return raw.Shape(self._matrix)

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        matrix, x = with_one_batch(self._matrix, x)
        return matmul(matrix, x, adjoint_a=adjoint, adjoint_b=adjoint_arg)

    def _to_dense(self) -> Any:
        return self._matrix


class LinearOperatorLowerTriangular(LinearOperatorFullMatrix):
    """A lower triangular matrix; what stands above the diagonal is taken for zero.

    Args:
      tril: tensor `[..., n, n]`.
      is_non_singular, is_self_adjoint, is_positive_definite, is_square: see `LinearOperator`.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.linalg.LinearOperatorLowerTriangular([[1.0, 9.0], [2.0, 4.0]])
    ...     print(x.matvec([1.0, 1.0]).numpy(), x.solvevec([1.0, 6.0]).numpy())
    [1. 6.] [1. 1.]
    """

    def __init__(
        self,
        tril: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorLowerTriangular",
    ) -> None:
        if is_square is False:
            raise ValueError("Only square lower triangular operators supported at this time.")
        super().__init__(tril, is_non_singular, is_self_adjoint, is_positive_definite, True, name)

    def _made(self, matrix: Tensor) -> Tensor:
        return matrix_band_part(super()._made(matrix), -1, 0)

    def _diag_part(self) -> Any:
        return matrix_diag_part(self._matrix)

    def _assert_non_singular(self) -> Any:
        size = abs(self._diag_part())
        zero = convert_to_tensor(0, size.dtype.base_dtype)
        words = "Singular operator:  Diagonal contained zero values."
        return assert_less(zero, size, message=words)

    def _determinant(self) -> Any:
        return reduce_prod(self._diag_part(), -1)

    def _log_abs_determinant(self) -> Any:
        return reduce_sum(log(abs(self._diag_part())), -1)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        rhs = adjoint_of(rhs) if adjoint_arg else rhs
        matrix, rhs = with_one_batch(self._matrix, rhs)
        return matrix_triangular_solve(matrix, rhs, lower=True, adjoint=adjoint)
