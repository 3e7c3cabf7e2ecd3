"""JAX: networks over time by `scan`, in one jitted function."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from perf.workloads import rules
from perf.workloads.sequences import Decoder, Mapped, Network, Scanned
from perf.workloads.subject import Answers, Subject, implements


class Ops:
    """JAX's names."""

    product = staticmethod(jnp.matmul)
    tanh = staticmethod(jnp.tanh)
    total = staticmethod(jnp.sum)
    sigmoid = staticmethod(jax.nn.sigmoid)
    rsqrt = staticmethod(jax.lax.rsqrt)
    softmax = staticmethod(jax.nn.softmax)

    def __init__(self, key: Any = None) -> None:
        self._key = key

    @staticmethod
    def joined(parts: Any) -> Any:
        return jnp.concatenate(parts, -1)

    @staticmethod
    def split(x: Any, count: int) -> Any:
        return jnp.split(x, count, -1)

    @staticmethod
    def mean(x: Any) -> Any:
        return x.mean(-1, keepdims=True)

    @staticmethod
    def rows(table: Any, numbers: Any) -> Any:
        return table[numbers]

    @staticmethod
    def scores(keys: Any, h: Any) -> Any:
        return jnp.einsum("bsw,bw->bs", keys, h)

    @staticmethod
    def weighted(memory: Any, weights: Any) -> Any:
        return jnp.einsum("bsw,bs->bw", memory, weights)

    @staticmethod
    def best(scores: Any) -> Any:
        return scores.argmax(-1)

    def dropout(self, x: Any, rate: float) -> Any:
        return jnp.where(
            jax.random.bernoulli(self._key, 1.0 - rate, x.shape), x / (1.0 - rate), 0.0
        )

    def over(self, problem: Network, weights: Any, x: Any, back: bool) -> Any:
        lengths = problem.lengths
        states = [jnp.zeros((x.shape[1], problem.width)) for _ in range(problem.states)]

        def turn(states: Any, given: Any) -> Any:
            row, t = given
            new = problem.turn(self, weights, row, states)
            if lengths is None:
                return new, new[-1]
            goes_on = (t < lengths)[:, None]
            kept = [jnp.where(goes_on, n, s) for n, s in zip(new, states, strict=True)]
            return kept, jnp.where(goes_on, new[-1], 0.0)

        return jax.lax.scan(turn, states, (x, jnp.arange(len(x))), reverse=back)[1]


@implements("network over time")
@implements("normed network over time")
def network(problem: Network) -> Subject:
    x, weights = jnp.asarray(problem.x), [jnp.asarray(w) for w in problem.weights]
    gradient = jax.grad(lambda weights, x, key: problem.loss(Ops(key), weights, x))
    compute = jax.jit(gradient)
    state: dict[str, Any] = {"key": jax.random.key(0), "t": 0}

    def grads() -> Any:
        if problem.dropout:
            state["key"], key = jax.random.split(state["key"])
        else:
            key = state["key"]
        return jax.block_until_ready(compute(weights, x, key))

    if not problem.trains:
        return Subject(grads, lambda: problem.reduced(grads()), compared=not problem.dropout)
    rule = rules.RULES["Adam"]

    @jax.jit
    def trained(weights: Any, slots: Any, x: Any, t: Any) -> Any:
        found = [
            rule.update(jnp, w, s, g, t)
            for w, s, g in zip(weights, slots, gradient(weights, x, None), strict=True)
        ]
        return [p for p, _ in found], [s for _, s in found]

    kept = [weights, [(jnp.zeros_like(w), jnp.zeros_like(w)) for w in weights]]

    def step() -> None:
        state["t"] += 1
        kept[:] = jax.block_until_ready(trained(*kept, x, float(state["t"])))

    return Subject(step, list, compared=False)


@implements("scanned")
def scanned(problem: Scanned) -> Subject:
    @jax.jit
    def function(x: Any, w: Any) -> Any:
        def turn(h: Any, row: Any) -> Any:
            h = jnp.tanh(w * h + row)
            return h, h

        return jax.lax.scan(turn, jnp.zeros_like(w), x)[1]

    x, w = map(jnp.asarray, problem)
    return Answers(lambda: jax.block_until_ready(function(x, w)))


@implements("mapped")
def mapped(problem: Mapped) -> Subject:
    @jax.jit
    def function(x: Any, w: Any, v: Any) -> Any:
        return jax.lax.map(lambda row: problem.row(Ops, row[None], w, v)[0], x)

    arrays = list(map(jnp.asarray, problem))
    return Answers(lambda: jax.block_until_ready(function(*arrays)))


@implements("decoder")
def decoder(problem: Decoder) -> Subject:
    @jax.jit
    def function(arrays: Any) -> Any:
        memory = arrays[0]
        keys = memory @ arrays[6]

        def turn(state: Any, _: Any) -> Any:
            state = problem.turn(Ops, arrays, keys, *state)
            return state, state[0]

        zeros = jnp.zeros((memory.shape[0], memory.shape[2]))
        first = (jnp.zeros(len(memory), jnp.int32), zeros, zeros)
        return jax.lax.scan(turn, first, None, length=problem.steps)[1]

    arrays = list(map(jnp.asarray, problem.arrays))
    return Answers(lambda: jax.block_until_ready(function(arrays)))
