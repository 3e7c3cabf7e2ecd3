"""Networks from sequences to sequences whose steps are written out."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.seq2seq.legacy.decoders import (
        attention_decoder,
        embedding_attention_decoder,
        embedding_rnn_decoder,
        rnn_decoder,
    )
    from hybridflow._src.seq2seq.legacy.losses import (
        model_with_buckets,
        sequence_loss,
        sequence_loss_by_example,
    )
    from hybridflow._src.seq2seq.legacy.models import (
        basic_rnn_seq2seq,
        embedding_attention_seq2seq,
        embedding_rnn_seq2seq,
        embedding_tied_rnn_seq2seq,
        one2many_rnn_seq2seq,
        tied_rnn_seq2seq,
    )

__all__ = [
    "attention_decoder",
    "basic_rnn_seq2seq",
    "embedding_attention_decoder",
    "embedding_attention_seq2seq",
    "embedding_rnn_decoder",
    "embedding_rnn_seq2seq",
    "embedding_tied_rnn_seq2seq",
    "model_with_buckets",
    "one2many_rnn_seq2seq",
    "rnn_decoder",
    "sequence_loss",
    "sequence_loss_by_example",
    "tied_rnn_seq2seq",
]
