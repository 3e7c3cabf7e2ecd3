"""Collections of graphs as messages: which have items that messages describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hybridflow._src.formats import messages
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.platform import tf_logging

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from hybridflow._src.framework.graph import Graph

__all__ = ["register_proto_function"]

_UNSUPPORTED = (
    "Error encountered when serializing %s.\nType is unsupported, or the types of the items don't "
    "match field type in CollectionDef.\n%s"
)
# TensorFlow 1 notes its control flow here; graphs that were read have it in their operations.
_CONTEXTS = ("cond_context", "while_context")


class _Functions(NamedTuple):
    """How the items of a collection become messages of a type, and back."""

    proto_type: Any
    to_proto: Callable[..., Any] | None
    from_proto: Callable[..., Any] | None


_registered: dict[str, _Functions] = {}


def register_proto_function(
    collection_name: str,
    proto_type: Any = None,
    to_proto: Callable[..., Any] | None = None,
    from_proto: Callable[..., Any] | None = None,
) -> None:
    """Says how the items of a collection are written to files and read.

    Args:
      collection_name: the key of the collection.
      proto_type: a class of messages, or the name of one of TensorFlow's, whose class then is made
        when it is needed.
      to_proto: gives the message for an item, called with it and `export_scope`.
      from_proto: gives the item for a message, called with it and `import_scope`.

    Raises:
      TypeError: if a function is not callable. KeyError: if the collection has some already.

    >>> import hybridflow as hf
    >>> hf.register_proto_function(
    ...     "my graphs",
    ...     hf.GraphDef,
    ...     lambda graph, export_scope=None: graph.as_graph_def(),
    ...     lambda graph_def, import_scope=None: hf.import_graph_def(graph_def),
    ... )
    """
    for name, function in (("to_proto", to_proto), ("from_proto", from_proto)):
        if function is not None and not callable(function):
            raise TypeError(f"{name} must be callable.")
    if collection_name in _registered:
        raise KeyError(f"Collection {collection_name!r} has proto functions already.")
    _registered[collection_name] = _Functions(proto_type, to_proto, from_proto)


def _message_class(proto_type: Any) -> Any:
    return getattr(messages, proto_type) if isinstance(proto_type, str) else proto_type


def add_scope(name: Any, scope: str | None) -> Any:
    """A name inside a name scope: "^" and "loc:@" stay in front."""
    if not scope:
        return name
    text = name.decode() if isinstance(name, bytes) else name
    scope = scope.rstrip("/")
    for mark in ("^", "loc:@"):
        if text.startswith(mark):
            return f"{mark}{scope}/{text[len(mark) :]}"
    return f"{scope}/{text}"


def strip_scope(name: Any, scope: str | None) -> Any:
    """A name as it is seen from inside a name scope: "^" and "loc:@" stay in front."""
    text = name.decode() if isinstance(name, bytes) else name
    if not scope:
        return text
    scope = f"{scope.rstrip('/')}/"
    for mark in ("^", "loc:@", ""):
        if text.startswith(f"{mark}{scope}"):
            return mark + text[len(mark) + len(scope) :]
    return text


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
    functions = _registered.get(str(key))
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
    functions = _registered.get(key)
    try:
        values = list(getattr(collection, kind).value)
        if kind == "bytes_list" and functions is not None and functions.from_proto is not None:
            for value in values:
                proto = _message_class(functions.proto_type).FromString(value)
                graph.add_to_collection(key, functions.from_proto(proto, import_scope=scope))
        elif kind == "node_list":
            for value in values:
                graph.add_to_collection(key, graph.as_graph_element(add_scope(value, scope)))
        elif kind == "bytes_list":
            for value in values:
                graph.add_to_collection(key, add_scope(value, scope))
        else:
            for value in values:
                graph.add_to_collection(key, value)
    except (KeyError, TypeError, ValueError, AttributeError, messages.decode_error()) as error:
        raise ValueError(f"Collection {key!r} of the graph is damaged: {error}") from error
