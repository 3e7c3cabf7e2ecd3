"""TensorFlow's messages as classes, made from `protos` when they are first used.

    graph_def = messages.GraphDef()
    graph_def.node.add(name="x", op="Const")

`scripts/protos` compiles the definitions to `messages.binpb`. The classes stand in a pool of their
own, so a program may also load TensorFlow's or TensorBoard's.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

from hybridflow._src.framework.locks import holding, new_lock

_PACKAGE = "tensorflow."
_making = new_lock()


@functools.cache
def _files() -> Any:
    descriptors = importlib.import_module("google.protobuf.descriptor_pb2")
    # It takes longer to import than all else here.
    resources = importlib.import_module("importlib.resources")
    folder = resources.files("hybridflow._src.formats") / "protos"
    return descriptors.FileDescriptorSet.FromString((folder / "messages.binpb").read_bytes()).file


@functools.cache
def _pool() -> Any:
    pool = importlib.import_module("google.protobuf.descriptor_pool").DescriptorPool()
    for file in _files():
        pool.AddSerializedFile(file.SerializeToString())
    return pool


def _names() -> list[str]:
    """All that there is: messages, and the numbers of dtypes."""
    found = [m.name for file in _files() if file.package == "tensorflow" for m in file.message_type]
    return sorted([*found, *enum("DataType").keys()])


def enum(name: str) -> Any:
    """An enum's names and numbers, such as `enum("DataType").Value("DT_FLOAT")`."""
    wrappers = importlib.import_module("google.protobuf.internal.enum_type_wrapper")
    return wrappers.EnumTypeWrapper(
        holding(_making, lambda: _pool().FindEnumTypeByName(_PACKAGE + name))
    )


def decode_error() -> type[Exception]:
    """What is raised for bytes that are no message."""
    error: type[Exception] = importlib.import_module("google.protobuf.message").DecodeError
    return error


def __getattr__(name: str) -> Any:
    """The class of the message `name`, or the number of a dtype, such as `DT_FLOAT`."""
    if name == "__all__":
        return _names()
    if not name[:1].isupper():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Threads that need messages first at the same time take them from one pool.
    return holding(_making, _made, name)


def _made(name: str) -> Any:
    if name in globals():
        return globals()[name]
    try:
        if name.startswith("DT_"):
            return enum("DataType").Value(name)
        descriptor = _pool().FindMessageTypeByName(_PACKAGE + name)
    except (KeyError, ValueError):
        raise AttributeError(f"There is no message {name!r}.") from None
    factory = importlib.import_module("google.protobuf.message_factory")
    found = globals()[name] = factory.GetMessageClass(descriptor)
    fields = ", ".join(f"`{field.name}`" for field in descriptor.fields)
    found.__doc__ = f"TensorFlow's message `{name}`. Its fields: {fields}."
    found.__module__ = __name__
    _nest(found, factory.GetMessageClass)
    return found


def _nest(message: Any, class_of: Any) -> None:
    """Gives classes those within them, which protobuf's implementation in Python leaves out."""
    for inner in message.DESCRIPTOR.nested_types:
        if not hasattr(message, inner.name):
            setattr(message, inner.name, class_of(inner))
        _nest(getattr(message, inner.name), class_of)
