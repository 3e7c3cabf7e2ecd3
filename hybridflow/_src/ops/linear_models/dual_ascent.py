"""One pass of stochastic dual coordinate ascent over the examples of a batch.

Weights stand in one vector, sparse groups before dense ones; an example is a row of a sparse matrix
and a row of a dense one. Computed in double precision.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hybridflow._src.framework.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hybridflow._src.ops.linear_models.dual_losses import DualLoss

# An example that has been drawn counts for so much when it is drawn again.
_AGAIN = 0.1


def invalid(text: str) -> InvalidArgumentError:
    return InvalidArgumentError(None, None, text)


def shrink(weights: np.ndarray, amount: float) -> np.ndarray:
    """Weights nearer to zero by an amount, at most there: argmin_v |v - w|^2 / 2 + amount * |v|."""
    return np.sign(weights) * np.maximum(np.abs(weights) - amount, 0.0)


class SparseGroup(NamedTuple):
    """Features of which each example has some.

    Attributes:
      examples: the example of each entry, in ascending order, `[m]`.
      features: its feature, `[m]`.
      values: its value `[m]`, or None: 1 each.
      indices: the feature of each weight, `[k]`; empty: feature i has weight i.
      weights: `[k]`.
    """

    examples: np.ndarray
    features: np.ndarray
    values: np.ndarray | None
    indices: np.ndarray
    weights: np.ndarray

    def places(self) -> np.ndarray:
        """Where the weight of each entry is.

        Raises:
          InvalidArgumentError: if a feature has none.
        """
        features = self.features
        if not self.indices.size:
            known = (features >= 0) & (features < self.weights.size)
            found = features
        else:
            order = np.argsort(self.indices, kind="stable")
            at = np.searchsorted(self.indices, features, side="right", sorter=order) - 1
            found = order[np.maximum(at, 0)]
            known = self.indices[found] == features
        if not known.all():
            wrong = features[np.argmin(known)]
            raise invalid(f"Found sparse feature indices out of valid range: {wrong}")
        return found


class Batch:
    """The features of examples.

    Args:
      count: how many examples there are.
      sparse: groups of features of which examples have some.
      dense: matrices `[count, d]` of features that all have, each with its weights `[d]`.

    Attributes:
      weights: of all groups, one after the other.
    """

    def __init__(
        self,
        count: int,
        sparse: Sequence[SparseGroup],
        dense: Sequence[tuple[np.ndarray, np.ndarray]],
    ) -> None:
        for group in sparse:
            self._check(count, group)
        for features, weights in dense:
            if features.ndim != 2 or len(features) != count:
                raise invalid(f"Dense features of {count} examples have shape {features.shape}.")
            if features.shape[1] > weights.size:
                columns = features.shape[1]
                raise invalid(f"More dense features than we have parameters for: {columns}")
        parts = [group.weights for group in sparse] + [weights for _, weights in dense]
        self._sizes = [part.size for part in parts]
        self.weights = np.concatenate([part.reshape(-1).astype(np.float64) for part in parts])
        starts = np.concatenate([[0], np.cumsum(self._sizes)]).astype(np.intp)
        examples = np.concatenate([np.empty(0, np.int64), *[g.examples for g in sparse]])
        places = [g.places() + start for g, start in zip(sparse, starts, strict=False)]
        values = [np.ones(g.features.size) if g.values is None else g.values for g in sparse]
        # Entries of one example stand together, whatever their group.
        order = np.argsort(examples, kind="stable")
        self._ends = np.searchsorted(examples[order], np.arange(count + 1))
        self._places = np.concatenate([np.empty(0, np.intp), *places])[order]
        self._values = np.concatenate([np.empty(0), *values])[order]
        # Dense features: the columns that they have of the weights.
        columns = [
            np.arange(start, start + features.shape[1])
            for (features, _), start in zip(dense, starts[len(sparse) :], strict=False)
        ]
        self._columns = np.concatenate([np.empty(0, np.intp), *columns])
        self._rows = np.concatenate(
            [np.empty((count, 0)), *[features for features, _ in dense]], axis=1
        )
        squares = np.bincount(examples[order], np.square(self._values), minlength=count)[:count]
        self.norms = squares + np.square(self._rows).sum(axis=1)

    @staticmethod
    def _check(count: int, group: SparseGroup) -> None:
        examples = group.examples
        if examples.shape != group.features.shape or examples.ndim != 1:
            raise invalid(
                f"Sparse features have examples of shape {examples.shape}, but indices of shape "
                f"{group.features.shape}."
            )
        if group.values is not None and group.values.shape != examples.shape:
            raise invalid(
                f"Sparse features have indices of shape {examples.shape}, but values of shape "
                f"{group.values.shape}."
            )
        if group.indices.size not in (0, group.weights.size):
            raise invalid(
                f"Sparse features have {group.indices.size} indices for {group.weights.size} "
                "weights."
            )
        if examples.size and not (
            examples[0] >= 0 and examples[-1] < count and (np.diff(examples) >= 0).all()
        ):
            raise invalid(
                f"Sparse features must be in the order of their examples, of which there are "
                f"{count}."
            )

    def entries(self, example: int) -> tuple[np.ndarray, np.ndarray]:
        """Where the weights of an example's features are, and the values of these."""
        begin, end = self._ends[example], self._ends[example + 1]
        if begin == end:
            return self._columns, self._rows[example]
        sparse = self._places[begin:end], self._values[begin:end]
        if not self._columns.size:
            return sparse
        places = np.concatenate([sparse[0], self._columns])
        return places, np.concatenate([sparse[1], self._rows[example]])

    def split(self, weights: np.ndarray) -> list[np.ndarray]:
        """A vector of all weights as one for each group."""
        return np.split(weights, np.cumsum(self._sizes)[:-1])


