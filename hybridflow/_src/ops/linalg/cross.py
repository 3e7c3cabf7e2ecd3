"""Cross products."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.families import REALS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["cross"]


def _shape(attrs: dict[str, Any], a: Tensor, b: Tensor) -> shape_rules.Dims:
    dims = shape_rules.merging(attrs, a, b)
    if dims is not None and (not dims or dims[-1] not in (3, None)):
        raise ValueError(f"The last axis must have 3 numbers, got shape {list(dims)}")
    return dims if dims is None else (*dims[:-1], 3)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if a.shape != b.shape or not a.ndim or a.shape[-1] != 3:
        words = "a and b must have one shape [..., 3]"
        raise ValueError(f"{words}, got {list(a.shape)} and {list(b.shape)}")
    return np.cross(a, b)


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.int32):
        for dims in ((3,), (2, 3), (0, 3), (2, 1, 3), (500, 3)):
            a, b = (rng.normal(size=dims) * 9 for _ in range(2))
            yield Sample(a.astype(dtype), b.astype(dtype), differentiable=a.size < 30)


_record = OpDef(
    "Cross",
    "a: T, b: T -> product: T",
    types=REALS,
    shape=_shape,
    compute=_cross,
    grad=lambda op, dy: (raw.Cross(op.inputs[1], dy), raw.Cross(dy, op.inputs[0])),
    samples=_samples,
)


def cross(a: Any, b: Any, name: str | None = None) -> Tensor:
    """The cross products of vectors of three numbers.

    Args:
      a: tensor `[..., 3]` of a number dtype.
      b: tensor of the same shape and dtype.
      name: name of the op.

    Returns: a tensor of that shape and dtype.

    Raises:
      ValueError: if the shapes differ, or the last axis has not three numbers.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.cross([1, 0, 0], [0, 1, 0]).numpy())
    [0 0 1]
    """
    return _record(a, b, name=name)
