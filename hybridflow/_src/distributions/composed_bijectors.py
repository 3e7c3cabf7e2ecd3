"""Bijectors made of others, or of functions: `Chain`, `Invert`, `Inline`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.distributions.bijector import Bijector, name_and_ndims
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.static_value import constant_value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.framework.tensor_shape import TensorShape

__all__ = ["Chain", "Inline", "Invert"]


class Invert(Bijector):
    """The inverse of a bijector.

    Args:
      bijector: the bijector.
      validate_args: accepted; there is nothing to check.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> bijectors = hf.contrib.distributions.bijectors
    >>> with hf.eager_mode():
    ...     print(bijectors.Invert(bijectors.Exp()).forward(1.0).numpy())
    0.0
    """

    def __init__(
        self, bijector: Bijector, validate_args: bool = False, name: str | None = None
    ) -> None:
        self._bijector = bijector
        super().__init__(
            event_ndims=bijector.event_ndims,
            graph_parents=bijector.graph_parents,
            is_constant_jacobian=bijector.is_constant_jacobian,
            validate_args=validate_args,
            dtype=bijector.dtype,
            name=name or f"invert_{bijector.name}",
            forward_min_event_ndims=bijector.inverse_min_event_ndims,
            inverse_min_event_ndims=bijector.forward_min_event_ndims,
        )

    @property
    def bijector(self) -> Bijector:
        """The bijector whose inverse it is."""
        return self._bijector

    def _forward_event_shape(self, input_shape: TensorShape) -> TensorShape:
        return self._bijector.inverse_event_shape(input_shape)

    def _inverse_event_shape(self, output_shape: TensorShape) -> TensorShape:
        return self._bijector.forward_event_shape(output_shape)

    def _forward_event_shape_tensor(self, input_shape: Tensor) -> Tensor:
        return self._bijector.inverse_event_shape_tensor(input_shape)

    def _inverse_event_shape_tensor(self, output_shape: Tensor) -> Tensor:
        return self._bijector.forward_event_shape_tensor(output_shape)

    def _forward(self, x: Tensor) -> Tensor:
        return self._bijector.inverse(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return self._bijector.forward(y)

    def forward_log_det_jacobian(
        self, x: Any, name: Any = "forward_log_det_jacobian", event_ndims: Any = None
    ) -> Tensor:
        """The logarithm of how much volumes grow around the argument `x`."""
        with self._scope("forward_log_det_jacobian", x):
            return self._bijector.inverse_log_det_jacobian(x, name, event_ndims)

    def inverse_log_det_jacobian(
        self, y: Any, name: Any = "inverse_log_det_jacobian", event_ndims: Any = None
    ) -> Tensor:
        """The logarithm of how much the inverse has volumes grow around the value `y`."""
        with self._scope("inverse_log_det_jacobian", y):
            return self._bijector.forward_log_det_jacobian(y, name, event_ndims)


class Chain(Bijector):
    """One bijector after another: the last of the list comes first.

    Args:
      bijectors: list of bijectors; none of them is the identity.
      validate_args: accepted; there is nothing to check.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> bijectors = hf.contrib.distributions.bijectors
    >>> with hf.eager_mode():
    ...     chain = bijectors.Chain([bijectors.Exp(), bijectors.AffineScalar(scale=2.0)])
    ...     print(chain.forward(0.0).numpy(), chain.forward_log_det_jacobian(0.0).numpy().round(4))
    1.0 0.6931
    """

    def __init__(
        self,
        bijectors: Sequence[Bijector] | None = None,
        validate_args: bool = False,
        name: str | None = None,
    ) -> None:
        self._bijectors = list(bijectors or ())
        parents = {id(t): t for each in self._bijectors for t in each.graph_parents}
        given = {id(each.dtype): each.dtype for each in self._bijectors if each.dtype is not None}
        if len(given) > 1:
            raise ValueError(f"incompatible dtypes: {[dtype.name for dtype in given.values()]}")
        ndims = [each.event_ndims for each in self._bijectors if each.event_ndims is not None]
        known, outward = _least(self._bijectors)
        super().__init__(
            event_ndims=ndims[0] if ndims and known is None else None,
            graph_parents=list(parents.values()),
            is_constant_jacobian=all(each.is_constant_jacobian for each in self._bijectors),
            validate_args=validate_args,
            dtype=next(iter(given.values()), None),
            name=name or "_of_".join(["chain", *[b.name for b in self._bijectors]])
            if self._bijectors
            else name or "identity",
            forward_min_event_ndims=known,
            inverse_min_event_ndims=outward,
        )

    @property
    def bijectors(self) -> list[Bijector]:
        """The bijectors, the last of which comes first."""
        return self._bijectors

    def _forward_event_shape(self, input_shape: TensorShape) -> TensorShape:
        for each in reversed(self._bijectors):
            input_shape = each.forward_event_shape(input_shape)
        return input_shape

    def _inverse_event_shape(self, output_shape: TensorShape) -> TensorShape:
        for each in self._bijectors:
            output_shape = each.inverse_event_shape(output_shape)
        return output_shape

    def _forward_event_shape_tensor(self, input_shape: Tensor) -> Tensor:
        for each in reversed(self._bijectors):
            input_shape = each.forward_event_shape_tensor(input_shape)
        return input_shape

    def _inverse_event_shape_tensor(self, output_shape: Tensor) -> Tensor:
        for each in self._bijectors:
            output_shape = each.inverse_event_shape_tensor(output_shape)
        return output_shape

    def _forward(self, x: Tensor) -> Tensor:
        for each in reversed(self._bijectors):
            x = each.forward(x)
        return x

    def _inverse(self, y: Tensor) -> Tensor:
        for each in self._bijectors:
            y = each.inverse(y)
        return y

    def _ndims(self, event_ndims: Any, least: int | None) -> Any:
        """The dimensions of an event that each bijector is told; None if each knows its own."""
        if event_ndims is not None:
            return event_ndims
        told = [each.event_ndims for each in self._bijectors if each.event_ndims is not None]
        numbers = [int(known) for n in told if (known := constant_value(n)) is not None]
        return None if least is None else max([least, *numbers])

    def forward_log_det_jacobian(
        self, x: Any, name: Any = "forward_log_det_jacobian", event_ndims: Any = None
    ) -> Tensor:
        """The logarithm of how much volumes grow around the argument `x`."""
        name, event_ndims = name_and_ndims(name, event_ndims, "forward_log_det_jacobian")
        with self._scope(name, x):
            x = self._converted(x, "x")
            total: Any = convert_to_tensor(0.0, x.dtype.base_dtype)
            ndims = self._ndims(event_ndims, self._forward_min_event_ndims)
            for each in reversed(self._bijectors):
                total = total + each.forward_log_det_jacobian(x, event_ndims=ndims)
                x, ndims = each.forward(x), _after(each, ndims)
            return total

    def inverse_log_det_jacobian(
        self, y: Any, name: Any = "inverse_log_det_jacobian", event_ndims: Any = None
    ) -> Tensor:
        """The logarithm of how much the inverse has volumes grow around the value `y`."""
        name, event_ndims = name_and_ndims(name, event_ndims, "inverse_log_det_jacobian")
        with self._scope(name, y):
            y = self._converted(y, "y")
            total: Any = convert_to_tensor(0.0, y.dtype.base_dtype)
            ndims = self._ndims(event_ndims, self._inverse_min_event_ndims)
            for each in self._bijectors:
                total = total + each.inverse_log_det_jacobian(y, event_ndims=ndims)
                y, ndims = each.inverse(y), _before(each, ndims)
            return total


def _least(bijectors: Sequence[Bijector]) -> tuple[int | None, int | None]:
    """How many dimensions arguments and values have at least; None where one is not known."""
    least = more = 0
    for each in reversed(bijectors):
        inward, outward = each.forward_min_event_ndims, each.inverse_min_event_ndims
        if inward is None or outward is None:
            return None, None
        least = max(least, inward - more)
        more += outward - inward
    return least, least + more


def _after(bijector: Bijector, ndims: Any) -> Any:
    """How many dimensions of an event there are behind a bijector."""
    least, outward = bijector.forward_min_event_ndims, bijector.inverse_min_event_ndims
    if ndims is None or least is None or outward is None:
        return ndims
    return ndims - least + outward


def _before(bijector: Bijector, ndims: Any) -> Any:
    """How many dimensions of an event there were before a bijector."""
    least, outward = bijector.forward_min_event_ndims, bijector.inverse_min_event_ndims
    if ndims is None or least is None or outward is None:
        return ndims
    return ndims - outward + least


class Inline(Bijector):
    """A bijector of functions.

    Args:
      forward_fn, inverse_fn: the function of a tensor, and its inverse.
      inverse_log_det_jacobian_fn, forward_log_det_jacobian_fn: the logarithm of how volumes change;
        one follows from the other.
      forward_event_shape_fn, forward_event_shape_tensor_fn, inverse_event_shape_fn,
        inverse_event_shape_tensor_fn: where shapes change, the shapes.
      is_constant_jacobian: whether volumes change alike everywhere.
      validate_args: accepted; there is nothing to check.
      name: how scopes of ops begin.
      forward_min_event_ndims, inverse_min_event_ndims: as for `Bijector`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     exp = hf.contrib.distributions.bijectors.Inline(
    ...         hf.exp, hf.log, inverse_log_det_jacobian_fn=lambda y: -hf.log(y))
    ...     print(exp.inverse(1.0).numpy(), exp.forward_log_det_jacobian(2.0).numpy())
    0.0 2.0
    """

    def __init__(
        self,
        forward_fn: Callable[..., Any] | None = None,
        inverse_fn: Callable[..., Any] | None = None,
        inverse_log_det_jacobian_fn: Callable[..., Any] | None = None,
        forward_log_det_jacobian_fn: Callable[..., Any] | None = None,
        forward_event_shape_fn: Callable[..., Any] | None = None,
        forward_event_shape_tensor_fn: Callable[..., Any] | None = None,
        inverse_event_shape_fn: Callable[..., Any] | None = None,
        inverse_event_shape_tensor_fn: Callable[..., Any] | None = None,
        is_constant_jacobian: bool = False,
        validate_args: bool = False,
        name: str = "inline",
        forward_min_event_ndims: int | None = None,
        inverse_min_event_ndims: int | None = None,
    ) -> None:
        super().__init__(
            event_ndims=0,
            is_constant_jacobian=is_constant_jacobian,
            validate_args=validate_args,
            name=name,
            forward_min_event_ndims=forward_min_event_ndims,
            inverse_min_event_ndims=inverse_min_event_ndims,
        )
        functions = {
            "_forward": forward_fn,
            "_inverse": inverse_fn,
            "_inverse_log_det_jacobian": inverse_log_det_jacobian_fn,
            "_forward_log_det_jacobian": forward_log_det_jacobian_fn,
            "_forward_event_shape": forward_event_shape_fn,
            "_forward_event_shape_tensor": forward_event_shape_tensor_fn,
            "_inverse_event_shape": inverse_event_shape_fn,
            "_inverse_event_shape_tensor": inverse_event_shape_tensor_fn,
        }
        for method, function in functions.items():
            if function is not None:
                setattr(self, method, function)
