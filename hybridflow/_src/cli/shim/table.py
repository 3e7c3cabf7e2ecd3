"""Which import path of TF-1.x programs finds its names in which of our modules: the one table.

A value lists modules; a name is taken from the first that offers it, or else from the spellings
that TensorFlow gained later (`spellings.py`). A path that is not listed, and a name that none of
the modules offers, stands for something that hybridflow lacks.
"""

from __future__ import annotations

from hybridflow._src.cli.shim.spellings import SPELLINGS

_SHIM = "hybridflow._src.cli.shim"
_INNER = f"{_SHIM}.inner"
_FRAMEWORK = "hybridflow._src.framework"
_GRAPHS = "hybridflow._src.graphs"
_MESSAGES = "hybridflow._src.formats.messages"


# Paths that are programs too (`-m`), and the modules that are run.
PROGRAMS = {
    f"tensorflow.python.tools.{name}": f"{_INNER}.{name}"
    for name in ("freeze_graph", "inspect_checkpoint", "optimize_for_inference", "strip_unused")
}

# What to use in place of modules that are not here on purpose.
INSTEAD = {
    "tensorflow.contrib.session_bundle": "tf.saved_model, which took its place in TensorFlow"
}

# Paths that stand for one of our modules itself: what a program puts in place of a name there, as a
# test does by `mock`, our own code calls.
_LOGGING = "hybridflow._src.platform.tf_logging"
THEMSELVES = {
    "tensorflow.python.platform.tf_logging": _LOGGING,
    # `tf.compat` is one module, by whichever name its parent was imported.
    **{f"tensorflow.compat.v{n}.compat": "tensorflow.compat" for n in (1, 2)},
}

# Packages that are written on TensorFlow, whose names it once had, and the extra that brings them.
EXTRAS = {"tf_slim": "contrib"}


def _each(prefix: str, names: str, *sources: str) -> dict[str, tuple[str, ...]]:
    return {f"{prefix}.{name}": sources for name in names.split()}


_SAVED_MODEL = (
    "builder constants loader main_op signature_constants signature_def_utils tag_constants utils"
)

_CONTRIB_EAGER = (
    f"{_SHIM}.contrib_eager",
    "hybridflow.contrib.eager",
    f"{_INNER}.eager_modes",
)

_CONTRIB_LAYERS = (
    "tf_slim.layers.layers",
    "tf_slim.layers",
    f"{_SHIM}.contrib_layers",
    "hybridflow.contrib.layers",
)

_CONTRIB_FRAMEWORK = (
    "tf_slim.ops.arg_scope",
    "tf_slim.ops.variables",
    "tf_slim.ops.framework_ops",
    "hybridflow.contrib.framework",
)

_CONTRIB_TRAINING = (
    "hybridflow.contrib.training",
    "tf_slim.training.training",
    "tf_slim.training.evaluation",
)

_KERAS = (
    "activations backend constraints initializers layers preprocessing preprocessing.sequence "
    "regularizers utils"
)

