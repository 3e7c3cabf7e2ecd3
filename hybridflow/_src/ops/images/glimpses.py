"""Windows on images, wherever they are; what is outside is noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes, random_numbers
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import OpDef, Sample, not_differentiable
from hybridflow._src.framework.philox import Philox
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.images import shapes
from hybridflow._src.ops.images.shapes import invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["extract_glimpse"]

_FLAGS = {"centered": True, "normalized": True, "uniform_noise": True}
# The op has no seed: its noise is the same in every call. (TensorFlow's is by the clock.)
_SEED = 1


def _compute(
    x: np.ndarray,
    size: np.ndarray,
    offsets: np.ndarray,
    centered: bool,
    normalized: bool,
    uniform_noise: bool,
) -> np.ndarray:
    if x.ndim != 4:
        raise invalid(f"input must be 4-dimensional, got shape {list(x.shape)}")
    height, width = shapes.new_size("ExtractGlimpse", x, size, x.dtype)
    if offsets.shape != (len(x), 2):
        raise invalid(f"offsets must have shape [{len(x)}, 2], got {list(offsets.shape)}")
    if not x.size:
        return np.zeros((len(x), height, width, x.shape[3]), x.dtype)
    sizes, window = np.array(x.shape[1:3], np.float32), np.array([height, width], np.float32)
    places = offsets.astype(np.float32)
    with np.errstate(all="ignore"):
        if normalized:
            places = places * sizes
        if centered:
            places = places / np.float32(2) + sizes / np.float32(2)
        places = places - window / np.float32(2)
        # What is no number, or huge, is outside of every image.
        far = 2.0**31
        places = np.clip(np.nan_to_num(np.trunc(places), nan=far), -far, far).astype(np.int64)
    generator = Philox(_SEED, 0)
    found = np.empty((len(x), height, width, x.shape[3]), x.dtype)
    for image, glimpse, (top, left) in zip(x, found, places.tolist(), strict=True):
        rows, columns = _overlap(top, height, len(image)), _overlap(left, width, image.shape[1])
        if rows[0].stop - rows[0].start < height or columns[0].stop - columns[0].start < width:
            glimpse[...] = _noise(generator, image, glimpse.shape, uniform_noise)
        glimpse[rows[0], columns[0]] = image[rows[1], columns[1]]
    return found


def _overlap(begin: int, length: int, size: int) -> tuple[slice, slice]:
    """Which part of a window is in an image, and which part of the image that is."""
    first, last = max(begin, 0), min(begin + length, size)
    if last <= first:
        return slice(0, 0), slice(0, 0)
    return slice(first - begin, last - begin), slice(first, last)


def _noise(
    generator: Philox, image: np.ndarray, shape: tuple[int, ...], uniform: bool
) -> np.ndarray:
    """Noise with the range of an image, or with mean and deviation of each of its channels."""
    count = int(np.prod(shape))
    with np.errstate(all="ignore"):
        if uniform:
            drawn = random_numbers.uniform(generator, count, image.dtype).reshape(shape)
            low = image.min()
            return low + drawn * (image.max() - low)
        drawn = random_numbers.normal(generator, count, image.dtype).reshape(shape)
        mean, deviation = image.mean(axis=(0, 1)), image.std(axis=(0, 1))
        return np.clip(mean + drawn * deviation, image.min(axis=(0, 1)), image.max(axis=(0, 1)))


def _shape(attrs: dict[str, Any], x: Tensor, size: Tensor, offsets: Tensor) -> shape_rules.Dims:
    count, _, _, channels = shape_rules.with_rank(x, 4)
    many, two = shape_rules.with_rank(offsets, 2)
    shape_rules.same_size(two, 2)
    return (shape_rules.same_size(count, many), *shapes.size_of(size), channels)


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    x = rng.uniform(size=(3, 5, 6, 2)).astype(np.float32)
    size = np.array([3, 4], np.int32)
    inside = np.array([[0.0, 0.0], [0.1, -0.2], [-0.3, 0.2]], np.float32)
    yield Sample(x, size, inside)
    for noise in (True, False):
        for centered, normalized, scale in (
            (True, True, 1.5),
            (False, True, 1.2),
            (False, False, 7),
        ):
            yield Sample(
                *(x, size, rng.uniform(-scale, scale, (3, 2)).astype(np.float32)),
                centered=centered,
                normalized=normalized,
                uniform_noise=noise,
            )


_op = OpDef(
    "ExtractGlimpse",
    "input: float32, size: int32, offsets: float32 -> glimpse: float32",
    attrs=_FLAGS,
    shape=_shape,
    compute=_compute,
    grad=not_differentiable,
    samples=_samples,
)


def extract_glimpse(
    input: Any,
    size: Any,
    offsets: Any,
    centered: bool = True,
    normalized: bool = True,
    uniform_noise: bool = True,
    name: str | None = None,
) -> Tensor:
    """Windows on images, one each. What of a window is outside of its image is noise.

    Args:
      input: float32 `[n, height, width, channels]`.
      size: int32 vector: height and width of the windows.
      offsets: float32 `[n, 2]`: the middle of each window, `[y, x]`.
      centered: whether offsets are from the middle of an image, and twice as far.
      normalized: whether they are parts of height and width: with `centered` -1 and 1 are the
        edges then, without it 0 and 1; else they are pixels.
      uniform_noise: whether noise has the range of the image; else it is normal, with mean and
        deviation of each channel. It is the same in every call (in TensorFlow it is not).
      name: name of the op.

    Returns: a float32 tensor `[n, *size, channels]`.

    Raises:
      InvalidArgumentError: for shapes that do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.reshape(hf.range(16.0), [1, 4, 4, 1])
    ...     print(hf.image.extract_glimpse(x, [2, 2], [[0.0, 0.5]]).numpy()[0, :, :, 0])
    [[ 6.  7.]
     [10. 11.]]
    """
    found: Tensor = _op(
        convert_to_tensor(input, dtypes.float32, "input"),
        convert_to_tensor(size, dtypes.int32, "size"),
        convert_to_tensor(offsets, dtypes.float32, "offsets"),
        centered=bool(centered),
        normalized=bool(normalized),
        uniform_noise=bool(uniform_noise),
        name=name,
    )
    return found
