"""Local response normalization: each value divided by those of the channels beside it.

s[c] = bias + alpha * sum over |d - c| <= depth_radius of x[d] ** 2,    y = x * s ** -beta
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.families import FLOATS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["local_response_normalization"]

_ATTRS = {"depth_radius": 5, "bias": 1.0, "alpha": 1.0, "beta": 0.5}


def _sums(x: np.ndarray, radius: int) -> np.ndarray:
    """The sum over the channels beside each one."""
    depth = x.shape[-1]
    total = x.copy()
    for distance in range(1, min(radius, depth - 1) + 1):
        total[..., distance:] += x[..., :-distance]
        total[..., :-distance] += x[..., distance:]
    return total


def _wide(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float32) if x.dtype == np.float16 else x


def _compute(
    x: np.ndarray, depth_radius: int, bias: float, alpha: float, beta: float
) -> np.ndarray:
    wide = _wide(x)
    norm = bias + alpha * _sums(np.square(wide), depth_radius)
    return (wide * norm**-beta).astype(x.dtype, copy=False)


def _gradient(
    dy: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    depth_radius: int,
    bias: float,
    alpha: float,
    beta: float,
) -> np.ndarray:
    wide, above = _wide(x), _wide(dy)
    norm = bias + alpha * _sums(np.square(wide), depth_radius)
    shares = _sums(above * wide * norm ** (-beta - 1), depth_radius)
    dx = above * norm**-beta - 2 * alpha * beta * wide * shares
    return dx.astype(x.dtype, copy=False)


def _sums_op(x: Any, radius: int) -> Any:
    """`_sums` as ops: means of windows over channels and zeros around them, times their size."""
    size = 2 * radius + 1
    padded = raw.Pad(x, np.array([[0, 0], [0, 0], [0, 0], [radius, radius]], np.int32))
    rows = raw.Reshape(padded, raw.ConcatV2([[-1, 1], raw.Shape(padded)[3:], [1]], 0))
    means = raw.AvgPool(rows, ksize=[1, 1, size, 1], strides=[1, 1, 1, 1], padding="VALID")
    return raw.Reshape(means * float(size), raw.Shape(x))


def _grad_grad(op: Any, dz: Tensor) -> tuple[Any, Any, None]:
    dy, x, _ = op.inputs
    radius, bias, alpha, beta = (op.get_attr(key) for key in _ATTRS)
    norm = bias + alpha * _sums_op(raw.Square(x), radius)
    power = raw.Pow(norm, -beta)
    slope = power / norm
    factor = 2.0 * alpha * beta
    # dx = dy n^-b - f x S(dy x n^(-b-1)), f = 2 a b; each factor that depends on x in turn.
    back = _sums_op(dz * x, radius)
    to_norm = -beta * slope * dz * dy + factor * (beta + 1.0) * (slope / norm) * dy * x * back
    to_x = -factor * (dz * _sums_op(dy * x * slope, radius) + dy * slope * back)
    to_x = to_x + 2.0 * alpha * x * _sums_op(to_norm, radius)
    return dz * power - factor * x * slope * back, to_x, None


def _rows(rng: np.random.Generator) -> Iterable[tuple[Any, dict[str, Any]]]:
    for dtype in (np.float32, np.float64):
        for shape, attrs in (
            ((2, 1, 2, 5), {"depth_radius": 1, "bias": 1.5, "alpha": 0.3, "beta": 0.75}),
            ((1, 2, 2, 3), {"depth_radius": 5, "bias": 1.0, "alpha": 1.0, "beta": 0.5}),
            ((1, 1, 2, 4), {"depth_radius": 0, "bias": 2.0, "alpha": 0.5, "beta": 1.0}),
        ):
            yield rng.normal(size=shape).astype(dtype), attrs


def _grad_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for x, attrs in _rows(rng):
        dy = rng.normal(size=x.shape).astype(x.dtype)
        yield Sample(dy, x, _compute(x, **attrs), **attrs)


def _grad_shape(attrs: dict[str, Any], *tensors: Tensor) -> shape_rules.Dims:
    for tensor in tensors:
        shape_rules.with_rank(tensor, 4)
    return shape_rules.merging(attrs, *tensors)


_lrn = OpDef(
    "LRN",
    "input: T -> output: T",
    types=FLOATS,
    attrs=_ATTRS,
    shape=lambda attrs, x: shape_rules.with_rank(x, 4),
    compute=_compute,
    grad=lambda op, dy: raw.LRNGrad(
        dy, op.inputs[0], op.outputs[0], **{key: op.get_attr(key) for key in _ATTRS}
    ),
    samples=lambda rng: (Sample(x, **attrs) for x, attrs in _rows(rng)),
    checked=True,
)
OpDef(
    "LRNGrad",
    "input_grads: T, input_image: T, output_image: T -> output: T",
    types=FLOATS,
    attrs=_ATTRS,
    shape=_grad_shape,
    compute=_gradient,
    grad=_grad_grad,
    samples=_grad_samples,
    checked=True,
)


def local_response_normalization(
    input: Any,
    depth_radius: int = 5,
    bias: float = 1,
    alpha: float = 1,
    beta: float = 0.5,
    name: str | None = None,
) -> Tensor:
    """`input / (bias + alpha * sum(input ** 2)) ** beta`, summed over the channels beside each.

    Args:
      input: tensor `[batch, height, width, channels]` of a float dtype.
      depth_radius: how many channels before and after each one count.
      bias, alpha, beta: of the formula.
      name: name of the op.

    Returns: a tensor of the dtype and shape of `input`.

    Raises:
      ValueError: if `input` is not of rank 4.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.nn.local_response_normalization([[[[3.0, 4.0]]]], bias=0).numpy())
    [[[[0.6 0.8]]]]

    References:
      Krizhevsky, Sutskever, Hinton, ImageNet Classification with Deep Convolutional Neural Networks
      (2012).
    """
    return _lrn(
        input,
        depth_radius=depth_radius,
        bias=float(bias),
        alpha=float(alpha),
        beta=float(beta),
        name=name,
    )
