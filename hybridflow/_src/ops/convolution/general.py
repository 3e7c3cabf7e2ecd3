"""Convolutions built on others: in one dimension, in any number, dilated, separable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import settings
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.spelling import spelled
from hybridflow._src.framework.tensor_shape import dimension_at_index
from hybridflow._src.ops.convolution.depthwise import depthwise_conv2d_native
from hybridflow._src.ops.convolution.dilated import strides_and_rates, with_space_to_batch
from hybridflow._src.ops.grad_helpers import shape_of
from hybridflow._src.ops.windows import FORMATS, is_channels_first

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "atrous_conv2d",
    "conv1d",
    "convolution",
    "depthwise_conv2d",
    "separable_conv2d",
]


@spelled(input="value")
def conv1d(
    value: Any,
    filters: Any,
    stride: int,
    padding: str,
    use_cudnn_on_gpu: bool | None = None,
    data_format: str | None = None,
    name: str | None = None,
) -> Tensor:
    """Slides filters over sequences, and sums the products: `conv2d` with a height of 1.

    Args:
      value: tensor `[batch, width, in_channels]` of a float dtype.
      filters: tensor `[filter_width, in_channels, out_channels]` of the same dtype.
      stride: how far the windows are apart.
      padding: "SAME" or "VALID", as in `conv2d`.
      use_cudnn_on_gpu: not used.
      data_format: "NWC" or "NHWC" (the default), "NCW" or "NCHW" for `[batch, channels, width]`.
      name: name of the scope.

    Returns: a tensor `[batch, out_width, out_channels]` of the same dtype.

    Raises:
      ValueError: if shapes do not fit or an attribute has a value that is not allowed.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.constant([[[1.0], [2.0], [4.0]]])
    ...     print(hf.nn.conv1d(x, hf.ones([2, 1, 1]), 1, "VALID").numpy().ravel())
    [3. 6.]
    """
    stride = settings.whole(stride, "stride")
    with name_scope(name, "conv1d", [value, filters]):
        if data_format in (None, "NHWC", "NWC"):
            data_format, axis, strides = "NHWC", 1, [1, 1, stride, 1]
        elif data_format in ("NCHW", "NCW"):
            data_format, axis, strides = "NCHW", 2, [1, 1, 1, stride]
        else:
            raise ValueError('data_format must be "NWC" or "NCW".')
        result = raw.Conv2D(
            raw.ExpandDims(value, axis),
            raw.ExpandDims(filters, 0),
            strides=strides,
            padding=padding,
            use_cudnn_on_gpu=use_cudnn_on_gpu is not False,
            data_format=data_format,
        )
        return raw.Squeeze(result, squeeze_dims=[axis])


@spelled(filters="filter", dilations="dilation_rate")
def convolution(
    input: Any,
    filter: Any,
    padding: str,
    strides: Sequence[int] | None = None,
    dilation_rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Convolution in one, two or three dimensions.

    Args:
      input: tensor `[batch, *inner, in_channels]` of a float dtype.
      filter: tensor `[*sizes, in_channels, out_channels]` of the same dtype.
      padding: "SAME" or "VALID", as in `conv2d`.
      strides: an int for each inner dimension, how far the windows are apart; by default 1.
      dilation_rate: an int for each, how far apart the elements of the filter are laid; by default
        1. Only one of the two may be above 1.
      name: name of the scope.
      data_format: by default the channels are last; "NCW", "NCHW", "NCDHW": in the second
        dimension.

    Returns: a tensor `[batch, *out_inner, out_channels]` of the same dtype.

    Raises:
      ValueError: if ranks are unknown, shapes do not fit or an attribute is not allowed.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.constant([[[1.0], [2.0], [4.0], [8.0]]])
    ...     y = hf.nn.convolution(x, hf.ones([2, 1, 1]), "VALID", dilation_rate=[2])
    ...     print(y.numpy().ravel())
    [ 5. 10.]
    """
    with name_scope(name, "convolution", [input, filter]) as scope:
        x = convert_to_tensor(input, name="input")
        filters = convert_to_tensor(filter, x.dtype.base_dtype, name="filter")
        rank = filters.shape.ndims if filters.shape.ndims is not None else x.shape.ndims
        if rank is None:
            raise ValueError("rank of input or filter must be known")
        if rank not in FORMATS:
            raise ValueError("`input` and `filter` must have rank at least 3 and at most 5")
        dims, filter_dims = (t.shape.with_rank(rank) for t in (x, filters))
        if data_format is None:
            data_format = FORMATS[rank][0]
        if data_format not in FORMATS[rank]:
            raise ValueError('data_format must be "{}" or "{}".'.format(*FORMATS[rank]))
        first = is_channels_first(data_format)
        depth = dimension_at_index(dims, 1 if first else rank - 1)
        if not depth.is_compatible_with(filter_dims[rank - 2]):
            raise ValueError(
                "number of input channels does not match corresponding dimension of filter, "
                f"{depth} != {filter_dims[rank - 2]}"
            )
        steps, rates = strides_and_rates(rank - 2, strides, dilation_rate)

        def op(x: Tensor, _: int, padding: str) -> Tensor:
            if rank == 3:
                return conv1d(x, filters, steps[0], padding, None, data_format, scope)
            apart = [1, 1, *steps] if first else [1, *steps, 1]
            kind = raw.Conv2D if rank == 4 else raw.Conv3D
            return kind(
                x, filters, strides=apart, padding=padding, data_format=data_format, name=scope
            )

        spatial = range(2, rank) if first else range(1, rank - 1)
        sizes = shape_of(filters)
        result = with_space_to_batch(x, rates, padding, op, sizes, spatial, data_format)
        if result.shape.ndims == rank:
            known = result.shape.as_list()
            known[1 if first else rank - 1] = dimension_at_index(filter_dims, rank - 1).value
            result.set_shape(known)
        return result


