"""Summaries of images and of sounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.formats import media, messages
from hybridflow._src.formats.images import png
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, Sample, not_differentiable
from hybridflow._src.ops.allocation import number_of
from hybridflow._src.ops.families import FLOATS
from hybridflow._src.ops.shape_rules import scalar
from hybridflow._src.ops.summaries.values import packed, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# What all values of an image are below to count as zero.
_ZERO = 1e-6
_RED = np.array([255, 0, 0, 255], np.uint8)


def _names(tag: np.ndarray, kind: str, most: int, count: int) -> Iterator[str]:
    """The tags of the first `most` of `count` items."""
    if most < 1:
        raise InvalidArgumentError(None, None, f"The most to show must be > 0, got {most}.")
    name = text(tag)
    for number in range(min(most, count)):
        yield f"{name}/{kind}/{number}" if most > 1 else f"{name}/{kind}"


def _images(
    tag: np.ndarray, tensor: np.ndarray, max_images: int, bad_color: np.ndarray
) -> np.ndarray:
    if tensor.ndim != 4 or tensor.shape[3] not in (1, 3, 4):
        raise InvalidArgumentError(
            None,
            None,
            f"Tensor must be 4-D with last dim 1, 3, or 4, not {list(tensor.shape)} "
            f"(tag '{text(tag)}')",
        )
    if bad_color.dtype != np.uint8 or bad_color.size < tensor.shape[3]:
        raise InvalidArgumentError(
            None, None, f"bad_color must be uint8 and have a value a channel: {bad_color!r}"
        )
    names = _names(tag, "image", max_images, len(tensor))
    return packed(
        messages.Summary.Value(tag=name, image=_image(pixels, bad_color))
        for name, pixels in zip(names, tensor, strict=False)
    )


def _image(pixels: np.ndarray, bad_color: np.ndarray) -> Any:
    if pixels.dtype != np.uint8:
        pixels = _normalized(pixels, bad_color[: pixels.shape[2]])
    height, width, channels = pixels.shape
    return messages.Summary.Image(
        height=height, width=width, colorspace=channels, encoded_image_string=png.encode(pixels)
    )


def _normalized(pixels: np.ndarray, bad_color: np.ndarray) -> np.ndarray:
    """Floats as bytes: zero as 128 where some are below it, the largest at the end of the range."""
    finite = np.isfinite(pixels).all(axis=2)
    known = pixels[finite]
    kind = pixels.dtype.type
    scale, offset = kind(0), kind(0)
    if known.size:
        least, greatest = np.float32(known.min()), np.float32(known.max())
        if least < 0:
            offset = kind(128)
            most, largest = np.float32(127), max(abs(least), abs(greatest))
        else:
            most, largest = np.float32(255), greatest
        if largest >= _ZERO:
            scale = kind(most / largest)
    shown = np.empty(pixels.shape, np.uint8)
    shown[finite] = (known * scale + offset).astype(np.uint8)
    shown[~finite] = bad_color
    return shown


def _sounds(
    tag: np.ndarray, tensor: np.ndarray, sample_rate: np.ndarray, max_outputs: int
) -> np.ndarray:
    if tensor.ndim not in (2, 3):
        raise InvalidArgumentError(
            None, None, f"Tensor must be 3-D or 2-D, got: {list(tensor.shape)} (tag '{text(tag)}')"
        )
    rate = number_of(sample_rate, "sample_rate")
    if not rate > 0:
        raise InvalidArgumentError(None, None, f"sample_rate must be > 0, got: {rate}")
    frames = tensor if tensor.ndim == 3 else tensor[:, :, None]
    names = _names(tag, "audio", max_outputs, len(frames))
    return packed(
        messages.Summary.Value(tag=name, audio=_sound(samples, rate))
        for name, samples in zip(names, frames, strict=False)
    )


def _sound(samples: np.ndarray, rate: float) -> Any:
    return messages.Summary.Audio(
        sample_rate=rate,
        num_channels=samples.shape[1],
        length_frames=samples.shape[0],
        encoded_audio_string=media.wav(samples, int(rate)),
        content_type="audio/wav",
    )


# -- records ---------------------------------------------------------------------------------------


def _image_samples(rng: np.random.Generator) -> Iterable[Sample]:
    tag = np.array(b"image", object)
    for channels, dtype in ((1, np.float32), (3, np.float64), (4, np.float16)):
        yield Sample(tag, rng.uniform(-1, 1, (2, 3, 2, channels)).astype(dtype))
    yield Sample(tag, rng.integers(0, 255, (2, 3, 2, 3)).astype(np.uint8), max_images=1)


def _sound_samples(rng: np.random.Generator) -> Iterable[Sample]:
    tag, rate = np.array(b"sound", object), np.array(44100.0, np.float32)
    yield Sample(tag, rng.uniform(-1.5, 1.5, (2, 10)).astype(np.float32), rate)
    yield Sample(tag, rng.uniform(-1, 1, (4, 10, 2)).astype(np.float32), rate, max_outputs=1)


OpDef(
    "ImageSummary",
    "tag: string, tensor: T -> summary: string",
    types={"T": (*FLOATS, dtypes.uint8)},
    attrs={"max_images": 3, "bad_color": _RED},
    shape=scalar,
    compute=_images,
    grad=not_differentiable,
    samples=_image_samples,
)
OpDef(
    "AudioSummaryV2",
    "tag: string, tensor: float32, sample_rate: float32 -> summary: string",
    attrs={"max_outputs": 3},
    shape=scalar,
    compute=_sounds,
    grad=not_differentiable,
    samples=_sound_samples,
)
