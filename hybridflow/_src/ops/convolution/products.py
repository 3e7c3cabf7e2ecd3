"""Convolution and its two gradients as products of patches and filters, in any dimensions.

Arrays are `x [batch, *inputs, in]`, `filters [*sizes, in, out]`, `y [batch, *outputs, out]`:

    y[b, o, m] = sum over k, c of x[b, o * stride + k * rate - before, c] * filters[k, c, m]

Elements of windows that lie outside the input are no part of a sum. Patches hold zeros there, which
is the same while what they are multiplied by is finite; otherwise sums are taken tap by tap.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hybridflow._src.kernels import blas
from hybridflow._src.ops.allocation import allocatable
from hybridflow._src.ops.windows import Windows, blocks, padded, view


def _wide(x: np.ndarray) -> np.ndarray:
    """What is computed with: float32 for float16, which products would round at every step."""
    return x.astype(np.float32) if x.dtype == np.float16 else x


def _matrix(filters: np.ndarray) -> np.ndarray:
    return filters.reshape(int(np.prod(filters.shape[:-1], dtype=np.int64)), filters.shape[-1])


def _is_by_taps(windows: Windows, factors: np.ndarray) -> bool:
    """Whether zeros in place of what lies outside the input would show in sums with `factors`."""
    return windows.padded != windows.inputs and not np.isfinite(factors).all()


def convolved(x: np.ndarray, filters: np.ndarray, windows: Windows) -> np.ndarray:
    """The convolution `y`."""
    dtype, x, filters = x.dtype, _wide(x), _wide(filters)
    y = np.zeros((len(x), *windows.outputs, filters.shape[-1]), x.dtype)
    if _is_by_taps(windows, filters):
        for place, at, elements in windows.taps():
            y[(slice(None), *at)] += x[(slice(None), *elements)] @ filters[place]
        return y.astype(dtype, copy=False)
    matrix = _matrix(filters)
    patches = view(padded(x, windows), windows)
    for at in blocks(len(x), windows, len(matrix) * x.itemsize):
        part = y[at]
        rows = patches[at].reshape(part.size // max(part.shape[-1], 1), len(matrix))
        part[...] = blas.matmul(rows, matrix).reshape(part.shape)
    return y.astype(dtype, copy=False)


def input_gradient(dy: np.ndarray, filters: np.ndarray, windows: Windows) -> np.ndarray:
    """The gradient with respect to `x` of `sum(dy * y)`."""
    dtype, dy, matrix = dy.dtype, _wide(dy), _matrix(_wide(filters)).T
    depth = filters.shape[-2]
    shape = allocatable("gradient of a convolution", (len(dy), *windows.padded, depth), dy.dtype)
    dx = np.zeros(shape, dy.dtype)
    for images, rows in blocks(len(dy), windows, matrix.shape[1] * dy.itemsize):
        part = dy[images, rows]
        flat = part.reshape(int(np.prod(part.shape[:-1], dtype=np.int64)), len(matrix))
        patches = blas.matmul(flat, matrix).reshape(*part.shape[:-1], *filters.shape[:-1])
        inner = tuple([slice(None)] * (len(windows.sizes) + 1))
        for tap in np.ndindex(*windows.sizes):
            dx[(images, *_under(tap, rows, windows))] += patches[(*inner, *tap)]
    at = [slice(b, b + n) for b, n in zip(windows.before, windows.inputs, strict=True)]
    return np.ascontiguousarray(dx[(slice(None), *at)], dtype)


def _under(tap: tuple[int, ...], rows: slice, windows: Windows) -> list[slice]:
    """Where an element of each window stands in the padded input; the first windows are `rows`."""
    found = []
    for axis, (place, stride) in enumerate(zip(tap, windows.strides, strict=True)):
        first, last = (0, windows.outputs[axis]) if axis else (rows.start, rows.stop)
        start = first * stride + place * windows.rates[axis]
        found.append(slice(start, start + (last - first - 1) * stride + 1, stride))
    return found


def filter_gradient(x: np.ndarray, dy: np.ndarray, windows: Windows) -> np.ndarray:
    """The gradient with respect to `filters` of `sum(dy * y)`."""
    dtype, x, dy = x.dtype, _wide(x), _wide(dy)
    shape = (*windows.sizes, x.shape[-1], dy.shape[-1])
    if _is_by_taps(windows, dy):
        result = np.zeros(shape, x.dtype)
        for place, at, elements in windows.taps():
            rows, grads = (
                part.reshape(-1, part.shape[-1])
                for part in (x[(slice(None), *elements)], dy[(slice(None), *at)])
            )
            result[place] = rows.T @ grads
        return result.astype(dtype, copy=False)
    total: Any = np.zeros((int(np.prod(shape[:-1], dtype=np.int64)), shape[-1]), x.dtype)
    patches = view(padded(x, windows), windows)
    for at in blocks(len(x), windows, len(total) * x.itemsize):
        part = dy[at]
        count = int(np.prod(part.shape[:-1], dtype=np.int64))
        rows = patches[at].reshape(count, len(total))
        total += blas.matmul(rows.T, part.reshape(count, shape[-1]))
    return total.reshape(shape).astype(dtype, copy=False)
