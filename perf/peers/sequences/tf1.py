"""What hybridflow and TensorFlow write alike: `tf` is such a library."""

from __future__ import annotations

from typing import Any

import numpy as np

from perf.workloads import rules
from perf.workloads.sequences import Decoder, Mapped, Network, Scanned
from perf.workloads.subject import Subject


class Ops:
    """A library's names."""

    def __init__(self, tf: Any) -> None:
        self._tf = tf
        self.product, self.tanh, self.sigmoid = tf.matmul, tf.tanh, tf.sigmoid
        self.total, self.rsqrt, self.rows = tf.reduce_sum, tf.rsqrt, tf.gather
        self.softmax = tf.nn.softmax

    def joined(self, parts: Any) -> Any:
        return self._tf.concat(parts, -1)

    def split(self, x: Any, count: int) -> Any:
        return self._tf.split(x, count, 1)

    def mean(self, x: Any) -> Any:
        return self._tf.reduce_mean(x, 1, keepdims=True)

    def dropout(self, x: Any, rate: float) -> Any:
        return self._tf.nn.dropout(x, keep_prob=1.0 - rate)

    def scores(self, keys: Any, h: Any) -> Any:
        return self._tf.squeeze(self._tf.matmul(keys, self._tf.expand_dims(h, 2)), 2)

    def weighted(self, memory: Any, weights: Any) -> Any:
        return self._tf.squeeze(self._tf.matmul(self._tf.expand_dims(weights, 1), memory), 1)

    def best(self, scores: Any) -> Any:
        return self._tf.argmax(scores, 1)

    def over(self, problem: Network, weights: Any, x: Any, back: bool) -> Any:
        """A cell of one's own in `dynamic_rnn`."""
        tf, lengths = self._tf, problem.lengths
        if back:
            x = self._turned(x, lengths)
        outputs, _ = tf.nn.dynamic_rnn(
            _Cell(tf, problem, weights), x, lengths, dtype=tf.float32, time_major=True
        )
        return self._turned(outputs, lengths) if back else outputs

    def _turned(self, x: Any, lengths: Any) -> Any:
        if lengths is None:
            return self._tf.reverse(x, [0])
        return self._tf.reverse_sequence(x, lengths, seq_axis=0, batch_axis=1)


class _Cell:
    """A cell, as both libraries take it."""

    def __init__(self, tf: Any, problem: Network, weights: Any) -> None:
        self._tf, self._problem, self._weights = tf, problem, weights
        self.state_size: Any = (problem.width,) * problem.states
        self.output_size = problem.width

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        zeros = [self._tf.zeros([batch_size, size], dtype) for size in self.state_size]
        return tuple(zeros)

    def get_initial_state(
        self, inputs: Any = None, batch_size: Any = None, dtype: Any = None
    ) -> Any:
        return self.zero_state(batch_size, dtype)

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        new = self._problem.turn(Ops(self._tf), self._weights, inputs, list(state))
        return new[-1], tuple(new)


def network(tf: Any, program: Any, problem: Network) -> Subject:
    with program:
        x = tf.identity(program.variable("x", problem.x, trainable=False))
        weights = [program.variable(f"w{i}", w) for i, w in enumerate(problem.weights)]
        loss = problem.loss(Ops(tf), weights, x)
        if problem.trains:
            optimizer = tf.train.AdamOptimizer(
                rules.LEARNING_RATE, rules.BETA1, rules.BETA2, rules.ADAM_EPSILON
            )
            fetched: Any = [optimizer.minimize(loss, var_list=weights)]
        else:
            fetched = tf.gradients(loss, weights)
    subject: Subject = program.subject(fetched)
    compared = not problem.dropout and not problem.trains

    def result() -> list[Any]:
        found = subject.step()
        return problem.reduced(found) if compared else []

    return subject._replace(result=result, compared=compared)


def scanned(tf: Any, program: Any, problem: Scanned) -> Subject:
    with program:
        x, w = program.variable("x", problem.x), program.variable("w", problem.w)
        outputs = tf.scan(lambda h, row: tf.tanh(w * h + row), tf.identity(x), tf.zeros_like(w))
    subject: Subject = program.subject(outputs)
    return subject


def mapped(tf: Any, program: Any, problem: Mapped, at_once: bool) -> Subject:
    ops = Ops(tf)
    with program:
        x, w, v = (tf.identity(program.variable(k, a)) for k, a in problem._asdict().items())
        if at_once:
            outputs = problem.row(ops, x, w, v)
        else:
            rows = tf.map_fn(lambda row: problem.row(ops, row, w, v), tf.expand_dims(x, 1))
            outputs = tf.squeeze(rows, 1)
    subject: Subject = program.subject(outputs)
    return subject


def decoder(tf: Any, program: Any, problem: Decoder) -> Subject:
    ops = Ops(tf)
    batch, width = problem.memory.shape[0], problem.memory.shape[2]
    with program:
        arrays = [tf.identity(program.variable(f"a{i}", a)) for i, a in enumerate(problem.arrays)]
        memory, keys = arrays[0], arrays[6]
        flat = tf.matmul(tf.reshape(memory, [-1, width]), keys)
        keys = tf.reshape(flat, problem.memory.shape)

        def turn(t: Any, symbols: Any, attended: Any, h: Any, written: Any) -> Any:
            symbols, attended, h = problem.turn(ops, arrays, keys, symbols, attended, h)
            return t + 1, symbols, attended, h, written.write(t, symbols)

        zeros = tf.zeros([batch, width])
        written = tf.TensorArray(tf.int64, problem.steps, element_shape=[batch])
        first = (0, tf.zeros([batch], tf.int64), zeros, zeros, written)
        found = tf.while_loop(lambda t, *_: t < problem.steps, turn, first)
        symbols = found[-1].stack()
    subject: Subject = program.subject(symbols)
    return subject._replace(result=lambda: [np.asarray(subject.step())])
