"""`tensorflow.python.ops.math_ops`: names of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.constant import constant
from hybridflow._src.ops.arrays.reshaping import expand_dims
from hybridflow._src.ops.math.comparison import greater_equal
from hybridflow._src.ops.math.reductions import reduce_sum

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["_bucketize"]


def _bucketize(input: Any, boundaries: Any, name: str | None = None) -> Tensor:
    """For each number how many boundaries it reaches.

    Args:
      input: tensor of a real dtype.
      boundaries: a sorted list of numbers.
      name: name of the result.

    Returns: an int32 tensor of its shape.

    Raises:
      ValueError: if they are not sorted.
    """
    limits = [float(boundary) for boundary in boundaries]
    if limits != sorted(limits):
        raise ValueError("Expected sorted boundaries")
    # In doubles, so that no whole boundary is rounded.
    values = expand_dims(cast(convert_to_tensor(input), dtypes.float64), -1)
    reached = greater_equal(values, constant(limits, dtypes.float64))
    return reduce_sum(cast(reached, dtypes.int32), -1, name=name)
