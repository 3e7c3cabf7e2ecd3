"""Copies of subgraphs: in the same graph or another one, with other tensors for some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.graph import Graph
from hybridflow._src.framework.operation import Operation
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.graphs.editing.elements import get_unique_graph, make_list_of_t
from hybridflow._src.graphs.editing.placeholders import stand_in
from hybridflow._src.graphs.editing.rewiring import Rewiring
from hybridflow._src.graphs.editing.selecting import (
    get_forward_walk_ops,
    get_walks_intersection_ops,
)
from hybridflow._src.graphs.editing.subgraph import SubGraphView, make_view

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "Transformer",
    "TransformerInfo",
    "assign_renamed_collections_handler",
    "copy",
    "copy_op_handler",
    "copy_with_input_replacements",
    "graph_replace",
    "keep_t_if_possible_handler",
    "replace_t_with_placeholder_handler",
    "transform_op_if_inside_handler",
]

_WITH_BODIES = (
    "{op!r} cannot be copied: copies of conditionals and loops, and of what stands inside of them, "
    "are not made. Write the graph to a GraphDef, and import that."
)


def replace_t_with_placeholder_handler(info: Any, t: Tensor) -> Tensor:
    """For a tensor from outside, a placeholder: what `Transformer` does by default.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     y = hf.sqrt(hf.constant(1.0, name="x"), name="y")
    ...     view, _ = hf.contrib.graph_editor.copy(y.op)
    ...     print(view.inputs[0].op.type)
    Placeholder
    """
    with info.graph_.as_default():
        return stand_in(t, info.graph_, info.scope_)


def keep_t_if_possible_handler(info: Any, t: Tensor) -> Tensor:
    """For a tensor from outside, itself if the copy is made in its graph, else a placeholder.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     x = hf.constant(1.0)
    ...     y = hf.sqrt(x)
    ...     transformer = hf.contrib.graph_editor.Transformer()
    ...     transformer.transform_external_input_handler = (
    ...         hf.contrib.graph_editor.keep_t_if_possible_handler)
    ...     view, _ = transformer(hf.contrib.graph_editor.sgv(y.op), y.graph, "copy")
    ...     print(view.inputs[0] is x)
    True
    """
    return t if info.graph is info.graph_ else replace_t_with_placeholder_handler(info, t)


def assign_renamed_collections_handler(info: Any, elem: Any, elem_: Any) -> None:
    """Adds the copy of an operation or tensor to the collections that hold the original.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     y = hf.sqrt(hf.constant(1.0))
    ...     hf.add_to_collection("mine", y)
    ...     _ = hf.contrib.graph_editor.copy(y.op)
    ...     print(len(hf.get_collection("mine")))
    2
    """
    for key in elem.graph.get_all_collection_keys():
        if any(item is elem for item in elem.graph.get_collection_ref(key)):
            info.graph_.add_to_collection(key, elem_)


def transform_op_if_inside_handler(
    info: Any, op: Operation, keep_if_possible: bool = True
) -> Operation | None:
    """For an operation of the original: its copy, or itself if it is of the same graph.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     y = hf.sqrt(hf.constant(1.0, name="x"), name="y")
    ...     _, info = hf.contrib.graph_editor.copy(y.op)
    ...     print(info.transformed(y.op).name)
    y_1
    """
    if op in info.sgv_ops:
        return info.transformed_ops[op]
    return op if keep_if_possible and info.graph is info.graph_ else None


def copy_op_handler(
    info: Any,
    op: Operation,
    new_inputs: Iterable[Tensor],
    copy_shape: bool = False,
    nodedef_fn: Any = None,
) -> tuple[Operation, tuple[Tensor, ...]]:
    """The copy of an operation, with other inputs, and its outputs.

    Args:
      info: what a `Transformer` tells its handlers.
      op: the operation.
      new_inputs: its inputs, of the copy's graph.
      copy_shape: accepted: the shapes are those of the original.
      nodedef_fn: not supported.

    Raises:
      ValueError: for a conditional, a loop, or what stands inside of one, or a `nodedef_fn`.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     y = hf.sqrt(hf.constant(1.0, name="x"), name="y")
    ...     _, info = hf.contrib.graph_editor.copy(y.op)
    ...     print(info.transformed(y).dtype is y.dtype)
    True
    """
    if nodedef_fn is not None:
        raise ValueError("nodedef_fn is not supported: give another transform_op_handler.")
    if op.bodies or op.body is not None:
        raise ValueError(_WITH_BODIES.format(op=op))
    graph: Graph = info.graph_
    with graph.as_default(), graph.root_scope():
        made = graph.add_op(
            op.record,
            tuple(new_inputs),
            dict(op.attrs),
            graph.unique_name(info.new_name(op.name)) + "/",
            [tensor.dtype for tensor in op.outputs],
            [tensor._dims for tensor in op.outputs],
        )
    made.device = op.device
    return made, tuple(made.outputs)


class TransformerInfo:
    """What became of a subgraph that was copied.

    Args:
      info: the notes of the `Transformer`.
    """

    def __init__(self, info: _Notes) -> None:
        self._graph, self._graph_ = info.graph, info.graph_
        self._scope, self._scope_ = info.scope, info.scope_
        self._transformed_ops = info.transformed_ops
        self._transformed_ts = info.transformed_ts

    def _map(self, element: Any) -> dict[Any, Any]:
        if isinstance(element, Operation):
            return self._transformed_ops
        if isinstance(element, Tensor):
            return self._transformed_ts
        raise TypeError(f"Expected a tensor or an operation, got {type(element)}")

    def transformed(self, original: Any, missing_fn: Any = None) -> Any:
        """The copy of an operation or a tensor, or of several, in their structure.

        Args:
          original: the operation, tensor, or a list of them.
          missing_fn: gives what stands for one that was not copied; None by default.
        """
        if isinstance(original, (list, tuple)):
            return type(original)(self.transformed(item, missing_fn) for item in original)
        found = self._map(original)
        if original in found:
            return found[original]
        return None if missing_fn is None else missing_fn(original)

    def original(self, transformed: Any, missing_fn: Any = None) -> Any:
        """The original of a copied operation or tensor, or of several, in their structure.

        Args:
          transformed: the copy, or a list of copies.
          missing_fn: gives what stands for one that is no copy; None by default.
        """
        if isinstance(transformed, (list, tuple)):
            return type(transformed)(self.original(item, missing_fn) for item in transformed)
        for original, copied in self._map(transformed).items():
            if copied is transformed:
                return original
        return None if missing_fn is None else missing_fn(transformed)

    def __str__(self) -> str:
        lines = [f"Transformer result info ({len(self._transformed_ops)} operations):"]
        lines += [f"  {op.name} => {made.name}" for op, made in self._transformed_ops.items()]
        return "\n".join(lines)


class _Notes:
    """What a `Transformer` knows while it copies: `info` of its handlers."""

    def __init__(self, sgv: SubGraphView, dst_graph: Graph, dst_scope: str, src_scope: str) -> None:
        self.sgv = sgv
        self.sgv_inputs_set = frozenset(sgv.inputs)
        self.ops = frozenset(sgv.ops)
        self.sgv_ops = self.ops
        self.control_outputs = None
        self.graph, self.graph_ = sgv.graph, dst_graph
        self.scope, self.scope_ = src_scope, dst_scope
        self.transformed_ops: dict[Operation, Operation] = {}
        self.transformed_ts: dict[Tensor, Tensor] = {}

    def new_name(self, name: str) -> str:
        """The name of a copy: below the new scope, without the old one.

        Raises:
          ValueError: if the name is not below the old scope.
        """
        if not name.startswith(self.scope):
            raise ValueError(f"{name} does not belong to source scope: {self.scope}.")
        return self.scope_ + name.removeprefix(self.scope)


class Transformer:
    """Copies subgraphs, as its handlers say.

    Attributes:
      transform_op_handler: `(info, op, new_inputs)` gives the copy of an operation and its outputs.
      transform_external_input_handler: `(info, t)` gives what stands for a tensor from outside.
      transform_external_hidden_input_handler: the same for one that is no input of the view.
      assign_collections_handler: `(info, element, copy)` adds copies to collections.
      transform_control_input_handler: `(info, op)` gives what a copy waits for in an operation's
        place, or None.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     y = hf.sqrt(hf.constant(1.0, name="x"), name="y")
    ...     editor = hf.contrib.graph_editor
    ...     view, info = editor.Transformer()(editor.sgv(y.op), y.graph, "copy")
    ...     print(view.ops[0].name, info.original(view.ops[0]).name)
    copy/y y
    """

    def __init__(self) -> None:
        self.assign_collections_handler: Any = assign_renamed_collections_handler
        self.transform_op_handler: Any = copy_op_handler
        self.transform_control_input_handler: Any = transform_op_if_inside_handler
        self.transform_external_hidden_input_handler: Any = keep_t_if_possible_handler
        self.transform_external_input_handler: Any = replace_t_with_placeholder_handler
        self.transform_original_op_handler: Any = transform_op_if_inside_handler

    def __call__(
        self,
        sgv: Any,
        dst_graph: Graph,
        dst_scope: str = "",
        src_scope: str = "",
        reuse_dst_scope: bool = False,
    ) -> tuple[SubGraphView, TransformerInfo]:
        """Makes a copy.

        Args:
          sgv: the subgraph.
          dst_graph: the graph of the copy.
          dst_scope: the name scope of the copy, which is made unique.
          src_scope: the name scope that names lose.
          reuse_dst_scope: whether the scope is used as it is.

        Returns: a view of the copy, and which operation and tensor became which.
        """
        view = make_view(sgv)
        if not isinstance(dst_graph, Graph):
            raise TypeError(f"Expected a graph, got: {type(dst_graph)}")
        dst_scope, src_scope = _finished(dst_scope), _finished(src_scope)
        if dst_scope and not reuse_dst_scope:
            with dst_graph.root_scope():
                dst_scope = _finished(dst_graph.unique_name(dst_scope.rstrip("/")))
        if not view:
            return view, TransformerInfo(_Notes(view, dst_graph, dst_scope, src_scope))
        info = _Notes(view, dst_graph, dst_scope, src_scope)
        for op in sorted(view.ops, key=lambda op: op._id):
            inputs = [self._tensor_for(info, tensor) for tensor in op.inputs]
            made, outputs = self.transform_op_handler(info, op, inputs)
            if op is not made:
                self.assign_collections_handler(info, op, made)
            info.transformed_ops[op] = made
            for tensor, copied in zip(op.outputs, outputs, strict=True):
                info.transformed_ts[tensor] = copied
                self.assign_collections_handler(info, tensor, copied)
        self._wait(info)
        return self._view_of(info, view), TransformerInfo(info)

    def _tensor_for(self, info: _Notes, tensor: Tensor) -> Tensor:
        if tensor in info.transformed_ts:
            return info.transformed_ts[tensor]
        outside = tensor in info.sgv_inputs_set
        handler = (
            self.transform_external_input_handler
            if outside
            else self.transform_external_hidden_input_handler
        )
        found: Tensor = handler(info, tensor)
        info.transformed_ts[tensor] = found
        return found

    def _wait(self, info: _Notes) -> None:
        rewiring = Rewiring(info.graph_)
        for op, made in info.transformed_ops.items():
            if op.controls:
                others = [self.transform_control_input_handler(info, c) for c in op.controls]
                rewiring.wait(made, [other for other in others if other is not None])
        rewiring.apply()

    def _view_of(self, info: _Notes, view: SubGraphView) -> SubGraphView:
        made = SubGraphView(list(info.transformed_ops.values()))
        through = [self._tensor_for(info, tensor) for tensor in view.passthroughs]
        made._passthroughs = through
        made._input_ts = [info.transformed_ts[t] for t in view.inputs if t in info.transformed_ts]
        made._output_ts = [info.transformed_ts[t] for t in view.outputs]
        return made


def _finished(scope: str) -> str:
    return f"{scope}/" if scope and not scope.endswith("/") else scope


def copy(
    sgv: Any,
    dst_graph: Graph | None = None,
    dst_scope: str = "",
    src_scope: str = "",
    reuse_dst_scope: bool = False,
) -> tuple[SubGraphView, TransformerInfo]:
    """A copy of a subgraph, with placeholders for its inputs.

    Args:
      sgv: the subgraph, or what `make_view` makes one of.
      dst_graph: the graph of the copy; the same by default.
      dst_scope, src_scope, reuse_dst_scope: as for a call of a `Transformer`.

    Returns: a view of the copy, and a `TransformerInfo`.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     y = hf.sqrt(hf.constant(4.0))
    ...     view, info = hf.contrib.graph_editor.copy(y.op)
    ...     print(session.run(info.transformed(y), {view.inputs[0]: 9.0}))
    3.0
    """
    view = make_view(sgv)
    graph = view.graph if dst_graph is None else dst_graph
    return Transformer()(view, graph, dst_scope, src_scope, reuse_dst_scope)


def copy_with_input_replacements(
    sgv: Any,
    replacement_ts: dict[Tensor, Tensor],
    dst_graph: Graph | None = None,
    dst_scope: str = "",
    src_scope: str = "",
    reuse_dst_scope: bool = False,
) -> tuple[SubGraphView, TransformerInfo]:
    """A copy of a subgraph, with other tensors for some of its inputs.

    Args:
      sgv: the subgraph, or what `make_view` makes one of.
      replacement_ts: tensors by those in whose place they come; other inputs stay as they are.
      dst_graph: the graph of the copy; the same by default.
      dst_scope, src_scope, reuse_dst_scope: as for a call of a `Transformer`.

    Returns: a view of the copy, and a `TransformerInfo`.

    Raises:
      TypeError: if the tensors are no dict.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     x = hf.constant(4.0)
    ...     y = hf.sqrt(x)
    ...     editor = hf.contrib.graph_editor
    ...     _, info = editor.copy_with_input_replacements(y.op, {x: hf.constant(9.0)})
    ...     print(session.run([y, info.transformed(y)]))
    [np.float32(2.0), np.float32(3.0)]
    """
    if not isinstance(replacement_ts, dict):
        raise TypeError(f"replacement_ts must be a dict of tensors, got {type(replacement_ts)}")
    view = make_view(sgv)
    graph = view.graph if dst_graph is None else dst_graph

    def replaced(info: Any, tensor: Tensor) -> Tensor:
        other = replacement_ts.get(tensor)
        return keep_t_if_possible_handler(info, tensor) if other is None else other

    transformer = Transformer()
    transformer.transform_external_input_handler = replaced
    return transformer(view, graph, dst_scope, src_scope, reuse_dst_scope)


def graph_replace(
    target_ts: Any,
    replacement_ts: dict[Tensor, Tensor],
    dst_scope: str = "",
    src_scope: str = "",
    reuse_dst_scope: bool = False,
) -> Any:
    """Tensors as they would be if others had been used to compute them.

    Args:
      target_ts: a tensor, or a list of them.
      replacement_ts: tensors by those in whose place they come.
      dst_scope, src_scope, reuse_dst_scope: as for a call of a `Transformer`.

    Returns: new tensors in the structure of `target_ts`; one that does not depend on the
      replacements is itself.

    Raises:
      ValueError: if none depends on them.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     x = hf.constant(4.0)
    ...     y = hf.sqrt(x) + 1.0
    ...     z = hf.contrib.graph_editor.graph_replace(y, {x: hf.constant(9.0)})
    ...     print(session.run([y, z]))
    [np.float32(3.0), np.float32(4.0)]
    """
    targets = make_list_of_t(target_ts)
    get_unique_graph(targets)
    olds = list(replacement_ts)
    users = get_forward_walk_ops(olds)
    ops = get_walks_intersection_ops(olds, targets, within_ops=users) if users else []
    if not ops:
        raise ValueError("Targets and replacements are not connected!")
    _, info = copy_with_input_replacements(
        make_view(ops), replacement_ts, None, dst_scope, src_scope, reuse_dst_scope
    )

    def missing(tensor: Tensor) -> Tensor:
        return replacement_ts.get(tensor, tensor)

    if isinstance(target_ts, Tensor):
        return info.transformed(target_ts, missing)
    return info.transformed(list(target_ts), missing)
