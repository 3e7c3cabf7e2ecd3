"""Networks in TensorFlow 1's names, for those who have them: `tf` is such a library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from perf.workloads.networks import EPSILON, KEPT, Convolution, Network, Norm, Pooling


class Layers:
    """Layers; `updates` are those of moving averages."""

    def __init__(self, tf: Any, dropout: float = 0.0, training: bool = True) -> None:
        self._tf, self._dropout, self._training = tf, dropout, training
        self.updates: list[Any] = []

    def convolution(self, x: Any, filters: Any, stride: int, bias: Any = None) -> Any:
        y = self._tf.nn.conv2d(x, filters, strides=[1, stride, stride, 1], padding="SAME")
        return y if bias is None else self._tf.nn.bias_add(y, bias)

    def norm(self, x: Any, scale: Any, offset: Any, mean: Any, variance: Any) -> Any:
        norm = self._tf.nn.fused_batch_norm
        if not self._training:
            return norm(x, scale, offset, mean, variance, EPSILON, is_training=False)[0]
        y, *moments = norm(x, scale, offset, epsilon=EPSILON)
        for average, moment in zip((mean, variance), moments, strict=True):
            step = (1 - KEPT) * (average - moment)
            self.updates.append(self._tf.assign_sub(average, step))
        return y

    def relu(self, x: Any) -> Any:
        return self._tf.nn.relu(x)

    def pool(self, x: Any) -> Any:
        return self._tf.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")

    def mean(self, x: Any) -> Any:
        return self._tf.reduce_mean(x, [1, 2])

    def flat(self, x: Any) -> Any:
        return self._tf.reshape(x, [-1, x.shape[1] * x.shape[2] * x.shape[3]])

    def dense(self, x: Any, w: Any, b: Any) -> Any:
        return self._tf.nn.bias_add(self._tf.matmul(x, w), b)

    def dropout(self, x: Any) -> Any:
        return self._tf.nn.dropout(x, 1 - self._dropout) if self._dropout else x


def loss(tf: Any, problem: Network, logits: Any, labels: Any, parameters: list[Any]) -> Any:
    """The loss of a network."""
    found = tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    )
    if not problem.decay:
        return found
    decayed = [tf.nn.l2_loss(p) for p in parameters if p.shape.ndims > 1]
    return found + problem.decay * tf.add_n(decayed)


def optimizer(tf: Any, problem: Network) -> Any:
    """The optimizer of a network."""
    if problem.optimizer == "Adam":
        return tf.train.AdamOptimizer(problem.rate)
    return tf.train.MomentumOptimizer(problem.rate, 0.9)


def trained(tf: Any, program: Any, problem: Network, run: bool) -> Any:
    """Training steps in a program of a peer's."""
    with program:
        x = tf.placeholder(tf.float32, [None, *problem.x.shape[1:]])
        labels = tf.placeholder(tf.int32, [None])
        ps = [program.variable(f"p{i}", p) for i, p in enumerate(problem.parameters)]
        averages = [
            program.variable(f"s{i}", s, trainable=False) for i, s in enumerate(problem.statistics)
        ]
        layers = Layers(tf, problem.dropout)
        logits = problem.logits(layers, ps, averages, x)
        value = loss(tf, problem, logits, labels, ps)
        train = tf.group(optimizer(tf, problem).minimize(value), *layers.updates)
    feeds = {x: problem.x, labels: problem.labels}
    made = program.subject([value, train], feeds, [logits, *averages[:2]], run)
    return made._replace(compared=not problem.dropout, tolerance=1e-2)


def inferred(tf: Any, program: Any, problem: Network) -> Any:
    """Steps that classify images."""
    with program:
        x = tf.placeholder(tf.float32, [None, *problem.x.shape[1:]])
        ps = [program.variable(f"p{i}", p) for i, p in enumerate(problem.parameters)]
        averages = [program.variable(f"s{i}", s) for i, s in enumerate(problem.statistics)]
        logits = problem.logits(Layers(tf, training=False), ps, averages, x)
    return program.subject(logits, {x: problem.x})._replace(tolerance=1e-3)


def _of(tf: Any, program: Any, compute: Callable[..., Any], *arrays: Any) -> Any:
    with program:
        values = [tf.identity(program.variable(f"x{i}", array)) for i, array in enumerate(arrays)]
        fetched = compute(*values)
    return program.subject(fetched)._replace(tolerance=1e-3)


def convolution(tf: Any, program: Any, problem: Convolution) -> Any:
    """Steps that convolve."""

    def compute(x: Any, filters: Any, dy: Any) -> Any:
        convolve = tf.nn.depthwise_conv2d if problem.depthwise else tf.nn.conv2d
        strides, padding = [1, problem.stride, problem.stride, 1], ("VALID", "SAME")[problem.same]
        y = convolve(x, filters, strides=strides, padding=padding)
        if problem.of == "forward":
            return [y]
        return tf.gradients(y, [x if problem.of == "input" else filters], dy)

    return _of(tf, program, compute, problem.x, problem.filters, problem.dy)


def pooling(tf: Any, program: Any, problem: Pooling) -> Any:
    """Steps that pool."""

    def compute(x: Any, *dy: Any) -> Any:
        y = Layers(tf).pool(x)
        return [y, *(tf.gradients(y, [x], *dy) if dy else [])]

    return _of(tf, program, compute, problem.x, *([] if problem.dy is None else [problem.dy]))


def norm(tf: Any, program: Any, problem: Norm) -> Any:
    """Steps that normalize."""

    def compute(x: Any, scale: Any, offset: Any, *dy: Any) -> Any:
        y = tf.nn.relu(tf.nn.fused_batch_norm(x, scale, offset, epsilon=EPSILON)[0])
        return [y, *(tf.gradients(y, [x, scale, offset], *dy) if dy else [])]

    given = [] if problem.dy is None else [problem.dy]
    return _of(tf, program, compute, problem.x, problem.scale, problem.offset, *given)
