"""Operations and tensors of a graph, by what programs name them with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.graph import Graph
from hybridflow._src.framework.operation import Operation
from hybridflow._src.framework.tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "get_consuming_ops",
    "get_generating_ops",
    "get_tensors",
    "get_unique_graph",
    "make_list_of_op",
    "make_list_of_t",
]


def each_of(items: Any) -> Iterable[Any]:
    """The items of a collection, or one item; anything else that an iterable is a collection."""
    if isinstance(items, (Operation, Tensor)) or not hasattr(items, "__iter__"):
        return [items]
    return items


def get_unique_graph(tops: Any, check_types: Any = None, none_if_empty: bool = False) -> Any:
    """The one graph of some operations and tensors.

    Args:
      tops: operations, tensors, or a graph.
      check_types: the classes that each must be of; operations and tensors by default.
      none_if_empty: whether it is None where there are none.

    Raises:
      TypeError: for an item of another class. ValueError: if there are none, or of several graphs.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default() as graph:
    ...     x = hf.constant(1.0)
    ...     hf.contrib.graph_editor.get_unique_graph([x, x.op]) is graph
    True
    """
    if isinstance(tops, Graph):
        return tops
    kinds = (Operation, Tensor) if check_types is None else check_types
    graph = None
    for item in each_of(tops):
        if not isinstance(item, kinds):
            raise TypeError(f"Expected an operation or a tensor, got: {type(item)}")
        if graph is not None and item.graph is not graph:
            raise ValueError(f"Operation {item} does not belong to given graph")
        graph = item.graph
    if graph is None and not none_if_empty:
        raise ValueError("Can't find the unique graph of an empty list")
    return graph


def _list_of(
    items: Any, kind: type, other: type, of_graph: Callable[[Graph], list[Any]], options: Any
) -> list[Any]:
    check_graph, allow_graph, ignore_other = options
    if isinstance(items, Graph):
        if not allow_graph:
            raise TypeError(f"allow_graph is False: cannot convert a graph to {kind.__name__}s.")
        return of_graph(items)
    found = []
    for item in each_of(items):
        if isinstance(item, other) and ignore_other:
            continue
        if not isinstance(item, kind):
            raise TypeError(f"Expected a {kind.__name__}, got: {type(item)}")
        found.append(item)
    if check_graph:
        get_unique_graph(found, none_if_empty=True)
    return found


def make_list_of_op(
    ops: Any, check_graph: bool = True, allow_graph: bool = True, ignore_ts: bool = False
) -> list[Operation]:
    """A list of operations, of what may be one, several, or a graph.

    Args:
      ops: an operation, an iterable of them, or a graph, which stands for all of its operations.
      check_graph: whether they must be of one graph.
      allow_graph: whether a graph may be given.
      ignore_ts: whether tensors are left out; else they are refused.

    Raises:
      TypeError: for anything else.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default() as graph:
    ...     x = hf.constant(1.0, name="x")
    ...     print([op.name for op in hf.contrib.graph_editor.make_list_of_op(graph)])
    ['x']
    """
    options = check_graph, allow_graph, ignore_ts
    return _list_of(ops, Operation, Tensor, Graph.get_operations, options)


def make_list_of_t(
    ts: Any, check_graph: bool = True, allow_graph: bool = True, ignore_ops: bool = False
) -> list[Tensor]:
    """A list of tensors, of what may be one, several, or a graph.

    Args:
      ts: a tensor, an iterable of them, or a graph, which stands for all of its tensors.
      check_graph: whether they must be of one graph.
      allow_graph: whether a graph may be given.
      ignore_ops: whether operations are left out; else they are refused.

    Raises:
      TypeError: for anything else.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     x = hf.constant(1.0, name="x")
    ...     print([t.name for t in hf.contrib.graph_editor.make_list_of_t([x, x])])
    ['x:0', 'x:0']
    """
    options = check_graph, allow_graph, ignore_ops
    return _list_of(ts, Tensor, Operation, get_tensors, options)


def get_tensors(graph: Graph) -> list[Tensor]:
    """All tensors of a graph, in the order of their operations.

    Raises:
      TypeError: for anything else.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default() as graph:
    ...     x = hf.constant(1.0, name="x")
    ...     print([t.name for t in hf.contrib.graph_editor.get_tensors(graph)])
    ['x:0']
    """
    if not isinstance(graph, Graph):
        raise TypeError(f"Expected a graph, got: {type(graph)}")
    return [tensor for op in graph.get_operations() for tensor in op.outputs]


def get_generating_ops(ts: Any) -> list[Operation]:
    """The operations that yield some tensors, one for each.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     x = hf.constant(1.0, name="x")
    ...     print(hf.contrib.graph_editor.get_generating_ops([x])[0].name)
    x
    """
    return [tensor.op for tensor in make_list_of_t(ts, allow_graph=False)]


def get_consuming_ops(ts: Any) -> list[Operation]:
    """The operations that use some tensors, each once.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     x = hf.constant(1.0)
    ...     y = hf.sqrt(x, name="y")
    ...     print([op.name for op in hf.contrib.graph_editor.get_consuming_ops(x)])
    ['y']
    """
    tensors = make_list_of_t(ts, allow_graph=False)
    return list(dict.fromkeys(op for tensor in tensors for op in tensor.consumers()))
