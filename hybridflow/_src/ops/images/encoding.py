"""Images as the bytes of files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.formats.images import jpeg, png
from hybridflow._src.framework import dtypes, settings
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import OpDef, Sample, not_differentiable
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.arrays.constant import of_array
from hybridflow._src.ops.images.shapes import invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["encode_jpeg", "encode_png"]

# How many channels each format has; "" takes both.
_FORMATS = {"": (1, 3), "grayscale": (1,), "rgb": (3,)}
_UNITS = {"in": 1.0, "cm": 2.54}


def _check(image: np.ndarray, channels: tuple[int, ...]) -> None:
    if image.ndim != 3:
        raise invalid(f"image must be 3-dimensional, got shape {list(image.shape)}")
    if image.shape[2] not in channels:
        *some, last = map(str, channels)
        listed = f"{', '.join(some)} or {last}" if some else last
        raise invalid(f"image must have {listed} channels, got shape {list(image.shape)}")
    if not image.size:
        raise invalid(f"image must have pixels, got shape {list(image.shape)}")


def _packed(data: bytes) -> np.ndarray:
    found = np.empty((), object)
    found[()] = data
    return found


def _encode_png(image: np.ndarray, compression: int) -> np.ndarray:
    _check(image, (1, 2, 3, 4))
    return _packed(png.encode(image, compression))


def _encode_jpeg(
    image: np.ndarray,
    format: str,
    quality: int,
    progressive: bool,
    optimize_size: bool,
    chroma_downsampling: bool,
    density_unit: str,
    x_density: int,
    y_density: int,
    xmp_metadata: str,
) -> np.ndarray:
    _check(image, _FORMATS[format])
    unit = _UNITS[density_unit]
    file = jpeg.encode(
        image,
        quality=quality,
        progressive=progressive,
        optimized=optimize_size,
        halved=chroma_downsampling,
        density=(round(x_density * unit), round(y_density * unit)),
        xmp=xmp_metadata.encode(),
    )
    return _packed(file)


def _shape(attrs: dict[str, Any], image: Tensor) -> shape_rules.Dims:
    shape_rules.with_rank(image, 3)
    return ()


def _png_shape(attrs: dict[str, Any], image: Tensor) -> shape_rules.Dims:
    if not -1 <= attrs["compression"] <= 9:
        raise ValueError(f"compression should be in [-1,9], got {attrs['compression']}")
    return _shape(attrs, image)


def _jpeg_shape(attrs: dict[str, Any], image: Tensor) -> shape_rules.Dims:
    if attrs["format"] not in _FORMATS:
        raise ValueError(f"format must be '', grayscale or rgb, got {attrs['format']!r}")
    if not 0 <= attrs["quality"] <= 100:
        raise ValueError(f"quality must be in [0,100], got {attrs['quality']}")
    if attrs["density_unit"] not in _UNITS:
        raise ValueError(f"density_unit must be 'in' or 'cm', got {attrs['density_unit']!r}")
    return _shape(attrs, image)


def _png_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for channels in (1, 2, 3, 4):
        for kind in (np.uint8, np.uint16):
            yield Sample(rng.integers(0, 255, (3, 5, channels)).astype(kind))
    yield Sample(np.zeros((2, 2, 3), np.uint8), compression=0)


def _jpeg_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for channels in (1, 3):
        yield Sample(rng.integers(0, 255, (9, 5, channels)).astype(np.uint8))
    yield Sample(np.zeros((9, 5, 3), np.uint8), progressive=True, xmp_metadata="<x/>", quality=0)


_png_op = OpDef(
    "EncodePng",
    "image: T -> contents: string",
    types=(dtypes.uint8, dtypes.uint16),
    attrs={"compression": -1},
    shape=_png_shape,
    compute=_encode_png,
    grad=not_differentiable,
    samples=_png_samples,
    checked=True,
)
_jpeg_op = OpDef(
    "EncodeJpeg",
    "image: uint8 -> contents: string",
    attrs={
        "format": "",
        "quality": 95,
        "progressive": False,
        "optimize_size": False,
        "chroma_downsampling": True,
        "density_unit": "in",
        "x_density": 300,
        "y_density": 300,
        "xmp_metadata": "",
    },
    shape=_jpeg_shape,
    compute=_encode_jpeg,
    grad=not_differentiable,
    samples=_jpeg_samples,
    checked=True,
)


def _image(image: Any) -> Tensor:
    """An image, of bytes unless it says otherwise."""
    if isinstance(image, (list, tuple)):
        return of_array(np.asarray(image, np.uint8), dtypes.uint8, "image")
    return convert_to_tensor(image, name="image")


def encode_png(image: Any, compression: int = -1, name: str | None = None) -> Tensor:
    r"""An image as a PNG file. It needs Pillow: `pip install 'hybridflow[image]'`.

    Args:
      image: tensor `[height, width, channels]` of uint8 or uint16: gray, gray and alpha, RGB, RGBA.
      compression: from 0 (none) to 9; -1: as usual.
      name: name of the op.

    Returns: a string scalar.

    Raises:
      InvalidArgumentError: for another rank, other channels, or an image without pixels;
        ValueError for another compression. ImportError: without Pillow.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.image.encode_png(hf.zeros([2, 2, 3], hf.uint8)).numpy()[:4])
    b'\x89PNG'
    """
    compression = settings.whole(compression, "compression")
    found: Tensor = _png_op(_image(image), compression=compression, name=name)
    return found


def encode_jpeg(
    image: Any,
    format: str = "",
    quality: int = 95,
    progressive: bool = False,
    optimize_size: bool = False,
    chroma_downsampling: bool = True,
    density_unit: str = "in",
    x_density: int = 300,
    y_density: int = 300,
    xmp_metadata: str = "",
    name: str | None = None,
) -> Tensor:
    r"""An image as a JPEG file. It needs Pillow: `pip install 'hybridflow[image]'`.

    Args:
      image: uint8 tensor `[height, width, channels]`: gray or RGB.
      format: "grayscale" or "rgb"; "": as the channels say.
      quality: from 0 to 100.
      progressive: whether a coarse image comes first.
      optimize_size: whether the file is as small as can be; it takes longer.
      chroma_downsampling: whether colors have half the resolution.
      density_unit: "in" or "cm". x_density, y_density: dots an inch or a centimeter.
      xmp_metadata: what the file says about itself.
      name: name of the op.

    Returns: a string scalar.

    Raises:
      InvalidArgumentError: for another rank, other channels, or an image without pixels;
        ValueError for arguments that mean nothing. ImportError: without Pillow.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.image.encode_jpeg(hf.zeros([8, 8, 3], hf.uint8)).numpy()[:3])
    b'\xff\xd8\xff'
    """
    found: Tensor = _jpeg_op(
        _image(image),
        format=settings.string(format, "format"),
        quality=settings.whole(quality, "quality"),
        progressive=bool(progressive),
        optimize_size=bool(optimize_size),
        chroma_downsampling=bool(chroma_downsampling),
        density_unit=settings.string(density_unit, "density_unit"),
        x_density=settings.whole(x_density, "x_density"),
        y_density=settings.whole(y_density, "y_density"),
        xmp_metadata=settings.string(xmp_metadata, "xmp_metadata"),
        name=name,
    )
    return found
