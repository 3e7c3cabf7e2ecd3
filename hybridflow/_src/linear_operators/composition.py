"""`LinearOperatorComposition`: one operator after the other."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from hybridflow._src.linear_operators.several import OfSeveral
from hybridflow._src.ops.arrays.joining import stack

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.framework.tensor_shape import TensorShape

__all__ = ["LinearOperatorComposition"]


class LinearOperatorComposition(OfSeveral):
    """The product `A1 A2 ... AJ` of operators, which applies the last one first.

    Nothing is multiplied out: each method costs what those of the operators cost.

    Args:
      operators: a list of `LinearOperator`s of one dtype, `[..., m_j, n_j]` with `n_j = m_{j+1}`.
      is_non_singular, is_self_adjoint, is_positive_definite, is_square: see `LinearOperator`.
      name: how scopes of ops begin; by default of the names of the operators.

    Raises:
      ValueError: if there are no operators, sizes do not fit, or hints contradict each other.
        TypeError: if dtypes differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     scale = hf.linalg.LinearOperatorDiag([1.0, 2.0])
    ...     mix = hf.linalg.LinearOperatorFullMatrix([[1.0, 1.0], [0.0, 1.0]])
    ...     x = hf.linalg.LinearOperatorComposition([mix, scale])
    ...     print(x.matvec([1.0, 1.0]).numpy(), x.determinant().numpy())
    [3. 2.] 2.0
    """

    def __init__(
        self,
        operators: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            operators,
            "composition",
            "_o_",
            ("non-singular",),
            is_non_singular,
            is_self_adjoint,
            is_positive_definite,
            is_square,
            name,
        )
        for left, right in zip(self._operators, self._operators[1:], strict=False):
            left.domain_dimension.assert_is_compatible_with(right.range_dimension)

    def _shape(self) -> TensorShape:
        first, last = self._operators[0], self._operators[-1]
        return self._with_batch([first.range_dimension, last.domain_dimension])

    def _shape_tensor(self) -> Tensor:
        first, last = self._operators[0], self._operators[-1]
        sizes = stack([first.range_dimension_tensor(), last.domain_dimension_tensor()])
        return self._with_batch_tensor(sizes)

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        first, *others = self._operators if adjoint else reversed(self._operators)
        x = first.matmul(x, adjoint=adjoint, adjoint_arg=adjoint_arg)
        for operator in others:
            x = operator.matmul(x, adjoint=adjoint)
        return x

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        first, *others = reversed(self._operators) if adjoint else self._operators
        rhs = first.solve(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)
        for operator in others:
            rhs = operator.solve(rhs, adjoint=adjoint)
        return rhs

    def _determinant(self) -> Any:
        first, *others = [operator.determinant() for operator in self._operators]
        return functools.reduce(lambda x, y: x * y, others, first)

    def _log_abs_determinant(self) -> Any:
        first, *others = [operator.log_abs_determinant() for operator in self._operators]
        return functools.reduce(lambda x, y: x + y, others, first)
