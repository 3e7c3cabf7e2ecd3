"""Makers of op records for the largest families: elementwise ops with one and two inputs."""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.op_def import ELEMENTWISE, OpDef, Sample, not_differentiable
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops import shape_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor

FLOATS = (dtypes.float16, dtypes.float32, dtypes.float64)
COMPLEX = (dtypes.complex64, dtypes.complex128)
SIGNED = (dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64)
INTEGERS = (*SIGNED, dtypes.uint8, dtypes.uint16, dtypes.uint32, dtypes.uint64)
REALS = (*FLOATS, *INTEGERS)
NUMBERS = (*REALS, *COMPLEX)
INEXACT = (*FLOATS, *COMPLEX)
INDICES = (dtypes.int32, dtypes.int64)

# Pairs of shapes for the samples of an op that broadcasts.
_PAIRS = (((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2,)), ((0, 2), (2,)))


def unary(
    name: str,
    compute: Callable[..., Any],
    grad: Callable[..., Any],
    *,
    types: Sequence[DType] = INEXACT,
    out: str = "T",
    names: tuple[str, str] = ("x", "y"),
    domain: tuple[float, float] = (-2.0, 2.0),
    native: str | Callable[..., Any] | None = ELEMENTWISE,
    kernels_from: int | None = None,
) -> OpDef:
    """The record of an elementwise op with one input; `domain` bounds the sample values."""
    smooth = grad is not not_differentiable

    def samples(rng: np.random.Generator) -> Iterable[Sample]:
        for dtype in _sample_dtypes(types):
            for shape in ((2, 3), (), (0, 2)):
                x = _draw(rng, domain, shape, dtype)
                yield Sample(x, differentiable=smooth and x.dtype.kind in "fc")

    return OpDef(
        name,
        f"{names[0]}: T -> {names[1]}: {out}",
        types=types,
        shape=shape_rules.same,
        compute=compute,
        grad=grad,
        samples=samples,
        native=native,
        kernels_from=kernels_from,
    )


def binary(
    name: str,
    compute: Callable[..., Any],
    grad: Callable[..., Any],
    *,
    types: Sequence[DType] = NUMBERS,
    out: str = "T",
    names: tuple[str, str, str] = ("x", "y", "z"),
    domain: tuple[float, float] = (-2.0, 2.0),
    domain2: tuple[float, float] | None = None,
    checked: bool = False,
    native: str | Callable[..., Any] | None = ELEMENTWISE,
) -> OpDef:
    """The record of an elementwise op with two inputs that broadcast.

    `grad(op, dz)` gives the gradients as if nothing had been broadcast; each is summed to the shape
    of its input here. `domain2` bounds the sample values of the second input, where it differs.
    """
    smooth = grad is not not_differentiable

    def gradient(op: Any, dz: Any) -> Any:
        x, y = op.inputs
        dx, dy = grad(op, dz)
        return sum_to_shape_of(dx, x, y), sum_to_shape_of(dy, y, x)

    def samples(rng: np.random.Generator) -> Iterable[Sample]:
        for dtype in _sample_dtypes(types):
            for left, right in _PAIRS:
                x = _draw(rng, domain, left, dtype)
                y = _draw(rng, domain2 or domain, right, dtype)
                yield Sample(x, y, differentiable=smooth and x.dtype.kind in "fc")

    return OpDef(
        name,
        f"{names[0]}: T, {names[1]}: T -> {names[2]}: {out}",
        types=types,
        shape=shape_rules.broadcasting,
        compute=compute,
        grad=gradient if smooth else not_differentiable,
        samples=samples,
        native=native,
        checked=checked,
    )


