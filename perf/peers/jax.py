"""JAX with optax: steps are jitted functions of the state, which is given away (donated)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

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

_RATE = rules.LEARNING_RATE
OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "SGD": lambda: optax.sgd(_RATE),
    "Momentum": lambda: optax.sgd(_RATE, rules.MOMENTUM),
    "Adadelta": lambda: optax.adadelta(_RATE, rules.RHO, rules.EPSILON),
    "Adagrad": lambda: optax.adagrad(_RATE, 0.1, eps=0.0),
    "Adam": lambda: optax.adam(_RATE, rules.BETA1, rules.BETA2, rules.ADAM_EPSILON),
    "RMSProp": lambda: optax.rmsprop(
        _RATE, rules.DECAY, rules.EPSILON, initial_scale=1.0, momentum=rules.MOMENTUM
    ),
    "centered RMSProp": lambda: optax.rmsprop(
        _RATE,
        rules.DECAY,
        rules.EPSILON,
        initial_scale=1.0,
        centered=True,
        momentum=rules.MOMENTUM,
    ),
}


class Stepped:
    """A state that a jitted function takes and gives anew, with what else it computes."""

    def __init__(self, function: Any, state: Any, *args: Any) -> None:
        self._function = jax.jit(function, donate_argnums=0)
        self.state = jax.tree.map(jnp.array, state)
        self._args = jax.tree.map(jnp.asarray, args)

    def step(self) -> None:
        self.state = self._function(self.state, *self._args)
        jax.block_until_ready(self.state)


@implements("update")
def update(problem: Update) -> Subject:
    """optax's optimizer where it has one; else the formula that all share."""
    project = partial(rules.PROJECTIONS[problem.constraint], jnp)
    rule = problem.rule
    if problem.optimizer in OPTIMIZERS:
        optimizer = OPTIMIZERS[problem.optimizer]()

        def step(state: Any, g: Any) -> Any:
            p, rest = state
            updates, rest = optimizer.update(g, rest, p)
            return project(optax.apply_updates(p, updates)), rest

        start = problem.p, optimizer.init(jnp.asarray(problem.p))
    else:

        def step(state: Any, g: Any) -> Any:
            p, (t, slots) = state
            p, slots = rule.update(jnp, p, slots, g, t + 1)
            return project(p), (t + 1, slots)

        slots = tuple(np.full_like(problem.p, start) for start in rule.starts)
        start = problem.p, (np.float32(0), slots)
    stepped = Stepped(step, start, problem.g)
    return Subject(stepped.step, lambda: [np.asarray(stepped.state[0])])


@implements("many")
def many(problem: Many) -> Subject:
    optimizer = OPTIMIZERS["Adam"]()

    def step(state: Any, gs: Any) -> Any:
        ps, rest = state
        updates, rest = optimizer.update(gs, rest, ps)
        return optax.apply_updates(ps, updates), rest

    stepped = Stepped(step, (problem.ps, optimizer.init(problem.ps)), problem.gs)
    return Subject(stepped.step, lambda: [np.asarray(p) for p in stepped.state[0]])


