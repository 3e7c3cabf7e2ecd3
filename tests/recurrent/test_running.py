"""What runs cells over time: errors, empty and unknown sizes, arrays as states, native loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from tests import native
from tests.execution import EXECUTIONS, Execution
from tests.plan.sessions import plan_of

X = np.linspace(-1, 1, 24, dtype=np.float32).reshape(2, 4, 3)
rnn_cell = hf.nn.rnn_cell


@pytest.fixture(params=EXECUTIONS)
def run(request: Any) -> Execution:
    return Execution(request.param)


class Sums(rnn_cell.RNNCell):
    """Adds up its inputs: a cell whose results are known."""

    state_size = output_size = 3

    def call(self, inputs: Any, state: Any) -> Any:
        total = state + inputs
        return total * 2.0, total


class Logs(rnn_cell.RNNCell):
    """Keeps its inputs in an array."""

    output_size = 3
    state_size = (hf.TensorShape([]), ())

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        array = hf.TensorArray(dtype, size=0, dynamic_size=True, clear_after_read=False)
        return hf.constant(0), array

    def call(self, inputs: Any, state: Any) -> Any:
        return inputs, (state[0] + 1, state[1].write(state[0], inputs))


def test_outputs_end_and_states_stay_where_sequences_end(run: Execution) -> None:
    def program(x: Any) -> Any:
        return hf.nn.dynamic_rnn(Sums(), x, sequence_length=[2, 4], dtype=hf.float32)

    outputs, state = run(program, X)
    sums = np.cumsum(X, axis=1)
    np.testing.assert_allclose(outputs[0, :2], 2 * sums[0, :2], rtol=1e-6)
    np.testing.assert_array_equal(outputs[0, 2:], 0)
    np.testing.assert_allclose(outputs[1], 2 * sums[1], rtol=1e-6)
    np.testing.assert_allclose(state, [sums[0, 1], sums[1, 3]], rtol=1e-6)


def test_static_and_dynamic_networks_agree(run: Execution) -> None:
    def program(x: Any) -> Any:
        lengths = hf.constant([1, 3])
        static = hf.nn.static_rnn(
            Sums(), hf.unstack(x, axis=1), sequence_length=lengths, dtype=hf.float32
        )
        dynamic = hf.nn.dynamic_rnn(Sums(), x, sequence_length=lengths, dtype=hf.float32)
        return hf.stack(static[0], 1), static[1], *dynamic

    static, state, dynamic, final = run(program, X)
    np.testing.assert_array_equal(static, dynamic)
    np.testing.assert_array_equal(state, final)


def test_no_times_and_no_sequences(run: Execution) -> None:
    def program(x: Any) -> Any:
        outputs, state = hf.nn.dynamic_rnn(Sums(), x, dtype=hf.float32)
        return outputs, state

    outputs, state = run(program, np.zeros([2, 0, 3], np.float32))
    assert outputs.shape == (2, 0, 3)
    np.testing.assert_array_equal(state, np.zeros([2, 3]))
    outputs, state = run(program, np.zeros([0, 4, 3], np.float32))
    assert (outputs.shape, state.shape) == ((0, 4, 3), (0, 3))


def test_an_array_may_be_a_state(run: Execution) -> None:
    def program(x: Any) -> Any:
        _, state = hf.nn.dynamic_rnn(Logs(), x, dtype=hf.float32, sequence_length=[4, 4])
        return state[0], state[1].stack()

    count, logged = run(program, X)
    assert count == 4
    np.testing.assert_array_equal(logged, X.swapaxes(0, 1))


def test_sizes_that_only_a_run_tells() -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32, [None, None, 3])
        lengths = hf.placeholder(hf.int32, [None])
        outputs, state = hf.nn.dynamic_rnn(
            rnn_cell.GRUCell(5), x, sequence_length=lengths, dtype=hf.float32
        )
        assert outputs.shape.as_list() == [None, None, 5]
        assert state.shape.as_list() == [None, 5]
        session.run(hf.global_variables_initializer())
        for batch, times in ((2, 4), (3, 1), (1, 6)):
            feeds = {x: np.ones([batch, times, 3]), lengths: [times] * batch}
            found = session.run([outputs, state], feeds)
            assert found[0].shape == (batch, times, 5)
            np.testing.assert_array_equal(found[0][:, -1], found[1])
        with pytest.raises(hf.errors.InvalidArgumentError, match="Expected shape"):
            session.run(outputs, {x: np.ones([2, 3, 3]), lengths: [1, 2, 3]})


def test_gradients_of_a_loop_agree_with_differences() -> None:
    rng = np.random.default_rng(0)
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float64, [2, 3, 2])
        cell = rnn_cell.MultiRNNCell(
            [rnn_cell.LSTMCell(3, use_peepholes=True), rnn_cell.GRUCell(2)]
        )
        outputs, _ = hf.nn.dynamic_rnn(cell, x, sequence_length=[3, 2], dtype=hf.float64)
        y = hf.reduce_sum(outputs * outputs)
        (grad,) = hf.gradients(y, x)
        session.run(hf.global_variables_initializer())
        at = rng.normal(size=[2, 3, 2])
        found = session.run(grad, {x: at})
        for place in np.ndindex(at.shape):
            step = np.zeros_like(at)
            step[place] = 1e-6
            up, down = (session.run(y, {x: at + s}) for s in (step, -step))
            np.testing.assert_allclose(found[place], (up - down) / 2e-6, rtol=1e-5, atol=1e-8)


class Bare(rnn_cell.RNNCell):
    """A cell that does nothing."""

    state_size = output_size = 3


class Unstated(Bare):
    """A cell that forgets its state."""

    def call(self, inputs: Any, state: Any) -> Any:
        return inputs


class Wide(Bare):
    """A cell whose output is not what it says."""

    def call(self, inputs: Any, state: Any) -> Any:
        return hf.concat([inputs, inputs], 1), state


def same_twice(x: Any) -> Any:
    return hf.nn.dynamic_rnn(rnn_cell.MultiRNNCell([rnn_cell.GRUCell(2)] * 2), x, dtype=hf.float32)


WRONG: dict[str, tuple[Any, type[Exception], str]] = {
    "no_cell": (lambda x: hf.nn.dynamic_rnn(3, x, dtype=hf.float32), TypeError, "RNNCell"),
    "no_dtype": (lambda x: hf.nn.dynamic_rnn(Sums(), x), ValueError, "must give a dtype"),
    "lengths": (
        lambda x: hf.nn.dynamic_rnn(Sums(), x, sequence_length=[[1, 2]], dtype=hf.float32),
        ValueError,
        "vector of length batch_size",
    ),
    "too_few_lengths": (
        lambda x: hf.nn.dynamic_rnn(Sums(), x, sequence_length=[1], dtype=hf.float32),
        ValueError,
        "for each of 2 sequences, got 1",
    ),
    "rank": (
        lambda x: hf.nn.dynamic_rnn(Sums(), x[0, 0], dtype=hf.float32),
        ValueError,
        r"inputs of dynamic_rnn must be .batch, time, depth.: .* rank at least 3",
    ),
    "class": (
        lambda x: hf.nn.dynamic_rnn(rnn_cell.GRUCell, x, dtype=hf.float32),
        TypeError,
        r"got the class GRUCell: call it to make one, as in `GRUCell.units.`",
    ),
    "numbers": (
        lambda x: hf.nn.dynamic_rnn(rnn_cell.GRUCell(2), hf.cast(x, hf.int32), dtype=hf.float32),
        ValueError,
        "only supports floating point inputs, but saw dtype: int32",
    ),
    "same_twice": (same_twice, ValueError, r"Layer 1 is the same cell object.*for _ in range.2."),
    "no_call": (
        lambda x: hf.nn.dynamic_rnn(Bare(), x, dtype=hf.float32),
        NotImplementedError,
        r"Bare has no `call.self, inputs, state.`",
    ),
    "no_state": (
        lambda x: hf.nn.dynamic_rnn(Unstated(), x, dtype=hf.float32),
        TypeError,
        "must return its output and the next state",
    ),
    "no_state_static": (
        lambda x: hf.nn.static_rnn(Unstated(), hf.unstack(x, axis=1), dtype=hf.float32),
        TypeError,
        "must return its output and the next state",
    ),
    "output_size": (
        lambda x: hf.nn.dynamic_rnn(Wide(), x, dtype=hf.float32),
        ValueError,
        r"saw .2, 6. but expected .2, 3.",
    ),
    "activation": (
        lambda x: rnn_cell.GRUCell(2, activation="reluu"),
        ValueError,
        "Unknown activation function: 'reluu'",
    ),
    "no_list": (
        lambda x: hf.nn.static_rnn(Sums(), x, dtype=hf.float32),
        TypeError,
        "must be a sequence",
    ),
    "empty": (
        lambda x: hf.nn.static_rnn(Sums(), [], dtype=hf.float32),
        ValueError,
        "must not be empty",
    ),
    "no_function": (lambda x: hf.nn.raw_rnn(Sums(), 3), TypeError, "loop_fn"),
    "no_cells": (lambda x: rnn_cell.MultiRNNCell([]), ValueError, "at least one cell"),
    "probability": (
        lambda x: rnn_cell.DropoutWrapper(Sums(), input_keep_prob=1.5),
        ValueError,
        "between 0 and 1: 1.5",
    ),
    "variational": (
        lambda x: rnn_cell.DropoutWrapper(Sums(), variational_recurrent=True),
        ValueError,
        "dtype must be provided",
    ),
    "depth": (
        lambda x: hf.contrib.rnn.stack_bidirectional_rnn([Sums()], [], [x]),
        ValueError,
        "at least one bw cell",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_say_what_is_wrong(run: Execution, name: str) -> None:
    function, kind, message = WRONG[name]
    with pytest.raises(kind, match=message):
        run(function, X)


def test_a_tensor_where_a_structure_is_the_state() -> None:
    text = r"sizes LSTMStateTuple.c=2, h=2., in such a structure, as `cell.zero_state"
    with pytest.raises(TypeError, match=text):
        rnn_cell.LSTMCell(2)(hf.constant(X[:, 0]), hf.zeros([2, 2]))
    with pytest.raises(TypeError, match=text):
        hf.nn.dynamic_rnn(rnn_cell.LSTMCell(2), hf.constant(X), initial_state=hf.zeros([2, 2]))


@pytest.mark.parametrize("kind", [rnn_cell.BasicRNNCell, rnn_cell.LSTMCell, rnn_cell.GRUCell])
def test_activations_by_name(kind: Any) -> None:
    found = []
    for activation in ("relu", hf.nn.relu):
        with hf.Graph().as_default(), hf.Session() as session:
            hf.set_random_seed(3)
            outputs, _ = hf.nn.dynamic_rnn(kind(2, activation=activation), X, dtype=hf.float32)
            session.run(hf.global_variables_initializer())
            found.append(session.run(outputs))
    np.testing.assert_array_equal(*found)


def test_inputs_of_unknown_depth_are_refused() -> None:
    with hf.Graph().as_default():
        x = hf.placeholder(hf.float32, [2, 3, None])
        with pytest.raises(ValueError, match="must be accessible via shape inference"):
            hf.nn.dynamic_rnn(rnn_cell.GRUCell(2), x, dtype=hf.float32)


def test_state_savers_are_asked_and_told(run: Execution) -> None:
    saved = []

    class Saver:
        def state(self, name: str) -> Any:
            return hf.ones([2, 3])

        def save_state(self, name: str, state: Any) -> Any:
            saved.append(name)
            return hf.identity(state).op if not hf.executing_eagerly() else None

    def program(x: Any) -> Any:
        outputs, state = hf.nn.static_state_saving_rnn(
            Sums(), hf.unstack(x, axis=1), Saver(), "sums"
        )
        return outputs[-1], state

    output, state = run(program, X)
    np.testing.assert_allclose(state, 1 + X.sum(axis=1), rtol=1e-6)
    np.testing.assert_allclose(output, 2 * state, rtol=1e-6)
    assert saved == ["sums"]


def test_dropout_of_states_spares_the_memory(run: Execution) -> None:
    def program(x: Any) -> Any:
        cell = rnn_cell.DropoutWrapper(rnn_cell.BasicLSTMCell(50), state_keep_prob=0.5, seed=3)
        _, state = cell(x[0], cell.zero_state(4, hf.float32))
        return state

    c, h = run(program, X)
    assert np.all(c != 0)
    assert 0 < np.mean(h == 0) < 1


CELLS = {
    "lstm": lambda: rnn_cell.LSTMCell(4, use_peepholes=True),
    "gru": lambda: rnn_cell.GRUCell(4),
    "own": lambda: Sums(),
    "layer_norm": lambda: hf.contrib.rnn.LayerNormBasicLSTMCell(4),
}


@pytest.mark.parametrize("lengths", [None, [3, 4]], ids=["whole", "lengths"])
@pytest.mark.parametrize("name", CELLS)
def test_loops_over_cells_run_inside_native_programs(name: str, lengths: Any) -> None:
    with native.uncompiled_kernels(), hf.Graph().as_default(), hf.Session() as session:
        hf.set_random_seed(1)  # layers whose units nearly agree are normalized with large factors
        x = hf.placeholder(hf.float32, [2, 4, 3])
        outputs, _ = hf.nn.dynamic_rnn(CELLS[name](), x, lengths, dtype=hf.float32)
        variables = hf.trainable_variables()
        grads = hf.gradients(hf.reduce_sum(outputs * outputs), [x, *variables])
        session.run(hf.global_variables_initializer())
        results = [session.run([outputs, *grads], {x: X}) for _ in range(4)]
        for later in results[1:]:
            for first, value in zip(results[0], later, strict=True):
                np.testing.assert_allclose(value, first, rtol=1e-5, atol=1e-6)
        plan = plan_of(session, [outputs, *grads])
        assert native.fallbacks(plan) == []


@pytest.mark.parametrize("decodes", [False, True])
def test_the_gradient_of_what_a_network_reads_is_a_whole_tensor(decodes: bool) -> None:
    with hf.Graph().as_default():
        x = hf.placeholder(hf.float32, [2, 3, 4])
        cell = hf.nn.rnn_cell.GRUCell(4)
        if decodes:
            helper = hf.contrib.seq2seq.TrainingHelper(x, [2, 2, 2], time_major=True)
            start = cell.zero_state(3, hf.float32)
            decoder = hf.contrib.seq2seq.BasicDecoder(cell, helper, start)
            y = hf.contrib.seq2seq.dynamic_decode(decoder)[0].rnn_output
        else:
            y, _ = hf.nn.dynamic_rnn(cell, x, dtype=hf.float32, time_major=True)
        (grad,) = hf.gradients(y, x)
        assert isinstance(grad, hf.Tensor)
        assert grad.shape.as_list() == [2, 3, 4]
