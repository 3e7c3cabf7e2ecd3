"""Regularizers of layers, where TensorFlow 1.4 has them."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.ops.nn.sparse_embedding import safe_embedding_lookup_sparse
    from hybridflow._src.variables.regularizers import (
        apply_regularization,
        l1_l2_regularizer,
        l1_regularizer,
        l2_regularizer,
        sum_regularizer,
    )

__all__ = [
    "apply_regularization",
    "l1_l2_regularizer",
    "l1_regularizer",
    "l2_regularizer",
    "safe_embedding_lookup_sparse",
    "sum_regularizer",
]
