"""Summaries for TensorBoard: of numbers, images, sounds, text; and their files."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.formats.messages import (
        Event,
        SessionLog,
        Summary,
        SummaryDescription,
        TaggedRunMetadata,
    )
    from hybridflow._src.summary.summary import (
        audio,
        get_summary_description,
        histogram,
        image,
        merge,
        merge_all,
        scalar,
        tensor_summary,
        text,
    )
    from hybridflow._src.summary.writer import FileWriter, FileWriterCache

__all__ = [
    "Event",
    "FileWriter",
    "FileWriterCache",
    "SessionLog",
    "Summary",
    "SummaryDescription",
    "TaggedRunMetadata",
    "audio",
    "get_summary_description",
    "histogram",
    "image",
    "merge",
    "merge_all",
    "scalar",
    "tensor_summary",
    "text",
]