def atrous_conv2d(
    value: Any, filters: Any, rate: int, padding: str, name: str | None = None
) -> Tensor:
    """`conv2d` with filters whose elements are laid `rate` apart: holes (à trous) between them.

    Args:
      value: tensor `[batch, height, width, in_channels]` of a float dtype.
      filters: tensor `[height, width, in_channels, out_channels]` of the same dtype.
      rate: how far apart the elements of the filters are laid.
      padding: "SAME" or "VALID", as in `conv2d`.
      name: name of the scope.

    Returns: a tensor `[batch, out_height, out_width, out_channels]` of the same dtype.

    Raises:
      ValueError: if shapes do not fit or the padding is unknown.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.reshape(hf.range(4.0), [1, 1, 4, 1])
    ...     print(hf.nn.atrous_conv2d(x, hf.ones([1, 2, 1, 1]), 2, "VALID").numpy().ravel())
    [2. 4.]
    """
    rate = settings.whole(rate, "rate")
    return convolution(value, filters, padding, dilation_rate=[rate, rate], name=name)


def _depthwise(
    x: Tensor,
    filters: Tensor,
    strides: Sequence[int],
    padding: str,
    rate: Any,
    data_format: str | None,
    name: str,
) -> Tensor:
    return with_space_to_batch(
        x,
        [1, 1] if rate is None else rate,
        padding,
        lambda part, _, padding: depthwise_conv2d_native(
            part, filters, strides, padding, data_format or "NHWC", name=name
        ),
        shape_of(filters),
        data_format=data_format,
    )


@spelled(dilations="rate")
def depthwise_conv2d(
    input: Any,
    filter: Any,
    strides: Sequence[int],
    padding: str,
    rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Slides filters over each channel of images alone (see `depthwise_conv2d_native`).

    Args:
      input: tensor `[batch, height, width, in_channels]` of a float dtype.
      filter: tensor `[filter_height, filter_width, in_channels, m]` of the same dtype.
      strides: 4 ints, in the order of `data_format`.
      padding: "SAME" or "VALID", as in `conv2d`.
      rate: 2 ints, how far apart the elements of the filter are laid; where they are above 1, all
        strides are 1.
      name: name of the scope.
      data_format: "NHWC" (the default), or "NCHW".

    Returns: a tensor `[batch, out_height, out_width, in_channels * m]` of the same dtype.

    Raises:
      ValueError: if shapes do not fit or an attribute has a value that is not allowed.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     image = hf.constant([[[[1.0, 10.0], [2.0, 20.0]]]])
    ...     sums = hf.ones([1, 2, 2, 1])
    ...     print(hf.nn.depthwise_conv2d(image, sums, [1, 1, 1, 1], "VALID").numpy())
    [[[[ 3. 30.]]]]
    """
    with name_scope(name, "depthwise", [input, filter]) as scope:
        x = convert_to_tensor(input, name="tensor_in")
        filters = convert_to_tensor(filter, x.dtype.base_dtype, name="filter_in")
        return _depthwise(x, filters, strides, padding, rate, data_format, scope)


@spelled(dilations="rate")
def separable_conv2d(
    input: Any,
    depthwise_filter: Any,
    pointwise_filter: Any,
    strides: Sequence[int],
    padding: str,
    rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
) -> Tensor:
    """`depthwise_conv2d`, and then a convolution of size 1 that mixes the channels.

    Args:
      input: tensor `[batch, height, width, in_channels]` of a float dtype.
      depthwise_filter: tensor `[filter_height, filter_width, in_channels, m]` of the same dtype.
      pointwise_filter: tensor `[1, 1, in_channels * m, out_channels]` of the same dtype.
      strides: 4 ints, in the order of `data_format`.
      padding: "SAME" or "VALID", as in `conv2d`.
      rate: 2 ints, how far apart the elements of the filter are laid.
      name: name of the scope.
      data_format: "NHWC" (the default), or "NCHW".

    Returns: a tensor `[batch, out_height, out_width, out_channels]` of the same dtype.

    Raises:
      ValueError: if shapes do not fit or an attribute has a value that is not allowed.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     image = hf.constant([[[[1.0, 10.0], [2.0, 20.0]]]])
    ...     sums, mixed = hf.ones([1, 2, 2, 1]), hf.ones([1, 1, 2, 1])
    ...     print(hf.nn.separable_conv2d(image, sums, mixed, [1, 1, 1, 1], "VALID").numpy())
    [[[[33.]]]]
    """
    with name_scope(name, "separable_conv2d", [input, depthwise_filter, pointwise_filter]) as scope:
        x = convert_to_tensor(input, name="tensor_in")
        dtype = x.dtype.base_dtype
        filters = convert_to_tensor(depthwise_filter, dtype, name="depthwise_filter")
        pointwise = convert_to_tensor(pointwise_filter, dtype, name="pointwise_filter")
        pointwise.shape.with_rank(4)[:2].assert_is_compatible_with([1, 1])
        mixed = _depthwise(x, filters, strides, padding, rate, data_format, "depthwise")
        return raw.Conv2D(
            mixed,
            pointwise,
            strides=[1, 1, 1, 1],
            padding="VALID",
            data_format=data_format or "NHWC",
            name=scope,
        )
