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
    blocks: Sequence[Sequence[float]], confidence: float = 0.99, samples: int = 2000
) -> tuple[float, float]:
    """A confidence interval of the median over blocks of the median in a block.

    A bootstrap in two stages: blocks are drawn with replacement, and values within each; a block is
    one pair of processes, so what differs from process to process (where memory lies, which core
    it runs on) counts as noise, as it should.

    Args:
      blocks: of each block the values, such as logarithms of ratios.
    """
    rng = np.random.default_rng(0)
    data = [np.asarray(block) for block in blocks]
    found = np.empty(samples)
    for sample in range(samples):
        chosen = rng.integers(0, len(data), len(data))
        medians = [np.median(rng.choice(data[i], data[i].size)) for i in chosen]
        found[sample] = np.median(medians)
    tail = (1 - confidence) / 2
    low, high = np.quantile(found, [tail, 1 - tail])
    return float(low), float(high)
