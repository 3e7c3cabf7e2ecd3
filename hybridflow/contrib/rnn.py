"""Recurrent networks: all cells, and what runs them."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.recurrent.attention_cell import AttentionCellWrapper
    from hybridflow._src.recurrent.basic_cells import BasicRNNCell, GRUCell
    from hybridflow._src.recurrent.block_cells import (
        GRUBlockCell,
        GRUBlockCellV2,
        LSTMBlockCell,
        LSTMBlockFusedCell,
    )
    from hybridflow._src.recurrent.cell import RNNCell
    from hybridflow._src.recurrent.dropout import DropoutWrapper
    from hybridflow._src.recurrent.fused import (
        FusedRNNCell,
        FusedRNNCellAdaptor,
        TimeReversedFusedRNN,
    )
    from hybridflow._src.recurrent.layer_norm import LayerNormBasicLSTMCell
    from hybridflow._src.recurrent.lstm_cells import BasicLSTMCell, LSTMCell, LSTMStateTuple
    from hybridflow._src.recurrent.projections import (
        EmbeddingWrapper,
        InputProjectionWrapper,
        OutputProjectionWrapper,
    )
    from hybridflow._src.recurrent.stacked import (
        stack_bidirectional_dynamic_rnn,
        stack_bidirectional_rnn,
    )
    from hybridflow._src.recurrent.static import (
        static_bidirectional_rnn,
        static_rnn,
        static_state_saving_rnn,
    )
    from hybridflow._src.recurrent.wrappers import DeviceWrapper, MultiRNNCell, ResidualWrapper

__all__ = [
    "AttentionCellWrapper",
    "BasicLSTMCell",
    "BasicRNNCell",
    "DeviceWrapper",
    "DropoutWrapper",
    "EmbeddingWrapper",
    "FusedRNNCell",
    "FusedRNNCellAdaptor",
    "GRUBlockCell",
    "GRUBlockCellV2",
    "GRUCell",
    "InputProjectionWrapper",
    "LSTMBlockCell",
    "LSTMBlockFusedCell",
    "LSTMCell",
    "LSTMStateTuple",
    "LayerNormBasicLSTMCell",
    "MultiRNNCell",
    "OutputProjectionWrapper",
    "RNNCell",
    "ResidualWrapper",
    "TimeReversedFusedRNN",
    "stack_bidirectional_dynamic_rnn",
    "stack_bidirectional_rnn",
    "static_bidirectional_rnn",
    "static_rnn",
    "static_state_saving_rnn",
]
