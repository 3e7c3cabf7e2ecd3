"""`hf.graph_util`: parts of a `GraphDef`, and variables made constants in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.formats import messages
from hybridflow._src.formats.tensors import dtype_of, tensor_proto
from hybridflow._src.framework import dtypes
from hybridflow._src.platform import tf_logging

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from hybridflow._src.framework.graph import Graph
    from hybridflow._src.framework.tensor_shape import TensorShape

__all__ = [
    "convert_variables_to_constants",
    "extract_sub_graph",
    "must_run_on_cpu",
    "remove_training_nodes",
    "tensor_shape_from_node_def_name",
]

_VARIABLES = ("Variable", "VariableV2", "VarHandleOp")
_VARIABLE_OPS = frozenset(
    [
        "Assign",
        "AssignAdd",
        "AssignSub",
        "Queue",
        "ScatterAdd",
        "ScatterSub",
        "ScatterUpdate",
        "TruncatedNormal",
        "Variable",
        "VariableV2",
    ]
)
# On graphics cards these ops do not work for some dtypes: the attribute and the dtypes.
_NOT_ON_CARDS = {
    "Const": ("dtype", (dtypes.string, dtypes.int32)),
    "DynamicStitch": ("T", (dtypes.int32,)),
    "ParallelDynamicStitch": ("T", (dtypes.int32,)),
    "Cast": ("SrcT", (dtypes.int32,)),
}


def _graph_def(given: Any) -> Any:
    if isinstance(given, messages.GraphDef):
        return given
    if type(given).__name__ == "GraphDef" and hasattr(given, "SerializeToString"):
        return messages.GraphDef.FromString(given.SerializeToString())
    raise TypeError("graph_def must be a graph_pb2.GraphDef proto.")


def node_of(text: str) -> str:
    """The node that an input's name is about."""
    return text[1:] if text.startswith("^") else text.split(":")[0]


def must_run_on_cpu(node: Any, pin_variables_on_cpu: bool = False) -> bool:
    """Tells whether TensorFlow can run a node on a CPU alone; everything runs there here.

    Args:
      node: an operation or a `NodeDef`.
      pin_variables_on_cpu: whether variables and what updates them count.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     hf.graph_util.must_run_on_cpu(hf.constant(1).op)
    True
    """
    node = getattr(node, "node_def", node)
    if pin_variables_on_cpu and node.op in _VARIABLE_OPS:
        return True
    key, found = _NOT_ON_CARDS.get(node.op, ("", ()))
    return bool(found) and dtypes.as_dtype(node.attr[key].type) in found


def tensor_shape_from_node_def_name(graph: Graph, input_name: str) -> TensorShape:
    """The shape of a tensor by the name that nodes have for it, such as "x" or "x:1".

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default() as graph:
    ...     _ = hf.zeros([2, 3], name="x")
    ...     print(hf.graph_util.tensor_shape_from_node_def_name(graph, "x"))
    (2, 3)
    """
    name = input_name if ":" in input_name else f"{input_name}:0"
    return graph.get_tensor_by_name(name).get_shape()


def extract_sub_graph(graph_def: Any, dest_nodes: Sequence[str]) -> Any:
    """What some nodes need, as a `GraphDef`.

    Args:
      graph_def: the whole.
      dest_nodes: names of nodes.

    Raises:
      TypeError: if `graph_def` is none, or `dest_nodes` is a string. AssertionError: if the graph
        lacks one of them.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default() as graph:
    ...     _ = hf.square(hf.constant(1.0, name="a"), name="b"), hf.constant(2.0)
    >>> [node.name for node in hf.graph_util.extract_sub_graph(graph.as_graph_def(), ["b"]).node]
    ['a', 'b']
    """
    graph_def = _graph_def(graph_def)
    if isinstance(dest_nodes, str):
        raise TypeError("dest_nodes must be a list.")
    inputs = {node.name: [node_of(text) for text in node.input] for node in graph_def.node}
    for name in dest_nodes:
        if name not in inputs:
            raise AssertionError(f"{name} is not in graph")
    kept: set[str] = set()
    pending = list(dest_nodes)
    while pending:
        name = pending.pop()
        if name not in kept:
            kept.add(name)
            if name not in inputs:
                raise ValueError(f"The graph lacks the node {name!r}, an input of another one.")
            pending += inputs[name]
    return with_nodes(graph_def, [node for node in graph_def.node if node.name in kept])


