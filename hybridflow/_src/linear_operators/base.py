"""`LinearOperator`: a matrix, or a batch of them, by what it does to vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor_shape import TensorShape, dimension_at_index
from hybridflow._src.ops.arrays.diagonal import eye, matrix_diag_part
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.shape_ops import broadcast_dynamic_shape
from hybridflow._src.ops.checks.comparing import assert_equal, assert_less, assert_positive
from hybridflow._src.ops.linalg.cholesky import cholesky, cholesky_solve
from hybridflow._src.ops.linalg.decompositions import svd
from hybridflow._src.ops.linalg.determinants import matrix_determinant, slogdet
from hybridflow._src.ops.linalg.products import adjoint as adjoint_of
from hybridflow._src.ops.linalg.systems import matrix_solve
from hybridflow._src.ops.math.complex_numbers import real
from hybridflow._src.ops.math.exponential import exp, log
from hybridflow._src.ops.math.reductions import reduce_max, reduce_min, reduce_sum

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["LinearOperator", "with_one_batch"]


def with_one_batch(a: Any, b: Any) -> tuple[Any, Any]:
    """Two batches of matrices, broadcast to one batch shape."""
    first, second = a.shape[:-2], b.shape[:-2]
    if first.is_fully_defined() and first.as_list() == second.as_list():
        return a, b
    batch = broadcast_dynamic_shape(raw.Shape(a)[:-2], raw.Shape(b)[:-2])
    zeros = raw.Fill(concat([batch, [1, 1]], 0), convert_to_tensor(0, a.dtype.base_dtype))
    return a + zeros, b + zeros


class LinearOperator:
    """A matrix `[..., m, n]`, or a batch of them, by what it does to vectors.

    A class of one's own derives from this one and defines `_shape`, `_shape_tensor` and
    `_matmul(x, adjoint, adjoint_arg)`; all else follows by way of the dense matrix, or is defined
    where there is a quicker way: `_solve`, `_determinant`, `_log_abs_determinant`, `_to_dense`,
    `_diag_part`, `_trace`, `_add_to_tensor` and the assertions.

    What is known of the matrix is said by hints, which are promises and not checked: None stands
    for unknown.

    Args:
      dtype: of the matrix.
      graph_parents: tensors that it is made of.
      is_non_singular, is_self_adjoint, is_positive_definite, is_square: the hints.
      name: how scopes of ops begin.

    Raises:
      ValueError: if hints contradict each other.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.linalg.LinearOperatorDiag([1.0, 2.0])
    ...     print(x.matvec([3.0, 4.0]).numpy(), x.solvevec([3.0, 4.0]).numpy())
    [3. 8.] [3. 2.]
    """

    def __init__(
        self,
        dtype: Any,
        graph_parents: list[Any] | None = None,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str | None = None,
    ) -> None:
        if is_positive_definite:
            if is_non_singular is False:
                raise ValueError("A positive definite matrix is always non-singular.")
            is_non_singular = True
        for hint, words in (
            (is_non_singular, "A non-singular matrix is always square."),
            (is_self_adjoint, "A self-adjoint matrix is always square."),
        ):
            if hint:
                if is_square is False:
                    raise ValueError(words)
                is_square = True
        self._dtype = dtypes.as_dtype(dtype).base_dtype
        self._graph_parents = list(graph_parents or [])
        self._is_non_singular = is_non_singular
        self._is_self_adjoint = is_self_adjoint
        self._is_positive_definite = is_positive_definite
        self._is_square_hint = is_square
        self._name = name or type(self).__name__

    # -- what it is --------------------------------------------------------------------------------

    @property
    def dtype(self) -> Any:
        """The dtype of the matrix."""
        return self._dtype

    @property
    def name(self) -> str:
        """How scopes of its ops begin."""
        return self._name

    @property
    def graph_parents(self) -> list[Any]:
        """Tensors that it is made of."""
        return self._graph_parents

    @property
    def is_non_singular(self) -> bool | None:
        """Whether it has an inverse; None if that is not known."""
        return self._is_non_singular

    @property
    def is_self_adjoint(self) -> bool | None:
        """Whether it is its own adjoint; None if that is not known."""
        return self._is_self_adjoint

    @property
    def is_positive_definite(self) -> bool | None:
        """Whether `Re(x^H A x) > 0` for all x but 0; None if that is not known."""
        return self._is_positive_definite

    @property
    def is_square(self) -> bool | None:
        """Whether it is square; None if that is not known.

        Raises:
          ValueError: if it is, where the hint says that it is not.
        """
        square = self.domain_dimension == self.range_dimension
        if self._is_square_hint is False and square:
            raise ValueError("User set is_square hint to False, but the operator was square.")
        return square if self._is_square_hint is None else self._is_square_hint

    # -- shapes ------------------------------------------------------------------------------------

    def _shape(self) -> TensorShape:
        raise NotImplementedError("_shape is not implemented.")

    def _shape_tensor(self) -> Tensor:
        raise NotImplementedError("_shape_tensor is not implemented.")

    @property
    def shape(self) -> TensorShape:
        """The shape `[..., m, n]`, as far as it is known."""
        return self._shape()

    def shape_tensor(self, name: str = "shape_tensor") -> Tensor:
        """The shape, an int32 vector."""
        with self._scope(name):
            known = self.shape
            if known.is_fully_defined():
                return convert_to_tensor(np.array(known.as_list(), np.int32), name="shape")
            return self._shape_tensor()

    @property
    def batch_shape(self) -> TensorShape:
        """The shape without the two dimensions of the matrix."""
        return self.shape[:-2]

    def batch_shape_tensor(self, name: str = "batch_shape_tensor") -> Tensor:
        """The shape without the two dimensions of the matrix, an int32 vector."""
        with self._scope(name):
            return self.shape_tensor()[:-2]

    @property
    def tensor_rank(self) -> int | None:
        """The rank of the dense matrix, or None."""
        return self.shape.ndims

    def tensor_rank_tensor(self, name: str = "tensor_rank_tensor") -> Tensor:
        """The rank of the dense matrix, an int32 scalar."""
        with self._scope(name):
            return raw.Size(self.shape_tensor())

    @property
    def domain_dimension(self) -> Any:
        """The length n of vectors that it takes."""
        return self.shape[-1]

    def domain_dimension_tensor(self, name: str = "domain_dimension_tensor") -> Tensor:
        """The length of vectors that it takes, an int32 scalar."""
        with self._scope(name):
            return self.shape_tensor()[-1]

    @property
    def range_dimension(self) -> Any:
        """The length m of vectors that it gives."""
        return self.shape[-2]

    def range_dimension_tensor(self, name: str = "range_dimension_tensor") -> Tensor:
        """The length of vectors that it gives, an int32 scalar."""
        with self._scope(name):
            return self.shape_tensor()[-2]

    # -- assertions --------------------------------------------------------------------------------

    def assert_non_singular(self, name: str = "assert_non_singular") -> Any:
        """An assertion that it has an inverse."""
        with self._scope(name):
            return self._assert_non_singular()

    def _assert_non_singular(self) -> Any:
        if self._can_use_cholesky():
            return self._assert_positive_definite()
        values = svd(self._to_dense(), compute_uv=False)
        size = max(100, *(size or 0 for size in self.shape[-2:].as_list()))
        largest = 1.0 / (size * np.finfo(self.dtype.as_numpy_dtype).eps)
        condition = reduce_max(values, -1) / reduce_min(values, -1)
        limit = convert_to_tensor(largest, values.dtype)
        words = "Singular matrix up to precision epsilon."
        return assert_less(condition, limit, message=words)

    def assert_positive_definite(self, name: str = "assert_positive_definite") -> Any:
        """An assertion that it is positive definite, which self-adjoint ones have.

        Raises:
          NotImplementedError: if it is not known to be self-adjoint.
        """
        with self._scope(name):
            return self._assert_positive_definite()

    def _assert_positive_definite(self) -> Any:
        if not self.is_self_adjoint:
            raise NotImplementedError("assert_positive_definite is not implemented.")
        diagonal = matrix_diag_part(cholesky(self._to_dense()))
        return assert_positive(diagonal, message="Matrix was not positive definite.")

    def assert_self_adjoint(self, name: str = "assert_self_adjoint") -> Any:
        """An assertion that it is its own adjoint."""
        with self._scope(name):
            return self._assert_self_adjoint()

    def _assert_self_adjoint(self) -> Any:
        dense = self._to_dense()
        words = "Matrix was not equal to its adjoint."
        return assert_equal(dense, adjoint_of(dense), message=words)

    # -- products ----------------------------------------------------------------------------------

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        raise NotImplementedError("_matmul is not implemented.")

    def matmul(
        self, x: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "matmul"
    ) -> Tensor:
        """The product with a matrix.

        Args:
          x: tensor `[..., n, k]` of the operator's dtype.
          adjoint: whether the adjoint of the operator is multiplied.
          adjoint_arg: whether the adjoint of `x` is.
          name: scope of the ops.

        Returns: a tensor `[..., m, k]`.
        """
        with self._scope(name, x):
            x = self._converted(x, "x")
            size = dimension_at_index(self.shape, -2 if adjoint else -1)
            size.assert_is_compatible_with(x.shape[-1 if adjoint_arg else -2])
            return self._matmul(x, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def matvec(self, x: Any, adjoint: bool = False, name: str = "matvec") -> Tensor:
        """The product with a vector `[..., n]`: a vector `[..., m]`."""
        with self._scope(name, x):
            column = raw.ExpandDims(self._converted(x, "x"), -1)
            return self.matmul(column, adjoint=adjoint)[..., 0]

    # -- determinants ------------------------------------------------------------------------------

    def _must_be_square(self, what: str) -> None:
        if self.is_square is False:
            raise NotImplementedError(
                f"{what} not implemented for an operator that is expected to not be square."
            )

    def determinant(self, name: str = "det") -> Tensor:
        """The determinant, for each matrix of the batch."""
        self._must_be_square("Determinant")
        with self._scope(name):
            return self._determinant()

    def _determinant(self) -> Any:
        if self._can_use_cholesky():
            return exp(self._log_abs_determinant())
        return matrix_determinant(self._to_dense())

    def log_abs_determinant(self, name: str = "log_abs_det") -> Tensor:
        """The logarithm of the absolute value of the determinant."""
        self._must_be_square("Determinant")
        with self._scope(name):
            return self._log_abs_determinant()

    def _log_abs_determinant(self) -> Any:
        if self._can_use_cholesky():
            diagonal = matrix_diag_part(cholesky(self._to_dense()))
            return 2.0 * reduce_sum(log(diagonal), -1)
        return real(slogdet(self._to_dense())[1])

    # -- solutions ---------------------------------------------------------------------------------

    def solve(
        self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "solve"
    ) -> Tensor:
        """The matrix x for which `A x = rhs`.

        Args:
          rhs: tensor `[..., m, k]` of the operator's dtype.
          adjoint: whether the adjoint of the operator stands on the left.
          adjoint_arg: whether the adjoint of `rhs` stands on the right.
          name: scope of the ops.

        Returns: a tensor `[..., n, k]`.

        Raises:
          NotImplementedError: if the operator is known to be singular, or not square.
        """
        if self.is_non_singular is False:
            raise NotImplementedError(
                "Exact solve not implemented for an operator that is expected to be singular."
            )
        self._must_be_square("Exact solve")
        with self._scope(name, rhs):
            rhs = self._converted(rhs, "rhs")
            size = dimension_at_index(self.shape, -1 if adjoint else -2)
            size.assert_is_compatible_with(rhs.shape[-1 if adjoint_arg else -2])
            return self._solve(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        rhs = adjoint_of(rhs) if adjoint_arg else rhs
        dense, rhs = with_one_batch(self._to_dense(), rhs)
        if self._can_use_cholesky():
            return cholesky_solve(cholesky(dense), rhs)
        return matrix_solve(dense, rhs, adjoint=adjoint)

    def solvevec(self, rhs: Any, adjoint: bool = False, name: str = "solve") -> Tensor:
        """The vector x for which `A x = rhs`, a vector."""
        with self._scope(name, rhs):
            column = raw.ExpandDims(self._converted(rhs, "rhs"), -1)
            return self.solve(column, adjoint=adjoint)[..., 0]

    # -- parts -------------------------------------------------------------------------------------

    def to_dense(self, name: str = "to_dense") -> Tensor:
        """The matrix itself."""
        with self._scope(name):
            return self._to_dense()

    def _to_dense(self) -> Any:
        batch, size = self.batch_shape_tensor(), self.domain_dimension_tensor()
        return self._matmul(eye(size, batch_shape=batch, dtype=self.dtype))

    def diag_part(self, name: str = "diag_part") -> Tensor:
        """The numbers on the diagonal, `[..., min(m, n)]`."""
        with self._scope(name):
            return self._diag_part()

    def _diag_part(self) -> Any:
        return matrix_diag_part(self._to_dense())

    def trace(self, name: str = "trace") -> Tensor:
        """The sum of the numbers on the diagonal."""
        with self._scope(name):
            return self._trace()

    def _trace(self) -> Any:
        return reduce_sum(self._diag_part(), -1)

    def add_to_tensor(self, x: Any, name: str = "add_to_tensor") -> Tensor:
        """The sum of the matrix and a tensor of a shape that broadcasts with its own."""
        with self._scope(name, x):
            return self._add_to_tensor(self._converted(x, "x"))

    def _add_to_tensor(self, x: Tensor) -> Any:
        return self._to_dense() + x

    # -- helpers -----------------------------------------------------------------------------------

    def _scope(self, name: str, *values: Any) -> Any:
        return name_scope(f"{self._name}/{name}", values=[*values, *self._graph_parents])

    def _converted(self, value: Any, name: str) -> Tensor:
        tensor = convert_to_tensor(value, preferred_dtype=self._dtype, name=name)
        if tensor.dtype.base_dtype != self._dtype:
            raise TypeError(
                f"Expected argument to have dtype {self._dtype.name}.  Found: "
                f"{tensor.dtype.name} in tensor {name!r} of {self._name!r}. Use `hf.cast`."
            )
        return tensor

    def _can_use_cholesky(self) -> bool:
        return bool(
            self.is_self_adjoint and self.is_positive_definite and not self._dtype.is_complex
        )
