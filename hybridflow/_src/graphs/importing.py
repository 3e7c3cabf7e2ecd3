"""`import_graph_def`: a `GraphDef` becomes operations of the default graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.formats import messages
from hybridflow._src.framework import context
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.operation import Operation
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.graphs.builder import Builder
from hybridflow._src.graphs.building import Region
from hybridflow._src.graphs.composing import COMPOSED
from hybridflow._src.graphs.control_flow import CALLS, IFS, WHILES
from hybridflow._src.graphs.exporting import GRAPH_DEF_VERSION, GRAPH_DEF_VERSION_MIN_PRODUCER
from hybridflow._src.graphs.functions import node_of
from hybridflow._src.graphs.op_list import tensorflow_ops
from hybridflow._src.graphs.operations import record_of
from hybridflow._src.graphs.structure import Node, Ref, Structure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hybridflow._src.framework.graph import Graph

__all__ = ["import_graph_def"]

_MISSING = (
    "No op named {names} in defined operations: the graph uses ops that do not exist here. What "
    "of it does not need them can be taken out first, by `hf.graph_util.extract_sub_graph`."
)
_NEEDS_NAME = (
    "tf.import_graph_def() requires a non-empty `name` if `input_map` contains non-Tensor values. "
    "Try calling tf.convert_to_tensor() on the input_map values before calling "
    "tf.import_graph_def()."
)
_EAGER = (
    "`hf.import_graph_def` adds to a graph, and eager mode has none: call it inside `with "
    "hf.Graph().as_default():`."
)
_FLOW = frozenset(
    ("Switch", "Merge", "Enter", "Exit", "NextIteration", "LoopCond", "Case", *IFS, *WHILES, *CALLS)
)


def import_graph_def(
    graph_def: Any,
    input_map: Mapping[str, Any] | None = None,
    return_elements: Sequence[str] | None = None,
    name: str | None = None,
    op_dict: Any = None,
    producer_op_list: Any = None,
) -> list[Any] | None:
    """Adds the nodes of a `GraphDef` to the default graph, as operations.

    Conditionals and loops, in either of TensorFlow's forms, become those of `hf.cond` and
    `hf.while_loop`; functions that are called are built in place. If it fails, the graph is as it
    was.

    Args:
      graph_def: a `GraphDef`: one of ours, or one that TensorFlow wrote.
      input_map: tensors of the default graph to use in place of nodes' outputs, by their names in
        `graph_def`, such as "x:0"; operations in place of those to wait for, as "^x".
      return_elements: names of operations and tensors in `graph_def` to return.
      name: the name scope of the operations, "import" by default; "" for none.
      op_dict, producer_op_list: accepted; the ops are those that exist here.

    Returns: a list of what `return_elements` names, or None.

    Raises:
      TypeError: if an argument is of another kind. ValueError: for a graph that is damaged or uses
        ops that do not exist here (all of them are named), for names that it does not have.
      RuntimeError: in eager mode.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default() as graph:
    ...     _ = hf.multiply(hf.placeholder(hf.float32, name="x"), 2.0, name="y")
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     x = hf.constant(3.0)
    ...     (y,) = hf.import_graph_def(graph.as_graph_def(), {"x:0": x}, ["y:0"])
    ...     print(y.name, session.run(y))
    import/y:0 6.0
    """
    if context.modes.top.eager:
        raise RuntimeError(_EAGER)
    graph_def = _checked(graph_def)
    mapped = _mapped(input_map)
    wanted = _wanted(return_elements)
    if name == "" and not all(isinstance(v, (Tensor, Operation)) for v in mapped.values()):
        raise ValueError(_NEEDS_NAME)
    scope_values = [v for v in mapped.values() if hasattr(v, "graph")]
    with name_scope(name, "import", scope_values) as scope:
        graph = get_default_graph()
        mark = graph.mark()
        try:
            with graph.name_scope(None):
                return _build(graph, graph_def, mapped, wanted, scope)
        except BaseException:
            graph.forget(mark)
            raise


def _checked(graph_def: Any) -> Any:
    """The graph as a message of ours; another package's message of that kind is read."""
    if isinstance(graph_def, messages.GraphDef):
        return graph_def
    serialize = getattr(graph_def, "SerializeToString", None)
    if serialize is None or type(graph_def).__name__ != "GraphDef":
        raise TypeError("graph_def must be a GraphDef proto.")
    return messages.GraphDef.FromString(serialize())


def _mapped(input_map: Any) -> dict[str, Any]:
    if input_map is None:
        return {}
    if not isinstance(input_map, dict) or not all(isinstance(k, (str, bytes)) for k in input_map):
        raise TypeError("input_map must be a dictionary mapping strings to Tensor objects.")
    return {_text(key): value for key, value in input_map.items()}


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _wanted(return_elements: Any) -> list[str] | None:
    if return_elements is None:
        return None
    found = list(return_elements)
    if isinstance(return_elements, (str, bytes)) or not all(
        isinstance(name, (str, bytes)) for name in found
    ):
        raise TypeError("return_elements must be a list of strings.")
    return [_text(name) for name in found]


def missing_ops(graph_def: Any) -> list[str]:
    """The op types of a graph, and of the functions in its library, that do not exist here."""
    library = {function.signature.name for function in graph_def.library.function}
    types = {node.op for node in graph_def.node}
    for function in graph_def.library.function:
        types.update(node.op for node in function.node_def)
    known = {f"Ref{name}" for name in _FLOW} | _FLOW | library | COMPOSED.keys()
    return sorted(name for name in types - known if record_of(name) is None)


