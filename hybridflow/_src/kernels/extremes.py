"""The larger and the smaller of numbers, as kernels compute them.

NaN if one of them is, and -0 below +0: `maximum` and `minimum` of IEEE 754-2019. NumPy leaves the
sign of zero to the processor; here that is put right.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def maximum(x: Any, y: Any) -> Any:
    """The larger elements of arrays that broadcast."""
    return _mended(np.maximum, x, y)


def minimum(x: Any, y: Any) -> Any:
    """The smaller elements of arrays that broadcast."""
    return _mended(np.minimum, x, y)


def reduced(ufunc: np.ufunc, x: Any, **options: Any) -> Any:
    """What `np.maximum.reduce` or `np.minimum.reduce` is to give; of no elements an infinity."""
    if x.dtype.kind == "f":
        options["initial"] = -np.inf if ufunc is np.maximum else np.inf
    result = ufunc.reduce(x, **options)
    if not _holds_numbers(result) or result.dtype.kind != "f" or np.all(result):
        return result
    options.pop("initial")
    sign = np.signbit(x)
    wanted = (x == 0) & (sign if ufunc is np.minimum else ~sign)
    found = np.logical_or.reduce(wanted, **options)
    zero = np.where(found == (ufunc is np.minimum), result.dtype.type(-0.0), 0)
    return np.where(result == 0, zero, result)[()]


def _mended(ufunc: np.ufunc, x: Any, y: Any) -> Any:
    result = ufunc(x, y)
    # A symbol of a kernel's value is computed right.
    if not _holds_numbers(result) or result.dtype.kind != "f":
        return result
    if not np.ndim(y) and (y != 0 or (ufunc is np.maximum and not np.signbit(y))):
        # Most often the other one is a number: no zero, or the zero that wins.
        if y != 0:
            return result
        return np.add(result, 0, out=result) if result.__class__ is np.ndarray else result + 0
    equal = np.equal(x, y) & (result == 0)
    if not equal.any():
        return result
    # Of zeros the sum is +0 unless both are -0.
    zero = np.add(x, y) if ufunc is np.maximum else -(np.negative(x) - y)
    return np.where(equal, zero, result)[()]


def _holds_numbers(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic)
