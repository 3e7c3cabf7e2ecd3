"""Networks from sequences to sequences."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.recurrent.sequence_loss import sequence_loss

__all__ = ["sequence_loss"]
