"""Bijectors of vectors: `Affine`, `AffineLinearOperator`, `Permute`, `SoftmaxCentered`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.distributions.bijector import Bijector, common_dtype
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import control_dependencies, name_scope
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.linear_operators.dense import (
    LinearOperatorFullMatrix,
    LinearOperatorLowerTriangular,
)
from hybridflow._src.linear_operators.diagonal import LinearOperatorDiag
from hybridflow._src.linear_operators.low_rank_update import LinearOperatorLowRankUpdate
from hybridflow._src.ops.arrays.arranging import invert_permutation, matrix_transpose
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.diagonal import matrix_band_part, matrix_diag, matrix_diag_part
from hybridflow._src.ops.arrays.gather import gather
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.reshaping import identity, reshape
from hybridflow._src.ops.math.arg_reductions import reduce_logsumexp
from hybridflow._src.ops.math.exponential import log
from hybridflow._src.ops.math.reductions import reduce_sum
from hybridflow._src.ops.nn.softmax import softmax

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.linear_operators.base import LinearOperator

__all__ = ["Affine", "AffineLinearOperator", "Permute", "SoftmaxCentered"]


def _on_vectors(method: Any, scale: LinearOperator, x: Tensor) -> Tensor:
    """A method of an operator, product or solution, for each of many vectors."""
    if scale.batch_shape.ndims != 0:
        return method(raw.ExpandDims(x, -1))[..., 0]
    # One matrix: all vectors are columns of one product.
    columns = reshape(x, [-1, raw.Shape(x)[-1]])
    result = reshape(matrix_transpose(method(matrix_transpose(columns))), raw.Shape(x))
    result.set_shape(x.shape)
    return result


class AffineLinearOperator(Bijector):
    """scale x + shift, where scale is a matrix.

    Args:
      shift: tensor `[..., k]`, or None for 0.
      scale: a `LinearOperator` `[..., k, k]` that has an inverse, or None for the identity.
      event_ndims: how many of the last dimensions are one event.
      validate_args: whether it is checked that the matrix has an inverse.
      name: how scopes of ops begin.

    Raises:
      TypeError: if the dtypes differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     scale = hf.linalg.LinearOperatorLowerTriangular([[2.0, 0.0], [1.0, 1.0]])
    ...     affine = hf.contrib.distributions.bijectors.AffineLinearOperator([1.0, 0.0], scale)
    ...     print(affine.forward([1.0, 1.0]).numpy(), affine.inverse([3.0, 2.0]).numpy())
    [3. 2.] [1. 1.]
    """

    def __init__(
        self,
        shift: Any = None,
        scale: LinearOperator | None = None,
        event_ndims: Any = 1,
        validate_args: bool = False,
        name: str = "affine_linear_operator",
    ) -> None:
        with name_scope(name, values=[shift]):
            dtype = None if scale is None else scale.dtype
            self._shift = None if shift is None else convert_to_tensor(shift, dtype, name="shift")
        self._scale = scale
        parents = [] if self._shift is None else [self._shift]
        if scale is not None:
            parents += scale.graph_parents
        if dtype is None and self._shift is not None:
            dtype = self._shift.dtype.base_dtype
        super().__init__(
            event_ndims=event_ndims,
            graph_parents=parents,
            is_constant_jacobian=True,
            validate_args=validate_args,
            dtype=dtype,
            name=name,
            forward_min_event_ndims=1,
        )

    @property
    def shift(self) -> Tensor | None:
        """What is added, or None."""
        return self._shift

    @property
    def scale(self) -> Any:
        """The matrix, or None."""
        return self._scale

    def _forward(self, x: Tensor) -> Any:
        y = x if self._scale is None else _on_vectors(self._scale.matmul, self._scale, x)
        return y if self._shift is None else y + self._shift

    def _inverse(self, y: Tensor) -> Any:
        x = y if self._shift is None else y - self._shift
        return x if self._scale is None else _on_vectors(self._scale.solve, self._scale, x)

    def _forward_log_det_jacobian(self, x: Tensor) -> Tensor:
        if self._scale is None:
            return convert_to_tensor(0.0, x.dtype.base_dtype)
        if not self.validate_args:
            return self._scale.log_abs_determinant()
        with control_dependencies([self._scale.assert_non_singular()]):
            return identity(self._scale.log_abs_determinant())


class Affine(AffineLinearOperator):
    """scale x + shift, where scale is a sum of a diagonal, a triangular and a thin matrix.

    `scale = scale_identity_multiplier I + diag(scale_diag) + scale_tril + F diag(d) F^T`, of what
    is given; the identity if nothing is.

    Args:
      shift: tensor `[..., k]`, or None for 0.
      scale_identity_multiplier: a number.
      scale_diag: tensor `[..., k]`.
      scale_tril: tensor `[..., k, k]`, of which what is above the diagonal is ignored.
      scale_perturb_factor: F, tensor `[..., k, r]`.
      scale_perturb_diag: d, tensor `[..., r]`; ones by default.
      event_ndims: how many of the last dimensions are one event.
      validate_args: whether it is checked that the matrix has an inverse.
      name: how scopes of ops begin.

    Raises:
      ValueError: if there is a `scale_perturb_diag` alone.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     affine = hf.contrib.distributions.bijectors.Affine([1.0, 0.0], scale_diag=[2.0, 3.0])
    ...     print(affine.forward([1.0, 1.0]).numpy())
    [3. 3.]
    """

    def __init__(
        self,
        shift: Any = None,
        scale_identity_multiplier: Any = None,
        scale_diag: Any = None,
        scale_tril: Any = None,
        scale_perturb_factor: Any = None,
        scale_perturb_diag: Any = None,
        event_ndims: Any = 1,
        validate_args: bool = False,
        name: str = "affine",
    ) -> None:
        if scale_perturb_diag is not None and scale_perturb_factor is None:
            raise ValueError(
                "When scale_perturb_diag is specified, scale_perturb_factor must be specified."
            )
        given = [scale_identity_multiplier, scale_diag, scale_tril, scale_perturb_factor]
        self._multiplier: Tensor | None = None
        scale: LinearOperator | None = None
        with name_scope(name, values=[shift, *given, scale_perturb_diag]):
            dtype = common_dtype(shift, *given)
            if shift is not None:
                shift = convert_to_tensor(shift, dtype, name="shift")
            if any(value is not None for value in given[1:]):
                scale = scale_operator(
                    shift,
                    scale_identity_multiplier,
                    scale_diag,
                    scale_tril,
                    scale_perturb_factor,
                    scale_perturb_diag,
                )
            elif scale_identity_multiplier is not None:
                self._multiplier = convert_to_tensor(given[0], dtype, name="multiplier")
        super().__init__(shift, scale, event_ndims, validate_args, name)
        if self._multiplier is not None:
            self._graph_parents.append(self._multiplier)

    @property
    def scale(self) -> Any:
        """The matrix; a number in place of its diagonal alone."""
        return self._scale if self._multiplier is None else self._multiplier

    def _forward(self, x: Tensor) -> Any:
        return super()._forward(x if self._multiplier is None else x * self._multiplier)

    def _inverse(self, y: Tensor) -> Any:
        x = super()._inverse(y)
        return x if self._multiplier is None else x / self._multiplier

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        if self._multiplier is None:
            return super()._forward_log_det_jacobian(x)
        return cast(raw.Shape(x)[-1], x.dtype.base_dtype) * log(raw.Abs(self._multiplier))


def scale_operator(
    loc: Any,
    identity_multiplier: Any,
    diag: Any,
    tril: Any,
    perturb_factor: Any = None,
    perturb_diag: Any = None,
) -> LinearOperator:
    """The sum of those matrices that are given, as an operator.

    Args:
      loc: tensor `[..., k]` that tells the size where nothing else does.
      identity_multiplier, diag, tril, perturb_factor, perturb_diag: as for `Affine`.
    """

    dtype = common_dtype(loc, identity_multiplier, diag, tril, perturb_factor, perturb_diag)

    def converted(value: Any, name: str) -> Any:
        return None if value is None else convert_to_tensor(value, dtype, name=name)

    tril, diag = converted(tril, "scale_tril"), converted(diag, "scale_diag")
    factor = converted(perturb_factor, "scale_perturb_factor")
    middle = converted(perturb_diag, "scale_perturb_diag")
    multiplier = converted(identity_multiplier, "scale_identity_multiplier")
    if multiplier is not None:
        multiplier = raw.ExpandDims(multiplier, -1)
        if diag is not None:
            diag = diag + multiplier
        elif tril is None:
            like = loc if factor is None else factor[..., 0]
            diag = raw.OnesLike(like) * multiplier
    elif diag is None and tril is None:
        diag = raw.OnesLike(loc if factor is None else factor[..., 0])
    base: LinearOperator
    if tril is not None:
        tril = matrix_band_part(tril, -1, 0)
        more = diag if diag is not None else multiplier
        if more is not None:
            tril = tril + matrix_diag(more + raw.ZerosLike(matrix_diag_part(tril)))
        base = LinearOperatorLowerTriangular(tril, is_non_singular=True)
    else:
        base = LinearOperatorDiag(diag, is_non_singular=True)
    if factor is None:
        return base
    if tril is None:
        return LinearOperatorLowRankUpdate(base, factor, middle, is_non_singular=True)
    thin = factor if middle is None else factor * raw.ExpandDims(middle, -2)
    product = raw.BatchMatMul(thin, matrix_transpose(factor))
    return LinearOperatorFullMatrix(tril + product, is_non_singular=True)


class Permute(Bijector):
    """Another order of the numbers of a vector.

    Args:
      permutation: int32 tensor `[k]`: where each number of the value is in the argument.
      validate_args: accepted; an index that is out of range is an error anyway.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     permute = hf.contrib.distributions.bijectors.Permute([2, 0, 1])
    ...     print(permute.forward([5, 6, 7]).numpy(), permute.inverse([7, 5, 6]).numpy())
    [7 5 6] [5 6 7]
    """

    def __init__(
        self, permutation: Any, validate_args: bool = False, name: str | None = None
    ) -> None:
        self._permutation = convert_to_tensor(permutation, name="permutation")
        super().__init__(
            event_ndims=1,
            graph_parents=[self._permutation],
            is_constant_jacobian=True,
            validate_args=validate_args,
            name=name or "permute",
            forward_min_event_ndims=1,
        )

    @property
    def permutation(self) -> Tensor:
        """Where each number of the value is in the argument."""
        return self._permutation

    def _forward(self, x: Tensor) -> Tensor:
        return gather(x, self._permutation, axis=-1)

    def _inverse(self, y: Tensor) -> Tensor:
        return gather(y, invert_permutation(self._permutation), axis=-1)

    def _forward_log_det_jacobian(self, x: Tensor) -> Tensor:
        return convert_to_tensor(0.0, x.dtype.base_dtype)


class SoftmaxCentered(Bijector):
    """The softmax of a vector to which a zero is appended: k numbers become k + 1 probabilities.

    Args:
      validate_args: accepted; there is nothing to check.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.contrib.distributions.bijectors.SoftmaxCentered().forward([0.0]).numpy())
    [0.5 0.5]
    """

    def __init__(self, validate_args: bool = False, name: str = "softmax_centered") -> None:
        super().__init__(
            event_ndims=1, validate_args=validate_args, name=name, forward_min_event_ndims=1
        )

    def _longer(self, shape: TensorShape, by: int) -> TensorShape:
        if shape.ndims is None:
            return shape
        *others, size = shape.as_list()
        return TensorShape([*others, None if size is None else size + by])

    def _forward_event_shape(self, input_shape: TensorShape) -> TensorShape:
        return self._longer(input_shape, 1)

    def _inverse_event_shape(self, output_shape: TensorShape) -> TensorShape:
        return self._longer(output_shape, -1)

    def _forward_event_shape_tensor(self, input_shape: Tensor) -> Tensor:
        return concat([input_shape[:-1], input_shape[-1:] + 1], 0)

    def _inverse_event_shape_tensor(self, output_shape: Tensor) -> Tensor:
        return concat([output_shape[:-1], output_shape[-1:] - 1], 0)

    def _forward(self, x: Tensor) -> Tensor:
        return softmax(concat([x, raw.ZerosLike(x[..., :1])], -1))

    def _inverse(self, y: Tensor) -> Any:
        logs = log(y)
        return logs[..., :-1] - logs[..., -1:]

    def _inverse_log_det_jacobian(self, y: Tensor) -> Any:
        # The determinant of diag(p) - p p^T over the first k numbers is the product of all k + 1.
        return -reduce_sum(log(y), -1)

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        largest = reduce_logsumexp(concat([x, raw.ZerosLike(x[..., :1])], -1), -1)
        return reduce_sum(x, -1) - (cast(raw.Shape(x)[-1], x.dtype.base_dtype) + 1.0) * largest
