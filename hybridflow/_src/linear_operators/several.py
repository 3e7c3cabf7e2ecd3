"""`OfSeveral`: what operators made of several others have in common."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.linear_operators.base import LinearOperator
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.shape_ops import broadcast_dynamic_shape, broadcast_static_shape
from hybridflow._src.ops.checks.types import assert_proper_iterable

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.framework.tensor_shape import TensorShape

__all__ = ["OfSeveral"]


class OfSeveral(LinearOperator):
    """An operator made of several of one dtype, whose batch shapes fit together.

    Args:
      operators: a list of `LinearOperator`s.
      what: what it is called in messages. between: what stands between names in its own.
      hints: which properties it has if all of them have them.
      is_non_singular, is_self_adjoint, is_positive_definite, is_square, name: see `LinearOperator`.
    """

    def __init__(
        self,
        operators: Any,
        what: str,
        between: str,
        hints: tuple[str, ...],
        is_non_singular: bool | None,
        is_self_adjoint: bool | None,
        is_positive_definite: bool | None,
        is_square: bool | None,
        name: str | None,
    ) -> None:
        assert_proper_iterable(operators)
        self._operators: list[LinearOperator] = list(operators)
        if not self._operators:
            raise ValueError("Expected a non-empty list of operators. Found: []")
        first = self._operators[0]
        if any(operator.dtype != first.dtype for operator in self._operators):
            found = ", ".join(f"{o.name}: {o.dtype.name}" for o in self._operators)
            raise TypeError(f"Expected all operators to have the same dtype.  Found {found}")
        given = {
            "non-singular": is_non_singular,
            "self-adjoint": is_self_adjoint,
            "positive-definite": is_positive_definite,
        }
        for hint in hints:
            attribute = f"is_{hint.replace('-', '_')}"
            if all(getattr(operator, attribute) for operator in self._operators):
                if given[hint] is False:
                    raise ValueError(f"The {what} of {hint} operators is always {hint}.")
                given[hint] = True
        parents = [parent for operator in self._operators for parent in operator.graph_parents]
        name = name or between.join(operator.name for operator in self._operators)
        with name_scope(name, values=parents):
            super().__init__(
                first.dtype,
                parents,
                given["non-singular"],
                given["self-adjoint"],
                given["positive-definite"],
                is_square,
                name,
            )

    @property
    def operators(self) -> list[LinearOperator]:
        """The operators."""
        return self._operators

    def _with_batch(self, sizes: list[Any]) -> TensorShape:
        """The shape of matrices of these sizes, for the batch of all operators."""
        batch = functools.reduce(
            broadcast_static_shape, [operator.batch_shape for operator in self._operators]
        )
        return batch.concatenate(sizes)

    def _with_batch_tensor(self, sizes: Tensor) -> Tensor:
        batch = functools.reduce(
            broadcast_dynamic_shape, [operator.batch_shape_tensor() for operator in self._operators]
        )
        return concat([batch, sizes], 0)
