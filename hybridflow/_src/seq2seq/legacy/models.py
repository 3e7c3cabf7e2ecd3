"""Encoders and decoders together, whose steps are written out."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes, nest
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.control_flow.conditional import cond
from hybridflow._src.ops.nn.embedding import embedding_lookup
from hybridflow._src.recurrent.cell import check_cell
from hybridflow._src.recurrent.projections import EmbeddingWrapper, OutputProjectionWrapper
from hybridflow._src.recurrent.static import static_rnn
from hybridflow._src.seq2seq.legacy.decoders import (
    best_embedded,
    check_projection,
    embedding_attention_decoder,
    embedding_rnn_decoder,
    rnn_decoder,
)
from hybridflow._src.variables.getting import get_variable
from hybridflow._src.variables.scope import variable_scope
from hybridflow._src.variables.scope_state import get_variable_scope

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "basic_rnn_seq2seq",
    "embedding_attention_seq2seq",
    "embedding_rnn_seq2seq",
    "embedding_tied_rnn_seq2seq",
    "one2many_rnn_seq2seq",
    "tied_rnn_seq2seq",
]


def _fed(feed_previous: Any, decoder: Callable[[bool, bool], tuple[list[Any], Any]]) -> Any:
    """What a decoder gives that is fed its own outputs, or not: a bool, or a tensor that decides.

    Args:
      decoder: function of whether it is fed them, and whether gradients then flow to the embedding.
    """
    if isinstance(feed_previous, bool):
        return decoder(feed_previous, True)
    structure: Any = None

    def branch(fed: bool) -> list[Any]:
        nonlocal structure
        with variable_scope(get_variable_scope(), reuse=None if fed else True):
            structure = decoder(fed, False)
        return nest.flatten(structure)

    flat = cond(feed_previous, lambda: branch(True), lambda: branch(False), strict=True)
    return nest.pack_sequence_as(structure, flat)


def basic_rnn_seq2seq(
    encoder_inputs: Any,
    decoder_inputs: Any,
    cell: Any,
    dtype: Any = dtypes.float32,
    scope: Any = None,
) -> tuple[list[Any], Any]:
    """A cell over inputs, whose final state another one of its kind begins with.

    Args:
      encoder_inputs, decoder_inputs: lists of tensors `[batch, ...]`.
      cell: an `RNNCell`, of which the encoder has a copy.
      dtype: that of the state.
      scope: variable scope; "basic_rnn_seq2seq" by default.

    Returns: the list of the decoder's outputs, and its final state.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     outputs, _ = hf.contrib.legacy_seq2seq.basic_rnn_seq2seq(
    ...         [hf.ones([2, 3])] * 4, [hf.ones([2, 3])] * 5, hf.nn.rnn_cell.GRUCell(6))
    ...     print(len(outputs), outputs[0].shape)
    5 (2, 6)
    """
    with variable_scope(scope or "basic_rnn_seq2seq"):
        _, state = static_rnn(copy.deepcopy(cell), encoder_inputs, dtype=dtype)
        return rnn_decoder(decoder_inputs, state, cell)


def tied_rnn_seq2seq(
    encoder_inputs: Any,
    decoder_inputs: Any,
    cell: Any,
    loop_function: Callable[[Any, int], Any] | None = None,
    dtype: Any = dtypes.float32,
    scope: Any = None,
) -> tuple[list[Any], Any]:
    """`basic_rnn_seq2seq` with one cell for both.

    Args: as for `basic_rnn_seq2seq`; `scope` is "tied_rnn_seq2seq" by default.
      loop_function: as for `rnn_decoder`.

    Returns: the list of the decoder's outputs, and its final state.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     outputs, _ = hf.contrib.legacy_seq2seq.tied_rnn_seq2seq(
    ...         [hf.ones([2, 3])] * 4, [hf.ones([2, 3])] * 5, hf.nn.rnn_cell.GRUCell(6))
    ...     print(len(outputs), len(hf.trainable_variables()))
    5 4
    """
    with variable_scope("combined_tied_rnn_seq2seq"):
        scope = scope or "tied_rnn_seq2seq"
        _, state = static_rnn(cell, encoder_inputs, dtype=dtype, scope=scope)
        get_variable_scope().reuse_variables()
        return rnn_decoder(decoder_inputs, state, cell, loop_function, scope)


def embedding_rnn_seq2seq(
    encoder_inputs: Any,
    decoder_inputs: Any,
    cell: Any,
    num_encoder_symbols: int,
    num_decoder_symbols: int,
    embedding_size: int,
    output_projection: Any = None,
    feed_previous: Any = False,
    dtype: Any = None,
    scope: Any = None,
) -> tuple[list[Any], Any]:
    """`basic_rnn_seq2seq` of symbols.

    Args:
      encoder_inputs, decoder_inputs: lists of int32 vectors `[batch]`.
      cell: an `RNNCell`, of which the encoder has a copy.
      num_encoder_symbols, num_decoder_symbols: how many symbols there are.
      embedding_size: size of the embeddings, of which each side has its own.
      output_projection: weights and biases that make of outputs a number for each symbol; without
        them the outputs are these numbers.
      feed_previous: whether the best symbol of each output is the next input: a bool, or a tensor.
      dtype: that of the state.
      scope: variable scope; "embedding_rnn_seq2seq" by default.

    Returns: the list of the decoder's outputs, and its final state.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     symbols = [hf.constant([1, 2])] * 4
    ...     outputs, _ = hf.contrib.legacy_seq2seq.embedding_rnn_seq2seq(
    ...         symbols, symbols, hf.nn.rnn_cell.GRUCell(5), 6, 7, 3)
    ...     print(len(outputs), outputs[0].shape)
    4 (2, 7)
    """
    with variable_scope(scope or "embedding_rnn_seq2seq", dtype=dtype) as opened:
        encoder = EmbeddingWrapper(copy.deepcopy(cell), num_encoder_symbols, embedding_size)
        _, state = static_rnn(encoder, encoder_inputs, dtype=opened.dtype)
        if output_projection is None:
            cell = OutputProjectionWrapper(cell, num_decoder_symbols)
        return _fed(
            feed_previous,
            lambda fed, update: embedding_rnn_decoder(
                decoder_inputs,
                state,
                cell,
                num_decoder_symbols,
                embedding_size,
                output_projection,
                fed,
                update,
            ),
        )


def embedding_tied_rnn_seq2seq(
    encoder_inputs: Any,
    decoder_inputs: Any,
    cell: Any,
    num_symbols: int,
    embedding_size: int,
    num_decoder_symbols: int | None = None,
    output_projection: Any = None,
    feed_previous: Any = False,
    dtype: Any = None,
    scope: Any = None,
) -> tuple[list[Any], Any]:
    """`tied_rnn_seq2seq` of symbols, with one embedding for both.

    Args: as for `embedding_rnn_seq2seq`; `scope` is "embedding_tied_rnn_seq2seq" by default.
      num_symbols: how many symbols there are.
      num_decoder_symbols: how many numbers outputs have; `num_symbols` by default.

    Returns: the list of the decoder's outputs, and its final state.

    Raises:
      ValueError: if the projection does not go with the number of symbols.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     symbols = [hf.constant([1, 2])] * 4
    ...     outputs, _ = hf.contrib.legacy_seq2seq.embedding_tied_rnn_seq2seq(
    ...         symbols, symbols, hf.nn.rnn_cell.GRUCell(5), 6, 3)
    ...     print(len(outputs), outputs[0].shape)
    4 (2, 6)
    """
    with variable_scope(scope or "embedding_tied_rnn_seq2seq", dtype=dtype) as opened:
        check_projection(output_projection, num_symbols)
        embedding = get_variable("embedding", [num_symbols, embedding_size], dtype=opened.dtype)
        given = [embedding_lookup(embedding, x) for x in encoder_inputs]
        wanted = [embedding_lookup(embedding, x) for x in decoder_inputs]
        if output_projection is None:
            cell = OutputProjectionWrapper(cell, num_decoder_symbols or num_symbols)

        def decoder(fed: bool, update: bool) -> tuple[list[Any], Any]:
            following = best_embedded(embedding, output_projection, update) if fed else None
            return tied_rnn_seq2seq(given, wanted, cell, following, opened.dtype)

        return _fed(feed_previous, decoder)


def embedding_attention_seq2seq(
    encoder_inputs: Any,
    decoder_inputs: Any,
    cell: Any,
    num_encoder_symbols: int,
    num_decoder_symbols: int,
    embedding_size: int,
    num_heads: int = 1,
    output_projection: Any = None,
    feed_previous: Any = False,
    dtype: Any = None,
    scope: Any = None,
    initial_state_attention: bool = False,
) -> tuple[list[Any], Any]:
    """`embedding_rnn_seq2seq` whose decoder attends to the encoder's outputs.

    Args: as for `embedding_rnn_seq2seq` and `attention_decoder`; `scope` is
      "embedding_attention_seq2seq" by default.

    Returns: the list of the decoder's outputs, and its final state.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     symbols = [hf.constant([1, 2])] * 4
    ...     outputs, _ = hf.contrib.legacy_seq2seq.embedding_attention_seq2seq(
    ...         symbols, symbols, hf.nn.rnn_cell.GRUCell(5), 6, 7, 3)
    ...     print(len(outputs), outputs[0].shape)
    4 (2, 7)
    """
    with variable_scope(scope or "embedding_attention_seq2seq", dtype=dtype) as opened:
        encoder = EmbeddingWrapper(copy.deepcopy(cell), num_encoder_symbols, embedding_size)
        outputs, state = static_rnn(encoder, encoder_inputs, dtype=opened.dtype)
        memory = concat([reshape(output, [-1, 1, cell.output_size]) for output in outputs], 1)
        output_size = None
        if output_projection is None:
            cell = OutputProjectionWrapper(cell, num_decoder_symbols)
            output_size = num_decoder_symbols
        return _fed(
            feed_previous,
            lambda fed, update: embedding_attention_decoder(
                decoder_inputs,
                state,
                memory,
                cell,
                num_decoder_symbols,
                embedding_size,
                num_heads,
                output_size,
                output_projection,
                fed,
                update,
                initial_state_attention=initial_state_attention,
            ),
        )


def one2many_rnn_seq2seq(
    encoder_inputs: Any,
    decoder_inputs_dict: dict[Any, Any],
    enc_cell: Any,
    dec_cells_dict: dict[Any, Any],
    num_encoder_symbols: int,
    num_decoder_symbols_dict: dict[Any, int],
    embedding_size: int,
    feed_previous: Any = False,
    dtype: Any = None,
    scope: Any = None,
) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """`embedding_rnn_seq2seq` with several decoders.

    Args:
      encoder_inputs: list of int32 vectors `[batch]`.
      decoder_inputs_dict: for each decoder, by its name, a list of int32 vectors `[batch]`.
      enc_cell: the encoder's cell. dec_cells_dict: those of the decoders.
      num_encoder_symbols, num_decoder_symbols_dict: how many symbols there are.
      embedding_size, feed_previous, dtype: as for `embedding_rnn_seq2seq`.
      scope: variable scope; "one2many_rnn_seq2seq" by default.

    Returns: for each decoder the list of outputs, and for each the final state.

    Raises:
      TypeError: for a cell that is none. ValueError: if names differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     symbols, cell = [hf.constant([1, 2])] * 4, hf.nn.rnn_cell.GRUCell
    ...     outputs, _ = hf.contrib.legacy_seq2seq.one2many_rnn_seq2seq(
    ...         symbols, {"a": symbols}, cell(5), {"a": cell(5)}, 6, {"a": 7}, 3)
    ...     print(len(outputs["a"]), outputs["a"][0].shape)
    4 (2, 7)
    """
    check_cell(enc_cell, "enc_cell")
    if set(dec_cells_dict) != set(decoder_inputs_dict):
        raise ValueError("keys of dec_cells_dict != keys of decoder_inputs_dict")
    for name, cell in dec_cells_dict.items():
        check_cell(cell, f"dec_cells_dict[{name!r}]")
    outputs, states = {}, {}
    with variable_scope(scope or "one2many_rnn_seq2seq", dtype=dtype) as opened:
        encoder = EmbeddingWrapper(enc_cell, num_encoder_symbols, embedding_size)
        _, state = static_rnn(encoder, encoder_inputs, dtype=opened.dtype)
        for name, inputs in decoder_inputs_dict.items():
            symbols = num_decoder_symbols_dict[name]
            with variable_scope(f"one2many_decoder_{name}"):
                cell = OutputProjectionWrapper(dec_cells_dict[name], symbols)

                def decoder(
                    fed: bool,
                    update: bool,
                    inputs: Any = inputs,
                    symbols: int = symbols,
                    cell: Any = cell,
                ) -> tuple[list[Any], Any]:
                    return embedding_rnn_decoder(
                        inputs, state, cell, symbols, embedding_size, feed_previous=fed
                    )

                outputs[name], states[name] = _fed(feed_previous, decoder)
    return outputs, states
