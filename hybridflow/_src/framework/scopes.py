"""Scopes of the current mode and graph as functions: names, devices, control inputs, colocation."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context, settings
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.described import Described
from hybridflow._src.framework.eager_tensor import EagerTensor
from hybridflow._src.framework.graph import Graph
from hybridflow._src.framework.graph_scope import merge_devices, open_name_scope
from hybridflow._src.framework.stack import Opened, Opener, Stack, Together

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

# What is open in eager mode; ops there have no names, but variables do.
eager_names: Stack[str] = Stack("", "name scope")
eager_devices: Stack[str] = Stack("", "device scope")


class name_scope(Described, Opener):
    """A context manager for an op function: opens a name scope and gives its name.

    Args:
      name: the scope's name, or None for `default_name`.
      default_name: used where `name` is None.
      values: tensors passed to the function; they must be of one graph, which becomes the default.

    Raises:
      ValueError: if neither name is given but `values` are. TypeError: if a name is no string.

    >>> import hybridflow as hf
    >>> def double(x, name=None):
    ...     with hf.name_scope(name, "double", [x]) as scope:
    ...         return hf.multiply(x, 2.0, name=scope)
    >>> with hf.Graph().as_default():
    ...     print(double(hf.constant(1.0)).name)
    double:0
    """

    def __init__(
        self, name: str | None, default_name: str | None = None, values: Any = None
    ) -> None:
        self._name = default_name if name is None else settings.string(name, "name")
        self._values = values

    @property
    def name(self) -> str | None:
        """The name given, or else the default one."""
        return self._name

    def _open(self, opened: Opened) -> str:
        name = self._name
        if name is None and self._values is not None:
            raise ValueError(
                "At least one of name (None) and default_name (None) must be provided."
            )
        if context.modes.entries[-1].item.eager:
            full = name or ""
            if full and full[-1] != "/":
                full = f"{eager_names.top}{full}/"
            return opened.push(eager_names, full)
        graph = get_default_graph()
        if self._values:
            owner = graph_of(self._values)
            if name:
                owner.check_name(name)
            if owner is not graph:
                graph = owner
                graph.as_default()._open(opened)
        elif name:
            graph.check_name(name)
        return open_name_scope(graph, name, opened)


def op_scope(
    name: str | None, default_name: str, values: Iterable[Any]
) -> AbstractContextManager[str | None]:
    """`name_scope` for an op function that calls no code of others: none in eager mode, where its
    ops have no names.
    """
    if not context.modes.entries[-1].item.eager:
        return name_scope(name, default_name, values)
    if name is not None:
        settings.string(name, "name")
    return _NOTHING


def graph_of(values: Iterable[Any], graph: Graph | None = None) -> Graph:
    """The one graph that all tensors among `values` belong to; the default graph if there are none.

    Raises:
      ValueError: if they belong to different graphs.
    """
    if graph is None and get_default_graph().building_function:
        # A function takes what it needs of other graphs.
        return get_default_graph()
    first = None
    found = graph
    for value in values:
        if isinstance(value, EagerTensor):
            continue
        owner = getattr(value, "graph", None)
        if not isinstance(owner, Graph):
            continue
        if found is None:
            found, first = owner, value
        elif owner is not found:
            if first is None:
                raise ValueError(f"{value} is not from the passed-in graph.")
            raise ValueError(
                f"{value} must be from the same graph as {first}. Build both under one `with "
                "graph.as_default():`, or pass the value (`session.run`) on."
            )
    if found is None or getattr(get_default_graph(), "building_function", False):
        return get_default_graph()
    return found


def device(device_name_or_function: Any) -> AbstractContextManager[Any]:
    """A context manager that records a device for the ops made in it ("/cpu:0", a function, None).

    In eager mode the name is checked; everything runs on the CPU.

    Raises:
      ValueError: for a malformed name. RuntimeError: for a function in eager mode.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.device("/cpu:0"):
    ...     print(hf.constant(1.0).device)
    /device:CPU:0
    """
    if not context.modes.entries[-1].item.eager:
        return get_default_graph().device(device_name_or_function)
    if callable(device_name_or_function):
        raise RuntimeError("tf.device does not support functions when eager execution is enabled.")
    if device_name_or_function is None:
        return eager_devices.scope("")
    return eager_devices.scope(merge_devices(eager_devices.top, device_name_or_function))


def scope_of_values(values: Any, name: str | None, default_name: str | None = None) -> name_scope:
    """An older form of `name_scope`: a context manager, with the tensors first.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.op_scope([], None, "double") as scope:
    ...     print(scope)
    double/
    """
    return name_scope(name, default_name, values)


def current_name_scope() -> str:
    """The name scope that is open, with a slash behind; "" at the root."""
    if context.modes.entries[-1].item.eager:
        return eager_names.top
    name = get_default_graph().get_name_scope()
    return f"{name}/" if name else ""


def get_name_scope() -> str:
    """The name scope that is open, "" at the root.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.name_scope("outer"), hf.name_scope("inner"):
    ...     hf.contrib.framework.get_name_scope()
    'outer/inner'
    """
    return current_name_scope().rstrip("/")


def current_device() -> str:
    """The device string that a new op or variable would record."""
    if context.modes.entries[-1].item.eager:
        return eager_devices.top
    return get_default_graph()._scope.top.device


def control_dependencies(control_inputs: Any) -> AbstractContextManager[Any]:
    """A context manager: ops made in it run after `control_inputs`; None drops the outer ones.

    In eager mode ops run in program order anyway, and this does nothing.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     a = hf.no_op(name="a")
    ...     with hf.control_dependencies([a]):
    ...         b = hf.constant(1.0)
    ...     print([op.name for op in b.op.control_inputs])
    ['a']
    """
    if context.modes.entries[-1].item.eager:
        return contextlib.nullcontext()
    return get_default_graph().control_dependencies(control_inputs)


def colocate_with(op: Any, ignore_existing: bool = False) -> AbstractContextManager[Any]:
    """A context manager: ops made in it record that they stand beside `op`; eagerly, nothing."""
    if context.modes.entries[-1].item.eager:
        return contextlib.nullcontext()
    return get_default_graph().colocate_with(op, ignore_existing)


def container(container_name: str) -> AbstractContextManager[Any]:
    """A context manager: what ops made in it share by name is kept in that container.

    In eager mode, where such things live as long as their Python objects, it does nothing.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.container("mine"):
    ...     queue = hf.FIFOQueue(10, hf.float32)
    >>> queue.queue_ref.op.get_attr("container")
    b'mine'
    """
    if context.modes.top.eager:
        return contextlib.nullcontext(container_name)
    return get_default_graph().container(container_name)


def init_scope() -> AbstractContextManager[Any]:
    """Leaves control flow, control dependencies and function tracing: where variables are made.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.control_dependencies([hf.no_op()]), hf.init_scope():
    ...     print(hf.constant(1.0).op.control_inputs)
    []
    """
    if context.modes.entries[-1].item.eager:
        return _NOTHING
    graph = get_default_graph()
    if graph.building_function:
        return _outside(graph)
    if graph._building_function:
        return _beneath()
    scope = graph._scope.entries[-1].item
    if scope.body is None and not scope.controls:
        return _NOTHING
    return graph.control_dependencies(None)


def root_scope() -> AbstractContextManager[Any]:
    """`init_scope` at the root of all name scopes: where variables are made by their full names."""
    if context.modes.entries[-1].item.eager:
        return eager_names.scope("")
    graph = get_default_graph()
    return _at_root(graph) if graph.building_function else graph.root_scope()


def _at_root(function_graph: Graph) -> Opener:
    return Together(_outside(function_graph), name_scope(None))


_NOTHING = contextlib.nullcontext()


def _beneath() -> Opener:
    """What was entered before the graphs that a program traces into itself: eager mode or a graph.

    Raises:
      AssertionError: if there is nothing else.
    """
    for entry in reversed(context.modes.entries):
        mode = entry.item
        if mode.eager:
            return context.eager_mode()
        graph = mode.graph
        if graph is not None and not graph._building_function:
            return Together(graph.as_default(), graph.control_dependencies(None))
    raise AssertionError(
        "All graphs are building functions, and no eager context was previously active."
    )


def _outside(function_graph: Graph) -> Opener:
    """What surrounds the functions being traced: eager mode, or a graph."""
    name = function_graph.get_name_scope()
    graph: Graph | None = function_graph
    while graph is not None and graph.building_function:
        graph = graph.outer_graph
    if graph is None:
        return context.eager_mode()
    scope = graph.name_scope(name + "/" if name else None)
    return Together(graph.as_default(), graph.control_dependencies(None), scope)
