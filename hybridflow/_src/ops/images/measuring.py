"""Numbers of whole images: standardized, and how much neighbours differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.shape_ops import shape as shape_of
from hybridflow._src.ops.images.checking import one_image
from hybridflow._src.ops.math.division import div
from hybridflow._src.ops.math.elementwise import maximum
from hybridflow._src.ops.math.reductions import reduce_mean, reduce_prod, reduce_sum

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["per_image_standardization", "total_variation"]


def per_image_standardization(image: Any) -> Tensor:
    """An image with mean 0 and deviation 1: `(x - mean) / max(deviation, 1 / sqrt(pixels))`.

    Args:
      image: real tensor `[height, width, channels]`.

    Returns: a float32 tensor of that shape.

    Raises:
      ValueError: for another rank, or an image without pixels.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.reshape([1.0, 3.0], [1, 2, 1])
    ...     print(hf.image.per_image_standardization(x).numpy().ravel())
    [-1.  1.]
    """
    with name_scope(None, "per_image_standardization", [image]) as scope:
        image = one_image(convert_to_tensor(image, name="image"))
        count = cast(reduce_prod(shape_of(image)), dtypes.float32)
        wide = cast(image, dtypes.float32)
        mean = reduce_mean(wide)
        variance = raw.Relu(reduce_mean(raw.Square(wide)) - raw.Square(mean))
        # An image of one color has no deviation.
        deviation = maximum(raw.Sqrt(variance), raw.Rsqrt(count))
        found: Tensor = div(wide - mean, deviation, name=scope)
        return found


def total_variation(images: Any, name: str | None = None) -> Tensor:
    """The sum of the absolute differences of neighbours: how noisy images are.

    Args:
      images: real tensor `[n, height, width, channels]` or `[height, width, channels]`.
      name: scope of the ops.

    Returns: a vector `[n]`, or a scalar for one image.

    Raises:
      ValueError: for another rank, or an unknown one.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.reshape([0.0, 1.0, 5.0, 5.0], [2, 2, 1])
    ...     print(hf.image.total_variation(x).numpy())
    10.0

    References:
      Rudin, Osher and Fatemi, Nonlinear total variation based noise removal algorithms, 1992.
    """
    with name_scope(name, "total_variation"):
        images = convert_to_tensor(images, name="images")
        dims = images._dims
        if dims is None or len(dims) not in (3, 4):
            raise ValueError(
                f"'images' must be either 3 or 4-dimensional, got shape {images.shape}."
            )
        if len(dims) == 3:
            down = images[1:] - images[:-1]
            across = images[:, 1:] - images[:, :-1]
            axes = None
        else:
            down = images[:, 1:] - images[:, :-1]
            across = images[:, :, 1:] - images[:, :, :-1]
            axes = [1, 2, 3]
        found: Tensor = reduce_sum(raw.Abs(down), axes) + reduce_sum(raw.Abs(across), axes)
        return found
