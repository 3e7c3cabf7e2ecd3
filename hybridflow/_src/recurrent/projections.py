"""Cells with a linear layer around them: of their inputs, of their outputs, or an embedding."""

from __future__ import annotations

import math
from typing import Any

from hybridflow._src.framework.errors import ShapeError
from hybridflow._src.framework.scopes import device
from hybridflow._src.framework.tensor_shape import dimension_at_index
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.linalg.products import matmul
from hybridflow._src.ops.nn.basic import bias_add
from hybridflow._src.ops.nn.embedding import embedding_lookup
from hybridflow._src.recurrent.wrappers import CellWrapper
from hybridflow._src.variables.getting import get_variable
from hybridflow._src.variables.initializers import RandomUniform, Zeros
from hybridflow._src.variables.scope import variable_scope
from hybridflow._src.variables.scope_state import get_variable_scope

__all__ = ["EmbeddingWrapper", "InputProjectionWrapper", "OutputProjectionWrapper"]


def linear(
    tensors: list[Any],
    size: int,
    has_bias: bool = True,
    bias_initializer: Any = None,
    kernel_initializer: Any = None,
) -> Any:
    """`tensors @ kernel + bias`, the tensors side by side; the variables are in the scope that is
    open.

    Args:
      tensors: matrices `[batch, ...]`.
      size: the number of columns of the result. has_bias: whether a bias is added.
      bias_initializer: zeros by default. kernel_initializer: that of the scope by default.

    Raises:
      ValueError: if the tensors are no matrices, or their columns are not known.
    """
    for tensor in tensors:
        if tensor.shape.ndims != 2 or dimension_at_index(tensor.shape, 1).value is None:
            raise ShapeError(
                "linear expects matrices with a known number of columns, got "
                f"{[t.shape for t in tensors]}."
            )
    depth = sum(int(dimension_at_index(t.shape, 1)) for t in tensors)
    dtype = tensors[0].dtype.base_dtype
    with variable_scope(get_variable_scope()):
        kernel = get_variable("kernel", [depth, size], dtype, initializer=kernel_initializer)
        if has_bias:
            bias = get_variable("bias", [size], dtype, initializer=bias_initializer or Zeros())
    joined = tensors[0] if len(tensors) == 1 else concat(tensors, 1)
    product = matmul(joined, kernel)
    return bias_add(product, bias) if has_bias else product


class InputProjectionWrapper(CellWrapper):
    """A cell whose inputs go through a linear layer.

    Args:
      cell: the cell.
      num_proj: number of columns that the cell gets.
      activation: function of them.
      input_size: accepted for compatibility.
      reuse: whether variables that are there are used.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     cell = hf.contrib.rnn.InputProjectionWrapper(hf.nn.rnn_cell.GRUCell(3), 2)
    ...     output, _ = cell(hf.ones([1, 5]), cell.zero_state(1, hf.float32))
    ...     print(output.shape, cell.variables[0].name)
    (1, 3) input_projection_wrapper/kernel:0
    """

    def __init__(
        self,
        cell: Any,
        num_proj: int,
        activation: Any = None,
        input_size: Any = None,
        reuse: Any = None,
    ) -> None:
        super().__init__(cell, reuse)
        self._num_proj = num_proj
        self._activation = activation

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]
        """Computes one step."""
        projected = linear([inputs], self._num_proj)
        if self._activation:
            projected = self._activation(projected)
        return self._cell(projected, state)


class OutputProjectionWrapper(CellWrapper):
    """A cell whose outputs go through a linear layer.

    Args:
      cell: the cell.
      output_size: number of columns of the outputs.
      activation: function of them.
      reuse: whether variables that are there are used.

    Raises:
      ValueError: if `output_size` is not positive.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     cell = hf.contrib.rnn.OutputProjectionWrapper(hf.nn.rnn_cell.GRUCell(3), 2)
    ...     output, state = cell(hf.ones([1, 5]), cell.zero_state(1, hf.float32))
    ...     print(output.shape, state.shape)
    (1, 2) (1, 3)
    """

    def __init__(
        self, cell: Any, output_size: int, activation: Any = None, reuse: Any = None
    ) -> None:
        super().__init__(cell, reuse)
        if output_size < 1:
            raise ValueError(f"Parameter output_size must be > 0: {output_size}.")
        self._output_size = output_size
        self._activation = activation

    @property
    def output_size(self) -> int:
        """The number of columns of the outputs."""
        return self._output_size

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]
        """Computes one step."""
        output, new_state = self._cell(inputs, state)
        projected = linear([output], self._output_size)
        return (self._activation(projected) if self._activation else projected), new_state


class EmbeddingWrapper(CellWrapper):
    """A cell whose inputs are numbers of symbols, for which it gets rows of a matrix.

    Args:
      cell: the cell.
      embedding_classes: how many symbols there are.
      embedding_size: number of columns that the cell gets.
      initializer: of the matrix; by default that of the scope, or uniform with variance 1.
      reuse: whether variables that are there are used.

    Raises:
      ValueError: if a size is not positive.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     cell = hf.contrib.rnn.EmbeddingWrapper(hf.nn.rnn_cell.GRUCell(3), 10, 4)
    ...     output, _ = cell(hf.constant([[7], [2]]), cell.zero_state(2, hf.float32))
    ...     print(output.shape, cell.variables[0].shape)
    (2, 3) (10, 4)
    """

    def __init__(
        self,
        cell: Any,
        embedding_classes: int,
        embedding_size: int,
        initializer: Any = None,
        reuse: Any = None,
    ) -> None:
        super().__init__(cell, reuse)
        if embedding_classes <= 0 or embedding_size <= 0:
            raise ValueError(
                "Both embedding_classes and embedding_size must be > 0: "
                f"{embedding_classes}, {embedding_size}."
            )
        self._shape = [embedding_classes, embedding_size]
        self._initializer = initializer

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]
        """Computes one step."""
        with device("/cpu:0"):
            root = math.sqrt(3)
            first = self._initializer or get_variable_scope().initializer
            first = first or RandomUniform(-root, root)
            dtype = (state[0] if isinstance(state, tuple) else state).dtype.base_dtype
            matrix = get_variable("embedding", self._shape, initializer=first, dtype=dtype)
            return self._cell(embedding_lookup(matrix, reshape(inputs, [-1])), state)
