"""Values of attributes as `AttrValue` messages, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.formats import messages
from hybridflow._src.formats.tensors import (
    array_of,
    dtype_of,
    is_filled,
    shape_of,
    shape_proto,
    tensor_proto,
)
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.dtypes import DType
from hybridflow._src.framework.tensor_shape import TensorShape, as_shape

if TYPE_CHECKING:
    from collections.abc import Callable


class Function:
    """An attribute that names a function of the library."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


def _text(value: Any) -> bytes:
    # Bytes of a file that are no text come back as they were.
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else bytes(value)


# From how many bytes on a value that fills a tensor is written once.
_LARGE = 1 << 10


def _tensor(value: Any) -> Any:
    array = np.asarray(value)
    is_large = array.nbytes >= _LARGE and array.dtype.kind != "O" and not is_filled(array)
    if is_large and _is_one_value(array):
        # What variables and slots begin with would be as large in a file as they are.
        array = np.broadcast_to(array.reshape(-1)[0], array.shape)
    return tensor_proto(array, _dtype_of_array(array))


def _is_one_value(array: np.ndarray) -> bool:
    """Whether all elements are one, bit by bit."""
    data = np.ascontiguousarray(array).reshape(-1)
    first = data[:1].tobytes()
    if data[-1:].tobytes() != first or data[data.size // 2 : data.size // 2 + 1].tobytes() != first:
        return False
    step = max(1, (1 << 20) // len(first))
    piece = first * min(step, data.size)
    return all(
        part.tobytes() == piece[: part.nbytes]
        for part in (data[start : start + step] for start in range(0, data.size, step))
    )


def _function(value: Any) -> Any:
    if not isinstance(value, Function):
        raise TypeError(f"{value!r:.100} is no function of a library.")
    return messages.NameAttrList(name=value.name)


def _dtype_of_array(array: np.ndarray) -> DType:
    return dtypes.string if array.dtype.kind == "O" else dtypes.as_dtype(array.dtype)


# The field of a message for each kind, and how it is made of a value.
_WRITERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "string": ("s", _text),
    "int": ("i", int),
    "float": ("f", float),
    "bool": ("b", bool),
    "type": ("type", lambda dtype: dtypes.as_dtype(dtype).as_datatype_enum),
    "shape": ("shape", lambda shape: shape_proto(as_shape(shape)._dims)),
    "tensor": ("tensor", _tensor),
    "func": ("func", _function),
}
_BY_CLASS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    ((bool, np.bool_), "bool"),
    ((int, np.integer), "int"),
    ((float, np.floating), "float"),
    ((str, bytes), "string"),
    (DType, "type"),
    (TensorShape, "shape"),
    (np.ndarray, "tensor"),
    (Function, "func"),
)


def attr_value(value: Any, kind: str = "") -> Any:
    """A value as an `AttrValue`.

    Args:
      value: what an operation has for the attribute.
      kind: what TensorFlow's definition says it is, such as "list(type)"; "" to tell by the value.

    Raises:
      TypeError: if the value is nothing that can be written, such as a Python function.
    """
    found = messages.AttrValue()
    if kind.startswith("list(") or (not kind and isinstance(value, (list, tuple))):
        found.list.SetInParent()
        for item in value:
            field, make = _WRITERS[kind[5:-1] or _kind_of(item)]
            made = make(item)
            if field in ("shape", "tensor", "func"):
                getattr(found.list, field).add().CopyFrom(made)
            else:
                getattr(found.list, field).append(made)
        return found
    field, make = _WRITERS[kind or _kind_of(value)]
    made = make(value)
    if field in ("shape", "tensor", "func"):
        getattr(found, field).CopyFrom(made)
    else:
        setattr(found, field, made)
    return found


def _kind_of(value: Any) -> str:
    for known, kind in _BY_CLASS:
        if isinstance(value, known):
            return kind
    raise TypeError(f"{value!r:.100} cannot be the value of an attribute in a file.")


def check_kind(node: str, key: str, attr: Any, kind: str) -> None:
    """Checks that an `AttrValue` holds what TensorFlow's definition says.

    Raises:
      ValueError: if it does not.
    """
    field = "list" if kind.startswith("list(") else _WRITERS[kind][0] if kind in _WRITERS else ""
    if field and attr.WhichOneof("value") != field:
        raise ValueError(f"Attribute {key!r} of node {node!r} is no {kind}.")


_READERS: dict[str, Callable[[Any], Any]] = {
    "s": bytes,
    "i": int,
    "f": float,
    "b": bool,
    "type": dtype_of,
    "shape": shape_of,
    "tensor": lambda proto: array_of(proto)[0],
    "func": lambda proto: Function(proto.name),
}


def python_value(attr: Any) -> Any:
    """The value of an `AttrValue`: bytes, number, dtype, shape, array, `Function`, or a list.

    Raises:
      ValueError: if it holds nothing, or what is no value. TypeError: for an unknown dtype.
    """
    field = attr.WhichOneof("value")
    if field == "list":
        for name, read in _READERS.items():
            items = getattr(attr.list, name)
            if items:
                return [read(item) for item in items]
        return []
    if field not in _READERS:
        raise ValueError("An attribute has no value.")
    return _READERS[field](getattr(attr, field))
