"""One image or several in another size, by a method that one chooses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_dims
from hybridflow._src.ops.images.checking import as_batch, as_it_was
from hybridflow._src.ops.images.resizing import (
    resize_area,
    resize_bicubic,
    resize_bilinear,
    resize_nearest_neighbor,
)

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["ResizeMethod", "resize_images"]


class ResizeMethod:
    """How images get another size: what `resize_images` takes.

    >>> import hybridflow as hf
    >>> hf.image.ResizeMethod.AREA
    3
    """

    BILINEAR = 0
    NEAREST_NEIGHBOR = 1
    BICUBIC = 2
    AREA = 3


_METHODS = {
    ResizeMethod.BILINEAR: resize_bilinear,
    ResizeMethod.NEAREST_NEIGHBOR: resize_nearest_neighbor,
    ResizeMethod.BICUBIC: resize_bicubic,
    ResizeMethod.AREA: resize_area,
}


def resize_images(
    images: Any, size: Any, method: int = ResizeMethod.BILINEAR, align_corners: bool = False
) -> Tensor:
    """Images of another size. Use `resize_image_with_crop_or_pad` to keep proportions.

    Args:
      images: real tensor `[n, height, width, channels]` or `[height, width, channels]`.
      size: int32 vector: new height and width.
      method: one of `ResizeMethod`.
      align_corners: whether the outer pixels stay where they are (see `resize_bilinear`).

    Returns: a tensor like `images`, of that height and width; float32, but for the nearest
      neighbor. Images that have the size already are given as they are.

    Raises:
      ValueError: for another rank, a size that is none, another method.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.reshape([0.0, 2.0], [1, 2, 1])
    ...     print(hf.image.resize_images(x, [1, 4]).numpy().ravel())
    [0. 1. 2. 2.]
    """
    with name_scope(None, "resize_images", [images, size]):
        images = convert_to_tensor(images, name="images")
        if images._dims is None:
            raise ValueError("'images' contains no shape.")
        if len(images._dims) not in (3, 4):
            raise ValueError(
                f"'images' must have either 3 or 4 dimensions. Got shape {images.shape}."
            )
        before, many = as_batch(images)
        try:
            size = convert_to_tensor(size, dtypes.int32, name="size")
        except (TypeError, ValueError):
            raise ValueError("'size' must be a 1-D int32 Tensor") from None
        if not size.shape.is_compatible_with([2]):
            raise ValueError("'size' must be a 1-D Tensor of 2 elements: new_height, new_width")
        height, width = constant_dims(size) or (None, None)
        dims = before._dims
        if dims is not None and None not in (height, width) and dims[1:3] == (height, width):
            return images
        if method not in _METHODS:
            raise ValueError(
                f"Resize method is not implemented: {method!r}. Expected one of hf.image."
                "ResizeMethod: BILINEAR (0), NEAREST_NEIGHBOR (1), BICUBIC (2), AREA (3)."
            )
        resized = _METHODS[method](before, size, align_corners)
        resized.set_shape([None, height, width, None])
        return as_it_was(resized, many)
