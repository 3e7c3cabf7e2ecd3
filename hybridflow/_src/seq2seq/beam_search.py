"""`BeamSearchDecoder`: the most probable sequences, of a few that are followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.framework import dtypes, nest
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor_shape import TensorShape, dimension_at_index
from hybridflow._src.ops.arrays.arranging import tile
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.constant import fill, zeros
from hybridflow._src.ops.arrays.gather import gather
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.reshaping import expand_dims, reshape
from hybridflow._src.ops.arrays.selecting import where
from hybridflow._src.ops.arrays.sequences import one_hot
from hybridflow._src.ops.arrays.sequences import range as range_of
from hybridflow._src.ops.arrays.shape_ops import shape
from hybridflow._src.ops.data_flow.beams import gather_tree
from hybridflow._src.ops.data_flow.tensor_array import TensorArray
from hybridflow._src.ops.math.comparison import equal, logical_not, logical_or
from hybridflow._src.ops.math.ranking import top_k
from hybridflow._src.ops.math.reductions import reduce_max
from hybridflow._src.ops.nn.softmax import log_softmax
from hybridflow._src.recurrent.cell import check_cell
from hybridflow._src.recurrent.steps import size_along
from hybridflow._src.seq2seq.basic_decoder import check_layer
from hybridflow._src.seq2seq.decoding import Decoder
from hybridflow._src.seq2seq.helpers import checked_tokens, embedding_function

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "BeamSearchDecoder",
    "BeamSearchDecoderOutput",
    "BeamSearchDecoderState",
    "FinalBeamSearchDecoderOutput",
    "tile_batch",
]


def tile_batch(t: Any, multiplier: int, name: str | None = None) -> Any:
    """Each row several times, one after the other: what a beam search begins with.

    Args:
      t: tensor `[batch, ...]`, or a structure of them.
      multiplier: how often each row comes: the width of the beam.
      name: name scope of the ops.

    Returns: tensors `[batch * multiplier, ...]` in the same structure.

    Raises:
      ValueError: if the rank is not known, or 0.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.contrib.seq2seq.tile_batch(hf.constant([1, 2]), 2).numpy())
    [1 1 2 2]
    """

    def tiled(value: Any) -> Tensor:
        rows = convert_to_tensor(value, name="t")
        rank = rows.shape.ndims
        if not rank:
            raise ValueError(f"t must have statically known rank, and rows; got shape {rows.shape}")
        found = tile(expand_dims(rows, 1), [1, multiplier] + [1] * (rank - 1))
        found = reshape(found, concat([[-1], shape(rows)[1:]], 0))
        count = dimension_at_index(rows.shape, 0).value
        known = TensorShape([None if count is None else count * multiplier])
        found.set_shape(known.concatenate(rows.shape[1:]))
        return found

    with name_scope(name, "tile_batch", [*nest.flatten(t), multiplier]):
        return nest.map_structure(tiled, t)


class BeamSearchDecoderState(NamedTuple):
    """The state of a `BeamSearchDecoder`.

    Attributes:
      cell_state: that of the cell, `[batch, beams, ...]`. log_probs: of the sequences so far.
      finished: which have ended. lengths: their lengths (int64). All are `[batch, beams]`.

    >>> import hybridflow as hf
    >>> hf.contrib.seq2seq.BeamSearchDecoderState(1, 2, 3, 4).lengths
    4
    """

    cell_state: Any
    log_probs: Any
    finished: Any
    lengths: Any


class BeamSearchDecoderOutput(NamedTuple):
    """What a `BeamSearchDecoder` puts out in each step, all `[batch, beams]`.

    Attributes:
      scores: of the sequences so far. predicted_ids: the symbols that were chosen (int32).
      parent_ids: the beams that they go on with (int32).

    >>> import hybridflow as hf
    >>> hf.contrib.seq2seq.BeamSearchDecoderOutput(1, 2, 3).parent_ids
    3
    """

    scores: Any
    predicted_ids: Any
    parent_ids: Any


class FinalBeamSearchDecoderOutput(NamedTuple):
    """What `dynamic_decode` gives for a `BeamSearchDecoder`.

    Attributes:
      predicted_ids: the sequences `[batch, time, beams]`, the best first.
      beam_search_decoder_output: what was put out in each step.

    >>> import hybridflow as hf
    >>> hf.contrib.seq2seq.FinalBeamSearchDecoderOutput(1, 2).predicted_ids
    1
    """

    predicted_ids: Any
    beam_search_decoder_output: Any


class BeamSearchDecoder(Decoder):
    """Follows the most probable sequences, a fixed number of them.

    Args:
      cell: an `RNNCell`.
      embedding: matrix `[symbols, ...]`, or a function of numbers of symbols.
      start_tokens: int32 vector `[batch]`: the first symbols.
      end_token: int32 scalar: the symbol with which a sequence ends.
      initial_state: the state to begin with, of `batch * beam_width` rows: see `tile_batch`.
      beam_width: how many sequences are followed.
      output_layer: a layer for the cell's outputs, which then are logits.
      length_penalty_weight: scores are log probabilities, divided by
        `((5 + length) / 6) ** length_penalty_weight`; with 0 they are not divided. The end itself
        counts from the step after it on, as in TensorFlow.

    Raises:
      TypeError: for arguments of another kind. ValueError: if tokens or states have other shapes.

    >>> import hybridflow as hf
    >>> class Fixed(hf.nn.rnn_cell.RNNCell):
    ...     state_size, output_size = 1, 3
    ...     def call(self, inputs, state):
    ...         return hf.log([[0.5, 0.3, 0.2]]) + 0.0 * inputs, state
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     state = hf.contrib.seq2seq.tile_batch(hf.zeros([1, 1]), 2)
    ...     decoder = hf.contrib.seq2seq.BeamSearchDecoder(Fixed(), hf.eye(3), [0], 2, state, 2)
    ...     outputs, _, _ = hf.contrib.seq2seq.dynamic_decode(decoder, maximum_iterations=2)
    ...     print(outputs.predicted_ids.numpy()[0].T)
    [[0 0]
     [0 1]]

    References: Wu et al., Google's Neural Machine Translation System, 2016
      (https://arxiv.org/abs/1609.08144), section 7, for the penalty.
    """

    def __init__(
        self,
        cell: Any,
        embedding: Any,
        start_tokens: Any,
        end_token: Any,
        initial_state: Any,
        beam_width: int,
        output_layer: Any = None,
        length_penalty_weight: float = 0.0,
    ) -> None:
        check_cell(cell, "cell")
        check_layer(output_layer)
        self._cell = cell
        self._output_layer = output_layer
        self._embedding = embedding_function(embedding)
        starts, self._end_token = checked_tokens(start_tokens, end_token)
        self._batch_size = size_along([starts], 0)
        self._beam_width = beam_width
        self._penalty_weight = length_penalty_weight
        self._initial_cell_state = nest.map_structure(self._split, initial_state)
        self._start_inputs = self._embedding(tile(expand_dims(starts, 1), [1, beam_width]))

    @property
    def batch_size(self) -> Any:
        """The number of searches: an int32 scalar."""
        return convert_to_tensor(self._batch_size)

    @property
    def tracks_own_finished(self) -> bool:
        """Beams change places, so what has ended is not always where it was."""
        return True

    @property
    def output_size(self) -> BeamSearchDecoderOutput:
        """A number for each beam."""
        size = TensorShape([self._beam_width])
        return BeamSearchDecoderOutput(size, size, size)

    @property
    def output_dtype(self) -> BeamSearchDecoderOutput:
        """The dtypes of outputs."""
        return BeamSearchDecoderOutput(self._dtype, dtypes.int32, dtypes.int32)

    @property
    def _dtype(self) -> Any:
        return nest.flatten(self._initial_cell_state)[0].dtype.base_dtype

    # -- beams as rows, and back -------------------------------------------------------------------

    def _split(self, tensor: Any) -> Any:
        """`[batch * beams, ...]` as `[batch, beams, ...]`; a scalar as it is."""
        if isinstance(tensor, TensorArray):
            raise TypeError("TensorArray state is not supported by BeamSearchDecoder.")
        tensor = convert_to_tensor(tensor)
        if tensor.shape.ndims is None:
            raise ValueError(f"Expected tensor ({tensor}) to have known rank, but ndims == None.")
        if tensor.shape.ndims == 0:
            return tensor
        rows, batch = dimension_at_index(tensor.shape, 0).value, self._batch_size
        if rows is not None and isinstance(batch, int) and rows != batch * self._beam_width:
            raise ValueError(
                f"Expected a state of batch size {batch} * beam width {self._beam_width} rows, got "
                f"shape {tensor.shape}.  Perhaps you forgot to create a zero_state with "
                "batch_size=encoder_batch_size * beam_width?"
            )
        inner = tensor.shape[1:]
        sizes = inner.as_list() if inner.is_fully_defined() else shape(tensor)[1:]
        found = reshape(tensor, concat([[-1, self._beam_width], sizes], 0))
        found.set_shape(self._known().concatenate(inner))
        return found

    def _merge(self, tensor: Any) -> Any:
        """`[batch, beams, ...]` as `[batch * beams, ...]`; a scalar as it is."""
        if tensor.shape.ndims == 0:
            return tensor
        inner = tensor.shape[2:]
        sizes = inner.as_list() if inner.is_fully_defined() else shape(tensor)[2:]
        found = reshape(tensor, concat([[-1], sizes], 0))
        batch = self._batch_size
        rows = batch * self._beam_width if isinstance(batch, int) else None
        found.set_shape(TensorShape([rows]).concatenate(inner))
        return found

    def _known(self) -> TensorShape:
        batch = self._batch_size
        return TensorShape([batch if isinstance(batch, int) else None, self._beam_width])

    def _rows(self, beams: Tensor, size: Any) -> Tensor:
        """The numbers of entries `[batch, beams]` among those of all batches, of which each has so
        many.
        """
        return beams + expand_dims(range_of(self._batch_size) * size, 1)

    def _of_beams(self, tensor: Any, beams: Tensor) -> Any:
        """What belongs to some beams `[batch, beams]`."""
        if tensor.shape.ndims == 0:
            return tensor
        found = gather(self._merge(tensor), self._rows(beams, self._beam_width))
        found.set_shape(self._known().concatenate(tensor.shape[2:]))
        return found

    # -- steps -------------------------------------------------------------------------------------

    def initialize(self, name: str | None = None) -> Any:
        """What has ended, the first inputs, the first state: there is one sequence at first."""
        sizes = [self._batch_size, self._beam_width]
        finished = fill(sizes, False)
        first = one_hot(
            fill([self._batch_size], 0),
            self._beam_width,
            on_value=0.0,
            off_value=-np.inf,
            dtype=self._dtype,
        )
        state = BeamSearchDecoderState(
            cell_state=self._initial_cell_state,
            log_probs=first,
            finished=finished,
            lengths=zeros(sizes, dtype=dtypes.int64),
        )
        return finished, self._start_inputs, state

    def step(self, time: Any, inputs: Any, state: Any, name: str | None = None) -> Any:
        """One step of the cell, and of the search."""
        with name_scope(name, "BeamSearchDecoderStep", [time]):
            outputs, cell_state = self._cell(
                nest.map_structure(self._merge, inputs),
                nest.map_structure(self._merge, state.cell_state),
            )
            if self._output_layer is not None:
                outputs = self._output_layer(outputs)
            cell_state = nest.map_structure(self._split, cell_state)
            output, new_state = self._search(self._split(outputs), cell_state, state)
            new_inputs = self._embedding(output.predicted_ids)
        return output, new_state, new_inputs, new_state.finished

    def _search(self, logits: Tensor, cell_state: Any, state: Any) -> tuple[Any, Any]:
        """What is chosen of all that each sequence could go on with."""
        count = dimension_at_index(logits.shape, -1).value
        symbols = shape(logits)[-1] if count is None else count
        dtype = logits.dtype.base_dtype
        # A sequence that has ended goes on with its end alone, at no cost.
        only_end = one_hot(self._end_token, symbols, on_value=0.0, off_value=dtype.min, dtype=dtype)
        ended = expand_dims(state.finished, 2)
        ended = logical_or(ended, fill(shape(logits), False))
        log_probs = where(ended, only_end + 0.0 * logits, log_softmax(logits))
        total = expand_dims(state.log_probs, 2) + log_probs
        grows = one_hot(
            self._end_token,
            symbols,
            on_value=np.int64(0),
            off_value=np.int64(1),
            dtype=dtypes.int64,
        )
        unfinished = cast(logical_not(state.finished), dtypes.int64)
        lengths = expand_dims(state.lengths, 2) + expand_dims(unfinished, 2) * grows
        scores = total / self._penalty(lengths, dtype) if self._penalty_weight else total
        flat = reshape(scores, concat([[-1], [symbols * self._beam_width]], 0))
        found, places = top_k(flat, k=self._beam_width)
        found.set_shape(self._known())
        places.set_shape(self._known())
        chosen, parents = places % symbols, places // symbols
        rows = self._rows(places, symbols * self._beam_width)
        before = self._of_beams(state.finished, parents)
        new_state = BeamSearchDecoderState(
            cell_state=nest.map_structure(lambda t: self._of_beams(t, parents), cell_state),
            log_probs=gather(reshape(total, [-1]), rows),
            finished=logical_or(before, equal(chosen, self._end_token)),
            lengths=self._of_beams(state.lengths, parents)
            + cast(logical_not(before), dtypes.int64),
        )
        return BeamSearchDecoderOutput(found, chosen, parents), new_state

    def _penalty(self, lengths: Tensor, dtype: Any) -> Tensor:
        return ((5.0 + cast(lengths, dtype)) / 6.0) ** self._penalty_weight

    def finalize(self, outputs: Any, final_state: Any, sequence_lengths: Any) -> Any:
        """Whole sequences from the steps."""
        longest = cast(reduce_max(final_state.lengths, axis=1), dtypes.int32)
        sequences = gather_tree(outputs.predicted_ids, outputs.parent_ids, longest, self._end_token)
        return FinalBeamSearchDecoderOutput(sequences, outputs), final_state
