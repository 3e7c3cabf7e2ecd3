"""`Bijector`: a function that has an inverse, and how it changes volumes; `Identity`."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor_shape import TensorShape

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Bijector", "Identity"]


class Bijector:
    """A differentiable function with an inverse.

    A class of one's own derives from this one and defines what it has of `_forward`, `_inverse`,
    `_forward_log_det_jacobian`, `_inverse_log_det_jacobian` (one follows from the other), and where
    shapes change `_forward_event_shape`, `_inverse_event_shape` and their tensors. The inverse of a
    tensor that `forward` lately gave is the very tensor that it was given, and the other way round.

    Args:
      event_ndims: how many of the last dimensions are one argument of the function.
      graph_parents: tensors that the function is made of.
      is_constant_jacobian: whether volumes change alike everywhere.
      validate_args: whether arguments are checked when they are computed.
      dtype: of arguments; any if None.
      name: how scopes of ops begin.

    Raises:
      TypeError: from its methods, for arguments of another dtype.
      NotImplementedError: from its methods, if a class does not define what they need.

    >>> import hybridflow as hf
    >>> class Exp(hf.distributions.bijectors.Bijector):
    ...     def _forward(self, x):
    ...         return hf.exp(x)
    ...     def _inverse(self, y):
    ...         return hf.log(y)
    ...     def _inverse_log_det_jacobian(self, y):
    ...         return -hf.log(y)
    >>> with hf.eager_mode():
    ...     exp = Exp(event_ndims=0)
    ...     print(exp.inverse(1.0).numpy(), exp.forward_log_det_jacobian(3.0).numpy())
    0.0 3.0
    """

    def __init__(
        self,
        event_ndims: Any = None,
        graph_parents: list[Any] | None = None,
        is_constant_jacobian: bool = False,
        validate_args: bool = False,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        self._name = name or type(self).__name__
        self._event_ndims = (
            convert_to_tensor(event_ndims, dtypes.int32)
            if isinstance(event_ndims, (int, np.integer))
            else event_ndims
        )
        self._graph_parents = list(graph_parents or [])
        self._is_constant_jacobian = is_constant_jacobian
        self._validate_args = validate_args
        self._dtype = None if dtype is None else dtypes.as_dtype(dtype)
        # The last pairs of argument and value, each of which gives the other.
        self._pairs: deque[tuple[Any, Any]] = deque(maxlen=16)
        self._constant: dict[str, Tensor] = {}

    @property
    def event_ndims(self) -> Any:
        """How many of the last dimensions are one argument."""
        return self._event_ndims

    @property
    def graph_parents(self) -> list[Any]:
        """Tensors that the function is made of."""
        return self._graph_parents

    @property
    def is_constant_jacobian(self) -> bool:
        """Whether volumes change alike everywhere."""
        return self._is_constant_jacobian

    @property
    def validate_args(self) -> bool:
        """Whether arguments are checked when they are computed."""
        return self._validate_args

    @property
    def dtype(self) -> Any:
        """The dtype of arguments, or None for any."""
        return self._dtype

    @property
    def name(self) -> str:
        """How scopes of its ops begin."""
        return self._name

    # -- shapes ------------------------------------------------------------------------------------

    def _forward_event_shape_tensor(self, input_shape: Tensor) -> Tensor:
        return input_shape

    def _inverse_event_shape_tensor(self, output_shape: Tensor) -> Tensor:
        return output_shape

    def _forward_event_shape(self, input_shape: TensorShape) -> TensorShape:
        return input_shape

    def _inverse_event_shape(self, output_shape: TensorShape) -> TensorShape:
        return output_shape

    def forward_event_shape_tensor(
        self, input_shape: Any, name: str = "forward_event_shape_tensor"
    ) -> Tensor:
        """The shape of a value whose argument has a given shape, an int32 vector."""
        with self._scope(name, input_shape):
            shape = convert_to_tensor(input_shape, dtypes.int32, name="input_shape")
            return self._forward_event_shape_tensor(shape)

    def forward_event_shape(self, input_shape: Any) -> TensorShape:
        """The shape of a value whose argument has a given shape, as far as it is known."""
        return TensorShape(self._forward_event_shape(TensorShape(input_shape)))

    def inverse_event_shape_tensor(
        self, output_shape: Any, name: str = "inverse_event_shape_tensor"
    ) -> Tensor:
        """The shape of an argument whose value has a given shape, an int32 vector."""
        with self._scope(name, output_shape):
            shape = convert_to_tensor(output_shape, dtypes.int32, name="output_shape")
            return self._inverse_event_shape_tensor(shape)

    def inverse_event_shape(self, output_shape: Any) -> TensorShape:
        """The shape of an argument whose value has a given shape, as far as it is known."""
        return TensorShape(self._inverse_event_shape(TensorShape(output_shape)))

    # -- values ------------------------------------------------------------------------------------

    def forward(self, x: Any, name: str = "forward") -> Tensor:
        """The value for the argument `x`."""
        with self._scope(name, x):
            return self._forward_of(self._converted(x, "x"))

    def inverse(self, y: Any, name: str = "inverse") -> Tensor:
        """The argument whose value is `y`."""
        with self._scope(name, y):
            return self._inverse_of(self._converted(y, "y"))

    def forward_log_det_jacobian(self, x: Any, name: str = "forward_log_det_jacobian") -> Tensor:
        """The logarithm of how much volumes grow around the argument `x`."""
        with self._scope(name, x):
            x = self._converted(x, "x")
            if hasattr(self, "_forward_log_det_jacobian"):
                return self._kept("forward", lambda: self._forward_log_det_jacobian(x))
            other = self._defined("_inverse_log_det_jacobian", name)
            return -self._kept("inverse", lambda: other(self._forward_of(x)))

    def inverse_log_det_jacobian(self, y: Any, name: str = "inverse_log_det_jacobian") -> Tensor:
        """The logarithm of how much the inverse has volumes grow around the value `y`."""
        with self._scope(name, y):
            y = self._converted(y, "y")
            if hasattr(self, "_inverse_log_det_jacobian"):
                return self._kept("inverse", lambda: self._inverse_log_det_jacobian(y))
            other = self._defined("_forward_log_det_jacobian", name)
            return -self._kept("forward", lambda: other(self._inverse_of(y)))

    # -- helpers -----------------------------------------------------------------------------------

    def _scope(self, name: str, value: Any) -> Any:
        return name_scope(f"{self._name}/{name}", values=[value, *self._graph_parents])

    def _defined(self, method: str, name: str) -> Any:
        found = getattr(self, method, None)
        if found is None:
            raise NotImplementedError(f"{name} is not implemented for {type(self).__name__}.")
        return found

    def _converted(self, value: Any, name: str) -> Tensor:
        tensor = convert_to_tensor(value, name=name)
        if self._dtype is not None and tensor.dtype.base_dtype != self._dtype:
            raise TypeError(
                f"Input had dtype {tensor.dtype.name} but expected {self._dtype.name}: "
                f"{self._name!r} was made for that. Use `hf.cast`."
            )
        return tensor

    def _forward_of(self, x: Tensor) -> Tensor:
        for argument, value in self._pairs:
            if argument is x:
                return value
        value = self._defined("_forward", "forward")(x)
        self._pairs.append((x, value))
        return value

    def _inverse_of(self, y: Tensor) -> Tensor:
        for argument, value in self._pairs:
            if value is y:
                return argument
        argument = self._defined("_inverse", "inverse")(y)
        self._pairs.append((argument, y))
        return argument

    def _kept(self, which: str, make: Any) -> Any:
        if not self._is_constant_jacobian:
            return make()
        if which not in self._constant:
            self._constant[which] = make()
        return self._constant[which]


class Identity(Bijector):
    """The function whose value is its argument.

    Args:
      validate_args: accepted; there is nothing to check.
      event_ndims: how many of the last dimensions are one argument.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.distributions.bijectors.Identity().forward([1.0, 2.0]).numpy())
    [1. 2.]
    """

    def __init__(
        self, validate_args: bool = False, event_ndims: Any = 0, name: str = "identity"
    ) -> None:
        super().__init__(
            event_ndims=event_ndims,
            is_constant_jacobian=True,
            validate_args=validate_args,
            name=name,
        )

    def _forward(self, x: Tensor) -> Tensor:
        return x

    def _inverse(self, y: Tensor) -> Tensor:
        return y

    def _inverse_log_det_jacobian(self, y: Tensor) -> Tensor:
        return convert_to_tensor(0.0, y.dtype)

    def _forward_log_det_jacobian(self, x: Tensor) -> Tensor:
        return convert_to_tensor(0.0, x.dtype)
