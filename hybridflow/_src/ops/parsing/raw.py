"""Bytes as numbers, tensors as bytes, JSON as examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.formats import messages, tensors
from hybridflow._src.formats.examples import example_of_json
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample, not_differentiable
from hybridflow._src.framework.spelling import spelled
from hybridflow._src.framework.tensor_shape import bracketed
from hybridflow._src.ops.shape_rules import same, with_rank
from hybridflow._src.ops.strings.elementwise import each, strings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["decode_json_example", "decode_raw", "parse_tensor", "serialize_tensor"]

_RAW_TYPES = (
    dtypes.float16,
    dtypes.float32,
    dtypes.float64,
    dtypes.int8,
    dtypes.int16,
    dtypes.int32,
    dtypes.int64,
    dtypes.uint8,
    dtypes.uint16,
)


def _invalid(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(None, None, message)


# -- decode_raw ------------------------------------------------------------------------------------


def _decode_raw(array: np.ndarray, out_type: Any, little_endian: bool) -> np.ndarray:
    items = array.reshape(-1).tolist()
    size = len(items[0]) if items else 0
    for index, item in enumerate(items):
        if len(item) != size:
            raise _invalid(
                "DecodeRaw requires input strings to all be the same size, but element "
                f"{index} has size {size} != {len(item)}"
            )
    width = out_type.np.itemsize
    if size % width:
        raise _invalid(
            f"Input to DecodeRaw has length {size} that is not a multiple of {width}, the size of "
            f"{out_type.name}"
        )
    order = out_type.np.newbyteorder("<" if little_endian else ">")
    numbers = np.frombuffer(b"".join(items), order).astype(out_type.np)
    return numbers.reshape(*array.shape, size // width)


def _raw_shape(attrs: dict[str, Any], source: Any) -> Any:
    return None if source._dims is None else (*source._dims, None)


def _raw_samples(rng: np.random.Generator) -> Iterable[Sample]:
    texts = strings([bytes(range(8)), bytes(range(8, 16))], (2, 1))
    for dtype in _RAW_TYPES:
        yield Sample(texts, out_type=dtype)
        yield Sample(texts, out_type=dtype, little_endian=False)
    yield Sample(strings([b"\x01"], ()), out_type=dtypes.uint8)
    yield Sample(strings([], (0,)), out_type=dtypes.int32)


_decode_raw_op = OpDef(
    "DecodeRaw",
    "bytes: string -> output: out_type",
    attrs={"out_type": REQUIRED, "little_endian": True},
    shape=_raw_shape,
    compute=_decode_raw,
    grad=not_differentiable,
    samples=_raw_samples,
)


@spelled(input_bytes="bytes")
def decode_raw(
    bytes: Any, out_type: Any, little_endian: bool = True, name: str | None = None
) -> Tensor:
    """The bytes of strings as numbers.

    Args:
      bytes: string tensor; all strings have one length.
      out_type: float16, float32, float64, int8, int16, int32, int64, uint8 or uint16.
      little_endian: whether the low byte of a number comes first.
      name: name of the op.

    Returns: a tensor with one dimension more: the numbers of a string.

    Raises:
      TypeError: for another dtype. InvalidArgumentError: if lengths differ, or are no multiple of
        a number's.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.decode_raw(["ab", "cd"], hf.uint8).numpy().tolist())
    [[97, 98], [99, 100]]
    """
    dtype = dtypes.as_dtype(out_type)
    if dtype not in _RAW_TYPES:
        names = ", ".join(d.name for d in _RAW_TYPES)
        raise TypeError(f"`out_type` must be one of {names}, got {dtype.name}.")
    found: Tensor = _decode_raw_op(
        bytes, out_type=dtype, little_endian=bool(little_endian), name=name
    )
    return found


# -- tensors ---------------------------------------------------------------------------------------


def _serialize(array: np.ndarray) -> np.ndarray:
    if array.dtype == object:
        proto = tensors.tensor_proto(array, dtypes.string)
    else:
        proto = tensors.content_proto(array)
    return np.array(proto.SerializeToString(), object)


def _parse(text: np.ndarray, out_type: Any) -> np.ndarray:
    if text.ndim:
        raise _invalid(f"Expected `serialized` to be a scalar, got shape: {bracketed(text.shape)}")
    try:
        proto = messages.TensorProto.FromString(text.item())
        array, dtype = tensors.array_of(proto)
    except (messages.decode_error(), ValueError, TypeError) as error:
        given = repr(text.item()).removeprefix("b")
        raise _invalid(
            f"Could not parse `serialized` as TensorProto: {given:.100} ({error})"
        ) from None
    if dtype is not out_type:
        raise _invalid(
            f"Type mismatch between parsed tensor ({dtype.name}) and dtype ({out_type.name})"
        )
    return array


def _serialize_samples(rng: np.random.Generator) -> Iterable[Sample]:
    yield Sample(np.arange(6, dtype=np.float32).reshape(2, 3))
    yield Sample(np.array(5, np.int64))
    yield Sample(strings([b"a", b"\xff"], (2,)))
    yield Sample(np.zeros((0, 2), np.int32))


def _parse_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for sample in _serialize_samples(rng):
        array = sample.args[0]
        yield Sample(_serialize(array), out_type=dtypes.as_dtype(array.dtype))


def _parsed_shape(attrs: dict[str, Any], serialized: Any) -> None:
    with_rank(serialized, 0)


_serialize_tensor = OpDef(
    "SerializeTensor",
    "tensor: T -> serialized: string",
    shape=lambda attrs, tensor: (),
    compute=_serialize,
    grad=not_differentiable,
    samples=_serialize_samples,
)
_parse_tensor = OpDef(
    "ParseTensor",
    "serialized: string -> output: out_type",
    attrs={"out_type": REQUIRED},
    shape=_parsed_shape,
    compute=_parse,
    grad=not_differentiable,
    samples=_parse_samples,
)


def serialize_tensor(tensor: Any, name: str | None = None) -> Tensor:
    """A tensor as one string: a `TensorProto` message.

    Args:
      tensor: tensor of any dtype and shape.
      name: name of the op.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     text = hf.serialize_tensor([1.0, 2.0])
    ...     print(hf.parse_tensor(text, hf.float32).numpy())
    [1. 2.]
    """
    found: Tensor = _serialize_tensor(tensor, name=name)
    return found


def parse_tensor(serialized: Any, out_type: Any, name: str | None = None) -> Tensor:
    """The tensor that a string holds, as `serialize_tensor` makes it.

    Args:
      serialized: string scalar: a `TensorProto` message.
      out_type: the dtype of the tensor.
      name: name of the op.

    Returns: a tensor of that dtype; its shape is unknown in a graph.

    Raises:
      InvalidArgumentError: for what is no such message, or holds another dtype.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.parse_tensor(hf.serialize_tensor([[7]]), hf.int32).numpy())
    [[7]]
    """
    found: Tensor = _parse_tensor(serialized, out_type=dtypes.as_dtype(out_type), name=name)
    return found


# -- JSON ------------------------------------------------------------------------------------------


def _of_json(text: bytes) -> bytes:
    try:
        return example_of_json(text)
    except ValueError as error:
        raise _invalid(f"Error while parsing JSON: {error}") from None


def _json_samples(rng: np.random.Generator) -> Iterable[Sample]:
    text = b'{"features": {"feature": {"x": {"floatList": {"value": [1.5]}}}}}'
    yield Sample(strings([text, b"{}"], (2,)))
    yield Sample(strings([text], ()))
    yield Sample(strings([], (0,)))


_decode_json = OpDef(
    "DecodeJSONExample",
    "json_examples: string -> binary_examples: string",
    shape=same,
    compute=lambda array: each(_of_json, array),
    grad=not_differentiable,
    samples=_json_samples,
)


def decode_json_example(json_examples: Any, name: str | None = None) -> Tensor:
    """Examples written as JSON, as serialized `Example` messages.

    Args:
      json_examples: string tensor of any shape.
      name: name of the op.

    Returns: a string tensor of that shape, for `parse_example`.

    Raises:
      InvalidArgumentError: for what is no JSON, or no example.

    >>> import hybridflow as hf
    >>> text = '{"features": {"feature": {"x": {"int64List": {"value": [7]}}}}}'
    >>> with hf.eager_mode():
    ...     example = hf.decode_json_example(text)
    ...     found = hf.parse_single_example(example, {"x": hf.FixedLenFeature([], hf.int64)})
    ...     print(found["x"].numpy())
    7
    """
    found: Tensor = _decode_json(json_examples, name=name)
    return found
