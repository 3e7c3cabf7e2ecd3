"""Colors of images as hue, saturation and value, and changed by these; contrast.

Hue is a part of the circle, in [0, 1): red at 0, green at 1/3, blue at 2/3. The last size of images
is 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.op_def import OpDef, Sample, no_gradient, not_differentiable
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.allocation import number_of
from hybridflow._src.ops.families import FLOATS
from hybridflow._src.ops.images.shapes import invalid, last_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["hsv_to_rgb", "rgb_to_hsv"]


# -- meanings --------------------------------------------------------------------------------------


def _check_colors(x: np.ndarray, rank: int = 1) -> None:
    if x.ndim < rank or x.shape[-1] != 3:
        raise invalid(
            f"images must have at least {rank} dimensions, the last of size 3, got {list(x.shape)}"
        )


def _to_hsv(x: np.ndarray) -> np.ndarray:
    """Smith, Color gamut transform pairs, 1978."""
    _check_colors(x)
    kind = x.dtype.type
    red, green, blue = x[..., 0], x[..., 1], x[..., 2]
    value = x.max(axis=-1)
    with np.errstate(all="ignore"):
        span = value - x.min(axis=-1)
        saturation = np.where(value > 0, span / value, kind(0))
        norm = kind(1) / span * (kind(1) / kind(6))
        hue = np.where(
            red == value,
            norm * (green - blue),
            np.where(
                green == value,
                norm * (blue - red) + kind(2) / kind(6),
                norm * (red - green) + kind(4) / kind(6),
            ),
        )
        hue = np.where(span > 0, hue, kind(0))
        hue = np.where(hue < 0, hue + kind(1), hue)
    return np.stack([hue, saturation, value], axis=-1)


def _to_rgb(x: np.ndarray) -> np.ndarray:
    _check_colors(x)
    kind = x.dtype.type
    hue, saturation, value = x[..., 0], x[..., 1], x[..., 2]
    with np.errstate(all="ignore"):
        sixth = hue * kind(6)
        near = (
            np.abs(sixth - kind(3)) - kind(1),
            kind(2) - np.abs(sixth - kind(2)),
            kind(2) - np.abs(sixth - kind(4)),
        )
        parts = [np.minimum(np.maximum(part, kind(0)), kind(1)) for part in near]
        return np.stack(
            [(kind(1) - saturation + saturation * part) * value for part in parts], axis=-1
        )


# Where in each sixth of the circle red, green and blue stand: 0 the largest, 2 the smallest.
_ORDER = np.array([[0, 1, 2], [1, 0, 2], [2, 0, 1], [2, 1, 0], [1, 2, 0], [0, 2, 1]])


def _arranged(sixth: np.ndarray, *levels: np.ndarray) -> np.ndarray:
    """Colors of three levels, the largest first, in a sixth of the circle."""
    order = _ORDER[np.clip(sixth, 0, 5)]
    return np.take_along_axis(np.stack(levels, axis=-1).astype(np.float32), order, axis=-1)


def _turn_hue(images: np.ndarray, delta: np.ndarray) -> np.ndarray:
    """Hue moves on; the largest and the smallest of each color stay."""
    _check_colors(images, 3)
    turn = np.float32(number_of(delta, "delta"))
    if not np.isfinite(turn):
        raise invalid(f"delta must be finite, got {turn}")
    x = images.astype(np.float32)
    red, green, blue = x[..., 0], x[..., 1], x[..., 2]
    high, low = x.max(axis=-1), x.min(axis=-1)
    with np.errstate(all="ignore"):
        # In which sixth of the circle a color is, and how far in it.
        middle = np.maximum(np.minimum(red, green), np.minimum(np.maximum(red, green), blue))
        sixth = np.where(
            red < green,
            np.where(blue < red, 1, np.where(blue > green, 3, 2)),
            np.where(blue < green, 0, np.where(blue > red, 4, 5)),
        )
        ratio = (middle - low) / (high - low)
        hue = sixth + np.where(sixth % 2 == 0, ratio, np.float32(1) - ratio)
        hue = np.where(high == low, np.float32(0), hue.astype(np.float32))
        hue = hue + turn * np.float32(6)
        # TensorFlow adds and subtracts rounds until it is in the circle.
        rounds = np.floor(hue / np.float32(6))
        hue = hue - rounds * np.float32(6)
        hue = np.where(hue >= 6, hue - np.float32(6), hue)
        new = np.floor(np.nan_to_num(hue)).astype(np.int64)
        far = hue - new.astype(np.float32)
        middle = low + np.where(new % 2 == 0, far, np.float32(1) - far) * (high - low)
    return _arranged(new, high, middle, low).astype(images.dtype)


def _scale_saturation(images: np.ndarray, scale: np.ndarray) -> np.ndarray:
    _check_colors(images, 3)
    factor = np.float32(number_of(scale, "scale"))
    hsv = _to_hsv(images.astype(np.float32))
    with np.errstate(all="ignore"):
        saturation = np.minimum(np.float32(1), np.maximum(np.float32(0), hsv[..., 1] * factor))
    hue, value = hsv[..., 0], hsv[..., 2]
    with np.errstate(all="ignore"):
        chroma = saturation * value
        rest = value - chroma
        sixth = hue * np.float32(6)
        place = np.floor(np.nan_to_num(sixth)).astype(np.int64)
        # How far it is in a third of the circle, in (0, 2].
        third = sixth - np.float32(2) * np.floor(sixth / np.float32(2))
        middle = chroma * (np.float32(1) - np.abs(third - np.float32(1)))
    rgb = _arranged(place, chroma, middle, np.zeros_like(chroma))
    return (rgb + rest[..., None]).astype(images.dtype)


def _stretch(images: np.ndarray, contrast_factor: np.ndarray) -> np.ndarray:
    """The mean of each channel of each image stays."""
    if images.ndim < 3:
        raise invalid(f"images must be at least 3-D, got shape {list(images.shape)}")
    factor = np.float32(number_of(contrast_factor, "contrast_factor"))
    x = images.astype(np.float32)
    if not x.size:
        return images.copy()
    height, width = x.shape[-3:-1]
    total = x.sum(axis=(-3, -2), keepdims=True)
    mean = total * (np.float32(1) / np.float32(height * width))
    with np.errstate(all="ignore"):
        return (mean + factor * (x - mean)).astype(images.dtype)


# -- records ---------------------------------------------------------------------------------------


def _colors_shape(attrs: dict[str, Any], images: Tensor, *others: Tensor) -> shape_rules.Dims:
    for other in others:
        shape_rules.with_rank(other, 0)
    return last_of(shape_rules.with_rank_at_least(images, 3 if others else 1), 3)


def _contrast_shape(attrs: dict[str, Any], images: Tensor, factor: Tensor) -> shape_rules.Dims:
    shape_rules.with_rank(factor, 0)
    return shape_rules.with_rank_at_least(images, 3)


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for kind in (np.float32, np.float64):
        for shape in ((4, 5, 3), (3,), (0, 3)):
            yield Sample(rng.uniform(size=shape).astype(kind))
    few = np.array([[0, 0, 0], [1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0.5, 0.2]])
    yield Sample(few.astype(np.float32))


def _samples_with(*numbers: float, channels: int = 3) -> Callable[..., Iterable[Sample]]:
    def samples(rng: np.random.Generator) -> Iterable[Sample]:
        for number in numbers:
            for shape in ((4, 5, channels), (2, 3, 2, channels), (0, 2, channels)):
                x = rng.uniform(size=shape).astype(np.float32)
                yield Sample(x, np.array(number, np.float32))

    return samples


def _conversion(name: str, compute: Callable[[np.ndarray], np.ndarray]) -> OpDef:
    return OpDef(
        name,
        "images: T -> output: T",
        types=FLOATS,
        shape=_colors_shape,
        compute=compute,
        grad=not_differentiable,
        samples=_samples,
    )


def _adjustment(
    name: str,
    number: str,
    compute: Callable[[np.ndarray, np.ndarray], np.ndarray],
    samples: Callable[..., Iterable[Sample]],
    shape: Callable[..., shape_rules.Dims] = _colors_shape,
    grad: Callable[..., Any] = not_differentiable,
) -> OpDef:
    return OpDef(
        name,
        f"images: T, {number}: float32 -> output: T",
        types=(dtypes.float16, dtypes.float32),
        shape=shape,
        compute=compute,
        grad=grad,
        samples=samples,
    )


_to_hsv_op = _conversion("RGBToHSV", _to_hsv)
_to_rgb_op = _conversion("HSVToRGB", _to_rgb)
_adjustment("AdjustHue", "delta", _turn_hue, _samples_with(0.2, -0.7, 0.0, 1.5))
_adjustment("AdjustSaturation", "scale", _scale_saturation, _samples_with(0.5, 1.7, 0.0))
_adjustment(
    *("AdjustContrastv2", "contrast_factor", _stretch),
    _samples_with(0.5, 2.0, channels=2),
    _contrast_shape,
    no_gradient,
)


# -- functions -------------------------------------------------------------------------------------


def rgb_to_hsv(images: Any, name: str | None = None) -> Tensor:
    """Red, green and blue as hue, saturation and value.

    Args:
      images: float tensor `[..., 3]`, from 0 to 1.
      name: name of the op.

    Returns: a tensor like `images`. It has no gradient, as in TensorFlow.

    Raises:
      InvalidArgumentError: if the last size is not 3.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.image.rgb_to_hsv([[0.0, 0.5, 0.0], [0.5, 0.5, 0.5]]).numpy().round(3))
    [[0.333 1.    0.5  ]
     [0.    0.    0.5  ]]
    """
    found: Tensor = _to_hsv_op(images, name=name)
    return found


def hsv_to_rgb(images: Any, name: str | None = None) -> Tensor:
    """Hue, saturation and value as red, green and blue.

    Args:
      images: float tensor `[..., 3]`, from 0 to 1.
      name: name of the op.

    Returns: a tensor like `images`. It has no gradient, as in TensorFlow.

    Raises:
      InvalidArgumentError: if the last size is not 3.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.image.hsv_to_rgb([[0.0, 1.0, 0.5], [0.5, 0.5, 1.0]]).numpy())
    [[0.5 0.  0. ]
     [0.5 1.  1. ]]
    """
    found: Tensor = _to_rgb_op(images, name=name)
    return found
