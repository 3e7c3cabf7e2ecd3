"""NumPy meanings of max pooling: the largest element of each window, and where it stands.

Of several that are equal the first one is meant.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hybridflow._src.kernels import extremes
from hybridflow._src.ops.pooling.meanings import like_pooled, windows_of
from hybridflow._src.ops.windows import Windows


def largest(x: np.ndarray, ksize: Any, strides: Any, padding: str, **_: Any) -> np.ndarray:
    """The largest element of each window."""
    windows = windows_of(x.shape, ksize, strides, padding)
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    y = np.full(windows.outputs, lowest, x.dtype)
    for _place, at, elements in windows.taps():
        y[at] = extremes.maximum(y[at], x[elements])
    return y


def _places(x: np.ndarray, windows: Windows) -> np.ndarray:
    """Which element of each window is the first of its largest ones, counted as `taps` does."""
    best = np.zeros(windows.outputs, x.dtype)
    places = np.full(windows.outputs, -1, np.int32)
    for number, (_place, at, elements) in enumerate(windows.taps()):
        tap = x[elements]
        better = (tap > best[at]) | (places[at] < 0)
        np.copyto(best[at], tap, where=better)
        np.copyto(places[at], number, where=better)
    return places


def gradient(
    x: np.ndarray,
    y: np.ndarray,
    dy: np.ndarray,
    ksize: Any,
    strides: Any,
    padding: str,
    **_: Any,
) -> np.ndarray:
    """`dy` where the largest elements stand, added up where one is that of several windows."""
    windows = windows_of(x.shape, ksize, strides, padding)
    like_pooled(windows, y, dy)
    places = _places(x, windows)
    dx = np.zeros(x.shape, x.dtype)
    for number, (_place, at, elements) in enumerate(windows.taps()):
        dx[elements] += np.where(places[at] == number, dy[at], 0).astype(x.dtype, copy=False)
    return dx


def selected(
    x: np.ndarray,
    y: np.ndarray,
    values: np.ndarray,
    ksize: Any,
    strides: Any,
    padding: str,
    **_: Any,
) -> np.ndarray:
    """`values` at the places of the largest elements of `x`."""
    windows = windows_of(x.shape, ksize, strides, padding)
    like_pooled(windows, y)
    if values.shape != x.shape:
        raise ValueError(f"Expected a gradient of shape {x.shape}, got {values.shape}")
    places = _places(x, windows)
    result = np.zeros(windows.outputs, x.dtype)
    for number, (_place, at, elements) in enumerate(windows.taps()):
        np.copyto(result[at], values[elements], where=places[at] == number)
    return result


def numbers(x: np.ndarray, ksize: Any, strides: Any, padding: str) -> np.ndarray:
    """The flat number of each largest element in its image, int64."""
    windows = windows_of(x.shape, ksize, strides, padding)
    places = _places(x, windows)
    count = int(np.prod(x.shape[1:], dtype=np.int64))
    flat = np.broadcast_to(np.arange(count, dtype=np.int64).reshape(x.shape[1:]), x.shape)
    result = np.zeros(windows.outputs, np.int64)
    for number, (_place, at, elements) in enumerate(windows.taps()):
        np.copyto(result[at], flat[elements], where=places[at] == number)
    return result
