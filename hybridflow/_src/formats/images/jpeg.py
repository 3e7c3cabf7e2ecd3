"""JPEG files, by Pillow's libjpeg."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from hybridflow._src.formats.images import pillow

SIGNATURE = b"\xff\xd8\xff"
# An end of the image, as often as a segment that lacks it may swallow.
_END = b"\xff\xd9" * (1 << 15)
# Each block of 8 by 8 pixels has two codes of a bit at least; in a progressive file, one.
_MOST_PIXELS_A_BYTE = 512


def sizes(data: bytes) -> tuple[int, int, int]:
    """Height, width and channels, as the header says.

    Raises:
      ValueError: for bytes that are no such file. ImportError: without Pillow.
    """
    image = _opened(data)
    return image.height, image.width, image.layers


def _opened(data: bytes) -> Any:
    if data[:3] != SIGNATURE:
        raise pillow.invalid("JPEG", data, "another signature")
    plugin = pillow.module("JpegImagePlugin")
    image = pillow.refusing("JPEG", data, plugin.JpegImageFile, io.BytesIO(data))
    # Sizes that a later header changes are not those of the scan.
    if len(image.tile) != 1 or image.tile[0][1] != (0, 0, *image.size):
        raise pillow.invalid("JPEG", data, "no image")
    return image


def decode(data: bytes, channels: int = 0, ratio: int = 1, recovering: bool = False) -> np.ndarray:
    """The pixels of a file.

    Args:
      data: the file.
      channels: 1 (gray) or 3 (RGB); 0: as many as the file has, three at most.
      ratio: by which the image is to be smaller: 1, 2, 4 or 8.
      recovering: whether what is missing at the end is made up.

    Returns: uint8 `[height, width, channels]`.

    Raises:
      ValueError: for bytes that are no such file. ImportError: without Pillow.
    """
    image = _opened(data)
    most = _MOST_PIXELS_A_BYTE * len(data)
    width, height = image.size
    pillow.check_sizes("JPEG", data, width, height, pillow.MOST_PIXELS if recovering else most)
    if recovering:
        image = _opened(data + _END)
    channels = channels or min(image.layers, 3)
    if channels == 1 and image.mode == "CMYK":
        raise pillow.invalid("JPEG", data, "four inks are not decoded as gray")
    _shrink(image, ratio, "L" if channels == 1 and image.mode == "RGB" else image.mode)
    pillow.refusing("JPEG", data, image.load)
    if image.mode == "CMYK":
        inks = np.asarray(image)
        # Pillow takes every such file to be Adobe's, where 255 is no ink.
        return _of_inks(inks if "adobe" in image.info else 255 - inks)
    if channels == 3 and image.mode == "L":
        image = image.convert("RGB")
    return np.array(image).reshape(image.height, image.width, channels)


def _shrink(image: Any, ratio: int, mode: str) -> None:
    """Has libjpeg decode an image smaller, and as gray, which it does at once.

    Pillow's `draft` does that too, but never makes an image smaller than a size.
    """
    ((codec, extents, offset, (layout, rest)),) = image.tile
    left, top, right, bottom = extents
    if mode != image.mode:
        image._mode = layout = mode
    width, height = -(-right // ratio), -(-bottom // ratio)
    image._size = (width, height)
    image.tile = [(codec, (left, top, width, height), offset, (layout, rest))]
    image.decoderconfig = (ratio, 0)


def _of_inks(inks: np.ndarray) -> np.ndarray:
    """Cyan, magenta, yellow and black, 255 for all of an ink, as RGB."""
    light = 255 - inks.astype(np.int32)
    return (light[..., :3] * light[..., 3:] // 255).astype(np.uint8)


def encode(
    pixels: np.ndarray,
    *,
    quality: int = 95,
    progressive: bool = False,
    optimized: bool = False,
    halved: bool = True,
    density: tuple[int, int] = (300, 300),
    xmp: bytes = b"",
) -> bytes:
    """A file.

    Args:
      pixels: uint8 `[height, width, channels]`: gray or RGB.
      quality: from 0 to 100. progressive: whether a coarse image comes first. optimized: whether
        it is as small as can be. halved: whether colors have half the resolution.
      density: dots an inch, across and down. xmp: metadata.

    Raises:
      ValueError: for what cannot be encoded. ImportError: without Pillow.
    """
    height, width, channels = pixels.shape
    if max(height, width) > 65500:
        raise ValueError(f"JPEG images have at most 65500 rows and columns, got {height}, {width}")
    mode = {1: "L", 3: "RGB"}[channels]
    image = pillow.module().frombytes(mode, (width, height), pixels.tobytes())
    file = io.BytesIO()
    options: dict[str, Any] = {"xmp": xmp} if xmp else {}
    if channels == 3:
        options["subsampling"] = 2 if halved else 0
    image.save(
        file,
        "JPEG",
        # Pillow takes 0 for "not said".
        quality=max(quality, 1),
        progressive=progressive,
        optimize=optimized,
        dpi=density,
        **options,
    )
    return file.getvalue()
