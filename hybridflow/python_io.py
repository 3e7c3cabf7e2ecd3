"""Files of records, written and read in Python."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.formats.record_files import (
        TFRecordCompressionType,
        TFRecordOptions,
        TFRecordWriter,
        tf_record_iterator,
    )

__all__ = [
    "TFRecordCompressionType",
    "TFRecordOptions",
    "TFRecordWriter",
    "tf_record_iterator",
]
