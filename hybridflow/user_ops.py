"""TensorFlow's example of an op of one's own."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.ops.strings.fact import my_fact

__all__ = ["my_fact"]
