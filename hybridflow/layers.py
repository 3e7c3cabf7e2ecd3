"""Layers: functions of tensors with variables of their own."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.layers.core import Dense, Dropout, Flatten, dense, dropout, flatten
    from hybridflow._src.layers.input_layer import Input
    from hybridflow._src.layers.input_spec import InputSpec
    from hybridflow._src.layers.layer import Layer

__all__ = [
    "Dense",
    "Dropout",
    "Flatten",
    "Input",
    "InputSpec",
    "Layer",
    "dense",
    "dropout",
    "flatten",
]
