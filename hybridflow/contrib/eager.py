"""Keeping eager variables, and iterators over datasets, where TensorFlow 1.4 has them."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.data.eager_iterator import Iterator
    from hybridflow._src.train.saving.eager import Saver, get_optimizer_variables

__all__ = ["Iterator", "Saver", "get_optimizer_variables"]
