"""Networks over time, written once for all: `ops` are a peer's names for what they compute."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np


class Network(NamedTuple):
    """The gradients of the sum of squares of all outputs to all weights; or a step of Adam down it.

    Attributes:
      kind: of the cells: "lstm", "gru", or "normed", which is an LSTM with layer normalization.
      x: `[times, batch, inputs]`. lengths: `[batch]` int32, or None for whole sequences.
      weights: of each layer and direction, its matrix (two for "gru") and its bias (two for "gru").
      ways: 2 if it goes forth and back. layers: one on top of the other.
      dropout: between layers. trains: whether a step of Adam is made.
    """

    kind: str
    x: np.ndarray
    lengths: np.ndarray | None
    weights: list[np.ndarray]
    ways: int
    layers: int
    dropout: float
    trains: bool

    @property
    def width(self) -> int:
        """The size of a state."""
        return len(self.weights[-1]) // (1 if self.kind == "gru" else 4)

    @property
    def states(self) -> int:
        """How many states a cell has; the last one is its output."""
        return 1 if self.kind == "gru" else 2

    def parts(self, weights: list[Any]) -> list[list[Any]]:
        """The weights of each layer and direction."""
        each = 4 if self.kind == "gru" else 2
        return [weights[i : i + each] for i in range(0, len(weights), each)]

    def turn(self, ops: Any, weights: list[Any], row: Any, states: list[Any]) -> list[Any]:
        """The states after one time."""
        h = states[-1]
        if self.kind == "gru":
            gates, gate_bias, kernel, bias = weights
            both = ops.sigmoid(ops.product(ops.joined([row, h]), gates) + gate_bias)
            r, u = ops.split(both, 2)
            new = ops.tanh(ops.product(ops.joined([row, r * h]), kernel) + bias)
            return [u * h + (1.0 - u) * new]
        kernel, bias = weights
        z = ops.product(ops.joined([row, h]), kernel) + bias
        i, j, f, o = ops.split(z, 4)
        if self.kind == "normed":
            i, j, f, o = (normed(ops, part) for part in (i, j, f, o))
        c = states[0] * ops.sigmoid(f) + ops.sigmoid(i) * ops.tanh(j)
        return [c, ops.tanh(c) * ops.sigmoid(o)]

    def outputs(self, ops: Any, weights: list[Any], x: Any) -> Any:
        """The outputs of the last layer `[times, batch, ways * width]`.

        `ops.over` goes over the times, forth or back.
        """
        rest = iter(self.parts(weights))
        for layer in range(self.layers):
            if layer and self.dropout:
                x = ops.dropout(x, self.dropout)
            found = [ops.over(self, next(rest), x, way == 1) for way in range(self.ways)]
            x = found[0] if self.ways == 1 else ops.joined(found)
        return x

    def loss(self, ops: Any, weights: list[Any], x: Any) -> Any:
        y = self.outputs(ops, weights, x)
        return ops.total(y * y) * (1.0 / self.x.shape[1])

    def reduced(self, gradients: Any) -> list[np.ndarray]:
        """What is compared of gradients: the derivatives along fixed directions."""
        return [
            np.sum(np.asarray(g, np.float64) * direction(i, g.shape))
            for i, g in enumerate(gradients)
        ]


def normed(ops: Any, z: Any) -> Any:
    """Rows of mean 0 and variance 1."""
    z = z - ops.mean(z)
    return z * ops.rsqrt(ops.mean(z * z) + 1e-5)


def direction(number: int, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(number).normal(size=shape) / np.sqrt(np.prod(shape))


def _network(
    kind: str,
    times: int,
    batch: int,
    inputs: int,
    width: int,
    ways: int = 1,
    layers: int = 1,
    dropout: float = 0.0,
    has_lengths: bool = False,
    trains: bool = False,
) -> Network:
    rng = np.random.default_rng(21)
    lengths = rng.integers(times // 2, times + 1, batch).astype(np.int32) if has_lengths else None
    weights = []
    for layer in range(layers):
        rows = (width * ways if layer else inputs) + width
        for _ in range(ways):
            for columns in (2 * width, width) if kind == "gru" else (4 * width,):
                weights += [
                    rng.normal(scale=0.5 * rows**-0.5, size=(rows, columns)),
                    rng.normal(scale=0.1, size=columns),
                ]
    return Network(
        kind,
        rng.normal(size=(times, batch, inputs)).astype(np.float32),
        lengths,
        [w.astype(np.float32) for w in weights],
        ways,
        layers,
        dropout,
        trains,
    )


class Scanned(NamedTuple):
    """`h = tanh(w h + x[t])`, elementwise, over all times: all of its values.

    Attributes:
      x: `[times, size]`. w: `[size]`.
    """

    x: np.ndarray
    w: np.ndarray


def _scanned(times: int, size: int) -> Scanned:
    rng = np.random.default_rng(22)
    x = rng.normal(size=(times, size))
    return Scanned(x.astype(np.float32), rng.uniform(-0.8, 0.8, size).astype(np.float32))


class Mapped(NamedTuple):
    """A network of two layers, for each row by itself: `tanh(row w) v`.

    Attributes:
      x: `[rows, inputs]`. w, v: `[inputs, width]`, `[width, outputs]`.
    """

    x: np.ndarray
    w: np.ndarray
    v: np.ndarray

    def row(self, ops: Any, row: Any, w: Any, v: Any) -> Any:
        """What becomes of one row `[1, inputs]`, or of several."""
        return ops.product(ops.tanh(ops.product(row, w)), v)


def _mapped(rows: int, inputs: int, width: int, outputs: int) -> Mapped:
    rng = np.random.default_rng(23)
    shapes = (rows, inputs), (inputs, width), (width, outputs)
    return Mapped(*[(rng.normal(size=s) * s[0] ** -0.5).astype(np.float32) for s in shapes])


class Decoder(NamedTuple):
    """Symbols that a decoder with attention writes, each the most probable one after the last.

    A GRU reads the symbol and what it attended to before; its state scores the memory (Luong); what
    it attends to and its state make the next attention, and that the scores of symbols.

    Attributes:
      memory: `[batch, seen, width]`. embedding: `[symbols, width]`. gates, gate_bias, kernel, bias:
        of the GRU. keys: `[width, width]`, by which the memory is scored. attention:
        `[2 * width, width]`. out: `[width, symbols]`. steps: how many symbols are written.
    """

    memory: np.ndarray
    embedding: np.ndarray
    gates: np.ndarray
    gate_bias: np.ndarray
    kernel: np.ndarray
    bias: np.ndarray
    keys: np.ndarray
    attention: np.ndarray
    out: np.ndarray
    steps: int

    @property
    def arrays(self) -> list[np.ndarray]:
        """All that is computed with, the memory first."""
        return list(self[:-1])

    def turn(
        self, ops: Any, arrays: Any, keys: Any, symbols: Any, attended: Any, h: Any
    ) -> tuple[Any, Any, Any]:
        """The next symbols `[batch]`, attention and state; `keys` is `memory @ keys`."""
        memory, embedding, gates, gate_bias, kernel, bias, _, attention, out = arrays
        row = ops.joined([ops.rows(embedding, symbols), attended])
        both = ops.sigmoid(ops.product(ops.joined([row, h]), gates) + gate_bias)
        r, u = ops.split(both, 2)
        new = ops.tanh(ops.product(ops.joined([row, r * h]), kernel) + bias)
        h = u * h + (1.0 - u) * new
        weights = ops.softmax(ops.scores(keys, h))
        attended = ops.product(ops.joined([h, ops.weighted(memory, weights)]), attention)
        return ops.best(ops.product(attended, out)), attended, h


def _decoder(batch: int, seen: int, width: int, symbols: int, steps: int) -> Decoder:
    rng = np.random.default_rng(24)

    def array(*shape: int) -> np.ndarray:
        return (rng.normal(size=shape) * shape[0] ** -0.5).astype(np.float32)

    return Decoder(
        rng.normal(size=(batch, seen, width)).astype(np.float32),
        rng.normal(size=(symbols, width)).astype(np.float32),
        array(3 * width, 2 * width),
        np.zeros(2 * width, np.float32),
        array(3 * width, width),
        np.zeros(width, np.float32),
        array(width, width),
        array(2 * width, width),
        # So that no two symbols are nearly as probable.
        4.0 * array(width, symbols),
        steps,
    )


FAMILIES: dict[str, Any] = {
    "network over time": _network,
    "normed network over time": functools.partial(_network, "normed"),
    "scanned": _scanned,
    "mapped": _mapped,
    "decoder": _decoder,
}
