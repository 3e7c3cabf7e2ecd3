"""Shapes that are checked where a program runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample
from hybridflow._src.framework.tensor_shape import TensorShape, as_shape, merge

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["ensure_shape"]


def _check(x: np.ndarray, shape: TensorShape) -> np.ndarray:
    wanted = shape._dims
    if wanted is not None and (
        len(wanted) != x.ndim
        or any(size not in (None, got) for size, got in zip(wanted, x.shape, strict=True))
    ):
        raise InvalidArgumentError(
            None,
            None,
            f"Shape of the tensor, {list(x.shape)}, is not compatible with expected shape {shape}.",
        )
    return x


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for dims, shape in (((2, 3), (None, 3)), ((), ()), ((0, 2), None), ((4,), (4,))):
            yield Sample(rng.normal(size=dims).astype(dtype), shape=as_shape(shape))


_ensure = OpDef(
    "EnsureShape",
    "input: T -> output: T",
    attrs={"shape": REQUIRED},
    shape=lambda attrs, x: merge(x._dims, attrs["shape"]._dims),
    compute=_check,
    grad=lambda op, dy: dy,
    samples=_samples,
    aliases=True,
)


def ensure_shape(x: Any, shape: Any, name: str | None = None) -> Tensor:
    """`x`, whose shape is checked when it is computed and known afterwards.

    Of TensorFlow 1.15. Unlike `set_shape`, which trusts, it raises where the shape is another one.

    Args:
      x: a tensor.
      shape: the shape that it must have, in which parts may be unknown.
      name: name of the op.

    Returns: `x`, with what both shapes know as its static shape.

    Raises:
      ValueError: if the static shape of `x` cannot be that one.
      InvalidArgumentError: when it runs, if the shape is another one.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     print(hf.ensure_shape(hf.placeholder(hf.float32), [None, 3]).shape)
    (?, 3)
    """
    return _ensure(x, shape=as_shape(shape), name=name)
