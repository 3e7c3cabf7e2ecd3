"""Metrics that are objects, where TensorFlow 1.4 has them."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.train.evaluated import Accuracy, Mean, Metric

__all__ = ["Accuracy", "Mean", "Metric"]
