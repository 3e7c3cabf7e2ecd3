"""How the items of collections become messages and back: what variables and programs register."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hybridflow._src.formats import messages

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["register_proto_function"]


class ProtoFunctions(NamedTuple):
    """How the items of a collection become messages of a type, and back."""

    proto_type: Any
    to_proto: Callable[..., Any] | None
    from_proto: Callable[..., Any] | None

    def parsed(self, data: bytes) -> Any:
        """The message that bytes are."""
        kind = self.proto_type
        return (getattr(messages, kind) if isinstance(kind, str) else kind).FromString(data)


registered: dict[str, ProtoFunctions] = {}


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
    if collection_name in registered:
        raise KeyError(f"Collection {collection_name!r} has proto functions already.")
    registered[collection_name] = ProtoFunctions(proto_type, to_proto, from_proto)
