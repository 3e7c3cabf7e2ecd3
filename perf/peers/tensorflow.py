"""TensorFlow, through the names of TensorFlow 1: a graph in a Session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from perf.workloads import rules
from perf.workloads.problems import (
    Chain,
    Elementwise,
    Lstm,
    Many,
    Mlp,
    Recurrence,
    Regression,
    Simplex,
    Sparse,
    Turns,
    Update,
)
from perf.workloads.subject import Answers, Subject, implements

_TRAIN, _RATE = tf.train, rules.LEARNING_RATE
_PENALTIES = {
    "l1_regularization_strength": rules.L1,
    "l2_regularization_strength": rules.L2,
}
tf.logging.set_verbosity(tf.logging.ERROR)
OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda step: _TRAIN.GradientDescentOptimizer(_RATE),
    "Momentum": lambda step: _TRAIN.MomentumOptimizer(_RATE, rules.MOMENTUM),
    "Adagrad": lambda step: _TRAIN.AdagradOptimizer(_RATE),
    "Adadelta": lambda step: _TRAIN.AdadeltaOptimizer(_RATE, rules.RHO, rules.EPSILON),
    "Adam": lambda step: _TRAIN.AdamOptimizer(_RATE, rules.BETA1, rules.BETA2, rules.ADAM_EPSILON),
    "RMSProp": lambda step: _TRAIN.RMSPropOptimizer(
        _RATE, rules.DECAY, rules.MOMENTUM, rules.EPSILON
    ),
    "centered RMSProp": lambda step: _TRAIN.RMSPropOptimizer(
        _RATE, rules.DECAY, rules.MOMENTUM, rules.EPSILON, centered=True
    ),
    "Ftrl": lambda step: _TRAIN.FtrlOptimizer(_RATE, **_PENALTIES),
    "AdagradDA": lambda step: _TRAIN.AdagradDAOptimizer(_RATE, step, **_PENALTIES),
    "proximal SGD": lambda step: _TRAIN.ProximalGradientDescentOptimizer(_RATE, **_PENALTIES),
    "proximal Adagrad": lambda step: _TRAIN.ProximalAdagradOptimizer(_RATE, **_PENALTIES),
}


def _norms(axis: int, most: float) -> Callable[[Any], Any]:
    def project(p: Any) -> Any:
        norms = tf.sqrt(tf.reduce_sum(p * p, axis, keepdims=True))
        return p * (tf.minimum(norms, most) / (norms + 1e-7))

    return project


CONSTRAINTS: dict[str, Any] = {
    "none": None,
    "non-negative": lambda p: tf.maximum(p, 0.0),
    "rows": _norms(1, rules.MOST),
    "columns": _norms(0, rules.MOST),
    "columns, within": _norms(0, 1e4),
}


class Program:
    """A graph and its session; ops are made in `with program:`."""

    def __init__(self) -> None:
        self.graph = tf.Graph()
        self.session = tf.Session(graph=self.graph)
        self._values: dict[Any, np.ndarray] = {}

    def __enter__(self) -> Program:
        self._scope = self.graph.as_default()
        self._scope.__enter__()
        return self

    def __exit__(self, *exc: Any) -> None:
        self.session.run(tf.global_variables_initializer(), self._values)
        self._scope.__exit__(*exc)

    def variable(self, name: str, value: np.ndarray, **settings: Any) -> Any:
        """A variable that starts with this value."""
        start = tf.placeholder(tf.float32, value.shape)
        self._values[start] = value
        return tf.get_variable(name, initializer=start, use_resource=True, **settings)

    def subject(
        self, fetch: Any, feeds: Any = None, result: Any = None, run: bool = False
    ) -> Subject:
        session, feeds = self.session, feeds or {}
        call, arrays = session.make_callable(fetch, list(feeds)), list(feeds.values())
        step = (lambda: session.run(fetch, feeds)) if run else (lambda: call(*arrays))
        if result is None:
            return Answers(step)
        return Subject(step, lambda: session.run(result, feeds))


@implements("update")
def update(problem: Update) -> Subject | None:
    if problem.optimizer not in OPTIMIZERS:
        return None
    with Program() as program:
        p = program.variable("p", problem.p, constraint=CONSTRAINTS[problem.constraint])
        g = program.variable("g", problem.g, trainable=False)
        step = tf.train.get_or_create_global_step()
        counted = step if problem.optimizer == "AdagradDA" else None
        optimizer = OPTIMIZERS[problem.optimizer](step)
        train = optimizer.apply_gradients([(tf.identity(g), p)], global_step=counted)
    return program.subject(train, result=[p])


@implements("many")
def many(problem: Many) -> Subject:
    with Program() as program:
        pairs = [
            (
                tf.identity(program.variable(f"g{i}", g, trainable=False)),
                program.variable(f"p{i}", p),
            )
            for i, (p, g) in enumerate(zip(problem.ps, problem.gs, strict=True))
        ]
        train = OPTIMIZERS["Adam"](None).apply_gradients(pairs)
    return program.subject(train, result=[p for _, p in pairs])


@implements("sparse")
def sparse(problem: Sparse) -> Subject | None:
    if problem.constraint != "none" or problem.optimizer not in OPTIMIZERS:
        return None  # it refuses them, or no longer has it
    with Program() as program:
        p = program.variable("p", problem.p)
        g = program.variable("g", problem.g, trainable=False)
        indices = tf.constant(problem.indices)
        slices = tf.IndexedSlices(tf.identity(g), indices, tf.constant(problem.p.shape))
        train = OPTIMIZERS[problem.optimizer](None).apply_gradients([(slices, p)])
        some = [tf.gather(p, indices), p[:: max(len(problem.p) // 1000, 1)]]
    return program.subject(train, result=some)


def _regression(problem: Regression, run: bool) -> Subject:
    with Program() as program:
        x, y = (tf.placeholder(tf.float32, [None]) for _ in range(2))
        w = program.variable("w", np.array(-1, np.float32))
        b = program.variable("b", np.array(0, np.float32))
        loss = tf.reduce_mean(tf.square(w * x + b - y))
        train = tf.train.GradientDescentOptimizer(problem.rate).minimize(loss)
    return program.subject([loss, train], {x: problem.x, y: problem.y}, [w, b], run)


@implements("regression", "run")
def regression(problem: Regression) -> Subject:
    return _regression(problem, run=True)


@implements("regression", "callable")
def regression_callable(problem: Regression) -> Subject:
    return _regression(problem, run=False)


@implements("mlp")
def mlp(problem: Mlp) -> Subject:
    with Program() as program:
        x = tf.placeholder(tf.float32, [None, problem.x.shape[1]])
        labels = tf.placeholder(tf.int32, [None])
        weights = [program.variable(f"w{i}", w) for i, w in enumerate(problem.weights)]
        w1, b1, w2, b2 = weights
        logits = tf.matmul(tf.nn.relu(tf.matmul(x, w1) + b1), w2) + b2
        loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        )
        train = tf.train.GradientDescentOptimizer(problem.rate).minimize(loss)
    feeds = {x: problem.x, labels: problem.labels}
    return program.subject([loss, train], feeds, weights, run=True)


@implements("elementwise")
def elementwise(problem: Elementwise) -> Subject:
    with Program() as program:
        arrays = [program.variable(f"x{i}", x) for i, x in enumerate(problem.arrays)]
        if problem.formula == "relu":
            x, w, b, mask, y = arrays
            value = tf.nn.relu(x * w + b) * mask + tf.tanh(y)
        else:
            value = getattr(tf, problem.formula)(arrays[0])
    return program.subject(value)


@implements("simplex")
def simplex(problem: Simplex) -> Subject:
    with Program() as program:
        x = program.variable("x", problem.x)
        u = tf.sort(x, axis=1, direction="DESCENDING")
        counts = tf.range(1, problem.x.shape[1] + 1, dtype=tf.float32)
        t = tf.reduce_max((tf.cumsum(u, axis=1) - 1.0) / counts, axis=1, keepdims=True)
        value = tf.maximum(x - t, 0.0)
    return program.subject(value)


@implements("turns")
def turns(problem: Turns) -> Subject:
    with Program() as program:
        count = program.variable("count", np.float32(problem.count))
        _, a = tf.while_loop(
            lambda i, a: i < count, lambda i, a: (i + 1.0, a * 0.999 + 0.5), [0.0, 1.0]
        )
    return program.subject(a)


@implements("recurrence")
def recurrence(problem: Recurrence) -> Subject:
    times = problem.x.shape[0]
    with Program() as program:
        x, u = program.variable("x", problem.x), program.variable("u", problem.u)
        rows = tf.identity(x)
        _, h = tf.while_loop(
            lambda t, h: t < times,
            lambda t, h: (t + 1, tf.tanh(rows[t] + tf.matmul(h, u))),
            [0, tf.zeros(problem.x.shape[1:])],
        )
        (gradient,) = tf.gradients(tf.reduce_sum(h), [u])
    return program.subject(gradient)


@implements("lstm")
def lstm(problem: Lstm) -> Subject:
    times, batch, _ = problem.x.shape
    with Program() as program:
        x, kernel, bias = (program.variable(k, v) for k, v in problem._asdict().items())
        rows = tf.identity(x)
        first = tf.zeros([batch, problem.bias.size // 4])

        def turn(t: Any, c: Any, h: Any) -> Any:
            z = tf.nn.bias_add(tf.matmul(tf.concat([rows[t], h], 1), kernel), bias)
            i, j, f, o = tf.split(z, 4, 1)
            c = c * tf.sigmoid(f) + tf.sigmoid(i) * tf.tanh(j)
            return t + 1, c, tf.tanh(c) * tf.sigmoid(o)

        _, _, h = tf.while_loop(lambda t, *_: t < times, turn, [0, first, first])
        (gradient,) = tf.gradients(tf.reduce_sum(h * h), [kernel])
    return program.subject(gradient)


@implements("chain")
def chain(problem: Chain) -> Subject | None:
    """Each step makes the graph anew, plans it and runs it once; minutes for the largest."""
    if problem.ops > 10_000:
        return None

    def step() -> Any:
        with tf.Graph().as_default(), tf.Session() as session:
            x = tf.placeholder(tf.float32, [None])
            y = x
            for _ in range(problem.ops):
                y = y + x
            return session.run(y, {x: problem.x})

    return Answers(step)
