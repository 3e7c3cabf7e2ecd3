"""Max pooling that tells where the largest elements stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.families import INDICES, REALS
from hybridflow._src.ops.pooling import maxima
from hybridflow._src.ops.pooling.meanings import (
    attrs_for,
    drawn,
    fits,
    like_output,
    pooled_dims,
)
from hybridflow._src.ops.windows import each_dimension

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["max_pool_with_argmax"]

_ATTRS = attrs_for(4, data_format=False)


def _windows(op: Any) -> dict[str, Any]:
    return {key: op.get_attr(key) for key in _ATTRS}


def _shape(attrs: dict[str, Any], x: Tensor) -> list[Any]:
    return [pooled_dims(attrs, shape_rules.with_rank(x, 4))] * 2


def _grad_shape(attrs: dict[str, Any], x: Tensor, dy: Tensor, argmax: Tensor) -> Any:
    dims = shape_rules.with_rank(x, 4)
    for tensor in (dy, argmax):
        fits(pooled_dims(attrs, dims), shape_rules.with_rank(tensor, 4))
    return dims


def _grad_grad_shape(attrs: dict[str, Any], x: Tensor, dx: Tensor, argmax: Tensor) -> Any:
    dims = shape_rules.merging(attrs, x, dx)
    pooled = pooled_dims(attrs, (None,) * 4 if dims is None else dims)
    fits(pooled, shape_rules.with_rank(argmax, 4))
    return pooled


def _compute(x: np.ndarray, Targmax: DType, **windows: Any) -> tuple[np.ndarray, np.ndarray]:
    return maxima.largest(x, **windows), maxima.numbers(x, **windows).astype(Targmax.np)


def _flat(x: np.ndarray) -> np.ndarray:
    """Images as rows."""
    return x.reshape(len(x), int(np.prod(x.shape[1:], dtype=np.int64)))


def _gradient(x: np.ndarray, dy: np.ndarray, argmax: np.ndarray, **_: Any) -> np.ndarray:
    dx = np.zeros(x.shape, x.dtype)
    np.add.at(_flat(dx), (np.arange(len(x))[:, None], _flat(argmax)), _flat(dy))
    return dx


def _selected(x: np.ndarray, dx: np.ndarray, argmax: np.ndarray, **_: Any) -> np.ndarray:
    return np.take_along_axis(_flat(dx), _flat(argmax), 1).reshape(argmax.shape)


def _rows(rng: np.random.Generator) -> Iterable[tuple[Any, Any, dict[str, Any]]]:
    for x, attrs in drawn(rng, 4):
        if attrs.pop("data_format") == "NHWC":
            for dtype in (np.int32, np.int64):
                yield x, maxima.numbers(x, **attrs).astype(dtype), attrs


def _grad_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for x, argmax, attrs in _rows(rng):
        yield Sample(x, like_output(rng, x, attrs), argmax, **attrs)


def _grad_grad_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for x, argmax, attrs in _rows(rng):
        yield Sample(x, rng.normal(size=x.shape).astype(x.dtype), argmax, **attrs)


_max_pool_with_argmax = OpDef(
    "MaxPoolWithArgmax",
    "input: T -> output: T, argmax: Targmax",
    types=REALS,
    attrs={**_ATTRS, "Targmax": dtypes.int64},
    shape=_shape,
    compute=_compute,
    grad=lambda op, dy, _: raw.MaxPoolGradWithArgmax(
        op.inputs[0], dy, op.outputs[1], **_windows(op)
    ),
    samples=lambda rng: (
        Sample(x, Targmax=dtypes.as_dtype(argmax.dtype), **attrs) for x, argmax, attrs in _rows(rng)
    ),
    checked=True,
)
OpDef(
    "MaxPoolGradWithArgmax",
    "input: T, grad: T, argmax: Targmax -> output: T",
    types={"T": REALS, "Targmax": INDICES},
    attrs=_ATTRS,
    shape=_grad_shape,
    compute=_gradient,
    grad=lambda op, dz: (
        None,
        raw.MaxPoolGradGradWithArgmax(op.inputs[0], dz, op.inputs[2], **_windows(op)),
        None,
    ),
    samples=_grad_samples,
    checked=True,
)
OpDef(
    "MaxPoolGradGradWithArgmax",
    "input: T, grad: T, argmax: Targmax -> output: T",
    types={"T": REALS, "Targmax": INDICES},
    attrs=_ATTRS,
    shape=_grad_grad_shape,
    compute=_selected,
    grad=lambda op, dz: (
        None,
        raw.MaxPoolGradWithArgmax(op.inputs[0], dz, op.inputs[2], **_windows(op)),
        None,
    ),
    samples=_grad_grad_samples,
    checked=True,
)


class MaxPoolWithArgmax(NamedTuple):
    """What `max_pool_with_argmax` gives."""

    output: Tensor
    argmax: Tensor


def max_pool_with_argmax(
    input: Any,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    Targmax: Any = dtypes.int64,
    name: str | None = None,
) -> MaxPoolWithArgmax:
    """The largest element of each window, and where it stands.

    Args:
      input: tensor `[batch, height, width, channels]` of a real dtype.
      ksize: 4 ints, the sizes of the windows.
      strides: 4 ints, how far the windows are apart.
      padding: "SAME" or "VALID", as in `max_pool`.
      Targmax: the dtype of the places, int32 or int64.
      name: name of the op.

    Returns: `(output, argmax)`, two tensors `[batch, out_height, out_width, channels]`: the
      elements; and their places, `(y * width + x) * channels + channel`, those of the first of the
      largest elements.

    Raises:
      ValueError: if the windows do not fit or an attribute has a value that is not allowed.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     image = hf.reshape(hf.range(4.0), [1, 2, 2, 1])
    ...     y, places = hf.nn.max_pool_with_argmax(image, [1, 2, 2, 1], [1, 2, 2, 1], "VALID")
    ...     print(y.numpy().ravel(), places.numpy().ravel())
    [3.] [3]
    """
    y, places = _max_pool_with_argmax(
        input,
        ksize=each_dimension("ksize", ksize, 4),
        strides=each_dimension("strides", strides, 4),
        padding=padding,
        Targmax=dtypes.as_dtype(Targmax),
        name=name,
    )
    return MaxPoolWithArgmax(y, places)
