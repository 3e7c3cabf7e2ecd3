"""Rounding to whole numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import not_differentiable
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops.families import FLOATS, binary, unary

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["ceil", "floor", "nextafter", "rint", "round"]

_floor = unary("Floor", np.floor, not_differentiable, types=FLOATS)
_ceil = unary("Ceil", np.ceil, not_differentiable, types=FLOATS)
_rint = unary("Rint", np.rint, not_differentiable, types=FLOATS)
_round = unary("Round", np.rint, not_differentiable, types=FLOATS)
# Of x the result is a step away, and x2 only says to which side.
_next_after = binary(
    "NextAfter",
    np.nextafter,
    lambda op, dz: (dz, raw.ZerosLike(dz)),
    types=(dtypes.float32, dtypes.float64),
    names=("x1", "x2", "output"),
    native=None,
)


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


def nextafter(x1: Any, x2: Any, name: str | None = None) -> Tensor:
    """The number of the dtype that is next to `x1` on the way to `x2`. Of TensorFlow 1.15.

    Args:
      x1, x2: tensors of float32 or float64, of shapes that fit together.
      name: name of the op.

    Returns: a tensor of that dtype.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.nextafter(1.0, 2.0).numpy() > 1.0, hf.nextafter(1.0, 1.0).numpy() == 1.0)
    True True
    """
    return _next_after(x1, x2, name=name)
