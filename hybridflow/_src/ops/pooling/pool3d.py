"""Pooling of volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.op_def import OpDef
from hybridflow._src.ops.families import FLOATS
from hybridflow._src.ops.pooling import averaging, maxima, maximizing, means
from hybridflow._src.ops.pooling.meanings import attrs_for, gradient_shape, samples, shape
from hybridflow._src.ops.windows import each_dimension

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["avg_pool3d", "max_pool3d"]

_max_pool3d = OpDef(
    "MaxPool3D",
    "input: T -> output: T",
    types=FLOATS,
    attrs=attrs_for(5),
    shape=shape(5),
    compute=maxima.largest,
    grad=maximizing.grad("MaxPool3DGrad"),
    samples=samples(5),
    checked=True,
)
OpDef(
    "MaxPool3DGrad",
    "orig_input: T, orig_output: T, grad: T -> output: T",
    types=FLOATS,
    attrs=attrs_for(5),
    shape=gradient_shape(5),
    compute=maxima.gradient,
    grad=maximizing.grad_grad("MaxPool3DGradGrad"),
    samples=maximizing.grad_samples(5),
    checked=True,
)
OpDef(
    "MaxPool3DGradGrad",
    "orig_input: T, orig_output: T, grad: T -> output: T",
    types=FLOATS,
    attrs=attrs_for(5),
    shape=maximizing.grad_grad_shape(5),
    compute=maxima.selected,
    grad=maximizing.grad_grad("MaxPool3DGrad"),
    samples=maximizing.grad_grad_samples(5),
    checked=True,
)
_avg_pool3d = OpDef(
    "AvgPool3D",
    "input: T -> output: T",
    types=FLOATS,
    attrs=attrs_for(5),
    shape=shape(5),
    compute=means.mean,
    grad=averaging.grad("AvgPool3DGrad"),
    samples=samples(5),
    checked=True,
)
OpDef(
    "AvgPool3DGrad",
    "orig_input_shape: int32, grad: T -> output: T",
    types=FLOATS,
    attrs=attrs_for(5),
    shape=averaging.gradient_shape(5),
    compute=means.gradient,
    grad=averaging.grad_grad("AvgPool3D"),
    samples=averaging.gradient_samples(5),
    checked=True,
)


def max_pool3d(
    input: Any,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str = "NDHWC",
    name: str | None = None,
) -> Tensor:
    """The largest element of each window: `max_pool` with one dimension more.

    Args:
      input: tensor `[batch, depth, height, width, channels]` of a float dtype.
      ksize: 5 ints, the sizes of the windows, in the order of `data_format`.
      strides: 5 ints, how far the windows are apart.
      padding: "SAME" or "VALID", as in `max_pool`.
      data_format: "NDHWC", or "NCDHW" for volumes `[batch, channels, depth, height, width]`.
      name: name of the op.

    Returns: a tensor `[batch, out_depth, out_height, out_width, channels]` of the same dtype.

    Raises:
      ValueError: if the windows do not fit or an attribute has a value that is not allowed.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.reshape(hf.range(8.0), [1, 2, 2, 2, 1])
    ...     print(hf.nn.max_pool3d(x, [1, 1, 2, 2, 1], [1] * 5, "VALID").numpy().ravel())
    [3. 7.]
    """
    return _max_pool3d(
        input,
        ksize=each_dimension("ksize", ksize, 5),
        strides=each_dimension("strides", strides, 5),
        padding=padding,
        data_format=data_format,
        name=name,
    )


def avg_pool3d(
    input: Any,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str = "NDHWC",
    name: str | None = None,
) -> Tensor:
    """The mean of each window: `avg_pool` with one dimension more.

    Args:
      input: tensor `[batch, depth, height, width, channels]` of a float dtype.
      ksize: 5 ints, the sizes of the windows, in the order of `data_format`.
      strides: 5 ints, how far the windows are apart.
      padding: "SAME" or "VALID", as in `avg_pool`.
      data_format: "NDHWC", or "NCDHW" for volumes `[batch, channels, depth, height, width]`.
      name: name of the op.

    Returns: a tensor `[batch, out_depth, out_height, out_width, channels]` of the same dtype.

    Raises:
      ValueError: if the windows do not fit or an attribute has a value that is not allowed.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.reshape(hf.range(8.0), [1, 2, 2, 2, 1])
    ...     print(hf.nn.avg_pool3d(x, [1, 1, 2, 2, 1], [1] * 5, "VALID").numpy().ravel())
    [1.5 5.5]
    """
    return _avg_pool3d(
        input,
        ksize=each_dimension("ksize", ksize, 5),
        strides=each_dimension("strides", strides, 5),
        padding=padding,
        data_format=data_format,
        name=name,
    )
