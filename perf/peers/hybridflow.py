"""hybridflow: as a graph in a Session, as an `hf.function`, and eagerly."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

import hybridflow as hf
from hybridflow._src.kernels.compiler import COMPILER
from hybridflow._src.plan.plan import Plan
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

_TRAIN, _RATE = hf.train, rules.LEARNING_RATE
OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda step: _TRAIN.GradientDescentOptimizer(_RATE),
    "Momentum": lambda step: _TRAIN.MomentumOptimizer(_RATE, rules.MOMENTUM),
    "Adagrad": lambda step: _TRAIN.AdagradOptimizer(_RATE),
    "Adadelta": lambda step: _TRAIN.AdadeltaOptimizer(_RATE, rules.RHO, rules.EPSILON),
    "Adam": lambda step: _TRAIN.AdamOptimizer(_RATE, rules.BETA1, rules.BETA2, rules.ADAM_EPSILON),
    "lazy Adam": lambda step: hf.contrib.opt.LazyAdamOptimizer(
        _RATE, rules.BETA1, rules.BETA2, rules.ADAM_EPSILON
    ),
    "RMSProp": lambda step: _TRAIN.RMSPropOptimizer(
        _RATE, rules.DECAY, rules.MOMENTUM, rules.EPSILON
    ),
    "centered RMSProp": lambda step: _TRAIN.RMSPropOptimizer(
        _RATE, rules.DECAY, rules.MOMENTUM, rules.EPSILON, centered=True
    ),
    "Ftrl": lambda step: _TRAIN.FtrlOptimizer(
        _RATE, l1_regularization_strength=rules.L1, l2_regularization_strength=rules.L2
    ),
    "AdagradDA": lambda step: _TRAIN.AdagradDAOptimizer(
        _RATE, step, l1_regularization_strength=rules.L1, l2_regularization_strength=rules.L2
    ),
    "proximal SGD": lambda step: _TRAIN.ProximalGradientDescentOptimizer(
        _RATE, l1_regularization_strength=rules.L1, l2_regularization_strength=rules.L2
    ),
    "proximal Adagrad": lambda step: _TRAIN.ProximalAdagradOptimizer(
        _RATE, l1_regularization_strength=rules.L1, l2_regularization_strength=rules.L2
    ),
}
CONSTRAINTS: dict[str, Any] = {
    "none": None,
    "non-negative": hf.constraints.NonNeg(),
    "rows": hf.constraints.MaxNorm(rules.MOST, axis=1),
    "columns": hf.constraints.MaxNorm(rules.MOST, axis=0),
    "columns, within": hf.constraints.MaxNorm(1e4, axis=0),
}


# -- what became native ----------------------------------------------------------------------------


def wait() -> None:
    """Waits for the kernels of all plans that have run twice."""
    assert COMPILER.wait(300), "compiling takes too long"


def _facts(plans: list[Plan]) -> dict[str, Any]:
    """How far plans are native: steps, and the ops that run by their NumPy meaning."""
    steps, fallbacks, memory = 0, [], 0
    for plan in plans:
        if plan.native is None:
            continue
        fallbacks += plan.native.problems.values()
        for program in plan.native.programs.values():
            steps += len(program.steps)
            memory += program.block.size
            fallbacks += [f"{op}: {why}" for op, why in program.fallbacks]
    return {
        "native steps": steps,
        "fallbacks": fallbacks,
        "bytes of buffers": memory,
        "kernels compiled": COMPILER.compiled,
        "kernels loaded": COMPILER.loaded,
    }


def made(
    step: Callable[[], Any], result: Any = None, plans: Callable[[], list[Plan]] = list
) -> Subject:
    """A subject whose result is what variables hold, or what the step gives.

    `plans` gives the plans that a step runs.
    """

    def facts() -> dict[str, Any]:
        return _facts(plans())

    if result is None:
        return Answers(step, ready=wait, facts=facts)
    return Subject(step, result, wait, facts)


def _traced(function: Any) -> list[Plan]:
    """The plans of an `hf.function`."""
    traces = [trace for found in function._traces.values() for trace in found]
    return [plan for trace in traces for plan in trace._function._plans.values()]


# -- ways to run -----------------------------------------------------------------------------------


class Program:
    """A graph and its session.

    Attributes:
      graph, session: of the program; make the graph's ops in `with program:`.
    """

    def __init__(self) -> None:
        self.graph = hf.Graph()
        self.session = hf.Session(graph=self.graph)
        self._values: dict[Any, np.ndarray] = {}

    def __enter__(self) -> Program:
        self._scope = self.graph.as_default()
        self._scope.__enter__()
        return self

    def __exit__(self, *exc: Any) -> None:
        """Gives all variables their values."""
        self.session.run(hf.global_variables_initializer(), self._values)
        self._scope.__exit__(*exc)

    def variable(self, name: str, value: np.ndarray, **settings: Any) -> Any:
        """A variable that starts with this value."""
        start = hf.placeholder(hf.float32, value.shape)
        self._values[start] = value
        return hf.get_variable(name, initializer=start, **settings)

    def subject(
        self, fetch: Any, feeds: Any = None, result: Any = None, run: bool = False
    ) -> Subject:
        """Steps that fetch something by a callable, or by `Session.run`.

        Args:
          result: gives what the session fetches after the steps.
        """
        session, feeds = self.session, feeds or {}
        values = None if result is None else lambda: session.run(result, feeds)
        if run:
            known = set(session._runnables)
            return made(
                lambda: session.run(fetch, feeds),
                values,
                lambda: [r.plan for key, r in session._runnables.items() if key not in known],
            )
        call, arrays = session.make_callable(fetch, list(feeds)), list(feeds.values())
        plan = inspect.getclosurevars(call).nonlocals["runnable"].plan
        return made(lambda: call(*arrays), values, lambda: [plan])


def eager(make: Callable[[], Subject]) -> Subject:
    """A subject that is made, and whose steps run, in eager mode."""
    with hf.eager_mode():
        return make()._replace(mode=hf.eager_mode)


# -- updates ---------------------------------------------------------------------------------------


@implements("update", "graph")
def update(problem: Update) -> Subject:
    with Program() as program:
        p = program.variable("p", problem.p, constraint=CONSTRAINTS[problem.constraint])
        g = program.variable("g", problem.g, trainable=False)
        step = hf.train.get_or_create_global_step()
        optimizer = OPTIMIZERS[problem.optimizer](step)
        counted = step if problem.optimizer == "AdagradDA" else None
        train = optimizer.apply_gradients([(hf.identity(g), p)], global_step=counted)
    return program.subject(train, result=[p])


def _applied(apply: Callable[[], Any], ps: list[Any], function: bool) -> Subject:
    """Steps that apply gradients to eager variables, at once or through an `hf.function`."""
    traced = hf.function(apply)
    return made(
        traced if function else apply,
        lambda: [p.numpy() for p in ps],
        lambda: _traced(traced),
    )


def _eager_update(problem: Update, function: bool) -> Subject:
    p = hf.Variable(problem.p, constraint=CONSTRAINTS[problem.constraint])
    g = hf.constant(problem.g)
    step = hf.Variable(0, dtype=hf.int64, trainable=False)
    optimizer = OPTIMIZERS[problem.optimizer](step)
    counted = step if problem.optimizer == "AdagradDA" else None
    return _applied(lambda: optimizer.apply_gradients([(g, p)], global_step=counted), [p], function)


@implements("update", "eager")
def update_eagerly(problem: Update) -> Subject:
    return eager(lambda: _eager_update(problem, False))


@implements("update", "function")
def update_in_a_function(problem: Update) -> Subject:
    return eager(lambda: _eager_update(problem, True))


@implements("many", "graph")
def many(problem: Many) -> Subject:
    with Program() as program:
        pairs = [
            (
                hf.identity(program.variable(f"g{i}", g, trainable=False)),
                program.variable(f"p{i}", p),
            )
            for i, (p, g) in enumerate(zip(problem.ps, problem.gs, strict=True))
        ]
        train = OPTIMIZERS["Adam"](None).apply_gradients(pairs)
    return program.subject(train, result=[p for _, p in pairs])


def _eager_many(problem: Many, function: bool) -> Subject:
    ps = [hf.Variable(p) for p in problem.ps]
    pairs = [(hf.constant(g), p) for g, p in zip(problem.gs, ps, strict=True)]
    optimizer = OPTIMIZERS["Adam"](None)
    return _applied(lambda: optimizer.apply_gradients(pairs), ps, function)


@implements("many", "eager")
def many_eagerly(problem: Many) -> Subject:
    return eager(lambda: _eager_many(problem, False))


@implements("many", "function")
def many_in_a_function(problem: Many) -> Subject:
    return eager(lambda: _eager_many(problem, True))


@implements("sparse", "graph")
def sparse(problem: Sparse) -> Subject:
    with Program() as program:
        p = program.variable("p", problem.p, constraint=CONSTRAINTS[problem.constraint])
        g = program.variable("g", problem.g, trainable=False)
        indices = hf.constant(problem.indices)
        slices = hf.IndexedSlices(hf.identity(g), indices, hf.constant(problem.p.shape))
        train = OPTIMIZERS[problem.optimizer](None).apply_gradients([(slices, p)])
        some = hf.gather(p, indices), p[:: max(len(problem.p) // 1000, 1)]
    return program.subject(train, result=list(some))


# -- training steps --------------------------------------------------------------------------------


def _regression_loss(w: Any, b: Any, x: Any, y: Any) -> Any:
    return hf.reduce_mean(hf.square(w * x + b - y))


def _regression(problem: Regression, run: bool) -> Subject:
    with Program() as program:
        x, y = (hf.placeholder(hf.float32, [None]) for _ in range(2))
        w = program.variable("w", np.array(-1, np.float32))
        b = program.variable("b", np.array(0, np.float32))
        loss = _regression_loss(w, b, x, y)
        train = hf.train.GradientDescentOptimizer(problem.rate).minimize(loss)
    feeds = {x: problem.x, y: problem.y}
    return program.subject([loss, train], feeds, [w, b], run)


@implements("regression", "run")
def regression(problem: Regression) -> Subject:
    return _regression(problem, run=True)


@implements("regression", "callable")
def regression_callable(problem: Regression) -> Subject:
    return _regression(problem, run=False)


@implements("regression", "function")
def regression_function(problem: Regression) -> Subject:
    def make() -> Subject:
        w, b = hf.Variable(-1.0), hf.Variable(0.0)
        optimizer = hf.train.GradientDescentOptimizer(problem.rate)

        @hf.function
        def step(x: Any, y: Any) -> Any:
            loss = _regression_loss(w, b, x, y)
            optimizer.apply_gradients(zip(hf.gradients(loss, [w, b]), [w, b], strict=True))
            return loss

        x, y = hf.constant(problem.x), hf.constant(problem.y)
        return made(lambda: step(x, y), lambda: [w.numpy(), b.numpy()], lambda: _traced(step))

    return eager(make)


def mlp_loss(weights: list[Any], x: Any, labels: Any) -> Any:
    w1, b1, w2, b2 = weights
    logits = hf.matmul(hf.nn.relu(hf.matmul(x, w1) + b1), w2) + b2
    return hf.reduce_mean(
        hf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    )


def _mlp(problem: Mlp, run: bool) -> Subject:
    with Program() as program:
        x = hf.placeholder(hf.float32, [None, problem.x.shape[1]])
        labels = hf.placeholder(hf.int32, [None])
        weights = [program.variable(f"w{i}", w) for i, w in enumerate(problem.weights)]
        loss = mlp_loss(weights, x, labels)
        train = hf.train.GradientDescentOptimizer(problem.rate).minimize(loss)
    feeds = {x: problem.x, labels: problem.labels}
    return program.subject([loss, train], feeds, weights, run)


@implements("mlp", "run")
def mlp(problem: Mlp) -> Subject:
    return _mlp(problem, run=True)


@implements("mlp", "callable")
def mlp_callable(problem: Mlp) -> Subject:
    return _mlp(problem, run=False)


@implements("mlp", "function")
def mlp_function(problem: Mlp) -> Subject:
    def make() -> Subject:
        weights = [hf.Variable(w) for w in problem.weights]
        optimizer = hf.train.GradientDescentOptimizer(problem.rate)

        @hf.function
        def step(x: Any, labels: Any) -> Any:
            loss = mlp_loss(weights, x, labels)
            optimizer.apply_gradients(zip(hf.gradients(loss, weights), weights, strict=True))
            return loss

        x, labels = hf.constant(problem.x), hf.constant(problem.labels)
        return made(
            lambda: step(x, labels),
            lambda: [w.numpy() for w in weights],
            lambda: _traced(step),
        )

    return eager(make)


# -- formulas --------------------------------------------------------------------------------------


def _formula(formula: str, arrays: list[Any]) -> Any:
    if formula != "relu":
        return getattr(hf, formula)(arrays[0])
    x, w, b, mask, y = arrays
    return hf.nn.relu(x * w + b) * mask + hf.tanh(y)


@implements("elementwise", "graph")
def elementwise(problem: Elementwise) -> Subject:
    """Fetches the result: a copy, the caller's own."""
    with Program() as program:
        arrays = [program.variable(f"x{i}", x) for i, x in enumerate(problem.arrays)]
        value = _formula(problem.formula, arrays)
    return program.subject(value)


