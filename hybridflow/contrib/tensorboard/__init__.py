"""What TensorFlow 1.4 has for plugins of TensorBoard."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow.contrib.tensorboard import plugins

__all__ = ["plugins"]
