"""What Keras does to data before a model sees them."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow.keras.preprocessing import sequence

__all__ = ["sequence"]