def ops_of_our_own(graph_def: Any) -> dict[str, str]:
    """The op types of a graph that only exist here, each with the first node of it."""
    library = {function.signature.name for function in graph_def.library.function}
    found: dict[str, str] = {}
    for nodes in (graph_def.node, *[f.node_def for f in graph_def.library.function]):
        for node in nodes:
            if node.op not in library and node.op not in tensorflow_ops():
                found.setdefault(node.op, node.name)
    return {op: name for op, name in sorted(found.items()) if record_of(op) is not None}


def _build(
    graph: Graph,
    graph_def: Any,
    mapped: Mapping[str, Any],
    wanted: Sequence[str] | None,
    scope: str,
) -> list[Any] | None:
    _check_versions(graph_def.versions)
    missing = missing_ops(graph_def)
    if missing:
        raise ValueError(_MISSING.format(names=", ".join(missing)))
    nodes = _nodes(graph_def)
    replaced = _Replaced(nodes, mapped)
    structure = Structure(nodes, replaced.given)
    library = {function.signature.name: function for function in graph_def.library.function}
    size = sum([len(function.node_def) for function in library.values()], len(nodes))
    builder = Builder(graph, library, size)
    region = Region(builder, structure, scope)
    region.values.update(replaced.values)
    region.ops.update(replaced.ops)
    region.build(name for name in nodes if not structure.places[name])
    builder.colocate()
    replaced.check(region)
    return None if wanted is None else [_element(region, name) for name in wanted]


def _check_versions(versions: Any) -> None:
    """Refuses graphs that say that readers like this one, or writers like theirs, do not do."""
    if versions.min_consumer > GRAPH_DEF_VERSION:
        raise ValueError(
            f"GraphDef min consumer version {versions.min_consumer} above current version "
            f"{GRAPH_DEF_VERSION}: the graph needs a later reader than TensorFlow 1.4."
        )
    if versions.producer < GRAPH_DEF_VERSION_MIN_PRODUCER:
        raise ValueError(
            f"GraphDef producer version {versions.producer} below min producer "
            f"{GRAPH_DEF_VERSION_MIN_PRODUCER} supported: the graph is from before TensorFlow 1."
        )
    if GRAPH_DEF_VERSION in versions.bad_consumers:
        raise ValueError(
            f"GraphDef disallows consumer version {GRAPH_DEF_VERSION}: it says that readers of "
            "TensorFlow 1.4's version have a fault."
        )


def _nodes(graph_def: Any) -> dict[str, Node]:
    """The nodes by name, as readers of their version take them."""
    found: dict[str, Node] = {}
    for message in graph_def.node:
        if message.name in found:
            raise ValueError(f"Duplicate name {message.name!r} in GraphDef.")
        if not message.name:
            raise ValueError(f"A node of type {message.op!r} has no name.")
        node = found[message.name] = node_of(message)
        if node.op in ("Placeholder", "Variable") and 0 < graph_def.versions.producer < 24:
            shape = message.attr["shape"].shape if "shape" in message.attr else None
            if shape is not None and not shape.dim and node.op == "Placeholder":
                # So the versions before wrote a shape that is not known.
                node.attr = {**message.attr}
                del node.attr["shape"]
    return found


class _Replaced:
    """What `input_map` puts in place of nodes' outputs.

    Attributes:
      given: names that stand for values from outside.
      values, ops: these values.
    """

    def __init__(self, nodes: dict[str, Node], mapped: Mapping[str, Any]) -> None:
        self.values: dict[Ref, Any] = {}
        self.ops: dict[str, Operation] = {}
        self._unused: dict[str, None] = {}
        names: dict[Ref, Ref] = {}
        waits: dict[str, str] = {}
        for key, value in mapped.items():
            if key.startswith("^"):
                waits[key[1:]] = key
                self.ops[key] = getattr(value, "op", value)
                if key[1:] not in nodes:
                    self._unused[key] = None
                continue
            name, colon, index = key.rpartition(":")
            if not colon:
                name, index = key, "0"
            ref = Ref(name, int(index)) if index.isdecimal() else Ref(key, 0)
            if ref.node not in nodes:
                self._unused[key] = None
            stand_in = Ref(f"\0{key}", 0)
            names[ref] = stand_in
            self.values[stand_in] = convert_to_tensor(value)
        self.given = [ref.node for ref in names.values()] + list(waits.values())
        self._unmapped = {
            ref: stand_in.node[1:] for ref, stand_in in names.items() if ref.node in nodes
        }
        for node in nodes.values():
            for place, ref in enumerate(node.inputs):
                if ref in names:
                    node.inputs[place] = names[ref]
                    self._unused.pop(names[ref].node[1:], None)
                    self._unmapped.pop(ref, None)
            for place, wait in enumerate(node.waits):
                if wait in waits:
                    node.waits[place] = waits[wait]
                    self._unused.pop(waits[wait], None)

    def check(self, region: Region) -> None:
        """Refuses names of what the graph does not have.

        Raises:
          ValueError: if there are such.
        """
        missing = [key for ref, key in self._unmapped.items() if ref not in region.values]
        if self._unused or missing:
            names = ", ".join([*self._unused, *missing])
            raise ValueError(f"Attempted to map inputs that were not found in graph_def: [{names}]")


def _element(region: Region, name: str) -> Any:
    """The tensor or operation that a file's name stands for now."""
    op_name, colon, index = name.rpartition(":")
    if not colon:
        if name in region.ops:
            return region.ops[name]
        raise ValueError(f"Requested return_element {name!r} not found in graph_def.")
    if index.isdecimal() and Ref(op_name, int(index)) in region.values:
        return region.values[Ref(op_name, int(index))]
    raise ValueError(f"Requested return_element {name!r} not found in graph_def.")
