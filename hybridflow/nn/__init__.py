"""Neural network ops: activations, losses, normalization."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.ops.convolution.conv2d import (
        conv2d,
        conv2d_backprop_filter,
        conv2d_backprop_input,
    )
    from hybridflow._src.ops.convolution.conv3d import conv3d, conv3d_backprop_filter_v2
    from hybridflow._src.ops.convolution.depthwise import (
        depthwise_conv2d_native,
        depthwise_conv2d_native_backprop_filter,
        depthwise_conv2d_native_backprop_input,
    )
    from hybridflow._src.ops.convolution.dilated import with_space_to_batch
    from hybridflow._src.ops.convolution.general import (
        atrous_conv2d,
        conv1d,
        convolution,
        depthwise_conv2d,
        separable_conv2d,
    )
    from hybridflow._src.ops.convolution.morphology import dilation2d, erosion2d
    from hybridflow._src.ops.convolution.transposed import (
        atrous_conv2d_transpose,
        conv2d_transpose,
        conv3d_transpose,
    )
    from hybridflow._src.ops.math.exponential import sigmoid
    from hybridflow._src.ops.math.ranking import in_top_k, top_k
    from hybridflow._src.ops.math.trigonometric import tanh
    from hybridflow._src.ops.nn.activations import (
        crelu,
        elu,
        leaky_relu,
        relu,
        relu6,
        selu,
        softplus,
        softsign,
        swish,
    )
    from hybridflow._src.ops.nn.basic import (
        bias_add,
        dropout,
        l2_loss,
        relu_layer,
        xw_plus_b,
        zero_fraction,
    )
    from hybridflow._src.ops.nn.ctc_decoders import (
        ctc_beam_search_decoder,
        ctc_greedy_decoder,
    )
    from hybridflow._src.ops.nn.ctc_loss import ctc_loss
    from hybridflow._src.ops.nn.embedding import embedding_lookup
    from hybridflow._src.ops.nn.fused_batch_norm import fused_batch_norm
    from hybridflow._src.ops.nn.local_response import local_response_normalization
    from hybridflow._src.ops.nn.local_response import (
        local_response_normalization as lrn,
    )
    from hybridflow._src.ops.nn.losses import (
        log_poisson_loss,
        sigmoid_cross_entropy_with_logits,
        softmax_cross_entropy_with_logits,
        softmax_cross_entropy_with_logits_v2,
        sparse_softmax_cross_entropy_with_logits,
        weighted_cross_entropy_with_logits,
    )
    from hybridflow._src.ops.nn.normalization import (
        batch_norm_with_global_normalization,
        batch_normalization,
        l2_normalize,
        moments,
        normalize_moments,
        sufficient_statistics,
        weighted_moments,
    )
    from hybridflow._src.ops.nn.sampled_losses import nce_loss, sampled_softmax_loss
    from hybridflow._src.ops.nn.softmax import log_softmax, softmax
    from hybridflow._src.ops.nn.sparse_embedding import (
        embedding_lookup_sparse,
        safe_embedding_lookup_sparse,
    )
    from hybridflow._src.ops.pooling.argmax import max_pool_with_argmax
    from hybridflow._src.ops.pooling.avg_pool import avg_pool
    from hybridflow._src.ops.pooling.fractional import fractional_avg_pool, fractional_max_pool
    from hybridflow._src.ops.pooling.max_pool import max_pool
    from hybridflow._src.ops.pooling.pool import pool
    from hybridflow._src.ops.pooling.pool3d import avg_pool3d, max_pool3d
    from hybridflow._src.ops.random.accidental_hits import compute_accidental_hits
    from hybridflow._src.ops.random.candidates import (
        all_candidate_sampler,
        fixed_unigram_candidate_sampler,
        learned_unigram_candidate_sampler,
        log_uniform_candidate_sampler,
        uniform_candidate_sampler,
    )
    from hybridflow._src.recurrent.dynamic import bidirectional_dynamic_rnn, dynamic_rnn
    from hybridflow._src.recurrent.raw import raw_rnn
    from hybridflow._src.recurrent.static import (
        static_bidirectional_rnn,
        static_rnn,
        static_state_saving_rnn,
    )
    from hybridflow.nn import rnn_cell

__all__ = [
    "all_candidate_sampler",
    "atrous_conv2d",
    "atrous_conv2d_transpose",
    "avg_pool",
    "avg_pool3d",
    "batch_norm_with_global_normalization",
    "batch_normalization",
    "bias_add",
    "bidirectional_dynamic_rnn",
    "compute_accidental_hits",
    "conv1d",
    "conv2d",
    "conv2d_backprop_filter",
    "conv2d_backprop_input",
    "conv2d_transpose",
    "conv3d",
    "conv3d_backprop_filter_v2",
    "conv3d_transpose",
    "convolution",
    "crelu",
    "ctc_beam_search_decoder",
    "ctc_greedy_decoder",
    "ctc_loss",
    "depthwise_conv2d",
    "depthwise_conv2d_native",
    "depthwise_conv2d_native_backprop_filter",
    "depthwise_conv2d_native_backprop_input",
    "dilation2d",
    "dropout",
    "dynamic_rnn",
    "elu",
    "embedding_lookup",
    "embedding_lookup_sparse",
    "erosion2d",
    "fixed_unigram_candidate_sampler",
    "fractional_avg_pool",
    "fractional_max_pool",
    "fused_batch_norm",
    "in_top_k",
    "l2_loss",
    "l2_normalize",
    "leaky_relu",
    "learned_unigram_candidate_sampler",
    "local_response_normalization",
    "log_poisson_loss",
    "log_softmax",
    "log_uniform_candidate_sampler",
    "lrn",
    "max_pool",
    "max_pool3d",
    "max_pool_with_argmax",
    "moments",
    "nce_loss",
    "normalize_moments",
    "pool",
    "raw_rnn",
    "relu",
    "relu6",
    "relu_layer",
    "rnn_cell",
    "safe_embedding_lookup_sparse",
    "sampled_softmax_loss",
    "selu",
    "separable_conv2d",
    "sigmoid",
    "sigmoid_cross_entropy_with_logits",
    "softmax",
    "softmax_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits_v2",
    "softplus",
    "softsign",
    "sparse_softmax_cross_entropy_with_logits",
    "static_bidirectional_rnn",
    "static_rnn",
    "static_state_saving_rnn",
    "sufficient_statistics",
    "swish",
    "tanh",
    "top_k",
    "uniform_candidate_sampler",
    "weighted_cross_entropy_with_logits",
    "weighted_moments",
    "with_space_to_batch",
    "xw_plus_b",
    "zero_fraction",
]
