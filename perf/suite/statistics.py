"""Statistics of times that were taken in turns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Ratio(NamedTuple):
    """How the times of one subject compare with those of another in the same rounds.

    Attributes:
      middle: the median of the ratios of a round. low, high: their quartiles.
    """

    middle: float
    low: float
    high: float


def ratio(times: Sequence[float], base: Sequence[float]) -> Ratio:
    """The ratios of times that were taken in the same rounds."""
    ratios = np.asarray(times) / np.asarray(base)
    low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
    return Ratio(float(middle), float(low), float(high))


def interval(
    blocks: Sequence[Sequence[float]], confidence: float = 0.99, samples: int = 4000
) -> tuple[float, float]:
    """A confidence interval of the median over blocks of the median in a block.

    A bootstrap in two stages: blocks are drawn with replacement, and values within each; a block is
    one pair of processes, so what differs from process to process (where memory lies, which core
    it runs on) counts as noise, as it should.

    Args:
      blocks: the values of each block, such as logarithms of ratios; as many in each.
    """
    rng = np.random.default_rng(0)
    data = np.asarray(blocks)
    count, rounds = data.shape
    chosen = rng.integers(0, count, (samples, count, 1))
    drawn = data[chosen, rng.integers(0, rounds, (samples, count, rounds))]
    found = np.median(np.median(drawn, axis=2), axis=1)
    tail = (1 - confidence) / 2
    low, high = np.quantile(found, [tail, 1 - tail])
    return float(low), float(high)
