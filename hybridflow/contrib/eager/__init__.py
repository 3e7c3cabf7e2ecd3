"""What TensorFlow 1.4 has for eager programs: networks, metrics, iterators, checkpoints."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.data.eager_iterator import Iterator
    from hybridflow._src.layers.network import Network, Sequential
    from hybridflow._src.train.saving.eager import Saver, get_optimizer_variables
    from hybridflow._src.train.saving.networks import (
        restore_network_checkpoint,
        save_network_checkpoint,
    )
    from hybridflow.contrib.eager import metrics

__all__ = [
    "Iterator",
    "Network",
    "Saver",
    "Sequential",
    "get_optimizer_variables",
    "metrics",
    "restore_network_checkpoint",
    "save_network_checkpoint",
]
