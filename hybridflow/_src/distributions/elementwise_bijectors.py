"""Bijectors of single numbers: `Exp`, `Softplus`, `Sigmoid`, `AffineScalar` and their kin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.distributions.bijector import Bijector, common_dtype
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.reshaping import identity
from hybridflow._src.ops.math.elementwise import square
from hybridflow._src.ops.math.exponential import exp, expm1, log, log1p, sigmoid, sqrt
from hybridflow._src.ops.nn.activations import softplus

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "AffineScalar",
    "Exp",
    "PowerTransform",
    "Sigmoid",
    "Softplus",
    "Softsign",
    "Square",
    "softplus_inverse",
]


class Elementwise(Bijector):
    """A function of each number by itself."""

    def __init__(
        self,
        event_ndims: Any,
        validate_args: bool,
        name: str,
        graph_parents: list[Any] | None = None,
        is_constant_jacobian: bool = False,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            event_ndims=event_ndims,
            graph_parents=graph_parents,
            is_constant_jacobian=is_constant_jacobian,
            validate_args=validate_args,
            dtype=dtype,
            name=name,
            forward_min_event_ndims=0,
        )


def softplus_inverse(x: Any, name: str | None = None) -> Tensor:
    """The number whose softplus is x: log(exp(x) - 1), without loss for small and large x.

    Args:
      x: tensor of positive numbers, of a floating dtype.
      name: name of the op.

    Returns: a tensor of the dtype and shape of `x`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.softplus_inverse([0.5, 1.0, 100.0])
    ...     print(hf.nn.softplus(x).numpy())
    [  0.5   1.  100. ]
    """
    x = convert_to_tensor(x, name="x")
    return identity(x + log(-expm1(-x)), name=name or "softplus_inverse")


class Exp(Elementwise):
    """The exponential function.

    Args:
      event_ndims: how many of the last dimensions are one event.
      validate_args: accepted; there is nothing to check.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     exp = hf.contrib.distributions.bijectors.Exp(event_ndims=1)
    ...     x = hf.constant([[1.0, 2.0]])
    ...     print(exp.inverse(exp.forward(x)).numpy(), exp.forward_log_det_jacobian(x).numpy())
    [[1. 2.]] [3.]
    """

    def __init__(
        self, event_ndims: Any = 0, validate_args: bool = False, name: str = "exp"
    ) -> None:
        super().__init__(event_ndims, validate_args, name)

    def _forward(self, x: Tensor) -> Tensor:
        return exp(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return log(y)

    def _inverse_log_det_jacobian(self, y: Tensor) -> Tensor:
        return -log(y)

    def _forward_log_det_jacobian(self, x: Tensor) -> Tensor:
        return x


class Softplus(Elementwise):
    """log(1 + exp(x)); with a softness c, c log(1 + exp(x / c)).

    Args:
      event_ndims: how many of the last dimensions are one event.
      hinge_softness: the number c, not zero: how soft the bend at 0 is.
      validate_args: accepted; there is nothing to check.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     softplus = hf.contrib.distributions.bijectors.Softplus()
    ...     print(softplus.forward(0.0).numpy().round(4), softplus.inverse(0.5).numpy().round(4))
    0.6931 -0.4328
    """

    def __init__(
        self,
        event_ndims: Any = 0,
        hinge_softness: Any = None,
        validate_args: bool = False,
        name: str = "softplus",
    ) -> None:
        self._softness = (
            None
            if hinge_softness is None
            else convert_to_tensor(hinge_softness, name="hinge_softness")
        )
        parents = [] if self._softness is None else [self._softness]
        super().__init__(event_ndims, validate_args, name, parents)

    @property
    def hinge_softness(self) -> Any:
        """The number c, or None."""
        return self._softness

    def _forward(self, x: Tensor) -> Any:
        return self._times(softplus(self._scaled(x)))

    def _inverse(self, y: Tensor) -> Any:
        return self._times(softplus_inverse(self._scaled(y)))

    def _times(self, x: Tensor) -> Any:
        # The number c is of one dtype, arguments are of any.
        return x if self._softness is None else cast(self._softness, x.dtype.base_dtype) * x

    def _scaled(self, x: Tensor) -> Any:
        return x if self._softness is None else x / cast(self._softness, x.dtype.base_dtype)

    def _inverse_log_det_jacobian(self, y: Tensor) -> Any:
        return -log(-expm1(-self._scaled(y)))

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        return -softplus(-self._scaled(x))


class Sigmoid(Elementwise):
    """1 / (1 + exp(-x)).

    Args:
      validate_args: accepted; there is nothing to check.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     sigmoid = hf.contrib.distributions.bijectors.Sigmoid()
    ...     print(sigmoid.forward(0.0).numpy(), sigmoid.inverse(0.5).numpy())
    0.5 0.0
    """

    def __init__(self, validate_args: bool = False, name: str = "sigmoid") -> None:
        super().__init__(0, validate_args, name)

    def _forward(self, x: Tensor) -> Tensor:
        return sigmoid(x)

    def _inverse(self, y: Tensor) -> Any:
        return log(y) - log1p(-y)

    def _inverse_log_det_jacobian(self, y: Tensor) -> Any:
        return -log(y) - log1p(-y)

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        return -softplus(-x) - softplus(x)


class Softsign(Elementwise):
    """x / (1 + |x|), which lies between -1 and 1.

    Args:
      validate_args: accepted; there is nothing to check.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.contrib.distributions.bijectors.Softsign().inverse(0.5).numpy())
    1.0
    """

    def __init__(self, validate_args: bool = False, name: str = "softsign") -> None:
        super().__init__(0, validate_args, name)

    def _forward(self, x: Tensor) -> Any:
        return x / (1.0 + abs(x))

    def _inverse(self, y: Tensor) -> Any:
        return y / (1.0 - abs(y))

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        return -2.0 * log1p(abs(x))

    def _inverse_log_det_jacobian(self, y: Tensor) -> Any:
        return -2.0 * log1p(-abs(y))


class Square(Elementwise):
    """The square of a number that is not negative.

    Args:
      validate_args: accepted; there is nothing to check.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.contrib.distributions.bijectors.Square().inverse(9.0).numpy())
    3.0
    """

    def __init__(self, validate_args: bool = False, name: str = "square") -> None:
        super().__init__(0, validate_args, name)

    def _forward(self, x: Tensor) -> Tensor:
        return square(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return sqrt(y)

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        return log(2.0 * x)


class PowerTransform(Elementwise):
    """(1 + c x) ^ (1 / c), for c = 0 the exponential function.

    Args:
      power: the number c, at least 0, of Python's.
      event_ndims: how many of the last dimensions are one event.
      validate_args: accepted; there is nothing to check.
      name: how scopes of ops begin.

    Raises:
      ValueError: if `power` is negative.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.contrib.distributions.bijectors.PowerTransform(power=1.0).forward(2.0).numpy())
    3.0
    """

    def __init__(
        self,
        power: float = 0.0,
        event_ndims: Any = 0,
        validate_args: bool = False,
        name: str = "power_transform",
    ) -> None:
        if power < 0:
            raise ValueError("`power` must be a non-negative TF constant.")
        self._power = float(power)
        super().__init__(event_ndims, validate_args, name)

    @property
    def power(self) -> float:
        """The number c."""
        return self._power

    def _forward(self, x: Tensor) -> Any:
        if not self._power:
            return exp(x)
        return exp(log1p(x * self._power) / self._power)

    def _inverse(self, y: Tensor) -> Any:
        if not self._power:
            return log(y)
        return expm1(log(y) * self._power) / self._power

    def _inverse_log_det_jacobian(self, y: Tensor) -> Any:
        return (self._power - 1.0) * log(y)

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        if not self._power:
            return x
        return (1.0 / self._power - 1.0) * log1p(x * self._power)


class AffineScalar(Elementwise):
    """scale x + shift, for each number.

    Args:
      shift: tensor, or None for 0.
      scale: tensor, nowhere 0, or None for 1.
      validate_args: accepted; there is nothing to check.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     affine = hf.contrib.distributions.bijectors.AffineScalar(shift=1.0, scale=[2.0, 4.0])
    ...     x = affine.inverse([5.0, 5.0])
    ...     print(x.numpy(), affine.forward_log_det_jacobian(x, event_ndims=1).numpy().round(4))
    [2. 1.] 2.0794
    """

    def __init__(
        self,
        shift: Any = None,
        scale: Any = None,
        validate_args: bool = False,
        name: str = "affine_scalar",
    ) -> None:
        given = [value for value in (shift, scale) if value is not None]
        tensors = [convert_to_tensor(value, common_dtype(*given)) for value in given]
        found = iter(tensors)
        self._shift = None if shift is None else next(found)
        self._scale = None if scale is None else next(found)
        dtype = tensors[0].dtype.base_dtype if tensors else None
        super().__init__(0, validate_args, name, tensors, True, dtype)

    @property
    def shift(self) -> Tensor | None:
        """What is added, or None."""
        return self._shift

    @property
    def scale(self) -> Tensor | None:
        """The factor, or None."""
        return self._scale

    def _forward(self, x: Tensor) -> Any:
        scaled = x if self._scale is None else x * self._scale
        return identity(scaled) if self._shift is None else scaled + self._shift

    def _inverse(self, y: Tensor) -> Any:
        moved = y if self._shift is None else y - self._shift
        return identity(moved) if self._scale is None else moved / self._scale

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        if self._scale is None:
            return convert_to_tensor(0.0, x.dtype.base_dtype)
        return log(raw.Abs(self._scale))
