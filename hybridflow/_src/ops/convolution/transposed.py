"""Transposed convolutions: the gradient of a convolution to its input, as an op of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import settings
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.spelling import spelled
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import dimension_at_index
from hybridflow._src.ops.arrays.space_to_batch import batch_to_space, space_to_batch
from hybridflow._src.ops.windows import allowed, each_dimension

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["atrous_conv2d_transpose", "conv2d_transpose", "conv3d_transpose"]


def _checked(
    value: Any, filter: Any, output_shape: Any, padding: str, axis: int, rank: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The arguments of a transposed convolution as tensors that fit.

    Raises:
      ValueError: if channels, the length of `output_shape` or the padding do not.
    """
    value = convert_to_tensor(value, name="value")
    filter = convert_to_tensor(filter, value.dtype.base_dtype, name="filter")
    value.shape.with_rank(rank)
    outputs, inputs = (dimension_at_index(filter.shape.with_rank(rank), at) for at in (-2, -1))
    if not inputs.is_compatible_with(dimension_at_index(value.shape.with_rank(rank), axis)):
        raise ValueError(
            "input channels does not match filter's input channels, "
            f"{value.shape[axis]} != {inputs}"
        )
    sizes = convert_to_tensor(output_shape, name="output_shape")
    if not sizes.shape.is_compatible_with([rank]):
        example = "[batch, ..., channels]" if axis == rank - 1 else "[batch, channels, ...]"
        raise ValueError(
            f"output_shape must have shape ({rank},), got {sizes.shape}: it is the whole shape of "
            f"the output, {example}."
        )
    known = isinstance(output_shape, list | tuple | np.ndarray)
    wanted = output_shape[axis] if known else None
    if isinstance(wanted, Tensor):
        constant = constant_value(wanted)
        wanted = None if constant is None else int(constant)
    if not outputs.is_compatible_with(wanted):
        raise ValueError(
            f"output_shape does not match filter's output channels, {wanted} != {outputs}"
        )
    if padding not in ("VALID", "SAME"):
        raise ValueError(f"padding must be either VALID or SAME: {padding}")
    return value, filter, sizes


@spelled(input="value", filters="filter")
def conv2d_transpose(
    value: Any,
    filter: Any,
    output_shape: Any,
    strides: Sequence[int],
    padding: str = "SAME",
    data_format: str = "NHWC",
    name: str | None = None,
) -> Tensor:
    """The transpose of `conv2d`: each element of `value` adds its multiple of the filter.

    Args:
      value: tensor `[batch, height, width, in_channels]` of a float dtype.
      filter: tensor `[height, width, out_channels, in_channels]` of the same dtype.
      output_shape: int32 vector `[4]`, a shape of which `conv2d` makes that of `value`.
      strides: 4 ints, how far apart in the output the elements of `value` add.
      padding: "SAME" or "VALID", that of the convolution of which this is the transpose.
      data_format: "NHWC", or "NCHW" for images `[batch, channels, height, width]`.
      name: name of the op.

    Returns: a tensor of shape `output_shape` and the dtype of `value`.

    Raises:
      ValueError: if shapes do not fit or an attribute has a value that is not allowed.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     value = hf.constant([1.0, 2.0], shape=[1, 1, 2, 1])
    ...     y = hf.nn.conv2d_transpose(value, hf.ones([1, 2, 1, 1]), [1, 1, 4, 1], [1, 1, 2, 1])
    ...     print(y.numpy().ravel())
    [1. 1. 2. 2.]

    References:
      Zeiler et al., Deconvolutional Networks (2010).
    """
    with name_scope(name, "conv2d_transpose", [value, filter, output_shape]) as scope:
        if data_format not in ("NCHW", "NHWC"):
            raise ValueError("data_format has to be either NCHW or NHWC.")
        axis = 3 if data_format == "NHWC" else 1
        value, filter, sizes = _checked(value, filter, output_shape, padding, axis, 4)
        return raw.Conv2DBackpropInput(
            sizes,
            filter,
            value,
            strides=each_dimension("strides", strides, 4),
            padding=padding,
            data_format=data_format,
            name=scope,
        )


