"""Training: optimizers, learning-rate schedules, the global step."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.formats.messages import SaverDef
    from hybridflow._src.graphs.files import write_graph
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
    from hybridflow._src.train.saving.initializing import init_from_checkpoint
    from hybridflow._src.train.saving.meta_graph import export_meta_graph, import_meta_graph
    from hybridflow._src.train.saving.reader import (
        CheckpointReader,
        NewCheckpointReader,
        list_variables,
        load_checkpoint,
        load_variable,
    )
    from hybridflow._src.train.saving.saveables import SaveableObject, SaveSpec
    from hybridflow._src.train.saving.saver import Saver
    from hybridflow._src.train.saving.state import (
        checkpoint_exists,
        generate_checkpoint_state_proto,
        get_checkpoint_mtimes,
        get_checkpoint_state,
        latest_checkpoint,
        remove_checkpoint,
        update_checkpoint_state,
    )
    from hybridflow._src.train.training_util import (
        assert_global_step,
        create_global_step,
        get_global_step,
        get_or_create_global_step,
        global_step,
    )

__all__ = [
    "export_meta_graph",
    "import_meta_graph",
    "AdadeltaOptimizer",
    "AdagradDAOptimizer",
    "AdagradOptimizer",
    "AdamOptimizer",
    "CheckpointReader",
    "ExponentialMovingAverage",
    "FtrlOptimizer",
    "GradientDescentOptimizer",
    "MomentumOptimizer",
    "NewCheckpointReader",
    "Optimizer",
    "ProximalAdagradOptimizer",
    "ProximalGradientDescentOptimizer",
    "RMSPropOptimizer",
    "SaveSpec",
    "SaveableObject",
    "Saver",
    "SaverDef",
    "assert_global_step",
    "checkpoint_exists",
    "cosine_decay",
    "cosine_decay_restarts",
    "create_global_step",
    "exponential_decay",
    "generate_checkpoint_state_proto",
    "get_checkpoint_mtimes",
    "get_checkpoint_state",
    "get_global_step",
    "get_or_create_global_step",
    "global_step",
    "init_from_checkpoint",
    "inverse_time_decay",
    "latest_checkpoint",
    "linear_cosine_decay",
    "list_variables",
    "load_checkpoint",
    "load_variable",
    "natural_exp_decay",
    "noisy_linear_cosine_decay",
    "piecewise_constant",
    "polynomial_decay",
    "remove_checkpoint",
    "update_checkpoint_state",
    "write_graph",
]
