"""Convolution in two dimensions and its gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.op_def import REQUIRED, OpDef
from hybridflow._src.framework.spelling import spelled
from hybridflow._src.ops.convolution import lowered, meanings
from hybridflow._src.ops.families import FLOATS
from hybridflow._src.ops.windows import each_dimension

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["conv2d", "conv2d_backprop_filter", "conv2d_backprop_input"]

_ATTRS = {
    "strides": REQUIRED,
    "use_cudnn_on_gpu": True,
    "padding": REQUIRED,
    "data_format": "NHWC",
    "dilations": [1, 1, 1, 1],
}


def _attrs(
    padding: str,
    strides: Sequence[int] = (1, 1, 1, 1),
    data_format: str = "NHWC",
    dilations: Sequence[int] = (1, 1, 1, 1),
) -> dict[str, Any]:
    """The attributes of a sample."""
    return {
        "strides": list(strides),
        "padding": padding,
        "data_format": data_format,
        "dilations": list(dilations),
    }


_gradients = meanings.Gradients("Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter")


_samples = meanings.Samples(
    [
        ((2, 4, 3, 2), (3, 2, 2, 3), _attrs("SAME")),
        ((1, 5, 4, 2), (3, 2, 2, 1), _attrs("VALID", [1, 2, 1, 1])),
        ((1, 5, 6, 1), (2, 3, 1, 2), _attrs("SAME", [1, 2, 3, 1])),
        ((1, 6, 5, 1), (2, 2, 1, 2), _attrs("VALID", dilations=[1, 2, 3, 1])),
        ((1, 5, 5, 1), (3, 2, 1, 1), _attrs("SAME", dilations=[1, 2, 2, 1])),
        ((2, 2, 3, 4), (2, 3, 2, 2), _attrs("SAME", [1, 1, 2, 2], "NCHW")),
        ((2, 3, 2, 3), (1, 1, 3, 2), _attrs("VALID")),
        ((1, 4, 4, 1), (1, 1, 1, 2), _attrs("SAME", [1, 3, 3, 1])),
        ((0, 3, 3, 2), (2, 2, 2, 1), _attrs("SAME")),
    ],
    meanings.compute,
)

_conv2d = OpDef(
    "Conv2D",
    "input: T, filter: T -> output: T",
    types=FLOATS,
    attrs=_ATTRS,
    shape=meanings.shape(4),
    compute=meanings.compute,
    grad=_gradients.of_forward,
    samples=_samples.of_forward,
    checked=True,
    native=lowered.convolution,
    kernels_from=1 << 10,
)
_conv2d_backprop_input = OpDef(
    "Conv2DBackpropInput",
    "input_sizes: int32, filter: T, out_backprop: T -> output: T",
    types=FLOATS,
    attrs=_ATTRS,
    shape=meanings.input_gradient_shape(4),
    compute=meanings.compute_input_gradient,
    grad=_gradients.of_input_gradient,
    samples=_samples.of_input_gradient,
    checked=True,
    native=lowered.input_gradient,
    kernels_from=1 << 10,
)
_conv2d_backprop_filter = OpDef(
    "Conv2DBackpropFilter",
    "input: T, filter_sizes: int32, out_backprop: T -> output: T",
    types=FLOATS,
    attrs=_ATTRS,
    shape=meanings.filter_gradient_shape(4),
    compute=meanings.compute_filter_gradient,
    grad=_gradients.of_filter_gradient,
    samples=_samples.of_filter_gradient,
    checked=True,
    native=lowered.filter_gradient,
    kernels_from=1 << 10,
)


# -- public functions ------------------------------------------------------------------------------


@spelled(filters="filter")
def conv2d(
    input: Any,
    filter: Any,
    strides: Sequence[int],
    padding: str,
    use_cudnn_on_gpu: bool = True,
    data_format: str = "NHWC",
    dilations: Sequence[int] = (1, 1, 1, 1),
    name: str | None = None,
) -> Tensor:
    """Slides filters over images, and sums the products:

        output[b, i, j, k] = sum over di, dj, c of
            input[b, strides[1] * i + di, strides[2] * j + dj, c] * filter[di, dj, c, k]

    Args:
      input: tensor `[batch, height, width, in_channels]` of a float dtype.
      filter: tensor `[filter_height, filter_width, in_channels, out_channels]` of the same dtype.
      strides: 4 ints, in the order of `data_format`; those of batch and channels are 1.
      padding: "SAME", zeros around the images, so that the output has size `ceil(size / stride)`;
        or "VALID", none. A filter that is infinite or NaN has no product with these zeros.
      use_cudnn_on_gpu: not used.
      data_format: "NHWC", or "NCHW" for images `[batch, channels, height, width]`.
      dilations: 4 ints, how far apart the elements of the filter are laid.
      name: name of the op.

    Returns: a tensor `[batch, out_height, out_width, out_channels]` of the same dtype.

    Raises:
      ValueError: if shapes do not fit or an attribute has a value that is not allowed.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     image = hf.reshape(hf.range(9.0), [1, 3, 3, 1])
    ...     box = hf.ones([2, 2, 1, 1])
    ...     print(hf.nn.conv2d(image, box, [1, 1, 1, 1], "VALID").numpy().reshape(2, 2))
    [[ 8. 12.]
     [20. 24.]]
    """
    return _conv2d(
        input,
        filter,
        strides=each_dimension("strides", strides, 4),
        padding=padding,
        use_cudnn_on_gpu=use_cudnn_on_gpu,
        data_format=data_format,
        dilations=each_dimension("dilations", dilations, 4),
        name=name,
    )


@spelled(filters="filter")
def conv2d_backprop_input(
    input_sizes: Any,
    filter: Any,
    out_backprop: Any,
    strides: Sequence[int],
    padding: str,
    use_cudnn_on_gpu: bool = True,
    data_format: str = "NHWC",
    dilations: Sequence[int] = (1, 1, 1, 1),
    name: str | None = None,
) -> Tensor:
    """The gradient of `conv2d` with respect to its input.

    Args:
      input_sizes: int32 vector `[4]`, the shape of the input.
      filter: tensor `[filter_height, filter_width, in_channels, out_channels]` of a float dtype.
      out_backprop: tensor of the same dtype, the gradient with respect to the output.
      strides, padding, use_cudnn_on_gpu, data_format, dilations: those of the convolution.
      name: name of the op.

    Returns: a tensor of shape `input_sizes`.

    Raises:
      ValueError: if shapes do not fit or an attribute has a value that is not allowed.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     dx = hf.nn.conv2d_backprop_input(
    ...         [1, 1, 3, 1], hf.ones([1, 2, 1, 1]), hf.ones([1, 1, 2, 1]), [1, 1, 1, 1], "VALID")
    ...     print(dx.numpy().ravel())
    [1. 2. 1.]
    """
    return _conv2d_backprop_input(
        input_sizes,
        filter,
        out_backprop,
        strides=each_dimension("strides", strides, 4),
        padding=padding,
        use_cudnn_on_gpu=use_cudnn_on_gpu,
        data_format=data_format,
        dilations=each_dimension("dilations", dilations, 4),
        name=name,
    )


def conv2d_backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Sequence[int],
    padding: str,
    use_cudnn_on_gpu: bool = True,
    data_format: str = "NHWC",
    dilations: Sequence[int] = (1, 1, 1, 1),
    name: str | None = None,
) -> Tensor:
    """The gradient of `conv2d` with respect to its filter.

    Args:
      input: tensor `[batch, height, width, in_channels]` of a float dtype.
      filter_sizes: int32 vector `[4]`, the shape of the filter.
      out_backprop: tensor of the same dtype, the gradient with respect to the output.
      strides, padding, use_cudnn_on_gpu, data_format, dilations: those of the convolution.
      name: name of the op.

    Returns: a tensor of shape `filter_sizes`.

    Raises:
      ValueError: if shapes do not fit or an attribute has a value that is not allowed.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     image = hf.reshape(hf.range(3.0), [1, 1, 3, 1])
    ...     dw = hf.nn.conv2d_backprop_filter(
    ...         image, [1, 2, 1, 1], hf.ones([1, 1, 2, 1]), [1, 1, 1, 1], "VALID")
    ...     print(dw.numpy().ravel())
    [1. 3.]
    """
    return _conv2d_backprop_filter(
        input,
        filter_sizes,
        out_backprop,
        strides=each_dimension("strides", strides, 4),
        padding=padding,
        use_cudnn_on_gpu=use_cudnn_on_gpu,
        data_format=data_format,
        dilations=each_dimension("dilations", dilations, 4),
        name=name,
    )
