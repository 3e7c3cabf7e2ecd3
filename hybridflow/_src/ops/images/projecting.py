"""Images rotated, moved and projected: each place is taken from a place of another image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.gather import gather_nd
from hybridflow._src.ops.arrays.joining import concat, stack
from hybridflow._src.ops.arrays.padding import pad
from hybridflow._src.ops.arrays.reshaping import reshape, stop_gradient
from hybridflow._src.ops.arrays.selecting import where
from hybridflow._src.ops.arrays.sequences import range as numbers
from hybridflow._src.ops.math.trigonometric import cos, sin

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "angles_to_projective_transforms",
    "compose_transforms",
    "flat_transforms_to_matrices",
    "matrices_to_flat_transforms",
    "rotate",
    "transform",
    "translate",
    "translations_to_projective_transforms",
]

_TYPES = (
    *(dtypes.uint8, dtypes.int32, dtypes.int64),
    *(dtypes.float16, dtypes.float32, dtypes.float64),
)


def _batch(images: Any) -> tuple[Tensor, int]:
    """Images `[n, height, width, channels]`, and the rank of what was given.

    Raises:
      TypeError: if the dtype is another one, or the rank is not known or not 2 to 4.
    """
    tensor = convert_to_tensor(images, name="images")
    rank = tensor.shape.ndims
    if tensor.dtype.base_dtype not in _TYPES:
        raise TypeError(f"Invalid dtype {tensor.dtype.name}.")
    if rank is None:
        raise TypeError("image_or_images rank must be statically known")
    if not 2 <= rank <= 4:
        raise TypeError("Images should have rank between 2 and 4.")
    if rank == 2:
        tensor = raw.ExpandDims(tensor, -1)
    return (raw.ExpandDims(tensor, 0) if rank < 4 else tensor), rank


def _rows(values: list[Any], count: Any) -> Any:
    """Columns or numbers beside each other, `[count, len(values)]`."""
    ones = raw.Fill(raw.ExpandDims(count, 0), convert_to_tensor(1.0, dtypes.float32))
    return stack([value * ones for value in values], 1)


def angles_to_projective_transforms(
    angles: Any, image_height: Any, image_width: Any, name: str | None = None
) -> Tensor:
    """The transforms that rotate images around their middle, counterclockwise.

    Args:
      angles: scalar, or vector `[n]`, in radians.
      image_height, image_width: sizes of the images.
      name: scope of the ops.

    Returns: a float32 tensor `[n, 8]`, for `transform`.

    Raises:
      TypeError: if `angles` is of another rank.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.image.angles_to_projective_transforms(3.1415926, 2.0, 2.0)
    ...     print(abs(x.numpy()).round(3).tolist())
    [[1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0]]
    """
    with name_scope(name, "angles_to_projective_transforms", [angles]):
        angles = convert_to_tensor(angles, dtypes.float32, name="angles")
        if angles.shape.ndims is None or angles.shape.ndims > 1:
            raise TypeError("Angles should have rank 0 or 1.")
        angles = reshape(angles, [-1])
        height = cast(image_height, dtypes.float32) - 1.0
        width = cast(image_width, dtypes.float32) - 1.0
        c, s = cos(angles), sin(angles)
        x = (width - (c * width - s * height)) / 2.0
        y = (height - (s * width + c * height)) / 2.0
        return _rows([c, -s, x, s, c, y, 0.0, 0.0], raw.Size(angles))


def translations_to_projective_transforms(translations: Any, name: str | None = None) -> Tensor:
    """The transforms that move images.

    Args:
      translations: tensor `[2]` or `[n, 2]`: how far to the right and downwards.
      name: scope of the ops.

    Returns: a float32 tensor `[n, 8]`, for `transform`.

    Raises:
      TypeError: if it is of another rank.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.image.translations_to_projective_transforms([2.0, 1.0])
    ...     print(x.numpy().tolist())
    [[1.0, 0.0, -2.0, 0.0, 1.0, -1.0, 0.0, 0.0]]
    """
    with name_scope(name, "translations_to_projective_transforms", [translations]):
        moves = convert_to_tensor(translations, dtypes.float32, name="translations")
        if moves.shape.ndims not in (1, 2):
            raise TypeError("Translations should have rank 1 or 2.")
        moves = reshape(moves, [-1, 2])
        count = raw.Shape(moves)[0]
        return _rows([1.0, 0.0, -moves[:, 0], 0.0, 1.0, -moves[:, 1], 0.0, 0.0], count)


def flat_transforms_to_matrices(transforms: Any) -> Tensor:
    """Transforms `[n, 8]` or `[8]` as matrices `[n, 3, 3]`, whose last number is 1.

    Raises:
      ValueError: if it is of another rank.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     move = [1.0, 0.0, 2.0, 0.0, 1.0, 3.0, 0.0, 0.0]
    ...     print(hf.contrib.image.flat_transforms_to_matrices(move).numpy().tolist())
    [[[1.0, 0.0, 2.0], [0.0, 1.0, 3.0], [0.0, 0.0, 1.0]]]
    """
    with name_scope("flat_transforms_to_matrices"):
        flat = convert_to_tensor(transforms, name="transforms")
        if flat.shape.ndims not in (1, 2):
            raise ValueError(f"Transforms should be 1D or 2D, got: {flat}")
        flat = reshape(flat, [-1, 8])
        ones = raw.OnesLike(flat[:, :1])
        return reshape(concat([flat, ones], 1), [-1, 3, 3])


def matrices_to_flat_transforms(transform_matrices: Any) -> Tensor:
    """Matrices `[n, 3, 3]` or `[3, 3]` as transforms `[n, 8]`, divided by their last number.

    Raises:
      ValueError: if it is of another rank.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.image.matrices_to_flat_transforms(2.0 * hf.eye(3))
    ...     print(x.numpy().tolist())
    [[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]]
    """
    with name_scope("matrices_to_flat_transforms"):
        matrices = convert_to_tensor(transform_matrices, name="matrices")
        if matrices.shape.ndims not in (2, 3):
            raise ValueError(f"Matrices should be 2D or 3D, got: {matrices}")
        flat = reshape(matrices, [-1, 9])
        return (flat / flat[:, 8:])[:, :8]


def compose_transforms(*transforms: Any) -> Tensor:
    """The transform that does the same as several, one after the other.

    Args:
      transforms: each `[n, 8]` or `[8]`, for `transform`.

    Returns: a tensor `[n, 8]`.

    Raises:
      ValueError: if there are none.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     move = hf.contrib.image.translations_to_projective_transforms([2.0, 1.0])
    ...     print(hf.contrib.image.compose_transforms(move, move).numpy()[0, [2, 5]])
    [-4. -2.]
    """
    if not transforms:
        raise ValueError("compose_transforms: there are no transforms.")
    with name_scope("compose_transforms"):
        composed = flat_transforms_to_matrices(transforms[0])
        for other in transforms[1:]:
            composed = raw.BatchMatMul(composed, flat_transforms_to_matrices(other))
        return matrices_to_flat_transforms(composed)


def transform(
    images: Any,
    transforms: Any,
    interpolation: str = "NEAREST",
    output_shape: Any = None,
    name: str | None = None,
) -> Tensor:
    """Images of which each place (x, y) is taken from another place of the given ones.

    With `a0, a1, a2, b0, b1, b2, c0, c1` for a transform, that is
    `((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k)` where `k = c0 x + c1 y + 1`. What lies
    outside of the image is 0. Gradients go to the images, not to the transforms; they are the exact
    ones, where TensorFlow 1.15 gives those of the inverse transform.

    Args:
      images: tensor `[n, height, width, channels]`, `[height, width, channels]` or
        `[height, width]`, of whole numbers up to int64, or of a floating dtype.
      transforms: float32 tensor `[n, 8]`, or `[8]` or `[1, 8]` for all images.
      interpolation: "NEAREST" for the nearest pixel, "BILINEAR" for a mean of four.
      output_shape: `[height, width]` of the results; that of the images by default.
      name: scope of the ops.

    Returns: a tensor of the dtype and rank of `images`.

    Raises:
      TypeError: for another dtype or rank. ValueError: for another interpolation or shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.constant([[1, 2], [3, 4]])
    ...     to_the_left = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0]
    ...     print(hf.contrib.image.transform(x, to_the_left).numpy().tolist())
    [[2, 0], [4, 0]]
    """
    if interpolation.upper() not in ("NEAREST", "BILINEAR"):
        raise ValueError(f"interpolation must be NEAREST or BILINEAR, got {interpolation!r}.")
    with name_scope(name, "transform", [images, transforms]):
        batch, rank = _batch(images)
        flat = convert_to_tensor(transforms, dtypes.float32, name="transforms")
        if flat.shape.ndims not in (1, 2):
            raise TypeError("Transforms should have rank 1 or 2.")
        flat = stop_gradient(reshape(flat, [-1, 8]))
        sizes = raw.Shape(batch)
        if output_shape is None:
            new, known = sizes[1:3], batch.shape.as_list()[1:3]
        else:
            new = convert_to_tensor(output_shape, dtypes.int32, name="output_shape")
            if not new.shape.is_compatible_with([2]):
                raise ValueError(
                    "output_shape must be a 1-D Tensor of 2 elements: new_height, new_width"
                )
            value = constant_value(new)
            known = [None, None] if value is None else [int(size) for size in value]
        x, y, apart = _sources(flat, new)
        if interpolation.upper() == "NEAREST":
            found = _pixels(batch, _rounded(x), _rounded(y), apart)
        else:
            found = _mixed(batch, x, y, apart)
        found.set_shape([batch.shape.as_list()[0], *known, batch.shape.as_list()[3]])
        if rank == 2:
            return found[0, :, :, 0]
        return found[0] if rank == 3 else found


def _sources(flat: Any, new: Any) -> tuple[Any, Any, Any]:
    """Where each place comes from, `[n, height, width]` each, and where that is no place at all."""
    y = reshape(cast(numbers(new[0]), dtypes.float32), [1, -1, 1])
    x = reshape(cast(numbers(new[1]), dtypes.float32), [1, 1, -1])
    a0, a1, a2, b0, b1, b2, c0, c1 = (reshape(flat[:, i], [-1, 1, 1]) for i in range(8))
    k = c0 * x + c1 * y + 1.0
    nowhere = raw.Equal(k, raw.ZerosLike(k))
    k = where(nowhere, raw.OnesLike(k), k)
    return (a0 * x + a1 * y + a2) / k, (b0 * x + b1 * y + b2) / k, nowhere


def _rounded(x: Any) -> Any:
    """The nearest whole number; of two the one that is farther from zero."""
    return raw.Sign(x) * raw.Floor(raw.Abs(x) + 0.5)


def _pixels(batch: Any, x: Any, y: Any, nowhere: Any) -> Any:
    """The pixels at whole places; 0 for those outside."""
    sizes = raw.Shape(batch)
    limits = cast(sizes, dtypes.float32)
    zero = convert_to_tensor(0.0, dtypes.float32)
    inside = raw.LogicalAnd(raw.GreaterEqual(x, zero), raw.Less(x, limits[2]))
    inside = raw.LogicalAnd(inside, raw.GreaterEqual(y, zero))
    inside = raw.LogicalAnd(inside, raw.Less(y, limits[1]))
    inside = raw.LogicalAnd(inside, raw.LogicalNot(nowhere))
    # Before the first row and column stand zeros, which those outside take.
    zeros = raw.ZerosLike(x)
    row, column = (cast(where(inside, at + 1.0, zeros), dtypes.int32) for at in (y, x))
    # One transform may serve all images.
    image = reshape(numbers(sizes[0]), [-1, 1, 1]) + raw.ZerosLike(row)
    places = stack([image, row + raw.ZerosLike(image), column + raw.ZerosLike(image)], -1)
    return gather_nd(pad(batch, [[0, 0], [1, 0], [1, 0], [0, 0]]), places)


def _mixed(batch: Any, x: Any, y: Any, nowhere: Any) -> Any:
    """The means of four pixels, by how near they are."""
    dtype = batch.dtype.base_dtype
    kind = dtypes.float64 if dtype is dtypes.float64 else dtypes.float32
    wide = cast(batch, kind)
    left, top = raw.Floor(x), raw.Floor(y)

    def weight(value: Any) -> Any:
        return raw.ExpandDims(cast(value, kind), -1)

    total: Any = None
    for row, vertical in ((top, top + 1.0 - y), (top + 1.0, y - top)):
        for column, horizontal in ((left, left + 1.0 - x), (left + 1.0, x - left)):
            part = weight(vertical * horizontal) * _pixels(wide, column, row, nowhere)
            total = part if total is None else total + part
    return cast(total, dtype)


def rotate(
    images: Any, angles: Any, interpolation: str = "NEAREST", name: str | None = None
) -> Tensor:
    """Images rotated around their middle, counterclockwise.

    Args:
      images: as for `transform`.
      angles: scalar, or vector `[n]`, in radians.
      interpolation: as for `transform`.
      name: scope of the ops.

    Returns: a tensor of the shape and dtype of `images`; corners that come from outside are 0.

    Raises:
      TypeError: for another dtype or rank.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.constant([[1, 2], [3, 4]])
    ...     print(hf.contrib.image.rotate(x, 3.1415926 / 2).numpy().tolist())
    [[2, 4], [1, 3]]
    """
    with name_scope(name, "rotate", [images, angles]):
        batch, _ = _batch(images)
        sizes = raw.Shape(batch)
        turns = angles_to_projective_transforms(angles, sizes[1], sizes[2])
        return transform(images, turns, interpolation)


def translate(
    images: Any, translations: Any, interpolation: str = "NEAREST", name: str | None = None
) -> Tensor:
    """Images moved to the right and downwards.

    Args:
      images: as for `transform`.
      translations: tensor `[2]` or `[n, 2]`: how far to the right and downwards.
      interpolation: as for `transform`.
      name: scope of the ops.

    Returns: a tensor of the shape and dtype of `images`; what comes from outside is 0.

    Raises:
      TypeError: for another dtype or rank.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.constant([[1, 2], [3, 4]])
    ...     print(hf.contrib.image.translate(x, [1.0, 0.0]).numpy().tolist())
    [[0, 1], [0, 3]]
    """
    with name_scope(name, "translate", [images, translations]):
        moves = translations_to_projective_transforms(translations)
        return transform(images, moves, interpolation)
