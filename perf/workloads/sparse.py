"""Sparse matrices, and sequences whose labels are sparse."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

# How well gradients of CTC's loss agree: float32 adds up logarithms over all times.
SPOKEN = 1e-2


class Product(NamedTuple):
    """A sparse matrix times a dense one.

    Attributes:
      indices: `[n, 2]`, in row-major order. values: `[n]`. shape: of the sparse matrix.
      dense: `[shape[1], columns]`.
    """

    indices: np.ndarray
    values: np.ndarray
    shape: tuple[int, int]
    dense: np.ndarray


def _product(rows: int, inner: int, columns: int, each: int) -> Product:
    rng = np.random.default_rng(11)
    places = np.sort(rng.permuted(np.tile(np.arange(inner), (rows, 1)), axis=1)[:, :each], axis=1)
    indices = np.stack([np.repeat(np.arange(rows), each), places.ravel()], axis=1)
    values = rng.uniform(0.5, 1.5, rows * each).astype(np.float32)
    dense = rng.uniform(0.5, 1.5, (inner, columns)).astype(np.float32)
    return Product(indices, values, (rows, inner), dense)


class Spoken(NamedTuple):
    """Sequences of logits with labels that stand nowhere in particular: the gradient of CTC's loss.

    Attributes:
      logits: `[times, batch, classes]`; the last class is the blank. labels: `[batch, n]`.
    """

    logits: np.ndarray
    labels: np.ndarray

    @property
    def sparse(self) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
        """The labels as indices, values and shape."""
        batch, count = self.labels.shape
        rows, places = np.divmod(np.arange(batch * count), count)
        return np.stack([rows, places], axis=1), self.labels.ravel(), (batch, count)


def _spoken(times: int, batch: int, classes: int, labels: int) -> Spoken:
    rng = np.random.default_rng(12)
    logits = rng.normal(size=(times, batch, classes)).astype(np.float32)
    return Spoken(logits, rng.integers(0, classes - 1, (batch, labels)).astype(np.int32))


FAMILIES: dict[str, Any] = {"product": _product, "spoken": _spoken}
