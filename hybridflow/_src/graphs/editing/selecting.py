"""Which operations and tensors of a graph: by names, by how they hang together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.graph import Graph
from hybridflow._src.framework.operation import Operation
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.graphs.editing.elements import (
    each_of,
    get_consuming_ops,
    get_generating_ops,
    get_tensors,
    get_unique_graph,
    make_list_of_op,
    make_list_of_t,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "ControlOutputs",
    "can_be_regex",
    "compute_boundary_ts",
    "filter_ops",
    "filter_ops_from_regex",
    "filter_ts",
    "filter_ts_from_regex",
    "get_backward_walk_ops",
    "get_forward_walk_ops",
    "get_name_scope_ops",
    "get_ops_ios",
    "get_walks_intersection_ops",
    "get_walks_union_ops",
    "get_within_boundary_ops",
    "make_regex",
    "select_ops",
    "select_ops_and_ts",
    "select_ts",
]


class ControlOutputs:
    """Which operations wait for which, by the ones that are waited for.

    Args:
      graph: the graph.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default() as graph:
    ...     x = hf.constant(1.0)
    ...     with hf.control_dependencies([x]):
    ...         y = hf.no_op(name="y")
    ...     print([op.name for op in hf.contrib.graph_editor.ControlOutputs(graph).get(x.op)])
    ['y']
    """

    def __init__(self, graph: Graph) -> None:
        if not isinstance(graph, Graph):
            raise TypeError(f"Expected a graph, got: {type(graph)}")
        self._graph = graph
        self.update()

    @property
    def graph(self) -> Graph:
        """The graph."""
        return self._graph

    def update(self) -> ControlOutputs:
        """Looks once more, where the graph has changed since."""
        self._followers: dict[Operation, list[Operation]] = {}
        for op in self._graph.get_operations():
            for other in op.controls:
                self._followers.setdefault(other, []).append(op)
        return self

    def get_all(self) -> dict[Operation, list[Operation]]:
        """All that are waited for, each with those that wait."""
        return self._followers

    def get(self, op: Operation) -> list[Operation]:
        """The operations that wait for one."""
        return self._followers.get(op, [])


def can_be_regex(obj: Any) -> bool:
    """Whether something is a regular expression, or text, which may be one.

    >>> import hybridflow as hf
    >>> hf.contrib.graph_editor.can_be_regex("layer.*")
    True
    """
    return isinstance(obj, (str, re.Pattern))


def make_regex(obj: Any) -> re.Pattern[str]:
    """A compiled regular expression.

    Raises:
      ValueError: for what is none.

    >>> import hybridflow as hf
    >>> hf.contrib.graph_editor.make_regex("a+").search("baa").group()
    'aa'
    """
    if not can_be_regex(obj):
        raise ValueError(f"Expected a string or a regex, got: {type(obj)}")
    return re.compile(obj) if isinstance(obj, str) else obj


def filter_ops(ops: Any, positive_filter: Any) -> list[Operation]:
    """Those operations for which a function of them is true.

    Args:
      ops: operations, or a graph.
      positive_filter: the function; or True, for all.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default() as graph:
    ...     x = hf.sqrt(hf.constant(1.0), name="x")
    ...     ops = hf.contrib.graph_editor.filter_ops(graph, lambda op: op.type == "Sqrt")
    ...     print([op.name for op in ops])
    ['x']
    """
    found = make_list_of_op(ops)
    return found if positive_filter is True else [op for op in found if positive_filter(op)]


def filter_ops_from_regex(ops: Any, regex: Any) -> list[Operation]:
    """Those operations whose names a regular expression finds something in.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default() as graph:
    ...     x, y = hf.constant(1.0, name="one"), hf.constant(2.0, name="two")
    ...     print([op.name for op in hf.contrib.graph_editor.filter_ops_from_regex(graph, "^t")])
    ['two']
    """
    pattern = make_regex(regex)
    return filter_ops(ops, lambda op: pattern.search(op.name))


def filter_ts(ops: Any, positive_filter: Any) -> list[Tensor]:
    """Those outputs of operations for which a function of them is true.

    Args:
      ops: operations, or a graph.
      positive_filter: the function of a tensor; or True, for all.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default() as graph:
    ...     x = hf.constant([1.0], name="x")
    ...     print([t.name for t in hf.contrib.graph_editor.filter_ts(graph, True)])
    ['x:0']
    """
    found = [tensor for op in make_list_of_op(ops) for tensor in op.outputs]
    return found if positive_filter is True else [t for t in found if positive_filter(t)]


def filter_ts_from_regex(ops: Any, regex: Any) -> list[Tensor]:
    """Those outputs of operations whose names a regular expression finds something in.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default() as graph:
    ...     x, y = hf.constant(1.0, name="one"), hf.constant(2.0, name="two")
    ...     print([t.name for t in hf.contrib.graph_editor.filter_ts_from_regex(graph, "^t")])
    ['two:0']
    """
    pattern = make_regex(regex)
    return filter_ts(ops, lambda tensor: pattern.search(tensor.name))


def get_name_scope_ops(ops: Any, scope: str) -> list[Operation]:
    """The operations below a name scope, and the one of that name.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default() as graph:
    ...     with hf.name_scope("a"):
    ...         x = hf.constant(1.0, name="x")
    ...     y = hf.constant(1.0, name="ab")
    ...     print([op.name for op in hf.contrib.graph_editor.get_name_scope_ops(graph, "a/")])
    ['a/x']
    """
    return filter_ops_from_regex(ops, f"^{re.escape(scope.rstrip('/'))}(/.*)?$")


def _controls(
    control_inputs: Any, control_outputs: Any, control_ios: Any
) -> tuple[bool, ControlOutputs | None]:
    """Whether to follow what is waited for, and those that wait, of three ways to say it."""
    if control_ios is not None:
        if control_inputs or control_outputs is not None:
            raise ValueError("control_ios goes with neither control_inputs nor control_outputs.")
        control_inputs, control_outputs = True, control_ios
    if isinstance(control_outputs, Graph):
        control_outputs = ControlOutputs(control_outputs)
    if control_outputs is not None and not isinstance(control_outputs, ControlOutputs):
        raise TypeError(f"Expected ControlOutputs, got: {type(control_outputs)}")
    return bool(control_inputs), control_outputs


def _inputs_of(op: Operation, stop: frozenset[Tensor], controls: bool) -> list[Operation]:
    found = [tensor.op for tensor in op.inputs if tensor not in stop]
    return [*found, *op.controls] if controls else found


def _outputs_of(
    op: Operation, stop: frozenset[Tensor], controls: ControlOutputs | None
) -> list[Operation]:
    found = [other for tensor in op.outputs if tensor not in stop for other in tensor.consumers()]
    return found if controls is None else [*found, *controls.get(op)]


def get_ops_ios(
    ops: Any, control_inputs: Any = False, control_outputs: Any = None, control_ios: Any = None
) -> list[Operation]:
    """The operations that yield what some use, and that use what they yield.

    Args:
      ops: operations, or a graph.
      control_inputs: whether what they wait for counts.
      control_outputs: a `ControlOutputs`: then those that wait for them count.
      control_ios: a `ControlOutputs`: then both do.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     y = hf.sqrt(hf.constant(1.0, name="x"), name="y")
    ...     z = hf.sqrt(y, name="z")
    ...     print([op.name for op in hf.contrib.graph_editor.get_ops_ios(y.op)])
    ['x', 'z']
    """
    inward, outward = _controls(control_inputs, control_outputs, control_ios)
    nothing: frozenset[Tensor] = frozenset()
    found: dict[Operation, None] = {}
    for op in make_list_of_op(ops):
        found.update(dict.fromkeys(_inputs_of(op, nothing, inward)))
        found.update(dict.fromkeys(_outputs_of(op, nothing, outward)))
    return list(found)


def compute_boundary_ts(ops: Any) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """The tensors where some operations border on the rest of the graph.

    Returns: the inputs that others yield, the outputs that others use or nobody does, and the
      tensors that they alone use.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     y = hf.sqrt(hf.constant(1.0, name="x"), name="y")
    ...     z = hf.sqrt(y, name="z")
    ...     inward, outward, inside = hf.contrib.graph_editor.compute_boundary_ts([y.op, z.op])
    ...     print([t.name for t in inward], [t.name for t in outward], [t.name for t in inside])
    ['x:0'] ['z:0'] ['y:0']
    """
    operations = make_list_of_op(ops)
    members = set(operations)
    used = dict.fromkeys(tensor for op in operations for tensor in op.inputs)
    made = dict.fromkeys(tensor for op in operations for tensor in op.outputs)
    outward = [
        tensor
        for tensor in made
        if not tensor.consumers() or any(op not in members for op in tensor.consumers())
    ]
    inside = [tensor for tensor in made if tensor in used]
    return [tensor for tensor in used if tensor not in made], outward, inside


def get_within_boundary_ops(
    ops: Any,
    seed_ops: Any,
    boundary_ops: Any = (),
    inclusive: bool = True,
    control_inputs: Any = False,
    control_outputs: Any = None,
    control_ios: Any = None,
) -> list[Operation]:
    """The operations that hang together with some, up to a boundary.

    Args:
      ops: those among which to look, or a graph.
      seed_ops: where to begin.
      boundary_ops: where to stop.
      inclusive: whether the boundary belongs to the result.
      control_inputs, control_outputs, control_ios: as for `get_ops_ios`.

    Raises:
      ValueError: if an operation is on both lists.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default() as graph:
    ...     y = hf.sqrt(hf.constant(1.0, name="x"), name="y")
    ...     z = hf.sqrt(y, name="z")
    ...     editor = hf.contrib.graph_editor
    ...     found = editor.get_within_boundary_ops(graph, z.op, y.op, inclusive=False)
    ...     print([op.name for op in found])
    ['z']
    """
    inward, outward = _controls(control_inputs, control_outputs, control_ios)
    among = set(make_list_of_op(ops))
    seeds = make_list_of_op(seed_ops, allow_graph=False)
    boundary = set(make_list_of_op(boundary_ops))
    if boundary & set(seeds):
        raise ValueError(f"Boundary is intersecting with seeds: {boundary & set(seeds)}.")
    nothing: frozenset[Tensor] = frozenset()

    def beside(op: Operation) -> Iterable[Operation]:
        if op in boundary:
            return ()
        return [*_inputs_of(op, nothing, inward), *_outputs_of(op, nothing, outward)]

    found = _reached(seeds, beside, lambda op: op in among)
    return found if inclusive else [op for op in found if op not in boundary]


def _reached(
    seeds: Iterable[Operation],
    beside: Callable[[Operation], Iterable[Operation]],
    is_within: Callable[[Operation], bool],
) -> list[Operation]:
    """The seeds and what is reached from them, near ones first."""
    found = dict.fromkeys(seeds)
    pending = list(found)
    for op in pending:
        for other in beside(op):
            if other not in found and is_within(other):
                found[other] = None
                pending.append(other)
    return pending


def _walk(
    seed_ops: Any,
    of_tensors: Callable[[Any], list[Operation]],
    beside: Callable[[Operation, frozenset[Tensor]], Iterable[Operation]],
    inclusive: bool,
    within_ops: Any,
    within_ops_fn: Any,
    stop_at_ts: Any,
) -> list[Operation]:
    items = list(each_of(seed_ops))
    if items and isinstance(items[0], Tensor):
        seeds = of_tensors(items)
    else:
        seeds = make_list_of_op(items, allow_graph=False)
    stop = frozenset(make_list_of_t(stop_at_ts))
    within = set(make_list_of_op(within_ops, allow_graph=False)) if within_ops else None
    if within is not None:
        seeds = [op for op in seeds if op in within]

    def is_within(op: Operation) -> bool:
        return (within is None or op in within) and (within_ops_fn is None or within_ops_fn(op))

    found = _reached(seeds, lambda op: beside(op, stop), is_within)
    first = set(seeds)
    return found if inclusive else [op for op in found if op not in first]


def get_forward_walk_ops(
    seed_ops: Any,
    inclusive: bool = True,
    within_ops: Any = None,
    within_ops_fn: Any = None,
    stop_at_ts: Any = (),
    control_outputs: Any = None,
) -> list[Operation]:
    """The operations that need some operations, or those that use some tensors.

    Args:
      seed_ops: operations, or tensors: then it begins with what uses them.
      inclusive: whether these belong to the result.
      within_ops: the operations among which to stay; all by default.
      within_ops_fn: a function that says of an operation whether to stay with it.
      stop_at_ts: tensors beyond which not to go.
      control_outputs: a `ControlOutputs`: then those that wait for one need it too.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     y = hf.sqrt(hf.constant(1.0, name="x"), name="y")
    ...     z = hf.sqrt(y, name="z")
    ...     print([op.name for op in hf.contrib.graph_editor.get_forward_walk_ops(y.op)])
    ['y', 'z']
    """
    _, outward = _controls(False, control_outputs, None)
    return _walk(
        seed_ops,
        get_consuming_ops,
        lambda op, stop: _outputs_of(op, stop, outward),
        inclusive,
        within_ops,
        within_ops_fn,
        stop_at_ts,
    )


def get_backward_walk_ops(
    seed_ops: Any,
    inclusive: bool = True,
    within_ops: Any = None,
    within_ops_fn: Any = None,
    stop_at_ts: Any = (),
    control_inputs: Any = False,
) -> list[Operation]:
    """The operations that some operations need, or those that yield some tensors.

    Args:
      seed_ops: operations, or tensors: then it begins with what yields them.
      inclusive, within_ops, within_ops_fn, stop_at_ts: as for `get_forward_walk_ops`.
      control_inputs: whether what an operation waits for is needed too.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     y = hf.sqrt(hf.constant(1.0, name="x"), name="y")
    ...     z = hf.sqrt(y, name="z")
    ...     print([op.name for op in hf.contrib.graph_editor.get_backward_walk_ops(y.op)])
    ['y', 'x']
    """
    return _walk(
        seed_ops,
        get_generating_ops,
        lambda op, stop: _inputs_of(op, stop, bool(control_inputs)),
        inclusive,
        within_ops,
        within_ops_fn,
        stop_at_ts,
    )


def _both_walks(
    forward_seed_ops: Any,
    backward_seed_ops: Any,
    forward_inclusive: bool,
    backward_inclusive: bool,
    within_ops: Any,
    within_ops_fn: Any,
    controls: tuple[Any, Any, Any],
) -> tuple[list[Operation], list[Operation]]:
    inward, outward = _controls(*controls)
    forward = get_forward_walk_ops(
        forward_seed_ops, forward_inclusive, within_ops, within_ops_fn, (), outward
    )
    backward = get_backward_walk_ops(
        backward_seed_ops, backward_inclusive, within_ops, within_ops_fn, (), inward
    )
    return forward, backward


def get_walks_intersection_ops(
    forward_seed_ops: Any,
    backward_seed_ops: Any,
    forward_inclusive: bool = True,
    backward_inclusive: bool = True,
    within_ops: Any = None,
    within_ops_fn: Any = None,
    control_inputs: Any = False,
    control_outputs: Any = None,
    control_ios: Any = None,
) -> list[Operation]:
    """The operations on the ways from some operations to others.

    Args:
      forward_seed_ops, backward_seed_ops: where the ways begin and end.
      forward_inclusive, backward_inclusive: whether these belong to them.
      within_ops, within_ops_fn: as for `get_forward_walk_ops`.
      control_inputs, control_outputs, control_ios: as for `get_ops_ios`.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     x = hf.constant(1.0, name="x")
    ...     y = hf.sqrt(x, name="y")
    ...     z = hf.add(y, hf.constant(2.0), name="z")
    ...     editor = hf.contrib.graph_editor
    ...     print([op.name for op in editor.get_walks_intersection_ops(x.op, z.op)])
    ['x', 'y', 'z']
    """
    controls = control_inputs, control_outputs, control_ios
    inclusive = forward_inclusive, backward_inclusive
    forward, backward = _both_walks(
        forward_seed_ops, backward_seed_ops, *inclusive, within_ops, within_ops_fn, controls
    )
    others = set(backward)
    return [op for op in forward if op in others]


def get_walks_union_ops(
    forward_seed_ops: Any,
    backward_seed_ops: Any,
    forward_inclusive: bool = True,
    backward_inclusive: bool = True,
    within_ops: Any = None,
    within_ops_fn: Any = None,
    control_inputs: Any = False,
    control_outputs: Any = None,
    control_ios: Any = None,
) -> list[Operation]:
    """The operations that need some operations, and those that others need.

    Args:
      forward_seed_ops, backward_seed_ops, forward_inclusive, backward_inclusive, within_ops,
        within_ops_fn, control_inputs, control_outputs, control_ios: as for
        `get_walks_intersection_ops`.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     y = hf.sqrt(hf.constant(1.0, name="x"), name="y")
    ...     z = hf.sqrt(y, name="z")
    ...     editor = hf.contrib.graph_editor
    ...     print([op.name for op in editor.get_walks_union_ops(y.op, y.op)])
    ['y', 'z', 'x']
    """
    controls = control_inputs, control_outputs, control_ios
    inclusive = forward_inclusive, backward_inclusive
    forward, backward = _both_walks(
        forward_seed_ops, backward_seed_ops, *inclusive, within_ops, within_ops_fn, controls
    )
    return list(dict.fromkeys([*forward, *backward]))


def _matching(
    pattern: Any, names: Iterable[Any], kind: str, graph: Graph | None, restrict: bool
) -> list[Any]:
    """The elements whose names a regular expression finds something in.

    It may begin with "(?#ops)" or "(?#ts)", which says what it is for.
    """
    if graph is None:
        raise ValueError("Use the keyword argument 'graph' to use regular expressions.")
    text = pattern if isinstance(pattern, str) else pattern.pattern
    marked = re.match(r"\(\?#(ops|ts)\)", text)
    if (marked is None and restrict) or (marked is not None and marked[1] != kind):
        return []
    regex = make_regex(pattern)
    return [element for element in names if regex.search(element.name)]


def select_ops(
    *args: Any,
    graph: Graph | None = None,
    positive_filter: Any = None,
    restrict_ops_regex: bool = False,
) -> list[Operation]:
    """Operations, by themselves or by regular expressions for their names.

    Args:
      args: operations, iterables of them, or expressions; one that begins with "(?#ts)" is for
        tensors and finds none.
      graph: the graph, which expressions need.
      positive_filter: a function that says of an operation whether it is taken.
      restrict_ops_regex: whether expressions must begin with "(?#ops)" to count.

    Raises:
      ValueError: for an expression without a graph. TypeError: for anything else.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default() as graph:
    ...     x, y = hf.constant(1.0, name="one"), hf.constant(2.0, name="two")
    ...     print([op.name for op in hf.contrib.graph_editor.select_ops("^t", graph=graph)])
    ['two']
    """
    found: dict[Operation, None] = {}
    for arg in args:
        if can_be_regex(arg):
            every = graph.get_operations() if graph is not None else []
            ops = _matching(arg, every, "ops", graph, restrict_ops_regex)
        else:
            ops = make_list_of_op(arg, allow_graph=False, ignore_ts=True)
        found.update(dict.fromkeys(ops))
    if graph is not None:
        get_unique_graph([*found], none_if_empty=True)
    return [op for op in found if positive_filter is None or positive_filter(op)]


def select_ts(
    *args: Any,
    graph: Graph | None = None,
    positive_filter: Any = None,
    restrict_ts_regex: bool = False,
) -> list[Tensor]:
    """Tensors, by themselves or by regular expressions for their names.

    Args:
      args: tensors, iterables of them, or expressions; one that begins with "(?#ops)" is for
        operations and finds none.
      graph: the graph, which expressions need.
      positive_filter: a function that says of a tensor whether it is taken.
      restrict_ts_regex: whether expressions must begin with "(?#ts)" to count.

    Raises:
      ValueError: for an expression without a graph. TypeError: for anything else.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default() as graph:
    ...     x, y = hf.constant(1.0, name="one"), hf.constant(2.0, name="two")
    ...     print([t.name for t in hf.contrib.graph_editor.select_ts("^t", graph=graph)])
    ['two:0']
    """
    found: dict[Tensor, None] = {}
    for arg in args:
        if can_be_regex(arg):
            every = get_tensors(graph) if graph is not None else []
            tensors = _matching(arg, every, "ts", graph, restrict_ts_regex)
        else:
            tensors = make_list_of_t(arg, allow_graph=False, ignore_ops=True)
        found.update(dict.fromkeys(tensors))
    return [t for t in found if positive_filter is None or positive_filter(t)]


def select_ops_and_ts(
    *args: Any, graph: Graph | None = None, positive_filter: Any = None
) -> tuple[list[Operation], list[Tensor]]:
    """Operations and tensors, by themselves or by regular expressions for their names.

    Args:
      args: as for `select_ops` and `select_ts`; expressions are for operations, those that begin
        with "(?#ts)" for tensors.
      graph: the graph, which expressions need.
      positive_filter: a function that says of an operation whether it is taken.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default() as graph:
    ...     x, y = hf.constant(1.0, name="one"), hf.constant(2.0, name="two")
    ...     ops, ts = hf.contrib.graph_editor.select_ops_and_ts("^o", "(?#ts)^t", graph=graph)
    ...     print([op.name for op in ops], [t.name for t in ts])
    ['one'] ['two:0']
    """
    ops = select_ops(*args, graph=graph, positive_filter=positive_filter)
    return ops, select_ts(*args, graph=graph, restrict_ts_regex=True)