def with_nodes(graph_def: Any, nodes: Iterable[Any]) -> Any:
    """A graph of these nodes, with those functions of the library that they call."""
    found = messages.GraphDef(versions=graph_def.versions)
    found.node.extend(nodes)
    library = {f.signature.name: f for f in graph_def.library.function}
    called: dict[str, None] = {}
    pending = [found.node]
    while pending:
        for node in pending.pop():
            for name in [node.op, *_functions_of(node)]:
                if name in library and name not in called:
                    called[name] = None
                    pending.append(library[name].node_def)
    found.library.function.extend([f for name, f in library.items() if name in called])
    return found


def _functions_of(node: Any) -> list[str]:
    names = [attr.func.name for attr in node.attr.values() if attr.HasField("func")]
    return names + [f.name for attr in node.attr.values() for f in attr.list.func]


# -- variables as constants ------------------------------------------------------------------------


def convert_variables_to_constants(
    sess: Any,
    input_graph_def: Any,
    output_node_names: Sequence[str],
    variable_names_whitelist: Sequence[str] | None = None,
    variable_names_blacklist: Sequence[str] | None = None,
) -> Any:
    """What some nodes need, with constants in place of variables.

    Args:
      sess: the session with the values.
      input_graph_def: the graph.
      output_node_names: names of nodes.
      variable_names_whitelist: the only variables to convert.
      variable_names_blacklist: variables that are left.

    Returns: a `GraphDef`.

    Raises:
      FailedPreconditionError: if a variable has no value. Otherwise as for `extract_sub_graph`.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default() as graph, hf.Session() as session:
    ...     v = hf.get_variable("v", initializer=2.0)
    ...     y = hf.square(v, name="y")
    ...     session.run(v.initializer)
    ...     frozen = hf.graph_util.convert_variables_to_constants(
    ...         session, graph.as_graph_def(), ["y"]
    ...     )
    >>> [(node.name, node.op) for node in frozen.node]
    [('v', 'Const'), ('v/read', 'Identity'), ('y', 'Square')]
    """
    found = extract_sub_graph(input_graph_def, output_node_names)
    names = [
        node.name
        for node in found.node
        if node.op in _VARIABLES
        and (variable_names_whitelist is None or node.name in variable_names_whitelist)
        and not (variable_names_blacklist and node.name in variable_names_blacklist)
    ]
    fetches = [_value_of(sess.graph, name) for name in names]
    values = dict(zip(names, sess.run(fetches), strict=True)) if names else {}
    tf_logging.info("Froze %d variables.", len(values))
    frozen = _Frozen(found, values)
    return with_nodes(frozen.graph_def, frozen.graph_def.node)


def _value_of(graph: Graph, name: str) -> Any:
    """The tensor with the value of a variable: of a handle, what reads it."""
    tensor = graph.get_operation_by_name(name).outputs[0]
    if tensor.dtype is not dtypes.resource:
        return tensor
    for op in tensor._consumers or ():
        if op.type == "ReadVariableOp" and op.body is None:
            return op.outputs[0]
    raise ValueError(f"Variable {name!r} is read nowhere outside of control flow.")


