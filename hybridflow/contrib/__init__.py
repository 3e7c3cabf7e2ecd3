"""The parts of TensorFlow's contrib that this project has."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow.contrib import (
        crf,
        data,
        distributions,
        eager,
        framework,
        graph_editor,
        image,
        layers,
        learn,
        legacy_seq2seq,
        lookup,
        opt,
        predictor,
        rnn,
        seq2seq,
        signal,
        staging,
        summary,
        tensorboard,
        training,
        util,
    )

__all__ = [
    "crf",
    "data",
    "distributions",
    "eager",
    "framework",
    "graph_editor",
    "image",
    "layers",
    "learn",
    "legacy_seq2seq",
    "lookup",
    "opt",
    "predictor",
    "rnn",
    "seq2seq",
    "signal",
    "staging",
    "summary",
    "tensorboard",
    "training",
    "util",
]
