"""`AttentionCellWrapper`: a cell that looks back at its last outputs."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework import nest
from hybridflow._src.framework.tensor_shape import dimension_at_index
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.reshaping import expand_dims, reshape
from hybridflow._src.ops.arrays.slicing import slice as slice_of
from hybridflow._src.ops.convolution.conv2d import conv2d
from hybridflow._src.ops.math.reductions import reduce_sum
from hybridflow._src.ops.math.trigonometric import tanh
from hybridflow._src.ops.nn.softmax import softmax
from hybridflow._src.recurrent.cell import RNNCell
from hybridflow._src.recurrent.projections import linear
from hybridflow._src.recurrent.wrappers import CellWrapper
from hybridflow._src.variables.getting import get_variable
from hybridflow._src.variables.scope import variable_scope

__all__ = ["AttentionCellWrapper"]


class AttentionCellWrapper(CellWrapper):
    """A cell with attention over its own last outputs, which the state keeps.

    Args:
      cell: the cell.
      attn_length: how many outputs it looks back at.
      attn_size: size of outputs; that of the cell's by default.
      attn_vec_size: size of the space in which outputs are compared; `attn_size` by default.
      input_size: number of columns that the cell gets; that of the inputs by default.
      state_is_tuple: whether the state is a tuple (state of the cell, attention, outputs), else one
        tensor of their columns.
      reuse: whether variables that are there are used.

    Raises:
      ValueError: if `attn_length` is not positive, or the cell's state a tuple where it should be a
        tensor.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     cell = hf.contrib.rnn.AttentionCellWrapper(hf.nn.rnn_cell.GRUCell(3), attn_length=4)
    ...     output, state = cell(hf.ones([2, 5]), cell.zero_state(2, hf.float32))
    ...     print(output.shape, cell.state_size)
    (2, 3) (3, 3, 12)

    References: Bahdanau, Cho, Bengio, Neural Machine Translation by Jointly Learning to Align and
      Translate, 2014 (https://arxiv.org/abs/1409.0473).
    """

    def __init__(
        self,
        cell: Any,
        attn_length: int,
        attn_size: int | None = None,
        attn_vec_size: int | None = None,
        input_size: int | None = None,
        state_is_tuple: bool = True,
        reuse: Any = None,
    ) -> None:
        super().__init__(cell, reuse)
        if nest.is_sequence(cell.state_size) and not state_is_tuple:
            raise ValueError(
                "Cell returns tuple of states, but the flag state_is_tuple is not set. State size "
                f"is: {cell.state_size}"
            )
        if attn_length <= 0:
            raise ValueError(f"attn_length should be greater than zero, got {attn_length}")
        self._state_is_tuple = state_is_tuple
        self._attn_length = attn_length
        self._attn_size = attn_size or cell.output_size
        self._attn_vec_size = attn_vec_size or self._attn_size
        self._input_size = input_size

    @property
    def state_size(self) -> Any:
        """Those of the cell's state, of the attention and of the outputs."""
        sizes = (self._cell.state_size, self._attn_size, self._attn_size * self._attn_length)
        return sizes if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> int:
        """That of the outputs."""
        return self._attn_size

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """The state of zeros."""
        return RNNCell.zero_state(self, batch_size, dtype)

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]
        """Computes one step."""
        length, size = self._attn_length, self._attn_size
        if self._state_is_tuple:
            state, attended, seen = state
        else:
            inner, whole = self._cell.state_size, state
            state = slice_of(whole, [0, 0], [-1, inner])
            attended = slice_of(whole, [0, inner], [-1, size])
            seen = slice_of(whole, [0, inner + size], [-1, size * length])
        seen = reshape(seen, [-1, length, size])
        columns = self._input_size or int(dimension_at_index(inputs.shape, 1))
        given = linear([inputs, attended], columns)
        output, new_state = self._cell(given, state)
        query = concat(nest.flatten(new_state), 1) if self._state_is_tuple else new_state
        attended, seen = self._attention(query, seen)
        with variable_scope("attn_output_projection"):
            output = linear([output, attended], size)
        seen = reshape(concat([seen, expand_dims(output, 1)], 1), [-1, length * size])
        whole = (new_state, attended, seen)
        return output, whole if self._state_is_tuple else concat(list(whole), 1)

    def _attention(self, query: Any, seen: Any) -> tuple[Any, Any]:
        """What is attended to, and what is seen the next time but for the newest output."""
        length, size, compared = self._attn_length, self._attn_size, self._attn_vec_size
        with variable_scope("attention"):
            dtype = query.dtype.base_dtype
            kernel = get_variable("attn_w", [1, 1, size, compared], dtype=dtype)
            direction = get_variable("attn_v", [compared], dtype=dtype)
            hidden = reshape(seen, [-1, length, 1, size])
            features = conv2d(hidden, kernel, [1, 1, 1, 1], "SAME")
            wanted = reshape(linear([query], compared), [-1, 1, 1, compared])
            scores = softmax(reduce_sum(direction * tanh(features + wanted), [2, 3]))
            weighted = reshape(scores, [-1, length, 1, 1]) * hidden
            attended = reshape(reduce_sum(weighted, [1, 2]), [-1, size])
            return attended, slice_of(seen, [0, 1, 0], [-1, -1, -1])
