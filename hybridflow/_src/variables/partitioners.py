"""Partitioners: functions from a shape and dtype to the number of parts along each axis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.tensor_shape import TensorShape, as_shape

if TYPE_CHECKING:
    from collections.abc import Callable

    Partitioner = Callable[..., list[int]]

__all__ = [
    "fixed_size_partitioner",
    "min_max_variable_partitioner",
    "variable_axis_size_partitioner",
]


def _sizes(shape: Any) -> list[int]:
    if not isinstance(shape, TensorShape):
        raise ValueError(f"shape is not a TensorShape: {shape}")
    if not shape.is_fully_defined():
        raise ValueError(f"shape is not fully defined: {shape}")
    return shape.as_list()


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

    def partitioner(shape: Any, dtype: Any = dtypes.float32, **_: Any) -> list[int]:
        parts = [1] * len(as_shape(shape).as_list())
        parts[axis] = min(num_shards, as_shape(shape).as_list()[axis])
        return parts

    return partitioner


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

    def partitioner(shape: Any, dtype: Any, **_: Any) -> list[int]:
        sizes = _sizes(shape)
        dtype = dtypes.as_dtype(dtype)
        if not -len(sizes) <= axis < len(sizes):
            raise ValueError(f"Cannot partition along axis {axis} of shape {shape}.")
        element = bytes_per_string_element if dtype == dtypes.string else dtype.size
        parts = [1] * len(sizes)
        row_bytes = element * shape.num_elements() / max(sizes[axis], 1)
        rows = max(1, math.floor(max_shard_bytes / row_bytes)) if row_bytes else sizes[axis]
        shards = max(1, math.ceil(sizes[axis] / max(rows, 1)))
        parts[axis] = min(shards, max_shards) if max_shards is not None else shards
        return parts

    return partitioner


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

    def partitioner(shape: Any, dtype: Any, **_: Any) -> list[int]:
        sizes = _sizes(shape)
        dtype = dtypes.as_dtype(dtype)
        if not -len(sizes) <= axis < len(sizes):
            raise ValueError(f"Cannot partition along axis {axis} of shape {shape}.")
        element = bytes_per_string_element if dtype == dtypes.string else dtype.size
        total = shape.num_elements() * element
        parts = [1] * len(sizes)
        parts[axis] = max(1, min(sizes[axis], max_partitions, math.ceil(total / min_slice_size)))
        return parts

    return partitioner
