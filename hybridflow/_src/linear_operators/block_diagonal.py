"""`LinearOperatorBlockDiag`: operators along a diagonal."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.linear_operators.several import OfSeveral
from hybridflow._src.ops.arrays.arranging import matrix_transpose
from hybridflow._src.ops.arrays.joining import concat, split, stack
from hybridflow._src.ops.arrays.shape_ops import broadcast_dynamic_shape

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.framework.tensor_shape import TensorShape

__all__ = ["LinearOperatorBlockDiag"]


class LinearOperatorBlockDiag(OfSeveral):
    """Square operators along a diagonal: each has its own part of a vector; elsewhere are zeros.

    Args:
      operators: a list of square `LinearOperator`s of one dtype.
      is_non_singular, is_self_adjoint, is_positive_definite, is_square: see `LinearOperator`.
      name: how scopes of ops begin; by default of the names of the operators.

    Raises:
      ValueError: if there are no operators, one is not square, or hints contradict each other.
        TypeError: if dtypes differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     scale = hf.linalg.LinearOperatorDiag([2.0, 3.0])
    ...     mix = hf.linalg.LinearOperatorFullMatrix([[1.0, 1.0], [0.0, 1.0]])
    ...     x = hf.linalg.LinearOperatorBlockDiag([scale, mix])
    ...     print(x.matvec([1.0, 1.0, 1.0, 1.0]).numpy(), x.determinant().numpy())
    [2. 3. 2. 1.] 6.0
    """

    def __init__(
        self,
        operators: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = True,
        name: str | None = None,
    ) -> None:
        super().__init__(
            operators,
            "direct sum",
            "_ds_",
            ("non-singular", "self-adjoint", "positive-definite"),
            is_non_singular,
            is_self_adjoint,
            is_positive_definite,
            is_square,
            name,
        )
        if any(operator.is_square is False for operator in self._operators):
            raise ValueError("Can only represent a block diagonal of square matrices.")

    def _shape(self) -> TensorShape:
        sizes = [operator.domain_dimension.value for operator in self._operators]
        total = None if None in sizes else sum(sizes)
        return self._with_batch([total, total])

    def _sizes(self) -> list[Any]:
        return [operator.domain_dimension_tensor() for operator in self._operators]

    def _shape_tensor(self) -> Tensor:
        total = raw.Sum(stack(self._sizes()), 0)
        return self._with_batch_tensor(stack([total, total]))

    def _each(self, method: str, x: Tensor, adjoint: bool, adjoint_arg: bool) -> Any:
        """A method of each operator, on its own rows."""
        if adjoint_arg:
            x = matrix_transpose(x, conjugate=True)
        # For the whole batch, since results stand beside each other.
        batch = broadcast_dynamic_shape(self.batch_shape_tensor(), raw.Shape(x)[:-2])
        zero = convert_to_tensor(0, x.dtype.base_dtype)
        x = x + raw.Fill(concat([batch, [1, 1]], 0), zero)
        known = [operator.domain_dimension.value for operator in self._operators]
        sizes = stack(self._sizes()) if None in known else known
        parts = split(x, sizes, axis=-2, num=len(self._operators))
        found = [
            getattr(operator, method)(part, adjoint=adjoint)
            for operator, part in zip(self._operators, parts, strict=True)
        ]
        return concat(found, -2)

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._each("matmul", x, adjoint, adjoint_arg)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._each("solve", rhs, adjoint, adjoint_arg)

    def _determinant(self) -> Any:
        return functools.reduce(lambda x, y: x * y, [o.determinant() for o in self._operators])

    def _log_abs_determinant(self) -> Any:
        parts = [operator.log_abs_determinant() for operator in self._operators]
        return functools.reduce(lambda x, y: x + y, parts)

    def _diag_part(self) -> Any:
        batch = self.batch_shape_tensor()
        zeros = raw.Fill(concat([batch, [1]], 0), convert_to_tensor(0, self.dtype))
        return concat([operator.diag_part() + zeros for operator in self._operators], -1)