@implements("sparse")
def sparse(problem: Sparse) -> Subject | None:
    """Scatters into the touched rows alone."""
    if problem.rule.whole:
        return None
    project, rule = partial(rules.PROJECTIONS[problem.constraint], jnp), problem.rule

    def scatter(state: Any, indices: Any, g: Any) -> Any:
        (p,) = state
        return (p.at[indices].add(-_RATE * g),)

    def step(state: Any, indices: Any, g: Any) -> Any:
        t, p, *slots = state
        # Repeated rows are summed; what is left over points behind the last row and is dropped.
        unique, position = jnp.unique(
            indices, return_inverse=True, size=len(indices), fill_value=len(p)
        )
        g = jnp.zeros_like(g).at[position].add(g)
        rows = tuple(slot[unique] for slot in slots)
        new, rows = rule.update(jnp, p[unique], rows, g, t + 1)
        p = p.at[unique].set(project(new), mode="drop")
        slots = [s.at[unique].set(r, mode="drop") for s, r in zip(slots, rows, strict=True)]
        return (t + 1, p, *slots)

    if problem.optimizer == "SGD" and problem.constraint == "none":
        stepped = Stepped(scatter, (problem.p,), problem.indices, problem.g)
        where = 0
    else:
        slots = [np.full_like(problem.p, start) for start in rule.starts]
        state = (np.float32(0), problem.p, *slots)
        stepped = Stepped(step, state, problem.indices, problem.g)
        where = 1

    def result() -> list[Any]:
        p = np.asarray(stepped.state[where])
        return [p[problem.indices], p[:: max(len(p) // 1000, 1)]]

    return Subject(stepped.step, result)


def _trained(loss: Any, weights: Any, rate: float, *args: Any) -> Subject:
    """Steps of gradient descent, fed with NumPy arrays."""

    @partial(jax.jit, donate_argnums=0)
    def train(weights: Any, *args: Any) -> Any:
        value, grads = jax.value_and_grad(loss)(weights, *args)
        return jax.tree.map(lambda w, g: w - rate * g, weights, grads), value

    state = [jax.tree.map(jnp.array, weights)]

    def step() -> Any:
        state[0], value = train(state[0], *args)
        return float(value)

    return Subject(step, lambda: [np.asarray(w) for w in jax.block_until_ready(state[0])])


@implements("regression")
def regression(problem: Regression) -> Subject:
    def loss(weights: Any, x: Any, y: Any) -> Any:
        w, b = weights
        return jnp.mean(jnp.square(w * x + b - y))

    start = [np.float32(-1), np.float32(0)]
    return _trained(loss, start, problem.rate, problem.x, problem.y)


@implements("mlp")
def mlp(problem: Mlp) -> Subject:
    def loss(weights: Any, x: Any, labels: Any) -> Any:
        w1, b1, w2, b2 = weights
        logits = jax.nn.relu(x @ w1 + b1) @ w2 + b2
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()

    return _trained(loss, problem.weights, problem.rate, problem.x, problem.labels)


@implements("elementwise")
def elementwise(problem: Elementwise) -> Subject:
    def relu(x: Any, w: Any, b: Any, mask: Any, y: Any) -> Any:
        return jax.nn.relu(x * w + b) * mask + jnp.tanh(y)

    function = jax.jit(relu if problem.formula == "relu" else getattr(jnp, problem.formula))
    arrays = [jnp.asarray(x) for x in problem.arrays]
    return Answers(lambda: jax.block_until_ready(function(*arrays)))


@implements("simplex")
def simplex(problem: Simplex) -> Subject:
    function = jax.jit(jax.vmap(optax.projections.projection_simplex))
    x = jnp.asarray(problem.x)
    return Answers(lambda: jax.block_until_ready(function(x)))


@implements("simplex", "sorted")
def simplex_sorted(problem: Simplex) -> Subject:
    """The formula on all rows at once."""
    function = jax.jit(partial(rules.by_sorting, jnp))
    x = jnp.asarray(problem.x)
    return Answers(lambda: jax.block_until_ready(function(x)))


@implements("turns")
def turns(problem: Turns) -> Subject:
    @jax.jit
    def function(count: Any) -> Any:
        def body(state: Any) -> Any:
            i, a = state
            return i + 1, a * jnp.float32(0.999) + jnp.float32(0.5)

        first = (jnp.int32(0), jnp.float32(1.0))
        return jax.lax.while_loop(lambda state: state[0] < count, body, first)[1]

    count = jnp.int32(problem.count)
    return Answers(lambda: jax.block_until_ready(function(count)))


@implements("recurrence")
def recurrence(problem: Recurrence) -> Subject:
    def total(u: Any, x: Any) -> Any:
        def turn(h: Any, row: Any) -> Any:
            return jnp.tanh(row + h @ u), None

        return jnp.sum(jax.lax.scan(turn, jnp.zeros_like(x[0]), x)[0])

    function = jax.jit(jax.grad(total))
    x, u = map(jnp.asarray, problem)
    return Answers(lambda: jax.block_until_ready(function(u, x)))


@implements("lstm")
def lstm(problem: Lstm) -> Subject:
    def total(kernel: Any, x: Any, bias: Any) -> Any:
        def turn(state: Any, row: Any) -> Any:
            c, h = state
            z = jnp.concatenate([row, h], 1) @ kernel + bias
            i, j, f, o = jnp.split(z, 4, 1)
            c = c * jax.nn.sigmoid(f) + jax.nn.sigmoid(i) * jnp.tanh(j)
            return (c, jnp.tanh(c) * jax.nn.sigmoid(o)), None

        first = jnp.zeros((x.shape[1], bias.size // 4))
        _, h = jax.lax.scan(turn, (first, first), x)[0]
        return jnp.sum(h * h)

    function = jax.jit(jax.grad(total))
    x, kernel, bias = map(jnp.asarray, problem)
    return Answers(lambda: jax.block_until_ready(function(kernel, x, bias)))


@implements("chain")
def chain(problem: Chain) -> Subject | None:
    """Traces, compiles and runs a new function in each step; XLA takes too long for large ones."""
    if problem.ops > 1000:
        return None

    def step() -> Any:
        @jax.jit
        def function(x: Any) -> Any:
            y = x
            for _ in range(problem.ops):
                y = y + x
            return y

        return jax.block_until_ready(function(problem.x))

    return Answers(step)
