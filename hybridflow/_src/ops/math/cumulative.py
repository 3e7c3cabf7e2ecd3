"""Cumulative sums and products."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.kernels import scans
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.accumulation import accumulator
from hybridflow._src.ops.families import INDICES, NUMBERS, conj
from hybridflow._src.ops.math.reducing import axes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["cumprod", "cumsum"]


# -- records ---------------------------------------------------------------------------------------


def _scan(ufunc: Any, x: np.ndarray, axis: int, exclusive: bool, reverse: bool) -> np.ndarray:
    """The running result of `ufunc` along an axis, with or without each element itself."""
    turned = np.moveaxis(x, axis, 0)
    turned = turned[::-1] if reverse else turned
    result = np.empty(turned.shape, accumulator(x.dtype))
    if exclusive and len(turned):
        result[0], result[1:] = ufunc.identity, turned[:-1]
        ufunc.accumulate(result, axis=0, out=result)
    elif len(turned):
        ufunc.accumulate(turned, axis=0, out=result)
    result = np.moveaxis(result[::-1] if reverse else result, 0, axis)
    return np.ascontiguousarray(result.astype(x.dtype, copy=False))


def _draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    x = rng.uniform(0.5, 2, shape)
    return (x + 1j * rng.uniform(-1, 1, shape) if dtype is np.complex128 else x).astype(dtype)


def _cumulative(name: str, ufunc: Any, grad: Callable[..., Any]) -> OpDef:
    def compute(x: np.ndarray, axis: np.ndarray, exclusive: bool, reverse: bool) -> np.ndarray:
        where = int(axis)
        if not -x.ndim <= where < x.ndim:
            raise InvalidArgumentError(
                None,
                None,
                f"{name}: expected scan axis in the range [{-x.ndim}, {x.ndim}), but got {where}",
            )
        return _scan(ufunc, x, where, exclusive, reverse)

    def native(b: Any, x: Any, axis: Any, exclusive: bool, reverse: bool) -> Any:
        where = int(b.known(axis)) % len(x.shape)
        inner = math.prod(x.shape[where + 1 :])
        wide = b.cast(x, accumulator(x.dtype))
        slices = b.reshape(wide, (math.prod(x.shape[:where]), x.shape[where] * inner))
        result = b.by_rows(scans.running, slices, inner, ufunc is np.multiply, exclusive, reverse)
        return b.cast(b.reshape(result, x.shape), x.dtype)

    def samples(rng: np.random.Generator) -> Iterable[Sample]:
        for dtype in (np.float32, np.float64, np.complex128):
            for shape, axis in (((3,), 0), ((2, 3), 1), ((2, 3), -2), ((0, 2), 0)):
                for exclusive in (False, True):
                    for reverse in (False, True):
                        yield Sample(
                            _draw(rng, shape, dtype),
                            np.array(axis, np.int32),
                            exclusive=exclusive,
                            reverse=reverse,
                        )

    return OpDef(
        name,
        "x: T, axis: Tidx -> out: T",
        types={"T": NUMBERS, "Tidx": INDICES},
        attrs={"exclusive": False, "reverse": False},
        shape=shape_rules.same,
        compute=compute,
        grad=grad,
        samples=samples,
        native=native,
    )


def _cumsum_grad(op: Any, dy: Tensor) -> tuple[Any, None]:
    exclusive, reverse = op.get_attr("exclusive"), op.get_attr("reverse")
    return raw.Cumsum(dy, op.inputs[1], exclusive=exclusive, reverse=not reverse), None


def _cumprod_grad(op: Any, dy: Tensor) -> tuple[Any, None]:
    x, axis = op.inputs
    exclusive, reverse = op.get_attr("exclusive"), op.get_attr("reverse")
    weighted = dy * conj(op.outputs[0])
    return raw.Cumsum(weighted, axis, exclusive=exclusive, reverse=not reverse) / conj(x), None


_cumsum = _cumulative("Cumsum", np.add, _cumsum_grad)
_cumprod = _cumulative("Cumprod", np.multiply, _cumprod_grad)


def _others_arrays(x: np.ndarray, axes: np.ndarray) -> np.ndarray:
    others = np.ones_like(x)
    for axis in axes_of(x, axes):
        before = _scan(np.multiply, x, axis, exclusive=True, reverse=False)
        after = _scan(np.multiply, x, axis, exclusive=True, reverse=True)
        others *= before * after
        x = np.multiply.reduce(x, axis=axis, dtype=x.dtype, keepdims=True)
    return others


def _others_grad(op: Any, dy: Tensor) -> tuple[Any, None]:
    x, axes = op.inputs
    weighted = dy * conj(op.outputs[0])
    return (raw.Sum(weighted, axes, keep_dims=True) - weighted) / conj(x), None


def _others_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.complex128):
        for shape, axes in (((2, 3), [1]), ((2, 3), [0, -1]), ((2, 3), []), ((0, 2), [0])):
            yield Sample(_draw(rng, shape, dtype), np.array(axes, np.int32))


# For each element the product of all others along the axes: the gradient of `Prod`, right also
# where elements are 0. (Its own gradient divides by them, as that of `Cumprod` does in TF too.)
OpDef(
    "ProductOfOthers",
    "input: T, axes: Tidx -> output: T",
    types={"T": NUMBERS, "Tidx": INDICES},
    shape=shape_rules.same,
    compute=_others_arrays,
    grad=_others_grad,
    samples=_others_samples,
)


# -- public functions ------------------------------------------------------------------------------


def cumsum(
    x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """The running sum along an axis: `[a, a + b, a + b + c]`.

    Args:
      x: tensor of a number dtype.
      axis: scalar int: the axis along which to sum.
      exclusive: leave each element itself out: `[0, a, a + b]`.
      reverse: sum from the end: `[a + b + c, b + c, c]`.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    Raises:
      InvalidArgumentError: if the axis is out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.cumsum([1, 2, 3]).numpy(), hf.cumsum([1, 2, 3], exclusive=True).numpy())
    [1 3 6] [0 1 3]
    """
    return _cumsum(x, axis, exclusive=exclusive, reverse=reverse, name=name)


def cumprod(
    x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """The running product along an axis: `[a, a * b, a * b * c]`.

    Args:
      x: tensor of a number dtype.
      axis: scalar int: the axis along which to multiply.
      exclusive: leave each element itself out: `[1, a, a * b]`.
      reverse: multiply from the end: `[a * b * c, b * c, c]`.
      name: name of the op.

    Returns: a tensor of the same dtype and shape. The gradient is NaN where elements are 0.

    Raises:
      InvalidArgumentError: if the axis is out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.cumprod([2, 3, 4]).numpy(), hf.cumprod([2, 3, 4], reverse=True).numpy())
    [ 2  6 24] [24 12  4]
    """
    return _cumprod(x, axis, exclusive=exclusive, reverse=reverse, name=name)
