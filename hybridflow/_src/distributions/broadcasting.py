"""Distributions of single numbers, whose parameters are broadcast."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from hybridflow._src.distributions.distribution import (
    FULLY_REPARAMETERIZED,
    Distribution,
    ReparameterizationType,
)
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import control_dependencies, name_scope
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.reshaping import identity, reshape
from hybridflow._src.ops.arrays.shape_ops import broadcast_dynamic_shape, broadcast_static_shape
from hybridflow._src.ops.checks.comparing import assert_positive

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Broadcasting", "LocationScale"]


class Broadcasting(Distribution):
    """A distribution of single numbers, whose parameters have one floating dtype.

    Args:
      values: the parameters by name; each becomes a tensor, an attribute of that name.
      checks: called with these tensors if arguments are validated; gives the assertions.
      reparameterization_type, validate_args, allow_nan_stats, parameters, name: see `Distribution`.
    """

    def __init__(
        self,
        values: dict[str, Any],
        checks: Callable[..., list[Any]],
        reparameterization_type: ReparameterizationType,
        validate_args: bool,
        allow_nan_stats: bool,
        parameters: dict[str, Any],
        name: str,
    ) -> None:
        with name_scope(name, values=list(values.values())):
            tensors: dict[str, Any] = {}
            dtype = None
            for key, value in values.items():
                tensors[key] = convert_to_tensor(value, dtype, name=key)
                dtype = tensors[key].dtype.base_dtype
            found = checks(*tensors.values()) if validate_args else []
            with control_dependencies([check for check in found if check is not None]):
                self._values = {key: identity(t, name=key) for key, t in tensors.items()}
        super().__init__(
            dtype,
            reparameterization_type,
            validate_args,
            allow_nan_stats,
            parameters,
            list(self._values.values()),
            name,
        )

    def _batch_shape(self) -> TensorShape:
        shapes = [value.shape for value in self._values.values()]
        return functools.reduce(broadcast_static_shape, shapes)

    def _batch_shape_tensor(self) -> Tensor:
        return functools.reduce(broadcast_dynamic_shape, map(raw.Shape, self._values.values()))

    def _event_shape(self) -> TensorShape:
        return TensorShape([])

    def _event_shape_tensor(self) -> Tensor:
        return convert_to_tensor([], "int32")

    def _shape_of_samples(self, n: Any) -> Tensor:
        """The shape of n samples."""
        return concat([reshape(n, [1]), self.batch_shape_tensor()], 0)

    def _broadcast(self, quantity: Any) -> Any:
        """A quantity of some parameters, for each distribution of the batch."""
        ones = raw.Fill(self.batch_shape_tensor(), convert_to_tensor(1, self.dtype))
        return quantity * ones


class LocationScale(Broadcasting):
    """A symmetric distribution that is one around 0, stretched by `scale` and moved by `loc`."""

    def __init__(
        self,
        loc: Any,
        scale: Any,
        validate_args: bool,
        allow_nan_stats: bool,
        parameters: dict[str, Any],
        name: str,
    ) -> None:
        super().__init__(
            {"loc": loc, "scale": scale},
            lambda loc, scale: [assert_positive(scale)],
            FULLY_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            name,
        )

    @property
    def loc(self) -> Tensor:
        """Where the middle is."""
        return self._values["loc"]

    @property
    def scale(self) -> Tensor:
        """How wide it is."""
        return self._values["scale"]

    @staticmethod
    def _param_shapes(sample_shape: Tensor) -> dict[str, Tensor]:
        return {"loc": sample_shape, "scale": sample_shape}

    def _z(self, x: Tensor) -> Any:
        return (x - self.loc) / self.scale

    def _mean(self) -> Tensor:
        return self._broadcast(self.loc)

    def _mode(self) -> Tensor:
        return self._mean()
