"""Images of other dtypes, and with other channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.advice import explained
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.arranging import tile
from hybridflow._src.ops.arrays.casting import cast, saturate_cast
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.reshaping import expand_dims, identity
from hybridflow._src.ops.arrays.shape_ops import rank
from hybridflow._src.ops.images.shapes import last_of
from hybridflow._src.ops.math.division import div
from hybridflow._src.ops.math.elementwise import multiply
from hybridflow._src.ops.math.reductions import reduce_sum

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["convert_image_dtype", "grayscale_to_rgb", "rgb_to_grayscale"]

# ITU-R recommendation BT.601, as TensorFlow has it.
_LUMA = np.array([0.2989, 0.5870, 0.1140], np.float32)


def convert_image_dtype(
    image: Any, dtype: Any, saturate: bool = False, name: str | None = None
) -> Tensor:
    """An image of another dtype, with its values scaled to it.

    Floats go from 0 to 1; integers from 0 to the largest of their dtype.

    Args:
      image: real tensor.
      dtype: the dtype to convert to.
      saturate: whether values that the dtype does not hold become the nearest that it does.
      name: name of the op.

    Returns: a tensor of that dtype and the shape of `image`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.image.convert_image_dtype([0.0, 0.5, 1.0], hf.uint8).numpy())
    ...     print(hf.image.convert_image_dtype([1.5, -0.5], hf.uint8, saturate=True).numpy())
    [  0 127 255]
    [255   0]
    """
    image = convert_to_tensor(image, name="image")
    dtype = dtypes.as_dtype(dtype)
    if dtype == image.dtype:
        return identity(image, name=name)
    convert = saturate_cast if saturate else cast
    with name_scope(name, "convert_image", [image]) as scope:
        if image.dtype.is_integer and dtype.is_integer:
            most, largest = image.dtype.max, dtype.max
            if most > largest:
                scale = (most + 1) // (largest + 1)
                scaled = div(image, convert_to_tensor(scale, image.dtype))
                return convert(scaled, dtype, name=scope)
            return multiply(convert(image, dtype), (largest + 1) // (most + 1), name=scope)
        if image.dtype.is_floating and dtype.is_floating:
            found: Tensor = cast(image, dtype, name=scope)
            return found
        if image.dtype.is_integer:
            return multiply(cast(image, dtype), 1.0 / image.dtype.max, name=scope)
        # A half more than the largest: casts cut off what is behind the point.
        return convert(multiply(image, dtype.max + 0.5), dtype, name=scope)


def _with_channels(images: Tensor, count: int, what: str) -> Any:
    """What is known of the sizes of images with so many channels."""
    return explained(
        lambda: last_of(images._dims, count),
        lambda: f"`{what}` takes images of shape [..., {count}], got {images.shape}",
    )


def rgb_to_grayscale(images: Any, name: str | None = None) -> Tensor:
    """How bright colors are: 0.2989 red + 0.587 green + 0.114 blue.

    Args:
      images: real tensor `[..., 3]`.
      name: name of the op.

    Returns: a tensor `[..., 1]` of the dtype of `images`.

    Raises:
      InvalidArgumentError: if the last size is not 3.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = [[1.0, 0.0, 0.0], [1.0, 1.0, 1.0]]
    ...     print(hf.image.rgb_to_grayscale(x).numpy().round(4).ravel())
    [0.2989 0.9999]
    """
    with name_scope(name, "rgb_to_grayscale", [images]) as scope:
        images = convert_to_tensor(images, name="images")
        dims = _with_channels(images, 3, "rgb_to_grayscale")
        colors = convert_image_dtype(images, dtypes.float32)
        axis = expand_dims(rank(images) - 1, 0)
        gray = reduce_sum(colors * _LUMA, axis, keep_dims=True)
        if dims is not None:
            gray.set_shape([*dims[:-1], 1])
        return convert_image_dtype(gray, images.dtype, name=scope)


def grayscale_to_rgb(images: Any, name: str | None = None) -> Tensor:
    """Gray images with three equal channels.

    Args:
      images: tensor `[..., 1]`.
      name: name of the op.

    Returns: a tensor `[..., 3]` of the dtype of `images`.

    Raises:
      InvalidArgumentError: if the last size is not 1.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.image.grayscale_to_rgb([[1], [2]]).numpy())
    [[1 1 1]
     [2 2 2]]
    """
    with name_scope(name, "grayscale_to_rgb", [images]) as scope:
        images = convert_to_tensor(images, name="images")
        _with_channels(images, 1, "grayscale_to_rgb")
        before = expand_dims(rank(images) - 1, 0)
        ones = raw.Fill(before, np.array(1, np.int32))
        rgb = tile(images, concat([ones, np.array([3], np.int32)], 0), name=scope)
        if images._dims is not None:
            rgb.set_shape([*images._dims[:-1], 3])
        return rgb
