"""Linear-chain conditional random fields."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.recurrent.crf import (
        CrfDecodeBackwardRnnCell,
        CrfDecodeForwardRnnCell,
        CrfForwardRnnCell,
        crf_binary_score,
        crf_decode,
        crf_log_likelihood,
        crf_log_norm,
        crf_sequence_score,
        crf_unary_score,
        viterbi_decode,
    )

__all__ = [
    "CrfDecodeBackwardRnnCell",
    "CrfDecodeForwardRnnCell",
    "CrfForwardRnnCell",
    "crf_binary_score",
    "crf_decode",
    "crf_log_likelihood",
    "crf_log_norm",
    "crf_sequence_score",
    "crf_unary_score",
    "viterbi_decode",
]
