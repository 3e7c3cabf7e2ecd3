"""Examples: the values of named features, from `Example` and `SequenceExample` messages."""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

import numpy as np

from hybridflow._src.formats import messages
from hybridflow._src.formats.varints import decode

# The field of a `Feature` for the dtype of its values, by its kind.
FIELDS = {"f": "float_list", "i": "int64_list", "O": "bytes_list"}
_KINDS = {field: kind for kind, field in FIELDS.items()}


class Values(NamedTuple):
    """The values of one feature.

    Attributes:
      kind: "f", "i" or "O"; None if it says nothing. array: float32, int64 or bytes objects.
    """

    kind: str | None
    array: np.ndarray


NOTHING = Values(None, np.zeros(0))


def example(data: bytes) -> dict[str, Any]:
    """The features of a serialized `Example`, by name; `values` gives what they hold.

    Raises:
      ValueError: for bytes that are no such message.
    """
    return dict(_message("Example", data).features.feature)


def sequence_example(data: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """The features of the context of a serialized `SequenceExample`, and its lists of features.

    Raises:
      ValueError: for bytes that are no such message.
    """
    found = _message("SequenceExample", data)
    lists = {key: item.feature for key, item in found.feature_lists.feature_list.items()}
    return dict(found.context.feature), lists


def _message(name: str, data: bytes) -> Any:
    try:
        return getattr(messages, name).FromString(data)
    except messages.decode_error() as error:
        raise ValueError(str(error)) from None


def values(feature: Any) -> Values:
    """What a `Feature` message holds."""
    field = feature.WhichOneof("kind")
    if field is None:
        return NOTHING
    holder = getattr(feature, field)
    kind = _KINDS[field]
    if kind == "f":
        return Values(kind, _floats(holder.SerializeToString()))
    if kind == "i":
        return Values(kind, np.array(holder.value, np.int64))
    array = np.empty(len(holder.value), object)
    array[:] = holder.value
    return Values(kind, array)


def _floats(data: bytes) -> np.ndarray:
    """The numbers of a serialized `FloatList`, which stand together behind their length."""
    if not data:
        return np.zeros(0, np.float32)
    _, start = decode(data, 1)
    return np.frombuffer(data, "<f4", offset=start).astype(np.float32)


def example_of_json(text: bytes) -> bytes:
    """The serialized `Example` that JSON describes.

    Raises:
      ValueError: for what is none.
    """
    json_format = importlib.import_module("google.protobuf.json_format")
    try:
        found: bytes = json_format.Parse(text, messages.Example()).SerializeToString()
    except (json_format.ParseError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    return found
