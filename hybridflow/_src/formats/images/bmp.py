"""BMP files of 8, 24 or 32 bits a pixel, not compressed. Pixels lie in them as they are."""

from __future__ import annotations

import struct

import numpy as np

from hybridflow._src.formats.images import pillow

SIGNATURE = b"BM"


def decode(data: bytes, channels: int = 0) -> np.ndarray:
    """The pixels of a file. Palettes are not looked at: pixels of 8 bits are gray.

    Args:
      data: the file.
      channels: 1, 3 or 4, as the file has; 0: whichever it has.

    Returns: uint8 `[height, width, channels]`.

    Raises:
      ValueError: for bytes that are no such file, or one of another number of channels.
    """
    if len(data) < 32:
        raise ValueError(
            "Incomplete bmp content, requires at least 32 bytes to find the header size, width, "
            f"height, and bpp, got {len(data)} bytes"
        )
    start, _, width, height, _, bits, packing = struct.unpack_from("<iiiihHH", data, 10)
    found = bits // 8
    if channels and channels != found:
        raise ValueError(
            f"channels attribute {channels} does not match bits per pixel from file {found}"
        )
    if packing:
        raise ValueError("Compressed BMP files are not decoded")
    if found not in (1, 3, 4) or bits % 8:
        raise ValueError(f"Number of channels must be 1, 3 or 4, was {bits / 8:g}")
    rows = abs(height)
    pillow.check_sizes("BMP", data, width, rows, pillow.MOST_PIXELS)
    pitch = (bits * width + 31) // 32 * 4
    needed = start + (rows - 1) * pitch + width * found
    if start < 0 or needed > len(data):
        raise ValueError(
            f"Incomplete bmp content, requires at least {needed} bytes, got {len(data)} bytes"
        )
    # The last row need not be filled up.
    lines = np.zeros(rows * pitch, np.uint8)
    given = np.frombuffer(data, np.uint8, offset=start)[: lines.size]
    lines[: given.size] = given
    pixels = lines.reshape(rows, pitch)[:, : width * found].reshape(rows, width, found)
    if height > 0:
        pixels = pixels[::-1]
    if found > 1:
        # Blue comes first.
        pixels = pixels[..., [2, 1, 0, 3][:found]]
    return np.array(pixels, order="C")