@implements("elementwise", "assign")
def elementwise_assigned(problem: Elementwise) -> Subject:
    """Keeps the result in a variable."""
    with Program() as program:
        arrays = [program.variable(f"x{i}", x) for i, x in enumerate(problem.arrays)]
        out = program.variable("out", np.zeros_like(problem.arrays[0]))
        assigned = hf.assign(out, _formula(problem.formula, arrays)).op
    return program.subject(assigned, result=[out])


@implements("elementwise", "function")
def elementwise_function(problem: Elementwise) -> Subject:
    def make() -> Subject:
        function = hf.function(lambda *arrays: _formula(problem.formula, list(arrays)))
        arrays = [hf.constant(x) for x in problem.arrays]
        return made(lambda: function(*arrays), plans=lambda: _traced(function))

    return eager(make)


@implements("elementwise", "eager")
def elementwise_eager(problem: Elementwise) -> Subject:
    def make() -> Subject:
        arrays = [hf.constant(x) for x in problem.arrays]
        return made(lambda: _formula(problem.formula, arrays))

    return eager(make)


@implements("simplex", "graph")
def simplex(problem: Simplex) -> Subject:
    with Program() as program:
        x = program.variable("x", problem.x)
        value = hf.constraints.Simplex(axis=-1)(x)
    return program.subject(value)


