"""Images whose pixels move, each by a distance of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.gather import gather_nd
from hybridflow._src.ops.arrays.joining import stack
from hybridflow._src.ops.math.elementwise import maximum, minimum

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["dense_image_warp"]


def _between(places: Any, size: Any) -> tuple[Any, Any]:
    """The pixel before each place, and how far behind it the place is: from 0 to 1."""
    dtype = places.dtype.base_dtype
    last = cast(size - 2, dtype)
    before = minimum(maximum(raw.Floor(places), convert_to_tensor(0, dtype)), last)
    part = minimum(maximum(places - before, 0.0), 1.0)
    return cast(before, dtypes.int32), raw.ExpandDims(part, -1)


def dense_image_warp(image: Any, flow: Any, name: str = "dense_image_warp") -> Tensor:
    """Images of which each pixel is taken from another place, between four pixels.

    `out[b, j, i] = image[b, j - flow[b, j, i, 0], i - flow[b, j, i, 1]]`; what would lie outside is
    taken from the edge. Of TensorFlow 1.15.

    Args:
      image: tensor `[batch, height, width, channels]` of a floating dtype, at least two pixels high
        and wide.
      flow: tensor `[batch, height, width, 2]` of that dtype.
      name: name scope of the ops.

    Returns: a tensor of the dtype and shape of `image`; differentiable in both.

    Raises:
      ValueError: if there are not two pixels, or for other ranks.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     image = hf.reshape([0.0, 1.0, 2.0, 3.0], [1, 2, 2, 1])
    ...     moved = hf.contrib.image.dense_image_warp(image, hf.fill([1, 2, 2, 2], -0.5))
    ...     print(moved.numpy().ravel())
    [1.5 2.  2.5 3. ]
    """
    with name_scope(name, values=[image, flow]):
        image = convert_to_tensor(image, name="image")
        flow = convert_to_tensor(flow, image.dtype.base_dtype, name="flow")
        for tensor, what in ((image, "image"), (flow, "flow")):
            if tensor.shape.ndims not in (None, 4):
                raise ValueError(f"{what} must have 4 dimensions, got shape {tensor.shape}.")
        known = image.shape.as_list() if image.shape.ndims is not None else [None] * 4
        if any(size is not None and size < 2 for size in known[1:3]):
            raise ValueError(f"Grid must be at least 2x2, got images of shape {image.shape}.")
        sizes = raw.Shape(image)
        batch, height, width = (raw.Range(0, sizes[axis], 1) for axis in range(3))
        dtype = image.dtype.base_dtype
        rows = cast(raw.ExpandDims(height, 1), dtype) - flow[..., 0]
        columns = cast(width, dtype) - flow[..., 1]
        above, down = _between(rows, sizes[1])
        left, right = _between(columns, sizes[2])
        number = raw.Reshape(batch, [-1, 1, 1]) + raw.ZerosLike(above)

        def pixels(more_down: int, more_right: int) -> Any:
            return gather_nd(image, stack([number, above + more_down, left + more_right], -1))

        top = pixels(0, 0) + right * (pixels(0, 1) - pixels(0, 0))
        bottom = pixels(1, 0) + right * (pixels(1, 1) - pixels(1, 0))
        found = top + down * (bottom - top)
        found.set_shape(image.shape)
        return found
