"""Random numbers that are drawn until one is accepted: Gamma, Poisson, normal within bounds.

But for the last, the algorithms, the order in which they take numbers and the part of the stream
that belongs to each result are those of TensorFlow on the CPU, so that its seeds give its numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.random_numbers import normal_float64, uniform_float64

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.philox import Philox

# How many blocks each result reserves.
_RESERVED = 256
# How many results are worked on at a time.
_CHUNK = 8192


class _Streams:
    """A part of the stream for each result, from which its kinds of numbers are taken by turns.

    Args:
      generator: the stream.
      offsets: where each part begins, from `start` on.
    """

    def __init__(self, generator: Philox, start: int, offsets: np.ndarray) -> None:
        self._generator = generator
        self._start = start
        self.offsets = offsets

    def kind(self, convert: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], Any]:
        """A function that gives the next number of a kind for some results.

        A block holds two numbers, of which the second is taken first.
        """
        kept = np.empty((self.offsets.size, 2))
        left = np.zeros(self.offsets.size, np.intp)

        def following(rows: np.ndarray) -> np.ndarray:
            empty = rows[left[rows] == 0]
            if empty.size:
                kept[empty] = convert(self._generator.words(self._start, self.offsets[empty]))
                self.offsets[empty] += np.uint64(1)
                left[empty] = 2
            left[rows] -= 1
            return kept[rows, left[rows]]

        return following


def _each(
    generator: Philox,
    count: int,
    parameters: np.ndarray,
    dtype: np.dtype[Any],
    draw: Callable[[_Streams, np.ndarray], np.ndarray],
) -> np.ndarray:
    """`count` numbers for each of a vector of parameters: `[count, parameters]`.

    In the stream all numbers of one parameter come together.
    """
    total = count * parameters.size
    start = generator.reserve(total * _RESERVED)
    result = np.empty(total, dtype)
    with np.errstate(all="ignore"):
        for first in range(0, total, _CHUNK):
            at = np.arange(first, min(first + _CHUNK, total), dtype=np.uint64)
            streams = _Streams(generator, start, at * np.uint64(_RESERVED))
            values = parameters[(at // np.uint64(count)).astype(np.intp)].astype(np.float64)
            result[first : first + at.size] = draw(streams, values).astype(dtype)
    return np.ascontiguousarray(result.reshape(parameters.size, count).T)


# -- gamma -----------------------------------------------------------------------------------------


def gamma(generator: Philox, count: int, alpha: np.ndarray) -> np.ndarray:
    """`count` numbers for each alpha, of the Gamma distribution of scale 1; NaN for negative ones.

    By Marsaglia and Tsang, "A simple method for generating gamma variables", ACM Transactions on
    Mathematical Software 26 (2000); for alpha 1, by the logarithm of an even number.
    """
    return _each(generator, count, alpha, alpha.dtype, _gamma)


def _gamma(streams: _Streams, alpha: np.ndarray) -> np.ndarray:
    result = np.full(alpha.size, np.nan)
    normal, uniform = streams.kind(normal_float64), streams.kind(uniform_float64)
    ones = np.flatnonzero(alpha == 1)
    if ones.size:
        result[ones] = -np.log(1 - uniform(ones))
    small = alpha < 1
    d = alpha + np.where(small, 2 / 3, -1 / 3)
    c = 1 / 3 / np.sqrt(d)
    rows = np.flatnonzero((alpha >= 0) & (alpha != 1))
    while rows.size:
        x = normal(rows)
        v = 1 + c[rows] * x
        whole = v > 0
        tried, x, v = rows[whole], x[whole], v[whole] ** 3
        u = uniform(tried)
        # The first condition implies the second, and spares its logarithms.
        squeezed = u < 1 - 0.0331 * (x * x) * (x * x)
        accepted = squeezed | (np.log(u) < 0.5 * x * x + d[tried] * (1 - v + np.log(v)))
        taken = tried[accepted]
        result[taken] = d[taken] * v[accepted]
        lifted = taken[small[taken]]
        if lifted.size:
            result[lifted] *= uniform(lifted) ** (1 / alpha[lifted])
        whole[whole] = accepted
        rows = rows[~whole]
    return result


# -- Poisson ---------------------------------------------------------------------------------------


def poisson(
    generator: Philox, count: int, rate: np.ndarray, dtype: np.dtype[Any], lgamma: Any
) -> np.ndarray:
    """`count` numbers for each rate, of the Poisson distribution; NaN for negative ones (0 for
    integers).

    Below rate 10 by Knuth, "The Art of Computer Programming", volume 2, 3.4.1; from there on by
    Hörmann, "The transformed rejection method for generating Poisson random variables", Insurance:
    Mathematics and Economics 12 (1993).
    """
    if dtype.kind == "f":
        highest, none = float(np.finfo(dtype).max), np.nan
    else:
        highest, none = float(np.iinfo(dtype).max), 0.0

    def draw(streams: _Streams, values: np.ndarray) -> np.ndarray:
        result = np.full(values.size, none)
        uniform = streams.kind(uniform_float64)
        valid = np.isfinite(values) & (values >= 0)
        _poisson_of_few(uniform, values, np.flatnonzero(valid & (values < 10)), result)
        many = np.flatnonzero(valid & (values >= 10))
        _poisson_of_many(uniform, values, many, highest, lgamma, result)
        return result

    return _each(generator, count, rate, dtype, draw)


def _poisson_of_few(uniform: Any, rate: np.ndarray, rows: np.ndarray, result: np.ndarray) -> None:
    """As many even numbers as can be multiplied before the product is at most exp(-rate)."""
    product = np.ones(rate.size)
    limit = np.exp(-rate)
    events = 0.0
    while rows.size:
        product[rows] *= uniform(rows)
        done = product[rows] <= limit[rows]
        result[rows[done]] = events
        rows = rows[~done]
        events += 1


def _poisson_of_many(
    uniform: Any,
    rate: np.ndarray,
    rows: np.ndarray,
    highest: float,
    lgamma: Any,
    result: np.ndarray,
) -> None:
    b = 0.931 + 2.53 * np.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse = 1.1239 + 1.1328 / (b - 3.4)
    log_rate = np.log(rate)
    while rows.size:
        u = uniform(rows) - 0.5
        v = uniform(rows)
        some_a, some_b, some = a[rows], b[rows], rate[rows]
        inward = 0.5 - np.abs(u)
        k = np.floor((2 * some_a / inward + some_b) * u + some + 0.43)
        quickly = (inward >= 0.07) & (v <= 0.9277 - 3.6224 / (some_b - 2))
        refused = (k < 0) | ((inward < 0.013) & (v > inward))
        s = np.log(v * inverse[rows] / (some_a / (inward * inward) + some_b))
        t = -some + k * log_rate[rows] - lgamma(k + 1)
        accepted = (k <= highest) & (quickly | (~refused & (s <= t)))
        result[rows[accepted]] = k[accepted]
        rows = rows[~accepted]


# -- normal numbers within bounds ------------------------------------------------------------------

# From this width on, normal numbers are tried where the bounds are not far out, up to this bound.
_WIDE, _NEAR = 2.5, 0.45


def bounded_normal(
    generator: Philox, count: int, low: np.ndarray, high: np.ndarray, dtype: np.dtype[Any]
) -> np.ndarray:
    """`count` standard normal numbers between each pair of bounds: `[pairs, count]`.

    By Robert, "Simulation of truncated normal variables", Statistics and Computing 5 (1995): even
    numbers are tried between bounds that are near each other, exponential ones far out.
    """
    # What is rather below zero is turned around.
    turned = low + high < 0
    first, last = np.where(turned, -high, low), np.where(turned, -low, high)

    def draw(streams: _Streams, pairs: np.ndarray) -> np.ndarray:
        at = pairs.astype(np.intp)
        found = _between(streams, first[at], last[at])
        return np.where(turned[at], -found, found)

    return _each(generator, count, np.arange(low.size), dtype, draw).T


def _between(streams: _Streams, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    normal, uniform = streams.kind(normal_float64), streams.kind(uniform_float64)
    width = high - low
    root = np.sqrt(low * low + 4)
    rate = (low + root) / 2
    near = 2 / (low + root) * np.exp((low * low - low * root) / 4 + 0.5)
    by_normal = (low < _NEAR) & (width > _WIDE)
    by_even = ~by_normal & (width < np.maximum(near, np.where(low < _NEAR, _WIDE + 1, 0)))
    result = np.empty(low.size)
    for kind in (by_normal, by_even, ~by_normal & ~by_even):
        rows = np.flatnonzero(kind)
        while rows.size:
            a, b = low[rows], high[rows]
            if kind is by_normal:
                tried = normal(rows)
                accepted = (tried >= a) & (tried <= b)
            elif kind is by_even:
                tried = a + width[rows] * uniform(rows)
                most = np.maximum(a, 0) ** 2
                accepted = uniform(rows) <= np.exp((most - tried * tried) / 2)
            else:
                tried = a - np.log(1 - uniform(rows)) / rate[rows]
                accepted = uniform(rows) <= np.exp(-((tried - rate[rows]) ** 2) / 2)
                accepted &= tried <= b
            result[rows[accepted]] = tried[accepted]
            rows = rows[~accepted]
    return result
