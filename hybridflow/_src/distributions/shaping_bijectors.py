"""Bijectors of vectors and matrices: `Ordered`, `Reshape`, and those of triangular matrices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.distributions.bijector import Bijector
from hybridflow._src.distributions.composed_bijectors import Chain
from hybridflow._src.distributions.elementwise_bijectors import AffineScalar, Softplus
from hybridflow._src.distributions.triangles import (
    fill_triangular,
    fill_triangular_inverse,
    rows_of_triangle,
)
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.diagonal import matrix_diag_part, matrix_set_diag
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.linalg.cholesky import cholesky
from hybridflow._src.ops.linalg.products import matmul
from hybridflow._src.ops.linalg.systems import matrix_triangular_solve
from hybridflow._src.ops.math.cumulative import cumsum
from hybridflow._src.ops.math.exponential import exp, log, sqrt
from hybridflow._src.ops.math.reductions import reduce_sum

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "CholeskyOuterProduct",
    "FillTriangular",
    "MatrixInverseTriL",
    "Ordered",
    "Reshape",
    "ScaleTriL",
    "TransformDiagonal",
]


class Ordered(Bijector):
    """Increasing numbers as any numbers: the first one, and the logarithms of the distances.

    Args:
      validate_args: accepted; there is nothing to check.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     ordered = hf.contrib.distributions.bijectors.Ordered()
    ...     print(ordered.forward([3.0, 4.0, 5.0]).numpy(), ordered.inverse([1.0, 0.0]).numpy())
    [3. 0. 0.] [1. 2.]
    """

    def __init__(self, validate_args: bool = False, name: str = "ordered") -> None:
        super().__init__(validate_args=validate_args, name=name, forward_min_event_ndims=1)

    def _forward(self, x: Tensor) -> Tensor:
        return concat([x[..., :1], log(x[..., 1:] - x[..., :-1])], -1)

    def _inverse(self, y: Tensor) -> Tensor:
        return cumsum(concat([y[..., :1], exp(y[..., 1:])], -1), -1)

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        return -reduce_sum(log(x[..., 1:] - x[..., :-1]), -1)

    def _inverse_log_det_jacobian(self, y: Tensor) -> Any:
        return reduce_sum(y[..., 1:], -1)


class _Rearranging(Bijector):
    """A function that puts elements in other places: volumes stay as they are."""

    def _further(self, event_ndims: Any, least: int | None) -> int:
        super()._further(event_ndims, least)  # which checks it
        return 0  # the sum of zeros is zero

    def _forward_log_det_jacobian(self, x: Tensor) -> Tensor:
        return convert_to_tensor(0.0, x.dtype.base_dtype)

    def _inverse_log_det_jacobian(self, y: Tensor) -> Tensor:
        return convert_to_tensor(0.0, y.dtype.base_dtype)


class Reshape(_Rearranging):
    """Events in another shape.

    Args:
      event_shape_out: the shape of values, a list of integers or a constant vector; one of them may
        be -1, for what is left.
      event_shape_in: the shape of arguments, likewise; vectors by default.
      validate_args: accepted; shapes are always checked.
      name: how scopes of ops begin.

    Raises:
      ValueError: if the two hold different numbers of elements, or several sizes are -1. From its
        methods, for arguments of another shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     square = hf.contrib.distributions.bijectors.Reshape([2, 2])
    ...     print(square.forward([[1, 2, 3, 4]]).numpy().tolist())
    [[[1, 2], [3, 4]]]
    """

    def __init__(
        self,
        event_shape_out: Any,
        event_shape_in: Any = (-1,),
        validate_args: bool = False,
        name: str | None = None,
    ) -> None:
        self._out, self._in = _sizes(event_shape_out), _sizes(event_shape_in)
        if (
            -1 not in self._out
            and -1 not in self._in
            and math.prod(self._out) != math.prod(self._in)
        ):
            raise ValueError(
                f"Input/output sizes do not match: events of shape {self._in} have no other number "
                f"of elements than those of shape {self._out}."
            )
        super().__init__(
            is_constant_jacobian=True,
            validate_args=validate_args,
            name=name or "reshape",
            forward_min_event_ndims=len(self._in),
            inverse_min_event_ndims=len(self._out),
        )

    def _forward(self, x: Tensor) -> Tensor:
        return _reshaped(x, self._in, self._out)

    def _inverse(self, y: Tensor) -> Tensor:
        return _reshaped(y, self._out, self._in)

    def _forward_event_shape(self, input_shape: TensorShape) -> TensorShape:
        return _shape_after(input_shape, self._in, self._out)

    def _inverse_event_shape(self, output_shape: TensorShape) -> TensorShape:
        return _shape_after(output_shape, self._out, self._in)

    def _forward_event_shape_tensor(self, input_shape: Tensor) -> Tensor:
        return _sizes_after(input_shape, self._in, self._out)

    def _inverse_event_shape_tensor(self, output_shape: Tensor) -> Tensor:
        return _sizes_after(output_shape, self._out, self._in)


def _sizes(shape: Any) -> list[int]:
    found = constant_value(convert_to_tensor(shape, dtypes.int32))
    if found is None or found.ndim != 1:
        raise ValueError(f"A shape of events must be a known vector of sizes, got {shape!r:.200}.")
    sizes: list[int] = found.tolist()
    if min(sizes, default=0) < -1 or sizes.count(-1) > 1:
        raise ValueError(f"Sizes of events are from 0 on, and one may be -1: got {sizes}.")
    return sizes


def _check(shape: TensorShape, expected: list[int]) -> None:
    if shape.ndims is None:
        return
    count = len(expected)
    found = shape.as_list()[shape.ndims - count :] if shape.ndims >= count else None
    if found is None or any(
        size not in (-1, other) and other is not None
        for size, other in zip(expected, found, strict=True)
    ):
        raise ValueError(f"Expected events of shape {expected}, got a tensor of shape {shape}.")


def _reshaped(x: Tensor, before: list[int], after: list[int]) -> Tensor:
    _check(x.shape, before)
    return reshape(
        x, concat([raw.Shape(x)[: raw.Rank(x) - len(before)], np.array(after, np.int32)], 0)
    )


def _shape_after(shape: TensorShape, before: list[int], after: list[int]) -> TensorShape:
    _check(shape, before)
    if shape.ndims is None:
        return shape
    batch, event = shape.as_list()[: shape.ndims - len(before)], shape.as_list()
    event = event[shape.ndims - len(before) :]
    others = math.prod(size for size in after if size != -1)
    rest = TensorShape(event).num_elements()
    rest = None if rest is None or not others else rest // others
    return TensorShape([*batch, *[rest if size == -1 else size for size in after]])


def _sizes_after(shape: Tensor, before: list[int], after: list[int]) -> Tensor:
    event = shape[raw.Size(shape) - len(before) :]
    others = max(math.prod(size for size in after if size != -1), 1)
    rest = raw.Prod(event, 0) // others
    sizes = [rest if size == -1 else size for size in after]
    last = raw.Pack(sizes, axis=0) if sizes else convert_to_tensor([], dtypes.int32)
    return concat([shape[: raw.Size(shape) - len(before)], last], 0)


class FillTriangular(_Rearranging):
    """Vectors as triangular matrices: see `fill_triangular`.

    Args:
      upper: whether the upper triangle is filled; the lower one by default.
      validate_args: accepted; there is nothing to check.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     fill = hf.contrib.distributions.bijectors.FillTriangular()
    ...     print(fill.forward([1.0, 2.0, 3.0]).numpy().tolist())
    [[3.0, 0.0], [2.0, 1.0]]
    """

    def __init__(
        self, upper: bool = False, validate_args: bool = False, name: str = "fill_triangular"
    ) -> None:
        self._upper = upper
        super().__init__(
            is_constant_jacobian=True,
            validate_args=validate_args,
            name=name,
            forward_min_event_ndims=1,
            inverse_min_event_ndims=2,
        )

    def _forward(self, x: Tensor) -> Tensor:
        return fill_triangular(x, self._upper)

    def _inverse(self, y: Tensor) -> Tensor:
        return fill_triangular_inverse(y, self._upper)

    def _forward_event_shape(self, input_shape: TensorShape) -> TensorShape:
        if input_shape.ndims is None:
            return input_shape
        *batch, size = input_shape.as_list()
        n = None if size is None else rows_of_triangle(size)
        return TensorShape([*batch, n, n])

    def _inverse_event_shape(self, output_shape: TensorShape) -> TensorShape:
        if output_shape.ndims is None:
            return output_shape
        *batch, _, n = output_shape.as_list()
        return TensorShape([*batch, None if n is None else n * (n + 1) // 2])

    def _forward_event_shape_tensor(self, input_shape: Tensor) -> Tensor:
        count = cast(1 + 8 * input_shape[-1], dtypes.float64)
        n = cast(0.5 * (sqrt(count) - 1.0), dtypes.int32)
        return concat([input_shape[:-1], raw.Pack([n, n], axis=0)], 0)

    def _inverse_event_shape_tensor(self, output_shape: Tensor) -> Tensor:
        n = output_shape[-1]
        return concat([output_shape[:-2], raw.Pack([n * (n + 1) // 2], axis=0)], 0)


class _OfMatrices(Bijector):
    """A function of matrices whose diagonals tell how volumes change."""

    def __init__(self, validate_args: bool, name: str, **options: Any) -> None:
        super().__init__(
            validate_args=validate_args, name=name, forward_min_event_ndims=2, **options
        )


class CholeskyOuterProduct(_OfMatrices):
    """X X^T of lower triangular matrices X with positive diagonals.

    Its inverse is Cholesky's factor.

    Args:
      validate_args: accepted; there is nothing to check.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     outer = hf.contrib.distributions.bijectors.CholeskyOuterProduct()
    ...     print(outer.forward([[1.0, 0.0], [2.0, 1.0]]).numpy().tolist())
    [[1.0, 2.0], [2.0, 5.0]]
    """

    def __init__(self, validate_args: bool = False, name: str = "cholesky_outer_product") -> None:
        super().__init__(validate_args, name)

    def _forward(self, x: Tensor) -> Tensor:
        return matmul(x, x, adjoint_b=True)

    def _inverse(self, y: Tensor) -> Tensor:
        return cholesky(y)

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        # Of the symmetric matrix the lower triangle counts: 2^n prod X_ii^(n - i), i from 0.
        diagonal = matrix_diag_part(x)
        n = cast(raw.Shape(x)[-1], x.dtype.base_dtype)
        powers = n - cast(raw.Range(0, raw.Shape(x)[-1], 1), x.dtype.base_dtype)
        return n * math.log(2.0) + reduce_sum(powers * log(diagonal), -1)


class MatrixInverseTriL(_OfMatrices):
    """The inverse of lower triangular matrices.

    Args:
      validate_args: accepted; there is nothing to check.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     invert = hf.contrib.distributions.bijectors.MatrixInverseTriL()
    ...     print(invert.forward([[1.0, 0.0], [2.0, 1.0]]).numpy().tolist())
    [[1.0, 0.0], [-2.0, 1.0]]
    """

    def __init__(self, validate_args: bool = False, name: str = "matrix_inverse_tril") -> None:
        super().__init__(validate_args, name)

    def _forward(self, x: Tensor) -> Tensor:
        ones = raw.OnesLike(matrix_diag_part(x))
        return matrix_triangular_solve(x, matrix_set_diag(raw.ZerosLike(x), ones), lower=True)

    def _inverse(self, y: Tensor) -> Tensor:
        return self._forward(y)

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        n = cast(raw.Shape(x)[-1], x.dtype.base_dtype)
        return -(n + 1.0) * reduce_sum(log(abs(matrix_diag_part(x))), -1)


class TransformDiagonal(_OfMatrices):
    """Matrices whose diagonals go through a bijector.

    Args:
      diag_bijector: the bijector, of vectors or single numbers.
      validate_args: accepted; there is nothing to check.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> bijectors = hf.contrib.distributions.bijectors
    >>> with hf.eager_mode():
    ...     transform = bijectors.TransformDiagonal(bijectors.Square())
    ...     print(transform.forward([[3.0, 1.0], [1.0, 2.0]]).numpy().tolist())
    [[9.0, 1.0], [1.0, 4.0]]
    """

    def __init__(
        self,
        diag_bijector: Bijector,
        validate_args: bool = False,
        name: str = "transform_diagonal",
    ) -> None:
        self._of_diagonal = diag_bijector
        super().__init__(
            validate_args,
            name,
            graph_parents=diag_bijector.graph_parents,
            dtype=diag_bijector.dtype,
        )

    def _forward(self, x: Tensor) -> Tensor:
        return matrix_set_diag(x, self._of_diagonal.forward(matrix_diag_part(x)))

    def _inverse(self, y: Tensor) -> Tensor:
        return matrix_set_diag(y, self._of_diagonal.inverse(matrix_diag_part(y)))

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        found = self._of_diagonal.forward_log_det_jacobian(matrix_diag_part(x), event_ndims=1)
        return found + raw.ZerosLike(x[..., 0, 0])

    def _inverse_log_det_jacobian(self, y: Tensor) -> Any:
        found = self._of_diagonal.inverse_log_det_jacobian(matrix_diag_part(y), event_ndims=1)
        return found + raw.ZerosLike(y[..., 0, 0])


class ScaleTriL(Chain):
    """Vectors as lower triangular matrices with positive diagonals.

    Args:
      diag_bijector: makes numbers positive; `Softplus()` by default.
      diag_shift: what is added to the diagonals, so that they have an inverse; or None.
      validate_args: accepted; there is nothing to check.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> bijectors = hf.contrib.distributions.bijectors
    >>> with hf.eager_mode():
    ...     scale = bijectors.ScaleTriL(diag_bijector=bijectors.Exp(), diag_shift=None)
    ...     print(scale.forward([0.0, 2.0, 0.0]).numpy().tolist())
    [[1.0, 0.0], [2.0, 1.0]]
    """

    def __init__(
        self,
        diag_bijector: Bijector | None = None,
        diag_shift: Any = 1e-5,
        validate_args: bool = False,
        name: str = "scale_tril",
    ) -> None:
        if diag_bijector is None:
            diag_bijector = Softplus(validate_args=validate_args)
        if diag_shift is not None:
            diag_bijector = Chain([AffineScalar(shift=diag_shift), diag_bijector])
        super().__init__([TransformDiagonal(diag_bijector), FillTriangular()], validate_args, name)
