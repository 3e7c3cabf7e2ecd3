"""Products that are zero wherever one factor is, whatever the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.registry import raw
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.families import COMPLEX, FLOATS, binary, conj
from hybridflow._src.ops.math.comparison import not_equal

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["multiply_no_nan", "xdivy", "xlogy"]


def _not_zero(x: Any) -> Any:
    """1 where x is not zero, else 0."""
    return cast(not_equal(x, raw.ZerosLike(x)), x.dtype.base_dtype)


def _xlogy_arrays(x: np.ndarray, y: np.ndarray) -> Any:
    return np.where(x == 0, 0, x * np.log(y))


def _xlogy_grad(op: Any, dz: Tensor) -> tuple[Any, Any]:
    x, y = op.inputs
    return dz * raw.Xlogy(_not_zero(x), y), dz * raw.Xdivy(x, y)


def _xdivy_arrays(x: np.ndarray, y: np.ndarray) -> Any:
    return np.where(x == 0, 0, x / y)


def _xdivy_grad(op: Any, dz: Tensor) -> tuple[Any, Any]:
    x, y = op.inputs
    return dz * raw.Xdivy(_not_zero(x), y), dz * raw.Xdivy(-x, y * y)


_xlogy = binary("Xlogy", _xlogy_arrays, _xlogy_grad, types=FLOATS, domain=(0.5, 3.0))
_xdivy = binary("Xdivy", _xdivy_arrays, _xdivy_grad, types=FLOATS, domain=(0.5, 3.0))


_mul_no_nan = binary(
    "MulNoNan",
    lambda x, y: np.where(y == 0, 0, x * y).astype(x.dtype),
    lambda op, dz: (raw.MulNoNan(dz, conj(op.inputs[1])), raw.MulNoNan(conj(op.inputs[0]), dz)),
    types=(*FLOATS, *COMPLEX),
)


def multiply_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x y, which is 0 where y is 0, though x be infinite or NaN.

    Args:
      x, y: tensors of one floating or complex dtype, of shapes that fit together.
      name: name of the op.

    Returns: a tensor of that dtype.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.multiply_no_nan([float("inf"), 2.0], [0.0, 3.0]).numpy())
    [0. 6.]
    """
    return _mul_no_nan(x, y, name=name)


def xlogy(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x log(y), which is 0 where x is 0.

    Args:
      x, y: tensors of one floating dtype, of shapes that fit together.
      name: name of the op.

    Returns: a tensor of that dtype.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.xlogy([0.0, 2.0], [0.0, 1.0]).numpy())
    [0. 0.]
    """
    return _xlogy(x, y, name=name)


def xdivy(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y, which is 0 where x is 0.

    Args:
      x, y: tensors of one floating dtype, of shapes that fit together.
      name: name of the op.

    Returns: a tensor of that dtype.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.xdivy([0.0, 3.0], [0.0, 2.0]).numpy())
    [0.  1.5]
    """
    return _xdivy(x, y, name=name)
