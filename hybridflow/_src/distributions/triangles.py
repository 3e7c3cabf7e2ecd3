"""Triangular matrices of vectors, and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.arranging import reverse
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.diagonal import matrix_band_part, matrix_diag_part, matrix_set_diag
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.math.exponential import sqrt

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["fill_triangular", "fill_triangular_inverse", "matrix_diag_transform"]

_NOT_TRIANGULAR = (
    "Input right-most shape ({size}) does not correspond to a triangular matrix: one of n rows has "
    "n (n + 1) / 2 numbers on one side."
)


def rows_of_triangle(size: int) -> int:
    """The number n of rows of a triangle of `size` numbers.

    Raises:
      ValueError: if there is no such triangle.
    """
    n = (math.isqrt(1 + 8 * size) - 1) // 2
    if n * (n + 1) // 2 != size:
        raise ValueError(_NOT_TRIANGULAR.format(size=size))
    return n


def fill_triangular(x: Any, upper: bool = False, name: str | None = None) -> Tensor:
    """Triangular matrices that have the numbers of vectors, in the order of a spiral.

    Args:
      x: tensor `[..., n (n + 1) / 2]`.
      upper: whether the upper triangle is filled; the lower one by default.
      name: name scope of the ops.

    Returns: a tensor `[..., n, n]` of its dtype, with zeros in the other triangle.

    Raises:
      ValueError: if there is no such n.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.contrib.distributions.fill_triangular([1, 2, 3, 4, 5, 6]).numpy().tolist())
    [[4, 0, 0], [6, 5, 0], [3, 2, 1]]
    """
    with name_scope(name, "fill_triangular", [x]):
        x = convert_to_tensor(x, name="x")
        size = None if x.shape.ndims is None else x.shape.as_list()[-1]
        n: Any = None if size is None else rows_of_triangle(size)
        if n is None:
            count = raw.Shape(x)[-1]
            n = cast(0.5 * (sqrt(cast(1 + 8 * count, dtypes.float64)) - 1.0), dtypes.int32)
        parts = [x, reverse(x[..., n:], [-1])] if upper else [x[..., n:], reverse(x, [-1])]
        shape = concat([raw.Shape(x)[:-1], raw.Pack([n, n], axis=0)], 0)
        square = reshape(concat(parts, -1), shape)
        if x.shape.ndims is not None:
            known = n if isinstance(n, int) else None
            square.set_shape([*x.shape.as_list()[:-1], known, known])
        return matrix_band_part(square, *((0, -1) if upper else (-1, 0)))


def fill_triangular_inverse(x: Any, upper: bool = False, name: str | None = None) -> Tensor:
    """The vectors of which `fill_triangular` makes matrices.

    Args:
      x: tensor `[..., n, n]`; the other triangle is not looked at.
      upper: whether it is the upper triangle.
      name: name scope of the ops.

    Returns: a tensor `[..., n (n + 1) / 2]` of its dtype.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = [[4, 0, 0], [6, 5, 0], [3, 2, 1]]
    ...     print(hf.contrib.distributions.fill_triangular_inverse(x).numpy().tolist())
    [1, 2, 3, 4, 5, 6]
    """
    with name_scope(name, "fill_triangular_inverse", [x]):
        x = convert_to_tensor(x, name="x")
        size = None if x.shape.ndims is None else x.shape.as_list()[-1]
        n: Any = raw.Shape(x)[-1] if size is None else size
        count = n * (n + 1) // 2
        kept = matrix_band_part(x, *((0, -1) if upper else (-1, 0)))
        shape = raw.Shape(x)
        flat = reshape(kept, concat([shape[:-2], raw.Pack([n * n], axis=0)], 0))
        # Each number but the first n stands in one of two places, in front and behind.
        front, behind = flat, reverse(flat, [-1])
        whole, part = (front, behind) if upper else (behind, front)
        first, rest = whole[..., :n], whole[..., n:count] + part[..., : count - n]
        found = concat([first, rest], -1)
        if x.shape.ndims is not None:
            found.set_shape([*x.shape.as_list()[:-2], None if size is None else count])
        return found


def matrix_diag_transform(
    matrix: Any, transform: Callable[[Tensor], Any] | None = None, name: str | None = None
) -> Tensor:
    """Matrices with a function of their diagonals in the place of these.

    Args:
      matrix: tensor `[..., n, n]`.
      transform: function of tensors `[..., n]`; None for the identity.
      name: name scope of the ops.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.matrix_diag_transform([[1.0, 5.0], [2.0, 3.0]], hf.square)
    ...     print(x.numpy().tolist())
    [[1.0, 5.0], [2.0, 9.0]]
    """
    with name_scope(name, "matrix_diag_transform", [matrix]):
        matrix = convert_to_tensor(matrix, name="matrix")
        if transform is None:
            return matrix
        return matrix_set_diag(matrix, transform(matrix_diag_part(matrix)))
