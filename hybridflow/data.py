"""What feeds programs: datasets, and iterators over them."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.data.dataset import Dataset
    from hybridflow._src.data.file_datasets import (
        FixedLengthRecordDataset,
        TextLineDataset,
        TFRecordDataset,
    )
    from hybridflow._src.data.iterator import Iterator

__all__ = [
    "Dataset",
    "FixedLengthRecordDataset",
    "Iterator",
    "TFRecordDataset",
    "TextLineDataset",
]
