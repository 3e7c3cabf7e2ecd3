"""Constraints where they are used: on variables that optimizers update."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from hybridflow import constraints as c
from tests.variables.constraint_cases import EXACT, Case

START = np.random.default_rng(0).normal(size=(3, 3)).astype(np.float32)
TARGET = np.random.default_rng(1).normal(size=(3, 3)).astype(np.float32)
ROWS = [2, 0]


def trained(
    mode: str,
    loss: Callable[[Any], Any],
    steps: int = 1,
    optimizer: Any = hf.train.GradientDescentOptimizer,
    **options: Any,
) -> np.ndarray:
    """The value of a variable that starts at START after some steps at a learning rate of 0.5."""
    options = {"initializer": START, **options}
    rule = optimizer(0.5)
    if mode == "graph":
        with hf.Graph().as_default(), hf.Session() as session:
            w = hf.get_variable("w", **options)
            train = rule.minimize(loss(w))
            session.run(hf.global_variables_initializer())
            for _ in range(steps):
                session.run(train)
            return session.run(hf.convert_to_tensor(w))
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        w = hf.get_variable("w", **options)

        def step() -> None:
            rule.minimize(lambda: loss(w))

        run = hf.function(step) if mode == "function" else step
        for _ in range(steps):
            run()
        return w.numpy()


def distance(w: Any) -> Any:
    return hf.reduce_sum(hf.squared_difference(w, TARGET)) / 2.0


def distance_of_rows(w: Any) -> Any:
    return hf.reduce_sum(hf.squared_difference(hf.gather(w, ROWS), TARGET[ROWS])) / 2.0


def projected(constraint: Any, w: Any) -> np.ndarray:
    with hf.eager_mode():
        return constraint(hf.constant(w)).numpy()


@pytest.fixture(params=["eager", "graph", "function"])
def mode(request: pytest.FixtureRequest) -> Any:
    return request.param


class TestUpdates:
    @pytest.mark.parametrize("case", EXACT, ids=str)
    def test_dense(self, case: Case, mode: str) -> None:
        wanted = projected(case.constraint, START + 0.5 * (TARGET - START))
        got = trained(mode, distance, constraint=case.constraint)
        np.testing.assert_allclose(got, wanted, 1e-5, 1e-6)

    @pytest.mark.parametrize("case", EXACT, ids=str)
    def test_sparse(self, case: Case, mode: str) -> None:
        moved = START.copy()
        moved[ROWS] += 0.5 * (TARGET - START)[ROWS]
        got = trained(mode, distance_of_rows, constraint=case.constraint)
        touched = projected(case.constraint, moved)
        if case.constraint.row_wise(2):
            # Rows that the update left alone may be projected with the others, or stay.
            np.testing.assert_allclose(got[ROWS], touched[ROWS], 1e-5, 1e-6)
        else:
            np.testing.assert_allclose(got, touched, 1e-5, 1e-6)

    @pytest.mark.parametrize("optimizer", [hf.train.AdamOptimizer, hf.train.RMSPropOptimizer])
    def test_feasible_after_every_step(self, optimizer: Any, mode: str) -> None:
        for steps in (1, 2, 5):
            w = trained(mode, distance, steps, optimizer, constraint=c.RowStochastic())
            np.testing.assert_allclose(w.sum(1), 1, 1e-6)
            assert w.min() >= 0

    def test_reaches_the_nearest_point(self, mode: str) -> None:
        """Projected gradients end where the projection of the target is."""
        w = trained(mode, distance, 60, constraint=c.Simplex(1.0, 0))
        np.testing.assert_allclose(w, projected(c.Simplex(1.0, 0), TARGET), 0, 1e-5)

    def test_parts(self) -> None:
        """Each part of a partitioned variable is projected by itself."""
        ball = c.L2Ball(0.5)
        parts = hf.fixed_size_partitioner(3)
        w = trained("graph", distance, constraint=ball, partitioner=parts)
        moved = START + 0.5 * (TARGET - START)
        wanted = np.concatenate([projected(ball, moved[i : i + 1]) for i in range(3)])
        np.testing.assert_allclose(w, wanted, 1e-6)

    def test_of_a_scope(self) -> None:
        with hf.Graph().as_default(), hf.variable_scope("s", constraint=c.NonNeg()):
            assert hf.get_variable("w", [2]).constraint == c.NonNeg()
            assert hf.get_variable("u", [2], constraint=c.UnitNorm()).constraint == c.UnitNorm()
