"""Where passes stand as bytes: lists and dicts of numbers, bytes, arrays. Nothing in them runs."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from hybridflow._src.data.sparse import SparseItem
from hybridflow._src.formats import messages
from hybridflow._src.formats.tensors import make_ndarray, tensor_proto
from hybridflow._src.framework import dtypes

# A state is a record of JSON, in which {"array": n} stands for the n-th of the tensors behind it.
_ARRAY, _BYTES, _DICT, _SPARSE = "array", "bytes", "dict", "sparse"


def packed(state: Any) -> bytes:
    """A state as bytes.

    Raises:
      TypeError: if there is something in it that is neither a number, bytes, None, an array, nor a
        list or dict of these.
    """
    arrays: list[bytes] = []

    def written(value: Any) -> Any:
        if isinstance(value, (np.ndarray, np.generic)):
            array = np.asarray(value)
            dtype = dtypes.as_dtype(array.dtype)
            arrays.append(tensor_proto(array, dtype).SerializeToString())
            return {_ARRAY: len(arrays) - 1}
        if isinstance(value, SparseItem):
            return {_SPARSE: [written(x) for x in (value.indices, value.values, value.shape)]}
        if isinstance(value, bytes):
            return {_BYTES: value.hex()}
        if isinstance(value, (list, tuple)):
            return [written(item) for item in value]
        if isinstance(value, dict):
            return {_DICT: {key: written(item) for key, item in value.items()}}
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        raise TypeError(f"A state cannot hold {value!r:.100}.")

    head = json.dumps(written(state)).encode()
    parts = [head, *arrays]
    sizes = b"".join(len(part).to_bytes(8, "little") for part in parts)
    return len(parts).to_bytes(8, "little") + sizes + b"".join(parts)


def unpacked(data: bytes) -> Any:
    """The state that bytes hold.

    Raises:
      ValueError: if they hold none.
    """
    parts = _parts(data)

    def read(value: Any) -> Any:
        if isinstance(value, list):
            return [read(item) for item in value]
        if not isinstance(value, dict):
            return value
        ((kind, content),) = value.items()
        if kind == _DICT:
            return {key: read(item) for key, item in content.items()}
        if kind == _SPARSE:
            indices, values, shape = read(content)
            return SparseItem(indices, values, tuple(shape))
        if kind == _BYTES:
            return bytes.fromhex(content)
        if kind == _ARRAY:
            proto = messages.TensorProto()
            proto.ParseFromString(parts[1 + content])
            return make_ndarray(proto)
        raise ValueError(f"{kind!r:.40} is nothing that a state holds")

    try:
        return read(json.loads(parts[0]))
    except ValueError:
        raise
    except Exception as error:  # of the many ways in which a message can be wrong
        raise ValueError(f"damaged state: {error}") from error


def _parts(data: bytes) -> list[bytes]:
    """The pieces that stand behind their sizes."""
    count = int.from_bytes(data[:8], "little")
    start = 8 * (count + 1)
    if len(data) < 8 or not count or start > len(data):
        raise ValueError("truncated state")
    parts = []
    for number in range(count):
        size = int.from_bytes(data[8 * (number + 1) : 8 * (number + 2)], "little")
        if start + size > len(data):
            raise ValueError("truncated state")
        parts.append(data[start : start + size])
        start += size
    return parts
