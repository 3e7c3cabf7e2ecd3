"""`repeat`: elements several times in a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import ShapeError
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.gather import gather
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.math.cumulative import cumsum
from hybridflow._src.ops.math.searching import searchsorted

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["repeat"]


def repeat(input: Any, repeats: Any, axis: int | None = None, name: str | None = None) -> Tensor:
    """A tensor each of whose parts along an axis stands several times in a row.

    Of TensorFlow 1.15; NumPy's `repeat`.

    Args:
      input: tensor of any dtype and shape.
      repeats: how often: an integer, or a vector with an integer for each part; from 0 on.
      axis: the axis; None for the tensor as a vector.
      name: name scope of the ops.

    Returns: a tensor of its dtype, differentiable.

    Raises:
      ValueError: if there are neither one nor as many numbers as there are parts.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.repeat([1, 2], 2).numpy(), hf.repeat([[1, 2], [3, 4]], [1, 2], axis=0).numpy())
    [1 1 2 2] [[1 2]
     [3 4]
     [3 4]]
    """
    with name_scope(name, "Repeat", [input, repeats]):
        data = convert_to_tensor(input, name="input")
        if axis is None:
            data, axis = reshape(data, [-1]), 0
        if axis < 0:
            axis = axis + data.shape.ndims if data.shape.ndims is not None else axis
        counts = cast(convert_to_tensor(repeats), dtypes.int32)
        size = None if data.shape.ndims is None else data.shape.as_list()[axis]
        known = counts.shape.num_elements()
        if counts.shape.ndims not in (None, 0, 1) or (
            size is not None and known not in (None, 1, size)
        ):
            raise ShapeError(
                f"repeats must be an integer or a vector of {size} integers, one for each part "
                f"along axis {axis} of {data}, got shape {counts.shape}."
            )
        parts = raw.Shape(data)[axis]
        each = reshape(counts, [-1]) + raw.Fill(raw.Reshape(parts, [1]), 0)
        ends = cumsum(each)
        total = raw.Sum(each, [0])
        return gather(data, searchsorted(ends, raw.Range(0, total, 1), side="right"), axis=axis)
