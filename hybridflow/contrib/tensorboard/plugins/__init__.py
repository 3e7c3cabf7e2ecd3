"""Plugins of TensorBoard that show what programs keep."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow.contrib.tensorboard.plugins import projector

__all__ = ["projector"]
