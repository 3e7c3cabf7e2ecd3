"""Numba: what one would write by hand for each workload, and bare memory traffic as a yardstick."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from perf.workloads import rules
from perf.workloads.problems import Elementwise, Many, Regression, Simplex, Sparse, Update
from perf.workloads.subject import Subject, implements

_F = np.float32
_RATE, _MOST, _TINY = _F(rules.LEARNING_RATE), _F(rules.MOST), _F(1e-7)
_BETA1, _BETA2, _EPSILON = _F(rules.BETA1), _F(rules.BETA2), _F(rules.ADAM_EPSILON)
_ONE = _F(1)
_parallel = numba.njit(parallel=True, error_model="numpy")
# Sums may be reordered, as every BLAS does it; NaN and Inf are as they should be.
_summing = numba.njit(parallel=True, error_model="numpy", fastmath={"reassoc", "contract"})
_serial = numba.njit(error_model="numpy")


# -- updates ---------------------------------------------------------------------------------------


@_parallel
def _sgd_non_negative(p, g):
    for i in numba.prange(p.shape[0]):
        for j in range(p.shape[1]):
            p[i, j] = max(p[i, j] - _RATE * g[i, j], _F(0))


@_parallel
def _adam(p, m, v, g, rate):
    for i in numba.prange(p.shape[0]):
        for j in range(p.shape[1]):
            x = g[i, j]
            a = _BETA1 * m[i, j] + (_ONE - _BETA1) * x
            b = _BETA2 * v[i, j] + (_ONE - _BETA2) * (x * x)
            m[i, j] = a
            v[i, j] = b
            p[i, j] -= rate * a / (np.sqrt(b) + _EPSILON)


@_summing
def _adam_rows(p, m, v, g, rate):
    for i in numba.prange(p.shape[0]):
        total = _F(0)
        for j in range(p.shape[1]):
            x = g[i, j]
            a = _BETA1 * m[i, j] + (_ONE - _BETA1) * x
            b = _BETA2 * v[i, j] + (_ONE - _BETA2) * (x * x)
            m[i, j] = a
            v[i, j] = b
            q = p[i, j] - rate * a / (np.sqrt(b) + _EPSILON)
            p[i, j] = q
            total += q * q
        norm = np.sqrt(total)
        scale = min(norm, _MOST) / (norm + _TINY)
        for j in range(p.shape[1]):
            p[i, j] *= scale


@_summing
def _adam_columns(p, m, v, g, rate, most):
    rows, columns = p.shape
    parts = numba.get_num_threads()
    sums = np.zeros((parts, columns), np.float32)
    for part in numba.prange(parts):
        total = sums[part]
        for i in range(rows * part // parts, rows * (part + 1) // parts):
            for j in range(columns):
                x = g[i, j]
                a = _BETA1 * m[i, j] + (_ONE - _BETA1) * x
                b = _BETA2 * v[i, j] + (_ONE - _BETA2) * (x * x)
                m[i, j] = a
                v[i, j] = b
                q = p[i, j] - rate * a / (np.sqrt(b) + _EPSILON)
                p[i, j] = q
                total[j] += q * q
    norms = np.sqrt(sums.sum(axis=0))
    scales = np.minimum(norms, most) / (norms + _TINY)
    if (scales == _ONE).all():
        return
    for i in numba.prange(rows):
        for j in range(columns):
            p[i, j] *= scales[j]


def _adam_steps(kernel: Any, p: np.ndarray, g: np.ndarray, *more: Any) -> Any:
    m, v = np.zeros_like(p), np.zeros_like(p)
    count = [0]

    def step() -> None:
        count[0] += 1
        kernel(p, m, v, g, _F(rules.adam_rate(count[0])), *more)

    return step


@implements("update", "fused")
def update(problem: Update) -> Subject | None:
    p = problem.p.copy()
    if (problem.optimizer, problem.constraint) == ("SGD", "non-negative"):
        return Subject(lambda: _sgd_non_negative(p, problem.g), lambda: [p])
    kernels: dict[str, tuple[Any, ...]] = {
        "none": (_adam,),
        "rows": (_adam_rows,),
        "columns": (_adam_columns, _MOST),
        "columns, within": (_adam_columns, _F(1e4)),
    }
    if problem.optimizer != "Adam" or problem.constraint not in kernels:
        return None
    kernel, *more = kernels[problem.constraint]
    return Subject(_adam_steps(kernel, p, problem.g, *more), lambda: [p])


@implements("many", "flat")
def many(problem: Many) -> Subject:
    """One update of one array that is as large as all of them."""
    p, g = np.stack(problem.ps), np.stack(problem.gs)
    flat = p.reshape(len(p), -1)
    return Subject(_adam_steps(_adam, flat, g.reshape(flat.shape)), lambda: list(p))


# -- bare traffic ----------------------------------------------------------------------------------


@_parallel
def _traffic1(g, a):
    for i in numba.prange(a.size):
        a[i] += g[i]


@_parallel
def _traffic2(g, a, b):
    for i in numba.prange(a.size):
        x = g[i]
        a[i] += x
        b[i] += x


@_parallel
def _traffic3(g, a, b, c):
    for i in numba.prange(a.size):
        x = g[i]
        a[i] += x
        b[i] += x
        c[i] += x


@_parallel
def _traffic4(g, a, b, c, d):
    for i in numba.prange(a.size):
        x = g[i]
        a[i] += x
        b[i] += x
        c[i] += x
        d[i] += x


_TRAFFIC = {1: _traffic1, 2: _traffic2, 3: _traffic3, 4: _traffic4}


@implements("update", "traffic")
def traffic(problem: Update) -> Subject:
    """What a step of this rule reads and writes, and nothing else: p, slots and g; p and slots.

    Not an update: it has nothing to agree with.
    """
    kernel = _TRAFFIC[problem.rule.arrays]
    g = problem.g.reshape(-1)
    arrays = [np.zeros_like(g) for _ in range(problem.rule.arrays)]
    return Subject(lambda: kernel(g, *arrays), list, compared=False)


# -- sparse updates --------------------------------------------------------------------------------


@_serial
def _scatter(p, indices, g):
    for k in range(indices.size):
        row = p[indices[k]]
        for j in range(row.size):
            row[j] -= _RATE * g[k, j]


@implements("sparse")
def sparse(problem: Sparse) -> Subject | None:
    if problem.optimizer != "SGD" or problem.constraint != "none":
        return None
    p = problem.p.copy()
    return Subject(
        lambda: _scatter(p, problem.indices, problem.g),
        lambda: [p[problem.indices], p[:: max(len(p) // 1000, 1)]],
    )


# -- training steps --------------------------------------------------------------------------------


@_serial
def _regression_step(x, y, state, rate):
    w, b = state
    loss, dw, db = _F(0), _F(0), _F(0)
    for i in range(x.size):
        error = w * x[i] + b - y[i]
        loss += error * error
        dw += error * x[i]
        db += error
    scale = rate * _F(2) / _F(x.size)
    state[0], state[1] = w - scale * dw, b - scale * db
    return loss / _F(x.size)


@implements("regression")
def regression(problem: Regression) -> Subject:
    state, rate = np.array([-1, 0], np.float32), _F(problem.rate)
    return Subject(lambda: _regression_step(problem.x, problem.y, state, rate), lambda: [*state])


# -- formulas --------------------------------------------------------------------------------------


@_parallel
def _relu(out, x, w, b, mask, y):
    for i in numba.prange(out.size):
        out[i] = max(x[i] * w[i] + b[i], _F(0)) * mask[i] + math.tanh(y[i])


def _alone(function: Any) -> Any:
    @_parallel
    def kernel(out, x):
        for i in numba.prange(out.size):
            out[i] = function(x[i])

    return kernel


_FORMULAS = {
    "relu": _relu,
    "exp": _alone(math.exp),
    "log": _alone(math.log),
    "tanh": _alone(math.tanh),
}


@implements("elementwise")
def elementwise(problem: Elementwise) -> Subject:
    out = np.empty_like(problem.arrays[0])
    kernel = _FORMULAS[problem.formula]
    return Subject(lambda: kernel(out, *problem.arrays), lambda: [out])


@_parallel
def _simplex(x, out):
    for i in numba.prange(x.shape[0]):
        u = np.sort(x[i])
        total, t = 0.0, -np.inf
        for j in range(u.size):
            total += u[u.size - 1 - j]
            t = max(t, (total - 1.0) / (j + 1))
        for j in range(u.size):
            out[i, j] = max(x[i, j] - t, _F(0))


@implements("simplex")
def simplex(problem: Simplex) -> Subject:
    out = np.empty_like(problem.x)
    return Subject(lambda: _simplex(problem.x, out), lambda: [out])
