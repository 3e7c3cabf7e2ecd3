"""Normal numbers within bounds: their distribution, shapes, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import hybridflow as hf
from hybridflow._src.ops.random.bounded import parameterized_truncated_normal

INF = np.inf
# Mean, deviation, lower and upper bound: each way of trying, and turned around.
CASES = [
    (0.0, 1.0, -2.0, 2.0),
    (0.0, 1.0, -0.5, 0.25),
    (0.0, 1.0, -0.1, 5.0),
    (0.0, 1.0, 1.0, INF),
    (0.0, 1.0, -INF, -3.0),
    (0.0, 1.0, 8.0, 8.01),
    (0.0, 1.0, 8.0, 11.0),
    (5.0, 0.5, 3.0, 4.5),
    (-3.0, 4.0, -INF, INF),
    (1.0, 10.0, -30.0, -29.0),
    (0.0, 1.0, 0.4, 3.5),
    (0.0, 1.0, 0.5, 2.0),
]


@pytest.mark.parametrize("case", CASES, ids=[str(case) for case in CASES])
def test_the_distribution(case):
    mean, deviation, low, high = case
    with hf.eager_mode():
        x = parameterized_truncated_normal(
            [1, 20_000], mean, deviation, low, high, hf.float64, seed=7
        ).numpy()[0]
    assert ((x >= low) & (x <= high)).all()
    ends = (low - mean) / deviation, (high - mean) / deviation
    cdf = stats.truncnorm(*ends, loc=mean, scale=deviation).cdf
    assert stats.kstest(x, cdf).pvalue > 1e-3


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_batches_of_their_own(execution, dtype):
    def drawn(means, low):
        return parameterized_truncated_normal(
            [3, 50, 20], means, 2.0, low, [1.0, 8.0, 40.0], dtype, seed=3
        )

    means, low = np.array([0.0, 5.0, 30.0], dtype), np.array([0.0, 7.0, 20.0], dtype)
    x = execution(drawn, means, low)
    assert (x.shape, x.dtype) == ((3, 50, 20), dtype)
    for row, least, most in zip(x, low, (1.0, 8.0, 40.0), strict=True):
        assert row.min() >= least
        assert row.max() <= most
    if execution.name == "graph":  # eagerly, the stream of a pair of seeds goes on
        np.testing.assert_array_equal(execution(drawn, means, low), x)


def test_shapes():
    with hf.Graph().as_default(), hf.Session() as session:
        x = parameterized_truncated_normal([4, 2])
        assert x.shape.as_list() == [4, 2]
        first, second = session.run(x), session.run(x)
        assert (first != second).all()
        sizes = hf.placeholder(hf.int32, [None])
        drawn = parameterized_truncated_normal(sizes, [0.0, 1.0])
        assert session.run(drawn, {sizes: [2]}).shape == (2,)
        assert session.run(drawn, {sizes: [2, 0, 3]}).shape == (2, 0, 3)


def test_what_is_refused(execution):
    for arguments, text in (
        ({"stddevs": 0.0}, "stdevs must be above 0"),
        ({"minvals": 2.0}, "minvals below maxvals"),
        ({"means": [1.0, 2.0, 3.0]}, "means should be a scalar or a vector of 2"),
        ({"maxvals": np.nan}, "Invalid parameters"),
    ):
        with pytest.raises(hf.errors.InvalidArgumentError, match=text):
            execution(lambda a=arguments: parameterized_truncated_normal([2, 3], **a))
