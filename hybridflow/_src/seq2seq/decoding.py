"""`Decoder`, and `dynamic_decode`, which runs one until its sequences have ended."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework import dtypes, nest
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import DTypeError
from hybridflow._src.ops.arrays.constant import fill, zeros_like
from hybridflow._src.ops.arrays.selecting import where
from hybridflow._src.ops.arrays.shape_ops import shape
from hybridflow._src.ops.data_flow.flows import tensor_of
from hybridflow._src.ops.data_flow.tensor_array import TensorArray
from hybridflow._src.ops.math.comparison import logical_and, logical_not, logical_or
from hybridflow._src.ops.math.reductions import reduce_all
from hybridflow._src.recurrent.cell import zeros_of
from hybridflow._src.recurrent.dynamic import batch_and_time_exchanged
from hybridflow._src.recurrent.emitting import emitting_loop
from hybridflow._src.variables.scope import variable_scope

__all__ = ["Decoder", "dynamic_decode"]


class Decoder:
    """What makes sequences step by step; a subclass defines the steps.

    >>> import hybridflow as hf
    >>> class Counts(hf.contrib.seq2seq.Decoder):
    ...     batch_size, output_size, output_dtype = 2, hf.TensorShape([]), hf.int32
    ...     def initialize(self, name=None):
    ...         return hf.fill([2], False), hf.constant([0, 5]), hf.constant([0, 0])
    ...     def step(self, time, inputs, state, name=None):
    ...         return inputs, state, inputs + 1, inputs >= 6
    >>> with hf.eager_mode():
    ...     outputs, _, lengths = hf.contrib.seq2seq.dynamic_decode(Counts(), impute_finished=True)
    ...     print(outputs.numpy(), lengths.numpy())
    [[0 1 2 3 4 5 6]
     [5 6 0 0 0 0 0]] [7 2]
    """

    @property
    def batch_size(self) -> Any:
        """The number of sequences: an int or a scalar tensor."""
        raise NotImplementedError(f"{type(self).__name__} has no batch_size.")

    @property
    def output_size(self) -> Any:
        """The shape of outputs without the batch: a shape, or a structure of them."""
        raise NotImplementedError(f"{type(self).__name__} has no output_size.")

    @property
    def output_dtype(self) -> Any:
        """The dtypes of outputs, in the same structure."""
        raise NotImplementedError(f"{type(self).__name__} has no output_dtype.")

    @property
    def tracks_own_finished(self) -> bool:
        """Whether `finished` of a step says all; by default what has ended stays so."""
        return False

    def initialize(self, name: str | None = None) -> Any:
        """Called before the first step: gives `(finished, first_inputs, initial_state)`."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it begins.")

    def step(self, time: Any, inputs: Any, state: Any, name: str | None = None) -> Any:
        """One step: gives `(outputs, next_state, next_inputs, finished)`."""
        raise NotImplementedError(f"{type(self).__name__} does not define its step.")

    def finalize(self, outputs: Any, final_state: Any, sequence_lengths: Any) -> Any:
        """Called after the last step with outputs by time: gives outputs and final state."""
        raise NotImplementedError(f"{type(self).__name__} has nothing to do in the end.")


def dynamic_decode(
    decoder: Any,
    output_time_major: bool = False,
    impute_finished: bool = False,
    maximum_iterations: Any = None,
    parallel_iterations: int = 32,
    swap_memory: bool = False,
    scope: Any = None,
) -> tuple[Any, Any, Any]:
    """Runs a decoder until all its sequences have ended.

    Args:
      decoder: a `Decoder`.
      output_time_major: whether outputs are `[time, batch, ...]`, else `[batch, time, ...]`.
      impute_finished: whether sequences that have ended have outputs of zeros and keep their state.
      maximum_iterations: after so many steps all sequences have ended: an int32 scalar.
      parallel_iterations, swap_memory: accepted for compatibility.
      scope: variable scope; "decoder" by default.

    Returns: the outputs, the final state, and the lengths of sequences `[batch]` (int32).

    Raises:
      TypeError: if it is no decoder. ValueError: if `maximum_iterations` is no scalar.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     helper = hf.contrib.seq2seq.TrainingHelper(hf.ones([2, 5, 3]), [5, 2])
    ...     cell = hf.nn.rnn_cell.GRUCell(4)
    ...     decoder = hf.contrib.seq2seq.BasicDecoder(cell, helper, cell.zero_state(2, hf.float32))
    ...     outputs, _, lengths = hf.contrib.seq2seq.dynamic_decode(decoder)
    ...     print(outputs.rnn_output.shape, lengths.numpy())
    (2, 5, 4) [5 2]
    """
    if not isinstance(decoder, Decoder):
        raise TypeError(f"Expected decoder to be type Decoder, but saw: {type(decoder)}")
    with variable_scope(scope, "decoder"):
        limit = None
        if maximum_iterations is not None:
            limit = convert_to_tensor(maximum_iterations, dtypes.int32, name="maximum_iterations")
            if limit.shape.ndims != 0:
                raise ValueError("maximum_iterations must be a scalar")
        finished, inputs, state = decoder.initialize()
        finished = convert_to_tensor(finished)
        if limit is not None:
            finished = logical_or(finished, limit <= 0)
        zero = nest.map_structure(
            lambda size, dtype: zeros_of(decoder.batch_size, size, dtype),
            decoder.output_size,
            decoder.output_dtype,
        )

        def turn(time: Any, state: Any, inputs: Any, finished: Any, lengths: Any) -> Any:
            outputs, new_state, new_inputs, ended = decoder.step(time, inputs, state)
            nest.assert_same_structure(zero, outputs)
            if not decoder.tracks_own_finished:
                ended = logical_or(ended, finished)
            if limit is not None:
                ended = logical_or(ended, time + 1 >= limit)
            just = logical_and(logical_not(finished), ended)
            lengths = where(just, fill(shape(lengths), time + 1), lengths)

            def kept(old: Any, new: Any) -> Any:
                if isinstance(old, TensorArray) or old.shape.ndims == 0:
                    return new
                new.set_shape(old.shape)
                return where(finished, old, new)

            if impute_finished:
                outputs = nest.map_structure(
                    lambda none, output: where(finished, none, output), zero, outputs
                )
                new_state = nest.map_structure(kept, state, new_state)
            for output, dtype in zip(
                nest.flatten(outputs), nest.flatten(decoder.output_dtype), strict=True
            ):
                if output.dtype.base_dtype != dtypes.as_dtype(dtype).base_dtype:
                    raise DTypeError(
                        f"{type(decoder).__name__} gave an output of dtype "
                        f"{output.dtype.base_dtype.name} where its output_dtype says "
                        f"{dtypes.as_dtype(dtype).name}."
                    )
            return [time + 1, new_state, new_inputs, ended, lengths], outputs

        first = [
            convert_to_tensor(0),
            nest.map_structure(tensor_of, state),
            nest.map_structure(tensor_of, inputs),
            finished,
            zeros_like(finished, dtype=dtypes.int32),
        ]
        final, arrays = emitting_loop(
            lambda time, state, inputs, finished, lengths: logical_not(reduce_all(finished)),
            turn,
            first,
            zero,
        )
        _, final_state, _, _, lengths = final
        outputs = nest.map_structure(lambda array: array.stack(), arrays)
        if type(decoder).finalize is not Decoder.finalize:
            outputs, final_state = decoder.finalize(outputs, final_state, lengths)
        if not output_time_major:
            outputs = nest.map_structure(batch_and_time_exchanged, outputs)
    return outputs, final_state, lengths
