"""`ConfigProto` and its like: objects with TensorFlow's fields, which programs set freely."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, ClassVar

from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.plan.options import DEFAULT, Options
from hybridflow._src.plan.passes import NAMED
from hybridflow._src.runtime.message import Message, Repeated
from hybridflow._src.runtime.step_stats import StepStats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.plan.plan import Plan


class _GPUExperimental(Message):
    """Accepted for compatibility: what `GPUOptions` has for trial in TensorFlow 1.15."""

    _fields: ClassVar[dict[str, Any]] = {
        "virtual_devices": list,
        "use_unified_memory": False,
        "num_dev_to_dev_copy_streams": 0,
        "collective_ring_order": "",
        "timestamped_allocator": False,
        "kernel_tracker_max_interval": 0,
        "kernel_tracker_max_bytes": 0,
        "kernel_tracker_max_pending": 0,
    }


class GPUOptions(Message):
    """Accepted for compatibility; there is no GPU here."""

    Experimental = _GPUExperimental
    _fields: ClassVar[dict[str, Any]] = {
        "per_process_gpu_memory_fraction": 0.0,
        "allow_growth": False,
        "allocator_type": "",
        "deferred_deletion_bytes": 0,
        "visible_device_list": "",
        "polling_active_delay_usecs": 0,
        "polling_inactive_delay_msecs": 0,
        "force_gpu_compatible": False,
        "experimental": _GPUExperimental,
    }


class ThreadPoolOptionProto(Message):
    """Accepted for compatibility: threads are shared by all sessions."""

    _fields: ClassVar[dict[str, Any]] = {"num_threads": 0, "global_name": ""}


class OptimizerOptions(Message):
    """How graphs are computed. All but two fields are accepted for compatibility.

    Attributes:
      winograd_block: convolutions with filters of 3x3 and stride 1 go by Winograd's algorithm,
        where that is quicker, in blocks of so many rows and columns. By default, 0, they have 2,
        and smaller errors than without it. With 4 there is little more than half of the products,
        and errors are up to 2e-5 of the largest result in float32, 4e-14 in float64.
      without_loop_passes: names of what is not to be done to loops that run natively, to see what
        it gains or how it rounds: "rows in place", "sums after loops", "products before loops",
        "invariants before loops", "weights packed once", "rows shared by threads". So may "images
        in bands" and "filters kept packed", which layers gain by, and "products by tiles", without
        which products are left to BLAS.

    >>> import hybridflow as hf
    >>> config = hf.ConfigProto()
    >>> config.graph_options.optimizer_options.winograd_block = 4
    >>> session = hf.Session(config=config)
    """

    L1, L0 = 0, -1
    DEFAULT, OFF, ON_1, ON_2 = 0, -1, 1, 2
    _fields: ClassVar[dict[str, Any]] = {
        "do_common_subexpression_elimination": False,
        "do_constant_folding": False,
        "do_function_inlining": False,
        "opt_level": 0,
        "global_jit_level": 0,
        "max_folded_constant_in_bytes": 0,
        "winograd_block": 0,
        "without_loop_passes": list,
    }


class RewriterConfig(Message):
    """Accepted for compatibility: how TensorFlow rewrites graphs; `OptimizerOptions` is ours."""

    DEFAULT, ON, OFF, AGGRESSIVE = 0, 1, 2, 3
    DEFAULT_NUM_ITERS, ONE, TWO = 0, 1, 2
    DEFAULT_MEM_OPT, NO_MEM_OPT, MANUAL, HEURISTICS = 0, 1, 2, 3
    SWAPPING_HEURISTICS, RECOMPUTATION_HEURISTICS, SCHEDULING_HEURISTICS = 4, 5, 6
    _fields: ClassVar[dict[str, Any]] = {
        "layout_optimizer": 0,
        "constant_folding": 0,
        "shape_optimization": 0,
        "remapping": 0,
        "arithmetic_optimization": 0,
        "dependency_optimization": 0,
        "loop_optimization": 0,
        "function_optimization": 0,
        "debug_stripper": 0,
        "disable_model_pruning": False,
        "scoped_allocator_optimization": 0,
        "pin_to_host_optimization": 0,
        "implementation_selector": 0,
        "auto_mixed_precision": 0,
        "disable_meta_optimizer": False,
        "meta_optimizer_iterations": 0,
        "min_graph_nodes": 0,
        "memory_optimization": 0,
        "memory_optimizer_target_node_name_scope": "",
        "meta_optimizer_timeout_ms": 0,
        "fail_on_optimizer_errors": False,
        "optimizers": list,
    }


class GraphOptions(Message):
    """Accepted for compatibility, but for `optimizer_options`."""

    _fields: ClassVar[dict[str, Any]] = {
        "enable_recv_scheduling": False,
        "optimizer_options": OptimizerOptions,
        "build_cost_model": 0,
        "build_cost_model_after": 0,
        "infer_shapes": False,
        "place_pruned_graph": False,
        "enable_bfloat16_sendrecv": False,
        "timeline_step": 0,
        "rewrite_options": RewriterConfig,
    }


class _Experimental(Message):
    """Accepted for compatibility: what `ConfigProto` has for trial in TensorFlow 1.15."""

    _fields: ClassVar[dict[str, Any]] = {
        "collective_group_leader": "",
        "executor_type": "",
        "recv_buf_max_chunk": 0,
        "use_numa_affinity": False,
        "collective_deterministic_sequential_execution": False,
        "collective_nccl": False,
        "share_session_state_in_clusterspec_propagation": False,
        "disable_thread_spinning": False,
        "share_cluster_devices_in_session": False,
        "optimize_for_static_graph": False,
    }


class ConfigProto(Message):
    """Options of a `Session`, with TensorFlow's fields; and see `OptimizerOptions`.

    `cluster_def` is None, or a `ClusterDef` of servers of this process: the session then has those
    tasks' devices and values of its own.

    Raises:
      AttributeError: for a field that there is not.

    >>> import hybridflow as hf
    >>> config = hf.ConfigProto(allow_soft_placement=True)
    >>> config.gpu_options.allow_growth = True
    >>> config.allow_soft_placement
    True
    """

    Experimental = _Experimental
    _fields: ClassVar[dict[str, Any]] = {
        "device_count": dict,
        "intra_op_parallelism_threads": 0,
        "inter_op_parallelism_threads": 0,
        "use_per_session_threads": False,
        "session_inter_op_thread_pool": Repeated.of(ThreadPoolOptionProto),
        "placement_period": 0,
        "device_filters": list,
        "gpu_options": GPUOptions,
        "allow_soft_placement": False,
        "log_device_placement": False,
        "graph_options": GraphOptions,
        "operation_timeout_in_ms": 0,
        "cluster_def": None,
        "isolate_session_state": False,
        "experimental": _Experimental,
    }


_BLOCK = (
    "graph_options.optimizer_options.winograd_block={got!r}: expected 2 or 4, the rows of a block, "
    "or 0 for the default."
)


_PASSES = (
    "graph_options.optimizer_options.without_loop_passes={got!r}: expected names of passes, "
    "which are {known}."
)


def options_of(config: Any) -> Options:
    """What a configuration, or None, says of how plans run.

    Raises:
      InvalidArgumentError: if Winograd's algorithm has no such blocks, or there is no such pass.
    """
    threads = getattr(config, "intra_op_parallelism_threads", 0)
    optimizer = getattr(getattr(config, "graph_options", None), "optimizer_options", None)
    block = getattr(optimizer, "winograd_block", 0)
    if block not in (0, 2, 4):
        raise InvalidArgumentError(None, None, _BLOCK.format(got=block))
    without = frozenset(getattr(optimizer, "without_loop_passes", ()))
    if not without.issubset(NAMED):
        text = _PASSES.format(got=sorted(without), known=", ".join(map(repr, NAMED)))
        raise InvalidArgumentError(None, None, text)
    return Options(
        threads if isinstance(threads, int) and threads > 0 else 0,
        block or DEFAULT.winograd_block,
        without,
    )


class DebugOptions(Message):
    """Accepted for compatibility."""

    _fields: ClassVar[dict[str, Any]] = {"debug_tensor_watch_opts": list, "global_step": 0}


class RunOptions(Message):
    """Options of one `Session.run`.

    Attributes:
      trace_level: with anything but `NO_TRACE` each step of the run is timed, and the `RunMetadata`
        that the run was given tells of it.
      timeout_in_ms: how long the run may wait for other threads, as for an element of a queue; 0
        for any time. All else is accepted for compatibility.
    """

    NO_TRACE, SOFTWARE_TRACE, HARDWARE_TRACE, FULL_TRACE = 0, 1, 2, 3
    _fields: ClassVar[dict[str, Any]] = {
        "trace_level": 0,
        "timeout_in_ms": 0,
        "inter_op_thread_pool": 0,
        "output_partition_graphs": False,
        "debug_options": DebugOptions,
        "report_tensor_allocations_upon_oom": False,
    }


class RunMetadata(Message):
    """Takes what is recorded of a run.

    Attributes:
      step_stats: after a run with `RunOptions(trace_level=RunOptions.FULL_TRACE)` TensorFlow's
        `StepStats`: `dev_stats[0].node_stats` has a `NodeExecStats` for each step, with
        `node_name`, `timeline_label`, `all_start_micros`, `all_end_rel_micros` and `thread_id`.
      partition_graphs: after a run with `RunOptions(output_partition_graphs=True)` what ran of the
        graph, as a list of one `GraphDef`.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     options = hf.RunOptions(trace_level=hf.RunOptions.FULL_TRACE)
    ...     metadata = hf.RunMetadata()
    ...     y = hf.tanh(hf.constant(1.0), name="y")
    ...     _ = session.run(y, options=options, run_metadata=metadata)
    >>> [node.node_name for node in metadata.step_stats.dev_stats[0].node_stats]
    ['y']
    """

    _fields: ClassVar[dict[str, Any]] = {
        "step_stats": StepStats,
        "cost_graph": None,
        "partition_graphs": list,
    }

    def chrome_trace(self) -> str:
        """The text of a file that chrome://tracing and Perfetto show: JSON, in microseconds.

        Raises:
          ValueError: if nothing was recorded.
        """
        if not self.HasField("step_stats"):
            raise ValueError(
                "Nothing was recorded: pass this object as run_metadata, and "
                "options=hf.RunOptions(trace_level=hf.RunOptions.FULL_TRACE), to Session.run."
            )
        text: str = _trace().Timeline(self.step_stats).generate_chrome_trace_format()
        return text

    def record(self, plan: Plan, feeds: Sequence[Any]) -> list[Any]:
        """Runs a plan and takes down what it did; gives the fetched values, the caller's own."""
        results, self.step_stats = _trace().traced(plan, feeds)
        return results


def _trace() -> Any:
    """What traces runs. It is imported with the first trace, with all that makes programs."""
    return importlib.import_module("hybridflow._src.runtime.trace")
