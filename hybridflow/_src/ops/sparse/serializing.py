"""Sparse tensors as strings, and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.formats import messages, tensors
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.errors import UnimplementedError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample, not_differentiable
from hybridflow._src.framework.sparse_tensor import SparseTensor, as_sparse
from hybridflow._src.framework.static_value import constant_dims
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.sparse.coordinates import (
    check_parts,
    invalid,
    row_major,
    sampled,
    static_sizes,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "deserialize_many_sparse",
    "deserialize_sparse",
    "serialize_many_sparse",
    "serialize_sparse",
]


def _written(*parts: np.ndarray) -> list[bytes]:
    return [tensors.content_proto(part).SerializeToString() for part in parts]


def _strings(rows: Any, shape: tuple[int, ...]) -> np.ndarray:
    result = np.empty(len(rows), object)
    result[:] = rows
    return result.reshape(shape)


# -- to strings ------------------------------------------------------------------------------------


def _serialize(
    sparse_indices: np.ndarray,
    sparse_values: np.ndarray,
    sparse_shape: np.ndarray,
    out_type: dtypes.DType,
) -> np.ndarray:
    check_parts(sparse_indices, sparse_values, sparse_shape)
    return _strings(_written(sparse_indices, sparse_values, sparse_shape), (3,))


def _serialize_many(
    sparse_indices: np.ndarray,
    sparse_values: np.ndarray,
    sparse_shape: np.ndarray,
    out_type: dtypes.DType,
) -> np.ndarray:
    check_parts(sparse_indices, sparse_values, sparse_shape)
    if len(sparse_shape) < 2:
        raise invalid(
            f"Rank of input SparseTensor should be > 1, but saw rank: {len(sparse_shape)}"
        )
    count, rows = int(sparse_shape[0]), sparse_indices[:, 0]
    if ((rows < 0) | (rows >= count)).any():
        raise invalid(f"Received a row that is not in [0, {count})")
    if (rows[1:] < rows[:-1]).any():
        raise invalid("the elements must be sorted by their first index: see hf.sparse_reorder")
    bounds = np.searchsorted(rows, np.arange(count + 1))
    found: list[bytes] = []
    for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        found += _written(sparse_indices[start:end, 1:], sparse_values[start:end], sparse_shape[1:])
    return _strings(found, (count, 3))


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.int32):
        for sizes, count in (((3, 4), 6), ((2, 3, 2), 5), ((4, 2), 0)):
            yield Sample(*sampled(rng, sizes, count, dtype))
    indices, _, shape = sampled(rng, (3, 4), 3, np.float32)
    yield Sample(indices, np.array([b"a", b"", b"ccc"], object), shape)


_INPUTS = "sparse_indices: int64, sparse_values: T, sparse_shape: int64"


def _rows_shape(attrs: dict[str, Any], *parts: Tensor) -> Any:
    static_sizes(*parts)
    dims = constant_dims(parts[2])
    return (dims[0] if dims else None, 3)


def _one_shape(attrs: dict[str, Any], *parts: Tensor) -> Any:
    static_sizes(*parts)
    return (3,)


_serialize_one = OpDef(
    "SerializeSparse",
    f"{_INPUTS} -> serialized_sparse: out_type",
    types={"out_type": (dtypes.string,)},
    attrs={"out_type": dtypes.string},
    shape=_one_shape,
    compute=_serialize,
    grad=not_differentiable,
    samples=_samples,
)
_serialize_rows = OpDef(
    "SerializeManySparse",
    f"{_INPUTS} -> serialized_sparse: out_type",
    types={"out_type": (dtypes.string,)},
    attrs={"out_type": dtypes.string},
    shape=_rows_shape,
    compute=_serialize_many,
    grad=not_differentiable,
    samples=_samples,
)


# -- from strings ----------------------------------------------------------------------------------


def _read(text: Any, what: str) -> np.ndarray:
    """The array in a string.

    Raises:
      InvalidArgumentError: if the string holds none.
    """
    try:
        found = tensors.array_of(messages.TensorProto.FromString(text))[0]
    except Exception as error:
        raise invalid(f"Could not parse serialized proto {what}: {error}") from None
    return found


def _read_parts(
    row: np.ndarray, number: int, dtype: dtypes.DType
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    what = f"serialized_sparse[{number}"
    indices, values, shape = (_read(text, f"{what}, {part}]") for part, text in enumerate(row))
    if indices.ndim != 2 or indices.dtype != np.int64:
        raise invalid(
            f"Expected {what}, 0] to represent an index matrix but received shape "
            f"{list(indices.shape)} of {indices.dtype}"
        )
    if values.ndim != 1:
        raise invalid(
            f"Expected {what}, 1] to represent a values vector but received shape "
            f"{list(values.shape)}"
        )
    given = dtypes.string if values.dtype == object else dtypes.as_dtype(values.dtype)
    if given is not dtype.base_dtype:
        raise invalid(
            f"Requested SparseTensor of type {dtype.name} but "
            f"SparseTensor[{number}].values.dtype() == {given.name}"
        )
    if shape.ndim != 1 or shape.dtype != np.int64:
        raise invalid(
            f"Expected {what}, 2] to be a shape vector but its shape is {list(shape.shape)}"
        )
    check_parts(indices, values, shape, f"SparseTensor[{number}]")
    return indices, values, shape


def _deserialize(
    serialized_sparse: np.ndarray, dtype: dtypes.DType
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if not serialized_sparse.ndim or serialized_sparse.shape[-1] != 3:
        raise invalid(
            "Serialized sparse should have 3 as the last dimension, got shape "
            f"{list(serialized_sparse.shape)}"
        )
    batch = serialized_sparse.shape[:-1]
    if not math.prod(batch):
        raise invalid(
            "Serialized sparse should have at least 1 serialized tensor, but has a zero dimension: "
            f"{list(serialized_sparse.shape)}"
        )
    rows = serialized_sparse.reshape(-1, 3)
    parts = [_read_parts(row, number, dtype) for number, row in enumerate(rows)]
    rank = len(parts[0][2])
    for number, (_, _, shape) in enumerate(parts):
        if len(shape) != rank:
            raise invalid(
                f"Inconsistent shape across SparseTensors: rank prior to SparseTensor[{number}] "
                f"was: {rank} but rank of SparseTensor[{number}] is: {len(shape)}"
            )
    # The smallest shape that has them all.
    sizes = np.max([shape for _, _, shape in parts], axis=0) if rank else np.zeros(0, np.int64)
    numbers = np.repeat(np.arange(len(parts)), [len(values) for _, values, _ in parts])
    outer = (
        np.stack(np.unravel_index(numbers, batch), axis=1)
        if batch
        else np.zeros((len(numbers), 0), np.int64)
    )
    indices = np.concatenate([outer, np.concatenate([p[0] for p in parts])], axis=1)
    values = np.concatenate([values for _, values, _ in parts])
    order = row_major(indices)
    if order is not None:
        indices, values = indices[order], values[order]
    return indices.astype(np.int64, copy=False), values, np.array([*batch, *sizes], np.int64)


def _deserialize_many(
    serialized_sparse: np.ndarray, dtype: dtypes.DType
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if serialized_sparse.ndim != 2:
        raise invalid(
            f"Serialized sparse should be a matrix but received shape "
            f"{list(serialized_sparse.shape)}"
        )
    return _deserialize(serialized_sparse, dtype)


def _deserialized_shape(attrs: dict[str, Any], serialized: Tensor) -> list[Any]:
    dims = shape_rules.with_rank_at_least(serialized, 1)
    if dims is not None:
        shape_rules.same_size(dims[-1], 3)
    return [(None, None), (None,), (None,)]


def _deserialize_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (dtypes.float32, dtypes.int64):
        parts = sampled(rng, (3, 4), 6, dtype.np)
        yield Sample(_serialize_many(*parts, out_type=dtypes.string), dtype=dtype)
    for sizes in ((5,), (2, 3)):
        text = _strings(_written(*sampled(rng, sizes, 3, np.float64)), (1, 3))
        other = _strings(_written(*sampled(rng, sizes, 2, np.float64)), (1, 3))
        yield Sample(np.concatenate([text, other]), dtype=dtypes.float64)


def _deserialize_one_samples(rng: np.random.Generator) -> Iterable[Sample]:
    yield from _deserialize_samples(rng)
    text = _strings(_written(*sampled(rng, (3, 4), 3, np.float32)), (3,))
    yield Sample(text, dtype=dtypes.float32)
    yield Sample(np.stack([np.stack([text, text])] * 3), dtype=dtypes.float32)


_deserialize_one = OpDef(
    "DeserializeSparse",
    "serialized_sparse: Tserialized -> sparse_indices: int64, sparse_values: dtype, "
    "sparse_shape: int64",
    types={"Tserialized": (dtypes.string,)},
    attrs={"dtype": REQUIRED},
    shape=_deserialized_shape,
    compute=_deserialize,
    grad=not_differentiable,
    samples=_deserialize_one_samples,
)
_deserialize_rows = OpDef(
    "DeserializeManySparse",
    "serialized_sparse: string -> sparse_indices: int64, sparse_values: dtype, sparse_shape: int64",
    attrs={"dtype": REQUIRED},
    shape=_deserialized_shape,
    compute=_deserialize_many,
    grad=not_differentiable,
    samples=_deserialize_samples,
)


# -- public functions ------------------------------------------------------------------------------


def _check_string(out_type: Any) -> None:
    if dtypes.as_dtype(out_type) is not dtypes.string:
        raise UnimplementedError(
            None, None, f"serialized tensors are strings here, not {dtypes.as_dtype(out_type).name}"
        )


def serialize_sparse(
    sp_input: Any, name: str | None = None, out_type: Any = dtypes.string
) -> Tensor:
    """A sparse tensor as three strings: `TensorProto`s of its indices, values and shape.

    Args:
      sp_input: a `SparseTensor`.
      name: name of the op.
      out_type: string.

    Returns: a string vector `[3]`.

    Raises:
      TypeError: if `sp_input` is not sparse. UnimplementedError: for another `out_type`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     text = hf.serialize_sparse(hf.SparseTensor([[1]], [2.0], [3]))
    ...     print(hf.deserialize_sparse(text, hf.float32).values.numpy())
    [2.]
    """
    sparse = as_sparse(sp_input)
    _check_string(out_type)
    result: Tensor = _serialize_one(*sparse._parts(), out_type=dtypes.string, name=name)
    return result


def serialize_many_sparse(
    sp_input: Any, name: str | None = None, out_type: Any = dtypes.string
) -> Tensor:
    """The rows of a sparse tensor, each as three strings.

    Args:
      sp_input: a `SparseTensor` `[n, ...]` of rank 2 at least, sorted by its first index.
      name: name of the op.
      out_type: string.

    Returns: a string matrix `[n, 3]`: `TensorProto`s of the indices, values and shape of each row.

    Raises:
      TypeError: if `sp_input` is not sparse. InvalidArgumentError: for a smaller rank, or elements
        that are out of order. UnimplementedError: for another `out_type`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     rows = hf.serialize_many_sparse(hf.SparseTensor([[1, 0]], [2.0], [3, 2]))
    ...     print(rows.shape, hf.deserialize_many_sparse(rows, hf.float32).indices.numpy())
    (3, 3) [[1 0]]
    """
    sparse = as_sparse(sp_input)
    _check_string(out_type)
    result: Tensor = _serialize_rows(*sparse._parts(), out_type=dtypes.string, name=name)
    return result


def _with_rank(parts: list[Tensor], rank: int | None) -> SparseTensor:
    indices, values, shape = parts
    if rank is not None:
        indices.set_shape([None, rank])
        shape.set_shape([rank])
    return SparseTensor(indices, values, shape)


def deserialize_sparse(
    serialized_sparse: Any, dtype: Any, rank: int | None = None, name: str | None = None
) -> SparseTensor:
    """Sparse tensors from strings, as one.

    Args:
      serialized_sparse: string tensor `[..., 3]`, as `serialize_sparse` makes them.
      dtype: the dtype of the values.
      rank: the rank of the result, if it is known.
      name: name of the op.

    Returns: a `SparseTensor` with the leading dimensions of `serialized_sparse`, then those of the
      tensors, of which the largest sizes are taken.

    Raises:
      InvalidArgumentError: for strings that hold no sparse tensors of that dtype and of one rank.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     text = hf.serialize_sparse(hf.SparseTensor([[1]], [2.0], [3]))
    ...     both = hf.deserialize_sparse([text, text], hf.float32)
    ...     print(both.indices.numpy().tolist(), both.dense_shape.numpy())
    [[0, 1], [1, 1]] [2 3]
    """
    return _with_rank(
        _deserialize_one(serialized_sparse, dtype=dtypes.as_dtype(dtype), name=name), rank
    )


def deserialize_many_sparse(
    serialized_sparse: Any, dtype: Any, rank: int | None = None, name: str | None = None
) -> SparseTensor:
    """Sparse tensors from the rows of a matrix of strings, as one.

    Args:
      serialized_sparse: string matrix `[n, 3]`, as `serialize_many_sparse` makes it.
      dtype: the dtype of the values.
      rank: the rank of the result, if it is known.
      name: name of the op.

    Returns: a `SparseTensor` `[n, ...]`; of the sizes of the tensors the largest are taken.

    Raises:
      InvalidArgumentError: for strings that hold no sparse tensors of that dtype and of one rank.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     rows = hf.serialize_many_sparse(hf.SparseTensor([[0, 1]], [2.0], [1, 3]))
    ...     print(hf.deserialize_many_sparse(rows, hf.float32).dense_shape.numpy())
    [1 3]
    """
    return _with_rank(
        _deserialize_rows(serialized_sparse, dtype=dtypes.as_dtype(dtype), name=name), rank
    )
