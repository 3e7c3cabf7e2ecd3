"""NumPy: derivatives by complex steps, which are as exact as values."""

from __future__ import annotations

from typing import Any

import numpy as np

from perf.workloads.sequences import Decoder, Mapped, Network, Scanned, direction
from perf.workloads.subject import REFERENCE, Answers, Subject, implements


class Ops:
    """NumPy's names."""

    product = staticmethod(np.matmul)
    tanh = staticmethod(np.tanh)
    total = staticmethod(np.sum)

    @staticmethod
    def sigmoid(x: np.ndarray) -> np.ndarray:
        return 0.5 + 0.5 * np.tanh(0.5 * x)

    @staticmethod
    def joined(parts: list[np.ndarray]) -> np.ndarray:
        return np.concatenate(parts, -1)

    @staticmethod
    def split(x: np.ndarray, count: int) -> list[np.ndarray]:
        return np.split(x, count, -1)

    @staticmethod
    def mean(x: np.ndarray) -> np.ndarray:
        return x.mean(-1, keepdims=True)

    @staticmethod
    def rsqrt(x: np.ndarray) -> np.ndarray:
        return x**-0.5

    @staticmethod
    def softmax(x: np.ndarray) -> np.ndarray:
        e = np.exp(x - x.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)

    @staticmethod
    def rows(table: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        return table[numbers]

    @staticmethod
    def scores(keys: np.ndarray, h: np.ndarray) -> np.ndarray:
        return np.einsum("bsw,bw->bs", keys, h)

    @staticmethod
    def weighted(memory: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return np.einsum("bsw,bs->bw", memory, weights)

    @staticmethod
    def best(scores: np.ndarray) -> np.ndarray:
        return scores.argmax(-1)

    @classmethod
    def over(cls, problem: Network, weights: Any, x: np.ndarray, back: bool) -> np.ndarray:
        times, batch = x.shape[:2]
        lengths = np.full(batch, times) if problem.lengths is None else problem.lengths
        dtype = np.result_type(x, *weights)
        states = [np.zeros((batch, problem.width), dtype) for _ in range(problem.states)]
        outputs = np.zeros((times, batch, problem.width), dtype)
        for t in reversed(range(times)) if back else range(times):
            goes_on = (t < lengths)[:, None]
            new = problem.turn(cls, weights, x[t], states)
            outputs[t] = np.where(goes_on, new[-1], 0.0)
            states = [np.where(goes_on, n, s) for n, s in zip(new, states, strict=True)]
        return outputs


@implements("network over time", REFERENCE)
@implements("normed network over time", REFERENCE)
def network(problem: Network) -> Subject:
    def step() -> list[np.ndarray]:
        found = []
        weights: list[Any] = [w.astype(np.float64) for w in problem.weights]
        for i, w in enumerate(weights):
            moved = w + 1e-100j * direction(i, w.shape)
            loss = problem.loss(Ops, [*weights[:i], moved, *weights[i + 1 :]], problem.x)
            found.append(np.asarray(loss.imag / 1e-100))
        return found

    return Answers(step)


@implements("scanned")
def scanned(problem: Scanned) -> Subject:
    def step() -> np.ndarray:
        h, outputs = np.zeros_like(problem.w), np.empty_like(problem.x)
        for t, row in enumerate(problem.x):
            h = outputs[t] = np.tanh(problem.w * h + row)
        return outputs

    return Answers(step)


@implements("mapped")
def mapped(problem: Mapped) -> Subject:
    """All rows at once."""
    return Answers(lambda: problem.row(Ops, *problem))


@implements("decoder")
def decoder(problem: Decoder) -> Subject:
    arrays = problem.arrays

    def step() -> np.ndarray:
        memory = arrays[0]
        keys = memory @ problem.keys
        h = attended = np.zeros((len(memory), memory.shape[2]), np.float32)
        symbols, written = np.zeros(len(memory), np.int64), []
        for _ in range(problem.steps):
            symbols, attended, h = problem.turn(Ops, arrays, keys, symbols, attended, h)
            written.append(symbols)
        return np.stack(written)

    return Answers(step)
