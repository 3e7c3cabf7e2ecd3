"""How alike images are: `psnr`, `ssim`, `ssim_multiscale`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.arranging import tile
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.joining import concat, stack
from hybridflow._src.ops.arrays.padding import pad
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.checks.comparing import assert_greater_equal
from hybridflow._src.ops.convolution.general import depthwise_conv2d
from hybridflow._src.ops.images.checking import after
from hybridflow._src.ops.images.converting import convert_image_dtype
from hybridflow._src.ops.math.exponential import log, pow
from hybridflow._src.ops.math.reductions import reduce_mean, reduce_prod
from hybridflow._src.ops.pooling.avg_pool import avg_pool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["psnr", "ssim", "ssim_multiscale"]

# Of Wang, Simoncelli and Bovik: how much each scale weighs, the finest first.
_POWERS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def _pair(img1: Any, img2: Any, max_val: Any) -> tuple[Any, Any, Any]:
    """Two images whose shapes fit, and the largest value, as float32."""
    one = convert_to_tensor(img1, name="img1")
    two = convert_to_tensor(img2, one.dtype.base_dtype, name="img2")
    for image in (one, two):
        if image.shape.ndims is not None and image.shape.ndims < 3:
            raise ValueError(f"Images must have 3 dimensions at least, got shape {image.shape}.")
    first, second = one.shape, two.shape
    if first.ndims is not None and second.ndims is not None:
        if not first[-3:].is_compatible_with(second[-3:]):
            raise ValueError(f"Two images are not compatible: {first} and {second}.")
        for size1, size2 in zip(reversed(first[:-3]), reversed(second[:-3]), strict=False):
            if None not in (size1, size2) and 1 not in (size1, size2) and size1 != size2:
                raise ValueError(f"Two images are not compatible: {first} and {second}.")
    largest = convert_image_dtype(cast(max_val, one.dtype.base_dtype), dtypes.float32)
    return (
        convert_image_dtype(one, dtypes.float32),
        convert_image_dtype(two, dtypes.float32),
        largest,
    )


def psnr(a: Any, b: Any, max_val: Any, name: str | None = None) -> Tensor:
    """The peak signal-to-noise ratio in decibels: `20 log10(max_val) - 10 log10(mean (a - b)^2)`.

    Args:
      a, b: tensors `[..., height, width, channels]` of images of one dtype.
      max_val: the largest value that pixels may have, such as 255 or 1.0, less the smallest.
      name: scope of the ops.

    Returns: a float32 tensor `[...]`; infinite for images that are the same.

    Raises:
      ValueError: if shapes do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.zeros([2, 2, 1])
    ...     print(hf.image.psnr(x, x + 0.1, max_val=1.0).numpy().round(3))
    20.0
    """
    with name_scope(name, "PSNR", [a, b]):
        one, two, largest = _pair(a, b, max_val)
        error = reduce_mean(raw.SquaredDifference(one, two), [-3, -2, -1])
        decibel = np.float32(10.0 / math.log(10.0))
        found: Tensor = 2.0 * decibel * log(largest) - decibel * log(error)
        return found


def _gaussian(size: int, sigma: float) -> np.ndarray:
    """A normalized bell `[size, size, 1, 1]`."""
    places = np.arange(size, dtype=np.float64) - (size - 1) / 2
    bell = np.exp(-0.5 * np.square(places / sigma))
    bell /= bell.sum()
    return np.outer(bell, bell).astype(np.float32)[:, :, None, None]


def _per_channel(
    one: Any, two: Any, largest: Any, size: int, sigma: float, k1: float, k2: float
) -> tuple[Any, Any]:
    """The mean over all places of the similarity, and of contrast and structure alone."""
    for axis in (-3, -2):
        known = None if one.shape.ndims is None else one.shape.as_list()[axis]
        if known is not None and known < size:
            raise ValueError(f"Images must be as large as the filter, {size}, got {one.shape}.")
    smallest = raw.Minimum(raw.Shape(one)[-3], raw.Shape(one)[-2])
    check = assert_greater_equal(smallest, size, message="Images are smaller than the filter.")
    one = after([check], one) if check is not None else one
    sizes = raw.Shape(one)
    channels = sizes[-1]
    kernel = tile(convert_to_tensor(_gaussian(size, sigma)), raw.Pack([1, 1, channels, 1], axis=0))
    c1, c2 = raw.Square(k1 * largest), raw.Square(k2 * largest)

    def blurred(x: Any) -> Any:
        """The weighted means around each place."""
        shape = raw.Shape(x)
        flat = reshape(x, concat([[-1], shape[-3:]], 0))
        known = None if x.shape.ndims is None else x.shape.as_list()[-3:]
        if known is not None:
            flat.set_shape([None, *known])
        y = depthwise_conv2d(flat, kernel, strides=[1, 1, 1, 1], padding="VALID")
        return reshape(y, concat([shape[:-3], raw.Shape(y)[1:]], 0))

    mean1, mean2 = blurred(one), blurred(two)
    products, squares = 2.0 * mean1 * mean2, raw.Square(mean1) + raw.Square(mean2)
    luminance = (products + c1) / (squares + c1)
    covariance = 2.0 * blurred(one * two) - products
    variance = blurred(raw.Square(one) + raw.Square(two)) - squares
    structure = (covariance + c2) / (variance + c2)
    return reduce_mean(luminance * structure, [-3, -2]), reduce_mean(structure, [-3, -2])


def ssim(
    img1: Any,
    img2: Any,
    max_val: Any,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
) -> Tensor:
    """The structural similarity of images: 1 for the same, near 0 for what has nothing in common.

    Means, variances and covariances around each place are taken by a Gaussian filter, without
    places where it reaches over the edge.

    Args:
      img1, img2: tensors `[..., height, width, channels]` of images of one dtype.
      max_val: the largest value that pixels may have, such as 255 or 1.0, less the smallest.
      filter_size, filter_sigma: size and width of the filter.
      k1, k2: small numbers that keep divisors from zero.

    Returns: a float32 tensor `[...]`, the mean over places and channels.

    Raises:
      ValueError: if shapes do not fit, or images are smaller than the filter.

    References:
      Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to
      structural similarity", 2004.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.random_uniform([16, 16, 3], seed=1)
    ...     print(hf.image.ssim(x, x, max_val=1.0).numpy().round(4))
    1.0
    """
    with name_scope(None, "SSIM", [img1, img2]):
        one, two, largest = _pair(img1, img2, max_val)
        similar, _ = _per_channel(one, two, largest, filter_size, filter_sigma, k1, k2)
        return reduce_mean(similar, [-1])


def _halved(image: Any) -> Any:
    """An image of half of the size; where a size is odd, its last row or column is doubled."""
    shape = raw.Shape(image)
    flat = reshape(image, concat([[-1], shape[-3:]], 0))
    if image.shape.ndims is not None:
        flat.set_shape([None, *image.shape.as_list()[-3:]])
    odd = shape[-3:-1] % 2
    more = raw.Pack([[0, 0], [0, odd[0]], [0, odd[1]], [0, 0]], axis=0)
    y = avg_pool(pad(flat, more, "SYMMETRIC"), [1, 2, 2, 1], [1, 2, 2, 1], "VALID")
    return reshape(y, concat([shape[:-3], raw.Shape(y)[1:]], 0))


def ssim_multiscale(
    img1: Any,
    img2: Any,
    max_val: Any,
    power_factors: Sequence[float] = _POWERS,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
) -> Tensor:
    """The structural similarity of images at several scales, each half as large as the one before.

    It is the product of contrast and structure at each scale, and luminance at the last one, to the
    power of their weights.

    Args:
      img1, img2, max_val, filter_size, filter_sigma, k1, k2: as for `ssim`.
      power_factors: the weights of the scales, the finest first.

    Returns: a float32 tensor `[...]`.

    Raises:
      ValueError: if shapes do not fit, or images are smaller than the filter at some scale.

    References:
      Wang, Simoncelli and Bovik, "Multiscale structural similarity for image quality assessment",
      2003.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.random_uniform([32, 32, 3], seed=1)
    ...     y = hf.image.ssim_multiscale(x, x, 1.0, power_factors=[0.5, 0.5])
    ...     print(y.numpy().round(4))
    1.0
    """
    with name_scope(None, "MS-SSIM", [img1, img2]):
        one, two, largest = _pair(img1, img2, max_val)
        options = filter_size, filter_sigma, k1, k2
        parts = []
        for scale in range(len(power_factors)):
            if scale:
                one, two = _halved(one), _halved(two)
            similar, structure = _per_channel(one, two, largest, *options)
            last = scale == len(power_factors) - 1
            parts.append(raw.Relu(similar if last else structure))
        powers = convert_to_tensor([float(power) for power in power_factors])
        return reduce_mean(reduce_prod(pow(stack(parts, -1), powers), [-1]), [-1])
