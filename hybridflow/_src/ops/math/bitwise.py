"""Bits of integers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.op_def import not_differentiable
from hybridflow._src.ops.families import INTEGERS, binary, unary

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift", "right_shift"]


def _bits(x: np.ndarray) -> int:
    return 8 * x.dtype.itemsize - 1


def _shifted(shift: Any) -> Any:
    def compute(x: np.ndarray, y: np.ndarray) -> Any:
        # Other numbers of places mean nothing; the nearest that do are taken.
        return shift(x, np.clip(y, 0, _bits(x)).astype(x.dtype))

    return compute


def _of_two(name: str, compute: Any, domain2: tuple[float, float] | None = None) -> Any:
    return binary(name, compute, not_differentiable, types=INTEGERS, native=None, domain2=domain2)


_and = _of_two("BitwiseAnd", np.bitwise_and)
_or = _of_two("BitwiseOr", np.bitwise_or)
_xor = _of_two("BitwiseXor", np.bitwise_xor)
_left = _of_two("LeftShift", _shifted(np.left_shift), (0.0, 2.0))
_right = _of_two("RightShift", _shifted(np.right_shift), (0.0, 2.0))
_invert = unary("Invert", np.invert, not_differentiable, types=INTEGERS, native=None)


def bitwise_and(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The bits that two integers both have, elementwise.

    Args:
      x, y: tensors of one integer dtype; they are broadcast.
      name: name of the op.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.bitwise.bitwise_and([6, 5], 3).numpy())
    [2 1]
    """
    found: Tensor = _and(x, y, name=name)
    return found


def bitwise_or(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The bits that one of two integers has, elementwise.

    Args:
      x, y: tensors of one integer dtype; they are broadcast.
      name: name of the op.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.bitwise.bitwise_or([6, 5], 3).numpy())
    [7 7]
    """
    found: Tensor = _or(x, y, name=name)
    return found


def bitwise_xor(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The bits that just one of two integers has, elementwise.

    Args:
      x, y: tensors of one integer dtype; they are broadcast.
      name: name of the op.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.bitwise.bitwise_xor([6, 5], 3).numpy())
    [5 6]
    """
    found: Tensor = _xor(x, y, name=name)
    return found


def left_shift(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The bits of `x` moved up by `y` places, elementwise.

    Args:
      x, y: tensors of one integer dtype; they are broadcast. A number of places outside
        `[0, bits of x)` is taken for the nearest in it.
      name: name of the op.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.bitwise.left_shift([1, 3], 2).numpy())
    [ 4 12]
    """
    found: Tensor = _left(x, y, name=name)
    return found


def right_shift(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The bits of `x` moved down by `y` places, elementwise; the sign stays.

    Args:
      x, y: tensors of one integer dtype; they are broadcast. A number of places outside
        `[0, bits of x)` is taken for the nearest in it.
      name: name of the op.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.bitwise.right_shift([8, -8], 2).numpy())
    [ 2 -2]
    """
    found: Tensor = _right(x, y, name=name)
    return found


def invert(x: Any, name: str | None = None) -> Tensor:
    """Each bit turned over, elementwise.

    Args:
      x: tensor of an integer dtype.
      name: name of the op.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.bitwise.invert([0, 5]).numpy())
    [-1 -6]
    """
    found: Tensor = _invert(x, name=name)
    return found
