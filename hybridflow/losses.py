"""Losses: weighted, reduced, and kept in a collection of the graph."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.losses.classification import (
        hinge_loss,
        sigmoid_cross_entropy,
        softmax_cross_entropy,
        sparse_softmax_cross_entropy,
    )
    from hybridflow._src.losses.collecting import (
        add_loss,
        get_losses,
        get_regularization_loss,
        get_regularization_losses,
        get_total_loss,
    )
    from hybridflow._src.losses.regression import (
        absolute_difference,
        cosine_distance,
        huber_loss,
        log_loss,
        mean_pairwise_squared_error,
        mean_squared_error,
    )
    from hybridflow._src.losses.weighting import Reduction, compute_weighted_loss

__all__ = [
    "Reduction",
    "absolute_difference",
    "add_loss",
    "compute_weighted_loss",
    "cosine_distance",
    "get_losses",
    "get_regularization_loss",
    "get_regularization_losses",
    "get_total_loss",
    "hinge_loss",
    "huber_loss",
    "log_loss",
    "mean_pairwise_squared_error",
    "mean_squared_error",
    "sigmoid_cross_entropy",
    "softmax_cross_entropy",
    "sparse_softmax_cross_entropy",
]
