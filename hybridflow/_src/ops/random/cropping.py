"""Parts of arrays at random places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import control_dependencies, name_scope
from hybridflow._src.ops.arrays.reshaping import identity
from hybridflow._src.ops.arrays.shape_ops import shape as shape_of
from hybridflow._src.ops.arrays.slicing import slice
from hybridflow._src.ops.control_flow.debugging import Assert
from hybridflow._src.ops.math.comparison import greater_equal
from hybridflow._src.ops.math.reductions import reduce_all
from hybridflow._src.ops.random.sampling import random_uniform

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["random_crop"]


def random_crop(value: Any, size: Any, seed: int | None = None, name: str | None = None) -> Tensor:
    """A part of a tensor, of a given size and at a random place.

    Args:
      value: tensor of any dtype.
      size: int32 vector: the shape of the part. An axis that is to stay whole has its full size.
      seed: seed of the op (see `set_random_seed`).
      name: scope of the ops.

    Returns: a tensor of that shape.

    Raises:
      InvalidArgumentError: when it runs, if the part is larger than the tensor.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     part = hf.random_crop(hf.reshape(hf.range(12), [3, 4]), [2, 2], seed=1)
    >>> part.shape.as_list()
    [2, 2]
    """
    with name_scope(name, "random_crop", [value, size]) as scope:
        value = convert_to_tensor(value, name="value")
        size = convert_to_tensor(size, dtypes.int32, name="size")
        shape = shape_of(value)
        fits = reduce_all(greater_equal(shape, size))
        check = Assert(fits, ["Need value.shape >= size, got ", shape, size], summarize=1000)
        with control_dependencies([] if check is None else [check]):
            shape = identity(shape)
        limit = shape - size + 1
        draw = random_uniform(shape_of(shape), 0, dtypes.int32.max, dtypes.int32, seed)
        return slice(value, raw.FloorMod(draw, limit), size, name=scope)
