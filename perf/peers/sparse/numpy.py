"""NumPy: the reference; and SciPy's matrix in compressed rows."""

from __future__ import annotations

import numpy as np

from perf.workloads.sparse import Product, Spoken
from perf.workloads.subject import REFERENCE, Answers, Subject, implements


@implements("product", REFERENCE)
def product(problem: Product) -> Subject:
    def step() -> np.ndarray:
        result = np.zeros((problem.shape[0], problem.dense.shape[1]), np.float32)
        rows, columns = problem.indices.T
        np.add.at(result, rows, problem.values[:, None] * problem.dense[columns])
        return result

    return Answers(step)


@implements("product", "SciPy")
def by_scipy(problem: Product) -> Subject | None:
    try:
        from scipy.sparse import csr_array
    except ImportError:
        return None
    matrix = csr_array((problem.values, tuple(problem.indices.T)), problem.shape)
    return Answers(lambda: matrix @ problem.dense)


@implements("spoken")
def spoken(problem: Spoken) -> Subject:
    """Graves' variables in logarithms, for all sequences and states at once."""
    times, batch, classes = problem.logits.shape
    states = np.full((batch, 2 * problem.labels.shape[1] + 1), classes - 1)
    states[:, 1::2] = problem.labels
    skips = states != classes - 1
    skips[:, 2:] &= states[:, 2:] != states[:, :-2]
    skips[:, :2] = False
    back = np.zeros_like(skips)
    back[:, 2:] = skips[:, 2:][:, ::-1]

    def ways(scores: np.ndarray, skips: np.ndarray) -> np.ndarray:
        found = np.full(scores.shape, -np.inf)
        found[0, :, :2] = scores[0, :, :2]
        for time in range(1, times):
            before = found[time - 1]
            to = before.copy()
            to[:, 1:] = np.logaddexp(to[:, 1:], before[:, :-1])
            far = np.logaddexp(to[:, 2:], before[:, :-2])
            to[:, 2:] = np.where(skips[:, 2:], far, to[:, 2:])
            found[time] = to + scores[time]
        return found

    def step() -> np.ndarray:
        wide = problem.logits.astype(np.float64)
        wide -= wide.max(axis=2, keepdims=True)
        wide -= np.log(np.exp(wide).sum(axis=2, keepdims=True))
        scores = np.take_along_axis(wide, states[None], 2)
        forward = ways(scores, skips)
        backward = ways(scores[::-1, :, ::-1], back)[::-1, :, ::-1] - scores
        total = np.logaddexp.reduce(forward[-1, :, -2:], axis=1)
        shares = np.exp(forward + backward - total[:, None])
        gradient = np.exp(wide)
        for number in range(batch):
            np.subtract.at(gradient[:, number].T, states[number], shares[:, number].T)
        return gradient.astype(np.float32)

    return Answers(step)
