"""What TensorFlow 1.4's contrib.learn has for texts, before they are fed."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow.contrib.learn import preprocessing

__all__ = ["preprocessing"]
