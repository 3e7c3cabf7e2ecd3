"""Decoders and attention: what ends, what is kept, what is refused, and native loops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from tests import native
from tests.execution import EXECUTIONS, Execution
from tests.plan.sessions import plan_of

seq2seq = hf.contrib.seq2seq
GRU = hf.nn.rnn_cell.GRUCell
MEMORY = np.linspace(-1, 1, 24, dtype=np.float32).reshape(2, 4, 3)


@pytest.fixture(params=EXECUTIONS)
def run(request: Any) -> Execution:
    return Execution(request.param)


class Sums(hf.nn.rnn_cell.RNNCell):
    """Adds up its inputs."""

    state_size = output_size = 3

    def call(self, inputs: Any, state: Any) -> Any:
        return state + inputs, state + inputs


def test_a_training_helper_gives_what_dynamic_rnn_gives(run: Execution) -> None:
    def program(x: Any) -> Any:
        helper = seq2seq.TrainingHelper(x, [4, 2])
        decoder = seq2seq.BasicDecoder(Sums(), helper, hf.zeros([2, 3]))
        outputs, state, lengths = seq2seq.dynamic_decode(decoder, impute_finished=True)
        expected, last = hf.nn.dynamic_rnn(Sums(), x, [4, 2], dtype=hf.float32)
        return outputs.rnn_output, expected, state, last, lengths

    outputs, expected, state, last, lengths = run(program, MEMORY)
    np.testing.assert_array_equal(outputs, expected)
    np.testing.assert_array_equal(state, last)
    assert lengths.tolist() == [4, 2]


def test_time_may_be_first(run: Execution) -> None:
    def program(x: Any) -> Any:
        found = []
        for major in (False, True):
            helper = seq2seq.TrainingHelper(
                hf.transpose(x, [1, 0, 2]) if major else x, [4, 4], time_major=major
            )
            decoder = seq2seq.BasicDecoder(Sums(), helper, hf.zeros([2, 3]))
            outputs, _, _ = seq2seq.dynamic_decode(decoder, output_time_major=major)
            found.append(outputs.rnn_output)
        return found

    one, other = run(program, MEMORY)
    np.testing.assert_array_equal(one, other.swapaxes(0, 1))


def test_a_greedy_decoder_ends_with_the_last_symbol(run: Execution) -> None:
    """The state counts, so that symbol after symbol is the largest."""

    class Counts(hf.nn.rnn_cell.RNNCell):
        state_size, output_size = 1, 5

        def call(self, inputs: Any, state: Any) -> Any:
            return hf.one_hot(hf.cast(state[:, 0], hf.int32), 5), state + 1.0

    def program(first: Any) -> Any:
        helper = seq2seq.GreedyEmbeddingHelper(hf.eye(5), [0, 0], 4)
        decoder = seq2seq.BasicDecoder(Counts(), helper, first)
        outputs, _, lengths = seq2seq.dynamic_decode(decoder)
        return outputs.sample_id, lengths

    chosen, lengths = run(program, np.array([[0.0], [3.0]], np.float32))
    assert chosen[0].tolist() == [0, 1, 2, 3, 4]
    assert chosen[1, :2].tolist() == [3, 4]
    assert lengths.tolist() == [5, 2]


def test_helpers_of_functions(run: Execution) -> None:
    def program(x: Any) -> Any:
        inference = seq2seq.InferenceHelper(
            lambda outputs: outputs * 0.5, [3], hf.float32, x[:, 0], lambda chosen: chosen[:, 0] > 1
        )
        custom = seq2seq.CustomHelper(
            lambda: (hf.fill([2], False), x[:, 0]),
            lambda time, outputs, state: outputs * 0.5,
            lambda time, outputs, state, sample_ids: (sample_ids[:, 0] > 1, sample_ids, state),
            [3],
            hf.float32,
        )
        found = []
        for helper in (inference, custom):
            decoder = seq2seq.BasicDecoder(Sums(), helper, hf.ones([2, 3]))
            found.append(seq2seq.dynamic_decode(decoder, maximum_iterations=3)[0].sample_id)
        return found

    one, other = run(program, MEMORY)
    np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(one[:, 0], (MEMORY[:, 0] + 1) / 2)


def test_symbols_are_drawn_by_their_probability(run: Execution) -> None:
    def program(logits: Any) -> Any:
        helper = seq2seq.SampleEmbeddingHelper(hf.eye(2), [0], 1, softmax_temperature=2.0, seed=3)
        return helper.sample(0, hf.tile(logits, [4000, 1]))

    drawn = run(program, np.array([[0.0, 2.0]], np.float32))
    assert drawn.dtype == np.int32
    assert abs(drawn.mean() - 1 / (1 + math.exp(-1.0))) < 0.03


@pytest.mark.parametrize("own", [0.0, 1.0])
def test_scheduled_helpers_give_inputs_or_outputs(run: Execution, own: float) -> None:
    def program(x: Any) -> Any:
        symbols = seq2seq.ScheduledEmbeddingTrainingHelper(x, [4, 4], 7.0 * hf.eye(3), own)
        outputs = seq2seq.ScheduledOutputTrainingHelper(
            x, [4, 4], own, next_inputs_fn=lambda y: -y, auxiliary_inputs=x
        )
        chosen = symbols.sample(0, 100.0 * hf.one_hot([2, 1], 3))
        drawn = outputs.sample(0, hf.ones([2, 3]))
        return (
            chosen,
            symbols.next_inputs(0, None, None, chosen)[1],
            drawn,
            outputs.next_inputs(0, hf.ones([2, 3]), None, drawn)[1],
        )

    chosen, symbols, drawn, outputs = run(program, MEMORY)
    following = MEMORY[:, 1]
    if own:
        assert (chosen.tolist(), drawn.tolist()) == ([2, 1], [1, 1])
        np.testing.assert_array_equal(symbols, 7 * np.eye(3)[[2, 1]])
        np.testing.assert_array_equal(outputs, np.hstack([-np.ones([2, 3]), following]))
    else:
        assert (chosen.tolist(), drawn.tolist()) == ([-1, -1], [0, 0])
        np.testing.assert_array_equal(symbols, following)
        np.testing.assert_array_equal(outputs, np.hstack([following, following]))


@pytest.mark.parametrize("limit", [0, 2])
def test_steps_are_limited(run: Execution, limit: int) -> None:
    def program(x: Any) -> Any:
        helper = seq2seq.TrainingHelper(x, [4, 3])
        decoder = seq2seq.BasicDecoder(Sums(), helper, hf.zeros([2, 3]))
        outputs, _, lengths = seq2seq.dynamic_decode(decoder, maximum_iterations=limit)
        return hf.shape(outputs.rnn_output)[1], lengths

    times, lengths = run(program, MEMORY)
    assert times == limit
    assert lengths.tolist() == [limit, limit]


def test_modes_of_monotonic_attention_agree(run: Execution) -> None:
    rng = np.random.default_rng(0)
    chosen = rng.uniform(0.2, 0.8, [3, 5])
    before = rng.dirichlet(np.ones(5), 3)

    def program(chosen: Any, before: Any) -> Any:
        hard = hf.cast(chosen > 0.5, chosen.dtype)
        first = hf.one_hot([0, 2, 1], 5, dtype=chosen.dtype)
        return (
            seq2seq.monotonic_attention(chosen, before, "recursive"),
            seq2seq.monotonic_attention(chosen, before, "parallel"),
            seq2seq.monotonic_attention(hard, first, "recursive"),
            seq2seq.monotonic_attention(hard, first, "hard"),
        )

    recursive, parallel, of_flags, hard = run(program, chosen, before)
    np.testing.assert_allclose(recursive, parallel, rtol=1e-6)
    np.testing.assert_allclose(of_flags, hard, rtol=1e-6)


def test_attention_stays_inside_sequences(run: Execution) -> None:
    def program(memory: Any) -> Any:
        found = []
        for kind in (seq2seq.LuongAttention, seq2seq.BahdanauAttention):
            attention = kind(3, memory, [4, 1])
            found.append(attention(hf.ones([2, 3]), attention.initial_alignments(2, hf.float32)))
        return found

    for alignments in run(program, MEMORY):
        np.testing.assert_allclose(alignments.sum(1), 1, rtol=1e-6)
        np.testing.assert_array_equal(alignments[1], [1, 0, 0, 0])
        assert np.all(alignments[0] > 0)


WRONG: dict[str, tuple[Any, type[Exception], str]] = {
    "decoder": (lambda m: seq2seq.dynamic_decode(3), TypeError, "to be type Decoder"),
    "helper": (
        lambda m: seq2seq.BasicDecoder(Sums(), 3, hf.zeros([2, 3])),
        TypeError,
        "must be a Helper",
    ),
    "layer": (
        lambda m: seq2seq.BasicDecoder(
            Sums(), seq2seq.TrainingHelper(m, [1, 1]), hf.zeros([2, 3]), 3
        ),
        TypeError,
        "must be a Layer",
    ),
    "lengths": (lambda m: seq2seq.TrainingHelper(m, 3), ValueError, "to be a vector"),
    "starts": (
        lambda m: seq2seq.GreedyEmbeddingHelper(m, 0, 1),
        ValueError,
        "start_tokens must be a vector",
    ),
    "end": (
        lambda m: seq2seq.GreedyEmbeddingHelper(m, [0], [1]),
        ValueError,
        "end_token must be a scalar",
    ),
    "early": (
        lambda m: seq2seq.CustomHelper(None, None, None).batch_size,
        ValueError,
        "before initialize",
    ),
    "mechanism": (
        lambda m: seq2seq.AttentionWrapper(Sums(), 3),
        TypeError,
        "must be an AttentionMechanism",
    ),
    "sizes": (
        lambda m: seq2seq.AttentionWrapper(
            Sums(), seq2seq.LuongAttention(3, m), attention_layer_size=[1, 2]
        ),
        ValueError,
        "exactly one integer per attention_mechanism, saw: 2 vs 1",
    ),
    "batch": (
        lambda m: seq2seq.AttentionWrapper(GRU(3), seq2seq.LuongAttention(3, m)).zero_state(
            6, hf.float32
        ),
        ValueError,
        "Are you using the BeamSearchDecoder",
    ),
    "units": (
        lambda m: seq2seq.LuongAttention(4, m)(hf.ones([2, 3]), None),
        ValueError,
        "Incompatible or unknown inner dimensions",
    ),
    "chance": (
        lambda m: seq2seq.ScheduledOutputTrainingHelper(m, [1, 1], [[0.5]]),
        ValueError,
        "either a scalar or a vector",
    ),
    "mode": (
        lambda m: seq2seq.monotonic_attention(m[:, 0], m[:, 0], "other"),
        ValueError,
        "mode must be",
    ),
    "memory_lengths": (
        lambda m: seq2seq.LuongAttention(4, m, [1, 2, 3]),
        ValueError,
        "batch sizes do not match",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_say_what_is_wrong(run: Execution, name: str) -> None:
    function, kind, message = WRONG[name]
    with pytest.raises(kind, match=message):
        run(function, MEMORY)


def test_memories_that_only_a_run_tells() -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        memory = hf.placeholder(hf.float32, [None, None, 3])
        lengths = hf.placeholder(hf.int32, [None])
        attention = seq2seq.BahdanauAttention(5, memory, lengths)
        cell = seq2seq.AttentionWrapper(GRU(4), attention)
        batch = hf.shape(memory)[0]
        helper = seq2seq.GreedyEmbeddingHelper(hf.eye(4), hf.fill([batch], 0), 3)
        decoder = seq2seq.BasicDecoder(cell, helper, cell.zero_state(batch, hf.float32))
        outputs, _, _ = seq2seq.dynamic_decode(decoder, maximum_iterations=3)
        session.run(hf.global_variables_initializer())
        for size, times in ((2, 4), (1, 6)):
            given = {memory: np.ones([size, times, 3]), lengths: [times] * size}
            assert session.run(outputs.rnn_output, given).shape[0] == size
        with pytest.raises(hf.errors.InvalidArgumentError, match="batch sizes do not match"):
            session.run(outputs.rnn_output, {memory: np.ones([2, 4, 3]), lengths: [4]})


def test_a_decoder_with_attention_runs_inside_a_native_program() -> None:
    with native.uncompiled_kernels(), hf.Graph().as_default(), hf.Session() as session:
        memory = hf.placeholder(hf.float32, [2, 4, 3])
        attention = seq2seq.BahdanauAttention(5, memory, [4, 2])
        cell = seq2seq.AttentionWrapper(GRU(4), attention, attention_layer_size=3)
        helper = seq2seq.TrainingHelper(memory, [4, 3])
        decoder = seq2seq.BasicDecoder(
            cell, helper, cell.zero_state(2, hf.float32), hf.layers.Dense(5)
        )
        outputs, _, _ = seq2seq.dynamic_decode(decoder)
        told = outputs.rnn_output
        grads = hf.gradients(hf.reduce_sum(told * told), [memory, *hf.trainable_variables()])
        session.run(hf.global_variables_initializer())
        results = [session.run([told, *grads], {memory: MEMORY}) for _ in range(4)]
        for later in results[1:]:
            for first, value in zip(results[0], later, strict=True):
                np.testing.assert_allclose(value, first, rtol=1e-5, atol=1e-6)
        print(native.fallbacks(plan_of(session, [told, *grads])))
        assert native.fallbacks(plan_of(session, [told, *grads])) == []
