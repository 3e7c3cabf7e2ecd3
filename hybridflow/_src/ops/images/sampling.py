"""Where the pixels of a resized image come from, along one axis.

A position is a float32 computed as TensorFlow computes it, so that the same pixels are met. Images
are 2-D products of two such axes: what stands here knows nothing of images.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# Weights of cubic interpolation are taken at so many places between two pixels.
_TABLE = 1 << 10
# What Keys' kernel is called by: with half pixels it is his, without an older choice.
_KEYS, _SHARP = -0.5, -0.75


class Pairs(NamedTuple):
    """For each new pixel the two that it lies between, and how far from the first."""

    lower: np.ndarray
    upper: np.ndarray
    fraction: np.ndarray


class Taps(NamedTuple):
    """For each new pixel the old ones that it is a sum of, with weights.

    Those of pixel `i` are the entries `starts[i]` to `starts[i + 1]` of `indices` and `weights`.
    """

    starts: np.ndarray
    indices: np.ndarray
    weights: np.ndarray

    def turned(self, size: int) -> Taps:
        """For each of `size` old pixels the new ones that it goes into: what gradients sum."""
        new = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        order = np.argsort(self.indices, kind="stable")
        counts = np.bincount(self.indices, minlength=size)
        starts = np.concatenate([[0], np.cumsum(counts)])
        return Taps(starts, new[order], self.weights[order])


def scale(size: int, new: int, corners: bool) -> np.float32:
    """How many old pixels there are for each new one; with `corners` the outer ones stay."""
    if corners and new > 1:
        return np.float32(size - 1) / np.float32(new - 1)
    return np.float32(size) / np.float32(new)


def _positions(size: int, new: int, corners: bool, centers: bool) -> np.ndarray:
    """Where new pixels lie among the old ones; with `centers` these lie at halves."""
    step = scale(size, new, corners)
    at = np.arange(new, dtype=np.float32)
    if centers:
        return (at + np.float32(0.5)) * step - np.float32(0.5)
    return at * step


def nearest(size: int, new: int, corners: bool = False, centers: bool = False) -> np.ndarray:
    """The old pixel that each new one is."""
    at = np.arange(new, dtype=np.float32)
    at = (at + np.float32(0.5 if centers else 0)) * scale(size, new, corners)
    # Halves are rounded away from zero.
    found = np.floor(at + np.float32(0.5)) if corners else np.floor(at)
    return np.clip(found.astype(np.int64), 0, size - 1)


def linear(size: int, new: int, corners: bool = False, centers: bool = False) -> Pairs:
    """Straight lines between neighbours."""
    at = _positions(size, new, corners, centers)
    low = np.floor(at)
    # Where a new pixel is an old one, no other counts: it may be no number.
    upper = np.minimum(np.ceil(at).astype(np.int64), size - 1)
    lower = np.clip(low.astype(np.int64), 0, size - 1)
    return Pairs(lower, np.maximum(upper, lower), at - low)


def linear_taps(size: int, new: int, corners: bool = False, centers: bool = False) -> Taps:
    """The same as weights."""
    lower, upper, fraction = linear(size, new, corners, centers)
    indices = np.stack([lower, upper], axis=1)
    weights = np.stack([np.float32(1) - fraction, fraction], axis=1)
    return _even(indices, weights)


def cubic_taps(size: int, new: int, corners: bool = False, centers: bool = False) -> Taps:
    """Keys, Cubic convolution interpolation for digital image processing, 1981.

    Beyond the edges pixels are repeated; with `centers` they do not count instead.
    """
    at = _positions(size, new, corners, centers)
    first = np.floor(at)
    place = np.rint((at - first) * np.float32(_TABLE)).astype(np.int64)
    near, far = _cubic(_KEYS if centers else _SHARP)
    weights = np.stack([far[place], near[place], near[_TABLE - place], far[_TABLE - place]], axis=1)
    wanted = first.astype(np.int64)[:, None] + np.arange(-1, 3)
    indices = np.clip(wanted, 0, size - 1)
    if centers:
        weights = np.where(indices == wanted, weights, np.float32(0))
        total = weights.sum(axis=1, keepdims=True, dtype=np.float32)
        is_some = np.abs(total) >= np.float32(1000) * np.finfo(np.float32).tiny
        weights = np.where(is_some, weights / np.where(is_some, total, 1), weights)
    return _even(indices, weights)


def _cubic(a: float) -> tuple[np.ndarray, np.ndarray]:
    """The kernel at distances from 0 to 1, and from 1 to 2."""
    x = (np.arange(_TABLE + 1) / _TABLE).astype(np.float32).astype(np.float64)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    x = x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return near.astype(np.float32), far.astype(np.float32)


def area_taps(size: int, new: int, corners: bool = False) -> Taps:
    """What a new pixel covers: weights are shares of old pixels. The sum is divided by `scale`."""
    step = scale(size, new, corners)
    edges = np.arange(new + 1, dtype=np.float32) * step
    begin, end = edges[:-1], edges[1:]
    first = np.floor(begin).astype(np.int64)
    counts = np.maximum(np.ceil(end).astype(np.int64) - first, 1)
    starts = np.concatenate([[0], np.cumsum(counts)])
    pixel = np.repeat(np.arange(new), counts)
    at = np.arange(starts[-1]) - starts[pixel] + first[pixel]
    left = at.astype(np.float32)
    right = left + np.float32(1)
    begin, end = begin[pixel], end[pixel]
    weights = np.where(
        left < begin,
        np.where(right > end, step, right - begin),
        np.where(right > end, end - left, np.float32(1)),
    )
    return Taps(starts, np.clip(at, 0, size - 1), weights)


def nearest_taps(size: int, new: int, corners: bool = False, centers: bool = False) -> Taps:
    """`nearest` as weights."""
    indices = nearest(size, new, corners, centers)
    return Taps(np.arange(new + 1), indices, np.ones(new, np.float32))


def _even(indices: np.ndarray, weights: np.ndarray) -> Taps:
    new, count = indices.shape
    return Taps(np.arange(new + 1) * count, indices.reshape(-1), weights.reshape(-1))
