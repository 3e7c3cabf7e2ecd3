"""How a program starts."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow import flags
    from hybridflow._src.platform.app import run

__all__ = ["flags", "run"]
