"""Vectors of independent numbers, each scaled and moved: `VectorLaplaceDiag`, and exponential."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.distributions.affine_bijectors import AffineLinearOperator, scale_operator
from hybridflow._src.distributions.gamma import Exponential
from hybridflow._src.distributions.laplace import Laplace
from hybridflow._src.distributions.supports import floats
from hybridflow._src.distributions.transformed import TransformedDistribution
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.diagonal import matrix_diag
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.shape_ops import broadcast_dynamic_shape
from hybridflow._src.ops.math.elementwise import square
from hybridflow._src.ops.math.exponential import sqrt

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.distributions.distribution import Distribution

__all__ = ["VectorExponentialDiag", "VectorLaplaceDiag"]


class _VectorDiag(TransformedDistribution):
    """`scale z + loc` for vectors z of independent numbers, where `scale` is a diagonal."""

    _of_one: Callable[[Any], Distribution]
    # Mean and variance of one number.
    _moments: tuple[float, float]

    def __init__(
        self,
        loc: Any,
        scale_diag: Any,
        scale_identity_multiplier: Any,
        validate_args: bool,
        allow_nan_stats: bool,
        name: str,
        parameters: dict[str, Any],
    ) -> None:
        if loc is None and scale_diag is None:
            raise ValueError("Nothing tells the size: give `loc` or `scale_diag`.")
        with name_scope(name, values=[loc, scale_diag, scale_identity_multiplier]):
            loc = None if loc is None else floats(loc, "loc")
            scale: Any = scale_operator(loc, scale_identity_multiplier, scale_diag, None)
            batch: Any = scale.batch_shape_tensor()
            if loc is not None:
                batch = broadcast_dynamic_shape(raw.Shape(loc)[:-1], batch)
            super().__init__(
                type(self)._of_one(scale.dtype),
                AffineLinearOperator(loc, scale, validate_args=validate_args),
                batch,
                raw.Reshape(scale.range_dimension_tensor(), [1]),
                validate_args,
                name,
                parameters,
            )
        self._allow_nan_stats = allow_nan_stats
        self._loc, self._operator = loc, scale

    @property
    def loc(self) -> Any:
        """What is added, or None."""
        return self._loc

    @property
    def scale(self) -> Any:
        """The matrix, a `LinearOperator`."""
        return self._operator

    def _zeros(self) -> Any:
        shape = concat([self.batch_shape_tensor(), self.event_shape_tensor()], 0)
        return raw.Fill(shape, convert_to_tensor(0, self.dtype))

    def _mean(self) -> Any:
        middle = self._zeros() if self._loc is None else self._zeros() + self._loc
        mean = self._moments[0]
        return middle + mean * self._operator.diag_part() if mean else middle

    def _mode(self) -> Any:
        # Both densities are the largest at 0.
        return self._zeros() if self._loc is None else self._zeros() + self._loc

    def _variance(self) -> Any:
        return self._moments[1] * square(self._operator.diag_part()) + self._zeros()

    def _stddev(self) -> Any:
        return sqrt(self._variance())

    def _covariance(self) -> Any:
        return matrix_diag(self._variance())


class VectorLaplaceDiag(_VectorDiag):
    """Vectors of independent numbers of `Laplace(0, 1)`, scaled and moved.

    Args:
      loc: tensor `[..., k]` of means, of a floating dtype; 0 by default.
      scale_diag: tensor `[..., k]`; ones, if there is no `scale_identity_multiplier` either.
      scale_identity_multiplier: tensor `[...]`, added to it.
      validate_args: whether it is checked that no scale is 0.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    Raises:
      ValueError: if nothing tells the size k.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.VectorLaplaceDiag([1.0, 2.0], [1.0, 3.0])
    ...     print(x.mean().numpy(), x.variance().numpy())
    [1. 2.] [ 2. 18.]
    """

    _moments = (0.0, 2.0)

    @staticmethod
    def _of_one(dtype: Any) -> Distribution:
        return Laplace(convert_to_tensor(0.0, dtype), convert_to_tensor(1.0, dtype))

    def __init__(
        self,
        loc: Any = None,
        scale_diag: Any = None,
        scale_identity_multiplier: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "VectorLaplaceDiag",
    ) -> None:
        own = locals()
        super().__init__(
            loc, scale_diag, scale_identity_multiplier, validate_args, allow_nan_stats, name, own
        )


class VectorExponentialDiag(_VectorDiag):
    """Vectors of independent numbers of `Exponential(1)`, scaled and moved.

    Args:
      loc, scale_diag, scale_identity_multiplier, validate_args, allow_nan_stats, name: as for
        `VectorLaplaceDiag`; `loc` is where each number begins.

    Raises:
      ValueError: if nothing tells the size k.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.VectorExponentialDiag([1.0, 2.0], [1.0, 3.0])
    ...     print(x.mean().numpy(), x.variance().numpy())
    [2. 5.] [1. 9.]
    """

    _moments = (1.0, 1.0)

    @staticmethod
    def _of_one(dtype: Any) -> Distribution:
        return Exponential(convert_to_tensor(1.0, dtype))

    def __init__(
        self,
        loc: Any = None,
        scale_diag: Any = None,
        scale_identity_multiplier: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "VectorExponentialDiag",
    ) -> None:
        own = locals()
        super().__init__(
            loc, scale_diag, scale_identity_multiplier, validate_args, allow_nan_stats, name, own
        )
