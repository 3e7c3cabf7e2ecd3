"""Problems: what a family of workloads starts from, the same numbers for every peer."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from perf.workloads import files, input, networks, sequences
from perf.workloads import sparse as sparse_matrices
from perf.workloads.rules import RULES, Rule


def _normal(seed: int, *shape: int, scale: float = 1.0) -> np.ndarray:
    array = np.random.default_rng(seed).standard_normal(shape, np.float32)
    array *= np.float32(scale)
    return array


def _gradient(seed: int, *shape: int) -> np.ndarray:
    """Without elements so small that it matters where a peer adds its epsilon."""
    array = _normal(seed, *shape)
    array += np.copysign(np.float32(0.1), array)
    return array


class Update(NamedTuple):
    """One optimizer's update of one parameter, then its constraint."""

    optimizer: str
    constraint: str
    p: np.ndarray
    g: np.ndarray

    @property
    def rule(self) -> Rule:
        return RULES[self.optimizer]


def update(optimizer: str, constraint: str, rows: int, columns: int) -> Update:
    p, g = _normal(1, rows, columns, scale=0.05), _gradient(2, rows, columns)
    return Update(optimizer, constraint, p, g)


class Many(NamedTuple):
    """Adam's update of many small parameters."""

    ps: list[np.ndarray]
    gs: list[np.ndarray]


def many(count: int, rows: int, columns: int) -> Many:
    ps, gs = _normal(1, count, rows, columns, scale=0.05), _gradient(2, count, rows, columns)
    return Many(list(ps), list(gs))


class Sparse(NamedTuple):
    """An update of a table by gradients of some of its rows."""

    optimizer: str
    constraint: str
    p: np.ndarray
    indices: np.ndarray
    g: np.ndarray

    @property
    def rule(self) -> Rule:
        return RULES[self.optimizer]


def sparse(optimizer: str, constraint: str, rows: int, columns: int, touched: int) -> Sparse:
    indices = np.random.default_rng(3).integers(0, rows, touched)
    p = _normal(1, rows, columns, scale=0.25)
    return Sparse(optimizer, constraint, p, indices, _gradient(2, touched, columns))


class Regression(NamedTuple):
    """Linear regression of few samples: w, b = -1, 0 at first; mean squared error; SGD."""

    x: np.ndarray
    y: np.ndarray
    rate: float = 0.01


def regression(samples: int) -> Regression:
    x = _normal(1, samples)
    return Regression(x, (2 * x + 0.5 + _normal(2, samples, scale=0.1)).astype(np.float32))


class Mlp(NamedTuple):
    """A network with one hidden layer; softmax cross-entropy; SGD."""

    x: np.ndarray
    labels: np.ndarray
    weights: list[np.ndarray]
    rate: float = 0.05

    @property
    def one_hot(self) -> np.ndarray:
        return np.eye(self.weights[3].size, dtype=np.float32)[self.labels]


def mlp(batch: int, inputs: int, hidden: int, outputs: int) -> Mlp:
    rng = np.random.default_rng(4)
    labels = rng.integers(0, outputs, batch).astype(np.int32)
    weights = [
        _normal(1, inputs, hidden, scale=inputs**-0.5),
        np.zeros(hidden, np.float32),
        _normal(2, hidden, outputs, scale=hidden**-0.5),
        np.zeros(outputs, np.float32),
    ]
    return Mlp(_normal(3, batch, inputs), labels, weights)


class Elementwise(NamedTuple):
    """A formula: `exp`, `log` or `tanh` of x; `relu` is relu(x w + b) mask + tanh(y)."""

    formula: str
    arrays: list[np.ndarray]


def elementwise(formula: str, size: int) -> Elementwise:
    if formula == "relu":
        x, w, b, y = (_normal(seed, size) for seed in range(4))
        mask = (_normal(5, size) > 0).astype(np.float32)
        return Elementwise(formula, [x, w, b, mask, y])
    x = _normal(1, size, scale=3)
    return Elementwise(formula, [np.abs(x) + np.float32(1e-3) if formula == "log" else x])


class Simplex(NamedTuple):
    """The projection of rows onto the simplex."""

    x: np.ndarray


def simplex(rows: int, columns: int) -> Simplex:
    return Simplex(_normal(1, rows, columns))


class Chain(NamedTuple):
    """A graph of many additions of a few numbers: made, planned and run once."""

    ops: int
    x: np.ndarray


def chain(ops: int) -> Chain:
    return Chain(ops, _normal(1, 16, scale=1e-3))


class Tape(NamedTuple):
    """The gradient of the sum of squares of a few numbers, by a tape."""

    x: np.ndarray


def tape(size: int) -> Tape:
    return Tape(_normal(1, size))


class Turns(NamedTuple):
    """`a = 0.999 a + 0.5`, so many times, in a loop that counts."""

    count: int


def turns(count: int) -> Turns:
    return Turns(count)


class Recurrence(NamedTuple):
    """`h = tanh(x[t] + h u)` over all times, from zeros; the gradient of the sum of the last one to
    `u`.

    Attributes:
      x: `[times, batch, width]`. u: `[width, width]`.
    """

    x: np.ndarray
    u: np.ndarray


def recurrence(times: int, batch: int, width: int) -> Recurrence:
    return Recurrence(
        _normal(1, times, batch, width, scale=0.1),
        # So that errors do not grow with the number of turns.
        _normal(2, width, width, scale=0.5 * width**-0.5),
    )


class Lstm(NamedTuple):
    """The last output of an LSTM over all times, from zeros; the gradient of the sum of its squares
    to `kernel`.

    Attributes:
      x: `[times, batch, inputs]`. kernel: `[inputs + width, 4 * width]`: for what is added, its
        candidate, what is kept and what is given. bias: `[4 * width]`.
    """

    x: np.ndarray
    kernel: np.ndarray
    bias: np.ndarray


def lstm(times: int, batch: int, inputs: int, width: int) -> Lstm:
    return Lstm(
        _normal(1, times, batch, inputs),
        _normal(2, inputs + width, 4 * width, scale=0.5 * (inputs + width) ** -0.5),
        _normal(3, 4 * width, scale=0.1),
    )


FAMILIES: dict[str, Any] = {
    "update": update,
    "many": many,
    "sparse": sparse,
    "regression": regression,
    "mlp": mlp,
    "elementwise": elementwise,
    "simplex": simplex,
    "chain": chain,
    "tape": tape,
    "turns": turns,
    "recurrence": recurrence,
    "lstm": lstm,
    **networks.FAMILIES,
    **files.FAMILIES,
    **input.FAMILIES,
    **sparse_matrices.FAMILIES,
    **sequences.FAMILIES,
}
