"""Sums and products of many numbers: half precision, of three digits, is added as single."""

from __future__ import annotations

from typing import Any

import numpy as np


def accumulator(dtype: np.dtype) -> np.dtype:
    """The dtype in which many numbers of a dtype are added or multiplied, to be rounded at last."""
    return np.dtype(np.float32) if dtype == np.float16 else dtype


def accumulated(
    ufunc: np.ufunc, x: np.ndarray, axis: int | tuple[int, ...] | None, keepdims: bool = False
) -> Any:
    """The sum, or product, of an array along axes, in its own dtype."""
    result = reduced(ufunc, x, axis, keepdims)
    return result if result.dtype is x.dtype else result.astype(x.dtype)


def reduced(
    ufunc: np.ufunc, x: np.ndarray, axis: int | tuple[int, ...] | None, keepdims: bool = False
) -> Any:
    """The sum, or product, of an array along axes, in the dtype in which it is added."""
    options: dict[str, Any] = {"axis": axis, "dtype": accumulator(x.dtype), "keepdims": keepdims}
    if ufunc is np.add and x.dtype.kind == "f" and x.size:
        # The sum of -0 alone is -0; by itself NumPy may say so or not.
        options["initial"] = -0.0
    return ufunc.reduce(x, **options)
