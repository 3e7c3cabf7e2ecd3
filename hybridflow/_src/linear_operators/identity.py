"""`LinearOperatorIdentity` and `LinearOperatorScaledIdentity`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import control_dependencies, name_scope
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.linear_operators.base import LinearOperator
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.reshaping import identity, reshape
from hybridflow._src.ops.checks.comparing import (
    assert_equal,
    assert_less,
    assert_non_negative,
    assert_positive,
)
from hybridflow._src.ops.checks.ranks import assert_rank
from hybridflow._src.ops.linalg.products import adjoint as adjoint_of
from hybridflow._src.ops.math.complex_numbers import conj, real
from hybridflow._src.ops.math.elementwise import abs
from hybridflow._src.ops.math.exponential import log

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["LinearOperatorIdentity", "LinearOperatorScaledIdentity"]


def _integers(value: Any, name: str, rank: int, checked: bool) -> Tensor:
    """An int32 scalar or vector of sizes.

    Args:
      checked: whether rank and sign are checked also where they are known only in a run.

    Raises:
      TypeError: for another dtype. ValueError: for another rank, or negative numbers.
    """
    # An empty list has numbers of no kind.
    is_empty = isinstance(value, list | tuple) and not value
    tensor = convert_to_tensor(value, dtypes.int32 if is_empty else None, name=name)
    if not tensor.dtype.is_integer:
        raise TypeError(f"Argument {name} must be integer, got {value} of {tensor.dtype.name}.")
    if tensor.shape.ndims not in (None, rank):
        raise ValueError(f"Argument {name} must be a {rank}-D Tensor, got {value}.")
    known = constant_value(tensor)
    if known is not None and (known < 0).any():
        raise ValueError(f"Argument {name} must be non-negative, got {value}.")
    if checked and known is None:
        words = f"Argument {name} must be"
        checks = [assert_rank(tensor, rank, message=f"{words} a {rank}-D Tensor.")]
        with control_dependencies([check for check in checks if check is not None]):
            checks.append(assert_non_negative(tensor, message=f"{words} non-negative."))
        with control_dependencies([check for check in checks if check is not None]):
            tensor = identity(tensor)
    is_int32 = tensor.dtype.base_dtype is dtypes.int32
    return tensor if is_int32 else raw.Cast(tensor, DstT=dtypes.int32)


class LinearOperatorScaledIdentity(LinearOperator):
    """The identity, multiplied by a number.

    Args:
      num_rows: how many rows and columns it has, an int32 scalar.
      multiplier: tensor `[...]` of numbers, one for each matrix of the batch.
      is_non_singular, is_self_adjoint, is_positive_definite, is_square: see `LinearOperator`.
      assert_proper_shapes: whether sizes of arguments are checked when they are computed.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.linalg.LinearOperatorScaledIdentity(2, 3.0)
    ...     print(x.matvec([1.0, 2.0]).numpy(), x.determinant().numpy())
    [3. 6.] 9.0
    """

    def __init__(
        self,
        num_rows: Any,
        multiplier: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = True,
        assert_proper_shapes: bool = False,
        name: str = "LinearOperatorScaledIdentity",
    ) -> None:
        with name_scope(name, values=[multiplier, num_rows]):
            self._multiplier = convert_to_tensor(multiplier, name="multiplier")
            self._num_rows = _integers(num_rows, "num_rows", 0, assert_proper_shapes)
        if is_square is False:
            raise ValueError("A ScaledIdentity operator is always square.")
        if not self._multiplier.dtype.is_complex:
            if is_self_adjoint is False:
                raise ValueError("A real diagonal operator is always self adjoint.")
            is_self_adjoint = True
        self._assert_proper_shapes = assert_proper_shapes
        super().__init__(
            self._multiplier.dtype,
            [self._multiplier, self._num_rows],
            is_non_singular,
            is_self_adjoint,
            is_positive_definite,
            True,
            name,
        )

    @property
    def multiplier(self) -> Tensor:
        """The numbers."""
        return self._multiplier

    def _shape(self) -> TensorShape:
        known = constant_value(self._num_rows)
        rows = None if known is None else int(known)
        return self._multiplier.shape.concatenate([rows, rows])

    def _shape_tensor(self) -> Tensor:
        rows = reshape(self._num_rows, [1])
        return concat([raw.Shape(self._multiplier), rows, rows], 0)

    def _wide(self, adjoint: bool = False) -> Any:
        factor = conj(self._multiplier) if adjoint else self._multiplier
        return raw.ExpandDims(raw.ExpandDims(factor, -1), -1)

    def _argument(self, x: Tensor, adjoint_arg: bool) -> Tensor:
        x = adjoint_of(x) if adjoint_arg else x
        if not self._assert_proper_shapes:
            return x
        check = assert_equal(
            raw.Shape(x)[-2], self._num_rows, message="Incompatible matrix dimensions."
        )
        with control_dependencies([] if check is None else [check]):
            return identity(x)

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._argument(x, adjoint_arg) * self._wide(adjoint)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._argument(rhs, adjoint_arg) / self._wide(adjoint)

    def _determinant(self) -> Any:
        return raw.Pow(self._multiplier, raw.Cast(self._num_rows, DstT=self.dtype))

    def _log_abs_determinant(self) -> Any:
        size = abs(self._multiplier)
        return log(size) * raw.Cast(self._num_rows, DstT=size.dtype.base_dtype)

    def _diag_part(self) -> Any:
        ones = raw.Fill(reshape(self._num_rows, [1]), convert_to_tensor(1, self.dtype))
        return raw.ExpandDims(self._multiplier, -1) * ones

    def _trace(self) -> Any:
        return self._multiplier * raw.Cast(self._num_rows, DstT=self.dtype)

    def _assert_non_singular(self) -> Any:
        size = abs(self._multiplier)
        zero = convert_to_tensor(0, size.dtype.base_dtype)
        return assert_less(zero, size, message="LinearOperator was singular")

    def _assert_self_adjoint(self) -> Any:
        words = "LinearOperator was not self-adjoint"
        return assert_equal(self._multiplier, conj(self._multiplier), message=words)

    def _assert_positive_definite(self) -> Any:
        words = "LinearOperator was not positive definite."
        return assert_positive(real(self._multiplier), message=words)


class LinearOperatorIdentity(LinearOperatorScaledIdentity):
    """The identity.

    Args:
      num_rows: how many rows and columns it has, an int32 scalar.
      batch_shape: shape of the batch, an int32 vector; one matrix by default.
      dtype: of the matrix; float32 by default.
      is_non_singular, is_self_adjoint, is_positive_definite, is_square: True, as they are.
      assert_proper_shapes: whether sizes of arguments are checked when they are computed.
      name: how scopes of ops begin.

    Raises:
      ValueError: if a hint is not True.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.linalg.LinearOperatorIdentity(2)
    ...     print(x.add_to_tensor([[1.0, 2.0], [3.0, 4.0]]).numpy())
    [[2. 2.]
     [3. 5.]]
    """

    def __init__(
        self,
        num_rows: Any,
        batch_shape: Any = None,
        dtype: Any = None,
        is_non_singular: bool | None = True,
        is_self_adjoint: bool | None = True,
        is_positive_definite: bool | None = True,
        is_square: bool | None = True,
        assert_proper_shapes: bool = False,
        name: str = "LinearOperatorIdentity",
    ) -> None:
        for hint, words in (
            (is_self_adjoint, "self adjoint"),
            (is_square, "square"),
            (is_non_singular, "non-singular"),
            (is_positive_definite, "positive-definite"),
        ):
            if not hint:
                raise ValueError(f"An identity operator is always {words}.")
        with name_scope(name, values=[num_rows, batch_shape]):
            shape = np.zeros(0, np.int32) if batch_shape is None else batch_shape
            one = convert_to_tensor(1, dtypes.as_dtype(dtype or dtypes.float32))
            ones = raw.Fill(_integers(shape, "batch_shape", 1, assert_proper_shapes), one)
        super().__init__(num_rows, ones, True, True, True, True, assert_proper_shapes, name)
