"""Average pooling of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import OpDef
from hybridflow._src.framework.scopes import op_scope
from hybridflow._src.framework.spelling import spelled
from hybridflow._src.ops.families import FLOATS
from hybridflow._src.ops.pooling import averaging, lowered, means
from hybridflow._src.ops.pooling.meanings import attrs_for, samples, shape
from hybridflow._src.ops.windows import each_dimension

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["avg_pool"]

_avg_pool = OpDef(
    "AvgPool",
    "value: T -> output: T",
    types=FLOATS,
    attrs=attrs_for(4),
    shape=shape(4),
    compute=means.mean,
    grad=averaging.grad("AvgPoolGrad"),
    samples=samples(4),
    checked=True,
    native=lowered.mean,
    kernels_from=1 << 10,
)
OpDef(
    "AvgPoolGrad",
    "orig_input_shape: int32, grad: T -> output: T",
    types=FLOATS,
    attrs=attrs_for(4),
    shape=averaging.gradient_shape(4),
    compute=means.gradient,
    grad=averaging.grad_grad("AvgPool"),
    samples=averaging.gradient_samples(4),
    checked=True,
    native=lowered.mean_gradient,
    kernels_from=1 << 10,
)


@spelled(input="value")
def avg_pool(
    value: Any,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str = "NHWC",
    name: str | None = None,
) -> Tensor:
    """The mean of each window; what is padded does not count.

    Args:
      value: tensor `[batch, height, width, channels]` of a float dtype.
      ksize: 4 ints, the sizes of the windows, in the order of `data_format`.
      strides: 4 ints, how far the windows are apart.
      padding: "SAME", windows may stand out from the images; or "VALID", they lie inside.
      data_format: "NHWC", or "NCHW" for images `[batch, channels, height, width]`.
      name: name of the op.

    Returns: a tensor `[batch, out_height, out_width, channels]` of the same dtype.

    Raises:
      ValueError: if the windows do not fit or an attribute has a value that is not allowed.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     image = hf.reshape(hf.range(16.0), [1, 4, 4, 1])
    ...     print(hf.nn.avg_pool(image, [1, 2, 2, 1], [1, 2, 2, 1], "VALID").numpy().reshape(2, 2))
    [[ 2.5  4.5]
     [10.5 12.5]]
    """
    with op_scope(name, "AvgPool", [value]) as scope:
        return _avg_pool(
            convert_to_tensor(value, name="value"),
            ksize=each_dimension("ksize", ksize, 4),
            strides=each_dimension("strides", strides, 4),
            padding=padding,
            data_format=data_format,
            name=scope,
        )
