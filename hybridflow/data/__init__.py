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
    from hybridflow._src.data.options import Options
    from hybridflow.data import experimental

__all__ = [
    "Dataset",
    "FixedLengthRecordDataset",
    "Iterator",
    "Options",
    "TFRecordDataset",
    "TextLineDataset",
    "experimental",
]