_PUBLIC: dict[str, tuple[str, ...]] = {
    "": (
        f"{_SHIM}.version",
        f"{_SHIM}.root",
        "hybridflow",
        f"{_SHIM}.dimensions",
        f"{_SHIM}.batched",
    ),
    ".app": ("hybridflow.app",),
    ".compat": ("hybridflow.compat", f"{_SHIM}.dimensions"),
    ".config": (f"{_SHIM}.config",),
    ".config.experimental": (f"{_SHIM}.config", f"{_SHIM}.experimental_config"),
    ".contrib": (),
    ".contrib.crf": ("hybridflow.contrib.crf",),
    ".contrib.data": ("hybridflow.contrib.data",),
    ".contrib.distributions": ("hybridflow.contrib.distributions",),
    ".contrib.distributions.bijectors": ("hybridflow.contrib.distributions.bijectors",),
    ".contrib.eager": _CONTRIB_EAGER,
    ".contrib.eager.metrics": ("hybridflow.contrib.eager.metrics",),
    ".contrib.framework": _CONTRIB_FRAMEWORK,
    ".contrib.framework.nest": (f"{_FRAMEWORK}.nest", f"{_INNER}.nest"),
    ".contrib.graph_editor": ("hybridflow.contrib.graph_editor",),
    ".contrib.image": ("hybridflow.contrib.image",),
    ".contrib.layers": _CONTRIB_LAYERS,
    ".contrib.learn": ("hybridflow.contrib.learn",),
    ".contrib.learn.preprocessing": ("hybridflow.contrib.learn.preprocessing",),
    **dict.fromkeys(
        (".contrib.learn.python", ".contrib.learn.python.learn"), ("hybridflow.contrib.learn",)
    ),
    **dict.fromkeys(
        (
            ".contrib.learn.python.learn.preprocessing",
            ".contrib.learn.python.learn.preprocessing.text",
        ),
        ("hybridflow.contrib.learn.preprocessing",),
    ),
    ".contrib.legacy_seq2seq": ("hybridflow.contrib.legacy_seq2seq",),
    ".contrib.losses": ("tf_slim.losses",),
    ".contrib.metrics": ("tf_slim.metrics",),
    ".contrib.lookup": ("hybridflow.contrib.lookup",),
    ".contrib.opt": ("hybridflow.contrib.opt",),
    ".contrib.predictor": ("hybridflow.contrib.predictor",),
    ".contrib.rnn": ("hybridflow.contrib.rnn",),
    ".contrib.seq2seq": ("hybridflow.contrib.seq2seq",),
    ".contrib.signal": ("hybridflow.contrib.signal",),
    ".contrib.slim": ("tf_slim",),
    ".contrib.slim.nets": ("tf_slim.nets",),
    ".contrib.training": _CONTRIB_TRAINING,
    ".contrib.staging": ("hybridflow.contrib.staging",),
    ".contrib.summary": ("hybridflow.contrib.summary",),
    **{
        f".contrib.tensorboard{name}": (f"hybridflow.contrib.tensorboard{name}",)
        for name in ("", ".plugins", ".plugins.projector")
    },
    ".contrib.util": ("hybridflow.contrib.util",),
    ".data": ("hybridflow.data", f"{_SHIM}.data"),
    ".data.experimental": ("hybridflow.data.experimental",),
    ".distribute": (f"{_INNER}.distribute",),
    ".distributions": ("hybridflow.distributions",),
    ".distributions.bijectors": ("hybridflow.distributions.bijectors",),
    ".errors": ("hybridflow.errors",),
    ".flags": ("hybridflow.flags",),
    ".app.flags": ("hybridflow.flags",),
    ".bitwise": ("hybridflow.bitwise",),
    ".gfile": ("hybridflow.gfile",),
    ".graph_util": ("hybridflow.graph_util",),
    ".image": ("hybridflow.image",),
    ".initializers": ("hybridflow.initializers",),
    ".keras": ("hybridflow.keras",),
    **{f".keras.{name}": (f"hybridflow.keras.{name}",) for name in _KERAS.split()},
    ".layers": ("hybridflow.layers",),
    ".linalg": ("hybridflow.linalg",),
    ".lookup": (f"{_SHIM}.lookup",),
    ".logging": ("hybridflow.logging",),
    ".losses": ("hybridflow.losses",),
    ".metrics": ("hybridflow.metrics",),
    ".nest": (f"{_FRAMEWORK}.nest",),
    ".nn": ("hybridflow.nn",),
    ".nn.rnn_cell": ("hybridflow.nn.rnn_cell",),
    ".pywrap_tensorflow": ("hybridflow.pywrap_tensorflow",),
    ".random": (f"{_SHIM}.random",),
    ".python_io": ("hybridflow.python_io",),
    # 1.15 has the constants here too.
    ".saved_model": (
        "hybridflow.saved_model",
        *(f"hybridflow.saved_model.{name}" for name in _SAVED_MODEL.split() if "constants" in name),
    ),
    **{
        f".saved_model.{name}": (f"hybridflow.saved_model.{name}",) for name in _SAVED_MODEL.split()
    },
    ".sets": ("hybridflow.sets",),
    ".signal": ("hybridflow.contrib.signal",),
    ".spectral": ("hybridflow.spectral",),
    ".test": ("hybridflow.test",),
    ".summary": ("hybridflow.summary",),
    ".train": ("hybridflow.train",),
    ".train.queue_runner": ("hybridflow.train",),
    ".train.experimental": (f"{_SHIM}.experimental_train",),
    ".user_ops": ("hybridflow.user_ops",),
    ".version": (f"{_SHIM}.version",),
}

