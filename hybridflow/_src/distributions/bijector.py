"""`Bijector`: a function that has an inverse, and how it changes volumes; `Identity`."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.ops.math.reductions import reduce_sum

__all__ = ["Bijector", "Identity"]


class Bijector:
    """A differentiable function with an inverse.

    A class of one's own derives from this one and defines what it has of `_forward`, `_inverse`,
    `_forward_log_det_jacobian`, `_inverse_log_det_jacobian` (one follows from the other), and where
    shapes change `_forward_event_shape`, `_inverse_event_shape` and their tensors. The inverse of a
    tensor that `forward` lately gave is the very tensor that it was given, and the other way round.

    Args:
      event_ndims: how many of the last dimensions are one argument of the function; with
        `forward_min_event_ndims`, over how many a Jacobian's logarithm is summed where a call says
        nothing else.
      graph_parents: tensors that the function is made of.
      is_constant_jacobian: whether volumes change alike everywhere.
      validate_args: whether arguments are checked when they are computed.
      dtype: of arguments; any if None.
      name: how scopes of ops begin.
      forward_min_event_ndims: how many dimensions of an argument the function itself looks at
        together, as from TensorFlow 1.6 on: its `_forward_log_det_jacobian` gives a logarithm for
        each such part, which are then summed over further dimensions of an event. None, as in
        TensorFlow 1.4: it sums them itself.
      inverse_min_event_ndims: the same of its values; by default of the arguments.

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

    # Whether each value has one argument. Where it has several, `inverse` and
    # `inverse_log_det_jacobian` give one thing for each, in a tuple.
    is_injective = True

    def __init__(
        self,
        event_ndims: Any = None,
        graph_parents: list[Any] | None = None,
        is_constant_jacobian: bool = False,
        validate_args: bool = False,
        dtype: Any = None,
        name: str | None = None,
        forward_min_event_ndims: int | None = None,
        inverse_min_event_ndims: int | None = None,
    ) -> None:
        self._name = name or type(self).__name__
        self._forward_min_event_ndims = forward_min_event_ndims
        self._inverse_min_event_ndims = (
            forward_min_event_ndims if inverse_min_event_ndims is None else inverse_min_event_ndims
        )
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
    def forward_min_event_ndims(self) -> int | None:
        """How many dimensions of an argument it looks at together."""
        return self._forward_min_event_ndims

    @property
    def inverse_min_event_ndims(self) -> int | None:
        """How many dimensions of a value it looks at together."""
        return self._inverse_min_event_ndims

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

    def forward_log_det_jacobian(
        self, x: Any, name: Any = "forward_log_det_jacobian", event_ndims: Any = None
    ) -> Tensor:
        """The logarithm of how much volumes grow around the argument `x`.

        Args:
          x: the argument.
          name: scope of the ops; a number is taken for `event_ndims`, which later TensorFlows have
            in this place.
          event_ndims: how many of the last dimensions of `x` are one event.
        """
        name, event_ndims = name_and_ndims(name, event_ndims, "forward_log_det_jacobian")
        with self._scope(name, x):
            x = self._converted(x, "x")
            further = self._further(event_ndims, self._forward_min_event_ndims)
            if hasattr(self, "_forward_log_det_jacobian"):
                return self._summed("forward", x, further)
            self._defined("_inverse_log_det_jacobian", name)
            return -self._summed("inverse", self._forward_of(x), further)

    def inverse_log_det_jacobian(
        self, y: Any, name: Any = "inverse_log_det_jacobian", event_ndims: Any = None
    ) -> Tensor:
        """The logarithm of how much the inverse has volumes grow around the value `y`.

        Args:
          y: the value.
          name, event_ndims: as for `forward_log_det_jacobian`.
        """
        name, event_ndims = name_and_ndims(name, event_ndims, "inverse_log_det_jacobian")
        with self._scope(name, y):
            y = self._converted(y, "y")
            further = self._further(event_ndims, self._inverse_min_event_ndims)
            if hasattr(self, "_inverse_log_det_jacobian"):
                return self._summed("inverse", y, further)
            self._defined("_forward_log_det_jacobian", name)
            return -self._summed("forward", self._inverse_of(y), further)

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

    def _further(self, event_ndims: Any, least: int | None) -> int:
        """Over how many dimensions logarithms of a Jacobian are still to be summed."""
        ndims = self._event_ndims if event_ndims is None else event_ndims
        if least is None or ndims is None:
            return 0
        known = constant_value(ndims) if isinstance(ndims, Tensor) else ndims
        if known is None:
            raise ValueError(f"event_ndims of {self._name!r} must be a known number, got {ndims}.")
        if known < least:
            raise ValueError(
                f"event_ndims of {self._name!r} must be at least {least}, got {int(known)}."
            )
        return int(known) - least

    def _summed(self, which: str, at: Tensor, further: int) -> Tensor:
        """The logarithm of a Jacobian, summed over further dimensions of an event."""
        method = getattr(self, f"_{which}_log_det_jacobian")
        if not self._is_constant_jacobian:
            found = method(at)
        else:
            if which not in self._constant:
                self._constant[which] = method(at)
            found = self._constant[which]
            if further:
                inward, outward = self._forward_min_event_ndims, self._inverse_min_event_ndims
                end = raw.Rank(at) - (inward if which == "forward" else outward)
                sizes = raw.Shape(at)[end - further : end]
                found = found * raw.Fill(sizes, convert_to_tensor(1, found.dtype))
        return reduce_sum(found, list(range(-further, 0))) if further else found


def common_dtype(*values: Any) -> Any:
    """The dtype of those values that have one, for the numbers beside them; None if none has."""
    return next((value.dtype for value in values if hasattr(value, "dtype")), None)


def name_and_ndims(name: Any, event_ndims: Any, usual: str) -> tuple[str, Any]:
    """The name of a scope and the number of an event's dimensions, which may stand in its place."""
    return (name, event_ndims) if isinstance(name, str) else (usual, name)


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
            forward_min_event_ndims=0,
        )

    def _further(self, event_ndims: Any, least: int | None) -> int:
        return 0  # The sum of zeros is zero.

    def _forward(self, x: Tensor) -> Tensor:
        return x

    def _inverse(self, y: Tensor) -> Tensor:
        return y

    def _inverse_log_det_jacobian(self, y: Tensor) -> Tensor:
        return convert_to_tensor(0.0, y.dtype)

    def _forward_log_det_jacobian(self, x: Tensor) -> Tensor:
        return convert_to_tensor(0.0, x.dtype)
