"""PyTensor, compiled by Numba."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt

from perf.workloads import rules
from perf.workloads.problems import Elementwise, Many, Mlp, Regression, Simplex, Sparse, Update
from perf.workloads.subject import Answers, Subject, implements

pytensor.config.floatX = "float32"
_function = partial(pytensor.function, mode="NUMBA", trust_input=True)


def _applied(pairs: Any, optimizer: str, constraint: str) -> Subject:
    """Updates of parameters, each with a gradient that lies in a shared variable."""
    rule, project = rules.RULES[optimizer], rules.PROJECTIONS[constraint]
    t = pytensor.shared(np.float32(0))
    updates, ps = [(t, t + 1)], []
    for value, gradient in pairs:
        p, g = pytensor.shared(value.copy()), pytensor.shared(gradient)
        slots = [pytensor.shared(np.full_like(value, start)) for start in rule.starts]
        new, rest = rule.update(pt, p, slots, g, t + 1)
        updates += [(p, project(pt, new)), *zip(slots, rest, strict=True)]
        ps.append(p)
    step = _function([], [], updates=[(v, e.astype("float32")) for v, e in updates])
    return Subject(step, lambda: [p.get_value() for p in ps])


@implements("update")
def update(problem: Update) -> Subject:
    return _applied([(problem.p, problem.g)], problem.optimizer, problem.constraint)


@implements("many")
def many(problem: Many) -> Subject | None:
    if len(problem.ps) > 100:
        return None  # it compiles for longer than anything here is measured
    return _applied(zip(problem.ps, problem.gs, strict=True), "Adam", "none")


@implements("sparse")
def sparse(problem: Sparse) -> Subject | None:
    if problem.optimizer != "SGD" or problem.constraint != "none":
        return None
    p = pytensor.shared(problem.p.copy())
    indices, g = pt.lvector(), pt.fmatrix()
    new = pt.inc_subtensor(p[indices], np.float32(-rules.LEARNING_RATE) * g)
    run = _function([indices, g], [], updates=[(p, new)])

    def result() -> list[Any]:
        value = p.get_value(borrow=True)
        return [value[problem.indices], value[:: max(len(value) // 1000, 1)]]

    return Subject(lambda: run(problem.indices, problem.g), result)


def _trained(loss: Any, weights: list[Any], rate: float, inputs: Any, arrays: Any) -> Subject:
    grads = pytensor.grad(loss, weights)
    updates = [(w, w - np.float32(rate) * g) for w, g in zip(weights, grads, strict=True)]
    run = _function(inputs, loss, updates=updates)
    return Subject(lambda: run(*arrays), lambda: [w.get_value() for w in weights])


@implements("regression")
def regression(problem: Regression) -> Subject:
    x, y = pt.fvector(), pt.fvector()
    w, b = (pytensor.shared(np.array(v, np.float32)) for v in (-1, 0))
    loss = pt.mean(pt.square(w * x + b - y))
    return _trained(loss, [w, b], problem.rate, [x, y], [problem.x, problem.y])


@implements("mlp")
def mlp(problem: Mlp) -> Subject:
    x, labels = pt.fmatrix(), pt.ivector()
    w1, b1, w2, b2 = weights = [pytensor.shared(w.copy()) for w in problem.weights]
    logits = pt.maximum(x @ w1 + b1, 0) @ w2 + b2
    rows = pt.arange(labels.shape[0])
    loss = -pt.mean(pt.special.log_softmax(logits, axis=1)[rows, labels])
    return _trained(loss, weights, problem.rate, [x, labels], [problem.x, problem.labels])


@implements("elementwise")
def elementwise(problem: Elementwise) -> Subject:
    inputs = [pt.fvector() for _ in problem.arrays]
    if problem.formula == "relu":
        x, w, b, mask, y = inputs
        value = pt.maximum(x * w + b, 0) * mask + pt.tanh(y)
    else:
        value = getattr(pt, problem.formula)(inputs[0])
    run = _function(inputs, value)
    return Answers(lambda: run(*problem.arrays))


@implements("simplex")
def simplex(problem: Simplex) -> Subject:
    x = pt.fmatrix()
    run = _function([x], rules.by_sorting(pt, x).astype("float32"))
    return Answers(lambda: run(problem.x))
