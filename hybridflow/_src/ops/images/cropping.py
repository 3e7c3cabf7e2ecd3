"""Images cut and padded to a size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.arrays.casting import to_double, to_int32
from hybridflow._src.ops.arrays.joining import stack
from hybridflow._src.ops.arrays.padding import pad
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.arrays.shape_ops import shape as shape_of
from hybridflow._src.ops.arrays.slicing import slice
from hybridflow._src.ops.images.checking import (
    after,
    as_batch,
    as_it_was,
    has_pixels,
    known,
    one_image,
    require,
    sizes_of,
)
from hybridflow._src.ops.math.comparison import equal
from hybridflow._src.ops.math.elementwise import maximum, minimum

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "central_crop",
    "crop_to_bounding_box",
    "pad_to_bounding_box",
    "resize_image_with_crop_or_pad",
]


def central_crop(image: Any, central_fraction: float) -> Tensor:
    """The middle of an image.

    Args:
      image: tensor `[height, width, channels]`.
      central_fraction: how much of height and of width stays: in (0, 1].

    Returns: a tensor of the dtype of `image`.

    Raises:
      ValueError: for another rank, an image without pixels, a fraction out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.reshape(hf.range(16), [4, 4, 1])
    ...     print(hf.image.central_crop(x, 0.5).numpy()[:, :, 0])
    [[ 5  6]
     [ 9 10]]
    """
    with name_scope(None, "central_crop", [image]):
        image = convert_to_tensor(image, name="image")
        fraction = float(central_fraction)
        if not 0.0 < fraction <= 1.0:
            raise ValueError(f"central_fraction must be within (0, 1], got {central_fraction}")
        if fraction == 1.0:
            return image
        image = one_image(image)
        dims = (None,) * 3 if image._dims is None else image._dims
        if dims[0] is not None and dims[1] is not None:
            begin = [int((n - n * fraction) / 2) for n in (dims[0], dims[1])]
            sizes = [dims[0] - 2 * begin[0], dims[1] - 2 * begin[1], -1]
            return slice(image, np.array([*begin, 0], np.int32), np.array(sizes, np.int32))
        sizes_now = shape_of(image)
        starts = [
            to_int32((n - n * fraction) / 2)
            for n in (to_double(sizes_now[0]), to_double(sizes_now[1]))
        ]
        left = [sizes_now[axis] - start * 2 for axis, start in enumerate(starts)]
        found = slice(image, stack([*starts, 0]), stack([*left, -1]))
        found.set_shape([None, None, dims[2]])
        return found


def pad_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Tensor:
    """Images with zeros around them, up to a size.

    Args:
      image: tensor `[n, height, width, channels]` or `[height, width, channels]`.
      offset_height: rows of zeros above; an int or an integer scalar, as the others.
      offset_width: columns of zeros on the left.
      target_height: height of the result.
      target_width: width of the result.

    Returns: a tensor like `image`, of that height and width.

    Raises:
      ValueError: for another rank, negative offsets, or a size that is too small.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.image.pad_to_bounding_box(hf.ones([1, 2, 1]), 1, 0, 2, 3).numpy()[:, :, 0])
    [[0. 0. 0.]
     [1. 1. 0.]]
    """
    with name_scope(None, "pad_to_bounding_box", [image]):
        images, many = as_batch(convert_to_tensor(image, name="image"))
        checks = has_pixels(images)
        count, height, width, channels = sizes_of(images)
        below = target_height - offset_height - height
        behind = target_width - offset_width - width
        checks += require(offset_height >= 0, "offset_height must be >= 0")
        checks += require(offset_width >= 0, "offset_width must be >= 0")
        checks += require(behind >= 0, "width must be <= target - offset")
        checks += require(below >= 0, "height must be <= target - offset")
        images = after(checks, images)
        amounts = stack([0, 0, offset_height, below, offset_width, behind, 0, 0])
        padded = pad(images, reshape(amounts, [4, 2]))
        padded.set_shape([known(n) for n in (count, target_height, target_width, channels)])
        return as_it_was(padded, many)


def crop_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Tensor:
    """A part of images.

    Args:
      image: tensor `[n, height, width, channels]` or `[height, width, channels]`.
      offset_height: rows above the part; an int or an integer scalar, as the others.
      offset_width: columns on its left.
      target_height: its height.
      target_width: its width.

    Returns: a tensor like `image`, of that height and width.

    Raises:
      ValueError: for another rank, negative offsets, sizes that are not positive, or a part that
        is not in the image.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.reshape(hf.range(6), [2, 3, 1])
    ...     print(hf.image.crop_to_bounding_box(x, 0, 1, 2, 2).numpy()[:, :, 0])
    [[1 2]
     [4 5]]
    """
    with name_scope(None, "crop_to_bounding_box", [image]):
        images, many = as_batch(convert_to_tensor(image, name="image"))
        checks = has_pixels(images)
        count, height, width, channels = sizes_of(images)
        checks += require(offset_width >= 0, "offset_width must be >= 0.")
        checks += require(offset_height >= 0, "offset_height must be >= 0.")
        checks += require(target_width > 0, "target_width must be > 0.")
        checks += require(target_height > 0, "target_height must be > 0.")
        checks += require(width >= target_width + offset_width, "width must be >= target + offset.")
        checks += require(
            height >= target_height + offset_height, "height must be >= target + offset."
        )
        images = after(checks, images)
        begin = stack([0, offset_height, offset_width, 0])
        cropped = slice(images, begin, stack([-1, target_height, target_width, -1]))
        cropped.set_shape([known(n) for n in (count, target_height, target_width, channels)])
        return as_it_was(cropped, many)


def resize_image_with_crop_or_pad(image: Any, target_height: Any, target_width: Any) -> Tensor:
    """Images of a size: their middle, with zeros around it where they are smaller.

    Args:
      image: tensor `[n, height, width, channels]` or `[height, width, channels]`.
      target_height: height of the result; an int or an integer scalar.
      target_width: width of the result.

    Returns: a tensor like `image`, of that height and width.

    Raises:
      ValueError: for another rank, or sizes that are not positive.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.reshape(hf.range(1, 4), [1, 3, 1])
    ...     print(hf.image.resize_image_with_crop_or_pad(x, 3, 1).numpy()[:, :, 0].T)
    [[0 2 0]]
    """
    with name_scope(None, "resize_image_with_crop_or_pad", [image]):
        images, many = as_batch(convert_to_tensor(image, name="image"))
        checks = has_pixels(images)
        checks += require(target_width > 0, "target_width must be > 0.")
        checks += require(target_height > 0, "target_height must be > 0.")
        images = after(checks, images)
        # Our checks come first, so that what they say is what is read.
        if isinstance(target_height, Tensor):
            target_height = after(checks, target_height)
        if isinstance(target_width, Tensor):
            target_width = after(checks, target_width)
        _, height, width, _ = sizes_of(images)
        more_columns, more_rows = target_width - width, target_height - height
        cropped = crop_to_bounding_box(
            images,
            _either(max, maximum, -more_rows // 2, 0),
            _either(max, maximum, -more_columns // 2, 0),
            _either(min, minimum, target_height, height),
            _either(min, minimum, target_width, width),
        )
        resized = pad_to_bounding_box(
            cropped,
            _either(max, maximum, more_rows // 2, 0),
            _either(max, maximum, more_columns // 2, 0),
            target_height,
            target_width,
        )
        _, height, width, _ = sizes_of(resized)
        checks = require(_equal(height, target_height), "resized height is not correct.")
        checks += require(_equal(width, target_width), "resized width is not correct.")
        return as_it_was(after(checks, resized), many)


def _either(numbers: Callable[..., Any], tensors: Callable[..., Any], a: Any, b: Any) -> Any:
    """What one of two functions gives: for numbers, or for tensors."""
    return (tensors if isinstance(a, Tensor) or isinstance(b, Tensor) else numbers)(a, b)


def _equal(a: Any, b: Any) -> Any:
    return _either(lambda x, y: x == y, equal, a, b)
