"""Sparse tensors that are fed when the graph runs."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.sparse_tensor import SparseTensor
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import dimension_at_index
from hybridflow._src.ops.arrays.placeholder import placeholder

__all__ = ["sparse_placeholder"]


def sparse_placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> SparseTensor:
    """A sparse tensor that must be fed: `session.run(fetches, {placeholder: value})`.

    The value is a `SparseTensorValue`, or a tuple of indices, values and shape.

    Args:
      dtype: dtype of the elements to come.
      shape: the shape of the whole tensor, which need not be fed then: a list, or an int64 vector.
        With a None in a list, or without a shape, any (of that rank) can be fed.
      name: the parts are placeholders `name/indices`, `name/values` and `name/shape`.

    Returns: a `SparseTensor` to build with; evaluating it without a feed is an error.

    Raises:
      RuntimeError: in eager mode, where values are there at once.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     s = hf.sparse_placeholder(hf.float32)
    ...     total = hf.reduce_sum(s.values)
    ...     print(sess.run(total, {s: hf.SparseTensorValue([[0, 1], [2, 0]], [3.0, 4.0], [3, 3])}))
    7.0
    """

    def part(of: str) -> str | None:
        return None if name is None else f"{name}/{of}"

    known = shape if isinstance(shape, Tensor) or shape is None else list(shape)
    if known is None or _is_open(known):
        rank = None if known is None else len(known)
        dense_shape = placeholder(dtypes.int64, [rank], part("shape"))
    else:
        dense_shape = convert_to_tensor(known, dtypes.int64, part("shape"))
        rank = dimension_at_index(dense_shape.shape.with_rank(1), 0).value
    values = placeholder(dtype, [None], part("values"))
    indices = placeholder(dtypes.int64, [None, rank], part("indices"))
    return SparseTensor(indices, values, dense_shape)


def _is_open(shape: Any) -> bool:
    """Tells whether a size in a list is not known."""
    return isinstance(shape, list) and any(getattr(size, "value", size) is None for size in shape)
