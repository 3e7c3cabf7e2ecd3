"""Summaries that are written where they are made, in both modes, where TensorFlow 1.4 has it."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.train.recording import (
        audio,
        generic,
        graph,
        histogram,
        image,
        import_event,
        scalar,
    )
    from hybridflow._src.train.summary_writers import (
        SummaryWriter,
        all_summary_ops,
        always_record_summaries,
        create_file_writer,
        create_summary_file_writer,
        eval_dir,
        flush,
        initialize,
        never_record_summaries,
        record_if,
        record_summaries_every_n_global_steps,
        should_record_summaries,
        summary_writer_initializer_op,
    )

__all__ = [
    "SummaryWriter",
    "all_summary_ops",
    "always_record_summaries",
    "audio",
    "create_file_writer",
    "create_summary_file_writer",
    "eval_dir",
    "flush",
    "generic",
    "graph",
    "histogram",
    "image",
    "import_event",
    "initialize",
    "never_record_summaries",
    "record_if",
    "record_summaries_every_n_global_steps",
    "scalar",
    "should_record_summaries",
    "summary_writer_initializer_op",
]