for _path in SPELLINGS:
    _PUBLIC.setdefault(_path, ())

# The modules of TensorFlow 2, with what has other arguments there than in TensorFlow 1.
_V2_OVER = {
    "": ("arrays", "control_flow", "debugging", "reductions", "variable"),
    ".debugging": ("debugging",),
    ".math": ("math",),
    ".nn": ("nn",),
    ".random": ("random",),
}
_V2_PARTS = (
    "bitwise compat config data debugging distribute dtypes errors image initializers io keras "
    "linalg math nest nn quantization random saved_model sets signal sparse strings test train "
    "version"
)
_V2 = {
    path: (*(f"{_SHIM}.v2.{name}" for name in _V2_OVER.get(path, ())), *sources)
    for path, sources in _PUBLIC.items()
    if not path or path.split(".")[1] in _V2_PARTS.split()
}

_CONTRIB_INSIDE = {
    **_each("tensorflow.contrib.data", "python python.ops"),
    **_each(
        "tensorflow.contrib.data.python.ops",
        "batching counter dataset_ops enumerate_ops error_ops grouping interleave_ops "
        "iterator_ops readers scan_ops shuffle_ops unique",
        "hybridflow.contrib.data",
    ),
    **_each(
        "tensorflow.contrib.distributions",
        "python python.ops",
        "hybridflow.contrib.distributions",
    ),
    **_each(
        "tensorflow.contrib.distributions.python.ops",
        "bijectors",
        "hybridflow.contrib.distributions.bijectors",
    ),
    "tensorflow.contrib.eager.python": (),
    "tensorflow.contrib.eager.python.datasets": ("hybridflow.contrib.eager",),
    **_each("tensorflow.contrib.eager.python", "network saver", "hybridflow.contrib.eager"),
    **_each(
        "tensorflow.contrib.eager.python",
        "metrics metrics_impl",
        "hybridflow.contrib.eager.metrics",
    ),
    "tensorflow.contrib.eager.python.tfe": _CONTRIB_EAGER,
    "tensorflow.contrib.framework.python": (),
    "tensorflow.contrib.framework.python.framework": ("hybridflow.contrib.framework",),
    "tensorflow.contrib.framework.python.framework.checkpoint_utils": (
        "hybridflow.contrib.framework",
    ),
    "tensorflow.contrib.framework.python.ops": _CONTRIB_FRAMEWORK,
    "tensorflow.contrib.framework.python.ops.variables": _CONTRIB_FRAMEWORK,
    **_each(
        "tensorflow.contrib.graph_editor",
        "edit reroute select subgraph transform util",
        "hybridflow.contrib.graph_editor",
    ),
    "tensorflow.contrib.layers.python": (),
    "tensorflow.contrib.layers.python.layers": _CONTRIB_LAYERS,
    "tensorflow.contrib.layers.python.layers.initializers": (f"{_SHIM}.contrib_layers",),
    "tensorflow.contrib.layers.python.layers.regularizers": (f"{_SHIM}.contrib_layers",),
    "tensorflow.contrib.opt.python": (),
    "tensorflow.contrib.opt.python.training": (),
    **_each(
        "tensorflow.contrib.opt.python.training",
        "external_optimizer lazy_adam_optimizer",
        "hybridflow.contrib.opt",
    ),
    **_each("tensorflow.contrib", "crf.python crf.python.ops rnn.python rnn.python.ops"),
    "tensorflow.contrib.crf.python.ops.crf": ("hybridflow.contrib.crf",),
    **_each("tensorflow.contrib", "legacy_seq2seq.python legacy_seq2seq.python.ops"),
    "tensorflow.contrib.legacy_seq2seq.python.ops.seq2seq": ("hybridflow.contrib.legacy_seq2seq",),
    **_each("tensorflow.contrib.losses", "python python.losses"),
    "tensorflow.contrib.losses.python.losses.loss_ops": ("tf_slim.losses",),
    **_each("tensorflow.contrib.metrics", "python python.ops"),
    "tensorflow.contrib.metrics.python.ops.metric_ops": ("tf_slim.metrics",),
    **_each("tensorflow.contrib.training", "python python.training"),
    **_each(
        "tensorflow.contrib.training.python.training",
        "evaluation hparam training",
        *_CONTRIB_TRAINING,
    ),
    **_each("tensorflow.contrib.seq2seq", "python python.ops"),
    **_each(
        "tensorflow.contrib.seq2seq.python.ops",
        "attention_wrapper basic_decoder beam_search_decoder beam_search_ops decoder helper loss",
        "hybridflow.contrib.seq2seq",
    ),
    **_each(
        "tensorflow.contrib.rnn.python.ops",
        "core_rnn core_rnn_cell core_rnn_cell_impl fused_rnn_cell gru_ops lstm_ops rnn rnn_cell",
        "hybridflow.contrib.rnn",
        f"{_INNER}.recurrent",
    ),
}

