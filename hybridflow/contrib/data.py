"""Transformations of datasets, for `Dataset.apply`, and datasets of other kinds."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.data.bucketing import bucket_by_sequence_length
    from hybridflow._src.data.contrib_dataset import (
        Dataset,
        FixedLengthRecordDataset,
        SqlDataset,
        TextLineDataset,
        TFRecordDataset,
    )
    from hybridflow._src.data.features import read_batch_features
    from hybridflow._src.data.iterator import Iterator
    from hybridflow._src.data.prefetching import AUTOTUNE
    from hybridflow._src.data.resampling import rejection_resample
    from hybridflow._src.data.saving import make_saveable_from_iterator
    from hybridflow._src.data.transformations import (
        Counter,
        batch_and_drop_remainder,
        dense_to_sparse_batch,
        enumerate_dataset,
        get_single_element,
        group_by_window,
        ignore_errors,
        map_and_batch,
        padded_batch_and_drop_remainder,
        parallel_interleave,
        prefetch_to_device,
        scan,
        shuffle_and_repeat,
        sloppy_interleave,
        unbatch,
        unique,
    )

__all__ = [
    "AUTOTUNE",
    "Counter",
    "Dataset",
    "FixedLengthRecordDataset",
    "Iterator",
    "SqlDataset",
    "TFRecordDataset",
    "TextLineDataset",
    "batch_and_drop_remainder",
    "bucket_by_sequence_length",
    "dense_to_sparse_batch",
    "enumerate_dataset",
    "get_single_element",
    "group_by_window",
    "ignore_errors",
    "make_saveable_from_iterator",
    "map_and_batch",
    "padded_batch_and_drop_remainder",
    "parallel_interleave",
    "prefetch_to_device",
    "read_batch_features",
    "rejection_resample",
    "scan",
    "shuffle_and_repeat",
    "sloppy_interleave",
    "unbatch",
    "unique",
]
