"""Images in damaged files: `InvalidArgumentError`, or an image that the bytes may well hold."""

from __future__ import annotations

import random
import struct
import tracemalloc
import zlib

import numpy as np
import pytest

import hybridflow as hf
from tests.formats.test_damage import damaged
from tests.recorded import reader

FILES = {path.name: path.read_bytes() for path in sorted((reader.FOLDER / "images").iterdir())}
CASES = pytest.mark.parametrize(
    "cases", [60, pytest.param(2_600, marks=pytest.mark.slow)], ids=["some", "many"]
)
# So many pixels no byte of these formats stands for.
MOST_A_BYTE = 3_000


def checked(data: bytes) -> bytes:
    """A PNG file, whose chunks have right checksums as far as one can tell."""
    parts, at = [data[:8]], 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        content = data[at + 4 : at + 8 + length]
        parts += [data[at : at + 4], content, struct.pack(">I", zlib.crc32(content))]
        at += 12 + length
    return b"".join(parts)


def decode(data: bytes, name: str) -> np.ndarray:
    """What a decoder makes of bytes; each that there is for JPEG."""
    with hf.eager_mode():
        if name.endswith(".jpg"):
            hf.image.extract_jpeg_shape(data)
            hf.image.decode_jpeg(data, ratio=4)
        if name.endswith(".png"):
            hf.image.decode_png(data, channels=4, dtype=hf.uint16)
        if name.endswith(".bmp"):
            return hf.image.decode_bmp(data).numpy()
        return hf.image.decode_image(data).numpy()


@CASES
@pytest.mark.parametrize("name", FILES)
def test_damaged(name: str, cases: int) -> None:
    chance = random.Random(f"{name} {cases}")
    refused = 0
    for number in range(cases):
        data = damaged(FILES[name], chance)
        if name.endswith(".png") and number % 2:
            data = checked(data)
        try:
            image = decode(data, name)
        except hf.errors.InvalidArgumentError:
            refused += 1
        else:
            frames = len(image) if image.ndim == 4 else 1
            assert image.size <= 3 * frames * MOST_A_BYTE * len(data), (number, data)
    assert refused


def png_header(width: int, height: int, depth: int, kind: int) -> bytes:
    content = b"IHDR" + struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    rows = b"IDAT" + zlib.compress(bytes(1 << 16))
    parts = [b"\x89PNG\r\n\x1a\n"]
    for chunk in (content, rows, b"IEND"):
        parts += [struct.pack(">I", len(chunk) - 4), chunk, struct.pack(">I", zlib.crc32(chunk))]
    return b"".join(parts)


def jpeg_header(width: int, height: int) -> bytes:
    data = FILES["full.jpg"]
    at = data.index(b"\xff\xc0")
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


def gif_header(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + FILES["one.gif"][10:]


def bmp_header(width: int, height: int) -> bytes:
    data = FILES["rgb.bmp"]
    return data[:18] + struct.pack("<ii", width, height) + data[26:]


HUGE = {
    "png": png_header(1 << 20, 1 << 20, 8, 6),
    "png of few rows": png_header((1 << 31) - 1, 1, 8, 2),
    "png that would hold too little": png_header(20_000, 20_000, 16, 6),
    "png without width": png_header(0, 7, 8, 2),
    "jpeg": jpeg_header(65_500, 65_500),
    "jpeg that would hold too little": jpeg_header(9_000, 9_000),
    "gif": gif_header(65_535, 65_535),
    "bmp": bmp_header((1 << 31) - 1, (1 << 31) - 1),
    "bmp upside down": bmp_header(30_000, -30_000),
    "bmp of less than nothing": bmp_header(-1, 1),
}


@pytest.mark.parametrize("name", HUGE)
def test_sizes_that_cannot_be(name: str) -> None:
    with (
        hf.eager_mode(),
        pytest.raises(hf.errors.InvalidArgumentError, match=r"size|short|fill|Incompl"),
    ):
        hf.image.decode_image(HUGE[name])


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"?"]
)
def test_too_short(data: bytes) -> None:
    with hf.eager_mode():
        functions = [hf.image.decode_image, hf.image.decode_png, hf.image.decode_jpeg]
        functions += [hf.image.decode_gif, hf.image.decode_bmp, hf.image.extract_jpeg_shape]
        for function in functions:
            with pytest.raises(hf.errors.InvalidArgumentError):
                function(data)


def test_rows_that_expand_to_much_are_not_made() -> None:
    """What a chunk holds beyond the rows of an image is not inflated."""
    plain = png_header(2, 2, 8, 0)
    with hf.eager_mode():
        assert hf.image.decode_png(plain).shape == (2, 2, 1)
    at = plain.index(b"IDAT")
    packed = b"IDAT" + zlib.compress(bytes(1 << 28), 1)
    large = plain[: at - 4] + struct.pack(">I", len(packed) - 4) + packed
    large += struct.pack(">I", zlib.crc32(packed)) + plain[-12:]
    tracemalloc.start()
    try:
        with hf.eager_mode():
            assert hf.image.decode_png(large).shape == (2, 2, 1)
        assert tracemalloc.get_traced_memory()[1] < 8 * len(large)
    finally:
        tracemalloc.stop()