def gradient_op(
    name: str,
    compute: Callable[..., Any],
    grad: Callable[..., Any],
    *,
    names: tuple[str, str, str],
    types: Sequence[DType] = FLOATS,
    domain: tuple[float, float] = (0.2, 0.8),
) -> OpDef:
    """The record of an op that some gradient is made of: two inputs of one shape, elementwise."""

    def samples(rng: np.random.Generator) -> Iterable[Sample]:
        for dtype in _sample_dtypes(types):
            for shape in ((2, 3), (), (0, 2)):
                first, second = (_draw(rng, domain, shape, dtype) for _ in range(2))
                yield Sample(first, second, differentiable=first.dtype.kind in "fc")

    return OpDef(
        name,
        f"{names[0]}: T, {names[1]}: T -> {names[2]}: T",
        types=types,
        shape=shape_rules.merging,
        compute=compute,
        grad=grad,
        samples=samples,
        native=ELEMENTWISE,
    )


def slope_op(
    name: str,
    slope: Callable[[np.ndarray], Any],
    bend: Callable[[Tensor], Any],
    *,
    steep: bool = False,
) -> OpDef:
    """The record of `name(y, dy) = dy * slope(conj(y))`, for a function whose derivative is `slope`
    of its value; `bend` is the derivative of `slope`.

    `steep`: the slope can be infinite. What has no influence (`dy` is 0) gets no gradient there
    either, as in later versions of TF than 1.4.
    """

    def compute(y: np.ndarray, dy: np.ndarray) -> Any:
        result = dy * slope(np.conj(y) if y.dtype.kind == "c" else y)
        return np.where(dy == 0, dy, result) if steep else result

    def gradient(op: Any, dz: Any) -> tuple[Any, Any]:
        y, dy = conj(op.inputs[0]), op.inputs[1]
        return conj(dz) * dy * bend(y), op.record(y, dz)

    return gradient_op(name, compute, gradient, names=("y", "dy", "z"), types=INEXACT)


def _sample_dtypes(types: Sequence[DType]) -> list[Any]:
    wanted = (dtypes.float32, dtypes.float64, dtypes.complex128, dtypes.int32, dtypes.bool)
    return [dtype.np for dtype in wanted if dtype in types]


def _draw(
    rng: np.random.Generator, domain: tuple[float, float], shape: tuple[int, ...], dtype: Any
) -> np.ndarray:
    kind = np.dtype(dtype).kind
    values = np.asarray(rng.uniform(*domain, shape))
    if kind == "b":
        return values > sum(domain) / 2
    if kind == "c":
        values = values + 1j * rng.uniform(0.2, 0.8, shape)
    if kind == "i":
        # Wider, so that integers are not all alike.
        values = np.ceil(values * 3)
    return values.astype(dtype)


def sum_to_shape_of(grad: Any, x: Tensor, other: Tensor | None = None) -> Any:
    """Sums a gradient over the dimensions in which `x` was broadcast to the gradient's shape.

    `other` is the input with which `x` was broadcast, if there was one: its static shape may tell
    that nothing was. A gradient may be a function that gives it; then so is the sum.
    """
    if grad is None:
        return None
    if grad.__class__ is FunctionType:
        return lambda: sum_to_shape_of(grad(), x, other)
    dims = x._dims
    if dims is None:
        return raw.SumToShape(grad, raw.Shape(x))
    if None not in dims:
        return grad if grad._dims == dims else raw.SumToShape(grad, np.array(dims, np.int32))
    if other is not None and _covers(dims, other._dims):
        return grad
    return raw.SumToShape(grad, raw.Shape(x))


def _covers(dims: tuple[int | None, ...], other: tuple[int | None, ...] | None) -> bool:
    """Tells whether a tensor of shape `dims` is never broadcast when it meets one of `other`."""
    if other is None or len(other) > len(dims):
        return False
    for i in range(1, len(other) + 1):
        size = other[-i]
        if size != 1 and (size is None or size != dims[-i]):
            return False
    return True


def conj(x: Any) -> Any:
    """The complex conjugate of a tensor, which for a real one is the tensor itself."""
    return raw.Conj(x) if x.dtype.is_complex else x
