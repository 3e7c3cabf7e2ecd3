"""Batches as one writes them by hand: rows taken by a permutation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from perf.workloads.input import BATCH, Rows
from perf.workloads.input import batches as subject
from perf.workloads.subject import Subject, implements


@implements("batches")
def batches(problem: Rows) -> Subject:
    rng = np.random.default_rng(1)
    values = problem.values

    def taken() -> Iterator[np.ndarray]:
        while True:
            order = rng.permutation(len(values))
            for start in range(0, len(values), BATCH):
                yield values[order[start : start + BATCH]]

    return subject(problem, taken().__next__)
