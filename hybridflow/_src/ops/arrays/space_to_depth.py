"""Blocks of images: the places in a block moved into the channels, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.windows import allowed, channels, channels_last, in_format, inner
from hybridflow._src.ops.windows import shape_of as in_order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["depth_to_space", "space_to_depth"]


def _depth_attrs(attrs: dict[str, Any], x: Tensor) -> tuple[Any, int, str]:
    data_format, by = attrs["data_format"], attrs["block_size"]
    allowed("data_format", data_format, ("NHWC", "NCHW"))
    if by < 2:
        raise ValueError(f"Value for attr 'block_size' of {by} must be at least minimum 2")
    return shape_rules.with_rank(x, 4), by, data_format


def _to_depth_shape(attrs: dict[str, Any], x: Tensor) -> shape_rules.Dims:
    dims, by, data_format = _depth_attrs(attrs, x)
    sizes = [shape_rules.quotient(n, by, "Dimension size") for n in inner(dims, data_format)]
    depth = channels(dims, data_format)
    return in_order(dims[0], sizes, None if depth is None else depth * by * by, data_format)


def _from_depth_shape(attrs: dict[str, Any], x: Tensor) -> shape_rules.Dims:
    dims, by, data_format = _depth_attrs(attrs, x)
    sizes = [None if n is None else n * by for n in inner(dims, data_format)]
    depth = shape_rules.quotient(channels(dims, data_format), by * by, "Dimension size")
    return in_order(dims[0], sizes, depth, data_format)


def _to_depth(x: np.ndarray, block_size: int, data_format: str) -> np.ndarray:
    x, by = channels_last(x, data_format), block_size
    n, height, width, depth = x.shape
    split = x.reshape(n, height // by, by, width // by, by, depth).transpose(0, 1, 3, 2, 4, 5)
    whole = np.array(split, order="C").reshape(n, height // by, width // by, by * by * depth)
    return in_format(whole, data_format)


def _from_depth(x: np.ndarray, block_size: int, data_format: str) -> np.ndarray:
    x, by = channels_last(x, data_format), block_size
    n, height, width, depth = x.shape
    depth //= by * by
    split = x.reshape(n, height, width, by, by, depth).transpose(0, 1, 3, 2, 4, 5)
    whole = np.array(split, order="C").reshape(n, height * by, width * by, depth)
    return in_format(whole, data_format)


def _to_depth_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.int32):
        for shape, by, data_format in (
            ((2, 4, 2, 3), 2, "NHWC"),
            ((1, 6, 3, 1), 3, "NHWC"),
            ((1, 2, 4, 2), 2, "NCHW"),
        ):
            x = (8 * rng.normal(size=shape)).astype(dtype)
            yield Sample(x, block_size=by, data_format=data_format)


def _from_depth_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for sample in _to_depth_samples(rng):
        yield Sample(_to_depth(*sample.args, **sample.attrs), **sample.attrs)


def _attrs_of(op: Any) -> dict[str, Any]:
    return {key: op.get_attr(key) for key in ("block_size", "data_format")}


_space_to_depth = OpDef(
    "SpaceToDepth",
    "input: T -> output: T",
    attrs={"block_size": REQUIRED, "data_format": "NHWC"},
    shape=_to_depth_shape,
    compute=_to_depth,
    grad=lambda op, dy: raw.DepthToSpace(dy, **_attrs_of(op)),
    samples=_to_depth_samples,
    checked=True,
)
_depth_to_space = OpDef(
    "DepthToSpace",
    "input: T -> output: T",
    attrs={"block_size": REQUIRED, "data_format": "NHWC"},
    shape=_from_depth_shape,
    compute=_from_depth,
    grad=lambda op, dy: raw.SpaceToDepth(dy, **_attrs_of(op)),
    samples=_from_depth_samples,
    checked=True,
)


def space_to_depth(
    input: Any, block_size: int, name: str | None = None, data_format: str = "NHWC"
) -> Tensor:
    """Images cut into square blocks, and the places in a block made channels.

    Args:
      input: tensor `[batch, height, width, depth]`.
      block_size: height and width of a block, at least 2.
      name: name of the op.
      data_format: "NHWC", or "NCHW" for images `[batch, depth, height, width]`.

    Returns: a tensor `[batch, height / block_size, width / block_size, depth * block_size ** 2]`.

    Raises:
      ValueError: if the block size does not divide height and width.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.reshape(hf.range(4), [1, 2, 2, 1])
    ...     print(hf.space_to_depth(x, 2).numpy().tolist())
    [[[[0, 1, 2, 3]]]]
    """
    return _space_to_depth(input, block_size=block_size, data_format=data_format, name=name)


def depth_to_space(
    input: Any, block_size: int, name: str | None = None, data_format: str = "NHWC"
) -> Tensor:
    """Undoes `space_to_depth`.

    Args:
      input: tensor `[batch, height, width, depth * block_size ** 2]`.
      block_size: height and width of a block, at least 2.
      name: name of the op.
      data_format: "NHWC", or "NCHW" for images with the channels in the second dimension.

    Returns: a tensor `[batch, height * block_size, width * block_size, depth]`.

    Raises:
      ValueError: if the square of the block size does not divide the channels.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.reshape(hf.range(4), [1, 1, 1, 4])
    ...     print(hf.depth_to_space(x, 2).numpy().reshape(2, 2).tolist())
    [[0, 1], [2, 3]]
    """
    return _depth_to_space(input, block_size=block_size, data_format=data_format, name=name)