# TensorFlow's own modules re-export one another's names, and programs rely on it: most of them
# offer all public names here.
_PYTHON = {
    "tensorflow.python": ("hybridflow",),
    **_each("tensorflow.python", "client eager framework keras ops platform training util"),
    "tensorflow.python.client.session": ("hybridflow", "hybridflow._src.runtime.conversions"),
    **_each("tensorflow.python.client", "timeline", "hybridflow._src.runtime.trace"),
    **_each("tensorflow.python", "data data.ops data.util", "hybridflow.data"),
    **_each("tensorflow.python.data.ops", "dataset_ops iterator_ops readers", "hybridflow.data"),
    "tensorflow.python.data.util.nest": ("hybridflow._src.data.nest",),
    **_each("tensorflow.python.eager", "backprop", f"{_SHIM}.contrib_eager", "hybridflow"),
    **_each(
        "tensorflow.python.eager", "context function tape", "hybridflow", f"{_SHIM}.contrib_eager"
    ),
    "tensorflow.python.eager.test": (f"{_INNER}.eager_test", "hybridflow.test"),
    **_each("tensorflow.python.framework", "constant_op", "hybridflow"),
    **_each(
        "tensorflow.python.framework", "function", "hybridflow.contrib.framework", "hybridflow"
    ),
    **_each("tensorflow.python.framework", "device", "hybridflow", f"{_FRAMEWORK}.device"),
    **_each(
        "tensorflow.python.framework",
        "dtypes",
        "hybridflow",
        f"{_FRAMEWORK}.dtypes",
        f"{_INNER}.dtypes",
    ),
    **_each("tensorflow.python.framework", "errors errors_impl", "hybridflow.errors"),
    **_each("tensorflow.python.framework", "graph_io", "hybridflow.train"),
    "tensorflow.python.framework.test_util": (f"{_INNER}.test_util",),
    **_each("tensorflow.python.framework", "graph_util graph_util_impl", "hybridflow.graph_util"),
    "tensorflow.python.framework.importer": ("hybridflow",),
    "tensorflow.python.framework.meta_graph": (
        f"{_GRAPHS}.meta_graph",
        f"{_GRAPHS}.collections",
        "hybridflow.contrib.util",
    ),
    **_each("tensorflow.python.framework", "random_seed", "hybridflow", f"{_FRAMEWORK}.seeds"),
    "tensorflow.python.framework.tensor_shape": (
        "hybridflow",
        f"{_FRAMEWORK}.tensor_shape",
        f"{_FRAMEWORK}.dimension",
    ),
    **_each(
        "tensorflow.python.framework",
        "tensor_util",
        "hybridflow.contrib.util",
        f"{_FRAMEWORK}.static_value",
        f"{_INNER}.tensor_util",
    ),
    "tensorflow.python.framework.op_def_registry": (f"{_INNER}.op_registry",),
    "tensorflow.python.framework.common_shapes": (f"{_INNER}.shapes",),
    "tensorflow.python.keras.constraints": ("hybridflow.keras.constraints",),
    "tensorflow.python.keras.initializers": ("hybridflow.keras.initializers",),
    "tensorflow.python.keras.regularizers": ("hybridflow.keras.regularizers",),
    **_each(
        "tensorflow.python.ops",
        "check_ops clip_ops custom_gradient "
        "functional_ops logging_ops "
        "partitioned_variables script_ops sparse_ops special_math_ops standard_ops "
        "state_ops string_ops template tensor_array_ops",
        "hybridflow",
    ),
    **_each(
        "tensorflow.python.ops",
        "data_flow_ops",
        "hybridflow",
        "hybridflow.contrib.framework",
        "hybridflow.contrib.staging",
        f"{_INNER}.data_flow",
    ),
    "tensorflow.python.ops.session_ops": (
        "hybridflow",
        "hybridflow._src.ops.data_flow.session_tensors",
    ),
    **_each("tensorflow.python.ops", "embedding_ops nn nn_impl nn_ops", "hybridflow.nn"),
    **_each(
        "tensorflow.python.ops",
        "gen_array_ops gen_bitwise_ops gen_candidate_sampling_ops gen_checkpoint_ops "
        "gen_control_flow_ops gen_ctc_ops gen_data_flow_ops gen_dataset_ops gen_image_ops "
        "gen_io_ops gen_linalg_ops gen_logging_ops gen_lookup_ops gen_math_ops gen_parsing_ops "
        "gen_random_ops gen_resource_variable_ops gen_script_ops gen_set_ops gen_sparse_ops "
        "gen_spectral_ops gen_state_ops gen_string_ops",
        "hybridflow",
        f"{_INNER}.gen_ops",
    ),
    "tensorflow.python.ops.gen_nn_ops": ("hybridflow.nn", f"{_INNER}.gen_ops"),
    **_each("tensorflow.python.ops", "rnn", "hybridflow.nn", f"{_INNER}.recurrent"),
    **_each(
        "tensorflow.python.ops",
        "rnn_cell rnn_cell_impl",
        "hybridflow.nn.rnn_cell",
        f"{_INNER}.recurrent",
    ),
    "tensorflow.python.ops.rnn.rnn_cell_impl": ("hybridflow.nn.rnn_cell",),
    **_each("tensorflow.python", "layers", "hybridflow.layers"),
    **_each(
        "tensorflow.python.layers",
        "base convolutional core layers normalization pooling",
        "hybridflow.layers",
        f"{_INNER}.layers",
    ),
    **_each(
        "tensorflow.python.layers",
        "utils",
        "hybridflow._src.layers.arguments",
        f"{_INNER}.constant_conditions",
    ),
    **_each("tensorflow.python.ops", "losses", "hybridflow.losses"),
    **_each("tensorflow.python.ops", "metrics", "hybridflow.metrics"),
    **_each("tensorflow.python.ops.losses", "losses losses_impl util", "hybridflow.losses"),
    **_each("tensorflow.python.ops", "image_ops image_ops_impl", "hybridflow.image"),
    **_each(
        "tensorflow.python.ops",
        "distributions distributions.distribution distributions.kullback_leibler",
        "hybridflow.distributions",
    ),
    **_each(
        "tensorflow.python.ops.distributions",
        "bernoulli beta categorical dirichlet dirichlet_multinomial exponential gamma laplace "
        "multinomial normal student_t transformed_distribution uniform util",
        "hybridflow.contrib.distributions",
    ),
    "tensorflow.python.ops.init_ops": ("hybridflow", "hybridflow.keras.initializers"),
    "tensorflow.python.ops.linalg_ops": ("hybridflow", "hybridflow.linalg"),
    **_each("tensorflow.python", "lib lib.io"),
    **_each("tensorflow.python.lib.io", "python_io tf_record", "hybridflow.python_io"),
    **_each("tensorflow.python.platform", "app", "hybridflow.app"),
    **_each("tensorflow.python.platform", "flags", "hybridflow.flags"),
    **_each("tensorflow.python.platform", "googletest", "hybridflow.test"),
    **_each("tensorflow.python.platform", "gfile", "hybridflow.gfile"),
    **_each("tensorflow.python.platform", "tf_logging", _LOGGING),
    **_each(
        "tensorflow.python.training",
        "adadelta adagrad adagrad_da adam ftrl gradient_descent learning_rate_decay momentum "
        "optimizer proximal_adagrad proximal_gradient_descent rmsprop "
        "basic_loops basic_session_run_hooks coordinator device_setter "
        "server_lib session_manager session_run_hook summary_io supervisor "
        "sync_replicas_optimizer training queue_runner queue_runner_impl input",
        "hybridflow.train",
    ),
    **_each(
        "tensorflow.python.training",
        "monitored_session training_util",
        "hybridflow.train",
        f"{_INNER}.sessions",
    ),
    "tensorflow.python.training.saver": (f"{_SHIM}.savers", "hybridflow.train"),
    **_each("tensorflow.python", "summary summary.summary summary.writer", "hybridflow.summary"),
    **_each("tensorflow.python.summary.writer", "writer writer_cache", "hybridflow.summary"),
    "tensorflow.python.summary.summary_iterator": ("hybridflow.train",),
    "tensorflow.python.util.nest": (f"{_FRAMEWORK}.nest", f"{_INNER}.nest"),
    **_each("tensorflow.python.util", "compat", "hybridflow.compat"),
    **_each(
        "tensorflow.python.util",
        "all_util deprecation tf_contextlib tf_decorator tf_export",
        f"{_INNER}.decorators",
    ),
    "tensorflow.python.util.lazy_loader": (f"{_INNER}.lazy_loader",),
    "tensorflow.python.util.tf_inspect": (f"{_INNER}.inspecting",),
    "tensorflow.python.tf2": (f"{_INNER}.ops",),
    "tensorflow.python.pywrap_tensorflow": (
        "hybridflow.pywrap_tensorflow",
        "hybridflow.train",
        f"{_INNER}.constants",
    ),
    "tensorflow.python.client.device_lib": (f"{_INNER}.ops",),
    "tensorflow.python.framework.device_spec": (f"{_INNER}.variables",),
    "tensorflow.python.framework.ops": (
        "hybridflow",
        "hybridflow.contrib.framework",
        f"{_INNER}.ops",
    ),
    "tensorflow.python.framework.sparse_tensor": ("hybridflow", f"{_INNER}.ops"),
    "tensorflow.python.framework.tensor_spec": ("hybridflow",),
    "tensorflow.python.framework.smart_cond": ("hybridflow.contrib.framework",),
    **_each("tensorflow.python.keras", "engine", "hybridflow.keras"),
    "tensorflow.python.keras.backend": ("hybridflow.keras.backend",),
    **_each("tensorflow.python.keras", "utils utils.np_utils", "hybridflow.keras.utils"),
    **_each("tensorflow.python.keras.utils", "conv_utils", "hybridflow._src.layers.arguments"),
    **_each("tensorflow.python.keras", "preprocessing", "hybridflow.keras.preprocessing"),
    "tensorflow.python.keras.preprocessing.sequence": ("hybridflow.keras.preprocessing.sequence",),
    **_each("tensorflow.python.keras", "_impl _impl.keras", "hybridflow.keras"),
    **_each(
        "tensorflow.python.keras._impl.keras", "utils utils.np_utils", "hybridflow.keras.utils"
    ),
    **_each(
        "tensorflow.python.keras.engine",
        "base_layer input_spec",
        "hybridflow.layers",
        "hybridflow._src.layers.input_spec",
    ),
    "tensorflow.python.keras.utils.tf_utils": (f"{_INNER}.keras_types",),
    "tensorflow.python.lib.io.file_io": (f"{_INNER}.file_io",),
    **_each("tensorflow.python", "tools"),
    "tensorflow.python.tools.freeze_graph": (f"{_INNER}.freeze_graph",),
    "tensorflow.python.tools.inspect_checkpoint": (f"{_INNER}.inspect_checkpoint",),
    "tensorflow.python.tools.optimize_for_inference": (f"{_INNER}.optimize_for_inference",),
    "tensorflow.python.tools.strip_unused": (f"{_INNER}.strip_unused",),
    **_each(
        "tensorflow.python.tools",
        "optimize_for_inference_lib strip_unused_lib",
        f"{_INNER}.inference",
    ),
    "tensorflow.python.ops.gradient_checker": ("hybridflow.test",),
    **_each(
        "tensorflow.python.ops",
        "array_ops confusion_matrix control_flow_ops control_flow_util gradients gradients_impl "
        "resource_variable_ops",
        "hybridflow",
        f"{_INNER}.ops",
        f"{_INNER}.control_flow",
    ),
    **_each("tensorflow.python.ops", "histogram_ops map_fn parsing_ops sort_ops", "hybridflow"),
    **_each("tensorflow.python.ops", "io_ops", "hybridflow", f"{_INNER}.gen_ops"),
    "tensorflow.python.ops.random_ops": ("hybridflow", "hybridflow._src.ops.random.bounded"),
    "tensorflow.python.ops.inplace_ops": (f"{_INNER}.inplace",),
    "tensorflow.python.ops.resources": (f"{_INNER}.resources",),
    "tensorflow.python.ops.unconnected_gradients": ("hybridflow",),
    "tensorflow.python.ops.linalg": ("hybridflow.linalg",),
    "tensorflow.python.ops.linalg.linear_operator_util": (f"{_INNER}.triangular",),
    "tensorflow.python.ops.bitwise_ops": ("hybridflow.bitwise",),
    "tensorflow.python.ops.ctc_ops": ("hybridflow.nn",),
    "tensorflow.python.ops.lookup_ops": ("hybridflow", "hybridflow.contrib.lookup"),
    "tensorflow.python.ops.math_ops": ("hybridflow", f"{_INNER}.math"),
    "tensorflow.python.ops.metrics_impl": ("hybridflow.metrics", f"{_INNER}.metrics"),
    "tensorflow.python.ops.variable_scope": (
        "hybridflow",
        "hybridflow._src.variables.store",
        f"{_INNER}.variables",
    ),
    "tensorflow.python.ops.variables": (
        "hybridflow",
        "hybridflow._src.variables.partitioned",
        f"{_INNER}.variables",
    ),
    "tensorflow.python.ops.summary_ops": ("hybridflow.summary",),
    "tensorflow.python.ops.summary_ops_v2": ("hybridflow.contrib.summary",),
    **_each(
        "tensorflow.python",
        "ops.summary_op_util distribute.summary_op_util",
        f"{_INNER}.summary_scopes",
    ),
    "tensorflow.python.distribute": (f"{_INNER}.distribute",),
    "tensorflow.python.ops.weights_broadcast_ops": ("hybridflow._src.ops.checks.weights",),
    "tensorflow.python.platform.test": ("hybridflow.test",),
    **_each(
        "tensorflow.python.training",
        "checkpoint_management checkpoint_utils",
        "hybridflow.train",
    ),
    **_each("tensorflow.python.training", "gen_training_ops training_ops", f"{_INNER}.gen_ops"),
    "tensorflow.python.training.checkpoint_ops": (f"{_INNER}.checkpoint_ops",),
    "tensorflow.python.training.evaluation": (f"{_INNER}.evaluation", "hybridflow.train"),
    "tensorflow.python.training.moving_averages": (
        "hybridflow.train",
        "hybridflow._src.variables.averaging",
    ),
}

