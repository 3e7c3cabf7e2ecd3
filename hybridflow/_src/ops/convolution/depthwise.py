"""Convolution of each channel with filters of its own, and its gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.op_def import REQUIRED, OpDef
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.convolution import lowered, meanings
from hybridflow._src.ops.families import FLOATS
from hybridflow._src.ops.windows import channels, channels_last, each_dimension, in_format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "depthwise_conv2d_native",
    "depthwise_conv2d_native_backprop_filter",
    "depthwise_conv2d_native_backprop_input",
]

_ATTRS = {
    "strides": REQUIRED,
    "padding": REQUIRED,
    "data_format": "NHWC",
    "dilations": [1, 1, 1, 1],
}


# -- shape rule and NumPy meanings -----------------------------------------------------------------


def _depth(filter_dims: Any) -> int | None:
    """The channels of the output: those of the input times the filters that each has."""
    inputs, each = filter_dims[-2:]
    return None if inputs is None or each is None else inputs * each


def _shape(attrs: dict[str, Any], x: Tensor, filters: Tensor) -> meanings.Dims:
    dims, filter_dims = shape_rules.with_rank(x, 4), shape_rules.with_rank(filters, 4)
    meanings.check(attrs, 4)
    inputs = shape_rules.same_size(channels(dims, attrs["data_format"]), filter_dims[-2])
    depth = _depth((*filter_dims[:2], inputs, filter_dims[-1]))
    return meanings.output_dims(attrs, dims, filter_dims, depth)


def _wide(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float32) if x.dtype == np.float16 else x


def _by_input_channel(y: np.ndarray, filter_dims: Any, data_format: str) -> np.ndarray:
    """`y` as `[batch, height, width, in_channels, filters of each]`."""
    y = channels_last(_wide(y), data_format)
    return y.reshape(*y.shape[:-1], *filter_dims[-2:])


def _compute(x: np.ndarray, filters: np.ndarray, **attrs: Any) -> np.ndarray:
    data_format = attrs["data_format"]
    windows = meanings.windows_of(attrs, x.shape, filters.shape)
    dtype, x, filters = x.dtype, channels_last(_wide(x), data_format), _wide(filters)
    if x.shape[-1] != filters.shape[-2]:
        raise ValueError(f"Filters of shape {filters.shape} do not fit {x.shape[-1]} channels")
    y = np.zeros((len(x), *windows.outputs, *filters.shape[-2:]), x.dtype)
    for place, at, elements in windows.taps():
        y[(slice(None), *at)] += x[(slice(None), *elements)][..., None] * filters[place]
    y = y.reshape(*y.shape[:-2], y.shape[-2] * y.shape[-1])
    return in_format(y.astype(dtype, copy=False), data_format)


def _input_gradient(
    sizes: np.ndarray, filters: np.ndarray, dy: np.ndarray, **attrs: Any
) -> np.ndarray:
    data_format = attrs["data_format"]
    windows = meanings.windows_of(attrs, sizes.tolist(), filters.shape)
    depth = _depth(filters.shape)
    meanings.check_output(meanings.output_dims(attrs, sizes.tolist(), filters.shape, depth), dy)
    if filters.shape[-2] != channels(sizes, data_format):
        raise ValueError(f"Filters of shape {filters.shape} do not fit an input of {sizes}")
    dtype, dy = dy.dtype, _by_input_channel(dy, filters.shape, data_format)
    filters = _wide(filters)
    dx = np.zeros((len(dy), *windows.inputs, filters.shape[-2]), dy.dtype)
    for place, at, elements in windows.taps():
        part = np.einsum("...cm,cm->...c", dy[(slice(None), *at)], filters[place])
        dx[(slice(None), *elements)] += part
    return in_format(dx.astype(dtype, copy=False), data_format)


def _filter_gradient(x: np.ndarray, sizes: np.ndarray, dy: np.ndarray, **attrs: Any) -> np.ndarray:
    data_format, filter_dims = attrs["data_format"], sizes.tolist()
    windows = meanings.windows_of(attrs, x.shape, filter_dims)
    depth = _depth(filter_dims)
    meanings.check_output(meanings.output_dims(attrs, x.shape, filter_dims, depth), dy)
    dtype, x = x.dtype, channels_last(_wide(x), data_format)
    dy = _by_input_channel(dy, filter_dims, data_format)
    result = np.zeros(filter_dims, x.dtype)
    for place, at, elements in windows.taps():
        part = x[(slice(None), *elements)], dy[(slice(None), *at)]
        result[place] = np.einsum("bijc,bijcm->cm", *part)
    return result.astype(dtype, copy=False)


# -- records ---------------------------------------------------------------------------------------


def _attrs(padding: str, stride: int = 1, data_format: str = "NHWC", rate: int = 1) -> Any:
    """The attributes of a sample."""

    def each(value: int) -> list[int]:
        return [1, value, value, 1] if data_format == "NHWC" else [1, 1, value, value]

    return {
        "strides": each(stride),
        "padding": padding,
        "data_format": data_format,
        "dilations": each(rate),
    }


_gradients = meanings.Gradients(
    "DepthwiseConv2dNative",
    "DepthwiseConv2dNativeBackpropInput",
    "DepthwiseConv2dNativeBackpropFilter",
)
_samples = meanings.Samples(
    [
        ((2, 4, 3, 2), (3, 2, 2, 3), _attrs("SAME")),
        ((1, 5, 4, 3), (3, 2, 3, 1), _attrs("VALID", 2)),
        ((1, 5, 5, 2), (2, 2, 2, 1), _attrs("SAME", rate=2)),
        ((2, 2, 3, 4), (2, 3, 2, 2), _attrs("SAME", 2, "NCHW")),
        ((0, 3, 3, 2), (2, 2, 2, 1), _attrs("SAME")),
    ],
    _compute,
)
_depthwise = OpDef(
    "DepthwiseConv2dNative",
    "input: T, filter: T -> output: T",
    types=FLOATS,
    attrs=_ATTRS,
    shape=_shape,
    compute=_compute,
    grad=_gradients.of_forward,
    samples=_samples.of_forward,
    checked=True,
    native=lowered.depthwise,
    kernels_from=1 << 10,
)
_backprop_input = OpDef(
    "DepthwiseConv2dNativeBackpropInput",
    "input_sizes: int32, filter: T, out_backprop: T -> output: T",
    types=FLOATS,
    attrs=_ATTRS,
    shape=meanings.input_gradient_shape(4),
    compute=_input_gradient,
    grad=_gradients.of_input_gradient,
    samples=_samples.of_input_gradient,
    checked=True,
    native=lowered.depthwise_input_gradient,
    kernels_from=1 << 10,
)
_backprop_filter = OpDef(
    "DepthwiseConv2dNativeBackpropFilter",
    "input: T, filter_sizes: int32, out_backprop: T -> output: T",
    types=FLOATS,
    attrs=_ATTRS,
    shape=meanings.filter_gradient_shape(4),
    compute=_filter_gradient,
    grad=_gradients.of_filter_gradient,
    samples=_samples.of_filter_gradient,
    checked=True,
    native=lowered.depthwise_filter_gradient,
    kernels_from=1 << 10,
)


# -- public functions ------------------------------------------------------------------------------


def depthwise_conv2d_native(
    input: Any,
    filter: Any,
    strides: Sequence[int],
    padding: str,
    data_format: str = "NHWC",
    dilations: Sequence[int] = (1, 1, 1, 1),
    name: str | None = None,
) -> Tensor:
    """Slides filters over each channel of images alone:

        output[b, i, j, c * m + q] = sum over di, dj of
            input[b, strides[1] * i + di, strides[2] * j + dj, c] * filter[di, dj, c, q]

    Args:
      input: tensor `[batch, height, width, in_channels]` of a float dtype.
      filter: tensor `[filter_height, filter_width, in_channels, m]` of the same dtype.
      strides: 4 ints, in the order of `data_format`; those of batch and channels are 1.
      padding: "SAME" or "VALID", as in `conv2d`.
      data_format: "NHWC", or "NCHW" for images `[batch, channels, height, width]`.
      dilations: 4 ints, how far apart the elements of the filter are laid.
      name: name of the op.

    Returns: a tensor `[batch, out_height, out_width, in_channels * m]` of the same dtype.

    Raises:
      ValueError: if shapes do not fit or an attribute has a value that is not allowed.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     image = hf.constant([[[[1.0, 10.0], [2.0, 20.0]]]])
    ...     sums = hf.ones([1, 2, 2, 1])
    ...     print(hf.nn.depthwise_conv2d_native(image, sums, [1, 1, 1, 1], "VALID").numpy())
    [[[[ 3. 30.]]]]
    """
    return _depthwise(
        input,
        filter,
        strides=each_dimension("strides", strides, 4),
        padding=padding,
        data_format=data_format,
        dilations=each_dimension("dilations", dilations, 4),
        name=name,
    )


def depthwise_conv2d_native_backprop_input(
    input_sizes: Any,
    filter: Any,
    out_backprop: Any,
    strides: Sequence[int],
    padding: str,
    data_format: str = "NHWC",
    dilations: Sequence[int] = (1, 1, 1, 1),
    name: str | None = None,
) -> Tensor:
    """The gradient of `depthwise_conv2d_native` with respect to its input.

    Args:
      input_sizes: int32 vector `[4]`, the shape of the input.
      filter: tensor `[filter_height, filter_width, in_channels, m]` of a float dtype.
      out_backprop: tensor of the same dtype, the gradient with respect to the output.
      strides, padding, data_format, dilations: those of the convolution.
      name: name of the op.

    Returns: a tensor of shape `input_sizes`.

    Raises:
      ValueError: if shapes do not fit or an attribute has a value that is not allowed.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     dx = hf.nn.depthwise_conv2d_native_backprop_input(
    ...         [1, 1, 3, 1], hf.ones([1, 2, 1, 1]), hf.ones([1, 1, 2, 1]), [1, 1, 1, 1], "VALID")
    ...     print(dx.numpy().ravel())
    [1. 2. 1.]
    """
    return _backprop_input(
        input_sizes,
        filter,
        out_backprop,
        strides=each_dimension("strides", strides, 4),
        padding=padding,
        data_format=data_format,
        dilations=each_dimension("dilations", dilations, 4),
        name=name,
    )


def depthwise_conv2d_native_backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Sequence[int],
    padding: str,
    data_format: str = "NHWC",
    dilations: Sequence[int] = (1, 1, 1, 1),
    name: str | None = None,
) -> Tensor:
    """The gradient of `depthwise_conv2d_native` with respect to its filter.

    Args:
      input: tensor `[batch, height, width, in_channels]` of a float dtype.
      filter_sizes: int32 vector `[4]`, the shape of the filter.
      out_backprop: tensor of the same dtype, the gradient with respect to the output.
      strides, padding, data_format, dilations: those of the convolution.
      name: name of the op.

    Returns: a tensor of shape `filter_sizes`.

    Raises:
      ValueError: if shapes do not fit or an attribute has a value that is not allowed.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     image = hf.reshape(hf.range(3.0), [1, 1, 3, 1])
    ...     dw = hf.nn.depthwise_conv2d_native_backprop_filter(
    ...         image, [1, 2, 1, 1], hf.ones([1, 1, 2, 1]), [1, 1, 1, 1], "VALID")
    ...     print(dw.numpy().ravel())
    [1. 3.]
    """
    return _backprop_filter(
        input,
        filter_sizes,
        out_backprop,
        strides=each_dimension("strides", strides, 4),
        padding=padding,
        data_format=data_format,
        dilations=each_dimension("dilations", dilations, 4),
        name=name,
    )
