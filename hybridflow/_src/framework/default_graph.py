"""The default graph of a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridflow._src.framework import context
from hybridflow._src.framework.graph import Graph
from hybridflow._src.framework.locks import holding, new_lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_lock = new_lock()
_process_graph: Graph | None = None
# Called by `reset_default_graph`: higher layers drop what they keep for eager mode.
on_reset: list[Callable[[], None]] = []


def get_default_graph() -> Graph:
    """The graph that ops are added to in graph mode: the innermost `as_default()`, or a global one.

    >>> import hybridflow as hf
    >>> g = hf.Graph()
    >>> with g.as_default():
    ...     hf.get_default_graph() is g
    True
    """
    graph = context.modes.entries[-1].item.graph
    return _global_graph() if graph is None else graph


def _global_graph() -> Graph:
    global _process_graph
    if _process_graph is None:
        _process_graph = holding(_lock, lambda: _process_graph or Graph())
    return _process_graph


def reset_default_graph() -> None:
    """Starts over: a new empty default graph, and in eager mode an empty default variable store.

    Raises:
      AssertionError: inside a `with graph.as_default():` block (as TF 1.4 does).

    >>> import hybridflow as hf
    >>> hf.reset_default_graph()
    >>> len(hf.get_default_graph().get_operations())
    0
    """
    global _process_graph
    if context.modes.top.graph is not None:
        raise AssertionError(
            "Do not use tf.reset_default_graph() to clear nested graphs: leave the `with "
            "graph.as_default():` block first, or make a new Graph."
        )
    _process_graph = None
    for callback in on_reset:
        callback()


def enable_eager_execution(
    config: Any = None, device_policy: Any = None, execution_mode: Any = None
) -> None:
    """Makes eager mode the default of the process; threads inside a mode scope keep theirs.

    Calling it again does nothing.

    Args:
      config: a `ConfigProto`, or None; accepted for compatibility, as the others are.
      device_policy: one of `tf.contrib.eager.DEVICE_PLACEMENT_*`, or None.
      execution_mode: one of `tf.contrib.eager.SYNC` and `ASYNC`, or None.

    Raises:
      TypeError: if `config` is no `ConfigProto`.
      ValueError: if there is no such policy or mode, or the default graph holds ops already: call
        it at the start of the program.
    """
    if config is not None and type(config).__name__ != "ConfigProto":
        raise TypeError(f"config must be a tf.ConfigProto, but got {type(config)}")
    if not _is_one_of(device_policy, context.DEVICE_POLICIES):
        known = ", ".join([f"tf.contrib.eager.{name}" for name in context.DEVICE_POLICIES])
        raise ValueError(f"device_policy must be one of {known}, but got {device_policy!r}")
    if not _is_one_of(execution_mode, context.EXECUTION_MODES):
        known = ", ".join([f"tf.contrib.eager.{name}" for name in context.EXECUTION_MODES])
        raise ValueError(f"execution_mode must be one of {known}, but got {execution_mode!r}")
    if not context.PROCESS.eager and _process_graph is not None and _process_graph.version:
        raise ValueError(
            "tf.enable_eager_execution must be called at program startup: the default graph holds "
            f"{_process_graph.version} operations already. Call hf.reset_default_graph() first to "
            "drop them."
        )
    context.PROCESS.eager = True


def _is_one_of(value: Any, known: dict[str, int]) -> bool:
    return value is None or (isinstance(value, int) and value in known.values())
