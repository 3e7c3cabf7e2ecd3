"""Images mirrored and turned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.ops.arrays.arranging import reverse, transpose
from hybridflow._src.ops.control_flow.conditional import case, cond
from hybridflow._src.ops.images.checking import one_image
from hybridflow._src.ops.math.comparison import equal, less
from hybridflow._src.ops.math.division import mod
from hybridflow._src.ops.random.sampling import random_uniform

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "flip_left_right",
    "flip_up_down",
    "random_flip_left_right",
    "random_flip_up_down",
    "rot90",
    "transpose_image",
]


def _checked(image: Any) -> Tensor:
    return one_image(convert_to_tensor(image, name="image"))


def _of_rank_3(result: Tensor, image: Tensor) -> Tensor:
    result.set_shape([None] * 3 if image._dims is None else image.shape)
    return result


def _flip(image: Any, axis: int, name: str) -> Tensor:
    with name_scope(None, name, [image]) as scope:
        image = _checked(image)
        return _of_rank_3(reverse(image, [axis], name=scope), image)


def _random_flip(image: Any, axis: int, seed: int | None, name: str) -> Tensor:
    with name_scope(None, name, [image]) as scope:
        image = _checked(image)
        mirrored = less(random_uniform([], 0, 1.0, seed=seed), 0.5)
        result = cond(mirrored, lambda: reverse(image, [axis]), lambda: image, name=scope)
        return _of_rank_3(result, image)


def flip_left_right(image: Any) -> Tensor:
    """An image whose columns stand in reverse order.

    Args:
      image: tensor `[height, width, channels]`.

    Returns: a tensor like `image`.

    Raises:
      ValueError: for another rank, or an image without pixels.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.reshape(hf.range(6), [2, 3, 1])
    ...     print(hf.image.flip_left_right(x).numpy()[:, :, 0])
    [[2 1 0]
     [5 4 3]]
    """
    return _flip(image, 1, "flip_left_right")


def flip_up_down(image: Any) -> Tensor:
    """An image whose rows stand in reverse order.

    Args, Returns, Raises: as of `flip_left_right`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.reshape(hf.range(6), [2, 3, 1])
    ...     print(hf.image.flip_up_down(x).numpy()[:, :, 0])
    [[3 4 5]
     [0 1 2]]
    """
    return _flip(image, 0, "flip_up_down")


def random_flip_left_right(image: Any, seed: int | None = None) -> Tensor:
    """An image, whose columns stand in reverse order in one of two cases.

    Args:
      image: tensor `[height, width, channels]`.
      seed: seed of the op (see `set_random_seed`).

    Returns: a tensor like `image`.

    Raises:
      ValueError: for another rank, or an image without pixels.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.reshape([1, 2], [1, 2, 1])
    ...     seen = {tuple(hf.image.random_flip_left_right(x).numpy().ravel()) for _ in range(99)}
    >>> sorted((int(a), int(b)) for a, b in seen)
    [(1, 2), (2, 1)]
    """
    return _random_flip(image, 1, seed, "random_flip_left_right")


def random_flip_up_down(image: Any, seed: int | None = None) -> Tensor:
    """An image, whose rows stand in reverse order in one of two cases.

    Args, Returns, Raises: as of `random_flip_left_right`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.image.random_flip_up_down(hf.zeros([4, 5, 3]), seed=1).shape.as_list()
    [4, 5, 3]
    """
    return _random_flip(image, 0, seed, "random_flip_up_down")


def rot90(image: Any, k: Any = 1, name: str | None = None) -> Tensor:
    """An image turned counter-clockwise by right angles.

    Args:
      image: tensor `[height, width, channels]`.
      k: how many right angles: an int, or an integer scalar.
      name: scope of the ops.

    Returns: a tensor of the dtype of `image`.

    Raises:
      ValueError: for another rank, or an image without pixels.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.reshape(hf.range(6), [2, 3, 1])
    ...     print(hf.image.rot90(x).numpy()[:, :, 0])
    [[2 5]
     [1 4]
     [0 3]]
    """
    with name_scope(name, "rot90", [image, k]) as scope:
        image = _checked(image)
        turns = convert_to_tensor(k, dtypes.int32, "k")
        turns.shape.assert_has_rank(0)

        def once() -> Tensor:
            return transpose(reverse(image, [1]), [1, 0, 2])

        def twice() -> Tensor:
            return reverse(image, [0, 1])

        def thrice() -> Tensor:
            return reverse(transpose(image, [1, 0, 2]), [1])

        known = constant_value(turns)
        if known is not None:
            return (lambda: image, once, twice, thrice)[int(known) % 4]()
        turns = mod(turns, 4)
        cases = [(equal(turns, n), f) for n, f in ((1, once), (2, twice), (3, thrice))]
        found: Tensor = case(cases, default=lambda: image, exclusive=True, name=scope)
        found.set_shape([None, None, None if image._dims is None else image._dims[2]])
        return found


def transpose_image(image: Any) -> Tensor:
    """An image whose rows are the columns of another.

    Args:
      image: tensor `[height, width, channels]`.

    Returns: a tensor `[width, height, channels]`.

    Raises:
      ValueError: for another rank, or an image without pixels.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.reshape(hf.range(6), [2, 3, 1])
    ...     print(hf.image.transpose_image(x).numpy()[:, :, 0])
    [[0 3]
     [1 4]
     [2 5]]
    """
    with name_scope(None, "transpose_image", [image]) as scope:
        return transpose(_checked(image), [1, 0, 2], name=scope)
