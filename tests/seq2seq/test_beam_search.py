"""Beam search against a search through all sequences, and its parts alone."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from tests.execution import EXECUTIONS, Execution

seq2seq = hf.contrib.seq2seq
SYMBOLS, END, STEPS = 3, 2, 3
RNG = np.random.default_rng(4)
# The logits of the next symbol after each; both sequences of the batch have their own.
LOGITS = RNG.normal(size=[2, SYMBOLS, SYMBOLS]).astype(np.float32)


@pytest.fixture(params=EXECUTIONS)
def run(request: Any) -> Execution:
    return Execution(request.param)


class Chain(hf.nn.rnn_cell.RNNCell):
    """Gives the logits that go with the last symbol; the state holds all of them."""

    state_size, output_size = SYMBOLS * SYMBOLS, SYMBOLS

    def call(self, inputs: Any, state: Any) -> Any:
        table = hf.reshape(state, [-1, SYMBOLS, SYMBOLS])
        return hf.reduce_sum(table * hf.expand_dims(inputs, 2), 1), state


def all_sequences(logits: np.ndarray, weight: float) -> dict[tuple[int, ...], float]:
    """The scores of all sequences that end, or have as many symbols as there are steps."""
    log_probs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    found = {}
    for symbols in itertools.product(range(SYMBOLS), repeat=STEPS):
        length = symbols.index(END) + 1 if END in symbols else STEPS
        given = symbols[:length]
        total = sum(log_probs[a, b] for a, b in itertools.pairwise((0, *given)))
        # The last symbol is counted from the step after it on, as TensorFlow does it.
        counted = length - (END in given and length == STEPS)
        found[given] = total / ((5 + counted) / 6) ** weight
    return found


def searched(width: int, weight: float) -> Any:
    def program(logits: Any) -> Any:
        state = seq2seq.tile_batch(hf.reshape(logits, [2, -1]), width)
        decoder = seq2seq.BeamSearchDecoder(
            Chain(), hf.eye(SYMBOLS), [0, 0], END, state, width, length_penalty_weight=weight
        )
        outputs, final, lengths = seq2seq.dynamic_decode(decoder, maximum_iterations=STEPS)
        steps = outputs.beam_search_decoder_output
        return outputs.predicted_ids, steps.scores, final.lengths, lengths

    return program


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_a_wide_beam_finds_the_best_of_all_sequences(run: Execution, weight: float) -> None:
    width = 15  # as many as there are sequences
    found, scores, lengths, _ = run(searched(width, weight), LOGITS)
    assert found.shape == (2, STEPS, width)
    for row in range(2):
        wanted = all_sequences(LOGITS[row], weight)
        best = sorted(wanted, key=wanted.__getitem__, reverse=True)
        for beam, expected in enumerate(best[:5]):
            padded = (*expected, *[END] * (STEPS - len(expected)))
            assert tuple(found[row, :, beam]) == padded
            np.testing.assert_allclose(scores[row, -1, beam], wanted[expected], rtol=1e-5)
            assert lengths[row, beam] == len(expected)


def test_one_beam_is_greedy(run: Execution) -> None:
    found, *_ = run(searched(1, 0.0), LOGITS)
    for row in range(2):
        symbol, expected = 0, []
        for _ in range(STEPS):
            symbol = END if END in expected else int(np.argmax(LOGITS[row, symbol]))
            expected.append(symbol)
        assert found[row, : found.shape[1], 0].tolist() == expected[: found.shape[1]]


def test_beams_attend_to_tiled_memories(run: Execution) -> None:
    def program(memory: Any) -> Any:
        tiled = seq2seq.tile_batch(memory, 2)
        attention = seq2seq.LuongAttention(4, tiled)
        cell = seq2seq.AttentionWrapper(hf.nn.rnn_cell.GRUCell(4), attention)
        decoder = seq2seq.BeamSearchDecoder(
            cell,
            hf.eye(5),
            [0, 0],
            4,
            cell.zero_state(4, hf.float32),
            2,
            output_layer=hf.layers.Dense(5),
        )
        outputs, _, _ = seq2seq.dynamic_decode(decoder, maximum_iterations=4)
        return outputs.predicted_ids, outputs.beam_search_decoder_output.scores

    found, scores = run(program, np.ones([2, 3, 3], np.float32))
    assert found.shape[0] == 2
    assert found.shape[2] == 2
    assert np.all(scores[:, -1, 0] >= scores[:, -1, 1])


def test_sequences_are_gathered_from_steps(run: Execution) -> None:
    steps = np.array([[[1, 2, 3]], [[4, 5, 6]], [[7, 8, 9]], [[-1, -1, -1]]], np.int32)
    parents = np.array([[[0, 0, 0]], [[0, 1, 1]], [[2, 1, 2]], [[-1, -1, -1]]], np.int32)
    found = run(lambda s, p: seq2seq.gather_tree(s, p, [3], 10), steps, parents)
    expected = [[2, 2, 2], [6, 5, 6], [7, 8, 9], [10, 10, 10]]
    np.testing.assert_array_equal(found[:, 0], expected)


def test_a_sequence_that_has_ended_is_filled(run: Execution) -> None:
    steps = np.array([[[1, 9]], [[9, 3]], [[4, 5]]], np.int32)
    parents = np.zeros([3, 1, 2], np.int32)
    parents[:] = [[[0, 1]]] * 3
    found = run(lambda s, p: seq2seq.gather_tree(s, p, [3], 9), steps, parents)
    np.testing.assert_array_equal(found[:, 0], [[1, 9], [9, 9], [9, 9]])


def test_parents_and_states_are_checked(run: Execution) -> None:
    steps = np.zeros([2, 1, 2], np.int32)
    with pytest.raises(
        hf.errors.InvalidArgumentError, match=r"parent id 5 at .* \(0, 0, 0\) is not in \[0, 2\)"
    ):
        run(lambda s: seq2seq.gather_tree(s, s + 5, [2], 9), steps)
    with pytest.raises(ValueError, match="beam width 2 rows"):
        run(
            lambda x: seq2seq.BeamSearchDecoder(Chain(), hf.eye(3), [0, 0], 2, x, 2),
            np.zeros([2, 9], np.float32),
        )
    with pytest.raises(ValueError, match="statically known rank"):
        run(lambda x: seq2seq.tile_batch(x, 2), np.float32(1))


def test_sizes_that_only_a_run_tells() -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        logits = hf.placeholder(hf.float32, [None, SYMBOLS, SYMBOLS])
        batch = hf.shape(logits)[0]
        state = seq2seq.tile_batch(hf.reshape(logits, [batch, SYMBOLS * SYMBOLS]), 15)
        state.set_shape([None, SYMBOLS * SYMBOLS])
        starts = hf.fill([batch], 0)
        decoder = seq2seq.BeamSearchDecoder(Chain(), hf.eye(SYMBOLS), starts, END, state, 15)
        outputs, _, _ = seq2seq.dynamic_decode(decoder, maximum_iterations=STEPS)
        found = session.run(outputs.predicted_ids, {logits: LOGITS})
        wanted = all_sequences(LOGITS[1], 0.0)
        best = max(wanted, key=wanted.__getitem__)
        assert tuple(found[1, : len(best), 0]) == best
