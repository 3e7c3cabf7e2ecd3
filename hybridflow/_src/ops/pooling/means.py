"""NumPy meanings of average pooling: the mean of each window, padding left out."""

from __future__ import annotations

from typing import Any

import numpy as np

from hybridflow._src.ops.pooling.meanings import like_pooled, windows_of
from hybridflow._src.ops.windows import Windows


def _wide(dtype: Any) -> Any:
    return np.float32 if dtype == np.float16 else dtype


def _counts(windows: Windows, dtype: Any) -> np.ndarray:
    """How many elements each window has, in a shape that broadcasts with what is pooled."""
    counts: Any = np.ones([1] * len(windows.sizes), np.int64)
    for axis, (n, o, k, s, _, b) in enumerate(zip(*windows, strict=True)):
        if k > 1:
            first = np.arange(o) * s - b
            along = np.minimum(first + k, n) - np.maximum(first, 0)
            counts = counts * np.expand_dims(along, [i for i in range(counts.ndim) if i != axis])
    result: np.ndarray = counts.astype(dtype)
    return result


def mean(x: np.ndarray, ksize: Any, strides: Any, padding: str, **_: Any) -> np.ndarray:
    """The mean of each window."""
    windows = windows_of(x.shape, ksize, strides, padding)
    dtype = _wide(x.dtype)
    y = np.zeros(windows.outputs, dtype)
    for _place, at, elements in windows.taps():
        y[at] += x[elements]
    y /= _counts(windows, dtype)
    return y.astype(x.dtype, copy=False)


def gradient(
    sizes: np.ndarray, dy: np.ndarray, ksize: Any, strides: Any, padding: str, **_: Any
) -> np.ndarray:
    """`dy`, each element shared out among the elements of its window."""
    windows = windows_of(sizes.tolist(), ksize, strides, padding)
    like_pooled(windows, dy)
    dtype = _wide(dy.dtype)
    shares = dy / _counts(windows, dtype)
    dx = np.zeros(windows.inputs, dtype)
    for _place, at, elements in windows.taps():
        dx[elements] += shares[at]
    return dx.astype(dy.dtype, copy=False)