_INNER_SAVED_MODEL = {
    **_each("tensorflow.python", "saved_model saved_model.simple_save", "hybridflow.saved_model"),
    **{
        f"tensorflow.python.saved_model.{name}": (f"hybridflow.saved_model.{name}",)
        for name in _SAVED_MODEL.split()
    },
    **{
        f"tensorflow.python.saved_model.{name}_impl": (f"hybridflow.saved_model.{name}",)
        for name in ("builder", "loader", "main_op", "signature_def_utils", "utils")
    },
}

_PROTOS = {
    **_each("tensorflow", "core core.example core.framework core.protobuf core.util"),
    **_each("tensorflow.core.example", "example_pb2 feature_pb2", _MESSAGES),
    **_each(
        "tensorflow.core.framework",
        "attr_value_pb2 function_pb2 graph_pb2 node_def_pb2 op_def_pb2 step_stats_pb2 summary_pb2 "
        "tensor_pb2 tensor_shape_pb2 tensor_slice_pb2 types_pb2 variable_pb2 versions_pb2",
        _MESSAGES,
    ),
    **_each(
        "tensorflow.core.protobuf",
        "meta_graph_pb2 queue_runner_pb2 saved_model_pb2 saver_pb2 tensor_bundle_pb2",
        _MESSAGES,
    ),
    **_each("tensorflow.core.protobuf", "config_pb2", "hybridflow", _MESSAGES),
    "tensorflow.core.protobuf.rewriter_config_pb2": ("hybridflow._src.runtime.config",),
    **_each("tensorflow.core.util", "event_pb2", _MESSAGES),
}

