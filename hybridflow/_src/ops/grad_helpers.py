"""What the gradients of several op families need: shapes and axes, as static as they can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.registry import raw

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor


def shape_of(x: Tensor, dtype: DType = dtypes.int32) -> Any:
    """The shape of `x` as an integer vector: an array where it is known, else by an op."""
    dims = x._dims
    if dims is not None and None not in dims:
        return np.array(dims, dtype.np)
    return raw.Shape(x, out_type=dtype)


def all_axes(x: Tensor) -> Any:
    """The axes of `x`: `[0, ..., rank - 1]`."""
    dims = x._dims
    if dims is not None:
        return np.arange(len(dims), dtype=np.int32)
    return raw.Range(0, raw.Rank(x), 1)


def reshape_like(dy: Tensor, x: Tensor) -> Any:
    """`dy` in the shape of `x`."""
    dims = x._dims
    if dims is not None and dims == dy._dims and None not in dims:
        return dy
    return raw.Reshape(dy, shape_of(x))


def in_single(function: Callable[..., Any], *tensors: Tensor) -> Any:
    """What a function gives for tensors, computed in single precision where they are of half.

    For functions that count: half precision holds no number above 65,504.
    """
    if tensors[0].dtype.base_dtype is not dtypes.float16:
        return function(*tensors)
    wide = [raw.Cast(x, DstT=dtypes.float32) for x in tensors]
    return raw.Cast(function(*wide), DstT=dtypes.float16)
