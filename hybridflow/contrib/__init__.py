"""The parts of TensorFlow's contrib that this project has."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow.contrib import eager, layers, opt, rnn, summary, util

__all__ = ["eager", "layers", "opt", "rnn", "summary", "util"]
