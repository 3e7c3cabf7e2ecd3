"""Keras' `Lambda`: a layer that is a function."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.layers.layer import Layer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Lambda"]


class Lambda(Layer):
    """A layer that calls a function of its inputs.

    Args:
      function: of the inputs; it may have a parameter `mask` too.
      output_shape: the shape of the outputs without the batch's size, or a function from the shape
        of the inputs to that of the outputs; needed by `compute_output_shape` alone.
      mask: what the function gets as `mask`.
      arguments: further keywords for the function.
      **kwargs: `trainable`, `name`, `dtype`, `input_shape`, `batch_size`, as for `hf.layers.Layer`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     layer = hf.keras.layers.Lambda(lambda x, by: x * by, arguments={"by": 3.0})
    ...     print(layer(hf.constant([1.0, 2.0])).numpy())
    [3. 6.]
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.function = function
        self.mask = mask
        self.arguments = dict(arguments or {})
        self._output_shape = output_shape
        parameters = inspect.signature(function).parameters
        self._takes_mask = "mask" in parameters

    def call(self, inputs: Any, mask: Any = None) -> Any:  # type: ignore[override]
        """What the function gives."""
        arguments = dict(self.arguments)
        if self._takes_mask:
            arguments["mask"] = self.mask if mask is None else mask
        return self.function(inputs, **arguments)

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The shape that it was told, or that its function of shapes gives.

        Raises:
          NotImplementedError: if it was told neither.
        """
        if self._output_shape is None:
            raise NotImplementedError(
                f"Layer {self.name}: expected `output_shape` to tell the shape of outputs, got "
                "None. `Lambda(function, output_shape=...)` sets it."
            )
        if callable(self._output_shape):
            return TensorShape(self._output_shape(input_shape))
        return TensorShape([TensorShape(input_shape).as_list()[0], *self._output_shape])
