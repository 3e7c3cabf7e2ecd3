"""JAX with optax: networks as jitted functions of their state, which is given away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from perf.peers.jax import Stepped
from perf.workloads.networks import EPSILON, KEPT, Convolution, Network, Norm, Pooling
from perf.workloads.problems import Tape
from perf.workloads.subject import Answers, Subject, implements


def _convolve(x: Any, filters: Any, stride: int, padding: str = "SAME", groups: int = 1) -> Any:
    return lax.conv_general_dilated(
        x,
        filters,
        (stride, stride),
        padding,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )


def _normed(x: Any, scale: Any, offset: Any, mean: Any, variance: Any) -> Any:
    return (x - mean) * (lax.rsqrt(variance + EPSILON) * scale) + offset


class Layers:
    """Layers; `averages` are the new moving averages."""

    def __init__(self, dropout: float = 0.0, key: Any = None, training: bool = True) -> None:
        self._dropout, self._key, self._training = dropout, key, training
        self.averages: list[Any] = []

    def convolution(self, x: Any, filters: Any, stride: int, bias: Any = None) -> Any:
        y = _convolve(x, filters, stride)
        return y if bias is None else y + bias

    def norm(self, x: Any, scale: Any, offset: Any, mean: Any, variance: Any) -> Any:
        if not self._training:
            return _normed(x, scale, offset, mean, variance)
        count = x.size // x.shape[-1]
        found = x.mean((0, 1, 2)), x.var((0, 1, 2))
        unbiased = found[0], found[1] * (count / (count - 1))
        for average, moment in zip((mean, variance), unbiased, strict=True):
            self.averages.append(KEPT * average + (1 - KEPT) * moment)
        return _normed(x, scale, offset, *found)

    def relu(self, x: Any) -> Any:
        return jax.nn.relu(x)

    def pool(self, x: Any) -> Any:
        window = (1, 2, 2, 1)
        return lax.reduce_window(x, -jnp.inf, lax.max, window, window, "SAME")

    def mean(self, x: Any) -> Any:
        return x.mean((1, 2))

    def flat(self, x: Any) -> Any:
        return x.reshape(x.shape[0], -1)

    def dense(self, x: Any, w: Any, b: Any) -> Any:
        return x @ w + b

    def dropout(self, x: Any) -> Any:
        if not self._dropout:
            return x
        kept = jax.random.bernoulli(self._key, 1 - self._dropout, x.shape)
        return jnp.where(kept, x / (1 - self._dropout), 0.0)


@implements("lenet")
@implements("resnet")
def trained(problem: Network) -> Subject:
    optimizer = (
        optax.adam(problem.rate) if problem.optimizer == "Adam" else optax.sgd(problem.rate, 0.9)
    )

    def forward(ps: Any, averages: Any, x: Any, key: Any) -> Any:
        layers = Layers(problem.dropout, key)
        return problem.logits(layers, ps, averages, x), layers.averages

    def loss(ps: Any, averages: Any, x: Any, labels: Any, key: Any) -> Any:
        logits, averages = forward(ps, averages, x, key)
        found = optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()
        decayed = sum((p * p).sum() for p in ps if p.ndim > 1) if problem.decay else 0.0
        return found + problem.decay / 2 * decayed, averages

    def step(state: Any, x: Any, labels: Any) -> Any:
        ps, averages, rest, key = state
        key, used = jax.random.split(key)
        gradients, averages = jax.grad(loss, has_aux=True)(ps, averages, x, labels, used)
        updates, rest = optimizer.update(gradients, rest, ps)
        return optax.apply_updates(ps, updates), averages, rest, key

    ps = problem.parameters
    state = ps, problem.statistics, optimizer.init(ps), jax.random.PRNGKey(0)
    stepped = Stepped(step, state, problem.x, problem.labels)

    def result() -> list[Any]:
        ps, averages, _, key = stepped.state
        found = [np.asarray(average) for average in averages[:2]]
        return [np.asarray(forward(ps, averages, problem.x, key)[0]), *found]

    return Subject(stepped.step, result, compared=not problem.dropout, tolerance=1e-2)


def _answers(compute: Callable[..., Any], *arrays: Any) -> Subject:
    function, given = jax.jit(compute), jax.tree.map(jnp.asarray, arrays)

    def step() -> Any:
        return jax.block_until_ready(function(*given))

    return Answers(step, tolerance=1e-3)


@implements("resnet inference")
def inferred(problem: Network) -> Subject:
    def compute(ps: Any, averages: Any, x: Any) -> Any:
        return [problem.logits(Layers(training=False), ps, averages, x)]

    return _answers(compute, problem.parameters, problem.statistics, problem.x)


def _with_gradients(compute: Callable[..., Any], inputs: list[Any], dy: Any) -> Subject:
    if dy is None:
        return _answers(lambda *inputs: [compute(*inputs)], *inputs)

    def both(dy: Any, *inputs: Any) -> Any:
        y, back = jax.vjp(compute, *inputs)
        return [y, *back(dy)]

    return _answers(both, dy, *inputs)


@implements("convolution")
def convolution(problem: Convolution) -> Subject:
    groups = problem.x.shape[-1] if problem.depthwise else 1
    shape, padding = problem.filters.shape, ("VALID", "SAME")[problem.same]

    def compute(x: Any, filters: Any) -> Any:
        if problem.depthwise:
            filters = filters.reshape(*shape[:2], 1, -1)
        return _convolve(x, filters, problem.stride, padding, groups)

    def gradient(x: Any, filters: Any, dy: Any) -> Any:
        if problem.of == "input":
            return list(jax.vjp(lambda x: compute(x, filters), x)[1](dy))
        return list(jax.vjp(lambda filters: compute(x, filters), filters)[1](dy))

    if problem.of == "forward":
        return _answers(lambda x, filters: [compute(x, filters)], problem.x, problem.filters)
    return _answers(gradient, problem.x, problem.filters, problem.dy)


@implements("pooling")
def pooling(problem: Pooling) -> Subject:
    return _with_gradients(Layers().pool, [problem.x], problem.dy)


@implements("norm")
def norm(problem: Norm) -> Subject:
    def compute(x: Any, scale: Any, offset: Any) -> Any:
        return jax.nn.relu(_normed(x, scale, offset, x.mean((0, 1, 2)), x.var((0, 1, 2))))

    return _with_gradients(compute, [problem.x, problem.scale, problem.offset], problem.dy)


@implements("tape")
def tape(problem: Tape) -> Subject:
    """Without `jit`, one op at a time."""
    x, gradient = jnp.asarray(problem.x), jax.grad(lambda x: (x * x).sum())
    return Answers(lambda: jax.block_until_ready(gradient(x)))
