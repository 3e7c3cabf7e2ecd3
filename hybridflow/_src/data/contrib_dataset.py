"""`Dataset` as TensorFlow's contrib has it: with transformations as methods."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from hybridflow._src.data import dataset, file_datasets, transformations

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Dataset",
    "FixedLengthRecordDataset",
    "SqlDataset",
    "TFRecordDataset",
    "TextLineDataset",
]


class Dataset(dataset.Dataset):
    """`hf.data.Dataset`, with methods that programs for TensorFlow 1.3 know.

    What its methods give is of this class again. It is made as the other one is.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     data = hf.contrib.data.Dataset.range(4).map(lambda x: 2 * x, num_threads=2)
    ...     print([int(x) for x in data.batch(2).unbatch()])
    [0, 2, 4, 6]
    """

    def map(  # type: ignore[override]
        self,
        map_func: Callable[..., Any],
        num_threads: Any = None,
        output_buffer_size: Any = None,
        num_parallel_calls: Any = None,
    ) -> Dataset:
        """What a function makes of each element: see `hf.data.Dataset.map`.

        Args:
          map_func: as there.
          num_threads, num_parallel_calls: how many elements may be worked on at once.
          output_buffer_size: how many results may be made ahead.
        """
        calls = num_threads if num_parallel_calls is None else num_parallel_calls
        found = super().map(map_func, calls)
        own: Dataset = _own(
            found if output_buffer_size is None else found.prefetch(output_buffer_size)
        )
        return own

    def dense_to_sparse_batch(self, batch_size: Any, row_shape: Any) -> Dataset:
        """As `hf.contrib.data.dense_to_sparse_batch`."""
        return self.apply(transformations.dense_to_sparse_batch(batch_size, row_shape))

    def group_by_window(
        self, key_func: Callable[..., Any], reduce_func: Callable[..., Any], window_size: Any
    ) -> Dataset:
        """As `hf.contrib.data.group_by_window`."""

        def reduced(key: Any, window: dataset.Dataset) -> Any:
            return reduce_func(key, _own(window))

        return self.apply(transformations.group_by_window(key_func, reduced, window_size))

    def ignore_errors(self) -> Dataset:
        """As `hf.contrib.data.ignore_errors`."""
        return self.apply(transformations.ignore_errors())

    def unbatch(self) -> Dataset:
        """As `hf.contrib.data.unbatch`."""
        return self.apply(transformations.unbatch())

    def apply(self, transformation_func: Callable[..., Any]) -> Dataset:
        """What a function makes of the dataset: see `hf.data.Dataset.apply`."""
        own: Dataset = _own(super().apply(transformation_func))
        return own


def _own(found: Any) -> Any:
    is_own = isinstance(found, Dataset) or found._recipe is None  # a program's own class
    return found if is_own else Dataset(found._recipe)


def _giving_own(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        return _own(method(*args, **kwargs))

    return call


_SOURCES = (
    "from_generator from_sparse_tensor_slices from_tensor_slices from_tensors list_files range zip"
)
_DERIVED = (
    "batch cache concatenate enumerate filter flat_map interleave padded_batch prefetch repeat "
    "shard shuffle skip take"
)
for _name in _SOURCES.split():
    setattr(Dataset, _name, staticmethod(_giving_own(getattr(dataset.Dataset, _name))))
for _name in _DERIVED.split():
    setattr(Dataset, _name, _giving_own(getattr(dataset.Dataset, _name)))


class TextLineDataset(Dataset, file_datasets.TextLineDataset):
    """`hf.data.TextLineDataset`, with the methods of this `Dataset`."""


class TFRecordDataset(Dataset, file_datasets.TFRecordDataset):
    """`hf.data.TFRecordDataset`, with the methods of this `Dataset`."""


class FixedLengthRecordDataset(Dataset, file_datasets.FixedLengthRecordDataset):
    """`hf.data.FixedLengthRecordDataset`, with the methods of this `Dataset`."""


class SqlDataset(Dataset, file_datasets.SqlDataset):
    """The rows that a query of a database gives, with the methods of this `Dataset`.

    Args:
      driver_name, data_source_name, query, output_types: "sqlite", the name of the database's file,
        what is asked, in SQL, and the dtypes of the columns.
    """
