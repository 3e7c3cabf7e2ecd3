"""Max pooling of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import OpDef
from hybridflow._src.framework.scopes import op_scope
from hybridflow._src.framework.spelling import spelled
from hybridflow._src.ops.families import REALS
from hybridflow._src.ops.pooling import lowered, maxima, maximizing
from hybridflow._src.ops.pooling.meanings import attrs_for, gradient_shape, samples, shape
from hybridflow._src.ops.windows import each_dimension

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["max_pool"]

_ACROSS_CHANNELS = ((1, 2, 2, 4), [1, 1, 1, 2], [1, 1, 1, 2], "SAME", "NHWC")


_max_pool = OpDef(
    "MaxPool",
    "input: T -> output: T",
    types=REALS,
    attrs=attrs_for(4),
    shape=shape(4, depthwise=True),
    compute=maxima.largest,
    grad=maximizing.grad("MaxPoolGrad"),
    samples=samples(4, _ACROSS_CHANNELS),
    checked=True,
    native=lowered.largest,
    kernels_from=1 << 10,
)
OpDef(
    "MaxPoolGrad",
    "orig_input: T, orig_output: T, grad: T -> output: T",
    types=REALS,
    attrs=attrs_for(4),
    shape=gradient_shape(4, depthwise=True),
    compute=maxima.gradient,
    grad=maximizing.grad_grad("MaxPoolGradGrad"),
    samples=maximizing.grad_samples(4, _ACROSS_CHANNELS),
    checked=True,
    native=lowered.largest_gradient,
    kernels_from=1 << 10,
)
OpDef(
    "MaxPoolGradGrad",
    "orig_input: T, orig_output: T, grad: T -> output: T",
    types=REALS,
    attrs=attrs_for(4),
    shape=maximizing.grad_grad_shape(4),
    compute=maxima.selected,
    grad=maximizing.grad_grad("MaxPoolGrad"),
    samples=maximizing.grad_grad_samples(4, _ACROSS_CHANNELS),
    checked=True,
)


# -- public function -------------------------------------------------------------------------------


@spelled(input="value")
def max_pool(
    value: Any,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str = "NHWC",
    name: str | None = None,
) -> Tensor:
    """The largest element of each window.

    Args:
      value: tensor `[batch, height, width, channels]` of a real dtype.
      ksize: 4 ints, the sizes of the windows, in the order of `data_format`.
      strides: 4 ints, how far the windows are apart.
      padding: "SAME", windows may stand out from the images; or "VALID", they lie inside.
      data_format: "NHWC", or "NCHW" for images `[batch, channels, height, width]`.
      name: name of the op.

    Returns: a tensor `[batch, out_height, out_width, channels]` of the same dtype. Its gradient
      goes to the first of the largest elements of a window.

    Raises:
      ValueError: if the windows do not fit or an attribute has a value that is not allowed.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     image = hf.reshape(hf.range(16.0), [1, 4, 4, 1])
    ...     print(hf.nn.max_pool(image, [1, 2, 2, 1], [1, 2, 2, 1], "VALID").numpy().reshape(2, 2))
    [[ 5.  7.]
     [13. 15.]]
    """
    with op_scope(name, "MaxPool", [value]) as scope:
        return _max_pool(
            convert_to_tensor(value, name="input"),
            ksize=each_dimension("ksize", ksize, 4),
            strides=each_dimension("strides", strides, 4),
            padding=padding,
            data_format=data_format,
            name=scope,
        )
