"""Transformations of datasets by the names of TensorFlow 1.15."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.data.bucketing import bucket_by_sequence_length
    from hybridflow._src.data.file_datasets import SqlDataset
    from hybridflow._src.data.options import (
        DistributeOptions,
        OptimizationOptions,
        ThreadingOptions,
    )
    from hybridflow._src.data.prefetching import AUTOTUNE
    from hybridflow._src.data.resampling import rejection_resample
    from hybridflow._src.data.saving import make_saveable_from_iterator
    from hybridflow._src.data.transformations import (
        Counter,
        dense_to_sparse_batch,
        enumerate_dataset,
        get_single_element,
        group_by_window,
        ignore_errors,
        map_and_batch,
        parallel_interleave,
        prefetch_to_device,
        scan,
        shuffle_and_repeat,
        unbatch,
        unique,
    )

__all__ = [
    "AUTOTUNE",
    "Counter",
    "DistributeOptions",
    "OptimizationOptions",
    "SqlDataset",
    "ThreadingOptions",
    "bucket_by_sequence_length",
    "dense_to_sparse_batch",
    "enumerate_dataset",
    "get_single_element",
    "group_by_window",
    "ignore_errors",
    "make_saveable_from_iterator",
    "map_and_batch",
    "parallel_interleave",
    "prefetch_to_device",
    "rejection_resample",
    "scan",
    "shuffle_and_repeat",
    "unbatch",
    "unique",
]
