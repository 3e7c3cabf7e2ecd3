"""Nodes of files that no op here is, and that several compute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.ops.arrays.batched import gathered
from hybridflow._src.ops.arrays.casting import cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hybridflow._src.framework.tensor import Tensor


def _gather(attrs: Mapping[str, Any], inputs: Sequence[Tensor]) -> Tensor | None:
    """A gather within each part of a batch."""
    batch_dims = attrs["batch_dims"].i if "batch_dims" in attrs else 0
    if not batch_dims:
        return None
    params, indices, axis = inputs
    value = constant_value(axis)
    if value is None:
        raise ValueError("its axis must be a constant if it has batch_dims")
    return gathered(params, indices, int(value), int(batch_dims))


def _padded_conv2d(attrs: Mapping[str, Any], inputs: Sequence[Tensor]) -> Tensor:
    """A convolution of images with a border that mirrors them."""
    images, paddings, filters = inputs
    padded = raw.MirrorPad(images, paddings, mode=attrs["mode"].s.decode())
    found: Tensor = raw.Conv2D(
        padded,
        filters,
        strides=tuple(attrs["strides"].list.i),
        padding=attrs["padding"].s.decode(),
    )
    return found


def _resized_conv2d(attrs: Mapping[str, Any], inputs: Sequence[Tensor]) -> Tensor:
    """The same of images that are resized before."""
    images, size, *rest = inputs
    resized = raw.ResizeBilinear(images, size, align_corners=attrs["resize_align_corners"].b)
    return _padded_conv2d(attrs, [cast(resized, images.dtype), *rest])


# By op type what gives the output of a node, or None where the op does it.
COMPOSED: dict[str, Callable[[Mapping[str, Any], Sequence[Tensor]], Tensor | None]] = {
    "FusedPadConv2D": _padded_conv2d,
    "FusedResizeAndPadConv2D": _resized_conv2d,
    "GatherV2": _gather,
}
