"""Shape rules and checks that ops of images `[n, h, w, c]` share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.static_value import constant_dims
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.allocation import allocatable

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

_LARGEST = 2**31 - 1


def invalid(message: str) -> InvalidArgumentError:
    """The error for values that do not fit."""
    return InvalidArgumentError(None, None, message)


def sized(images: Tensor, size: Tensor) -> shape_rules.Dims:
    """The shape of images of another size, which a tensor holds: height and width."""
    count, _, _, channels = shape_rules.with_rank(images, 4)
    return (count, *size_of(size), channels)


def size_of(size: Tensor) -> tuple[int | None, int | None]:
    """What is known of a height and a width.

    Raises:
      ValueError: if the tensor holds another number of sizes.
    """
    shape_rules.same_size(shape_rules.with_rank(size, 1)[0], 2)
    dims = constant_dims(size)
    if dims is None:
        return None, None
    return dims[0], dims[1]


def check_images(images: np.ndarray, what: str = "input") -> None:
    """Checks the rank and the sizes of images.

    Raises:
      InvalidArgumentError: if there are no four dimensions, or no pixels.
    """
    if images.ndim != 4:
        raise invalid(f"{what} must be 4-dimensional, got shape {list(images.shape)}")
    _, height, width, channels = images.shape
    if not height or not width:
        raise invalid(f"{what} image must be of non-zero size, got shape {list(images.shape)}")
    if not channels:
        raise invalid(f"{what} image must have at least one channel")
    if max(height, width) > _LARGEST:
        raise invalid(f"{what} sizes must be between 0 and max int32")


def new_size(op: str, images: np.ndarray, size: np.ndarray, dtype: np.dtype) -> tuple[int, int]:
    """Height and width that images are to have, if the machine can hold them.

    Raises:
      InvalidArgumentError: if these are no two positive sizes.
    """
    if size.shape != (2,):
        raise invalid(f"size must be a vector of two elements, got shape {list(size.shape)}")
    height, width = size.tolist()
    if height <= 0 or width <= 0:
        raise invalid(f"output dimensions must be positive, got {height} by {width}")
    allocatable(op, (len(images), height, width, images.shape[3]), dtype)
    return height, width


def last_of(dims: Any, size: int) -> shape_rules.Dims:
    """A shape whose last size is known.

    Raises:
      ValueError: if it is another one.
    """
    if dims is None:
        return None
    return (*dims[:-1], shape_rules.same_size(dims[-1], size))
