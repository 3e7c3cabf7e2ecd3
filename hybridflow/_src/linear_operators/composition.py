"""`LinearOperatorComposition`: one operator after the other."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.linear_operators.base import LinearOperator
from hybridflow._src.ops.arrays.joining import concat, stack
from hybridflow._src.ops.arrays.shape_ops import broadcast_dynamic_shape, broadcast_static_shape
from hybridflow._src.ops.checks.types import assert_proper_iterable

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.framework.tensor_shape import TensorShape

__all__ = ["LinearOperatorComposition"]


class LinearOperatorComposition(LinearOperator):
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
        assert_proper_iterable(operators)
        self._operators: list[LinearOperator] = list(operators)
        if not self._operators:
            raise ValueError("Expected a non-empty list of operators. Found: []")
        first = self._operators[0]
        if any(operator.dtype != first.dtype for operator in self._operators):
            found = ", ".join(f"{o.name}: {o.dtype.name}" for o in self._operators)
            raise TypeError(f"Expected all operators to have the same dtype.  Found {found}")
        if all(operator.is_non_singular for operator in self._operators):
            if is_non_singular is False:
                raise ValueError(
                    "The composition of non-singular operators is always non-singular."
                )
            is_non_singular = True
        for left, right in zip(self._operators, self._operators[1:], strict=False):
            left.domain_dimension.assert_is_compatible_with(right.range_dimension)
        parents = [parent for operator in self._operators for parent in operator.graph_parents]
        name = name or "_o_".join(operator.name for operator in self._operators)
        with name_scope(name, values=parents):
            super().__init__(
                first.dtype,
                parents,
                is_non_singular,
                is_self_adjoint,
                is_positive_definite,
                is_square,
                name,
            )

    @property
    def operators(self) -> list[LinearOperator]:
        """The operators."""
        return self._operators

    def _shape(self) -> TensorShape:
        batch = functools.reduce(
            broadcast_static_shape, [operator.batch_shape for operator in self._operators]
        )
        first, last = self._operators[0], self._operators[-1]
        return batch.concatenate([first.range_dimension, last.domain_dimension])

    def _shape_tensor(self) -> Tensor:
        batch = functools.reduce(
            broadcast_dynamic_shape, [operator.batch_shape_tensor() for operator in self._operators]
        )
        first, last = self._operators[0], self._operators[-1]
        sizes = stack([first.range_dimension_tensor(), last.domain_dimension_tensor()])
        return concat([batch, sizes], 0)

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
