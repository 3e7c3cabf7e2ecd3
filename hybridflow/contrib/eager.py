"""Keeping eager variables, where TensorFlow 1.4 has it."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.train.saving.eager import Saver, get_optimizer_variables

__all__ = ["Saver", "get_optimizer_variables"]
