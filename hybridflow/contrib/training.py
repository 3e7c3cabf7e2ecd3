"""Hyperparameters, where TensorFlow 1.4 has them."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.platform.hparams import HParams

__all__ = ["HParams"]
