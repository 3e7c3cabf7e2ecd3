"""How pooling of images is computed natively."""

from __future__ import annotations

from typing import Any

from hybridflow._src.ops.pooling.meanings import windows_of
from hybridflow._src.ops.windows import channels, inner, lowered_in_format, lowered_last


def _windows(b: Any, dims: Any, attrs: dict[str, Any]) -> Any:
    """The windows over rows and columns of images of a shape."""
    windows = windows_of(dims, attrs["ksize"], attrs["strides"], attrs["padding"])
    if channels(windows.sizes, attrs["data_format"]) > 1:
        raise b.unsupported("windows over channels")
    inputs, outputs, sizes, strides, _, before = (inner(v, attrs["data_format"]) for v in windows)
    return inputs, outputs, sizes, strides, before


def largest(b: Any, x: Any, **attrs: Any) -> Any:
    return lowered_in_format(
        b, b.largest(lowered_last(b, x, attrs), _windows(b, x.shape, attrs)), attrs
    )


def largest_gradient(b: Any, x: Any, y: Any, dy: Any, **attrs: Any) -> Any:
    windows = _windows(b, x.shape, attrs)
    return lowered_in_format(
        b, b.largest_gradient(lowered_last(b, x, attrs), lowered_last(b, dy, attrs), windows), attrs
    )


def mean(b: Any, x: Any, **attrs: Any) -> Any:
    return lowered_in_format(
        b, b.mean(lowered_last(b, x, attrs), _windows(b, x.shape, attrs)), attrs
    )


def mean_gradient(b: Any, sizes: Any, dy: Any, **attrs: Any) -> Any:
    windows = _windows(b, b.known(sizes).tolist(), attrs)
    return lowered_in_format(b, b.mean_gradient(lowered_last(b, dy, attrs), windows), attrs)
