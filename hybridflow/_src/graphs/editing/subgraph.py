"""`SubGraphView`: some operations of a graph, with what goes into them and comes out."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from hybridflow._src.graphs.editing.elements import (
    get_unique_graph,
    make_list_of_op,
    make_list_of_t,
)
from hybridflow._src.graphs.editing.selecting import (
    compute_boundary_ts,
    get_name_scope_ops,
    select_ops_and_ts,
)

if TYPE_CHECKING:
    from hybridflow._src.framework.graph import Graph
    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["SubGraphView", "make_view", "make_view_from_scope"]


class SubGraphView:
    """Some operations of a graph, with the tensors that go into them and come out of them.

    Which tensors these are, and in which order, can be changed by the `remap` methods, which give
    another view.

    Args:
      inside_ops: the operations.
      passthrough_ts: tensors that go in and come out as they are.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     x = hf.constant(1.0, name="x")
    ...     y = hf.sqrt(x, name="y")
    ...     view = hf.contrib.graph_editor.SubGraphView([y.op])
    ...     print([t.name for t in view.inputs], [t.name for t in view.outputs])
    ['x:0'] ['y:0']
    """

    def __init__(self, inside_ops: Any = (), passthrough_ts: Any = ()) -> None:
        self._ops: list[Operation] = list(dict.fromkeys(make_list_of_op(inside_ops)))
        inward, outward, inside = compute_boundary_ts(self._ops)
        within = {*inward, *outward, *inside}
        through = dict.fromkeys(make_list_of_t(passthrough_ts))
        self._passthroughs: list[Tensor] = [t for t in through if t not in within]
        self._input_ts: list[Tensor] = [*inward, *self._passthroughs]
        self._output_ts: list[Tensor] = [*outward, *self._passthroughs]
        elements = [*self._ops, *self._passthroughs]
        self._graph = get_unique_graph(elements, none_if_empty=True)

    def __copy__(self) -> SubGraphView:
        other = object.__new__(type(self))
        for name, value in vars(self).items():
            setattr(other, name, list(value) if isinstance(value, list) else value)
        return other

    def copy(self) -> SubGraphView:
        """Another view of the same."""
        return copy.copy(self)

    @property
    def graph(self) -> Graph:
        """The graph; None for an empty view."""
        return self._graph

    @property
    def ops(self) -> list[Operation]:
        """The operations."""
        return list(self._ops)

    @property
    def inputs(self) -> list[Tensor]:
        """The tensors that go in."""
        return list(self._input_ts)

    @property
    def outputs(self) -> list[Tensor]:
        """The tensors that come out."""
        return list(self._output_ts)

    @property
    def connected_inputs(self) -> list[Tensor]:
        """The tensors that go in and are used."""
        return [tensor for tensor in self._input_ts if not self.is_passthrough(tensor)]

    @property
    def connected_outputs(self) -> list[Tensor]:
        """The tensors that come out and are computed."""
        return [tensor for tensor in self._output_ts if not self.is_passthrough(tensor)]

    @property
    def passthroughs(self) -> list[Tensor]:
        """The tensors that go in and come out as they are."""
        return list(self._passthroughs)

    def __bool__(self) -> bool:
        return self._graph is not None

    def __enter__(self) -> SubGraphView:
        """The view itself."""
        return self

    def __exit__(self, *_: Any) -> None:
        """Does nothing."""

    def __str__(self) -> str:
        if not self:
            return "SubGraphView: empty"
        lines = [f"SubGraphView (graph {id(self._graph):x})"]
        for title, elements in (
            ("Ops", self._ops),
            ("Inputs", self._input_ts),
            ("Outputs", self._output_ts),
        ):
            lines.append(f"** {title}:")
            lines += [f"  {element.name}" for element in elements]
        return "\n".join(lines)

    def op(self, op_id: int) -> Operation:
        """One of the operations, by its position."""
        return self._ops[op_id]

    def find_op_by_name(self, op_name: str) -> Operation:
        """One of the operations, by its name.

        Raises:
          ValueError: if there is none of that name.
        """
        for op in self._ops:
            if op.name == op_name:
                return op
        raise ValueError(f"{op_name} not found in subgraph.")

    def is_passthrough(self, t: Tensor) -> bool:
        """Whether a tensor goes in and comes out as it is."""
        return any(tensor is t for tensor in self._passthroughs)

    def input_index(self, t: Tensor) -> int:
        """The position of a tensor among those that go in.

        Raises:
          ValueError: if it does not.
        """
        return _position(self._input_ts, t)

    def output_index(self, t: Tensor) -> int:
        """The position of a tensor among those that come out.

        Raises:
          ValueError: if it does not.
        """
        return _position(self._output_ts, t)

    def consumers(self) -> list[Operation]:
        """The operations outside that use what comes out."""
        members = set(self._ops)
        users = dict.fromkeys(op for tensor in self._output_ts for op in tensor.consumers())
        return [op for op in users if op not in members]

    # -- other tensors in other orders -------------------------------------------------------------

    def remap_default(
        self, remove_input_map: bool = True, remove_output_map: bool = True
    ) -> SubGraphView:
        """The view with the tensors that it had at first."""
        first = SubGraphView(self._ops, self._passthroughs)
        other = self.copy()
        if remove_input_map:
            other._input_ts = first._input_ts
        if remove_output_map:
            other._output_ts = first._output_ts
        return other

    def remap_inputs(self, new_input_indices: Any) -> SubGraphView:
        """The view with some of its inputs.

        Args:
          new_input_indices: their positions, or the tensors.
        """
        other = self.copy()
        other._input_ts = _picked(self._input_ts, new_input_indices)
        return other

    def remap_outputs(self, new_output_indices: Any) -> SubGraphView:
        """The view with some of its outputs, some perhaps several times.

        Args:
          new_output_indices: their positions, or the tensors.
        """
        other = self.copy()
        other._output_ts = _picked(self._output_ts, new_output_indices)
        return other

    def remap(self, new_input_indices: Any = None, new_output_indices: Any = None) -> SubGraphView:
        """The view with some of its inputs and outputs; None for all."""
        other = self if new_input_indices is None else self.remap_inputs(new_input_indices)
        return other if new_output_indices is None else other.remap_outputs(new_output_indices)

    def remap_outputs_make_unique(self) -> SubGraphView:
        """The view with each output once."""
        other = self.copy()
        other._output_ts = list(dict.fromkeys(self._output_ts))
        return other

    def remap_outputs_to_consumers(self) -> SubGraphView:
        """The view with each output as often as operations outside use it."""
        members = set(self._ops)
        other = self.copy()
        other._output_ts = [
            tensor
            for tensor in dict.fromkeys(self._output_ts)
            for op in tensor.consumers()
            if op not in members
        ]
        return other

    def remove_unused_ops(self, control_inputs: bool = True) -> SubGraphView:
        """The view without operations that its outputs do not need.

        Args:
          control_inputs: whether what an operation waits for is needed.
        """
        members, needed = set(self._ops), set()
        pending = [tensor.op for tensor in self._output_ts]
        while pending:
            op = pending.pop()
            if op in members and op not in needed:
                needed.add(op)
                pending += [tensor.op for tensor in op.inputs]
                pending += op.controls if control_inputs else ()
        other = self.copy()
        other._ops = [op for op in self._ops if op in needed]
        return other


def _position(tensors: list[Tensor], tensor: Tensor) -> int:
    for position, other in enumerate(tensors):
        if other is tensor:
            return position
    raise ValueError(f"{tensor} is not one of the subgraph's.")


def _picked(tensors: list[Tensor], picks: Any) -> list[Tensor]:
    picks = list(picks)
    positions = [pick if isinstance(pick, int) else _position(tensors, pick) for pick in picks]
    return [tensors[position] for position in positions]


def make_view(*args: Any, **kwargs: Any) -> SubGraphView:
    """A `SubGraphView` of operations and tensors, by themselves or by regular expressions.

    Args:
      args, kwargs: as for `select_ops_and_ts`; or one `SubGraphView`, for itself.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default() as graph:
    ...     y = hf.sqrt(hf.constant(1.0, name="x"), name="y")
    ...     print(hf.contrib.graph_editor.sgv("^y", graph=graph).inputs[0].name)
    x:0
    """
    if len(args) == 1 and isinstance(args[0], SubGraphView):
        return args[0]
    ops, tensors = select_ops_and_ts(*args, **kwargs)
    return SubGraphView(ops, tensors)


def make_view_from_scope(scope: str, graph: Graph) -> SubGraphView:
    """A `SubGraphView` of the operations below a name scope.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default() as graph:
    ...     with hf.name_scope("a"):
    ...         y = hf.sqrt(hf.constant(1.0, name="x"), name="y")
    ...     view = hf.contrib.graph_editor.make_view_from_scope("a", graph)
    ...     print([op.name for op in view.ops])
    ['a/x', 'a/y']
    """
    return SubGraphView(get_name_scope_ops(graph, scope))
