"""Ranks and pseudo-inverses of matrices, by their singular values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.linalg.decompositions import svd
from hybridflow._src.ops.linalg.products import matmul
from hybridflow._src.ops.math.arg_reductions import count_nonzero
from hybridflow._src.ops.math.reductions import reduce_max

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["matrix_rank", "pinv"]


def _at_most(x: Tensor, factor: float) -> Any:
    """So much of a matrix is rounding, by its larger size."""
    sizes = raw.StridedSlice(raw.Shape(x), [-2], [0], [1], end_mask=1)
    largest = raw.Cast(reduce_max(sizes), DstT=x.dtype.base_dtype)
    return factor * float(np.finfo(x.dtype.as_numpy_dtype).eps) * largest


def _real(a: Any) -> Tensor:
    x = convert_to_tensor(a, name="a")
    if not x.dtype.is_floating:
        raise TypeError(f"a: expected a real floating dtype, got {x.dtype.name}.")
    if x.shape.ndims is not None and x.shape.ndims < 2:
        raise ValueError(f"a: expected at least two dimensions, got shape {x.shape}.")
    return x


def matrix_rank(
    a: Any, tol: Any = None, validate_args: bool = False, name: str | None = None
) -> Tensor:
    """The numbers of singular values above a tolerance. Of TensorFlow 1.15.

    Args:
      a: tensor `[..., m, n]` of float32 or float64.
      tol: the tolerance, a tensor that broadcasts with `[...]`; by default the largest singular
        value, times `max(m, n)`, times the distance of 1 to the next larger number.
      validate_args: accepted for compatibility: arguments are always checked.
      name: scope of the ops.

    Returns: an int32 tensor `[...]`.

    Raises:
      TypeError: for another dtype. ValueError: for a vector or scalar.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.linalg.matrix_rank([[1.0, 2.0], [2.0, 4.0]]).numpy())
    1
    """
    with name_scope(name, "matrix_rank", [a, tol]):
        x = _real(a)
        values = svd(x, compute_uv=False)
        if tol is None:
            least = _at_most(x, 1.0) * reduce_max(values, -1, keepdims=True)
        else:
            least = raw.ExpandDims(convert_to_tensor(tol, x.dtype.base_dtype, "tol"), -1)
        return count_nonzero(raw.Greater(values, least), -1, dtype="int32")


def pinv(a: Any, rcond: Any = None, validate_args: bool = False, name: str | None = None) -> Tensor:
    """The pseudo-inverses of Moore and Penrose. Of TensorFlow 1.15.

    Args:
      a: tensor `[..., m, n]` of float32 or float64.
      rcond: singular values up to this share of the largest count as 0, a tensor that broadcasts
        with `[...]`; by default `10 max(m, n)` times the distance of 1 to the next larger number.
      validate_args: accepted for compatibility: arguments are always checked.
      name: scope of the ops.

    Returns: a tensor `[..., n, m]` of that dtype.

    Raises:
      TypeError: for another dtype. ValueError: for a vector or scalar.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.linalg.pinv([[2.0, 0.0], [0.0, 0.0]]).numpy().tolist())
    [[0.5, 0.0], [0.0, 0.0]]
    """
    with name_scope(name, "pinv", [a, rcond]):
        x = _real(a)
        values, left, right = svd(x, full_matrices=False)
        if rcond is None:
            share = _at_most(x, 10.0)
        else:
            share = raw.ExpandDims(convert_to_tensor(rcond, x.dtype.base_dtype, "rcond"), -1)
        least = share * reduce_max(values, -1, keepdims=True)
        # Where a value counts as 0, so does its inverse.
        counts = raw.Greater(values, least)
        ones = raw.OnesLike(values)
        inverse = raw.Cast(counts, DstT=x.dtype.base_dtype) / raw.Select(counts, values, ones)
        return matmul(right * raw.ExpandDims(inverse, -2), left, adjoint_b=True)
