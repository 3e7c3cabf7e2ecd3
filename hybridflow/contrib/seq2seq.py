"""Networks from sequences to sequences."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.ops.data_flow.beams import gather_tree
    from hybridflow._src.seq2seq.attention import (
        AttentionMechanism,
        BahdanauAttention,
        LuongAttention,
    )
    from hybridflow._src.seq2seq.attention_wrapper import (
        AttentionWrapper,
        AttentionWrapperState,
        hardmax,
    )
    from hybridflow._src.seq2seq.basic_decoder import (
        BasicDecoder,
        BasicDecoderOutput,
    )
    from hybridflow._src.seq2seq.beam_search import (
        BeamSearchDecoder,
        BeamSearchDecoderOutput,
        BeamSearchDecoderState,
        FinalBeamSearchDecoderOutput,
        tile_batch,
    )
    from hybridflow._src.seq2seq.decoding import (
        Decoder,
        dynamic_decode,
    )
    from hybridflow._src.seq2seq.helpers import (
        CustomHelper,
        GreedyEmbeddingHelper,
        Helper,
        InferenceHelper,
        SampleEmbeddingHelper,
        TrainingHelper,
    )
    from hybridflow._src.seq2seq.monotonic import (
        BahdanauMonotonicAttention,
        LuongMonotonicAttention,
        monotonic_attention,
        safe_cumprod,
    )
    from hybridflow._src.seq2seq.scheduled import (
        ScheduledEmbeddingTrainingHelper,
        ScheduledOutputTrainingHelper,
    )
    from hybridflow._src.seq2seq.sequence_loss import (
        sequence_loss,
    )

__all__ = [
    "AttentionMechanism",
    "AttentionWrapper",
    "AttentionWrapperState",
    "BahdanauAttention",
    "BahdanauMonotonicAttention",
    "BasicDecoder",
    "BasicDecoderOutput",
    "BeamSearchDecoder",
    "BeamSearchDecoderOutput",
    "BeamSearchDecoderState",
    "CustomHelper",
    "Decoder",
    "FinalBeamSearchDecoderOutput",
    "GreedyEmbeddingHelper",
    "Helper",
    "InferenceHelper",
    "LuongAttention",
    "LuongMonotonicAttention",
    "SampleEmbeddingHelper",
    "ScheduledEmbeddingTrainingHelper",
    "ScheduledOutputTrainingHelper",
    "TrainingHelper",
    "dynamic_decode",
    "gather_tree",
    "hardmax",
    "monotonic_attention",
    "safe_cumprod",
    "sequence_loss",
    "tile_batch",
]
