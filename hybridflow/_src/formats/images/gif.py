"""GIF files, by Pillow."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np

from hybridflow._src.formats.images import pillow

SIGNATURE = b"GIF8"
# A code of twelve bits stands for a string of at most 4096 pixels.
_MOST_PIXELS_A_BYTE = 2731


def decode(data: bytes) -> np.ndarray:
    """The frames of a file, each as one sees it: on top of those before.

    Returns: uint8 `[frames, height, width, 3]`.

    Raises:
      ValueError: for bytes that are no such file. ImportError: without Pillow.
    """
    if data[:4] != SIGNATURE or len(data) < 13:
        raise pillow.invalid("GIF", data, "another signature")
    width, height = struct.unpack_from("<HH", data, 6)
    pillow.check_sizes("GIF", data, width, height, pillow.MOST_PIXELS)
    frames = _count(data, (width, height))
    pillow.check_sizes("GIF", data, width, height * frames, pillow.MOST_PIXELS)
    found = np.empty((frames, height, width, 3), np.uint8)
    plugin = pillow.module("GifImagePlugin")
    pillow.refusing("GIF", data, _fill, plugin, data, found)
    return found


def _fill(plugin: Any, data: bytes, found: np.ndarray) -> None:
    image = plugin.GifImageFile(io.BytesIO(data))
    for number, frame in enumerate(found):
        image.seek(number)
        if image.size != (frame.shape[1], frame.shape[0]):
            raise ValueError("a frame that is larger than the image")
        frame[...] = np.asarray(image.convert("RGB"))


def _count(data: bytes, size: tuple[int, int]) -> int:
    """How many frames there are.

    Raises:
      ValueError: if blocks are missing, a frame has more pixels than its bytes can hold, or the
        first one is not as large as the image: whatever that is is not in the file.
    """
    at = 13 + _colors(data[10])
    frames = 0
    while True:
        block = data[at : at + 1]
        if block == b";":
            break
        if block == b"!":
            at += 2
        elif block == b",":
            if at + 10 > len(data):
                raise pillow.invalid("GIF", data, "it is truncated")
            left, top, width, height = struct.unpack_from("<HHHH", data, at + 1)
            if not frames and (left, top, width, height) != (0, 0, *size):
                raise pillow.invalid("GIF", data, "the first frame does not fill the image")
            at += 11 + _colors(data[at + 9])
            start = at
            frames += 1
        elif not block and frames:
            # What is missing may be the end alone.
            break
        else:
            raise pillow.invalid("GIF", data, "a block that means nothing")
        is_frame = block == b","
        while at < len(data) and data[at]:
            at += 1 + data[at]
        at += 1
        if is_frame and width * height > _MOST_PIXELS_A_BYTE * (at - start):
            raise pillow.invalid("GIF", data, f"too short for {width} by {height} pixels")
    if not frames:
        raise pillow.invalid("GIF", data, "it has no frames")
    return frames


def _colors(flags: int) -> int:
    """The length of a table of colors."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 128 else 0
