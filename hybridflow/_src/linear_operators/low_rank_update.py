"""`LinearOperatorLowRankUpdate`: an operator, changed by a product of thin matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.dimension import as_dimension
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.linear_operators.base import LinearOperator, with_one_batch
from hybridflow._src.linear_operators.diagonal import LinearOperatorDiag
from hybridflow._src.linear_operators.identity import LinearOperatorIdentity
from hybridflow._src.ops.arrays.diagonal import matrix_diag_part
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.shape_ops import broadcast_dynamic_shape, broadcast_static_shape
from hybridflow._src.ops.linalg.cholesky import cholesky, cholesky_solve
from hybridflow._src.ops.linalg.determinants import matrix_determinant, slogdet
from hybridflow._src.ops.linalg.products import adjoint as adjoint_of
from hybridflow._src.ops.linalg.products import matmul
from hybridflow._src.ops.linalg.systems import matrix_solve
from hybridflow._src.ops.math.complex_numbers import real
from hybridflow._src.ops.math.exponential import exp, log
from hybridflow._src.ops.math.reductions import reduce_sum

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.framework.tensor_shape import TensorShape

__all__ = ["LinearOperatorLowRankUpdate"]


def _product(a: Any, b: Any, adjoint_b: bool = False) -> Any:
    return matmul(*with_one_batch(a, adjoint_of(b) if adjoint_b else b))


class LinearOperatorLowRankUpdate(LinearOperator):
    """`A = L + U D V^H`: an operator L, and thin matrices U and V with a diagonal D between them.

    Solutions and determinants cost those of L and of a k x k matrix, the capacitance
    `C = D^-1 + V^H L^-1 U`:

        A^-1 = L^-1 - L^-1 U C^-1 V^H L^-1    (Woodbury's identity)
        det A = det C det D det L             (the matrix determinant lemma)

    Args:
      base_operator: L, `[..., m, n]`, of a floating dtype.
      u: tensor `[..., m, k]`.
      diag_update: tensor `[..., k]`, the diagonal of D; ones by default.
      v: tensor `[..., n, k]`; u by default.
      is_diag_update_positive: whether `diag_update > 0`: a hint.
      is_non_singular, is_self_adjoint, is_positive_definite, is_square: see `LinearOperator`.
      name: how scopes of ops begin.

    Raises:
      ValueError: if sizes do not fit, or hints contradict each other. TypeError: if dtypes differ
        or are not floating.

    References:
      Golub and Van Loan, "Matrix Computations", 4th edition, section 2.1.4.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     base = hf.linalg.LinearOperatorIdentity(2)
    ...     x = hf.linalg.LinearOperatorLowRankUpdate(base, u=[[1.0], [2.0]])
    ...     print(x.to_dense().numpy().tolist(), round(float(x.determinant()), 4))
    [[2.0, 2.0], [2.0, 5.0]] 6.0
    """

    def __init__(
        self,
        base_operator: LinearOperator,
        u: Any,
        diag_update: Any = None,
        v: Any = None,
        is_diag_update_positive: bool | None = None,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorLowRankUpdate",
    ) -> None:
        dtype = base_operator.dtype
        if not (dtype.is_floating or dtype.is_complex):
            raise TypeError(f"Argument base_operator must be floating.  Found: {dtype.name}")
        if diag_update is None:
            if is_diag_update_positive is False:
                raise ValueError(
                    "Default diagonal is the identity, which is positive.  However, user set "
                    "'is_diag_update_positive' to False."
                )
            is_diag_update_positive = True
        is_diag_real = is_diag_update_positive or not dtype.is_complex
        if base_operator.is_self_adjoint and v is None and is_diag_real:
            if is_self_adjoint is False:
                raise ValueError(
                    "A = L + UDU^H, with L self-adjoint and D real diagonal.  Since UDU^H is "
                    "self-adjoint, this must be a self-adjoint operator."
                )
            is_self_adjoint = True
            if base_operator.is_positive_definite and is_diag_update_positive:
                if is_positive_definite is False or is_non_singular is False:
                    raise ValueError(
                        "Arguments imply this is self-adjoint positive-definite operator."
                    )
                is_positive_definite = True
        parents = base_operator.graph_parents
        with name_scope(name, values=[*parents, u, diag_update, v]):
            self._base_operator = base_operator
            super().__init__(
                dtype,
                parents,
                is_non_singular,
                is_self_adjoint,
                is_positive_definite,
                is_square,
                name,
            )
            self._u = self._converted(u, "u")
            self._v = self._u if v is None else self._converted(v, "v")
            self._diag_update = None
            if diag_update is not None:
                self._diag_update = self._converted(diag_update, "diag_update")
            tensors = [self._u, self._diag_update, None if v is None else self._v]
            self._graph_parents += [tensor for tensor in tensors if tensor is not None]
        self._is_diag_update_positive = is_diag_update_positive
        # Whether the capacitance is known to be positive definite: all its terms are.
        self._use_cholesky = bool(
            base_operator.is_positive_definite
            and base_operator.is_self_adjoint
            and is_diag_update_positive
            and v is None
            and not dtype.is_complex
        )
        self._check_shapes()
        self._diag_operator = self._middle(self._diag_update)

    def _check_shapes(self) -> None:
        u, v = self._u.shape.with_rank_at_least(2), self._v.shape.with_rank_at_least(2)
        base = self._base_operator
        base.range_dimension.assert_is_compatible_with(u[-2])
        base.domain_dimension.assert_is_compatible_with(v[-2])
        rank = as_dimension(u[-1])
        rank.assert_is_compatible_with(v[-1])
        batches = [u[:-2], v[:-2]]
        if self._diag_update is not None:
            diagonal = self._diag_update.shape.with_rank_at_least(1)
            rank.assert_is_compatible_with(diagonal[-1])
            batches.append(diagonal[:-1])
        self._batch = base.batch_shape
        for batch in batches:
            self._batch = broadcast_static_shape(self._batch, batch)

    def _middle(self, diagonal: Tensor | None) -> LinearOperator:
        if diagonal is None:
            return LinearOperatorIdentity(raw.Shape(self._u)[-1], dtype=self.dtype)
        positive = self._is_diag_update_positive
        return LinearOperatorDiag(diagonal, is_positive_definite=positive)

    # -- its parts ---------------------------------------------------------------------------------

    @property
    def base_operator(self) -> LinearOperator:
        """L."""
        return self._base_operator

    @property
    def u(self) -> Tensor:
        """U."""
        return self._u

    @property
    def v(self) -> Tensor:
        """V."""
        return self._v

    @property
    def diag_update(self) -> Tensor | None:
        """The diagonal of D, or None for ones."""
        return self._diag_update

    @property
    def diag_operator(self) -> LinearOperator:
        """D."""
        return self._diag_operator

    @property
    def is_diag_update_positive(self) -> bool | None:
        """Whether the diagonal of D is positive; None if that is not known."""
        return self._is_diag_update_positive

    # -- what it does ------------------------------------------------------------------------------

    def _shape(self) -> TensorShape:
        return self._batch.concatenate(self._base_operator.shape[-2:])

    def _shape_tensor(self) -> Tensor:
        batch = self._base_operator.batch_shape_tensor()
        parts = [raw.Shape(self._u)[:-2], raw.Shape(self._v)[:-2]]
        if self._diag_update is not None:
            parts.append(raw.Shape(self._diag_update)[:-1])
        for part in parts:
            batch = broadcast_dynamic_shape(batch, part)
        return concat([batch, self._base_operator.shape_tensor()[-2:]], 0)

    def _sides(self, adjoint: bool) -> tuple[Tensor, Tensor]:
        """The matrix on the left, and the one on the right that is transposed."""
        return (self._v, self._u) if adjoint else (self._u, self._v)

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        left, right = self._sides(adjoint)
        thin = _product(adjoint_of(right), x, adjoint_b=adjoint_arg)
        update = _product(left, self._diag_operator.matmul(thin, adjoint=adjoint))
        return self._base_operator.matmul(x, adjoint=adjoint, adjoint_arg=adjoint_arg) + update

    def _capacitance(self) -> Any:
        inverse = None if self._diag_update is None else 1.0 / self._diag_update
        core = _product(adjoint_of(self._v), self._base_operator.solve(self._u))
        return self._middle(inverse).add_to_tensor(core)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        base = self._base_operator
        left, right = self._sides(adjoint)
        first = base.solve(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)
        matrix, thin = with_one_batch(self._capacitance(), _product(adjoint_of(right), first))
        if self._can_use_cholesky():
            thin = cholesky_solve(cholesky(matrix), thin)
        else:
            thin = matrix_solve(matrix, thin, adjoint=adjoint)
        return first - base.solve(_product(left, thin), adjoint=adjoint)

    def _determinant(self) -> Any:
        if self._can_use_cholesky():
            return exp(self._log_abs_determinant())
        sides = self._diag_operator.determinant() * self._base_operator.determinant()
        return matrix_determinant(self._capacitance()) * sides

    def _log_abs_determinant(self) -> Any:
        if self._can_use_cholesky():
            diagonal = matrix_diag_part(cholesky(self._capacitance()))
            core = 2.0 * reduce_sum(log(diagonal), -1)
        else:
            core = real(slogdet(self._capacitance())[1])
        sides = self._diag_operator.log_abs_determinant()
        return core + sides + self._base_operator.log_abs_determinant()

    def _can_use_cholesky(self) -> bool:
        return self._use_cholesky
