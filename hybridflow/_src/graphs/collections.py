"""Collections of graphs as messages: which have items that messages describe."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from hybridflow._src.formats import messages
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.graphs.proto_functions import registered
from hybridflow._src.graphs.scoped_names import add_scope, strip_scope
from hybridflow._src.platform import tf_logging

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from hybridflow._src.framework.graph import Graph

_UNSUPPORTED = (
    "Error encountered when serializing %s.\nType is unsupported, or the types of the items don't "
    "match field type in CollectionDef.\n%s"
)
# TensorFlow 1 notes its control flow here; graphs that were read have it in their operations.
_CONTEXTS = ("cond_context", "while_context")


def _kind(item: Any) -> str:
    if isinstance(item, (str, bytes)):
        return "bytes_list"
    if isinstance(item, int):
        return "int64_list"
    if isinstance(item, float):
        return "float_list"
    return "any_list" if type(item).__name__ == "Any" else "node_list"


def add_collection_def(
    meta_graph_def: Any,
    key: Any,
    graph: Graph | None = None,
    export_scope: str | None = None,
    exclude_nodes: Container[str] = (),
    override_contents: Sequence[Any] | None = None,
) -> None:
    """Adds a collection to a `MetaGraphDef`; what no message describes is left out, with a warning.

    Args:
      meta_graph_def: the message.
      key: the key of the collection.
      graph: the graph, by default the default one.
      export_scope: the name scope whose items are meant, and whose name they lose.
      exclude_nodes: names of operations that items must not be.
      override_contents: items to write in place of the collection's.
    """
    if not isinstance(key, (str, bytes)):
        tf_logging.warning(
            "Only collections with string type keys will be serialized. This key has %s", type(key)
        )
        return
    graph = graph or get_default_graph()
    items = override_contents or graph.get_collection(key)
    items = [x for x in items if _is_meant(x, export_scope, exclude_nodes)]
    if not items:
        return
    found = messages.CollectionDef()
    functions = registered.get(str(key))
    try:
        if functions is not None and functions.to_proto is not None:
            for item in items:
                proto = functions.to_proto(item, export_scope=export_scope)
                if proto is not None:
                    found.bytes_list.value.append(proto.SerializeToString())
        else:
            field = getattr(found, _kind(items[0])).value
            if _kind(items[0]) == "node_list":
                field.extend([strip_scope(x.name, export_scope) for x in items])
            elif _kind(items[0]) == "bytes_list":
                field.extend([x.encode() if isinstance(x, str) else x for x in items])
            elif _kind(items[0]) == "any_list":
                for item in items:  # of a class that a program has, not of ours
                    field.add().MergeFromString(item.SerializeToString())
            else:
                field.extend(items)
    except Exception as error:  # whatever an item makes of being written
        tf_logging.warning(_UNSUPPORTED, key, error)
        return
    meta_graph_def.collection_def[key].CopyFrom(found)


def _is_meant(item: Any, export_scope: str | None, exclude: Container[str]) -> bool:
    """Whether an item is in the name scope, and none of the nodes to leave out."""
    name = item if isinstance(item, str) else getattr(item, "name", None)
    if not isinstance(name, str):
        return True
    if name.partition(":")[0] in exclude:
        return False
    return not export_scope or isinstance(item, str) or name.startswith(export_scope)


def restore_collection(graph: Graph, key: str, collection: Any, scope: str) -> None:
    """Adds to a collection of the default graph what a `CollectionDef` holds.

    Raises:
      ValueError: if it names what the graph does not have, or what is no message of its type.
    """
    kind = collection.WhichOneof("kind")
    if key in _CONTEXTS:
        return
    if kind is None:
        tf_logging.error("Cannot identify data type for collection %s. Skipping.", key)
        return
    functions = registered.get(key)
    try:
        values = list(getattr(collection, kind).value)
        if kind == "bytes_list" and functions is not None and functions.from_proto is not None:
            for value in values:
                proto = functions.parsed(value)
                graph.add_to_collection(key, functions.from_proto(proto, import_scope=scope))
        elif kind == "node_list":
            for value in values:
                graph.add_to_collection(key, graph.as_graph_element(add_scope(value, scope)))
        elif kind == "bytes_list":
            for value in values:
                graph.add_to_collection(key, add_scope(value, scope))
        elif kind == "any_list":
            known = importlib.import_module("google.protobuf.any_pb2").Any
            for value in values:
                graph.add_to_collection(key, known.FromString(value.SerializeToString()))
        else:
            for value in values:
                graph.add_to_collection(key, value)
    except (KeyError, TypeError, ValueError, AttributeError, messages.decode_error()) as error:
        raise ValueError(f"Collection {key!r} of the graph is damaged: {error}") from error
