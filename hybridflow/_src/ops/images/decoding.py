"""Images out of the bytes of files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.formats.images import bmp, gif, jpeg, png
from hybridflow._src.framework import dtypes, settings
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import OpDef, Sample, not_differentiable
from hybridflow._src.framework.scopes import control_dependencies, name_scope
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.allocation import number_of
from hybridflow._src.ops.control_flow.conditional import cond
from hybridflow._src.ops.control_flow.debugging import Assert
from hybridflow._src.ops.images.shapes import invalid
from hybridflow._src.ops.math.comparison import equal
from hybridflow._src.ops.strings.splitting import substr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "decode_and_crop_jpeg",
    "decode_bmp",
    "decode_gif",
    "decode_image",
    "decode_jpeg",
    "decode_png",
    "extract_jpeg_shape",
    "is_jpeg",
]

_CHANNELS = (0, 1, 3, 4)
_JPEG = {
    "channels": 0,
    "ratio": 1,
    "fancy_upscaling": True,
    "try_recover_truncated": False,
    "acceptable_fraction": 1.0,
    "dct_method": "",
}


# -- meanings --------------------------------------------------------------------------------------


def _bytes_of(contents: np.ndarray) -> bytes:
    found: bytes = number_of(contents, "contents")
    return found


def _decode(
    contents: np.ndarray,
    channels: int,
    kind: np.dtype,
    ratio: int = 1,
    recovering: bool = False,
) -> np.ndarray:
    """An image of whichever kind the first bytes say: all ops take all that they know."""
    data = _bytes_of(contents)
    if kind != np.uint8 and not data.startswith(png.SIGNATURE):
        raise invalid("Only PNG images are decoded to uint16")
    if data.startswith(jpeg.SIGNATURE):
        if channels == 4:
            raise invalid("channels must be 0, 1, or 3 for JPEG, got 4")
        return jpeg.decode(data, channels, ratio, recovering)
    if data.startswith(png.SIGNATURE):
        return png.decode(data, channels, 8 * kind.itemsize)
    if data.startswith(gif.SIGNATURE):
        if channels not in (0, 3):
            raise invalid(f"channels must be 0 or 3 for GIF, got {channels}")
        return gif.decode(data)
    what = f"unknown format starting with {data[:16]!r}" if data else "empty file"
    raise invalid(f"Expected image (JPEG, PNG, or GIF), got {what}")


def _one(image: np.ndarray) -> np.ndarray:
    """An image, which a file with several frames is not."""
    if image.ndim == 3:
        return image
    if len(image) > 1:
        raise invalid(
            f"Got {len(image)} frames, but animated gifs can only be decoded by hf.image.decode_gif"
        )
    found: np.ndarray = image[0]
    return found


def _decode_png(contents: np.ndarray, channels: int, dtype: DType) -> np.ndarray:
    return _one(_decode(contents, channels, dtype.np))


def _decode_jpeg(
    contents: np.ndarray,
    channels: int,
    ratio: int,
    fancy_upscaling: bool,
    try_recover_truncated: bool,
    acceptable_fraction: float,
    dct_method: str,
) -> np.ndarray:
    kind = np.dtype(np.uint8)
    return _one(_decode(contents, channels, kind, ratio, try_recover_truncated))


def _decode_part(contents: np.ndarray, crop_window: np.ndarray, **attrs: Any) -> np.ndarray:
    if crop_window.shape != (4,):
        raise invalid(f"crop_window must have four elements, got shape {list(crop_window.shape)}")
    data = _bytes_of(contents)
    if not data.startswith(jpeg.SIGNATURE):
        raise invalid("Only JPEG images are cropped while they are decoded")
    image = _decode_jpeg(contents, **attrs)
    top, left, height, width = crop_window.tolist()
    rows, columns = image.shape[:2]
    if (
        min(top, left) < 0
        or min(height, width) <= 0
        or top + height > rows
        or left + width > columns
    ):
        raise invalid(
            f"Invalid JPEG data or crop window: y={top}, x={left}, height={height}, width={width} "
            f"for an image of {rows} by {columns}"
        )
    return np.array(image[top : top + height, left : left + width], order="C")


def _decode_gif(contents: np.ndarray) -> np.ndarray:
    image = _decode(contents, 3, np.dtype(np.uint8))
    return image if image.ndim == 4 else image[None]


def _jpeg_shape(contents: np.ndarray, output_type: DType) -> np.ndarray:
    return np.array(jpeg.sizes(_bytes_of(contents)), output_type.np)


# -- records ---------------------------------------------------------------------------------------


def _check(attrs: dict[str, Any]) -> None:
    channels = attrs["channels"]
    if channels not in _CHANNELS:
        raise ValueError(f"channels must be 0, 1, 3, or 4, got {channels}")
    if attrs.get("ratio", 1) not in (1, 2, 4, 8):
        raise ValueError(f"ratio must be 1, 2, 4, or 8, got {attrs['ratio']}")
    method = attrs.get("dct_method", "")
    if method not in ("", "INTEGER_FAST", "INTEGER_ACCURATE"):
        raise ValueError(
            f"dct_method must be one of '', 'INTEGER_FAST', 'INTEGER_ACCURATE', got {method!r}"
        )
    dtype = attrs.get("dtype", dtypes.uint8)
    if dtype not in (dtypes.uint8, dtypes.uint16):
        raise ValueError(f"dtype must be uint8 or uint16, got {dtype.name}")


def _shape(attrs: dict[str, Any], contents: Tensor, *window: Tensor) -> shape_rules.Dims:
    shape_rules.with_rank(contents, 0)
    _check(attrs)
    channels = attrs["channels"] or None
    if not window:
        return (None, None, channels)
    shape_rules.same_size(shape_rules.with_rank(window[0], 1)[0], 4)
    known = constant_value(window[0])
    # What is wrong with it is told when it runs.
    if known is None or known.min() < 0:
        return (None, None, channels)
    return (*known.tolist()[2:], channels)


def _gif_shape(attrs: dict[str, Any], contents: Tensor) -> shape_rules.Dims:
    shape_rules.with_rank(contents, 0)
    return (None, None, None, 3)


def _sizes_shape(attrs: dict[str, Any], contents: Tensor) -> shape_rules.Dims:
    shape_rules.with_rank(contents, 0)
    return (3,)


def _contents(data: bytes) -> np.ndarray:
    return np.array(data, object)


def _pixels(rng: np.random.Generator, *shape: int, kind: Any = np.uint8) -> np.ndarray:
    return rng.integers(0, np.iinfo(kind).max, shape).astype(kind)


def _png_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for channels in (1, 3, 4):
        file = _contents(png.encode(_pixels(rng, 3, 5, channels)))
        yield Sample(file)
        yield Sample(file, channels=1)
        yield Sample(file, channels=3)
    yield Sample(_contents(png.encode(_pixels(rng, 3, 2, 3, kind=np.uint16))), dtype=dtypes.uint16)


def _jpegs(rng: np.random.Generator) -> Iterable[np.ndarray]:
    for channels in (1, 3):
        yield _contents(jpeg.encode(_pixels(rng, 9, 11, channels)))


def _jpeg_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for file in _jpegs(rng):
        yield Sample(file)
        yield Sample(file, channels=1, ratio=2)


def _part_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for file in _jpegs(rng):
        yield Sample(file, np.array([1, 2, 5, 7], np.int32))


def _gif_samples(rng: np.random.Generator) -> Iterable[Sample]:
    yield Sample(_contents(png.encode(_pixels(rng, 3, 5, 3))))


def _sizes_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for file in _jpegs(rng):
        yield Sample(file)
        yield Sample(file, output_type=dtypes.int64)


def _bmp_samples(rng: np.random.Generator) -> Iterable[Sample]:
    header = b"BM" + bytes(8) + b"\x36\0\0\0\x28\0\0\0" + b"\2\0\0\0\2\0\0\0\1\0\x18\0" + bytes(24)
    yield Sample(_contents(header + bytes(range(16))))


def _record(
    name: str,
    signature: str,
    compute: Callable[..., np.ndarray],
    samples: Callable[..., Iterable[Sample]],
    attrs: dict[str, Any],
    shape: Callable[..., shape_rules.Dims] = _shape,
) -> OpDef:
    return OpDef(
        name,
        signature,
        attrs=attrs,
        shape=shape,
        compute=compute,
        grad=not_differentiable,
        samples=samples,
        checked=True,
    )


_png_op = _record(
    "DecodePng",
    "contents: string -> image: dtype",
    _decode_png,
    _png_samples,
    {"channels": 0, "dtype": dtypes.uint8},
)
_jpeg_op = _record(
    "DecodeJpeg", "contents: string -> image: uint8", _decode_jpeg, _jpeg_samples, _JPEG
)
_part_op = _record(
    "DecodeAndCropJpeg",
    "contents: string, crop_window: int32 -> image: uint8",
    _decode_part,
    _part_samples,
    _JPEG,
)
_gif_op = _record(
    "DecodeGif", "contents: string -> image: uint8", _decode_gif, _gif_samples, {}, _gif_shape
)
_bmp_op = _record(
    "DecodeBmp",
    "contents: string -> image: uint8",
    lambda contents, channels: bmp.decode(_bytes_of(contents), channels),
    _bmp_samples,
    {"channels": 0},
)
_sizes_op = _record(
    "ExtractJpegShape",
    "contents: string -> image_shape: output_type",
    _jpeg_shape,
    _sizes_samples,
    {"output_type": dtypes.int32},
    _sizes_shape,
)


# -- functions -------------------------------------------------------------------------------------


def decode_png(
    contents: Any, channels: int | None = 0, dtype: Any = dtypes.uint8, name: str | None = None
) -> Tensor:
    """The image in a PNG file. It needs Pillow: `pip install 'hybridflow[image]'`.

    Args:
      contents: a string scalar: the file. JPEG files are decoded too.
      channels: 1 (gray), 3 (RGB) or 4 (RGBA); 0: as many as the file has, which for a palette is 1.
      dtype: `uint8` or `uint16`.
      name: name of the op.

    Returns: a tensor `[height, width, channels]` of that dtype.

    Raises:
      InvalidArgumentError: for bytes that are no image, whole and sound; ValueError for other
        channels or dtypes. ImportError: without Pillow.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     file = hf.image.encode_png(hf.constant([[[1], [2]]], hf.uint8))
    ...     print(hf.image.decode_png(file).numpy()[:, :, 0])
    [[1 2]]
    """
    dtype = dtypes.as_dtype(dtype)
    found: Tensor = _png_op(contents, channels=_count(channels), dtype=dtype, name=name)
    return found


def _count(channels: Any) -> int:
    return 0 if channels is None else settings.whole(channels, "channels")


def decode_jpeg(
    contents: Any,
    channels: int | None = 0,
    ratio: int = 1,
    fancy_upscaling: bool = True,
    try_recover_truncated: bool = False,
    acceptable_fraction: float = 1,
    dct_method: str = "",
    name: str | None = None,
) -> Tensor:
    """The image in a JPEG file. It needs Pillow: `pip install 'hybridflow[image]'`.

    Args:
      contents: a string scalar: the file. PNG files are decoded too.
      channels: 1 (gray) or 3 (RGB); 0: as many as the file has, three at most.
      ratio: by which the image is to be smaller: 1, 2, 4 or 8.
      fancy_upscaling: has no effect: colors of lower resolution are always interpolated.
      try_recover_truncated: whether what is missing at the end of the file is made up.
      acceptable_fraction: has no effect: without the above, all of the image must be there.
      dct_method: has no effect: the accurate transform is always used. (TensorFlow's default is the
        quick one; pixels differ by a few units of 255.)
      name: name of the op.

    Returns: a uint8 tensor `[height, width, channels]`.

    Raises:
      InvalidArgumentError: for bytes that are no image; ValueError for arguments that mean nothing.
        ImportError: without Pillow.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     file = hf.image.encode_jpeg(hf.fill([8, 16, 3], hf.constant(128, hf.uint8)))
    ...     print(hf.image.decode_jpeg(file, ratio=2).shape)
    (4, 8, 3)
    """
    attrs = _jpeg_attrs(
        *(channels, ratio, fancy_upscaling, try_recover_truncated, acceptable_fraction, dct_method)
    )
    found: Tensor = _jpeg_op(contents, name=name, **attrs)
    return found


def _jpeg_attrs(
    channels: Any, ratio: Any, fancy: Any, recovering: Any, fraction: Any, method: Any
) -> dict[str, Any]:
    return {
        "channels": _count(channels),
        "ratio": settings.whole(1 if ratio is None else ratio, "ratio"),
        "fancy_upscaling": bool(fancy),
        "try_recover_truncated": bool(recovering),
        "acceptable_fraction": float(fraction),
        "dct_method": settings.string(method, "dct_method"),
    }


def decode_and_crop_jpeg(
    contents: Any,
    crop_window: Any,
    channels: int | None = 0,
    ratio: int = 1,
    fancy_upscaling: bool = True,
    try_recover_truncated: bool = False,
    acceptable_fraction: float = 1,
    dct_method: str = "",
    name: str | None = None,
) -> Tensor:
    """A part of the image in a JPEG file.

    Args:
      contents: a string scalar: the file.
      crop_window: int32 vector `[top, left, height, width]`, in pixels of the result of
        `decode_jpeg`.
      others: as of `decode_jpeg`.

    Returns: a uint8 tensor `[height, width, channels]`.

    Raises:
      InvalidArgumentError: for bytes that are no JPEG image, or a part that is not in it.
        ImportError: without Pillow.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     file = hf.image.encode_jpeg(hf.fill([8, 16, 3], hf.constant(128, hf.uint8)))
    ...     print(hf.image.decode_and_crop_jpeg(file, [1, 2, 3, 4]).shape)
    (3, 4, 3)
    """
    attrs = _jpeg_attrs(
        *(channels, ratio, fancy_upscaling, try_recover_truncated, acceptable_fraction, dct_method)
    )
    window = convert_to_tensor(crop_window, dtypes.int32, "crop_window")
    found: Tensor = _part_op(contents, window, name=name, **attrs)
    return found


def decode_gif(contents: Any, name: str | None = None) -> Tensor:
    """The frames in a GIF file. It needs Pillow: `pip install 'hybridflow[image]'`.

    Args:
      contents: a string scalar: the file. A PNG or JPEG file has one frame.
      name: name of the op.

    Returns: a uint8 tensor `[frames, height, width, 3]`: each frame as one sees it, on top of those
      before. The first one has to fill the image. (TensorFlow 1.4 asks that of all.)

    Raises:
      InvalidArgumentError: for bytes that are no image. ImportError: without Pillow.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     file = hf.image.encode_png(hf.zeros([2, 5, 3], hf.uint8))
    ...     print(hf.image.decode_gif(file).shape)
    (1, 2, 5, 3)
    """
    found: Tensor = _gif_op(contents, name=name)
    return found


def decode_bmp(contents: Any, channels: int | None = 0, name: str | None = None) -> Tensor:
    r"""The image in a BMP file of 8, 24 or 32 bits a pixel, not compressed, without a palette.

    Args:
      contents: a string scalar: the file.
      channels: 1, 3 or 4, as the file has; 0: whichever it has.
      name: name of the op.

    Returns: a uint8 tensor `[height, width, channels]`.

    Raises:
      InvalidArgumentError: for bytes that are no such image, or one of other channels.

    >>> import hybridflow as hf
    >>> header = b"BM" + bytes(8) + b"\x36\0\0\0\x28\0\0\0"  # where pixels start
    >>> header += b"\1\0\0\0\1\0\0\0\1\0\x18\0" + bytes(24)  # one pixel of 24 bits
    >>> with hf.eager_mode():
    ...     print(hf.image.decode_bmp(header + b"\1\2\3\0").numpy())
    [[[3 2 1]]]
    """
    found: Tensor = _bmp_op(contents, channels=_count(channels), name=name)
    return found


def extract_jpeg_shape(
    contents: Any, output_type: Any = dtypes.int32, name: str | None = None
) -> Tensor:
    """Height, width and channels of a JPEG file, whose image is not decoded.

    Args:
      contents: a string scalar: the file.
      output_type: `int32` or `int64`.
      name: name of the op.

    Returns: a vector of three sizes.

    Raises:
      InvalidArgumentError: for bytes that are no JPEG image. ImportError: without Pillow.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     file = hf.image.encode_jpeg(hf.zeros([8, 16, 3], hf.uint8))
    ...     print(hf.image.extract_jpeg_shape(file).numpy())
    [ 8 16  3]
    """
    output_type = dtypes.as_dtype(output_type)
    if output_type not in (dtypes.int32, dtypes.int64):
        raise TypeError(f"output_type must be int32 or int64, got {output_type.name}")
    found: Tensor = _sizes_op(contents, output_type=output_type, name=name)
    return found


def is_jpeg(contents: Any, name: str | None = None) -> Tensor:
    """Whether bytes start like a JPEG file. (Later than TensorFlow 1.4.)

    Args:
      contents: a string scalar.
      name: scope of the ops.

    Returns: a boolean scalar.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.image.is_jpeg(b"GIF89a").numpy())
    False
    """
    with name_scope(name, "is_jpeg"):
        return equal(substr(contents, 0, 3), jpeg.SIGNATURE, name="is_jpeg")


def decode_image(contents: Any, channels: int | None = None, name: str | None = None) -> Tensor:
    """The image in a JPEG, PNG, GIF or BMP file, whichever its first bytes say.

    Args:
      contents: a string scalar: the file.
      channels: 1, 3 or 4; None or 0: as many as the file has.
      name: scope of the ops.

    Returns: a uint8 tensor `[height, width, channels]`, of a GIF file `[frames, height, width, 3]`.
      So in a graph its shape is not known: use `set_shape`.

    Raises:
      ValueError: for other channels. InvalidArgumentError: for bytes that are no image, or channels
        that the format has not. ImportError: without Pillow (but not for BMP).

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     file = hf.image.encode_png(hf.zeros([2, 5, 1], hf.uint8))
    ...     print(hf.image.decode_image(file, channels=3).shape)
    (2, 5, 3)
    """
    with name_scope(name, "decode_image"):
        if channels not in (None, 0, 1, 3, 4):
            raise ValueError(f"channels must be in (None, 0, 1, 3, 4), got {channels!r}")
        wanted = channels or 0
        contents = convert_to_tensor(contents, dtypes.string, "contents")
        start = substr(contents, 0, 3)

        def allowed(kind: str, refused: tuple[int, ...]) -> list[Any]:
            """Checks that a kind of file can have so many channels."""
            some = ", ".join(str(n) for n in (None, *_CHANNELS) if n not in refused)
            message = f"Channels must be in ({some}) when decoding {kind} images, got {wanted}"
            check = Assert(convert_to_tensor(wanted not in refused), [message])
            return [] if check is None else [check]

        def of_bmp() -> Tensor:
            is_bmp = equal(substr(contents, 0, 2), bmp.SIGNATURE, name="is_bmp")
            check = Assert(is_bmp, ["Unable to decode bytes as JPEG, PNG, GIF, or BMP"])
            checks = [*([] if check is None else [check]), *allowed("BMP", (1,))]
            with control_dependencies(checks):
                return decode_bmp(contents, wanted)

        def of_gif() -> Tensor:
            with control_dependencies(allowed("GIF", (1, 4))):
                return decode_gif(contents)

        def of_png() -> Tensor:
            return decode_png(contents, wanted)

        def of_jpeg() -> Tensor:
            with control_dependencies(allowed("JPEG", (4,))):
                return decode_jpeg(contents, wanted)

        def unless_png() -> Tensor:
            return cond(equal(start, b"GIF", name="is_gif"), of_gif, of_bmp, name="cond_gif")

        def unless_jpeg() -> Tensor:
            return cond(equal(start, b"\x89PN", name="is_png"), of_png, unless_png, name="cond_png")

        is_jpeg = equal(start, jpeg.SIGNATURE, name="is_jpeg")
        return cond(is_jpeg, of_jpeg, unless_jpeg, name="cond_jpeg")
