"""`LinearOperatorDiag`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.linear_operators.base import LinearOperator
from hybridflow._src.ops.arrays.constant import zeros_like
from hybridflow._src.ops.arrays.diagonal import matrix_diag
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.checks.comparing import assert_equal, assert_less, assert_positive
from hybridflow._src.ops.linalg.products import adjoint as adjoint_of
from hybridflow._src.ops.math.complex_numbers import conj, imag, real
from hybridflow._src.ops.math.elementwise import abs
from hybridflow._src.ops.math.exponential import log
from hybridflow._src.ops.math.reductions import reduce_prod, reduce_sum

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.framework.tensor_shape import TensorShape

__all__ = ["LinearOperatorDiag"]


class LinearOperatorDiag(LinearOperator):
    """A diagonal matrix.

    Args:
      diag: tensor `[..., n]` of the numbers on the diagonal.
      is_non_singular, is_self_adjoint, is_positive_definite, is_square: see `LinearOperator`.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.linalg.LinearOperatorDiag([1.0, -2.0])
    ...     print(x.to_dense().numpy().tolist(), x.determinant().numpy())
    [[1.0, 0.0], [0.0, -2.0]] -2.0
    """

    def __init__(
        self,
        diag: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorDiag",
    ) -> None:
        with name_scope(name, values=[diag]):
            self._diag = convert_to_tensor(diag, name="diag")
        if self._diag.shape.ndims == 0:
            raise ValueError(f"Argument diag must have at least 1 dimension.  Found: {self._diag}")
        if not self._diag.dtype.is_complex:
            if is_self_adjoint is False:
                raise ValueError("A real diagonal operator is always self adjoint.")
            is_self_adjoint = True
        if is_square is False:
            raise ValueError("Only square diagonal operators currently supported.")
        super().__init__(
            self._diag.dtype,
            [self._diag],
            is_non_singular,
            is_self_adjoint,
            is_positive_definite,
            True,
            name,
        )

    @property
    def diag(self) -> Tensor:
        """The numbers on the diagonal."""
        return self._diag

    def _shape(self) -> TensorShape:
        shape = self._diag.shape
        return shape.concatenate(shape[-1:])

    def _shape_tensor(self) -> Tensor:
        shape = raw.Shape(self._diag)
        return concat([shape, shape[-1:]], 0)

    def _column(self, adjoint: bool) -> Any:
        return raw.ExpandDims(conj(self._diag) if adjoint else self._diag, -1)

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._column(adjoint) * (adjoint_of(x) if adjoint_arg else x)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return (adjoint_of(rhs) if adjoint_arg else rhs) / self._column(adjoint)

    def _determinant(self) -> Any:
        return reduce_prod(self._diag, -1)

    def _log_abs_determinant(self) -> Any:
        return reduce_sum(log(abs(self._diag)), -1)

    def _assert_non_singular(self) -> Any:
        size = abs(self._diag)
        zero = convert_to_tensor(0, size.dtype.base_dtype)
        words = "Singular operator:  Diagonal contained zero values."
        return assert_less(zero, size, message=words)

    def _assert_positive_definite(self) -> Any:
        words = (
            "Diagonal operator had diagonal entries with non-positive real part, thus was not "
            "positive definite."
        )
        return assert_positive(real(self._diag), message=words)

    def _assert_self_adjoint(self) -> Any:
        if not self.dtype.is_complex:
            return super()._assert_self_adjoint()
        part = imag(self._diag)
        words = (
            "This diagonal operator contained non-zero imaginary values.  Thus it was not "
            "self-adjoint."
        )
        return assert_equal(part, zeros_like(part), message=words)

    def _to_dense(self) -> Any:
        return matrix_diag(self._diag)

    def _diag_part(self) -> Any:
        return self._diag
