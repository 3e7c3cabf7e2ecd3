"""Files of images: what is written is read, and who is missing is named."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from tests.execution import Execution

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_loses_nothing(dtype: Any, channels: int, execution: Execution) -> None:
    for shape in ((1, 1), (7, 5), (30, 20)):
        image = RNG.integers(0, np.iinfo(dtype).max + 1, (*shape, channels)).astype(dtype)
        image[: shape[0] // 2] >>= 5
        for compression in (-1, 0, 9):
            found = execution(
                lambda x, compression=compression: hf.image.decode_png(
                    hf.image.encode_png(x, compression), dtype=x.dtype
                ),
                image,
            )
            np.testing.assert_array_equal(found, image, strict=True)


def test_smooth_images_of_16_bits_are_small() -> None:
    y, x = np.mgrid[:200, :256].astype(np.uint16)
    with hf.eager_mode():
        file = hf.image.encode_png(np.stack([y, x, (x + y) >> 1], axis=2)).numpy()
    assert len(file) < 1500


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"chroma_downsampling": False}])
@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_loses_little(channels: int, options: Any, execution: Execution) -> None:
    y, x = np.mgrid[:40, :50]
    image = np.uint8(np.stack([4 * x + y + 9 * c for c in range(channels)], axis=2))

    def again(x: Any) -> Any:
        file = hf.image.encode_jpeg(x, quality=98, xmp_metadata="<x/>", **options)
        return hf.image.decode_jpeg(file), hf.image.extract_jpeg_shape(file)

    found, shape = execution(again, image)
    assert np.abs(found.astype(int) - image).mean() < 2
    assert shape.tolist() == [40, 50, channels]


@pytest.mark.parametrize(
    ("function", "error", "match"),
    [
        (lambda: hf.image.encode_png(np.zeros((2, 2, 5), np.uint8)), ValueError, "1, 2, 3 or 4"),
        (lambda: hf.image.encode_png(np.zeros((2, 0, 3), np.uint8)), ValueError, "have pixels"),
        (lambda: hf.image.encode_png(np.zeros((2, 2, 3), np.uint8), 10), ValueError, "compression"),
        (lambda: hf.image.encode_jpeg(np.zeros((2, 2, 4), np.uint8)), ValueError, "1 or 3"),
        (
            lambda: hf.image.encode_jpeg(np.zeros((2, 2, 3), np.uint8), format="grayscale"),
            ValueError,
            "must have 1 channels",
        ),
        (
            lambda: hf.image.encode_jpeg(np.zeros((2, 2, 3), np.uint8), quality=101),
            ValueError,
            "quality must be in",
        ),
        (lambda: hf.image.decode_png(b"", channels=2), ValueError, "channels must be 0, 1, 3, or"),
        (lambda: hf.image.decode_png(b"", dtype=hf.int32), ValueError, "uint8 or uint16"),
        (lambda: hf.image.decode_jpeg(b"", ratio=3), ValueError, "ratio must be"),
        (lambda: hf.image.decode_image(b"", channels=2), ValueError, "channels must be in"),
        (lambda: hf.image.decode_image(b"BM", channels=1), ValueError, "decoding BMP"),
        (lambda: hf.image.decode_image(b"GIF", channels=4), ValueError, "decoding GIF"),
        (lambda: hf.image.decode_image(b"\xff\xd8\xff", channels=4), ValueError, "decoding JPEG"),
    ],
)
def test_refused(function: Any, error: Any, match: str, execution: Execution) -> None:
    with pytest.raises((error, hf.errors.InvalidArgumentError), match=match):
        execution(function)


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with hf.eager_mode():
        with pytest.raises(ImportError, match=r"Pillow, .* not installed: pip install 'hybridflow"):
            hf.image.encode_png(np.zeros((1, 1, 1), np.uint8))
        # These need none.
        assert hf.image.resize_images(np.zeros((2, 2, 1), np.float32), [3, 3]).shape == (3, 3, 1)


def test_what_is_a_jpeg():
    """Three bytes tell it, as in TensorFlow."""
    texts = [b"\xff\xd8\xff\xe0", b"\xff\xd8\xff", b"GIF89a"]
    with hf.eager_mode():
        assert [bool(hf.image.is_jpeg(text)) for text in texts] == [True, True, False]


def test_methods_have_tensorflows_numbers():
    method = hf.image.ResizeMethod
    numbers = [method.BILINEAR, method.NEAREST_NEIGHBOR, method.BICUBIC, method.AREA]
    assert numbers == [0, 1, 2, 3]
