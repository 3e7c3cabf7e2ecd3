"""Elementwise arithmetic: the ops behind `+ - * /` and their like."""

from __future__ import annotations

from typing import Any

import numpy as np

from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.families import binary, unary, FLOATS, COMPLEX, NUMBERS, REALS, SIGNED

_add = binary("Add", np.add, lambda op, dz: (dz, dz))
_multiply = binary(
    "Mul", np.multiply, lambda op, dz: (dz * op.inputs[1], dz * op.inputs[0])
)
_negative = unary(
    "Neg", np.negative, lambda op, dy: -dy, types=(*FLOATS, *SIGNED, *COMPLEX)
)
_exp = unary("Exp", np.exp, lambda op, dy: dy * op.outputs[0])


def add(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x + y` elementwise, with broadcasting.

    Args:
      x: tensor of a number dtype.
      y: tensor of the same dtype, of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a tensor of that dtype and the broadcast shape.

    Raises:
      TypeError: if the dtypes differ. ValueError: if the shapes do not broadcast.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.add([1, 2], 3).numpy())
    [4 5]
    """
    return _add(x, y, name=name)
