"""Normal distributions of vectors: `MultivariateNormalDiag` and its kin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.distributions.affine_bijectors import AffineLinearOperator, scale_operator
from hybridflow._src.distributions.kullback_leibler import RegisterKL
from hybridflow._src.distributions.normal import Normal
from hybridflow._src.distributions.supports import after, floats
from hybridflow._src.distributions.transformed import TransformedDistribution
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.linear_operators.diagonal import LinearOperatorDiag
from hybridflow._src.ops.arrays.arranging import matrix_transpose
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.diagonal import matrix_diag
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.shape_ops import broadcast_dynamic_shape, broadcast_static_shape
from hybridflow._src.ops.checks.comparing import assert_near
from hybridflow._src.ops.linalg.cholesky import cholesky
from hybridflow._src.ops.math.elementwise import square
from hybridflow._src.ops.math.exponential import sqrt
from hybridflow._src.ops.math.reductions import reduce_sum
from hybridflow._src.ops.nn.activations import softplus

if TYPE_CHECKING:
    from hybridflow._src.linear_operators.base import LinearOperator

__all__ = [
    "MultivariateNormalDiag",
    "MultivariateNormalDiagPlusLowRank",
    "MultivariateNormalDiagWithSoftplusScale",
    "MultivariateNormalFullCovariance",
    "MultivariateNormalLinearOperator",
    "MultivariateNormalTriL",
]


class MultivariateNormalLinearOperator(TransformedDistribution):
    """The normal distribution of vectors `scale z + loc`, where z is of independent numbers.

    Its covariance is `scale scale^T`.

    Args:
      loc: tensor `[..., k]` of means, of a floating dtype; 0 by default.
      scale: a `LinearOperator` `[..., k, k]` that has an inverse.
      validate_args: whether it is checked that it has.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.
      parameters: the arguments of a derived class, for `copy`.

    Raises:
      ValueError: if there is no `scale`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.MultivariateNormalLinearOperator(
    ...         scale=hf.linalg.LinearOperatorDiag([1.0, 2.0]))
    ...     print(x.log_prob([0.0, 0.0]).numpy().round(4), x.stddev().numpy())
    -2.531 [1. 2.]
    """

    def __init__(
        self,
        loc: Any = None,
        scale: LinearOperator | None = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "MultivariateNormalLinearOperator",
        parameters: dict[str, Any] | None = None,
    ) -> None:
        own = locals() if parameters is None else parameters
        if scale is None:
            raise ValueError("Missing required `scale` parameter.")
        with name_scope(name, values=[loc, *scale.graph_parents]):
            dtype = scale.dtype
            if loc is not None:
                loc = convert_to_tensor(loc, dtype, name="loc")
            batch, size = scale.batch_shape_tensor(), scale.range_dimension_tensor()
            static = scale.batch_shape
            if loc is not None:
                batch = broadcast_dynamic_shape(raw.Shape(loc)[:-1], batch)
                static = broadcast_static_shape(loc.shape[:-1], static)
            if static.is_fully_defined():
                batch = convert_to_tensor(static.as_list(), dtypes.int32)
            known = scale.range_dimension.value
            event = raw.Reshape(size, [1]) if known is None else [known]
            super().__init__(
                Normal(convert_to_tensor(0.0, dtype), convert_to_tensor(1.0, dtype)),
                AffineLinearOperator(loc, scale, validate_args=validate_args),
                batch,
                event,
                validate_args,
                name,
                own,
            )
        self._allow_nan_stats = allow_nan_stats
        self._loc, self._operator = loc, scale

    @property
    def loc(self) -> Any:
        """The means, or None."""
        return self._loc

    @property
    def scale(self) -> Any:
        """The matrix, a `LinearOperator`."""
        return self._operator

    def _zeros(self, *more: Any) -> Any:
        shape = concat([self.batch_shape_tensor(), self.event_shape_tensor(), *more], 0)
        return raw.Fill(shape, convert_to_tensor(0, self.dtype))

    def _mean(self) -> Any:
        return self._zeros() if self._loc is None else self._zeros() + self._loc

    def _mode(self) -> Any:
        return self._mean()

    def _covariance(self) -> Any:
        if isinstance(self._operator, LinearOperatorDiag):
            covariance: Any = matrix_diag(square(self._operator.diag_part()))
        else:
            dense = self._operator.to_dense()
            covariance = raw.BatchMatMul(dense, matrix_transpose(dense))
        return covariance + self._zeros(self.event_shape_tensor())

    def _variance(self) -> Any:
        if isinstance(self._operator, LinearOperatorDiag):
            return square(self._operator.diag_part()) + self._zeros()
        return reduce_sum(square(self._operator.to_dense()), -1) + self._zeros()

    def _stddev(self) -> Any:
        if isinstance(self._operator, LinearOperatorDiag):
            return abs(self._operator.diag_part()) + self._zeros()
        return sqrt(self._variance())


class MultivariateNormalDiag(MultivariateNormalLinearOperator):
    """The normal distribution of vectors of independent numbers.

    Args:
      loc: tensor `[..., k]` of means, of a floating dtype; 0 by default.
      scale_diag: tensor `[..., k]` of standard deviations, nowhere 0.
      scale_identity_multiplier: tensor `[...]`, which is added to them, or stands for all of them.
      validate_args: whether it is checked that they are not 0.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    Raises:
      ValueError: if nothing tells the size k.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.MultivariateNormalDiag([1.0, -1.0], [1.0, 2.0])
    ...     y = hf.contrib.distributions.MultivariateNormalDiag(scale_diag=[1.0, 1.0])
    ...     print(x.batch_shape, x.event_shape, x.prob([1.0, -1.0]).numpy().round(4))
    ...     print(hf.contrib.distributions.kl_divergence(x, y).numpy().round(4))
    () (2,) 0.0796
    1.8069
    """

    def __init__(
        self,
        loc: Any = None,
        scale_diag: Any = None,
        scale_identity_multiplier: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "MultivariateNormalDiag",
        parameters: dict[str, Any] | None = None,
    ) -> None:
        own = locals() if parameters is None else parameters
        if loc is None and scale_diag is None:
            raise ValueError("Either `loc` or `scale_diag` must be specified: they tell the size.")
        with name_scope(name, values=[loc, scale_diag, scale_identity_multiplier]):
            if loc is not None:
                loc = floats(loc, "loc")
            scale = scale_operator(loc, scale_identity_multiplier, scale_diag, None)
        super().__init__(loc, scale, validate_args, allow_nan_stats, name, own)


class MultivariateNormalDiagWithSoftplusScale(MultivariateNormalDiag):
    """A `MultivariateNormalDiag` whose standard deviations are the softplus of what is given.

    Args:
      loc: tensor `[..., k]` of means.
      scale_diag: tensor `[..., k]`; its softplus is the deviations.
      validate_args, allow_nan_stats, name: as for `MultivariateNormalDiag`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.MultivariateNormalDiagWithSoftplusScale([0.0], [0.0])
    ...     print(x.stddev().numpy().round(4))
    [0.6931]
    """

    def __init__(
        self,
        loc: Any,
        scale_diag: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "MultivariateNormalDiagWithSoftplusScale",
    ) -> None:
        own = locals()
        with name_scope(name, values=[scale_diag]):
            deviations = softplus(scale_diag)
        super().__init__(loc, deviations, None, validate_args, allow_nan_stats, name, own)


class MultivariateNormalTriL(MultivariateNormalLinearOperator):
    """The normal distribution of vectors whose covariance is `scale_tril scale_tril^T`.

    Args:
      loc: tensor `[..., k]` of means, of a floating dtype; 0 by default.
      scale_tril: tensor `[..., k, k]`, nowhere 0 on its diagonal; what is above it is ignored. The
        identity by default.
      validate_args: whether it is checked that the matrix has an inverse.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    Raises:
      ValueError: if both are None.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.MultivariateNormalTriL(
    ...         [0.0, 0.0], [[1.0, 0.0], [1.0, 2.0]])
    ...     print(x.covariance().numpy().tolist())
    [[1.0, 1.0], [1.0, 5.0]]
    """

    def __init__(
        self,
        loc: Any = None,
        scale_tril: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "MultivariateNormalTriL",
        parameters: dict[str, Any] | None = None,
    ) -> None:
        own = locals() if parameters is None else parameters
        if loc is None and scale_tril is None:
            raise ValueError("Must specify one or both of `loc`, `scale_tril`.")
        with name_scope(name, values=[loc, scale_tril]):
            if loc is not None:
                loc = floats(loc, "loc")
            scale = scale_operator(loc, None, None, scale_tril)
        super().__init__(loc, scale, validate_args, allow_nan_stats, name, own)


class MultivariateNormalFullCovariance(MultivariateNormalTriL):
    """The normal distribution of vectors, by its covariance.

    Args:
      loc: tensor `[..., k]` of means, of a floating dtype; 0 by default.
      covariance_matrix: tensor `[..., k, k]`, symmetric and positive definite; the identity by
        default.
      validate_args: whether it is checked that it is symmetric.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.MultivariateNormalFullCovariance(
    ...         covariance_matrix=[[4.0, 2.0], [2.0, 2.0]])
    ...     print(x.variance().numpy())
    [4. 2.]
    """

    def __init__(
        self,
        loc: Any = None,
        covariance_matrix: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "MultivariateNormalFullCovariance",
    ) -> None:
        own = locals()
        with name_scope(name, values=[loc, covariance_matrix]):
            scale_tril = None
            if covariance_matrix is not None:
                covariance = convert_to_tensor(covariance_matrix, name="covariance_matrix")
                if validate_args:
                    words = "Matrix was not symmetric."
                    turned = matrix_transpose(covariance)
                    check = assert_near(covariance, turned, message=words)
                    covariance = after([check], covariance)
                scale_tril = cholesky(covariance)
        super().__init__(loc, scale_tril, validate_args, allow_nan_stats, name, own)


class MultivariateNormalDiagPlusLowRank(MultivariateNormalLinearOperator):
    """The normal distribution of vectors whose scale is a diagonal and a thin matrix.

    `scale = diag(scale_diag + scale_identity_multiplier) + F diag(d) F^T`.

    Args:
      loc: tensor `[..., k]` of means, of a floating dtype; 0 by default.
      scale_diag: tensor `[..., k]`; ones, if there is no `scale_identity_multiplier` either.
      scale_identity_multiplier: tensor `[...]`.
      scale_perturb_factor: F, tensor `[..., k, r]`.
      scale_perturb_diag: d, tensor `[..., r]`; ones by default.
      validate_args: whether it is checked that the matrix has an inverse.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    Raises:
      ValueError: if nothing tells the size k.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.MultivariateNormalDiagPlusLowRank(
    ...         scale_diag=[1.0, 1.0], scale_perturb_factor=[[1.0], [1.0]])
    ...     print(x.scale.to_dense().numpy().tolist())
    [[2.0, 1.0], [1.0, 2.0]]
    """

    def __init__(
        self,
        loc: Any = None,
        scale_diag: Any = None,
        scale_identity_multiplier: Any = None,
        scale_perturb_factor: Any = None,
        scale_perturb_diag: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "MultivariateNormalDiagPlusLowRank",
    ) -> None:
        own = locals()
        if loc is None and scale_diag is None and scale_perturb_factor is None:
            raise ValueError("Nothing tells the size: give `loc`, a diagonal or a factor.")
        values = [scale_diag, scale_identity_multiplier, scale_perturb_factor, scale_perturb_diag]
        with name_scope(name, values=[loc, *values]):
            if loc is not None:
                loc = floats(loc, "loc")
            scale = scale_operator(
                loc,
                scale_identity_multiplier,
                scale_diag,
                None,
                scale_perturb_factor,
                scale_perturb_diag,
            )
        super().__init__(loc, scale, validate_args, allow_nan_stats, name, own)


@RegisterKL(MultivariateNormalLinearOperator, MultivariateNormalLinearOperator)
def _divergence(
    a: MultivariateNormalLinearOperator,
    b: MultivariateNormalLinearOperator,
    name: str | None = None,
) -> Any:
    parents = [*a.scale.graph_parents, *b.scale.graph_parents]
    with name_scope(name, "kl_mvn", [a.loc, b.loc, *parents]):
        if isinstance(a.scale, LinearOperatorDiag) and isinstance(b.scale, LinearOperatorDiag):
            ratio: Any = reduce_sum(square(a.scale.diag_part() / b.scale.diag_part()), -1)
        else:
            ratio = reduce_sum(square(b.scale.solve(a.scale.to_dense())), [-2, -1])
        apart = b.mean() - a.mean()
        distance = reduce_sum(square(b.scale.solve(raw.ExpandDims(apart, -1))), [-2, -1])
        k = cast(a.scale.domain_dimension_tensor(), a.dtype)
        logs = b.scale.log_abs_determinant() - a.scale.log_abs_determinant()
        return logs + 0.5 * (ratio + distance - k)
