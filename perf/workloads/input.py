"""Input: batches of rows in a random order, another one in each epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from perf.workloads.subject import Subject

BATCH = 128


class Rows(NamedTuple):
    """Rows to be shuffled, all of them, and batched."""

    values: np.ndarray  # [n, width], n a multiple of the batch


def _rows(count: int, width: int) -> Rows:
    return Rows(np.random.default_rng(7).random((count, width), np.float32))


def batches(problem: Rows, take: Callable[[], Any]) -> Subject:
    """A subject whose step takes a batch; what all batches of an epoch come to is compared."""
    count = len(problem.values) // BATCH
    taken = 0

    def step() -> Any:
        nonlocal taken
        taken = (taken + 1) % count
        return take()

    def result() -> list[np.ndarray]:
        while taken:
            step()
        return [np.sum([np.sum(step(), axis=0) for _ in range(count)], axis=0)]

    return Subject(step, result, tolerance=1e-3)


FAMILIES: dict[str, Any] = {"batches": _rows}
