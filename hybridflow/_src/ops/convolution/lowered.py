"""How convolutions of images are computed natively: of all channels, or of each by itself."""

from __future__ import annotations

from typing import Any

from hybridflow._src.kernels.convolution.geometry import Geometry
from hybridflow._src.ops.convolution.meanings import windows_of
from hybridflow._src.ops.windows import channels, lowered_in_format, lowered_last


def geometry_of(attrs: dict[str, Any], dims: Any, filter_dims: Any) -> Geometry:
    """The geometry of a convolution of images of a shape, given in the format of the attributes."""
    windows = windows_of(attrs, dims, filter_dims)
    return Geometry(
        dims[0],
        windows.inputs,
        channels(dims, attrs["data_format"]),
        windows.outputs,
        filter_dims[-1],
        windows.sizes,
        windows.strides,
        windows.rates,
        windows.before,
    )


def convolution(b: Any, x: Any, filters: Any, **attrs: Any) -> Any:
    geometry = geometry_of(attrs, x.shape, filters.shape)
    return lowered_in_format(b, b.convolution(lowered_last(b, x, attrs), filters, geometry), attrs)


def input_gradient(b: Any, sizes: Any, filters: Any, dy: Any, **attrs: Any) -> Any:
    geometry = geometry_of(attrs, b.known(sizes).tolist(), filters.shape)
    dx = b.convolution_to_input(filters, lowered_last(b, dy, attrs), geometry)
    return lowered_in_format(b, dx, attrs)


def filter_gradient(b: Any, x: Any, sizes: Any, dy: Any, **attrs: Any) -> Any:
    geometry = geometry_of(attrs, x.shape, b.known(sizes).tolist())
    return b.convolution_to_filter(lowered_last(b, x, attrs), lowered_last(b, dy, attrs), geometry)


def depthwise(b: Any, x: Any, filters: Any, **attrs: Any) -> Any:
    geometry = geometry_of(attrs, x.shape, filters.shape)
    y = b.depthwise(lowered_last(b, x, attrs), filters, geometry)
    return lowered_in_format(b, y, attrs)


def depthwise_input_gradient(b: Any, sizes: Any, filters: Any, dy: Any, **attrs: Any) -> Any:
    geometry = geometry_of(attrs, b.known(sizes).tolist(), filters.shape)
    dx = b.depthwise_to_input(filters, lowered_last(b, dy, attrs), geometry)
    return lowered_in_format(b, dx, attrs)


def depthwise_filter_gradient(b: Any, x: Any, sizes: Any, dy: Any, **attrs: Any) -> Any:
    geometry = geometry_of(attrs, x.shape, b.known(sizes).tolist())
    images, grads = (lowered_last(b, value, attrs) for value in (x, dy))
    return b.depthwise_to_filter(images, grads, geometry)
