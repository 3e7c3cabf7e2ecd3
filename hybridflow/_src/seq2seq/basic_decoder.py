"""`BasicDecoder`: a cell whose inputs a helper chooses."""

from __future__ import annotations

from typing import Any, NamedTuple

from hybridflow._src.framework import nest
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.layers.layer import Layer
from hybridflow._src.recurrent.cell import check_cell
from hybridflow._src.seq2seq.decoding import Decoder
from hybridflow._src.seq2seq.helpers import Helper

__all__ = ["BasicDecoder", "BasicDecoderOutput"]


class BasicDecoderOutput(NamedTuple):
    """What a `BasicDecoder` puts out.

    Attributes:
      rnn_output: what the cell, or the layer upon it, gave. sample_id: what the helper chose.

    >>> import hybridflow as hf
    >>> hf.contrib.seq2seq.BasicDecoderOutput(1, 2).sample_id
    2
    """

    rnn_output: Any
    sample_id: Any


def check_layer(output_layer: Any) -> None:
    """Checks what is upon a cell.

    Raises:
      TypeError: if it is no layer.
    """
    if output_layer is not None and not isinstance(output_layer, Layer):
        raise TypeError(f"output_layer must be a Layer, received: {type(output_layer)}")


def size_through(output_layer: Any, size: Any) -> Any:
    """The shapes of a cell's outputs, without the batch, after a layer."""
    shapes = nest.map_structure(lambda s: TensorShape([None]).concatenate(s), size)
    if output_layer is not None:
        shapes = output_layer.compute_output_shape(shapes)
    return nest.map_structure(lambda s: s[1:], shapes)


class BasicDecoder(Decoder):
    """A cell, perhaps with a layer upon it, whose inputs a helper chooses.

    Args:
      cell: an `RNNCell`.
      helper: a `Helper`.
      initial_state: the state to begin with.
      output_layer: a layer for the cell's outputs, before the helper chooses.

    Raises:
      TypeError: for arguments of another kind.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     table = hf.ones([5, 3])
    ...     helper = hf.contrib.seq2seq.GreedyEmbeddingHelper(table, [0, 0], end_token=4)
    ...     cell = hf.nn.rnn_cell.GRUCell(4)
    ...     decoder = hf.contrib.seq2seq.BasicDecoder(
    ...         cell, helper, cell.zero_state(2, hf.float32), hf.layers.Dense(5))
    ...     outputs, _, _ = hf.contrib.seq2seq.dynamic_decode(decoder, maximum_iterations=3)
    ...     print(outputs.sample_id.shape[0])
    2
    """

    def __init__(
        self, cell: Any, helper: Any, initial_state: Any, output_layer: Any = None
    ) -> None:
        check_cell(cell, "cell")
        if not isinstance(helper, Helper):
            raise TypeError(f"helper must be a Helper, received: {type(helper)}")
        check_layer(output_layer)
        self._cell = cell
        self._helper = helper
        self._initial_state = initial_state
        self._output_layer = output_layer

    @property
    def batch_size(self) -> Any:
        """That of the helper."""
        return self._helper.batch_size

    @property
    def output_size(self) -> BasicDecoderOutput:
        """The shapes of outputs and of what the helper chooses."""
        size = size_through(self._output_layer, self._cell.output_size)
        return BasicDecoderOutput(size, self._helper.sample_ids_shape)

    @property
    def output_dtype(self) -> BasicDecoderOutput:
        """The dtypes of outputs and of what the helper chooses."""
        dtype = nest.flatten(self._initial_state)[0].dtype.base_dtype
        outputs = nest.map_structure(lambda _: dtype, self._cell.output_size)
        return BasicDecoderOutput(outputs, self._helper.sample_ids_dtype)

    def initialize(self, name: str | None = None) -> Any:
        """What has ended, the first inputs, the first state."""
        return (*self._helper.initialize(), self._initial_state)

    def step(self, time: Any, inputs: Any, state: Any, name: str | None = None) -> Any:
        """One step of the cell, and what the helper chooses of it."""
        with name_scope(name, "BasicDecoderStep", [time]):
            outputs, new_state = self._cell(inputs, state)
            if self._output_layer is not None:
                outputs = self._output_layer(outputs)
            chosen = self._helper.sample(time=time, outputs=outputs, state=new_state)
            finished, new_inputs, new_state = self._helper.next_inputs(
                time=time, outputs=outputs, state=new_state, sample_ids=chosen
            )
        return BasicDecoderOutput(outputs, chosen), new_state, new_inputs, finished
