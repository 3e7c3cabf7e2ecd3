"""Images made brighter, stronger, more colorful; by chance too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.control_flow.ordering import with_dependencies
from hybridflow._src.ops.images.checking import require
from hybridflow._src.ops.images.converting import convert_image_dtype
from hybridflow._src.ops.math.elementwise import add
from hybridflow._src.ops.random.sampling import random_uniform

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_saturation",
    "random_brightness",
    "random_contrast",
    "random_hue",
    "random_saturation",
]


def _number(value: Any, name: str) -> Tensor:
    """A float32 scalar, of a number or of a real tensor."""
    found: Tensor = cast(convert_to_tensor(value, name=name), dtypes.float32)
    return found


def adjust_brightness(image: Any, delta: Any) -> Tensor:
    """Images that are brighter by the same amount everywhere.

    Args:
      image: real tensor; integers count as parts of their largest value.
      delta: a scalar to add, in (-1, 1).

    Returns: a tensor like `image`; what its dtype does not hold is cut off.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.constant([100, 250], hf.uint8)
    ...     print(hf.image.adjust_brightness(x, 0.1).numpy())
    [125 255]
    """
    with name_scope(None, "adjust_brightness", [image, delta]) as scope:
        image = convert_to_tensor(image, name="image")
        wide = convert_image_dtype(image, dtypes.float32)
        adjusted = add(wide, _number(delta, "delta"), name=scope)
        return convert_image_dtype(adjusted, image.dtype, saturate=True)


def adjust_contrast(images: Any, contrast_factor: Any) -> Tensor:
    """Images whose pixels differ more from the mean: `(x - mean) * contrast_factor + mean`.

    Args:
      images: real tensor `[..., height, width, channels]`; each channel of each image has its mean.
      contrast_factor: a scalar.

    Returns: a tensor like `images`; what its dtype does not hold is cut off.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.reshape([1.0, 3.0], [1, 2, 1])
    ...     print(hf.image.adjust_contrast(x, 2.0).numpy().ravel())
    [0. 4.]
    """
    with name_scope(None, "adjust_contrast", [images, contrast_factor]) as scope:
        images = convert_to_tensor(images, name="images")
        wide = convert_image_dtype(images, dtypes.float32)
        factor = _number(contrast_factor, "contrast_factor")
        adjusted = raw.AdjustContrastv2(wide, factor, name=scope)
        return convert_image_dtype(adjusted, images.dtype, saturate=True)


def adjust_gamma(image: Any, gamma: Any = 1, gain: Any = 1) -> Tensor:
    """Images whose middle is darker or brighter: `gain * (image / scale) ** gamma * scale`.

    The scale is the range of the dtype.

    Args:
      image: real tensor.
      gamma: a scalar that is not negative: above 1 darker, below it brighter.
      gain: a scalar.

    Returns: a float32 tensor of the shape of `image`.

    Raises:
      ValueError: if `gamma` is negative.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.constant([0, 127, 255], hf.uint8)
    ...     print(hf.image.adjust_gamma(x, gamma=2.0).numpy().round(1))
    [  0.   63.3 255. ]
    """
    with name_scope(None, "adjust_gamma", [image, gamma, gain]):
        image = convert_to_tensor(image, name="image")
        wide = cast(image, dtypes.float32)
        checks = require(gamma >= 0, "Gamma should be a non-negative real number.")
        if checks:
            gamma = with_dependencies(checks, gamma)
        low, high = image.dtype.limits
        scale = convert_to_tensor(float(high - low), dtypes.float32)
        found: Tensor = (wide / scale) ** gamma * scale * gain
        return found


def _in_float32(image: Any, change: Callable[[Tensor], Tensor]) -> Tensor:
    """Images changed as float32 ones, in the dtype that they had."""
    image = convert_to_tensor(image, name="image")
    changed = change(convert_image_dtype(image, dtypes.float32))
    return convert_image_dtype(changed, image.dtype)


def adjust_hue(image: Any, delta: Any, name: str | None = None) -> Tensor:
    """Images whose colors are others: hue, a part of the circle of colors, moves on.

    Args:
      image: real tensor `[..., height, width, 3]`; integers count as parts of their largest value.
      delta: a scalar: how much of the circle, in [-1, 1].
      name: scope of the ops.

    Returns: a tensor like `image`. It has no gradient, as in TensorFlow 1.4.

    Raises:
      InvalidArgumentError: if the last size is not 3.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     red = hf.reshape([1.0, 0.0, 0.0], [1, 1, 3])
    ...     print(hf.image.adjust_hue(red, 0.5).numpy().ravel())
    [0. 1. 1.]
    """
    with name_scope(name, "adjust_hue", [image]):
        return _in_float32(image, lambda x: raw.AdjustHue(x, _number(delta, "delta")))


def adjust_saturation(image: Any, saturation_factor: Any, name: str | None = None) -> Tensor:
    """Images of stronger or weaker colors.

    Args:
      image: real tensor `[..., height, width, 3]`; integers count as parts of their largest value.
      saturation_factor: a scalar: 0 for gray, above 1 for stronger colors.
      name: scope of the ops.

    Returns: a tensor like `image`. It has no gradient, as in TensorFlow 1.4.

    Raises:
      InvalidArgumentError: if the last size is not 3.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.reshape([1.0, 0.5, 0.5], [1, 1, 3])
    ...     print(hf.image.adjust_saturation(x, 0.5).numpy().ravel())
    [1.   0.75 0.75]
    """
    with name_scope(name, "adjust_saturation", [image]):
        return _in_float32(
            image,
            lambda x: raw.AdjustSaturation(x, _number(saturation_factor, "saturation_factor")),
        )


# -- by chance -------------------------------------------------------------------------------------


def _between(lower: float, upper: float, seed: int | None) -> Tensor:
    if upper <= lower:
        raise ValueError(f"upper must be > lower, got {upper} and {lower}.")
    if lower < 0:
        raise ValueError(f"lower must be non-negative, got {lower}.")
    return random_uniform([], lower, upper, seed=seed)


def random_brightness(image: Any, max_delta: float, seed: int | None = None) -> Tensor:
    """`adjust_brightness` by an amount drawn from [-max_delta, max_delta).

    Args:
      image: real tensor. max_delta: a number that is not negative.
      seed: seed of the op (see `set_random_seed`).

    Returns: a tensor like `image`.

    Raises:
      ValueError: if `max_delta` is negative.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     brighter = hf.image.random_brightness(hf.zeros([2, 2, 1]), 0.3, seed=1)
    >>> bool((abs(brighter.numpy()) <= 0.3).all())
    True
    """
    if max_delta < 0:
        raise ValueError(f"max_delta must be non-negative, got {max_delta}.")
    return adjust_brightness(image, random_uniform([], -max_delta, max_delta, seed=seed))


def random_contrast(image: Any, lower: float, upper: float, seed: int | None = None) -> Tensor:
    """`adjust_contrast` by a factor drawn from [lower, upper).

    Args:
      image: real tensor `[..., height, width, channels]`. lower, upper: bounds of the factor.
      seed: seed of the op (see `set_random_seed`).

    Returns: a tensor like `image`.

    Raises:
      ValueError: if `lower` is negative, or not below `upper`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.image.random_contrast(hf.zeros([2, 2, 1]), 0.5, 2.0, seed=1).shape.as_list()
    [2, 2, 1]
    """
    return adjust_contrast(image, _between(lower, upper, seed))


def random_hue(image: Any, max_delta: float, seed: int | None = None) -> Tensor:
    """`adjust_hue` by a part of the circle drawn from [-max_delta, max_delta).

    Args:
      image: real tensor `[..., height, width, 3]`. max_delta: a number from 0 to 0.5.
      seed: seed of the op (see `set_random_seed`).

    Returns: a tensor like `image`.

    Raises:
      ValueError: for a `max_delta` out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.image.random_hue(hf.zeros([2, 2, 3]), 0.1, seed=1).shape.as_list()
    [2, 2, 3]
    """
    if max_delta > 0.5:
        raise ValueError(f"max_delta must be <= 0.5, got {max_delta}.")
    if max_delta < 0:
        raise ValueError(f"max_delta must be non-negative, got {max_delta}.")
    return adjust_hue(image, random_uniform([], -max_delta, max_delta, seed=seed))


def random_saturation(image: Any, lower: float, upper: float, seed: int | None = None) -> Tensor:
    """`adjust_saturation` by a factor drawn from [lower, upper).

    Args:
      image: real tensor `[..., height, width, 3]`. lower, upper: bounds of the factor.
      seed: seed of the op (see `set_random_seed`).

    Returns: a tensor like `image`.

    Raises:
      ValueError: if `lower` is negative, or not below `upper`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.image.random_saturation(hf.zeros([2, 2, 3]), 0.5, 2.0, seed=1).shape.as_list()
    [2, 2, 3]
    """
    return adjust_saturation(image, _between(lower, upper, seed))
