"""`LazyAdamOptimizer`: the rows of a sparse gradient move as Adam's do, all others stay."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from tests import native
from tests.plan.sessions import plan_of

START = np.linspace(-1, 1, 12, dtype=np.float32).reshape(6, 2)
RATE, BETA1, BETA2, EPSILON = 0.25, 0.5, 0.75, 0.125
# In each step its rows: one of them twice, then others, then one three times.
ROWS = np.array([[1, 4, 1], [0, 4, 2], [2, 2, 2], [4, 1, 0]], np.int32)
GRADS = np.random.default_rng(0).normal(size=(4, 3, 2)).astype(np.float32)
CONSTRAINTS = {"free": None, "by rows": hf.constraints.MaxNorm(0.75, axis=1)}


def optimizer() -> Any:
    return hf.contrib.opt.LazyAdamOptimizer(RATE, BETA1, BETA2, EPSILON)


def expected(constraint: Any) -> np.ndarray:
    """The variable and its means after all steps, by the formula in float64, row by row."""
    v = START.astype(np.float64)
    m, u = np.zeros_like(v), np.zeros_like(v)
    for t, (rows, grads) in enumerate(zip(ROWS, GRADS, strict=True), 1):
        for row in set(rows):
            g = grads[rows == row].sum(0)
            m[row] = BETA1 * m[row] + (1 - BETA1) * g
            u[row] = BETA2 * u[row] + (1 - BETA2) * g * g
            rate = RATE * (1 - BETA2**t) ** 0.5 / (1 - BETA1**t)
            v[row] -= rate * m[row] / (u[row] ** 0.5 + EPSILON)
            if constraint is not None:
                v[row] *= min(1, 0.75 / np.linalg.norm(v[row]))
    return np.stack([v, m, u])


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_only_the_rows_of_a_sparse_gradient(constraint: str) -> None:
    wanted = expected(CONSTRAINTS[constraint])
    assert (wanted[:, [3, 5]] == [START[[3, 5]], np.zeros((2, 2)), np.zeros((2, 2))]).all()
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        v, made = hf.Variable(START, constraint=CONSTRAINTS[constraint]), optimizer()
        for rows, grads in zip(ROWS, GRADS, strict=True):
            made.apply_gradients([(hf.IndexedSlices(hf.constant(grads), hf.constant(rows)), v)])
        found = [v, made.get_slot(v, "m"), made.get_slot(v, "v")]
        np.testing.assert_allclose([x.numpy() for x in found], wanted, 1e-5, 1e-6)


@pytest.mark.parametrize("use_resource", [False, True])
@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_in_a_graph_it_runs_natively(constraint: str, use_resource: bool) -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        v = hf.get_variable(
            "v",
            initializer=START,
            constraint=CONSTRAINTS[constraint],
            use_resource=use_resource,
        )
        rows, grads = hf.placeholder(hf.int32, [3]), hf.placeholder(hf.float32, [3, 2])
        made = optimizer()
        train = made.apply_gradients([(hf.IndexedSlices(grads, rows), v)])
        state = [v, made.get_slot(v, "m"), made.get_slot(v, "v")]
        # The first time by NumPy, the second natively.
        for _ in range(2):
            session.run(hf.global_variables_initializer())
            for index in range(4):
                session.run(train, {rows: ROWS[index], grads: GRADS[index]})
            native.wait()
            found = session.run(state)
            np.testing.assert_allclose(found, expected(CONSTRAINTS[constraint]), 1e-5, 1e-6)
        plan = plan_of(session, train)
        assert native.programs(plan)
        assert not native.fallbacks(plan)


def test_a_dense_gradient_is_applied_as_by_adam() -> None:
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        found = []
        for make in (hf.contrib.opt.LazyAdamOptimizer, hf.train.AdamOptimizer):
            v, made = hf.Variable(START), make(RATE, BETA1, BETA2, EPSILON)
            for grad in GRADS:
                made.apply_gradients([(hf.constant(np.tile(grad, [2, 1])), v)])
            found.append(v.numpy())
        np.testing.assert_array_equal(*found)
