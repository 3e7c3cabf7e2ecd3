"""Cells of recurrent networks."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.recurrent.basic_cells import BasicRNNCell, GRUCell
    from hybridflow._src.recurrent.cell import RNNCell
    from hybridflow._src.recurrent.dropout import DropoutWrapper
    from hybridflow._src.recurrent.lstm_cells import BasicLSTMCell, LSTMCell, LSTMStateTuple
    from hybridflow._src.recurrent.wrappers import DeviceWrapper, MultiRNNCell, ResidualWrapper

__all__ = [
    "BasicLSTMCell",
    "BasicRNNCell",
    "DeviceWrapper",
    "DropoutWrapper",
    "GRUCell",
    "LSTMCell",
    "LSTMStateTuple",
    "MultiRNNCell",
    "RNNCell",
    "ResidualWrapper",
]
