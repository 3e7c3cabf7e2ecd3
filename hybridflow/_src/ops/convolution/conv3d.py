"""Convolution in three dimensions and its gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.op_def import REQUIRED, OpDef
from hybridflow._src.framework.spelling import spelled
from hybridflow._src.ops.convolution import meanings
from hybridflow._src.ops.families import FLOATS
from hybridflow._src.ops.windows import each_dimension

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["conv3d", "conv3d_backprop_filter_v2"]

_ATTRS = {
    "strides": REQUIRED,
    "padding": REQUIRED,
    "data_format": "NDHWC",
    "dilations": [1, 1, 1, 1, 1],
}


def _attrs(
    padding: str, strides: Sequence[int] = (1, 1, 1, 1, 1), data_format: str = "NDHWC"
) -> dict[str, Any]:
    """The attributes of a sample."""
    return {
        "strides": list(strides),
        "padding": padding,
        "data_format": data_format,
        "dilations": [1, 1, 1, 1, 1],
    }


_gradients = meanings.Gradients("Conv3D", "Conv3DBackpropInputV2", "Conv3DBackpropFilterV2")
_samples = meanings.Samples(
    [
        ((1, 2, 3, 3, 2), (2, 2, 3, 2, 1), _attrs("SAME")),
        ((1, 3, 4, 3, 1), (2, 3, 1, 1, 2), _attrs("VALID", [1, 1, 1, 2, 1])),
        ((1, 2, 2, 3, 2), (1, 2, 2, 2, 1), _attrs("SAME", [1, 1, 1, 2, 2], "NCDHW")),
        ((1, 4, 3, 3, 1), (2, 1, 2, 1, 1), {**_attrs("VALID"), "dilations": [1, 2, 1, 2, 1]}),
    ],
    meanings.compute,
)
_conv3d = OpDef(
    "Conv3D",
    "input: T, filter: T -> output: T",
    types=FLOATS,
    attrs=_ATTRS,
    shape=meanings.shape(5),
    compute=meanings.compute,
    grad=_gradients.of_forward,
    samples=_samples.of_forward,
    checked=True,
)
OpDef(
    "Conv3DBackpropInputV2",
    "input_sizes: int32, filter: T, out_backprop: T -> output: T",
    types=FLOATS,
    attrs=_ATTRS,
    shape=meanings.input_gradient_shape(5),
    compute=meanings.compute_input_gradient,
    grad=_gradients.of_input_gradient,
    samples=_samples.of_input_gradient,
    checked=True,
)
_conv3d_backprop_filter = OpDef(
    "Conv3DBackpropFilterV2",
    "input: T, filter_sizes: int32, out_backprop: T -> output: T",
    types=FLOATS,
    attrs=_ATTRS,
    shape=meanings.filter_gradient_shape(5),
    compute=meanings.compute_filter_gradient,
    grad=_gradients.of_filter_gradient,
    samples=_samples.of_filter_gradient,
    checked=True,
)


@spelled(filters="filter")
def conv3d(
    input: Any,
    filter: Any,
    strides: Sequence[int],
    padding: str,
    data_format: str = "NDHWC",
    dilations: Sequence[int] = (1, 1, 1, 1, 1),
    name: str | None = None,
) -> Tensor:
    """Slides filters over volumes, and sums the products: `conv2d` with one dimension more.

    Args:
      input: tensor `[batch, depth, height, width, in_channels]` of a float dtype.
      filter: tensor `[depth, height, width, in_channels, out_channels]` of the same dtype.
      strides: 5 ints, in the order of `data_format`; those of batch and channels are 1.
      padding: "SAME" or "VALID", as in `conv2d`.
      data_format: "NDHWC", or "NCDHW" for volumes `[batch, channels, depth, height, width]`.
      dilations: 5 ints, how far apart the elements of the filter are laid.
      name: name of the op.

    Returns: a tensor `[batch, out_depth, out_height, out_width, out_channels]` of the same dtype.

    Raises:
      ValueError: if shapes do not fit or an attribute has a value that is not allowed.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     volume, box = hf.ones([1, 3, 3, 3, 1]), hf.ones([2, 2, 2, 1, 1])
    ...     print(hf.nn.conv3d(volume, box, [1, 1, 1, 1, 1], "VALID").shape)
    (1, 2, 2, 2, 1)
    """
    return _conv3d(
        input,
        filter,
        strides=each_dimension("strides", strides, 5),
        padding=padding,
        data_format=data_format,
        dilations=each_dimension("dilations", dilations, 5),
        name=name,
    )


def conv3d_backprop_filter_v2(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Sequence[int],
    padding: str,
    data_format: str = "NDHWC",
    dilations: Sequence[int] = (1, 1, 1, 1, 1),
    name: str | None = None,
) -> Tensor:
    """The gradient of `conv3d` with respect to its filter.

    Args:
      input: tensor `[batch, depth, height, width, in_channels]` of a float dtype.
      filter_sizes: int32 vector `[5]`, the shape of the filter.
      out_backprop: tensor of the same dtype, the gradient with respect to the output.
      strides, padding, data_format, dilations: those of the convolution.
      name: name of the op.

    Returns: a tensor of shape `filter_sizes`.

    Raises:
      ValueError: if shapes do not fit or an attribute has a value that is not allowed.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     dw = hf.nn.conv3d_backprop_filter_v2(
    ...         hf.ones([1, 1, 1, 3, 1]), [1, 1, 2, 1, 1], hf.ones([1, 1, 1, 2, 1]),
    ...         [1, 1, 1, 1, 1], "VALID")
    ...     print(dw.numpy().ravel())
    [2. 2.]
    """
    return _conv3d_backprop_filter(
        input,
        filter_sizes,
        out_backprop,
        strides=each_dimension("strides", strides, 5),
        padding=padding,
        data_format=data_format,
        dilations=each_dimension("dilations", dilations, 5),
        name=name,
    )
