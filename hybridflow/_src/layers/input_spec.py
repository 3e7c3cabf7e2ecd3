"""What a layer expects of its inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["InputSpec"]


class InputSpec:
    """What a layer expects of an input: a layer checks `input_spec` before it computes.

    Args:
      dtype: dtype of the input.
      shape: its sizes; None is any.
      ndim: its rank; that of `shape` where one is given.
      max_ndim, min_ndim: bounds of the rank.
      axes: sizes by axis; a negative axis counts from the end.

    What is None is not checked.

    >>> import hybridflow as hf
    >>> layer = hf.layers.Layer(name="pairs")
    >>> layer.input_spec = hf.layers.InputSpec(ndim=2, axes={-1: 2})
    >>> with hf.eager_mode():
    ...     layer(hf.zeros([4, 3]))
    Traceback (most recent call last):
    ValueError: Input 0 of layer pairs is incompatible with the layer: expected axis -1 of input
    shape to have value 2 but received input with shape [4, 3]
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Sequence[Any] | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Mapping[int, Any] | None = None,
    ) -> None:
        self.dtype = dtype
        self.shape = shape
        self.ndim = ndim if shape is None else len(shape)
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = dict(axes or {})

    def _problem(self, tensor: Any) -> str | None:
        """What is wrong with an input, or None."""
        dims = None if tensor.shape.ndims is None else tensor.shape.as_list()
        if dims is None:
            bound = (self.ndim, self.min_ndim, self.max_ndim) != (None, None, None)
            wanted = "its rank is undefined, but the layer requires a defined rank."
            return wanted if bound else self._problem_of_dtype(tensor)
        rank = len(dims)
        received = f". Full shape received: {dims}"
        if self.ndim is not None and rank != self.ndim:
            return f"expected ndim={self.ndim}, found ndim={rank}{received}"
        if self.max_ndim is not None and rank > self.max_ndim:
            return f"expected max_ndim={self.max_ndim}, found ndim={rank}{received}"
        if self.min_ndim is not None and rank < self.min_ndim:
            return f"expected min_ndim={self.min_ndim}, found ndim={rank}{received}"
        for axis, size in self.axes.items():
            size = getattr(size, "value", size)
            if size is not None and dims[int(axis)] not in (size, None):
                return (
                    f"expected axis {axis} of input shape to have value {size} but received input "
                    f"with shape {dims}"
                )
        for size, found in zip(self.shape or (), dims, strict=False):
            if None not in (size, found) and size != found:
                return f"expected shape={self.shape}, found shape={dims}"
        return self._problem_of_dtype(tensor)

    def _problem_of_dtype(self, tensor: Any) -> str | None:
        if self.dtype is not None and tensor.dtype.base_dtype != self.dtype:
            return f"expected dtype={self.dtype}, found dtype={tensor.dtype.base_dtype}"
        return None


def check_inputs(layer_name: str, input_spec: Any, inputs: Any) -> None:
    """Checks the inputs of a layer against its specification (one, a list of them, or None).

    Raises:
      ValueError: if they do not fit.
    """
    if not input_spec:
        return
    specs = as_list(input_spec)
    inputs = as_list(inputs)
    if len(inputs) != len(specs):
        raise ValueError(
            f"Layer {layer_name} expects {len(specs)} inputs, but it received {len(inputs)} input "
            f"tensors. Inputs received: {inputs}"
        )
    for index, (tensor, spec) in enumerate(zip(inputs, specs, strict=True)):
        problem = None if spec is None else spec._problem(tensor)
        if problem:
            raise ValueError(
                f"Input {index} of layer {layer_name} is incompatible with the layer: {problem}"
            )


def as_list(value: Any) -> list[Any]:
    """A list or tuple as a list, anything else as a list of one."""
    return list(value) if isinstance(value, (list, tuple)) else [value]
