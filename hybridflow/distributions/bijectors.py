"""Functions that have an inverse, with how they change volumes."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.distributions.bijector import Bijector, Identity

__all__ = ["Bijector", "Identity"]
