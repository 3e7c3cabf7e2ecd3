"""Rounding to whole numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import not_differentiable
from hybridflow._src.ops.families import FLOATS, unary

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["ceil", "floor", "rint", "round"]

_floor = unary("Floor", np.floor, not_differentiable, types=FLOATS)
_ceil = unary("Ceil", np.ceil, not_differentiable, types=FLOATS)
_rint = unary("Rint", np.rint, not_differentiable, types=FLOATS)
_round = unary("Round", np.rint, not_differentiable, types=FLOATS)


def floor(x: Any, name: str | None = None) -> Tensor:
    """The largest whole number not above `x`, elementwise.

    Args:
      x: tensor of a float dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape; it has no gradient.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.floor([1.7, -1.2]).numpy())
    [ 1. -2.]
    """
    return _floor(x, name=name)


def ceil(x: Any, name: str | None = None) -> Tensor:
    """The smallest whole number not below `x`, elementwise.

    Args:
      x: tensor of a float dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape; it has no gradient.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.ceil([1.2, -1.7]).numpy())
    [ 2. -1.]
    """
    return _ceil(x, name=name)


def rint(x: Any, name: str | None = None) -> Tensor:
    """The nearest whole number, elementwise; halves go to the even neighbour.

    Args:
      x: tensor of a float dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape; it has no gradient.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.rint([0.5, 1.5, -1.7]).numpy())
    [ 0.  2. -2.]
    """
    return _rint(x, name=name)


def round(x: Any, name: str | None = None) -> Tensor:
    """The nearest whole number, elementwise; halves go to the even neighbour.

    Args:
      x: tensor of a real dtype; integers are returned as they are.
      name: name of the op.

    Returns: a tensor of the same dtype and shape; it has no gradient.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.round([0.5, 1.5, 2.5, -1.7]).numpy())
    [ 0.  2.  2. -2.]
    """
    x = convert_to_tensor(x, name="x")
    return x if x.dtype.is_integer else _round(x, name=name)
