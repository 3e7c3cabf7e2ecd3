"""`LinearOperatorKronecker`: the Kronecker product of operators."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.registry import raw
from hybridflow._src.linear_operators.several import OfSeveral
from hybridflow._src.ops.arrays.arranging import matrix_transpose
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.joining import concat, stack
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.math.exponential import pow

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.framework.tensor_shape import TensorShape

__all__ = ["LinearOperatorKronecker"]


class LinearOperatorKronecker(OfSeveral):
    """The Kronecker product `A1 x A2 x ... x AJ`: each number of A1 times A2, and so on.

    Nothing is multiplied out: each method costs what those of the operators cost.

    Args:
      operators: a list of `LinearOperator`s of one dtype.
      is_non_singular, is_self_adjoint, is_positive_definite, is_square: see `LinearOperator`.
      name: how scopes of ops begin; by default of the names of the operators.

    Raises:
      ValueError: if there are no operators, or hints contradict each other.
        TypeError: if dtypes differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     scale = hf.linalg.LinearOperatorDiag([1.0, 2.0])
    ...     mix = hf.linalg.LinearOperatorFullMatrix([[1.0, 1.0], [0.0, 1.0]])
    ...     x = hf.linalg.LinearOperatorKronecker([scale, mix])
    ...     print(x.matvec([1.0, 1.0, 1.0, 1.0]).numpy(), x.determinant().numpy())
    [2. 1. 4. 2.] 4.0
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
            "Kronecker product",
            "_x_",
            ("non-singular", "self-adjoint", "positive-definite"),
            is_non_singular,
            is_self_adjoint,
            is_positive_definite,
            is_square,
            name,
        )

    def _shape(self) -> TensorShape:
        rows = [operator.range_dimension.value for operator in self._operators]
        columns = [operator.domain_dimension.value for operator in self._operators]
        return self._with_batch(
            [None if None in sizes else math.prod(sizes) for sizes in (rows, columns)]
        )

    def _shape_tensor(self) -> Tensor:
        rows = [operator.range_dimension_tensor() for operator in self._operators]
        columns = [operator.domain_dimension_tensor() for operator in self._operators]
        sizes = [raw.Prod(stack(found), 0) for found in (rows, columns)]
        return self._with_batch_tensor(stack(sizes))

    def _each(self, method: str, x: Tensor, adjoint: bool, adjoint_arg: bool) -> Any:
        """A method of each operator, on its own part of the rows."""
        if adjoint_arg:
            x = matrix_transpose(x, conjugate=True)
        rows = [operator.range_dimension_tensor() for operator in self._operators]
        columns = [operator.domain_dimension_tensor() for operator in self._operators]
        given, made = (rows, columns) if (method == "solve") != adjoint else (columns, rows)
        for operator, size in zip(self._operators, given, strict=True):
            # Its part comes first, that of the next one then; what is done goes behind all others.
            own = reshape(x, concat([raw.Shape(x)[:-2], stack([size, -1])], 0))
            x = matrix_transpose(getattr(operator, method)(own, adjoint=adjoint))
        done = functools.reduce(lambda a, b: a * b, made)
        return matrix_transpose(reshape(x, concat([raw.Shape(x)[:-2], stack([-1, done])], 0)))

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._each("matmul", x, adjoint, adjoint_arg)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._each("solve", rhs, adjoint, adjoint_arg)

    def _powers(self) -> list[Any]:
        """How often the determinant of each operator is a factor."""
        total = self.domain_dimension_tensor()
        return [total // operator.domain_dimension_tensor() for operator in self._operators]

    def _determinant(self) -> Any:
        parts = [
            pow(operator.determinant(), cast(power, self.dtype))
            for operator, power in zip(self._operators, self._powers(), strict=True)
        ]
        return functools.reduce(lambda x, y: x * y, parts)

    def _log_abs_determinant(self) -> Any:
        parts: list[Any] = []
        for operator, power in zip(self._operators, self._powers(), strict=True):
            part = operator.log_abs_determinant()
            parts.append(part * cast(power, part.dtype))
        return functools.reduce(lambda x, y: x + y, parts)
