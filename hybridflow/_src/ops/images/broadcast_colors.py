"""Colors of television: brightness, and two differences from it; slopes of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.padding import pad
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.convolution.depthwise import depthwise_conv2d_native
from hybridflow._src.ops.linalg.contraction import tensordot

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "image_gradients",
    "rgb_to_yiq",
    "rgb_to_yuv",
    "sobel_edges",
    "yiq_to_rgb",
    "yuv_to_rgb",
]

# Parts of red, green and blue in the brightness, as of ITU-R BT.601, and the largest U and V.
_BRIGHTNESS = np.array([0.299, 0.587, 0.114])
_LARGEST = 0.43601035, 0.61497538
_YUV = np.stack(
    [
        _BRIGHTNESS,
        (np.array([0, 0, 1]) - _BRIGHTNESS) * (_LARGEST[0] / (1 - 0.114)),
        (np.array([1, 0, 0]) - _BRIGHTNESS) * (_LARGEST[1] / (1 - 0.299)),
    ],
    axis=1,
)
_YIQ = np.stack(
    [_BRIGHTNESS, [0.59590059, -0.27455667, -0.32134392], [0.2115, -0.52273617, 0.31119955]],
    axis=1,
)


def _converted(images: Any, matrix: np.ndarray, name: str) -> Tensor:
    with name_scope(None, name, [images]):
        images = convert_to_tensor(images, name="images")
        kernel = convert_to_tensor(matrix, images.dtype.base_dtype, name="kernel")
        found = tensordot(images, kernel, [[images.shape.ndims - 1], [0]])
        found.set_shape(images.shape)
        return found


def rgb_to_yuv(images: Any) -> Tensor:
    """Red, green and blue as brightness Y and the differences U and V. Of TensorFlow 1.15.

    Args:
      images: tensor `[..., 3]` of a floating dtype, of numbers in [0, 1].

    Returns: a tensor of its dtype and shape: Y in [0, 1], U and V in about [-0.5, 0.5].

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.image.rgb_to_yuv([[1.0, 0.0, 0.0]]).numpy().round(3))
    [[ 0.299 -0.147  0.615]]
    """
    return _converted(images, _YUV, "rgb_to_yuv")


def yuv_to_rgb(images: Any) -> Tensor:
    """The inverse of `rgb_to_yuv`. Of TensorFlow 1.15.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.image.yuv_to_rgb([[0.5, 0.0, 0.0]]).numpy().round(3))
    [[0.5 0.5 0.5]]
    """
    return _converted(images, np.linalg.inv(_YUV), "yuv_to_rgb")


def rgb_to_yiq(images: Any) -> Tensor:
    """Red, green and blue as brightness Y and the differences I and Q. Of TensorFlow 1.15.

    Arguments as of `rgb_to_yuv`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.image.rgb_to_yiq([[1.0, 0.0, 0.0]]).numpy().round(3))
    [[0.299 0.596 0.212]]
    """
    return _converted(images, _YIQ, "rgb_to_yiq")


def yiq_to_rgb(images: Any) -> Tensor:
    """The inverse of `rgb_to_yiq`. Of TensorFlow 1.15, whose matrix is that to four digits.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.image.yiq_to_rgb([[0.5, 0.0, 0.0]]).numpy().round(3))
    [[0.5 0.5 0.5]]
    """
    return _converted(images, np.linalg.inv(_YIQ), "yiq_to_rgb")


def _four(image: Any, name: str) -> Tensor:
    image = convert_to_tensor(image, name="image")
    if image.shape.ndims not in (None, 4):
        raise ValueError(
            f"{name} expects a 4D tensor [batch_size, h, w, d], not {image.shape} of {image}."
        )
    return image


def image_gradients(image: Any) -> tuple[Tensor, Tensor]:
    """The differences of neighbouring pixels, along columns and along rows. Of TensorFlow 1.15.

    Args:
      image: tensor `[batch, height, width, channels]`.

    Returns: `(dy, dx)`, tensors of its dtype and shape; 0 in the last row of the first and in the
      last column of the second.

    Raises:
      ValueError: for a tensor of another rank.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     dy, dx = hf.image.image_gradients(hf.reshape([1, 2, 5, 9], [1, 2, 2, 1]))
    ...     print(dy.numpy().ravel(), dx.numpy().ravel())
    [4 7 0 0] [1 0 4 0]
    """
    image = _four(image, "image_gradients")
    found: list[Tensor] = []
    for below, above, first in (
        (image[:, 1:], image[:, :-1], image[:, :1]),
        (image[:, :, 1:], image[:, :, :-1], image[:, :, :1]),
    ):
        axis = 1 + len(found)
        difference = concat([below - above, raw.ZerosLike(first)], axis)
        difference.set_shape(image.shape)
        found.append(difference)
    return found[0], found[1]


def sobel_edges(image: Any) -> Tensor:
    """Sobel's slopes of images, down and to the right. Of TensorFlow 1.15.

    The images go on at their edges as in a mirror.

    Args:
      image: tensor `[batch, height, width, channels]` of a floating dtype, at least two pixels high
        and wide.

    Returns: a tensor `[batch, height, width, channels, 2]` of its dtype.

    Raises:
      ValueError: for a tensor of another rank.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     image = hf.constant([[[[0.0], [1.0], [2.0]]] * 3])
    ...     print(hf.image.sobel_edges(image).numpy()[0, 1, :, 0].tolist())
    [[0.0, 0.0], [0.0, 8.0], [0.0, 0.0]]
    """
    with name_scope(None, "sobel_edges", [image]):
        image = _four(image, "sobel_edges")
        down = np.outer([-1, 0, 1], [1, 2, 1])
        filters = np.stack([down, down.T], axis=-1)[:, :, np.newaxis]
        channels = raw.Shape(image)[3]
        kernel = convert_to_tensor(filters, image.dtype.base_dtype)
        kernel = raw.Tile(kernel, raw.Pack([1, 1, channels, 1], axis=0))
        known = image.shape.as_list() if image.shape.ndims is not None else [None] * 4
        kernel.set_shape([3, 3, known[3], 2])
        padded = pad(image, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="REFLECT")
        slopes = depthwise_conv2d_native(padded, kernel, [1, 1, 1, 1], "VALID")
        found = reshape(slopes, concat([raw.Shape(image), [2]], 0))
        found.set_shape([*known, 2])
        return found