def ascend(
    batch: Batch,
    loss: DualLoss,
    labels: np.ndarray,
    costs: np.ndarray,
    state: np.ndarray,
    l1: float,
    l2: float,
    partitions: int,
    adaptive: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Chooses the dual variable of each example anew, one after the other.

    Args:
      labels, costs: label and weight of each example, `[n]`.
      state: dual variable, primal loss, dual loss and weight of each example, `[n, 4]`.
      partitions: how many such passes go on at the same time: their changes are added.
      adaptive: examples from which much is to be gained come first, and more than once.

    Returns: the new state, and by how much weights change.
    """
    state = state.astype(np.float64)
    changes = np.zeros_like(batch.weights)
    amount = l1 / l2
    known = [loss.label(label) for label in labels.tolist()]
    weighted = costs.astype(np.float64).tolist()
    for i in _order(batch, loss, known, costs, state[:, 0], l1, l2, adaptive):
        places, values = batch.entries(i)
        weights = batch.weights[places]
        moved = weights + partitions * changes[places]
        before, now = values @ shrink(weights, amount), values @ shrink(moved, amount)
        label, cost, dual = known[i], weighted[i], state[i, 0]
        curvature = partitions * cost * batch.norms[i] / l2
        best = loss.best_dual(label, float(dual), float(now), float(curvature))
        # One example has a feature of a group more than once.
        np.add.at(changes, places, values * ((best - dual) * cost / l2))
        lost = loss.primal(float(before), label), loss.dual(float(dual), label)
        state[i] = best, lost[0] * cost, lost[1] * cost, cost
    return state, changes


def _order(
    batch: Batch,
    loss: DualLoss,
    labels: Sequence[float],
    costs: np.ndarray,
    duals: np.ndarray,
    l1: float,
    l2: float,
    adaptive: bool,
) -> Iterable[int]:
    """The order of examples: as they stand, or by what is to be gained.

    That is measured by how far a dual variable is from minus the derivative of the loss (Csiba, Qu
    and Richtarik, "Stochastic Dual Coordinate Ascent with Adaptive Probabilities", 2015).
    """
    count = len(labels)
    if not adaptive or not count:
        return range(count)
    shrunk = shrink(batch.weights, l1 / l2)
    entries = map(batch.entries, range(count))
    predicted = [float(values @ shrunk[places]) for places, values in entries]
    slopes = [loss.derivative(wx, label) for wx, label in zip(predicted, labels, strict=True)]
    gain = costs * np.sqrt(batch.norms + l2 * loss.smoothness) * np.abs(duals + slopes)
    if not gain.sum() > 0.0:
        return range(count)
    # The same values give the same order; in the next step duals are other ones.
    rng = np.random.default_rng(zlib.crc32(np.ascontiguousarray(duals).tobytes()))
    drawn = rng.choice(count, 2 * count, p=gain / gain.sum())
    chances = rng.random(2 * count)
    times = np.zeros(count, np.intp)
    order: list[int] = []
    for i, chance in zip(drawn.tolist(), chances.tolist(), strict=True):
        if len(order) < count and chance < _AGAIN ** times[i]:
            times[i] += 1
            order.append(i)
    unseen = np.flatnonzero(times == 0)
    rest = unseen[np.argsort(-gain[unseen], kind="stable")]
    return [*order, *rest[: count - len(order)].tolist()]
