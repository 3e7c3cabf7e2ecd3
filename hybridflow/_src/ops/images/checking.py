"""What functions of images ask of their arguments, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.arrays.joining import unstack
from hybridflow._src.ops.arrays.reshaping import expand_dims, squeeze
from hybridflow._src.ops.arrays.shape_ops import shape as shape_of
from hybridflow._src.ops.checks.comparing import assert_positive
from hybridflow._src.ops.control_flow.debugging import Assert
from hybridflow._src.ops.control_flow.ordering import with_dependencies

if TYPE_CHECKING:
    from collections.abc import Iterable


def require(condition: Any, message: str) -> list[Any]:
    """Checks a condition, a bool or a tensor: the ops to wait for.

    Raises:
      ValueError: at once, if it is false already.
    """
    if isinstance(condition, Tensor):
        value = constant_value(condition)
        if value is None:
            return [Assert(condition, [message])]
        condition = bool(value)
    if not condition:
        raise ValueError(message)
    return []


def after(checks: Iterable[Any], image: Tensor) -> Tensor:
    """The image, which waits for checks."""
    found: Tensor = with_dependencies(list(checks), image)
    return found


def has_pixels(image: Tensor) -> list[Any]:
    """Checks that no size is 0: the ops to wait for, where a graph does not know.

    Raises:
      ValueError: if one is.
    """
    dims = image._dims
    if dims is not None and 0 in dims:
        raise ValueError(f"all dims of 'image.shape' must be > 0: {image.shape}")
    if dims is not None and None not in dims:
        return []
    return [assert_positive(shape_of(image), ["all dims of 'image.shape' must be > 0."])]


def one_image(image: Tensor) -> Tensor:
    """An image `[height, width, channels]`, checked.

    Raises:
      ValueError: if it has another rank, or no pixels.
    """
    if image._dims is not None and len(image._dims) != 3:
        raise ValueError(f"'image' (shape {image.shape}) must be three-dimensional.")
    return after(has_pixels(image), image)


def as_batch(image: Tensor) -> tuple[Tensor, bool]:
    """One image or several as several, and whether they were; of unknown rank it is one.

    Raises:
      ValueError: if there are neither 3 nor 4 dimensions.
    """
    dims = image._dims
    if dims is not None and len(dims) == 4:
        return image, True
    if dims is not None and len(dims) != 3:
        raise ValueError(f"'image' must have either 3 or 4 dimensions. Got shape {image.shape}.")
    image = expand_dims(image, 0)
    if dims is None:
        image.set_shape([None] * 4)
    return image, False


def as_it_was(images: Tensor, many: bool) -> Tensor:
    """Several images, or the one that there was."""
    return images if many else squeeze(images, [0])


def sizes_of(images: Tensor) -> list[Any]:
    """The sizes `[n, height, width, channels]`: ints, or tensors where a graph does not know."""
    dims = images._dims
    assert dims is not None
    if None not in dims:
        return list(dims)
    tensors = unstack(shape_of(images), len(dims))
    return [tensor if size is None else size for size, tensor in zip(dims, tensors, strict=True)]


def known(size: Any) -> int | None:
    """A size that is an int, or a tensor whose value is known."""
    if isinstance(size, Tensor):
        value = constant_value(size)
        return None if value is None else int(value)
    return int(size)
