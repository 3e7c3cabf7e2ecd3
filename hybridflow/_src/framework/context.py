"""Which mode a thread is in, and which tapes watch it.

The mode belongs to the thread. A thread that has entered no mode scope follows the process's
default, which is graph mode until `enable_eager_execution()`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.collections import Collections
from hybridflow._src.framework.stack import Pushed, Stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.graph import Graph
    from hybridflow._src.framework.op_def import OpDef


class Mode:
    """One entry of the mode stack: eager or graph, and the graph that is the default there.

    `graph` is None where the mode was entered without naming a graph: then the default graph is
    that of the nearest entry below which names one, or else the process-wide default graph of the
    thread.
    """

    __slots__ = ("eager", "graph")

    def __init__(self, eager: bool, graph: Graph | None) -> None:
        self.eager = eager
        self.graph = graph


# The bottom entry is one object shared by all threads: setting its `eager` sets the process's
# default.
PROCESS = Mode(eager=False, graph=None)
modes: Stack[Mode] = Stack(PROCESS, "mode or graph scope")
tapes: Stack[tuple[Any, ...]] = Stack((), "gradient tape")
# Collections of eager mode: those of the current variable store.
eager_collections: Stack[Collections] = Stack(Collections(), "eager variable store")
# Called with each variable about to be made; a function being traced allows that only the first
# time.
variable_creation: Stack[Callable[[str], None] | None] = Stack(None, "function trace")
# Who is asked for variables, the last one first.
variable_creators: Stack[tuple[Callable[..., Any], ...]] = Stack((), "scope of a creator")
sessions: Stack[Any] = Stack(None, "default session")


# What programs tell `enable_eager_execution`, which has one device and runs ops at once.
DEVICE_POLICIES = {
    "DEVICE_PLACEMENT_EXPLICIT": 0,
    "DEVICE_PLACEMENT_WARN": 1,
    "DEVICE_PLACEMENT_SILENT": 2,
    "DEVICE_PLACEMENT_SILENT_FOR_INT32": 3,
}
EXECUTION_MODES = {"SYNC": 0, "ASYNC": 1}


def executing_eagerly() -> bool:
    """Tells whether ops run at once in this thread (eager mode) or are added to a graph.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.executing_eagerly()
    True
    >>> with hf.Graph().as_default():
    ...     hf.executing_eagerly()
    False
    """
    return modes.top.eager


def eager_mode() -> Pushed[Mode, Mode]:
    """A context manager in which ops run at once, whatever the mode around it.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(int(hf.constant(1) + 2))
    3
    """
    return modes.scope(Mode(True, modes.top.graph))


def graph_mode() -> Pushed[Mode, Mode]:
    """A context manager in which ops are added to the default graph, whatever the mode around it.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.graph_mode():
    ...     hf.executing_eagerly()
    False
    """
    return modes.scope(Mode(False, modes.top.graph))


in_eager_mode = executing_eagerly


def in_graph_mode() -> bool:
    """The opposite of `executing_eagerly()`."""
    return not modes.top.eager


class OwnSeed(int):
    """The seed of one call of a random op: no other call gets it, so nothing goes on from it."""


class EagerKernels:
    """The stateful kernels of eager mode, one for each op and set of attributes.

    A random op called again with the same seeds goes on in its stream, as an op of a graph does
    that is run again.
    """

    def __init__(self) -> None:
        self.streams: Stack[dict[Any, Callable[..., Any]]] = Stack({}, "stream of random numbers")

    def get(self, op: OpDef, attrs: dict[str, Any]) -> Callable[..., Any]:
        assert op.kernel is not None
        if attrs.get("seed2").__class__ is OwnSeed:
            return op.kernel(**attrs)
        key = (op.name, tuple(sorted(attrs.items(), key=lambda item: item[0])))
        kernels = self.streams.top
        kernel = kernels.get(key)
        if kernel is None:
            kernel = kernels.setdefault(key, op.kernel(**attrs))
        return kernel

    def anew(self) -> Pushed[dict[Any, Callable[..., Any]], Any]:
        """A context manager in which all streams begin anew, as those of ops new in a graph do.

        Two variables that are initialized with one seed get the same values in both modes.
        """
        return self.streams.scope({})

    def clear(self) -> None:
        self.streams.top.clear()


eager_kernels = EagerKernels()
