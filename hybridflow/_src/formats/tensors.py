"""Arrays as `TensorProto` messages, and back."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.formats import messages, varints
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.arrays import to_array
from hybridflow._src.framework.late import late
from hybridflow._src.framework.tensor_shape import TensorShape, as_shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.dtypes import DType

__all__ = ["make_ndarray", "make_tensor_proto"]

# The field of a message that holds the values of a dtype one by one. Complex values lie there as
# real and imaginary part in turn, those of float16 and bfloat16 as their bits.
_FIELDS: dict[DType, str] = {
    dtypes.float16: "half_val",
    dtypes.float32: "float_val",
    dtypes.float64: "double_val",
    dtypes.int8: "int_val",
    dtypes.int16: "int_val",
    dtypes.int32: "int_val",
    dtypes.int64: "int64_val",
    dtypes.uint8: "int_val",
    dtypes.uint16: "int_val",
    dtypes.uint32: "uint32_val",
    dtypes.uint64: "uint64_val",
    dtypes.bool: "bool_val",
    dtypes.string: "string_val",
    dtypes.complex64: "scomplex_val",
    dtypes.complex128: "dcomplex_val",
    dtypes.bfloat16: "half_val",
    **{dtype: "int_val" for dtype in dtypes.QUANTIZED_DTYPES if not dtype.is_ref_dtype},
}
_AS_BITS = (dtypes.float16, dtypes.bfloat16)
# Of these a message has the bytes; of others the values one by one, as TensorFlow writes them.
_BY_BYTES = frozenset(
    (
        dtypes.float32,
        dtypes.float64,
        dtypes.int8,
        dtypes.int16,
        dtypes.int32,
        dtypes.int64,
        dtypes.uint8,
        dtypes.uint32,
        dtypes.uint64,
    )
)
LARGEST = 1 << 31  # what the protobuf library can write


def shape_proto(dims: Sequence[int | None] | None) -> Any:
    """A shape as a message; an unknown size is -1 there."""
    if dims is None:
        return messages.TensorShapeProto(unknown_rank=True)
    proto = messages.TensorShapeProto()
    for size in dims:
        proto.dim.add().size = -1 if size is None else size
    return proto


late.shape_proto = shape_proto


def shape_of(proto: Any) -> TensorShape:
    """The shape that a message holds.

    Raises:
      ValueError: if it has a size below -1.
    """
    if proto.unknown_rank:
        return TensorShape.of(None)
    sizes = [dim.size for dim in proto.dim]
    if sizes and min(sizes) < -1:
        raise ValueError(f"Shape {sizes} is not valid: a size is less than -1.")
    return TensorShape.of(tuple([None if size < 0 else size for size in sizes]))


def dtype_of(number: int) -> DType:
    """The dtype of a `DataType` number in a message.

    Raises:
      TypeError: if there is none here.
    """
    try:
        return dtypes.as_dtype(int(number))
    except TypeError:
        known = messages.enum("DataType")
        name = known.Name(number) if number in known.values() else f"number {number}"
        raise TypeError(f"The data type {name} does not exist here.") from None


def is_filled(array: np.ndarray) -> bool:
    """Whether one value, at one place in memory, fills the shape."""
    return not any(s for s, d in zip(array.strides, array.shape, strict=True) if d > 1)


def tensor_proto(array: np.ndarray, dtype: DType) -> Any:
    """An array of a dtype as a message, as compact as TensorFlow writes it.

    Raises:
      TypeError: for resources and variants. ValueError: for more than 2 GB.
    """
    if dtype.is_quantized:
        array = array.view(dtype.np)
    proto = messages.TensorProto(
        dtype=dtype.as_datatype_enum, tensor_shape=shape_proto(array.shape)
    )
    field = _FIELDS.get(dtype)
    if field is None:
        raise TypeError(f"A tensor of dtype {dtype.name} cannot be a message.")
    if array.size > 1 and is_filled(array):
        array = array.reshape(-1)[:1]
    if array.nbytes >= LARGEST:
        raise ValueError("Cannot create a tensor proto whose content is larger than 2GB.")
    if array.size > 1 and dtype in _BY_BYTES:
        proto.tensor_content = _little_endian(array).tobytes()
    else:
        getattr(proto, field).extend(_items(array, dtype))
    return proto


def content_proto(array: np.ndarray) -> Any:
    """An array as a message with all values in `tensor_content`, as TensorFlow's ops write it.

    Of strings that is the length of each, then all of them.
    """
    dtype = dtypes.string if array.dtype == object else dtypes.as_dtype(array.dtype)
    proto = messages.TensorProto(
        dtype=dtype.as_datatype_enum, tensor_shape=shape_proto(array.shape)
    )
    if dtype is dtypes.string:
        items = array.ravel().tolist()
        proto.tensor_content = b"".join([*map(varints.encode, map(len, items)), *items])
    else:
        proto.tensor_content = _little_endian(np.ascontiguousarray(array)).tobytes()
    return proto


def _strings_of(content: bytes, size: int) -> np.ndarray:
    """So many strings from `tensor_content`.

    Raises:
      ValueError: if it does not hold them.
    """
    lengths, position = [], 0
    if size <= len(content):
        for _ in range(size):
            length, position = varints.decode(content, position)
            lengths.append(length)
    if len(lengths) != size or position + sum(lengths) != len(content):
        raise ValueError(f"A tensor of {size} strings does not have {len(content)} bytes.")
    found = np.empty(size, object)
    for number, length in enumerate(lengths):
        found[number] = content[position : position + length]
        position += length
    return found


def _little_endian(array: np.ndarray) -> np.ndarray:
    return array if sys.byteorder == "little" else array.astype(array.dtype.newbyteorder("<"))


def _items(array: np.ndarray, dtype: DType) -> list[Any]:
    flat = np.ravel(array)
    if dtype in _AS_BITS:
        flat = flat.view(np.uint16)
    elif dtype.is_complex:
        flat = flat.view(dtype.real_dtype.np)
    return flat.tolist()


def make_tensor_proto(
    values: Any, dtype: Any = None, shape: Any = None, verify_shape: bool = False
) -> Any:
    """A value as a `TensorProto` message.

    Args:
      values: number, string, nested list or array; a message is given back as it is.
      dtype: the dtype; by default what `hf.constant` would take.
      shape: the shape; with fewer values than it has places the last one fills them.
      verify_shape: whether `values` must have that shape.

    Raises:
      TypeError: for values of another dtype or shape. ValueError: for None, too many values, or
        more than 2 GB.

    >>> import hybridflow as hf
    >>> hf.make_tensor_proto(2.5).float_val[0]
    2.5
    """
    if isinstance(values, messages.TensorProto):
        return values
    wanted = None if dtype is None else dtypes.as_dtype(dtype).base_dtype
    if isinstance(values, (np.ndarray, np.generic)) and wanted not in (None, dtypes.string):
        array = np.asarray(values).astype(wanted.np)
    else:
        array = to_array(values, wanted)
    known = dtypes.as_dtype(array.dtype) if array.dtype.kind != "O" else dtypes.string
    if wanted is not None and wanted.is_quantized:
        known = wanted
    if shape is None:
        return tensor_proto(array, known)
    dims = tuple([int(size) for size in shape])
    if verify_shape and array.shape != dims:
        raise TypeError(f"Expected Tensor's shape: {dims}, got {array.shape}.")
    size = math.prod(dims)
    if array.size > size:
        raise ValueError(
            f"Too many elements provided. Needed at most {size}, but received {array.size}"
        )
    if array.size == size:
        return tensor_proto(array.reshape(dims), known)
    proto = messages.TensorProto(dtype=known.as_datatype_enum, tensor_shape=shape_proto(dims))
    getattr(proto, _FIELDS[known]).extend(_items(array, known))
    return proto


def array_of(proto: Any) -> tuple[np.ndarray, DType]:
    """The array of a message, and its dtype; one value that fills a shape takes no more memory.

    Raises:
      ValueError: if the values do not fit the shape. TypeError: for a dtype that is no array's.
    """
    dtype = dtype_of(proto.dtype)
    field = _FIELDS.get(dtype)
    if field is None:
        raise TypeError(f"Unsupported tensor type: {dtype.name}")
    dims = as_shape(shape_of(proto.tensor_shape))._dims
    if dims is None or None in dims:
        raise ValueError(f"A tensor's value has a known shape, not {shape_of(proto.tensor_shape)}.")
    sizes = [int(d) for d in dims if d is not None]
    size = math.prod(sizes)
    if size > np.iinfo(np.int64).max // 16:
        raise ValueError(f"A tensor of shape {tuple(sizes)} is larger than any memory.")
    if proto.tensor_content:
        # Bytes to spare or too few are damage.
        given = len(proto.tensor_content)
        if dtype is dtypes.string:
            return _strings_of(proto.tensor_content, size).reshape(sizes), dtype
        if size * dtype.size != given:
            raise ValueError(
                f"A tensor of shape {tuple(sizes)} and dtype {dtype.name} does not have {given} "
                "bytes."
            )
        content = np.frombuffer(proto.tensor_content, dtype.np.newbyteorder("<"))
        return content.astype(dtype.np).reshape(sizes), dtype
    flat = _flat(getattr(proto, field), dtype)
    if flat.size > size:
        raise ValueError(f"A tensor of shape {tuple(sizes)} does not have {flat.size} values.")
    if flat.size == size:
        return flat.reshape(sizes), dtype
    if flat.size < 2:
        fill = flat[0] if flat.size else b"" if dtype is dtypes.string else dtype.np.type(0)
        whole = np.empty((), dtype.np)
        whole[()] = fill
        return np.broadcast_to(whole, sizes), dtype
    if size * dtype.size > LARGEST:
        raise ValueError(f"A tensor of shape {tuple(sizes)} is larger than 2GB.")
    whole = np.full(size, flat[-1], dtype.np)
    whole[: flat.size] = flat
    return whole.reshape(sizes), dtype


def _flat(values: Any, dtype: DType) -> np.ndarray:
    try:
        if dtype is dtypes.string:
            found = np.empty(len(values), object)
            found[:] = list(values)
            return found
        if dtype in _AS_BITS:
            return np.array(list(values), np.uint16).view(dtype.np)
        if dtype.is_complex:
            return np.array(list(values), dtype.real_dtype.np).view(dtype.np)
        return np.array(list(values), dtype.np)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"These are no values of dtype {dtype.name}: {error}") from None


def make_ndarray(tensor: Any) -> np.ndarray:
    """The array of a `TensorProto`, the caller's own.

    Raises:
      ValueError: if the values do not fit the shape. TypeError: for a dtype that is no array's.

    >>> import hybridflow as hf
    >>> hf.make_ndarray(hf.make_tensor_proto([1, 2], shape=[2, 1]))
    array([[1],
           [2]], dtype=int32)
    """
    return np.array(array_of(tensor)[0])
