"""Makers of op records for the two largest families: elementwise ops with one and with two inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops import shape_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hybridflow._src.framework.dtypes import DType

FLOATS = (dtypes.float16, dtypes.float32, dtypes.float64)
COMPLEX = (dtypes.complex64, dtypes.complex128)
SIGNED = (dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64)
INTEGERS = (*SIGNED, dtypes.uint8, dtypes.uint16, dtypes.uint32, dtypes.uint64)
REALS = (*FLOATS, *INTEGERS)
NUMBERS = (*REALS, *COMPLEX)
INDICES = (dtypes.int32, dtypes.int64)


def unary(
    name: str,
    compute: Callable[..., Any],
    grad: Callable[..., Any],
    *,
    types: Sequence[DType] = (*FLOATS, *COMPLEX),
    out: str = "T",
    domain: tuple[float, float] = (-2.0, 2.0),
) -> OpDef:
    """The record of an elementwise op with one input; `domain` bounds the sample values."""

    def samples(rng: np.random.Generator) -> Iterable[Sample]:
        low, high = domain
        for dtype in (np.float32, np.float64) if dtypes.float32 in types else (np.int32, bool):
            if dtype is bool and dtypes.bool not in types:
                continue
            for shape in ((2, 3), (), (0, 2)):
                yield Sample(rng.uniform(low, high, shape).astype(dtype))

    return OpDef(
        name,
        f"x: T -> y: {out}",
        types=types,
        shape=shape_rules.same,
        compute=compute,
        grad=grad,
        samples=samples,
    )


def binary(
    name: str,
    compute: Callable[..., Any],
    grad: Callable[..., Any],
    *,
    types: Sequence[DType] = NUMBERS,
    out: str = "T",
    domain: tuple[float, float] = (-2.0, 2.0),
) -> OpDef:
    """The record of an elementwise op with two inputs that broadcast.

    `grad(op, dz)` gives the gradients as if nothing had been broadcast; each is summed to the shape of
    its input here.
    """

    def gradient(op: Any, dz: Any) -> Any:
        x, y = op.inputs
        grads = grad(op, dz)
        if grads is None:
            return None
        dx, dy = grads
        return sum_to_shape_of(dx, x), sum_to_shape_of(dy, y)

    def samples(rng: np.random.Generator) -> Iterable[Sample]:
        low, high = domain
        kinds = (np.float32, np.float64) if dtypes.float32 in types else (np.int32, bool)
        for dtype in kinds:
            if dtype is bool and dtypes.bool not in types:
                continue
            for left, right in (((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2,)), ((0, 2), (2,))):
                yield Sample(
                    rng.uniform(low, high, left).astype(dtype),
                    rng.uniform(low, high, right).astype(dtype),
                )

    return OpDef(
        name,
        f"x: T, y: T -> z: {out}",
        types=types,
        shape=shape_rules.broadcasting,
        compute=compute,
        grad=gradient,
        samples=samples,
    )


def sum_to_shape_of(grad: Any, x: Tensor) -> Any:
    """Sums a gradient over the dimensions in which `x` was broadcast to the gradient's shape."""
    if grad is None:
        return None
    dims = x._dims
    if dims is not None and None not in dims and grad._dims == dims:
        return grad
    return raw.SumToShape(grad, raw.Shape(x))
