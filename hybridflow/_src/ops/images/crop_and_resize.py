"""Parts of images, each stretched to one size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.framework import dtypes, settings
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import OutOfRangeError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample, no_gradient
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.static_value import constant_dims
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.allocation import allocatable
from hybridflow._src.ops.families import FLOATS, REALS
from hybridflow._src.ops.images import shapes
from hybridflow._src.ops.images.shapes import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["crop_and_resize"]

_F32 = np.dtype(np.float32)
_METHOD = {"method": "bilinear"}
_LARGE = 1 << 12


class _Axis(NamedTuple):
    """Where the pixels of parts lie along one axis of images: `[boxes, new]` each.

    Attributes:
      lower, upper: the old pixels on both sides; 0 where there is none. far: how far from the
        first. inside: whether the place is one of the image. share: how much of the second edge of
        the box is in it, `[new]`.
    """

    lower: np.ndarray
    upper: np.ndarray
    far: np.ndarray
    inside: np.ndarray
    share: np.ndarray


def _axis(begin: np.ndarray, end: np.ndarray, size: int, new: int) -> _Axis:
    last = np.float32(size - 1)
    if new > 1:
        step = (end - begin) * last / np.float32(new - 1)
        at = (begin * last)[:, None] + np.arange(new, dtype=np.float32) * step[:, None]
        share = np.arange(new) / (new - 1)
    else:
        middle = 0.5 * (begin + end).astype(np.float64) * float(last)
        at, share = middle.astype(np.float32)[:, None], np.array([0.5])
    inside = (at >= 0) & (at <= last)
    at = np.where(inside, at, np.float32(0))
    lower = np.floor(at)
    return _Axis(lower.astype(np.int64), np.ceil(at).astype(np.int64), at - lower, inside, share)


def _axes(boxes: np.ndarray, sizes: Any, new: Any) -> tuple[_Axis, _Axis]:
    # Boxes that are no numbers, or huge, are outside of every image.
    with np.errstate(all="ignore"):
        return (
            _axis(boxes[:, 0], boxes[:, 2], sizes[0], new[0]),
            _axis(boxes[:, 1], boxes[:, 3], sizes[1], new[1]),
        )


def _checked(
    boxes: np.ndarray, box_ind: np.ndarray, count: int, method: str
) -> tuple[np.ndarray, np.ndarray]:
    """Boxes and the number of the image of each.

    Raises:
      InvalidArgumentError: for shapes that do not fit.
      OutOfRangeError: if there is no such image.
    """
    if method != "bilinear":
        raise invalid(f"method must be 'bilinear', got {method!r}")
    if not boxes.size and not box_ind.size:
        return np.zeros((0, 4), np.float32), np.zeros(0, np.int32)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise invalid(f"boxes must be 2-D and have 4 columns, got shape {list(boxes.shape)}")
    if box_ind.shape != (len(boxes),):
        raise invalid(
            f"box_ind has incompatible shape {list(box_ind.shape)}: there are {len(boxes)} boxes"
        )
    bad = (box_ind < 0) | (box_ind >= count)
    if bad.any():
        raise OutOfRangeError(
            None,
            None,
            f"box_ind has values outside [0, {count}), the number of images: "
            f"{int(box_ind[bad][0])} for box {int(np.flatnonzero(bad)[0])}",
        )
    return boxes, box_ind


# -- meanings --------------------------------------------------------------------------------------


def _crop(
    image: np.ndarray,
    boxes: np.ndarray,
    box_ind: np.ndarray,
    crop_size: np.ndarray,
    method: str,
    extrapolation_value: float,
) -> np.ndarray:
    shapes.check_images(image)
    boxes, box_ind = _checked(boxes, box_ind, len(image), method)
    size = shapes.new_size("CropAndResize", image, crop_size, _F32)
    allocatable("CropAndResize", (len(boxes), *size, image.shape[3]), _F32)
    rows, columns = _axes(boxes, image.shape[1:3], size)
    down, across = rows.far[:, :, None, None], columns.far[:, None, :, None]
    upper, lower = (
        _between(*_corners(image, box_ind, line, columns), across)
        for line in (rows.lower, rows.upper)
    )
    inside = rows.inside[:, :, None] & columns.inside[:, None, :]
    found = _between(upper, lower, down)
    return np.where(inside[..., None], found, np.float32(extrapolation_value))


def _between(a: np.ndarray, b: np.ndarray, far: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return a + (b - a) * far


def _corners(
    image: np.ndarray, number: np.ndarray, line: np.ndarray, columns: _Axis
) -> tuple[np.ndarray, np.ndarray]:
    """The pixels of lines on both sides of each place: `[boxes, rows, columns, channels]`."""
    number, line = number[:, None, None], line[:, :, None]
    left, right = (
        image[number, line, at[:, None, :]].astype(np.float32)
        for at in (columns.lower, columns.upper)
    )
    return left, right


def _image_gradient(
    grads: np.ndarray,
    boxes: np.ndarray,
    box_ind: np.ndarray,
    image_size: np.ndarray,
    T: DType,
    method: str,
) -> np.ndarray:
    shapes.check_images(grads, "grads")
    if image_size.shape != (4,):
        raise invalid(f"image_size must have 4 elements, got shape {list(image_size.shape)}")
    sizes = allocatable("CropAndResizeGradImage", image_size, T.np)
    if sizes[1] < 1 or sizes[2] < 1:
        raise invalid(f"image dimensions must be positive, got {list(sizes)}")
    if grads.shape[3] != sizes[3]:
        raise invalid(f"image_size {list(sizes)} and grads {list(grads.shape)} are incompatible")
    boxes, box_ind = _checked(boxes, box_ind, sizes[0], method)
    _check_count(grads, boxes)
    rows, columns = _axes(boxes, sizes[1:3], grads.shape[1:3])
    inside = (rows.inside[:, :, None] & columns.inside[:, None, :])[..., None]
    down, across = rows.far[:, :, None, None], columns.far[:, None, :, None]
    kind = np.float64 if T.np == np.float64 else np.float32
    found = np.zeros(sizes, kind)
    one = np.float32(1)
    for line, vertical in ((rows.lower, one - down), (rows.upper, down)):
        for place, horizontal in ((columns.lower, one - across), (columns.upper, across)):
            part = np.where(inside, horizontal * (vertical * grads), np.float32(0))
            at = (box_ind[:, None, None], line[:, :, None], place[:, None, :])
            np.add.at(found, at, part)
    return found.astype(T.np, copy=False)


def _check_count(grads: np.ndarray, boxes: np.ndarray) -> None:
    if len(grads) != len(boxes):
        raise invalid(f"boxes and grads have incompatible shape: {len(boxes)} and {len(grads)}")


def _box_gradient(
    grads: np.ndarray, image: np.ndarray, boxes: np.ndarray, box_ind: np.ndarray, method: str
) -> np.ndarray:
    if grads.ndim != 4 or not grads.shape[1] or not grads.shape[2]:
        raise invalid(f"grads must be 4-D and not empty, got shape {list(grads.shape)}")
    shapes.check_images(image)
    if image.shape[3] != grads.shape[3]:
        raise invalid(f"image, grads depth differ: {image.shape[3]} and {grads.shape[3]}")
    boxes, box_ind = _checked(boxes, box_ind, len(image), method)
    _check_count(grads, boxes)
    rows, columns = _axes(boxes, image.shape[1:3], grads.shape[1:3])
    down, across = rows.far[:, :, None, None], columns.far[:, None, :, None]
    first, second = (_corners(image, box_ind, line, columns) for line in (rows.lower, rows.upper))
    (p, q), (r, s), one = first, second, np.float32(1)
    with np.errstate(invalid="ignore"):
        dy = ((one - across) * (r - p) + across * (s - q)).astype(np.float64) * grads
        dx = ((one - down) * (q - p) + down * (s - r)).astype(np.float64) * grads
    inside = rows.inside[:, :, None] & columns.inside[:, None, :]
    dy, dx = (np.where(inside, d.sum(axis=3), 0.0) for d in (dy, dx))
    dy, dx = dy * (image.shape[1] - 1), dx * (image.shape[2] - 1)
    slope_y, slope_x = rows.share[:, None], columns.share
    parts = [dy * (1 - slope_y), dx * (1 - slope_x), dy * slope_y, dx * slope_x]
    return np.stack([part.sum(axis=(1, 2)) for part in parts], axis=1).astype(np.float32)


# -- records ---------------------------------------------------------------------------------------


def _count_of(boxes: Tensor, box_ind: Tensor) -> int | None:
    count, four = shape_rules.with_rank(boxes, 2)
    shape_rules.same_size(four, 4)
    return shape_rules.same_size(count, shape_rules.with_rank(box_ind, 1)[0])


def _crop_shape(
    attrs: dict[str, Any], image: Tensor, boxes: Tensor, box_ind: Tensor, size: Tensor
) -> shape_rules.Dims:
    channels = shape_rules.with_rank(image, 4)[3]
    return (_count_of(boxes, box_ind), *shapes.size_of(size), channels)


def _image_gradient_shape(
    attrs: dict[str, Any], grads: Tensor, boxes: Tensor, box_ind: Tensor, size: Tensor
) -> shape_rules.Dims:
    shape_rules.with_rank(grads, 4)
    _count_of(boxes, box_ind)
    shape_rules.same_size(shape_rules.with_rank(size, 1)[0], 4)
    return constant_dims(size) or (None,) * 4


def _box_gradient_shape(
    attrs: dict[str, Any], grads: Tensor, image: Tensor, boxes: Tensor, box_ind: Tensor
) -> shape_rules.Dims:
    shape_rules.with_rank(grads, 4)
    shape_rules.with_rank(image, 4)
    return (_count_of(boxes, box_ind), 4)


def _grad(op: Any, dy: Any) -> Any:
    image, boxes, box_ind, _ = op.inputs
    dimage = None
    if image.dtype in FLOATS:
        dims = image._dims
        known = dims is not None and None not in dims
        size = np.array(dims, np.int32) if known else raw.Shape(image)

        def dimage() -> Any:
            return raw.CropAndResizeGradImage(dy, boxes, box_ind, size, T=image.dtype)

    return dimage, raw.CropAndResizeGradBoxes(dy, image, boxes, box_ind), None, None


def _image_gradient_grad(op: Any, dz: Any) -> Any:
    """What goes into images is linear in `grads`, by weights that depend on boxes."""
    grads, boxes, box_ind, _ = op.inputs
    dgrads = raw.CropAndResize(dz, boxes, box_ind, raw.Slice(raw.Shape(grads), [1], [2]))
    return dgrads, raw.CropAndResizeGradBoxes(grads, dz, boxes, box_ind), None, None


def _native_crop(
    b: Any,
    image: Any,
    boxes: Any,
    box_ind: Any,
    size: Any,
    method: str,
    extrapolation_value: float,
) -> Any:
    height, width = b.known(size).tolist()
    return b.cropped(image, boxes, box_ind, (height, width), extrapolation_value)


def _native_image_gradient(
    b: Any, grads: Any, boxes: Any, box_ind: Any, size: Any, T: DType, method: str
) -> Any:
    return b.cropped_image_gradient(grads, boxes, box_ind, b.known(size).tolist(), T.np)


def _native_box_gradient(
    b: Any, grads: Any, image: Any, boxes: Any, box_ind: Any, method: str
) -> Any:
    return b.cropped_box_gradient(grads, image, boxes, box_ind)


_BOXES = np.array(
    [
        [0.1, 0.05, 0.8, 0.9],
        [0.9, 0.7, 0.2, 0.1],
        [-0.3, 0.2, 0.6, 1.4],
        [0.4, 0.4, 0.4, 0.4],
        [0.0, 0.0, 1.0, 1.0],
    ],
    np.float32,
)
_NUMBERS = np.array([1, 0, 1, 0, 0], np.int32)


def _cases(rng: np.random.Generator) -> Iterable[tuple[np.ndarray, np.ndarray]]:
    for kind in (np.float32, np.float64, np.float16, np.uint8, np.int32):
        for shape, size in (((2, 5, 4, 2), (3, 3)), ((2, 4, 3, 1), (1, 2)), ((2, 1, 6, 3), (2, 1))):
            yield rng.uniform(0, 9, shape).astype(kind), np.array(size, np.int32)
    yield rng.uniform(0, 9, (2, 20, 30, 3)).astype(np.float32), np.array([16, 16], np.int32)


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for image, size in _cases(rng):
        yield Sample(image, _BOXES, _NUMBERS, size)
        yield Sample(image, _BOXES, _NUMBERS, size, extrapolation_value=-2.5)
    none = np.zeros((0, 4), np.float32), np.zeros(0, np.int32)
    yield Sample(np.zeros((1, 2, 2, 1), np.float32), *none, np.array([2, 2], np.int32))


def _image_gradient_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for image, size in _cases(rng):
        if image.dtype.kind == "f":
            grads = rng.normal(size=(5, *size, image.shape[3])).astype(np.float32)
            dims = np.array(image.shape, np.int32)
            yield Sample(grads, _BOXES, _NUMBERS, dims, T=dtypes.as_dtype(image.dtype))


def _box_gradient_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for image, size in _cases(rng):
        grads = rng.normal(size=(5, *size, image.shape[3])).astype(np.float32)
        yield Sample(grads, image, _BOXES, _NUMBERS)


def _record(
    name: str,
    signature: str,
    compute: Callable[..., np.ndarray],
    native: Callable[..., Any],
    **fields: Any,
) -> OpDef:
    return OpDef(name, signature, compute=compute, native=native, kernels_from=_LARGE, **fields)


_crop_op = _record(
    "CropAndResize",
    "image: T, boxes: float32, box_ind: int32, crop_size: int32 -> crops: float32",
    _crop,
    _native_crop,
    types=REALS,
    attrs={**_METHOD, "extrapolation_value": 0.0},
    shape=_crop_shape,
    grad=_grad,
    samples=_samples,
)
_record(
    "CropAndResizeGradImage",
    "grads: float32, boxes: float32, box_ind: int32, image_size: int32 -> output: T",
    _image_gradient,
    _native_image_gradient,
    attrs={"T": REQUIRED, **_METHOD},
    shape=_image_gradient_shape,
    grad=_image_gradient_grad,
    samples=_image_gradient_samples,
)
_record(
    "CropAndResizeGradBoxes",
    "grads: float32, image: T, boxes: float32, box_ind: int32 -> output: float32",
    _box_gradient,
    _native_box_gradient,
    types=REALS,
    attrs=_METHOD,
    shape=_box_gradient_shape,
    grad=no_gradient,
    samples=_box_gradient_samples,
)


def crop_and_resize(
    image: Any,
    boxes: Any,
    box_ind: Any,
    crop_size: Any,
    method: str = "bilinear",
    extrapolation_value: float = 0,
    name: str | None = None,
) -> Tensor:
    """Parts of images, each stretched to one size by bilinear interpolation.

    Args:
      image: real tensor `[n, height, width, channels]`.
      boxes: float32 `[boxes, 4]`: for each part `[y1, x1, y2, x2]`, where 0 is the first row or
        column and 1 the last one. A box may reach beyond an image; with `y1 > y2` the part is
        upside down, with `x1 > x2` it is mirrored.
      box_ind: int32 `[boxes]`: of which image each part is.
      crop_size: int32 vector: height and width of all parts.
      method: "bilinear".
      extrapolation_value: what lies outside of images.
      name: name of the op.

    Returns: a float32 tensor `[boxes, *crop_size, channels]`; its gradients to boxes, and to images
      of floats.

    Raises:
      OutOfRangeError: for the number of an image that there is not. InvalidArgumentError: for
        shapes that do not fit, another method, sizes that are not positive.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.reshape([0.0, 1.0, 2.0, 3.0], [1, 1, 4, 1])
    ...     part = hf.image.crop_and_resize(x, [[0.0, 1.0, 0.0, 0.5]], [0], [1, 2])
    ...     print(part.numpy().ravel())
    [3.  1.5]
    """
    method = settings.string(method, "method")
    if method != "bilinear":
        raise invalid(f"crop_and_resize: method must be 'bilinear', got {method!r}")
    found: Tensor = _crop_op(
        image,
        convert_to_tensor(boxes, dtypes.float32, "boxes"),
        convert_to_tensor(box_ind, dtypes.int32, "box_ind"),
        convert_to_tensor(crop_size, dtypes.int32, "crop_size"),
        method=method,
        extrapolation_value=float(extrapolation_value),
        name=name,
    )
    return found
