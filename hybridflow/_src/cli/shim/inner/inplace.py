"""`tensorflow.python.ops.inplace_ops`: rows of a tensor replaced.

The result is a tensor of its own, and the old one stays as it is. Programs use these ops to save
memory, which plans do where nothing reads the old tensor any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.ops.arrays.reshaping import expand_dims, reshape
from hybridflow._src.ops.arrays.shape_ops import shape
from hybridflow._src.ops.arrays.tensor_scatter import (
    tensor_scatter_add,
    tensor_scatter_sub,
    tensor_scatter_update,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "alias_inplace_add",
    "alias_inplace_subtract",
    "alias_inplace_update",
    "inplace_add",
    "inplace_subtract",
    "inplace_update",
]


def _changed(scatter: Callable[..., Tensor], x: Any, i: Any, v: Any) -> Tensor:
    x = convert_to_tensor(x)
    v = convert_to_tensor(v, x.dtype)
    if i is None:
        return reshape(scatter(expand_dims(x, 0), [[0]], expand_dims(v, 0)), shape(x))
    i = convert_to_tensor(i, dtypes.int32)
    if i.shape.ndims == 0:
        return scatter(x, expand_dims(expand_dims(i, 0), 0), expand_dims(v, 0))
    return scatter(x, expand_dims(i, -1), v)


def inplace_update(x: Any, i: Any, v: Any) -> Tensor:
    """A tensor with rows replaced.

    Args:
      x: tensor `[rows, ...]`.
      i: the row, a scalar, or a vector of rows; None for the whole tensor.
      v: what takes its place, `[...]`, or `[len(i), ...]`.
    """
    return _changed(tensor_scatter_update, x, i, v)


def inplace_add(x: Any, i: Any, v: Any) -> Tensor:
    """A tensor with something added to rows; arguments as of `inplace_update`."""
    return _changed(tensor_scatter_add, x, i, v)


def inplace_subtract(x: Any, i: Any, v: Any) -> Tensor:
    """A tensor with something subtracted from rows; arguments as of `inplace_update`."""
    return _changed(tensor_scatter_sub, x, i, v)


alias_inplace_update = inplace_update
alias_inplace_add = inplace_add
alias_inplace_subtract = inplace_subtract