@spelled(input="value", filters="filter")
def conv3d_transpose(
    value: Any,
    filter: Any,
    output_shape: Any,
    strides: Sequence[int],
    padding: str = "SAME",
    data_format: str = "NDHWC",
    name: str | None = None,
) -> Tensor:
    """The transpose of `conv3d`: each element of `value` adds its multiple of the filter.

    Args:
      value: tensor `[batch, depth, height, width, in_channels]` of a float dtype.
      filter: tensor `[depth, height, width, out_channels, in_channels]` of the same dtype.
      output_shape: int32 vector `[5]`, a shape of which `conv3d` makes that of `value`.
      strides: 5 ints, how far apart in the output the elements of `value` add.
      padding: "SAME" or "VALID", that of the convolution of which this is the transpose.
      data_format: "NDHWC", or "NCDHW" for volumes `[batch, channels, depth, height, width]`.
      name: name of the op.

    Returns: a tensor of shape `output_shape` and the dtype of `value`.

    Raises:
      ValueError: if shapes do not fit or an attribute has a value that is not allowed.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     value, box = hf.ones([1, 1, 1, 2, 1]), hf.ones([1, 1, 2, 1, 1])
    ...     y = hf.nn.conv3d_transpose(value, box, [1, 1, 1, 3, 1], [1, 1, 1, 1, 1], "VALID")
    ...     print(y.numpy().ravel())
    [1. 2. 1.]
    """
    with name_scope(name, "conv3d_transpose", [value, filter, output_shape]) as scope:
        allowed("data_format", data_format, ("NDHWC", "NCDHW"))
        axis = 1 if data_format == "NCDHW" else 4
        value, filter, sizes = _checked(value, filter, output_shape, padding, axis, 5)
        return raw.Conv3DBackpropInputV2(
            sizes,
            filter,
            value,
            strides=each_dimension("strides", strides, 5),
            padding=padding,
            data_format=data_format,
            name=scope,
        )


def atrous_conv2d_transpose(
    value: Any, filters: Any, output_shape: Any, rate: int, padding: str, name: str | None = None
) -> Tensor:
    """The transpose of `atrous_conv2d`.

    Args:
      value: tensor `[batch, height, width, in_channels]` of a float dtype.
      filters: tensor `[height, width, out_channels, in_channels]` of the same dtype.
      output_shape: int32 vector `[4]`, a shape of which `atrous_conv2d` makes that of `value`.
      rate: how far apart the elements of the filters are laid.
      padding: "SAME" or "VALID", that of the convolution of which this is the transpose.
      name: name of the scope.

    Returns: a tensor of shape `output_shape` and the dtype of `value`.

    Raises:
      ValueError: if shapes do not fit, `rate` is below 1 or the padding is unknown.
      TypeError: if `rate` is no number.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     value, ones = hf.ones([1, 1, 1, 1]), hf.ones([1, 2, 1, 1])
    ...     y = hf.nn.atrous_conv2d_transpose(value, ones, [1, 1, 3, 1], 2, "VALID")
    ...     print(y.numpy().ravel())
    [1. 0. 1.]
    """
    with name_scope(name, "atrous_conv2d_transpose", [value, filters, output_shape]):
        value, filters, sizes = _checked(value, filters, output_shape, padding, 3, 4)
        rate = settings.whole(rate, "rate")
        if rate < 1:
            raise ValueError(f"rate {rate} cannot be less than one")
        if rate == 1:
            return raw.Conv2DBackpropInput(
                sizes, filters, value, strides=[1, 1, 1, 1], padding=padding
            )
        batch, height, width, depth = _elements(output_shape, sizes, 4)
        above = below = left = right = 0
        if padding == "SAME":
            tall, wide = _elements_of_shape(filters)[:2]
            above, below = _halves((tall - 1) * rate)
            left, right = _halves((wide - 1) * rate)
        # The sizes of what is cut into blocks must be multiples of the rate.
        tall, wide = height + above + below, width + left + right
        more_below, more_right = (rate - tall % rate) % rate, (rate - wide % rate) % rate
        blocks = space_to_batch(value, [[0, more_below], [0, more_right]], rate)
        inner = [(tall + more_below) // rate, (wide + more_right) // rate]
        found = raw.Conv2DBackpropInput(
            [rate * rate * batch, *inner, depth],
            filters,
            blocks,
            strides=[1, 1, 1, 1],
            padding="VALID",
        )
        crops = [[above, below + more_below], [left, right + more_right]]
        return batch_to_space(found, crops, rate)


def _halves(size: Any) -> tuple[Any, Any]:
    return size // 2, size - size // 2


def _elements(values: Any, tensor: Tensor, count: int) -> list[Any]:
    """The elements of a vector: ints where they are known."""
    if isinstance(values, list | tuple | np.ndarray):
        return list(values)
    return [tensor[i] for i in range(count)]


def _elements_of_shape(tensor: Tensor) -> list[Any]:
    dims = tensor._dims
    if dims is not None and None not in dims:
        return list(dims)
    shape = raw.Shape(tensor)
    return [shape[i] for i in range(4)]
