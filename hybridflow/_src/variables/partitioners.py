"""Partitioners: functions from a shape and dtype to the number of parts along each axis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.described import named
from hybridflow._src.framework.tensor_shape import TensorShape

if TYPE_CHECKING:
    from collections.abc import Callable

    Partitioner = Callable[..., list[int]]

__all__ = [
    "fixed_size_partitioner",
    "min_max_variable_partitioner",
    "variable_axis_size_partitioner",
]


def _sizes(shape: Any, axis: int) -> list[int]:
    """The sizes of a shape that has this axis and is fully known."""
    if not isinstance(shape, TensorShape):
        raise ValueError(f"shape is not a TensorShape: {shape}")
    dims = shape._dims
    if dims is None or None in dims:
        raise ValueError(f"shape is not fully defined: {shape}")
    if not -len(dims) <= axis < len(dims):
        raise ValueError(f"Can not partition variable along axis {axis} when shape is only {shape}")
    return list(dims)  # type: ignore[arg-type]


def _element_size(dtype: Any, bytes_per_string_element: int) -> int:
    if not isinstance(dtype, dtypes.DType):
        raise ValueError(f"dtype is not a DType: {dtype}")
    base = dtype.base_dtype
    return bytes_per_string_element if base is dtypes.string else base.size


def fixed_size_partitioner(num_shards: int, axis: int = 0) -> Partitioner:
    """Cuts along `axis` into `num_shards` parts.

    Raises:
      ValueError: if `num_shards` is below 1 (and, when called, if the shape has no such axis).

    >>> import hybridflow as hf
    >>> hf.fixed_size_partitioner(3)(shape=hf.TensorShape([9, 4]), dtype=hf.float32)
    [3, 1]
    """
    if num_shards < 1:
        raise ValueError(f"num_shards must be at least 1, got {num_shards}.")

    def partitioner(shape: Any, **_: Any) -> list[int]:
        sizes = _sizes(shape, axis)
        parts = [1] * len(sizes)
        parts[axis] = min(num_shards, sizes[axis])
        return parts

    return named(partitioner, f"fixed_size_partitioner({num_shards}, axis={axis})")


def variable_axis_size_partitioner(
    max_shard_bytes: int,
    axis: int = 0,
    bytes_per_string_element: int = 16,
    max_shards: int | None = None,
) -> Partitioner:
    """Cuts along `axis` so that no part is larger than `max_shard_bytes`.

    Args:
      max_shard_bytes: bytes a part may have.
      axis: the axis to cut.
      bytes_per_string_element: what a string element counts.
      max_shards: the most parts to make.

    Raises:
      ValueError: if a number is not positive (and, when called, if the shape is not fully known).

    >>> import hybridflow as hf
    >>> cut = hf.variable_axis_size_partitioner(max_shard_bytes=64)
    >>> cut(shape=hf.TensorShape([8, 4]), dtype=hf.float32)
    [2, 1]
    """
    if max_shard_bytes < 1 or bytes_per_string_element < 1:
        raise ValueError("Both max_shard_bytes and bytes_per_string_element must be positive.")
    if max_shards is not None and max_shards < 1:
        raise ValueError("max_shards must be positive.")

    def partitioner(shape: Any, dtype: Any) -> list[int]:
        sizes = _sizes(shape, axis)
        row_bytes = _element_size(dtype, bytes_per_string_element)
        row_bytes *= math.prod(sizes[:axis]) * math.prod(sizes[axis:][1:])
        rows = max(1, max_shard_bytes // max(row_bytes, 1))
        shards = max(1, math.ceil(sizes[axis] / rows))
        parts = [1] * len(sizes)
        parts[axis] = shards if max_shards is None else min(shards, max_shards)
        return parts

    return named(partitioner, f"variable_axis_size_partitioner({max_shard_bytes}, axis={axis})")


def min_max_variable_partitioner(
    max_partitions: int = 1,
    axis: int = 0,
    min_slice_size: int = 256 << 10,
    bytes_per_string_element: int = 16,
) -> Partitioner:
    """Cuts along `axis` into as many parts of at least `min_slice_size` bytes as possible.

    Args:
      max_partitions: the most parts to make.
      axis: the axis to cut.
      min_slice_size: bytes that a part has at least (about).
      bytes_per_string_element: what a string element counts.

    >>> import hybridflow as hf
    >>> cut = hf.min_max_variable_partitioner(max_partitions=8, min_slice_size=64)
    >>> cut(shape=hf.TensorShape([16, 4]), dtype=hf.float32)
    [4, 1]
    """

    def partitioner(shape: Any, dtype: Any) -> list[int]:
        sizes = _sizes(shape, axis)
        total = math.prod(sizes) * _element_size(dtype, bytes_per_string_element)
        parts = [1] * len(sizes)
        parts[axis] = max(1, min(sizes[axis], max_partitions, math.ceil(total / min_slice_size)))
        return parts

    return named(partitioner, f"min_max_variable_partitioner({max_partitions}, axis={axis})")
