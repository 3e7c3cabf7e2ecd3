"""Training: optimizers, learning-rate schedules, the global step, savers, sessions with hooks."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.formats.messages import (
        BytesList,
        ClusterDef,
        Example,
        Feature,
        FeatureList,
        FeatureLists,
        Features,
        FloatList,
        Int64List,
        JobDef,
        QueueRunnerDef,
        SaverDef,
        SequenceExample,
        ServerDef,
    )
    from hybridflow._src.graphs.files import write_graph
    from hybridflow._src.ops.linear_models.sdca import sdca_fprint, sdca_optimizer, sdca_shrink_l1
    from hybridflow._src.summary.summary_iterator import summary_iterator
    from hybridflow._src.train.adadelta import AdadeltaOptimizer
    from hybridflow._src.train.adagrad import AdagradOptimizer
    from hybridflow._src.train.adagrad_da import AdagradDAOptimizer
    from hybridflow._src.train.adam import AdamOptimizer
    from hybridflow._src.train.cluster.cluster_spec import ClusterSpec
    from hybridflow._src.train.cluster.device_setter import replica_device_setter
    from hybridflow._src.train.cluster.server import Server
    from hybridflow._src.train.ftrl import FtrlOptimizer
    from hybridflow._src.train.gradient_descent import GradientDescentOptimizer
    from hybridflow._src.train.hooks.feeding import FeedFnHook, FinalOpsHook
    from hybridflow._src.train.hooks.measuring import ProfilerHook, StepCounterHook
    from hybridflow._src.train.hooks.saving import (
        CheckpointSaverHook,
        CheckpointSaverListener,
        SummarySaverHook,
    )
    from hybridflow._src.train.hooks.session_run_hook import (
        SessionRunArgs,
        SessionRunContext,
        SessionRunHook,
        SessionRunValues,
    )
    from hybridflow._src.train.hooks.stopping import GlobalStepWaiterHook, StopAtStepHook
    from hybridflow._src.train.hooks.timers import SecondOrStepTimer
    from hybridflow._src.train.hooks.watching import (
        LoggingTensorHook,
        NanLossDuringTrainingError,
        NanTensorHook,
    )
    from hybridflow._src.train.input.batching import (
        batch,
        batch_join,
        maybe_batch,
        maybe_batch_join,
        maybe_shuffle_batch,
        maybe_shuffle_batch_join,
        shuffle_batch,
        shuffle_batch_join,
    )
    from hybridflow._src.train.input.producers import (
        input_producer,
        limit_epochs,
        match_filenames_once,
        range_input_producer,
        slice_input_producer,
        string_input_producer,
    )
    from hybridflow._src.train.input.queue_runner import (
        QueueRunner,
        add_queue_runner,
        start_queue_runners,
    )
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
    from hybridflow._src.train.quantize_training import do_quantize_training_on_graphdef
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
    from hybridflow._src.train.sessions.coordinator import Coordinator, LooperThread
    from hybridflow._src.train.sessions.creators import (
        ChiefSessionCreator,
        SessionCreator,
        WorkerSessionCreator,
    )
    from hybridflow._src.train.sessions.monitored_session import (
        MonitoredSession,
        SingularMonitoredSession,
    )
    from hybridflow._src.train.sessions.scaffold import Scaffold
    from hybridflow._src.train.sessions.session_manager import SessionManager
    from hybridflow._src.train.sessions.supervisor import Supervisor, basic_train_loop
    from hybridflow._src.train.sessions.training_session import MonitoredTrainingSession
    from hybridflow._src.train.sync_replicas import SyncReplicasOptimizer
    from hybridflow._src.train.training_util import (
        assert_global_step,
        create_global_step,
        get_global_step,
        get_or_create_global_step,
        global_step,
    )

__all__ = [
    "do_quantize_training_on_graphdef",
    "BytesList",
    "Example",
    "Feature",
    "FeatureList",
    "FeatureLists",
    "Features",
    "FloatList",
    "Int64List",
    "QueueRunner",
    "QueueRunnerDef",
    "SequenceExample",
    "add_queue_runner",
    "batch",
    "batch_join",
    "export_meta_graph",
    "import_meta_graph",
    "AdadeltaOptimizer",
    "AdagradDAOptimizer",
    "AdagradOptimizer",
    "AdamOptimizer",
    "CheckpointReader",
    "CheckpointSaverHook",
    "CheckpointSaverListener",
    "ChiefSessionCreator",
    "ClusterDef",
    "ClusterSpec",
    "Coordinator",
    "ExponentialMovingAverage",
    "FeedFnHook",
    "FinalOpsHook",
    "FtrlOptimizer",
    "GlobalStepWaiterHook",
    "GradientDescentOptimizer",
    "JobDef",
    "LoggingTensorHook",
    "LooperThread",
    "MomentumOptimizer",
    "MonitoredSession",
    "MonitoredTrainingSession",
    "NanLossDuringTrainingError",
    "NanTensorHook",
    "NewCheckpointReader",
    "Optimizer",
    "ProfilerHook",
    "ProximalAdagradOptimizer",
    "ProximalGradientDescentOptimizer",
    "RMSPropOptimizer",
    "SaveSpec",
    "SaveableObject",
    "Saver",
    "SaverDef",
    "Scaffold",
    "SecondOrStepTimer",
    "Server",
    "ServerDef",
    "SessionCreator",
    "SessionManager",
    "SessionRunArgs",
    "SessionRunContext",
    "SessionRunHook",
    "SessionRunValues",
    "SingularMonitoredSession",
    "StepCounterHook",
    "StopAtStepHook",
    "SummarySaverHook",
    "Supervisor",
    "SyncReplicasOptimizer",
    "WorkerSessionCreator",
    "assert_global_step",
    "basic_train_loop",
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
    "input_producer",
    "inverse_time_decay",
    "latest_checkpoint",
    "limit_epochs",
    "linear_cosine_decay",
    "list_variables",
    "load_checkpoint",
    "load_variable",
    "match_filenames_once",
    "maybe_batch",
    "maybe_batch_join",
    "maybe_shuffle_batch",
    "maybe_shuffle_batch_join",
    "natural_exp_decay",
    "noisy_linear_cosine_decay",
    "piecewise_constant",
    "polynomial_decay",
    "range_input_producer",
    "remove_checkpoint",
    "replica_device_setter",
    "shuffle_batch",
    "shuffle_batch_join",
    "slice_input_producer",
    "start_queue_runners",
    "string_input_producer",
    "summary_iterator",
    "update_checkpoint_state",
    "write_graph",
    "sdca_fprint",
    "sdca_optimizer",
    "sdca_shrink_l1",
]