class _Frozen:
    """A graph in which variables are constants.

    What took a variable's handle takes its value: reads become identities, also in functions to
    which a handle is passed.
    """

    def __init__(self, graph_def: Any, values: Mapping[str, Any]) -> None:
        self.graph_def = messages.GraphDef()
        self.graph_def.CopyFrom(graph_def)
        self._library = {f.signature.name: f for f in self.graph_def.library.function}
        self._converted: dict[tuple[str, tuple[int, ...]], str] = {}
        handles: dict[str, int] = {}
        for node in self.graph_def.node:
            if node.name in values:
                dtype = node.attr["dtype"].type
                if node.op == "VarHandleOp":
                    handles[node.name] = dtype
                value = np.asarray(values[node.name])
                node.op = "Const"
                node.attr.clear()
                node.attr["dtype"].type = dtype
                node.attr["value"].tensor.CopyFrom(tensor_proto(value, dtype_of(dtype)))
        if handles:
            self._read(self.graph_def.node, lambda text: handles.get(node_of(text)))

    def _read(self, nodes: Any, dtype_at: Callable[[str], int | None]) -> list[str]:
        """Has the nodes that take handles take values; `dtype_at` gives these an input's dtype.

        Returns: the names of those that have read a variable.
        """
        reads = []
        for node in nodes:
            at = {
                i: dtype
                for i, text in enumerate(node.input)
                if not text.startswith("^") and (dtype := dtype_at(text)) is not None
            }
            if not at:
                continue
            if node.op == "ReadVariableOp":
                dtype = node.attr["dtype"].type
                node.op = "Identity"
                node.attr.clear()
                node.attr["T"].type = dtype
                reads.append(node.name)
                continue
            called = _functions_of(node)
            if not called:
                raise ValueError(
                    f"Node {node.name!r} ({node.op}) uses the variable {node.input[min(at)]!r} "
                    "other than to read it, so that cannot be a constant."
                )
            self._pass(node, at)
        return reads

    def _pass(self, node: Any, at: Mapping[int, int]) -> None:
        """Has a node that calls functions pass values to them in place of handles."""
        types = "T" if "T" in node.attr else "Tin"
        first = len(node.input) - len(node.attr[types].list.type)
        first -= sum(text.startswith("^") for text in node.input)
        places = {i - first: dtype for i, dtype in at.items()}
        for place, dtype in places.items():
            node.attr[types].list.type[place] = dtype
        for attr in node.attr.values():
            for function in [attr.func] if attr.HasField("func") else attr.list.func:
                function.name = self._function(function.name, places)

    def _function(self, name: str, places: Mapping[int, int]) -> str:
        """A copy of a function that takes values at some places; gives its name."""
        key = (name, tuple(sorted(places)))
        if key in self._converted:
            return self._converted[key]
        new = f"{name}_frozen"
        while new in self._library:
            new += "_"
        self._converted[key] = new
        copy = self.graph_def.library.function.add()
        copy.CopyFrom(self._library[name])
        copy.signature.name = new
        self._library[new] = copy
        dtypes_of: dict[str, int] = {}
        for place, dtype in places.items():
            arg = copy.signature.input_arg[place]
            arg.type = dtype
            dtypes_of[arg.name] = dtype
        for output in copy.signature.output_arg:
            if copy.ret[output.name] in dtypes_of:
                output.type = dtypes_of[copy.ret[output.name]]
        # The nodes of a function name outputs as their ops do.
        reads = self._read(copy.node_def, dtypes_of.get)
        names = {f"{read}:value:0": f"{read}:output:0" for read in reads}
        for node in copy.node_def:
            node.input[:] = [names.get(text, text) for text in node.input]
        for key, text in copy.ret.items():
            copy.ret[key] = names.get(text, text)
        return new


# -- nodes that only training needs ----------------------------------------------------------------


def remove_training_nodes(input_graph: Any, protected_nodes: Sequence[str] | None = None) -> Any:
    """A graph without `CheckNumerics` and without `Identity` nodes that order nothing.

    Args:
      input_graph: a `GraphDef`.
      protected_nodes: names of nodes that are kept, such as outputs.

    Returns: a `GraphDef` that computes the same. (TensorFlow 1.4 leaves what used a `CheckNumerics`
      without that input.)

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default() as graph:
    ...     _ = hf.square(hf.identity(hf.constant(1.0, name="a")), name="b")
    >>> [node.name for node in hf.graph_util.remove_training_nodes(graph.as_graph_def()).node]
    ['a', 'b']
    """
    graph_def = _graph_def(input_graph)
    kept = set(protected_nodes or ())
    removed = [n for n in graph_def.node if n.name not in kept and n.input]
    # Nobody has to wait for a check that is not made.
    checks = {f"^{node.name}" for node in removed if node.op == "CheckNumerics"}
    passed = {
        node.name: node.input[0]
        for node in removed
        if node.op == "CheckNumerics"
        or (
            node.op == "Identity"
            and not any(text.startswith("^") and text not in checks for text in node.input)
        )
    }
    found = messages.GraphDef()
    for node in graph_def.node:
        if node.name in passed:
            continue
        copy = found.node.add()
        copy.CopyFrom(node)
        del copy.input[:]
        for text in [text for text in node.input if text not in checks]:
            waits = text.startswith("^")
            seen = set()
            while node_of(text) in passed and text not in seen:
                seen.add(text)
                text = passed[node_of(text)]
            copy.input.append(f"^{node_of(text)}" if waits else text)
    for field in ("library", "versions"):
        if graph_def.HasField(field):
            getattr(found, field).CopyFrom(getattr(graph_def, field))
    return found