@implements("simplex", "eager")
def simplex_eager(problem: Simplex) -> Subject:
    def make() -> Subject:
        x, project = hf.constant(problem.x), hf.constraints.Simplex(axis=-1)
        return made(lambda: project(x))

    return eager(make)


@implements("turns", "graph")
def turns(problem: Turns) -> Subject:
    with Program() as program:
        count = program.variable("count", np.float32(problem.count))
        _, a = hf.while_loop(
            lambda i, a: i < count, lambda i, a: (i + 1.0, a * 0.999 + 0.5), [0.0, 1.0]
        )
    return program.subject(a)


@implements("recurrence", "graph")
def recurrence(problem: Recurrence) -> Subject:
    times = problem.x.shape[0]
    with Program() as program:
        x, u = program.variable("x", problem.x), program.variable("u", problem.u)
        rows = hf.identity(x)
        _, h = hf.while_loop(
            lambda t, h: t < times,
            lambda t, h: (t + 1, hf.tanh(rows[t] + hf.matmul(h, u))),
            [0, hf.zeros(problem.x.shape[1:])],
        )
        (gradient,) = hf.gradients(hf.reduce_sum(h), [u])
    return program.subject(gradient)


@implements("lstm", "graph")
def lstm(problem: Lstm) -> Subject:
    times, batch, _ = problem.x.shape
    with Program() as program:
        x, kernel, bias = (program.variable(k, v) for k, v in problem._asdict().items())
        rows = hf.identity(x)
        first = hf.zeros([batch, problem.bias.size // 4])

        def turn(t: Any, c: Any, h: Any) -> Any:
            z = hf.nn.bias_add(hf.matmul(hf.concat([rows[t], h], 1), kernel), bias)
            i, j, f, o = hf.split(z, 4, 1)
            c = c * hf.sigmoid(f) + hf.sigmoid(i) * hf.tanh(j)
            return t + 1, c, hf.tanh(c) * hf.sigmoid(o)

        _, _, h = hf.while_loop(lambda t, *_: t < times, turn, [0, first, first])
        (gradient,) = hf.gradients(hf.reduce_sum(h * h), [kernel])
    return program.subject(gradient)


@implements("chain")
def chain(problem: Chain) -> Subject:
    """Each step makes the graph anew, plans it and runs it once."""

    def step() -> Any:
        with hf.Graph().as_default(), hf.Session() as session:
            x = hf.placeholder(hf.float32, [None])
            y = x
            for _ in range(problem.ops):
                y = y + x
            return session.run(y, {x: problem.x})

    return made(step)
