"""Optimizers beside those of `hf.train`, where TensorFlow 1.4 has them."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.train.adam import LazyAdamOptimizer
    from hybridflow._src.train.external_optimizer import (
        ExternalOptimizerInterface,
        ScipyOptimizerInterface,
    )

__all__ = ["ExternalOptimizerInterface", "LazyAdamOptimizer", "ScipyOptimizerInterface"]
