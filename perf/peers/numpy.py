"""NumPy: the reference that every peer has to agree with, and the usual baseline."""

from __future__ import annotations

from typing import Any

import numpy as np

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
from perf.workloads.rules import PROJECTIONS, RULES, by_sorting
from perf.workloads.subject import Answers, Subject, implements


def _slots(starts: tuple[float, ...], p: np.ndarray) -> tuple[np.ndarray, ...]:
    return tuple(np.full_like(p, start) for start in starts)


class _Parameter:
    """A parameter with its slots."""

    def __init__(self, optimizer: str, constraint: str, p: np.ndarray) -> None:
        self._rule, self._project = RULES[optimizer], PROJECTIONS[constraint]
        self.p, self.slots = p.copy(), _slots(self._rule.starts, p)
        self._t = 0

    def apply(self, g: np.ndarray) -> None:
        self._t += 1
        p, self.slots = self._rule.update(np, self.p, self.slots, g, self._t)
        self.p = self._project(np, p)

    def apply_rows(self, indices: np.ndarray, g: np.ndarray) -> None:
        """Updates these rows alone, each of which comes once."""
        self._t += 1
        slots = tuple(slot[indices] for slot in self.slots)
        p, slots = self._rule.update(np, self.p[indices], slots, g, self._t)
        self.p[indices] = self._project(np, p)
        for slot, rows in zip(self.slots, slots, strict=True):
            slot[indices] = rows


@implements("update")
def update(problem: Update) -> Subject:
    parameter = _Parameter(problem.optimizer, problem.constraint, problem.p)
    return Subject(lambda: parameter.apply(problem.g), lambda: [parameter.p])


@implements("many")
def many(problem: Many) -> Subject:
    parameters = [_Parameter("Adam", "none", p) for p in problem.ps]

    def step() -> None:
        for parameter, g in zip(parameters, problem.gs, strict=True):
            parameter.apply(g)

    return Subject(step, lambda: [parameter.p for parameter in parameters])


def _summed(problem: Sparse) -> tuple[np.ndarray, np.ndarray]:
    unique, position = np.unique(problem.indices, return_inverse=True)
    summed = np.zeros((unique.size, problem.g.shape[1]), np.float32)
    np.add.at(summed, position, problem.g)
    return unique, summed


