"""`Input`: where connected layers begin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.errors import UnimplementedError
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.layers.layer import Layer
from hybridflow._src.layers.nodes import Node, only_in_graphs
from hybridflow._src.ops.arrays.placeholder import placeholder

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Input"]


class InputLayer(Layer):
    """The layer that a tensor of `Input` comes from."""

    def __init__(
        self, shape: Any, batch_size: int | None, name: str | None, dtype: Any, tensor: Any
    ) -> None:
        only_in_graphs("Input")
        super().__init__(dtype=dtype, name=name)
        self.built = True
        self.batch_size = batch_size
        self.is_placeholder = tensor is None
        if tensor is None:
            sizes = shape.as_list() if isinstance(shape, TensorShape) else shape
            whole = None if sizes is None else (batch_size, *sizes)
            tensor = placeholder(dtype, whole, name=self.name)
        self.batch_input_shape = None if tensor.shape.ndims is None else tensor.shape.as_list()
        Node(self, [tensor], [tensor])


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    name: str | None = None,
    dtype: Any = dtypes.float32,
    sparse: bool = False,
    tensor: Any = None,
) -> Tensor:
    """A placeholder from which layers are connected: they then tell of inputs and outputs.

    Args:
      shape: shape of one example; None is unknown.
      batch_size: number of examples; unknown by default.
      name: name of the placeholder; "input_layer_1" and so on by default.
      dtype: its dtype.
      sparse: must be False.
      tensor: a tensor to use in place of a placeholder.

    Returns: a tensor.

    Raises:
      RuntimeError: in eager mode. UnimplementedError: for `sparse`.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     x = hf.layers.Input([4])
    ...     layer = hf.layers.Dense(3)
    ...     y = layer(x)
    ...     print(layer.input is x, layer.output is y, layer.output_shape)
    True True (None, 3)
    """
    if sparse:
        raise UnimplementedError(
            None, None, "hf.layers.Input(sparse=True): layers take dense tensors alone."
        )
    return InputLayer(shape, batch_size, name, dtype, tensor).inbound_nodes[0].output_tensors[0]