_TUTORIALS = {
    **_each("tensorflow", "examples examples.tutorials examples.tutorials.mnist"),
    "tensorflow.examples.tutorials.mnist.input_data": (f"{_SHIM}.mnist",),
}

# Another package, whose names programs use that train on many machines.
_HOROVOD = {
    "horovod": (),
    "horovod.tensorflow": ("hybridflow.distributed",),
    "horovod.tensorflow.compression": ("hybridflow._src.ops.collectives.compression",),
}

MODULES: dict[str, tuple[str, ...]] = {
    **{f"tensorflow{path}": sources for path, sources in _PUBLIC.items()},
    # How programs written against TensorFlow 1 are imported under TensorFlow 2.
    **{f"tensorflow.compat.v1{path}": sources for path, sources in _PUBLIC.items()},
    **{f"tensorflow.compat.v2{path}": sources for path, sources in _V2.items()},
    "tensorflow.compat.v2.optimizers": (f"{_SHIM}.v2.optimizers",),
    "tensorflow.compat.v1": (f"{_SHIM}.version_v1", *_PUBLIC[""]),
    "tensorflow.compat.v1.version": (f"{_SHIM}.version_v1",),
    **_CONTRIB_INSIDE,
    **_PYTHON,
    **_INNER_SAVED_MODEL,
    **_PROTOS,
    **_TUTORIALS,
    **_HOROVOD,
}

# The packages whose import paths these are.
ROOTS = frozenset(path.partition(".")[0] for path in MODULES)