def _touched(problem: Sparse, p: np.ndarray) -> list[np.ndarray]:
    """The rows that were touched, and some that perhaps were not."""
    return [p[problem.indices], p[:: max(len(p) // 1000, 1)]]


@implements("sparse")
def sparse(problem: Sparse) -> Subject:
    parameter = _Parameter(problem.optimizer, problem.constraint, problem.p)

    def step() -> None:
        unique, summed = _summed(problem)
        if not problem.rule.whole:
            parameter.apply_rows(unique, summed)
            return
        g = np.zeros_like(problem.p)
        g[unique] = summed
        parameter.apply(g)

    return Subject(step, lambda: _touched(problem, parameter.p))


@implements("regression")
def regression(problem: Regression) -> Subject:
    x, y, rate = problem.x, problem.y, np.float32(problem.rate)
    state = [np.float32(-1), np.float32(0)]

    def step() -> Any:
        w, b = state
        error = w * x + b - y
        loss = (error * error).mean()
        scaled = np.float32(2 / len(x)) * error
        state[:] = w - rate * (scaled * x).sum(), b - rate * scaled.sum()
        return loss

    return Subject(step, lambda: state)


@implements("mlp")
def mlp(problem: Mlp) -> Subject:
    x, rate, batch = problem.x, np.float32(problem.rate), len(problem.x)
    one_hot = problem.one_hot
    w1, b1, w2, b2 = weights = [w.copy() for w in problem.weights]

    def step() -> Any:
        hidden = np.maximum(x @ w1 + b1, 0)
        logits = hidden @ w2 + b2
        shifted = logits - logits.max(axis=1, keepdims=True)
        exps = np.exp(shifted)
        sums = exps.sum(axis=1, keepdims=True)
        loss = -((shifted - np.log(sums)) * one_hot).sum() / np.float32(batch)
        d_logits = (exps / sums - one_hot) / np.float32(batch)
        d_hidden = (d_logits @ w2.T) * (hidden > 0)
        for w, grad in (
            (w2, hidden.T @ d_logits),
            (b2, d_logits.sum(axis=0)),
            (w1, x.T @ d_hidden),
            (b1, d_hidden.sum(axis=0)),
        ):
            grad *= rate
            w -= grad
        return loss

    return Subject(step, lambda: weights)


@implements("elementwise")
def elementwise(problem: Elementwise) -> Subject:
    """With `out=` wherever it can be."""
    arrays = problem.arrays
    out, other = np.empty_like(arrays[0]), np.empty_like(arrays[0])
    if problem.formula != "relu":
        ufunc = getattr(np, problem.formula)
        return Answers(lambda: ufunc(arrays[0], out=out))
    x, w, b, mask, y = arrays

    def step() -> np.ndarray:
        np.multiply(x, w, out=out)
        np.add(out, b, out=out)
        np.maximum(out, 0, out=out)
        np.multiply(out, mask, out=out)
        np.tanh(y, out=other)
        return np.add(out, other, out=out)

    return Answers(step)


@implements("elementwise", "temporaries")
def elementwise_plainly(problem: Elementwise) -> Subject | None:
    if problem.formula != "relu":
        return None
    x, w, b, mask, y = problem.arrays
    return Answers(lambda: np.maximum(x * w + b, 0) * mask + np.tanh(y))


@implements("simplex")
def simplex(problem: Simplex) -> Subject:
    return Answers(lambda: by_sorting(np, problem.x))


@implements("turns")
def turns(problem: Turns) -> Subject:
    """Numbers of Python's."""

    def step() -> np.ndarray:
        a = 1.0
        for _ in range(problem.count):
            a = a * 0.999 + 0.5
        return np.asarray(a, np.float32)

    return Answers(step)


@implements("recurrence")
def recurrence(problem: Recurrence) -> Subject:
    x, u = problem

    def step() -> np.ndarray:
        h = [np.zeros_like(x[0])]
        for row in x:
            h.append(np.tanh(row + h[-1] @ u))
        dh, du = np.ones_like(h[0]), np.zeros_like(u)
        for before, after in zip(h[-2::-1], h[:0:-1], strict=True):
            dz = dh * (1.0 - after * after)
            du += before.T @ dz
            dh = dz @ u.T
        return du

    return Answers(step)


@implements("lstm")
def lstm(problem: Lstm) -> Subject:
    x, kernel, bias = problem
    first = np.zeros((x.shape[1], bias.size // 4), x.dtype)

    def sigmoid(z: np.ndarray) -> np.ndarray:
        return 0.5 + 0.5 * np.tanh(0.5 * z)

    def step() -> np.ndarray:
        kept = []
        c = h = first
        for row in x:
            inputs = np.concatenate([row, h], 1)
            i, j, f, o = np.split(inputs @ kernel + bias, 4, 1)
            i, j, f, o = sigmoid(i), np.tanh(j), sigmoid(f), sigmoid(o)
            before, c = c, c * f + i * j
            t = np.tanh(c)
            kept.append((inputs, i, j, f, o, before, t))
            h = t * o
        dh, dc = 2.0 * h, np.zeros_like(c)
        total = np.zeros_like(kernel)
        for inputs, i, j, f, o, before, t in reversed(kept):
            dc = dc + dh * o * (1.0 - t * t)
            parts = [
                dc * j * i * (1.0 - i),
                dc * i * (1.0 - j * j),
                dc * before * f * (1.0 - f),
                dh * t * o * (1.0 - o),
            ]
            dz = np.concatenate(parts, 1)
            total += inputs.T @ dz
            dh, dc = (dz @ kernel.T)[:, x.shape[2] :], dc * f
        return total

    return Answers(step)


@implements("chain")
def chain(problem: Chain) -> Subject:
    def step() -> np.ndarray:
        y = problem.x
        for _ in range(problem.ops):
            y = y + problem.x
        return y

    return Answers(step)
