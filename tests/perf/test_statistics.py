"""How two revisions are compared: what is found, and what is not mistaken for a finding."""

from __future__ import annotations

import numpy as np
import pytest

from perf.suite.compare import AGAIN, FIRST, SECOND, compared
from perf.suite.statistics import interval, ratio


def _blocks(seed, slower=1.0, between=0.02, within=0.05, blocks=5, rounds=9):
    """Times of a package and its copy, and of one `slower`, with noise of processes and rounds."""
    rng = np.random.default_rng(seed)
    found = {}
    # What all meet in the same round: a busy neighbour.
    shared = [np.exp(rng.exponential(0.3, rounds)) for _ in range(blocks)]
    for name, factor in ((FIRST, 1.0), (AGAIN, 1.0), (SECOND, slower)):
        found[name] = [
            factor * np.exp(rng.normal(0, between)) * np.exp(rng.normal(0, within, rounds)) * load
            for load in shared
        ]
    return found


def test_nothing_is_found_where_nothing_is():
    found = [compared(_blocks(seed)).is_regression(0.05) for seed in range(100)]
    assert sum(found) == 0


@pytest.mark.parametrize(("slower", "between"), [(1.15, 0.01), (1.3, 0.02), (2.0, 0.1)])
def test_a_slower_revision_is_found(slower, between):
    found = [compared(_blocks(seed, slower, between)).is_regression(0.05) for seed in range(50)]
    assert sum(found) >= 40


def test_less_than_the_least_is_left_alone():
    found = [compared(_blocks(seed, 1.02)).is_regression(0.05) for seed in range(50)]
    assert sum(found) == 0


def test_what_copies_differ_by_is_not_a_regression():
    """Where two copies are far apart, a second revision that is as far away is nothing special."""
    found = [compared(_blocks(seed, 1.1, between=0.15)).is_regression(0.05) for seed in range(50)]
    assert sum(found) <= 1


def test_a_faster_revision_is_no_regression():
    comparison = compared(_blocks(0, 0.5))
    assert comparison.high < 0.6
    assert not comparison.is_regression(0.05)


def test_the_interval_covers_the_truth():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(100):
        low, high = interval(rng.normal(1.0, 0.1, (9, 9)).tolist(), 0.9)
        covered += low <= 1.0 <= high
    assert covered >= 85


def test_ratios_are_taken_round_by_round():
    found = ratio([2.0, 4.0, 8.0], [1.0, 2.0, 4.0])
    assert found == (2.0, 2.0, 2.0)
