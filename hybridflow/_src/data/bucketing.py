"""Batches of elements that are about as long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.data import nest
from hybridflow._src.data.transformations import group_by_window
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import control_dependencies
from hybridflow._src.framework.tensor_shape import as_shape
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.gather import gather
from hybridflow._src.ops.arrays.joining import stack
from hybridflow._src.ops.checks.comparing import assert_less
from hybridflow._src.ops.math.comparison import less_equal
from hybridflow._src.ops.math.reductions import reduce_sum

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.data.dataset import Dataset
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["bucket_by_sequence_length"]

_TOO_LONG = "When pad_to_bucket_boundary=True, elements must have length < max(bucket_boundaries)."


def bucket_by_sequence_length(
    element_length_func: Callable[..., Any],
    bucket_boundaries: Sequence[int],
    bucket_batch_sizes: Sequence[int],
    padded_shapes: Any = None,
    padding_values: Any = None,
    pad_to_bucket_boundary: bool = False,
    no_padding: bool = False,
    drop_remainder: bool = False,
) -> Callable[[Dataset], Dataset]:
    """Batches of elements that are about as long, so that little is padded.

    Args:
      element_length_func: takes an element, gives its length: an integer scalar.
      bucket_boundaries: lengths `b[0] < b[1] < ...`: bucket `i` has those from `b[i - 1]` on that
        are below `b[i]`, the last one all others.
      bucket_batch_sizes: how many elements a batch of each bucket has: one number more.
      padded_shapes, padding_values: as for `Dataset.padded_batch`; by default sizes that are not
        known are padded.
      pad_to_bucket_boundary: whether these are padded to the largest length of the bucket, not of
        the batch. The last bucket must stay empty then.
      no_padding: whether elements are stacked as they are.
      drop_remainder: whether a last batch with fewer elements is left out, in each bucket.

    Returns: a function for `Dataset.apply`.

    Raises:
      ValueError: for another number of batch sizes. InvalidArgumentError: when it runs, for an
        element of the last bucket where `pad_to_bucket_boundary` is set.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     data = hf.data.Dataset.range(1, 7).map(lambda n: hf.fill([n], n))
    ...     data = data.apply(hf.data.experimental.bucket_by_sequence_length(
    ...         lambda x: hf.shape(x)[0], [3, 5], [2, 2, 2]))
    ...     print([batch.shape.as_list() for batch in data])
    [[2, 2], [2, 4], [2, 6]]
    """
    if len(bucket_batch_sizes) != len(bucket_boundaries) + 1:
        raise ValueError(
            "len(bucket_batch_sizes) must equal len(bucket_boundaries) + 1, got "
            f"{len(bucket_batch_sizes)} and {len(bucket_boundaries)}."
        )
    sizes, boundaries = list(bucket_batch_sizes), list(bucket_boundaries)

    def bucket_of(*element: Any) -> Tensor:
        length = cast(element_length_func(*element), dtypes.int64)
        is_reached = less_equal(convert_to_tensor(boundaries, dtypes.int64), length)
        bucket: Tensor = reduce_sum(cast(is_reached, dtypes.int64))
        return bucket

    def size_of(bucket: Tensor) -> Tensor:
        return gather(convert_to_tensor(sizes, dtypes.int64), bucket)

    def batched(bucket: Tensor, window: Dataset) -> Dataset:
        size = size_of(bucket)
        if no_padding:
            return window.batch(size, drop_remainder)
        shapes = window.output_shapes if padded_shapes is None else padded_shapes
        if pad_to_bucket_boundary:
            longest = _longest(bucket, boundaries)
            shapes = nest.map_structure_up_to(
                window.output_shapes, lambda shape: _filled(shape, longest), shapes
            )
        return window.padded_batch(size, shapes, padding_values, drop_remainder)

    return group_by_window(bucket_of, batched, window_size_func=size_of)


def _longest(bucket: Tensor, boundaries: Sequence[int]) -> Tensor:
    """The largest length of a bucket, but for the last one."""
    check = assert_less(bucket, convert_to_tensor(len(boundaries), dtypes.int64), message=_TOO_LONG)
    with control_dependencies([check]):
        longest: Tensor = gather(convert_to_tensor(boundaries, dtypes.int64), bucket) - 1
    return longest


def _filled(shape: Any, longest: Tensor) -> Any:
    """A shape to pad to, with the largest length where a size is not known."""
    sizes = as_shape(shape)
    if sizes.ndims is None:
        return sizes
    return stack(
        [
            longest if size is None else convert_to_tensor(size, dtypes.int64)
            for size in sizes.as_list()
        ]
    )
