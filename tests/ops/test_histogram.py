"""Histograms: NumPy's counts; what is out of range, NaN, refused."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from tests.execution import Execution


@pytest.mark.parametrize("nbins", [1, 7, 100])
def test_counts(nbins: int, execution: Execution) -> None:
    x = np.random.default_rng(0).normal(size=100_000)
    got = execution(lambda t: hf.histogram_fixed_width(t, [-5.0, 5.0], nbins), x)
    np.testing.assert_array_equal(got, np.histogram(x, nbins, (-5.0, 5.0))[0])


def test_what_is_outside(execution: Execution) -> None:
    x = np.array([-np.inf, -1e300, np.nan, 0.0, 1.0, 1e300, np.inf])
    got = execution(lambda t: hf.histogram_fixed_width(t, [0.0, 1.0], 4, hf.int64), x)
    np.testing.assert_array_equal(got, [3, 0, 0, 3])
    assert got.dtype == np.int64


@pytest.mark.parametrize(
    ("bounds", "nbins", "words"),
    [
        ([1.0, 1.0], 3, "lower bound"),
        ([0.0, 1.0], 0, "positive"),
        ([0.0, np.nan], 3, "lower bound"),
    ],
)
def test_refused(bounds: list[float], nbins: int, words: str, execution: Execution) -> None:
    with pytest.raises(hf.errors.InvalidArgumentError, match=words):
        execution(lambda t: hf.histogram_fixed_width(t, bounds, nbins), np.ones(2))
