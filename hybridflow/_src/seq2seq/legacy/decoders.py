"""Decoders whose steps are written out: lists of inputs to lists of outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import nest
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.tensor_shape import dimension_at_index
from hybridflow._src.ops.arrays.constant import zeros
from hybridflow._src.ops.arrays.joining import concat, stack
from hybridflow._src.ops.arrays.reshaping import reshape, stop_gradient
from hybridflow._src.ops.convolution.conv2d import conv2d
from hybridflow._src.ops.math.arg_reductions import argmax
from hybridflow._src.ops.math.reductions import reduce_sum
from hybridflow._src.ops.math.trigonometric import tanh
from hybridflow._src.ops.nn.basic import xw_plus_b
from hybridflow._src.ops.nn.embedding import embedding_lookup
from hybridflow._src.ops.nn.softmax import softmax
from hybridflow._src.recurrent.projections import linear
from hybridflow._src.recurrent.steps import size_along
from hybridflow._src.variables.getting import get_variable
from hybridflow._src.variables.scope import variable_scope
from hybridflow._src.variables.scope_state import get_variable_scope

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "attention_decoder",
    "embedding_attention_decoder",
    "embedding_rnn_decoder",
    "rnn_decoder",
]


def best_embedded(
    embedding: Any, output_projection: Any = None, update_embedding: bool = True
) -> Callable[[Any, int], Any]:
    """A function of the last output that gives the embedding of its best symbol."""

    def embedded(previous: Any, _: int) -> Any:
        if output_projection is not None:
            previous = xw_plus_b(previous, *output_projection)
        found = embedding_lookup(embedding, argmax(previous, 1))
        return found if update_embedding else stop_gradient(found)

    return embedded


def check_projection(output_projection: Any, num_symbols: int) -> None:
    """Checks that a projection gives a number for each symbol.

    Raises:
      ValueError: if it does not.
    """
    if output_projection is not None:
        weights, biases = (convert_to_tensor(part) for part in output_projection)
        weights.shape.assert_is_compatible_with([None, num_symbols])
        biases.shape.assert_is_compatible_with([num_symbols])


def _given(
    index: int, given: Any, previous: Any, loop_function: Callable[[Any, int], Any] | None
) -> Any:
    """The input of a step: that which is given, or what a function makes of the last output."""
    if loop_function is None or previous is None:
        return given
    with variable_scope("loop_function", reuse=True):
        return loop_function(previous, index)


def rnn_decoder(
    decoder_inputs: Any,
    initial_state: Any,
    cell: Any,
    loop_function: Callable[[Any, int], Any] | None = None,
    scope: Any = None,
) -> tuple[list[Any], Any]:
    """A cell called for each of a list of inputs.

    Args:
      decoder_inputs: list of tensors `[batch, ...]`.
      initial_state: the state to begin with.
      cell: an `RNNCell`.
      loop_function: function of the last output and the number of the step that gives the input,
        of all steps but the first.
      scope: variable scope; "rnn_decoder" by default.

    Returns: the list of outputs, and the final state.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     outputs, _ = hf.contrib.legacy_seq2seq.rnn_decoder(
    ...         [hf.ones([2, 3])] * 4, hf.zeros([2, 5]), hf.nn.rnn_cell.GRUCell(5))
    ...     print(len(outputs), outputs[0].shape)
    4 (2, 5)
    """
    with variable_scope(scope or "rnn_decoder"):
        state, outputs, previous = initial_state, [], None
        for index, given in enumerate(decoder_inputs):
            current = _given(index, given, previous, loop_function)
            if index > 0:
                get_variable_scope().reuse_variables()
            previous, state = cell(current, state)
            outputs.append(previous)
    return outputs, state


def embedding_rnn_decoder(
    decoder_inputs: Any,
    initial_state: Any,
    cell: Any,
    num_symbols: int,
    embedding_size: int,
    output_projection: Any = None,
    feed_previous: bool = False,
    update_embedding_for_previous: bool = True,
    scope: Any = None,
) -> tuple[list[Any], Any]:
    """`rnn_decoder` whose inputs are numbers of symbols, for which there is an embedding.

    Args:
      decoder_inputs: list of int32 vectors `[batch]`.
      initial_state, cell: as for `rnn_decoder`.
      num_symbols, embedding_size: shape of the embedding.
      output_projection: weights and biases that make of outputs a number for each symbol.
      feed_previous: whether the best symbol of each output is the next input.
      update_embedding_for_previous: whether gradients flow to the embedding through it.
      scope: variable scope; "embedding_rnn_decoder" by default.

    Returns: the list of outputs, and the final state.

    Raises:
      ValueError: if the projection does not go with the number of symbols.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     outputs, _ = hf.contrib.legacy_seq2seq.embedding_rnn_decoder(
    ...         [hf.constant([1, 2])] * 4, hf.zeros([2, 5]), hf.nn.rnn_cell.GRUCell(5), 6, 3)
    ...     print(len(outputs), outputs[0].shape)
    4 (2, 5)
    """
    with variable_scope(scope or "embedding_rnn_decoder"):
        check_projection(output_projection, num_symbols)
        embedding = get_variable("embedding", [num_symbols, embedding_size])
        following = None
        if feed_previous:
            following = best_embedded(embedding, output_projection, update_embedding_for_previous)
        inputs = [embedding_lookup(embedding, i) for i in decoder_inputs]
        return rnn_decoder(inputs, initial_state, cell, following)


def attention_decoder(
    decoder_inputs: Any,
    initial_state: Any,
    attention_states: Any,
    cell: Any,
    output_size: int | None = None,
    num_heads: int = 1,
    loop_function: Callable[[Any, int], Any] | None = None,
    dtype: Any = None,
    scope: Any = None,
    initial_state_attention: bool = False,
) -> tuple[list[Any], Any]:
    """`rnn_decoder` that attends to a memory.

    Args:
      decoder_inputs, initial_state, cell, loop_function: as for `rnn_decoder`.
      attention_states: the memory `[batch, time, size]`.
      output_size: size of outputs; that of the cell's by default.
      num_heads: how often it attends, each time with weights of its own.
      dtype: that of variables.
      scope: variable scope; "attention_decoder" by default.
      initial_state_attention: whether the first step attends by the initial state; else it sees
        zeros.

    Returns: the list of outputs, and the final state.

    Raises:
      ValueError: without inputs or heads, or if the size of the memory is not known.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     outputs, _ = hf.contrib.legacy_seq2seq.attention_decoder(
    ...         [hf.ones([2, 3])] * 4, hf.zeros([2, 5]), hf.ones([2, 6, 7]),
    ...         hf.nn.rnn_cell.GRUCell(5), output_size=8)
    ...     print(len(outputs), outputs[0].shape)
    4 (2, 8)
    """
    if not decoder_inputs:
        raise ValueError("Must provide at least 1 input to attention decoder.")
    if num_heads < 1:
        raise ValueError("With less than 1 heads, use a non-attention decoder.")
    memory = convert_to_tensor(attention_states)
    size = dimension_at_index(memory.shape, 2).value
    if size is None:
        raise ValueError(f"Shape[2] of attention_states must be known: {memory.shape}")
    with variable_scope(scope or "attention_decoder", dtype=dtype) as opened:
        length = size_along([memory], 1)
        hidden = reshape(memory, stack([-1, length, 1, size]))
        heads = []
        for head in range(num_heads):
            kernel = get_variable(f"AttnW_{head}", [1, 1, size, size])
            features = conv2d(hidden, kernel, [1, 1, 1, 1], "SAME")
            heads.append((features, get_variable(f"AttnV_{head}", [size])))

        def attended(query: Any) -> list[Any]:
            joined = concat(nest.flatten(query), 1) if nest.is_sequence(query) else query
            found = []
            for head, (features, direction) in enumerate(heads):
                with variable_scope(f"Attention_{head}"):
                    wanted = reshape(linear([joined], size), [-1, 1, 1, size])
                    weights = softmax(reduce_sum(direction * tanh(features + wanted), [2, 3]))
                    weighted = reshape(weights, stack([-1, length, 1, 1])) * hidden
                    found.append(reshape(reduce_sum(weighted, [1, 2]), [-1, size]))
            return found

        batch = size_along([convert_to_tensor(decoder_inputs[0])], 0)
        seen = [zeros(stack([batch, size]), dtype=opened.dtype) for _ in heads]
        if initial_state_attention:
            seen = attended(initial_state)
        state, outputs, previous = initial_state, [], None
        for index, given in enumerate(decoder_inputs):
            if index > 0:
                get_variable_scope().reuse_variables()
            current = _given(index, given, previous, loop_function)
            columns = dimension_at_index(current.shape.with_rank(2), 1).value
            if columns is None:
                raise ValueError(f"Could not infer input size from input: {current}")
            output, state = cell(linear([current, *seen], columns), state)
            if index == 0 and initial_state_attention:
                with variable_scope(get_variable_scope(), reuse=True):
                    seen = attended(state)
            else:
                seen = attended(state)
            with variable_scope("AttnOutputProjection"):
                previous = linear([output, *seen], output_size or cell.output_size)
            outputs.append(previous)
    return outputs, state


def embedding_attention_decoder(
    decoder_inputs: Any,
    initial_state: Any,
    attention_states: Any,
    cell: Any,
    num_symbols: int,
    embedding_size: int,
    num_heads: int = 1,
    output_size: int | None = None,
    output_projection: Any = None,
    feed_previous: bool = False,
    update_embedding_for_previous: bool = True,
    dtype: Any = None,
    scope: Any = None,
    initial_state_attention: bool = False,
) -> tuple[list[Any], Any]:
    """`attention_decoder` whose inputs are numbers of symbols, for which there is an embedding.

    Args: as for `attention_decoder` and `embedding_rnn_decoder`; `scope` is
      "embedding_attention_decoder" by default.

    Returns: the list of outputs, and the final state.

    Raises:
      ValueError: if the projection does not go with the number of symbols.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     outputs, _ = hf.contrib.legacy_seq2seq.embedding_attention_decoder(
    ...         [hf.constant([1, 2])] * 4, hf.zeros([2, 5]), hf.ones([2, 6, 7]),
    ...         hf.nn.rnn_cell.GRUCell(5), 9, 3, output_size=9, feed_previous=True)
    ...     print(len(outputs), outputs[0].shape)
    4 (2, 9)
    """
    if output_projection is not None:
        biases = convert_to_tensor(output_projection[1])
        biases.shape.assert_is_compatible_with([num_symbols])
    with variable_scope(scope or "embedding_attention_decoder", dtype=dtype):
        embedding = get_variable("embedding", [num_symbols, embedding_size])
        following = None
        if feed_previous:
            following = best_embedded(embedding, output_projection, update_embedding_for_previous)
        return attention_decoder(
            [embedding_lookup(embedding, i) for i in decoder_inputs],
            initial_state,
            attention_states,
            cell,
            output_size=output_size,
            num_heads=num_heads,
            loop_function=following,
            initial_state_attention=initial_state_attention,
        )
