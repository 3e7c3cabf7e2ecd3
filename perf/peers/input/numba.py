"""Numba: what batches of shuffled rows come to at least, rows moved from place to place."""

from __future__ import annotations

import numba
import numpy as np

from perf.workloads.input import BATCH, Rows, batches
from perf.workloads.subject import Subject, implements


@numba.njit
def _move(rows, order, to):
    for i in range(len(order)):
        for j in range(rows.shape[1]):
            to[i, j] = rows[order[i], j]


@implements("batches", "traffic")
def traffic(problem: Rows) -> Subject:
    """One thread, one order for all epochs, and one batch that each goes to."""
    rows = problem.values
    order = np.random.default_rng(1).permutation(len(rows))
    batch = np.empty((BATCH, rows.shape[1]), rows.dtype)
    start = 0

    def take() -> np.ndarray:
        nonlocal start
        _move(rows, order[start : start + BATCH], batch)
        start = (start + BATCH) % len(rows)
        return batch

    return batches(problem, take)
