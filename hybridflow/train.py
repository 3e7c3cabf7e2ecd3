"""Training: optimizers, learning-rate schedules, the global step."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.train.adadelta import AdadeltaOptimizer
    from hybridflow._src.train.adagrad import AdagradOptimizer
    from hybridflow._src.train.adagrad_da import AdagradDAOptimizer
    from hybridflow._src.train.adam import AdamOptimizer
    from hybridflow._src.train.ftrl import FtrlOptimizer
    from hybridflow._src.train.gradient_descent import GradientDescentOptimizer
    from hybridflow._src.train.learning_rate_decay import (
        cosine_decay,
        cosine_decay_restarts,
        exponential_decay,
        inverse_time_decay,
        linear_cosine_decay,
        natural_exp_decay,
        noisy_linear_cosine_decay,
        piecewise_constant,
        polynomial_decay,
    )
    from hybridflow._src.train.momentum import MomentumOptimizer
    from hybridflow._src.train.moving_averages import ExponentialMovingAverage
    from hybridflow._src.train.optimizer import Optimizer
    from hybridflow._src.train.proximal import (
        ProximalAdagradOptimizer,
        ProximalGradientDescentOptimizer,
    )
    from hybridflow._src.train.rmsprop import RMSPropOptimizer
    from hybridflow._src.train.training_util import (
        assert_global_step,
        create_global_step,
        get_global_step,
        get_or_create_global_step,
        global_step,
    )

__all__ = [
    "AdadeltaOptimizer",
    "AdagradDAOptimizer",
    "AdagradOptimizer",
    "AdamOptimizer",
    "ExponentialMovingAverage",
    "FtrlOptimizer",
    "GradientDescentOptimizer",
    "MomentumOptimizer",
    "Optimizer",
    "ProximalAdagradOptimizer",
    "ProximalGradientDescentOptimizer",
    "RMSPropOptimizer",
    "assert_global_step",
    "cosine_decay",
    "cosine_decay_restarts",
    "create_global_step",
    "exponential_decay",
    "get_global_step",
    "get_or_create_global_step",
    "global_step",
    "inverse_time_decay",
    "linear_cosine_decay",
    "natural_exp_decay",
    "noisy_linear_cosine_decay",
    "piecewise_constant",
    "polynomial_decay",
]
